/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_INTERFACE = 'a',
	OPTION_PROGRAM,
	OPTION_OUT,
	OPTION_INSIDE,
	OPTION_DESTINATION_MAC,
	OPTION_SOURCE_MAC,
	OPTION_FLOWS,
	OPTION_FIRST_FLOW,
	OPTION_SERVERS_BITS,
	OPTION_HOSTS_BITS,
	OPTION_PROTOCOL,
	OPTION_FRAME,
	OPTION_SEQUENTIAL,
	OPTION_EXTERNAL,
	OPTION_WARM,
	OPTION_MEASURE,
	OPTION_FRAMES,
	OPTION_PROCESSOR,
	OPTION_TALLY,
};

static const struct option names[] = {
	{"interface", required_argument, NULL, OPTION_INTERFACE},
	{"program", required_argument, NULL, OPTION_PROGRAM},
	{"out", required_argument, NULL, OPTION_OUT},
	{"inside", no_argument, NULL, OPTION_INSIDE},
	{"destination-mac", required_argument, NULL, OPTION_DESTINATION_MAC},
	{"source-mac", required_argument, NULL, OPTION_SOURCE_MAC},
	{"flows", required_argument, NULL, OPTION_FLOWS},
	{"first-flow", required_argument, NULL, OPTION_FIRST_FLOW},
	{"servers-bits", required_argument, NULL, OPTION_SERVERS_BITS},
	{"hosts-bits", required_argument, NULL, OPTION_HOSTS_BITS},
	{"protocol", required_argument, NULL, OPTION_PROTOCOL},
	{"frame-bytes", required_argument, NULL, OPTION_FRAME},
	{"sequential", no_argument, NULL, OPTION_SEQUENTIAL},
	{"external", required_argument, NULL, OPTION_EXTERNAL},
	{"warm", required_argument, NULL, OPTION_WARM},
	{"measure", required_argument, NULL, OPTION_MEASURE},
	{"frames", required_argument, NULL, OPTION_FRAMES},
	{"processor", required_argument, NULL, OPTION_PROCESSOR},
	{"tally", required_argument, NULL, OPTION_TALLY},
	{NULL, 0, NULL, 0},
};

static void usage(const char *program)
{
	fprintf(stderr, "usage: %s", program);
	for (const struct option *o = names; o->name; o++)
		fprintf(stderr, " [--%s%s]", o->name, o->has_arg ? " VALUE" : "");
	fputc('\n', stderr);
	exit(2);
}

static void mac_read(const char *text, __u8 *mac)
{
	const struct ether_addr *address = ether_aton(text);

	if (!address) {
		fprintf(stderr, "%s is no MAC address\n", text);
		exit(2);
	}
	memcpy(mac, address, 6);
}

static bool traffic_take(struct traffic *t, int option, const char *value)
{
	switch (option) {
	case OPTION_DESTINATION_MAC:
		mac_read(value, t->destination_mac);
		return true;
	case OPTION_SOURCE_MAC:
		mac_read(value, t->source_mac);
		return true;
	case OPTION_FLOWS:
		t->flows = strtoul(value, NULL, 0);
		return true;
	case OPTION_FIRST_FLOW:
		t->first_flow = strtoul(value, NULL, 0);
		return true;
	case OPTION_SERVERS_BITS:
		t->servers_bits = strtoul(value, NULL, 0) & 31;
		return true;
	case OPTION_HOSTS_BITS:
		t->hosts_bits = strtoul(value, NULL, 0) & 31;
		return true;
	case OPTION_PROTOCOL:
		t->protocol = strtoul(value, NULL, 0);
		return true;
	case OPTION_FRAME:
		t->frame_bytes = strtoul(value, NULL, 0);
		return true;
	case OPTION_SEQUENTIAL:
		t->sequential = 1;
		return true;
	case OPTION_EXTERNAL:
		t->external = inet_addr(value);
		return true;
	}
	return false;
}

static bool run_take(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_INTERFACE:
		o->interface = value;
		return true;
	case OPTION_PROGRAM:
		o->program = value;
		return true;
	case OPTION_OUT:
		o->out = value;
		return true;
	case OPTION_INSIDE:
		o->inside = true;
		return true;
	case OPTION_WARM:
		o->warm_s = atof(value);
		return true;
	case OPTION_MEASURE:
		o->measure_s = atof(value);
		return true;
	case OPTION_FRAMES:
		o->frames = strtoull(value, NULL, 0);
		return true;
	case OPTION_PROCESSOR:
		o->processor = atoi(value);
		return true;
	case OPTION_TALLY:
		if (o->tallies_count == sizeof(o->tallies) / sizeof(o->tallies[0]))
			return false;
		o->tallies[o->tallies_count++] = strtoul(value, NULL, 0);
		return true;
	}
	return false;
}

struct options options_read(int argc, char **argv)
{
	struct options o = {
		.traffic = {.protocol = 17,
			    .frame_bytes = FRAME_LEAST,
			    .servers_bits = 6,
			    .hosts_bits = 10,
			    .flows = 1},
		.warm_s = 0.3,
		.measure_s = 1,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!traffic_take(&o.traffic, option, optarg) && !run_take(&o, option, optarg))
			usage(argv[0]);
	if (!o.interface || optind != argc)
		usage(argv[0]);
	return o;
}
