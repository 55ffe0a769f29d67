/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show counters`: every reason of core/reason.def. */
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

int show_counters(void *daemon, json_t *items)
{
	const struct gateway *gateway = daemon;

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
