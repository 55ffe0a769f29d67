/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/helper.h"

static const struct {
	const char *name, *source, *text;
} reasons[HELPER_REASONS] = {
#define HELPER_REASON(name, source, sentence) {#name, source, sentence},
#include "helper/reason.def"
#undef HELPER_REASON
};

const char *helper_reason_name(enum helper_reason reason)
{
	return reason < HELPER_REASONS ? reasons[reason].name : "?";
}

const char *helper_reason_source(enum helper_reason reason)
{
	return reason < HELPER_REASONS ? reasons[reason].source : "";
}

const char *helper_reason_text(enum helper_reason reason)
{
	return reason < HELPER_REASONS ? reasons[reason].text : "";
}
