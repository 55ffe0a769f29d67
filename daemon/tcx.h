/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcx: the kernel's hooks before and behind an interface, without queueing discipline
 * and classifier (Linux 6.6). What is attached stays when the daemon ends, and goes
 * with the interface. A packet meets it before the filters of clsact, and only what
 * is neither taken nor passed meets those.
 */
#ifndef WAYLEAVE_DAEMON_TCX_H
#define WAYLEAVE_DAEMON_TCX_H

#include <bpf/libbpf.h>
#include <stdint.h>

#define TCX_PROGRAMS 16 /* of one hook that are looked at */

/* Writes the ids of the programs on a hook of the interface; the rest of IDS is 0. */
void tcx_query(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t ids[TCX_PROGRAMS]);

/*
 * Attaches a program to the hook, in OLD_FD's place; -1: behind the others there.
 * 0, also where it is already there, or -errno: -EINVAL before Linux 6.6.
 */
int tcx_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd, int old_fd);

/* 0 or -errno */
int tcx_detach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd);

#endif
