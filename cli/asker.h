/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the terminal of whoever gives the command comes from. */
#ifndef WAYLEAVE_CLI_ASKER_H
#define WAYLEAVE_CLI_ASKER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The client's address of the SSH session that this process runs in, as sshd(8) has it in
 * SSH_CONNECTION; sudo(8) and su(1) take that away, so the processes above are looked at
 * too. False: none.
 */
bool asker_address(char *text, size_t size);

#endif
