/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Defines the maps and the clock program. */
#define MAP
#include "bpf/maps.h"

/* Lets the daemon learn how many ticks a second has: two readings, some time apart. */
SEC("syscall")
int clock_read(struct clock_reading *reading)
{
	reading->jiffies = bpf_jiffies64();
	reading->monotonic_ns = bpf_ktime_get_ns();
	return 0;
}

char _license[] SEC("license") = "GPL";
