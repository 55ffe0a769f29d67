/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of root's powers the daemon keeps. It starts as root:
 *
 *   start      CAP_NET_ADMIN  interfaces, tap, nftables, sysctl, attach
 *              CAP_BPF, CAP_PERFMON  load programs and maps
 *              CAP_SYS_ADMIN  find the maps of a previous run by their ids
 *              CAP_CHOWN, CAP_SETUID, CAP_SETGID  control socket's group, helper's uid
 *   afterwards CAP_NET_ADMIN, CAP_BPF
 */
#ifndef WAYLEAVE_DAEMON_PRIVILEGES_H
#define WAYLEAVE_DAEMON_PRIVILEGES_H

/* 0, or -EPERM after a sentence that names the capability that is missing. */
int privileges_check(void);

/* Drops all but what a start needs. 0 or -errno. */
int privileges_for_start(void);

/* Drops what only a start needs. Irreversible. 0 or -errno. */
int privileges_for_running(void);

#endif
