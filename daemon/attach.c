/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/adopt.h"
#include "daemon/clsact.h"
#include "daemon/log.h"
#include "daemon/tcx.h"
#include "daemon/vlan_offload.h"
#include "daemon/xdp_features.h"

/* --- where XDP ----------------------------------------------------------------------- */

bool attach_probe(struct link *link)
{
	bool native = link->xdp_native, takes = link->xdp_takes;
	uint64_t features = link_is_bare(link) ? 0 : xdp_features(link->ifindex, link->name);

	link->xdp_native = features & XDP_FEATURE_BASIC;
	link->xdp_takes = features & XDP_FEATURE_NDO_XMIT;
	return native != link->xdp_native || takes != link->xdp_takes;
}

/* Some drivers take XDP frames only once they have a program themselves: native counts. */
static bool other_side_fits(const struct links *links, const struct link *link)
{
	for (unsigned int i = 0; i < links->count; i++) {
		const struct link *other = &links->link[i];

		if (other->wan != link->wan && link_is_hardware(other) &&
		    (other->xdp_takes || other->xdp_native))
			return true;
	}
	return false;
}

bool attach_wants_xdp(const struct links *links, const struct link *link, enum dataplane_mode mode)
{
	if (mode == DATAPLANE_TC || link_is_bare(link))
		return false;
	if (mode == DATAPLANE_XDP)
		return true;
	return link_is_hardware(link) && link->xdp_native && other_side_fits(links, link);
}

/* --- XDP ----------------------------------------------------------------------------- */

/* Running, the daemon may not open programs by their ids any more: its own are open already. */
static int program_open(const struct plane *plane, uint32_t id)
{
	int fd = plane_program(plane, id);

	return fd >= 0 ? dup(fd) : bpf_prog_get_fd_by_id(id);
}

static int xdp_attach(uint32_t ifindex, int program_fd, const struct plane *plane, uint32_t old_id)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options);
	uint32_t flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
	int old_fd = -1, err;

	if (old_id) {
		old_fd = program_open(plane, old_id);
		if (old_fd < 0)
			return -errno;
		options.old_prog_fd = old_fd;
		flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE;
	}
	err = bpf_xdp_attach(ifindex, program_fd, flags, &options);
	if (old_fd >= 0)
		close(old_fd);
	return err;
}

static void xdp_detach(uint32_t ifindex)
{
	bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
}

/* --- one link ------------------------------------------------------------------------ */

/* Whose is the program in our place? 0: nobody's or this instance's. */
static int place_check(const struct link *link, uint32_t program_id, const char *place,
		       const struct plane *plane, const struct instance *instance)
{
	uint64_t owner;

	if (!program_id || plane_program(plane, program_id) >= 0)
		return 0;
	if (!program_is_ours(program_id, &owner)) {
		if (!place) /* there is room for several */
			return 0;
		log_error("another program already holds the %s hook of %s (BPF program id %u); "
			  "remove it%s",
			  place, link->name, program_id,
			  strcmp(place, "XDP") ? "" : " or set dataplane: tc");
		return -EBUSY;
	}
	if (owner && owner != instance->number) {
		log_error("another Wayleave (with another run_dir) already translates on %s; end "
			  "it with its own --teardown first",
			  link->name);
		return -EBUSY;
	}
	return 0;
}

static int hook_check(const struct link *link, const struct hold_hook *hook, const char *place,
		      const struct plane *plane, const struct instance *instance)
{
	int err = place_check(link, hook->filter, place, plane, instance);

	for (unsigned int i = 0; i < TCX_PROGRAMS && !err; i++)
		err = place_check(link, hook->tcx[i], NULL, plane, instance);
	return err;
}

static int places_check(const struct link *link, const struct hold *hold, bool xdp,
			const struct plane *plane, const struct instance *instance)
{
	int err = hook_check(link, &hold->ingress, "TC ingress", plane, instance);

	if (!err && link->wan)
		err = hook_check(link, &hold->egress, "TC egress", plane, instance);
	if (!err && xdp)
		err = place_check(link, hold->xdp, "XDP", plane, instance);
	return err;
}

static enum program ingress_program(const struct link *link)
{
	if (link_is_bare(link))
		return link->wan ? PROGRAM_tc_outside_bare : PROGRAM_tc_inside_bare;
	return link->wan ? PROGRAM_tc_outside : PROGRAM_tc_inside;
}

static bool hold_is_ours(uint32_t program_id, const struct plane *plane,
			 const struct instance *instance)
{
	uint64_t owner;

	if (plane_program(plane, program_id) >= 0)
		return true;
	return program_id && program_is_ours(program_id, &owner) &&
	       (!owner || owner == instance->number);
}

static bool hook_is_ours(const struct hold_hook *hook, const struct plane *plane,
			 const struct instance *instance)
{
	bool ours = hold_is_ours(hook->filter, plane, instance);

	for (unsigned int i = 0; i < TCX_PROGRAMS && !ours; i++)
		ours = hold_is_ours(hook->tcx[i], plane, instance);
	return ours;
}

/* The first of ours that tcx has on the hook, opened; -1: none. */
static int tcx_open_ours(const struct hold_hook *hook, const struct plane *plane,
			 const struct instance *instance)
{
	for (unsigned int i = 0; i < TCX_PROGRAMS; i++)
		if (hold_is_ours(hook->tcx[i], plane, instance))
			return program_open(plane, hook->tcx[i]);
	return -1;
}

static int tcx_attach_link(const struct link *link, int program_fd, const struct plane *plane,
			   const struct hold_hook *hook, const struct instance *instance)
{
	int old_fd = tcx_open_ours(hook, plane, instance);
	int err = tcx_attach(link->ifindex, hook->point, program_fd, old_fd);

	if (old_fd >= 0)
		close(old_fd);
	return err;
}

/* A kernel before 6.6 has no tcx, which needs no warning. */
static void fallback_say(const struct link *link, int err)
{
	if (err != -EINVAL)
		log_warning(
			"the data plane hangs on %s as a filter of clsact, which is slower: tcx "
			"does not take it: %s",
			link->name, strerror(-err));
}

/*
 * By tcx, where the kernel has it: a frame spends a tenth less time in the gateway than by a
 * filter of clsact (docs/performance.md). A filter that an earlier version has left goes once
 * the program before it takes its packets.
 */
static int hook_attach(const struct link *link, enum program program, const struct plane *plane,
		       const struct hold_hook *hook, const struct instance *instance)
{
	int program_fd = plane->program_fd[program];
	int tcx = tcx_attach_link(link, program_fd, plane, hook, instance), err;

	if (tcx) {
		err = clsact_make(link->ifindex, instance);
		if (!err)
			err = clsact_attach(link->ifindex, hook->point, program_fd);
		if (!err)
			fallback_say(link, tcx);
		return err;
	}
	if (hold_is_ours(hook->filter, plane, instance))
		clsact_detach(link->ifindex, hook->point);
	return 0;
}

static void hook_detach(const struct link *link, const struct hold_hook *hook,
			const struct plane *plane, const struct instance *instance)
{
	if (hold_is_ours(hook->filter, plane, instance))
		clsact_detach(link->ifindex, hook->point);
	for (unsigned int i = 0; i < TCX_PROGRAMS; i++) {
		int fd = -1;

		if (hold_is_ours(hook->tcx[i], plane, instance))
			fd = program_open(plane, hook->tcx[i]);
		if (fd < 0)
			continue;
		tcx_detach(link->ifindex, hook->point, fd);
		close(fd);
	}
}

/* Egress first: an answer to the gateway must find the flow that it recorded. */
static int tc_attach_link(struct link *link, const struct plane *plane, const struct hold *hold,
			  const struct instance *instance)
{
	enum program local = link_is_bare(link) ? PROGRAM_tc_local_bare : PROGRAM_tc_local;
	int err = 0;

	if (link->wan) {
		err = hook_attach(link, local, plane, &hold->egress, instance);
		link->attachment.egress = !err;
	} else {
		hook_detach(link, &hold->egress, plane, instance); /* it was the WAN */
	}
	if (!err) {
		err = hook_attach(link, ingress_program(link), plane, &hold->ingress, instance);
		link->attachment.ingress = !err;
	}
	return err;
}

static int xdp_attach_link(struct link *link, const struct plane *plane, const struct hold *hold,
			   const struct instance *instance, bool xdp)
{
	enum program program = link->wan ? PROGRAM_xdp_outside : PROGRAM_xdp_inside;
	int err = 0;

	if (xdp)
		err = xdp_attach(link->ifindex, plane->program_fd[program], plane, hold->xdp);
	else if (hold_is_ours(hold->xdp, plane, instance))
		xdp_detach(link->ifindex);
	if (!xdp)
		vlan_offload_restore(link, instance);
	link->attachment.xdp = xdp && !err;
	return err;
}

static void refusal_say(const struct link *link, bool at_xdp, int err)
{
	if (err == -ENODEV)
		log_error("interface %s vanished while the data plane was attached", link->name);
	else if (at_xdp && err == -EOPNOTSUPP)
		log_error("interface %s has no native XDP; set dataplane: auto", link->name);
	else
		log_error("the data plane cannot be attached to %s by %s: %s", link->name,
			  at_xdp ? "XDP" : "TC (kernel modules sch_ingress, cls_bpf)",
			  strerror(-err));
}

/* It has no card that takes tags off, so there is nothing to switch off. */
static void veth_say(const struct link *link)
{
	if (link->attachment.xdp && !strcmp(link->kind, "veth"))
		log_notice("%s is a veth device: unless tx-vlan-offload is off at its other end, "
			   "XDP takes frames of other VLANs for untagged ones; dataplane: tc "
			   "does not",
			   link->name);
}

static void attached_name(const char *interface, char *name, size_t size)
{
	snprintf(name, size, "attached/%s", interface);
}

/* An interface that later settings do not name must be found again all the same. */
static int attached_remember(const struct link *link, const struct instance *instance)
{
	char name[64];

	attached_name(link->name, name, sizeof(name));
	return instance_remember(instance, name, "yes");
}

bool attach_remembers(const char *interface, const struct instance *instance)
{
	char name[64];

	attached_name(interface, name, sizeof(name));
	return instance_remembers(instance, name);
}

int attach_link(struct link *link, const struct plane *plane, const struct instance *instance,
		bool xdp)
{
	bool at_xdp = false;
	struct hold hold;
	int err;

	hold_read(link->ifindex, &hold);
	err = places_check(link, &hold, xdp, plane, instance);
	if (err)
		return err;
	link->attachment.adopted = hook_is_ours(&hold.ingress, plane, instance);
	err = tc_attach_link(link, plane, &hold, instance);
	if (!err) {
		at_xdp = true;
		xdp = xdp && !vlan_offload_stop(link, instance);
		err = xdp_attach_link(link, plane, &hold, instance, xdp);
	}
	if (!err) {
		veth_say(link);
		return attached_remember(link, instance);
	}
	refusal_say(link, at_xdp, err);
	if (!link->attachment.adopted) {
		attach_detach(link, plane, instance);
		link->attachment = (struct attachment){0};
	}
	return err;
}

/* --- still there? -------------------------------------------------------------------- */

static bool hook_holds(const struct hold_hook *hook, const struct plane *plane)
{
	bool holds = plane_program(plane, hook->filter) >= 0;

	for (unsigned int i = 0; i < TCX_PROGRAMS && !holds; i++)
		holds = plane_program(plane, hook->tcx[i]) >= 0;
	return holds;
}

bool attach_holds(const struct link *link, const struct plane *plane)
{
	const struct attachment *attachment = &link->attachment;
	struct hold hold;

	hold_read(link->ifindex, &hold);
	return (!attachment->ingress || hook_holds(&hold.ingress, plane)) &&
	       (!attachment->egress || hook_holds(&hold.egress, plane)) &&
	       (!attachment->xdp || plane_program(plane, hold.xdp) >= 0);
}

/* --- taking off ---------------------------------------------------------------------- */

void attach_detach(const struct link *link, const struct plane *plane,
		   const struct instance *instance)
{
	struct hold hold;

	if (!link->ifindex)
		return;
	hold_read(link->ifindex, &hold);
	if (hold_is_ours(hold.xdp, plane, instance))
		xdp_detach(link->ifindex);
	vlan_offload_restore(link, instance);
	hook_detach(link, &hold.ingress, plane, instance);
	hook_detach(link, &hold.egress, plane, instance);
	clsact_remove(link->ifindex, instance);
}

int attach_check(struct link *link, const struct plane *plane, const struct instance *instance)
{
	int err = link->attachment.xdp ? vlan_offload_stop(link, instance) : 0;
	struct hold hold;

	if (!err)
		return 0;
	hold_read(link->ifindex, &hold);
	return xdp_attach_link(link, plane, &hold, instance, false);
}

int attach_own(uint32_t ifindex, enum program program, const struct plane *plane)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (!err || err == -EEXIST)
		err = clsact_attach(ifindex, BPF_TC_INGRESS, plane->program_fd[program]);
	if (err)
		log_error("the data plane cannot be attached to a device of its own: %s",
			  strerror(-err));
	return err;
}
