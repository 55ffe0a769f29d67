/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts one of the stations on an interface, in place of the one before, and
 * ends. Prints the id of the map with its tally: the program holds the map.
 *
 *     station --interface s0 --program sink|verify|reflect|pass|redirect|redirect_tc
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "bench/options.h"
#include "bench/station.skel.h"

static int attach_tc(int ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = 1, .priority = 1, .prog_fd = program);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	return bpf_tc_attach(&hook, &options);
}

static int attach(struct station_bpf *station, const struct options *o)
{
	struct bpf_program *program = bpf_object__find_program_by_name(station->obj, o->program);
	int ifindex = if_nametoindex(o->interface);

	if (!program || !ifindex)
		return -ENOENT;
	if (bpf_program__type(program) == BPF_PROG_TYPE_SCHED_CLS)
		return attach_tc(ifindex, bpf_program__fd(program));
	return bpf_xdp_attach(ifindex, bpf_program__fd(program), XDP_FLAGS_DRV_MODE, NULL);
}

static int station_load(struct station_bpf *station, const struct options *o)
{
	if (o->out && !(station->rodata->out_ifindex = if_nametoindex(o->out)))
		return -ENODEV;
	memcpy((void *)&station->rodata->traffic, &o->traffic, sizeof(o->traffic));
	station->rodata->stands_inside = o->inside;
	return station_bpf__load(station);
}

static int tally_print(struct station_bpf *station)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(bpf_map__fd(station->maps.tallies), &info, &size);

	if (!err)
		printf("%u\n", info.id);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	struct station_bpf *station = station_bpf__open();
	int err = station ? station_load(station, &o) : -errno;

	if (!err)
		err = attach(station, &o);
	if (!err)
		err = tally_print(station);
	if (err)
		fprintf(stderr, "station %s on %s: %s\n", o.program, o.interface, strerror(-err));
	station_bpf__destroy(station);
	return err ? 1 : 0;
}
