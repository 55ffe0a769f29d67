/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/service.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "daemon/gateway.h"
#include "daemon/show_pages.h"

#define SENTENCE_MAX 512

/* "waiting for interface ppp0, an address on eth0" */
static void waiting_write(char *text, size_t size, const json_t *waiting)
{
	size_t i, used = snprintf(text, size, "waiting for ");
	const json_t *what;

	json_array_foreach (waiting, i, what) {
		if (used < size)
			used += snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 json_string_value(what));
	}
}

static void sentence_write(char *text, size_t size, const struct gateway *gateway)
{
	json_t *waiting = show_waiting_for(gateway);

	if (json_array_size(waiting))
		waiting_write(text, size, waiting);
	else
		snprintf(text, size, "translating on %s", gateway->links.link[0].name);
	json_decref(waiting);
}

void service_tend(struct gateway *gateway)
{
	static char said[SENTENCE_MAX]; /* one service manager, one daemon a process */
	char text[SENTENCE_MAX];

	sd_notify(0, "WATCHDOG=1");
	sentence_write(text, sizeof(text), gateway);
	if (!strcmp(text, said))
		return;
	snprintf(said, sizeof(said), "%s", text);
	sd_notifyf(0, "READY=1\nSTATUS=%s", text);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=ending; translation goes on");
}
