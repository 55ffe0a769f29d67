/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine's own screen says above its login prompt while the page has no password:
 * address, fingerprint and code. It is run_dir/setup.issue, mode 0600; the package has a link to
 * it in /etc/issue.d, where agetty(8) reads it as root.
 */
#ifndef WAYLEAVE_DAEMON_LOGIN_SCREEN_H
#define WAYLEAVE_DAEMON_LOGIN_SCREEN_H

#include <jansson.h>

/*
 * SETUP is what `wayleave setup` gets, or NULL. Writes the file, or removes it where there is no
 * code or no address to say; does nothing where it is right already. A prompt that waits is shown
 * anew where agetty has asked to be told. Failures are said once, in the log.
 */
void login_screen_follow(const char *run_dir, const json_t *setup);

#endif
