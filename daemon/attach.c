/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/adopt.h"
#include "daemon/log.h"
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

/* --- TC ------------------------------------------------------------------------------ */

static int tc_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = ATTACH_TC_HANDLE, .priority = ATTACH_TC_PRIORITY,
		    .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &filter);
}

static void tc_detach(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = ATTACH_TC_HANDLE,
		    .priority = ATTACH_TC_PRIORITY);

	bpf_tc_detach(&hook, &filter);
}

static void clsact_name(const struct link *link, char *name, size_t size)
{
	snprintf(name, size, "clsact/%s", link->name);
}

/* Remembers that the qdisc is ours when it was not there before. 0 or -errno. */
static int clsact_make(const struct link *link, const struct instance *instance)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = link->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	char name[64];
	int err = bpf_tc_hook_create(&hook);

	if (err == -EEXIST)
		return 0;
	if (err)
		return err;
	clsact_name(link, name, sizeof(name));
	return instance_remember(instance, name, "made");
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

static int places_check(const struct link *link, const struct hold *hold, bool xdp,
			const struct plane *plane, const struct instance *instance)
{
	int err = place_check(link, hold->tc_ingress, "TC ingress", plane, instance);

	if (!err && link->wan)
		err = place_check(link, hold->tc_egress, "TC egress", plane, instance);
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

/* Egress first: an answer to the gateway must find the flow that it recorded. */
static int tc_attach_link(struct link *link, const struct plane *plane,
			  const struct instance *instance)
{
	enum program local = link_is_bare(link) ? PROGRAM_tc_local_bare : PROGRAM_tc_local;
	int err = clsact_make(link, instance);

	if (!err && link->wan) {
		err = tc_attach(link->ifindex, BPF_TC_EGRESS, plane->program_fd[local]);
		link->attachment.egress = !err;
	}
	if (!err) {
		err = tc_attach(link->ifindex, BPF_TC_INGRESS,
				plane->program_fd[ingress_program(link)]);
		link->attachment.ingress = !err;
	}
	return err;
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

static int xdp_attach_link(struct link *link, const struct plane *plane, const struct hold *hold,
			   const struct instance *instance, bool xdp)
{
	enum program program = link->wan ? PROGRAM_xdp_outside : PROGRAM_xdp_inside;
	int err = 0;

	if (xdp)
		err = xdp_attach(link->ifindex, plane->program_fd[program], plane, hold->xdp);
	else if (hold_is_ours(hold->xdp, plane, instance))
		xdp_detach(link->ifindex);
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

#define ATTACHED "attached/" /* of a remembered name */

/* An interface that later settings do not name must be found again all the same. */
static int attached_remember(const struct link *link, const struct instance *instance)
{
	char name[sizeof(ATTACHED) + IFNAMSIZ];

	snprintf(name, sizeof(name), ATTACHED "%s", link->name);
	return instance_remember(instance, name, "yes");
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
	link->attachment.adopted = hold.tc_ingress != 0;
	err = tc_attach_link(link, plane, instance);
	if (!err) {
		at_xdp = true;
		err = xdp_attach_link(link, plane, &hold, instance, xdp);
	}
	if (!err)
		return attached_remember(link, instance);
	refusal_say(link, at_xdp, err);
	if (!link->attachment.adopted)
		attach_detach(link, plane, instance);
	return err;
}

/* --- taking off ---------------------------------------------------------------------- */

struct made {
	const char *name;
	bool by_us;
};

static void made_look(void *context, const char *name, const char *value)
{
	struct made *made = context;

	if (!strcmp(made->name, name))
		made->by_us = true;
}

/* Filters of others: any at all in a direction? The first that answers is enough. */
static int filter_count(const struct nlmsghdr *message, void *context)
{
	unsigned int *count = context;

	(*count)++;
	return MNL_CB_OK;
}

static unsigned int filters_in(struct netlink *netlink, uint32_t ifindex, uint32_t parent)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	unsigned int count = 0;
	struct tcmsg *info;

	request->nlmsg_type = RTM_GETTFILTER;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->tcm_ifindex = ifindex;
	info->tcm_parent = parent;
	return netlink_dump_request(netlink, request, filter_count, &count) ? 1 : count;
}

static bool clsact_empty(uint32_t ifindex)
{
	struct netlink netlink;
	bool empty;

	if (netlink_open(&netlink))
		return false;
	empty = !filters_in(&netlink, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
		!filters_in(&netlink, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	netlink_close(&netlink);
	return empty;
}

static void clsact_remove(const struct link *link, const struct instance *instance)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = link->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct made made = {0};
	char name[64];

	clsact_name(link, name, sizeof(name));
	made.name = name;
	instance_remembered(instance, made_look, &made);
	if (made.by_us && clsact_empty(link->ifindex))
		bpf_tc_hook_destroy(&hook);
}

void attach_detach(struct link *link, const struct plane *plane, const struct instance *instance)
{
	struct hold hold;

	if (!link->ifindex)
		return;
	hold_read(link->ifindex, &hold);
	if (hold_is_ours(hold.xdp, plane, instance))
		xdp_detach(link->ifindex);
	if (hold_is_ours(hold.tc_ingress, plane, instance))
		tc_detach(link->ifindex, BPF_TC_INGRESS);
	if (hold_is_ours(hold.tc_egress, plane, instance))
		tc_detach(link->ifindex, BPF_TC_EGRESS);
	clsact_remove(link, instance);
	link->attachment = (struct attachment){0};
}

struct strangers {
	const struct links *links;
	const struct plane *plane;
	const struct instance *instance;
};

static void stranger_detach(void *context, const char *name, const char *value)
{
	const struct strangers *strangers = context;
	struct link link = {0};

	if (strncmp(name, ATTACHED, strlen(ATTACHED)) != 0)
		return;
	snprintf(link.name, sizeof(link.name), "%s", name + strlen(ATTACHED));
	for (unsigned int i = 0; i < strangers->links->count; i++)
		if (!strcmp(strangers->links->link[i].name, link.name))
			return;
	link.ifindex = if_nametoindex(link.name);
	attach_detach(&link, strangers->plane, strangers->instance);
}

void attach_detach_strangers(const struct links *links, const struct plane *plane,
			     const struct instance *instance)
{
	struct strangers strangers = {links, plane, instance};

	instance_remembered(instance, stranger_detach, &strangers);
}

/* Exactly this instance's, and not only one whose owner cannot be told. */
static bool bears_mark(uint32_t ifindex, const struct instance *instance)
{
	uint64_t owner = 0;
	struct hold hold;

	hold_read(ifindex, &hold);
	const uint32_t programs[] = {hold.tc_ingress, hold.tc_egress, hold.xdp};

	for (unsigned int i = 0; i < 3; i++)
		if (programs[i] && program_is_ours(programs[i], &owner) &&
		    owner == instance->number)
			return true;
	return false;
}

void attach_detach_all(const struct plane *plane, const struct instance *instance)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *one = all; one && one->if_index; one++) {
		struct link link = {.ifindex = one->if_index};

		snprintf(link.name, sizeof(link.name), "%s", one->if_name);
		if (bears_mark(link.ifindex, instance))
			attach_detach(&link, plane, instance);
	}
	if (all)
		if_freenameindex(all);
}

int attach_tap(uint32_t ifindex, const struct plane *plane)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (!err || err == -EEXIST)
		err = tc_attach(ifindex, BPF_TC_INGRESS, plane->program_fd[PROGRAM_tc_tap]);
	if (err)
		log_error("the data plane cannot be attached to its own tap: %s", strerror(-err));
	return err;
}
