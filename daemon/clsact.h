/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clsact: the TC hooks before and behind an interface as every kernel has them, by a
 * queueing discipline with filters. Ours has one fixed handle and priority; it stays
 * when the daemon ends. tcx.h is what newer kernels have.
 */
#ifndef WAYLEAVE_DAEMON_CLSACT_H
#define WAYLEAVE_DAEMON_CLSACT_H

#include <bpf/libbpf.h>
#include <stdint.h>

#include "daemon/instance.h"

#define CLSACT_HANDLE	1
#define CLSACT_PRIORITY 1

/* Makes the qdisc, and remembers that it is ours when it was not there before. 0 or -errno. */
int clsact_make(uint32_t ifindex, const struct instance *instance);

/* Takes it away if we made it and nobody else's filter is on it. */
void clsact_remove(uint32_t ifindex, const struct instance *instance);

/* Puts a program in our filter's place, whatever is there. 0 or -errno. */
int clsact_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd);
void clsact_detach(uint32_t ifindex, enum bpf_tc_attach_point point);

/* The id of the program in our filter's place, whoever's it is; 0: none. */
uint32_t clsact_query(uint32_t ifindex, enum bpf_tc_attach_point point);

#endif
