/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/strangers.h"

#include <stdio.h>
#include <string.h>

#include "daemon/adopt.h"
#include "daemon/attach.h"
#include "daemon/log.h"

/* This instance's for certain: one whose owner cannot be read does not count. */
static bool program_bears_mark(uint32_t program_id, const struct plane *plane,
			       const struct instance *instance)
{
	uint64_t owner = 0;

	if (!program_id)
		return false;
	return plane_program(plane, program_id) >= 0 ||
	       (program_is_ours(program_id, &owner) && owner == instance->number);
}

static bool hook_bears_mark(const struct hold_hook *hook, const struct plane *plane,
			    const struct instance *instance)
{
	bool marked = program_bears_mark(hook->filter, plane, instance);

	for (unsigned int i = 0; i < TCX_PROGRAMS && !marked; i++)
		marked = program_bears_mark(hook->tcx[i], plane, instance);
	return marked;
}

static bool bears_mark(uint32_t ifindex, const struct plane *plane, const struct instance *instance)
{
	struct hold hold;

	hold_read(ifindex, &hold);
	return hook_bears_mark(&hold.ingress, plane, instance) ||
	       hook_bears_mark(&hold.egress, plane, instance) ||
	       program_bears_mark(hold.xdp, plane, instance);
}

static bool is_own_device(const char *name, const struct instance *instance)
{
	return !strcmp(name, instance->tap) || !strcmp(name, instance->cutter_near) ||
	       !strcmp(name, instance->cutter_far);
}

static void interface_detach(const struct if_nameindex *interface, const struct plane *plane,
			     const struct instance *instance)
{
	struct link link = {.ifindex = interface->if_index};

	snprintf(link.name, sizeof(link.name), "%s", interface->if_name);
	attach_detach(&link, plane, instance);
}

static void stranger_detach(const struct if_nameindex *interface, const struct plane *plane,
			    const struct instance *instance)
{
	bool marked = bears_mark(interface->if_index, plane, instance);

	if (marked)
		log_notice("%s is not in the settings any more: data plane taken off",
			   interface->if_name);
	/* what another version has left bears no mark that can be read */
	if (marked || attach_remembers(interface->if_name, instance))
		interface_detach(interface, plane, instance);
}

void strangers_detach(const struct links *links, const struct plane *plane,
		      const struct instance *instance)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *one = all; one && one->if_index; one++)
		if (!links_by_ifindex(links, one->if_index) &&
		    !is_own_device(one->if_name, instance))
			stranger_detach(one, plane, instance);
	if (all)
		if_freenameindex(all);
}

void strangers_detach_all(const struct plane *plane, const struct instance *instance)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *one = all; one && one->if_index; one++)
		if (bears_mark(one->if_index, plane, instance))
			interface_detach(one, plane, instance);
	if (all)
		if_freenameindex(all);
}
