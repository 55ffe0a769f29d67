/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show counters`: every reason of core/reason.def, and the helper's own of helper/reason.def. */
#include <stdio.h>

#include "ctl/document.h"
#include "daemon/gateway.h"
#include "daemon/show_pages.h"

struct reason_text {
	const char *name;
	enum reason_kind kind;
	const char *rfc, *sentence;
};

static const struct reason_text reasons[] = {
#define REASON(name, kind, rfc, sentence) {#name, REASON_##kind, rfc, sentence},
#include "core/reason.def"
#undef REASON
};

static const char *kind_word(enum reason_kind kind)
{
	switch (kind) {
	case REASON_DROP:
		return "drop";
	case REASON_EVENT:
		return "event";
	default:
		return "pass";
	}
}

/*
 * Why the helper held messages back, and what it met in those that passed: beside the
 * verdicts, of which helper_dropped has the sum.
 */
static int helper_show(const struct gateway *gateway, json_t *items)
{
	const struct helper_counters *counters = helper_counters(gateway->helper);

	for (unsigned int i = HELPER_REASON_none + 1; i < HELPER_REASONS; i++) {
		char name[64];
		struct ctl_counter counter = {.name = name,
					      .count = counters->reasons[i],
					      .sentence = helper_reason_text(i),
					      .rfc = helper_reason_source(i),
					      .kind = kind_word(REASON_EVENT)};

		snprintf(name, sizeof(name), "helper_%s", helper_reason_name(i));
		if (json_array_append_new(items, ctl_counter_json(&counter)))
			return -ENOMEM;
	}
	return 0;
}

static int reasons_show(const struct gateway *gateway, json_t *items)
{
	for (unsigned int i = 0; i < REASON_COUNT; i++) {
		struct counter sum;
		int err = plane_counter(&gateway->plane, i, &sum);
		struct ctl_counter counter = {.name = reasons[i].name,
					      .count = sum.packets,
					      .sentence = reasons[i].sentence,
					      .rfc = reasons[i].rfc,
					      .kind = kind_word(reasons[i].kind)};

		if (err || json_array_append_new(items, ctl_counter_json(&counter)))
			return err ? err : -ENOMEM;
	}
	return 0;
}

int show_counters(void *daemon, json_t *items)
{
	const struct gateway *gateway = daemon;
	int err = reasons_show(gateway, items);

	return err ? err : helper_show(gateway, items);
}
