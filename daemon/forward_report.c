/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/forward_report.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "conf/field.h"
#include "core/memory.h"
#include "core/port_owner.h"
#include "daemon/forwards.h"
#include "daemon/log.h"

#define SENTENCES_MAX	8
#define SENTENCE_LENGTH 200

static void holder_name(const struct forward_missing *missing, char *text, size_t size)
{
	char address[INET_ADDRSTRLEN];

	if (missing->owner == PORT_HOSTS)
		snprintf(text, size, "the device %s",
			 inet_ntop(AF_INET, &missing->holder, address, sizeof(address)));
	else if (missing->owner == PORT_GATEWAYS)
		snprintf(text, size, "a program of this gateway");
	else
		snprintf(text, size, "nobody; the session table is full, or it");
}

static void sentence_write(const struct forward_missing *missing, char *text, size_t size)
{
	const char *protocol = forward_protocol_name(missing->forward->protocol);
	char to[INET_ADDRSTRLEN], holder[64], port[16] = "";

	inet_ntop(AF_INET, &missing->forward->to, to, sizeof(to));
	holder_name(missing, holder, sizeof(holder));
	if (missing->port)
		snprintf(port, sizeof(port), " port %u", missing->port);
	snprintf(text, size,
		 "%s%s is not forwarded to %s: %s holds it. It is tried again every second.",
		 protocol, port, to, holder);
}

static void missing_log(const struct gateway *gateway, unsigned int before)
{
	struct forward_missing missing;
	char text[SENTENCE_LENGTH];

	for (unsigned int n = 0; n < SENTENCES_MAX; n++) {
		if (!forwards_missing_nth(gateway->settings, n, &missing))
			break;
		sentence_write(&missing, text, sizeof(text));
		log_warning("port forward: %s", text);
	}
	if (before && !gateway->forwards_missing)
		log_notice("every port forward is in place now");
}

void forwards_tend(struct gateway *gateway, uint32_t now)
{
	unsigned int before = gateway->forwards_missing;

	gateway->forwards_missing = forwards_make(gateway->settings, now);
	if (gateway->forwards_missing != before)
		missing_log(gateway, before);
}

void forwards_warn(const struct gateway *gateway, json_t *list)
{
	struct forward_missing missing;
	char text[SENTENCE_LENGTH];
	unsigned int n = 0;

	for (; n < SENTENCES_MAX && forwards_missing_nth(gateway->settings, n, &missing); n++) {
		sentence_write(&missing, text, sizeof(text));
		json_array_append_new(list, json_string(text));
	}
	if (gateway->forwards_missing > n) {
		snprintf(text, sizeof(text), "%u more ports are not forwarded.",
			 gateway->forwards_missing - n);
		json_array_append_new(list, json_string(text));
	}
}

/* RFC 4302 section 3.3.3.1.1: AH signs the addresses. Some want to see it arrive all the same. */
void forwards_advise(const struct settings *settings)
{
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		if (settings->port_forwards[i].protocol == FORWARD_AH)
			log_warning("port_forwards[%u]: AH signs the addresses, which NAT changes: "
				    "a receiver that checks the signature drops every packet; "
				    "ESP, best in UDP, passes",
				    i);
}
