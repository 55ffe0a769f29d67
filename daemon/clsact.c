/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clsact.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "daemon/netlink.h"

/* --- our filter ---------------------------------------------------------------------- */

int clsact_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY,
		    .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &filter);
}

void clsact_detach(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

	bpf_tc_detach(&hook, &filter);
}

uint32_t clsact_query(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

	return bpf_tc_query(&hook, &filter) ? 0 : filter.prog_id;
}

/* --- the qdisc ----------------------------------------------------------------------- */

/* By number: the interface may have another name when it is removed. */
static void clsact_name(uint32_t ifindex, char *name, size_t size)
{
	snprintf(name, size, "clsact/%u", ifindex);
}

int clsact_make(uint32_t ifindex, const struct instance *instance)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	char name[64];
	int err = bpf_tc_hook_create(&hook);

	if (err == -EEXIST)
		return 0;
	if (err)
		return err;
	clsact_name(ifindex, name, sizeof(name));
	return instance_remember(instance, name, "made");
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

void clsact_remove(uint32_t ifindex, const struct instance *instance)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	char name[64];

	clsact_name(ifindex, name, sizeof(name));
	if (instance_remembers(instance, name) && clsact_empty(ifindex))
		bpf_tc_hook_destroy(&hook);
}
