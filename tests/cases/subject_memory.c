/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cases/subject.h"

const __u32 subject_blur;

void subject_open(const char *which, __u32 sets)
{
	world_create(sets);
}

verdict_t subject_translate(packet_context *context, __u32 ifindex, enum direction direction)
{
	return world_translate(context, 0, ifindex, direction, ORIGIN_WIRE, NO_RECORD);
}

bool subject_was_held_up(void)
{
	return false;
}
