/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding what an earlier run of this instance has left attached: through the
 * ids of the attached programs, not through pins, for those hide in mount
 * namespaces and outlive network namespaces.
 */
#ifndef WAYLEAVE_DAEMON_ADOPT_H
#define WAYLEAVE_DAEMON_ADOPT_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"
#include "daemon/instance.h"
#include "daemon/links.h"
#include "daemon/tcx.h"

#define ADOPTION_MAPS 32

struct adopted_map {
	char name[16];
	uint32_t id;
	uint32_t type, key_size, value_size, max_entries;
	int fd;
};

struct adoption {
	unsigned int count;
	struct adopted_map map[ADOPTION_MAPS];
};

/* The programs at one of an interface's two TC hooks, by their ids; 0: none. */
struct hold_hook {
	enum bpf_tc_attach_point point;
	uint32_t filter;	    /* in our place among the filters of clsact */
	uint32_t tcx[TCX_PROGRAMS]; /* everybody's */
};

/* The places of our programs, as attach.h puts them. */
struct hold {
	struct hold_hook ingress, egress;
	uint32_t xdp;
};

/* What is at our places on the interface, whoever's it is. */
void hold_read(uint32_t ifindex, struct hold *hold);

/* Is PROGRAM_ID one of Wayleave's programs, and of which instance? 0: no. */
bool program_is_ours(uint32_t program_id, uint64_t *instance);

/*
 * Fills ADOPTION with the maps that run on LINKS. 1: found; 0: nothing there, or
 * of another layout (said); -EBUSY after a sentence: another instance is there.
 * adoption_free() in any case.
 */
int adoption_find(struct adoption *adoption, const struct links *links,
		  const struct instance *instance);
void adoption_free(struct adoption *adoption);

/* The descriptor to use for MAP of the new object, -1: none fits. */
int adoption_map(const struct adoption *adoption, const struct bpf_map *map);

#endif
