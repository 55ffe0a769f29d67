/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One running gateway: its run_dir, the lock in it, and every name that is made
 * from run_dir. Several instances live side by side when their run_dirs differ.
 *
 * The number that marks an instance in its maps is a hash of the run_dir's path
 * and not random, so that a run_dir on a file system that a reboot of the
 * container empties still finds the data plane that it left.
 *
 * What a run has changed in the kernel and --teardown must put back is kept in
 * run_dir/restore, one "name value" a line.
 */
#ifndef WAYLEAVE_DAEMON_INSTANCE_H
#define WAYLEAVE_DAEMON_INSTANCE_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct instance {
	char run_dir[PATH_MAX];
	uint64_t number;
	char tap[IFNAMSIZ];				  /* wl-XXXXXXXX */
	char cutter_near[IFNAMSIZ], cutter_far[IFNAMSIZ]; /* wlc-XXXXXXXX, wld-XXXXXXXX */
	char table[32];					  /* nftables table, wayleave_XXXXXXXX */
	int lock_fd;					  /* -1: not locked */
};

/* Makes the names; touches nothing. */
void instance_name(struct instance *instance, const char *run_dir);

/*
 * Makes run_dir and takes its lock. 0, or -errno after a sentence; -EBUSY: another
 * daemon runs with the same run_dir.
 */
int instance_lock(struct instance *instance);
void instance_unlock(struct instance *instance);

/* Keeps VALUE under NAME unless something is kept there already. 0 or -errno. */
int instance_remember(const struct instance *instance, const char *name, const char *value);

bool instance_remembers(const struct instance *instance, const char *name);

/* Calls EACH for everything that is remembered. */
void instance_remembered(const struct instance *instance,
			 void (*each)(void *context, const char *name, const char *value),
			 void *context);

/* Forgets everything: after a teardown. */
void instance_forget(const struct instance *instance);

#endif
