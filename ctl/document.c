/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/document.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "conf/printable.h"

/* NULL without an address: the member is left out. */
static json_t *address_json(struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	if (address.s_addr == 0)
		return NULL;
	return json_string(inet_ntop(AF_INET, &address, text, sizeof(text)));
}

/*
 * Names come from hosts: what is not printable text becomes '?', so that neither a
 * terminal nor the JSON is at their mercy. NULL stays NULL.
 */
static json_t *name_json(const char *name)
{
	char clean[256];
	size_t length = 0;

	if (!name)
		return NULL;
	for (; name[length] && length < sizeof(clean) - 1; length++)
		clean[length] = name[length] < ' ' || name[length] > '~' ? '?' : name[length];
	return json_stringn(clean, length);
}

static json_t *mac_json(const uint8_t *mac)
{
	return mac ? json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
				  mac[4], mac[5])
		   : NULL;
}

static json_t *or_empty_array(json_t *array)
{
	return array ? array : json_array();
}

static json_t *traffic_json(const struct ctl_traffic *traffic)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "packets_out", (json_int_t)traffic->packets_out,
			 "bytes_out", (json_int_t)traffic->bytes_out, "packets_in",
			 (json_int_t)traffic->packets_in, "bytes_in",
			 (json_int_t)traffic->bytes_in);
}

/* Adds the members of MORE to OBJECT; takes both, NULL when either is. */
static json_t *merge(json_t *object, json_t *more)
{
	if (!object || !more || json_object_update(object, more) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

/* People type names in their own language; what a terminal would obey is '?' all the same. */
static json_t *device_name_json(const char *name)
{
	char clean[256];

	if (!name)
		return NULL;
	snprintf(clean, sizeof(clean), "%s", name);
	printable_make(clean);
	return json_string(clean);
}

json_t *ctl_interface_json(const char *interface, const char *dataplane)
{
	return json_pack("{s:o*, s:s?}", "interface", name_json(interface), "dataplane", dataplane);
}

static json_t *wan_json(const struct ctl_status *status)
{
	return json_pack("{s:o*, s:o*, s:s?}", "interface", name_json(status->wan_interface),
			 "address", address_json(status->wan_address), "dataplane",
			 status->wan_dataplane);
}

static json_t *status_state_json(const struct ctl_status *status)
{
	return json_pack("{s:s*, s:i, s:I, s:b, s:o, s:o*, s:o, s:o, s:s?, s:I}", "version",
			 status->version, "pid", status->pid, "uptime_s",
			 (json_int_t)status->uptime_s, "translating", status->translating,
			 "waiting_for", or_empty_array(status->waiting_for), "internet",
			 status->internet, "wan", wan_json(status), "lan",
			 or_empty_array(status->lan), "dataplane", status->dataplane,
			 "confirm_within_s", (json_int_t)status->confirm_within_s);
}

static json_t *status_figures_json(const struct ctl_status *status)
{
	return json_pack(
		"{s:{s:s*, s:s*, s:s*}, s:{s:I, s:I}, s:I, s:I, s:{s:b, s:I}, s:o, s:o}",
		"passthrough", "pptp", status->pptp, "l2tp", status->l2tp, "ipsec", status->ipsec,
		"sessions", "used", (json_int_t)status->sessions_used, "limit",
		(json_int_t)status->sessions_limit, "mappings", (json_int_t)status->mappings,
		"devices", (json_int_t)status->devices, "helper", "running", status->helper_running,
		"restarts", (json_int_t)status->helper_restarts, "traffic",
		traffic_json(&status->traffic), "warnings", or_empty_array(status->warnings));
}

json_t *ctl_status_json(const struct ctl_status *status)
{
	return merge(status_state_json(status), status_figures_json(status));
}

static json_t *ends_json(const struct ctl_session *session)
{
	return json_pack("{s:o*, s:I, s:o*, s:I, s:o*, s:I}", "inside",
			 address_json(session->inside), "inside_id", (json_int_t)session->inside_id,
			 "external", address_json(session->external), "external_id",
			 (json_int_t)session->external_id, "remote", address_json(session->remote),
			 "remote_id", (json_int_t)session->remote_id);
}

json_t *ctl_session_json(const struct ctl_session *session)
{
	json_t *head =
		json_pack("{s:s*, s:s*}", "protocol", session->protocol, "class", session->class);
	json_t *tail =
		json_pack("{s:s*, s:I, s:I, s:I, s:o*, s:o}", "state", session->state, "age_s",
			  (json_int_t)session->age_s, "idle_s", (json_int_t)session->idle_s,
			  "expires_s", (json_int_t)session->expires_s, "interface",
			  name_json(session->interface), "flags", or_empty_array(session->flags));

	return merge(merge(merge(head, ends_json(session)), tail), traffic_json(&session->traffic));
}

json_t *ctl_vpn_json(const struct ctl_vpn *vpn)
{
	json_t *head =
		json_pack("{s:o*, s:o*, s:s*, s:s*, s:o*, s:s*, s:I, s:I}", "device",
			  address_json(vpn->device), "device_name",
			  device_name_json(vpn->device_name), "kind", vpn->kind, "class",
			  vpn->class, "server", address_json(vpn->server), "state", vpn->state,
			  "age_s", (json_int_t)vpn->age_s, "idle_s", (json_int_t)vpn->idle_s);
	json_t *tail = json_pack("{s:o, s:o}", "detail", vpn->detail ? vpn->detail : json_object(),
				 "evidence", or_empty_array(vpn->evidence));

	return merge(merge(head, traffic_json(&vpn->traffic)), tail);
}

json_t *ctl_device_json(const struct ctl_device *device)
{
	json_t *head = json_pack("{s:o*, s:o*, s:o*, s:o*, s:s*, s:o*, s:I, s:I, s:I}", "address",
				 address_json(device->address), "mac", mac_json(device->mac),
				 "interface", name_json(device->interface), "name",
				 device_name_json(device->name), "name_from", device->name_from,
				 "vendor", device_name_json(device->vendor), "sessions",
				 (json_int_t)device->sessions, "mappings",
				 (json_int_t)device->mappings, "vpns", (json_int_t)device->vpns);

	return merge(head, traffic_json(&device->traffic));
}

json_t *ctl_counter_json(const struct ctl_counter *counter)
{
	return json_pack("{s:s*, s:s*, s:I, s:s*, s:s*}", "name", counter->name, "kind",
			 counter->kind, "count", (json_int_t)counter->count, "sentence",
			 counter->sentence, "rfc", counter->rfc);
}
