/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /metrics: Prometheus' text exposition format 0.0.4, of the status document and the counters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/route.h"

/* A member of the status document, "traffic.bytes_out", as a metric. */
static const struct metric {
	const char *name, *kind, *member, *help;
} metrics[] = {
	{"wayleave_up", "gauge", "translating", "1: packets are translated"},
	{"wayleave_uptime_seconds", "gauge", "uptime_s", "Since the daemon's start"},
	{"wayleave_internet_online", "gauge", "internet.online",
	 "1: replies arrived from the WAN within the last seconds"},
	{"wayleave_wan_carrier", "gauge", "internet.carrier", "1: the WAN has a carrier"},
	{"wayleave_wan_address", "gauge", "internet.address", "1: the WAN has an address"},
	{"wayleave_wan_default_route", "gauge", "internet.route", "1: it leads to the WAN"},
	{"wayleave_sessions", "gauge", "sessions.used", "Sessions in the table"},
	{"wayleave_sessions_limit", "gauge", "sessions.limit", "Sessions that it takes"},
	{"wayleave_mappings", "gauge", "mappings", "Mappings"},
	{"wayleave_devices", "gauge", "devices", "Devices inside with state"},
	{"wayleave_helper_restarts_total", "counter", "helper.restarts", "Helpers that died"},
	{"wayleave_packets_out_total", "counter", "traffic.packets_out", "From inside to outside"},
	{"wayleave_bytes_out_total", "counter", "traffic.bytes_out", "From inside to outside"},
	{"wayleave_packets_in_total", "counter", "traffic.packets_in", "From outside to inside"},
	{"wayleave_bytes_in_total", "counter", "traffic.bytes_in", "From outside to inside"},
};

static const json_t *member_find(const json_t *document, const char *path)
{
	size_t section = strcspn(path, ".");
	char name[32];

	if (!path[section])
		return json_object_get(document, path);
	snprintf(name, sizeof(name), "%.*s", (int)section, path);
	return json_object_get(json_object_get(document, name), path + section + 1);
}

static void metric_write(FILE *out, const struct metric *metric, const json_t *status)
{
	const json_t *value = member_find(status, metric->member);
	long long number = json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);

	if (!value)
		return;
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", metric->name, metric->help,
		metric->name, metric->kind, metric->name, number);
}

/* Names of reasons and kinds are identifiers: nothing to escape in a label. */
static void counters_write(FILE *out, const json_t *counters)
{
	const json_t *counter;
	size_t i;

	fputs("# HELP wayleave_packets_by_reason_total Packets by verdict and reason\n"
	      "# TYPE wayleave_packets_by_reason_total counter\n",
	      out);
	json_array_foreach (json_object_get(counters, "items"), i, counter)
		fprintf(out, "wayleave_packets_by_reason_total{kind=\"%s\",reason=\"%s\"} %lld\n",
			json_string_value(json_object_get(counter, "kind")),
			json_string_value(json_object_get(counter, "name")),
			(long long)json_integer_value(json_object_get(counter, "count")));
}

/* How many tunnels of KIND are in STATE. */
static unsigned int tunnels_count(const json_t *vpns, const char *kind, const char *state)
{
	unsigned int count = 0;
	const json_t *vpn;
	size_t i;

	json_array_foreach (json_object_get(vpns, "items"), i, vpn) {
		const char *its_kind = json_string_value(json_object_get(vpn, "kind"));
		const char *its_state = json_string_value(json_object_get(vpn, "state"));

		count += its_kind && its_state && !strcmp(its_kind, kind) &&
			 !strcmp(its_state, state);
	}
	return count;
}

static void tunnels_write(FILE *out, const json_t *vpns)
{
	static const char *const kinds[] = {"pptp",	 "l2tp",    "ipsec",
					    "wireguard", "openvpn", "tunnel"};
	static const char *const states[] = {"connecting", "up",      "one-way",
					     "stale",	   "blocked", "refused",
					     "no-answer",  "failed",  "ended"};

	fputs("# HELP wayleave_tunnels Tunnels that are up\n# TYPE wayleave_tunnels gauge\n", out);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		fprintf(out, "wayleave_tunnels{kind=\"%s\"} %u\n", kinds[k],
			tunnels_count(vpns, kinds[k], "up"));
	fputs("# HELP wayleave_tunnels_by_state Tunnels and attempts by their state\n"
	      "# TYPE wayleave_tunnels_by_state gauge\n",
	      out);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		for (size_t s = 0; s < sizeof(states) / sizeof(*states); s++)
			fprintf(out, "wayleave_tunnels_by_state{kind=\"%s\",state=\"%s\"} %u\n",
				kinds[k], states[s], tunnels_count(vpns, kinds[k], states[s]));
}

static char *metrics_text(struct web *web)
{
	json_t *status = web_ask_result(web, json_pack("{s:s}", "request", "status"));
	json_t *counters =
		web_ask_result(web, json_pack("{s:s, s:s}", "request", "show", "what", "counters"));
	json_t *vpns =
		web_ask_result(web, json_pack("{s:s, s:s}", "request", "show", "what", "vpn"));
	char *text = NULL;
	size_t size;
	FILE *out = status && counters && vpns ? open_memstream(&text, &size) : NULL;

	for (size_t i = 0; out && i < sizeof(metrics) / sizeof(*metrics); i++)
		metric_write(out, &metrics[i], status);
	if (out) {
		tunnels_write(out, vpns);
		counters_write(out, counters);
		fclose(out);
	}
	json_decref(status);
	json_decref(counters);
	json_decref(vpns);
	return text;
}

struct answer metrics_show(struct exchange *exchange)
{
	if (!web_state_is(&exchange->web->state, "metrics"))
		return answer_error(404, "not-found", NULL, "web.metrics is off");
	char *text = metrics_text(exchange->web);

	if (!text)
		return answer_error(503, "busy", NULL, "the daemon does not answer");
	return (struct answer){.status = 200, .text = text};
}
