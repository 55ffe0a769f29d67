/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `status`: is everything in place, and what is missing. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "conf/field.h"
#include "daemon/addresses.h"
#include "daemon/closing.h"
#include "daemon/forward_report.h"
#include "daemon/gateway.h"
#include "daemon/options.h"
#include "daemon/show_pages.h"
#include "daemon/show_words.h"
#include "daemon/sweeper.h"
#include "daemon/trial.h"

static void sentence_add(json_t *list, const char *format, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), format, name);
	json_array_append_new(list, json_string(text));
}

json_t *show_waiting_for(const struct gateway *gateway)
{
	json_t *list = json_array();
	char absence[LINK_ABSENCE];

	for (unsigned int i = 0; i < gateway->links.count; i++) {
		const struct link *link = &gateway->links.link[i];

		if (!link->ifindex)
			json_array_append_new(list, json_string(link_absence(link, absence)));
		else if (!link->attachment.ingress)
			sentence_add(list, "the data plane on %s", link->name);
	}
	if (gateway->links.link[0].ifindex && !gateway->plane.config->external)
		sentence_add(list, "an address on %s", gateway->links.link[0].name);
	return list;
}

/* A LAN that is missing keeps nobody on the other ones waiting. */
static bool is_translating(const struct gateway *gateway)
{
	bool lan = false;

	for (unsigned int i = 1; i < gateway->links.count; i++)
		lan |= gateway->links.link[i].attachment.ingress;
	return lan && gateway->links.link[0].attachment.ingress && gateway->plane.config->external;
}

static json_t *lans(const struct gateway *gateway)
{
	json_t *list = json_array();

	for (unsigned int i = 1; i < gateway->links.count; i++)
		json_array_append_new(list,
				      ctl_interface_json(gateway->links.link[i].name,
							 show_attachment(&gateway->links.link[i])));
	return list;
}

/* Devices there have no router to send to. */
static void addresses_add(json_t *list, struct gateway *gateway)
{
	__be32 address;

	for (unsigned int i = 1; i < gateway->links.count; i++) {
		const struct link *lan = &gateway->links.link[i];

		if (lan->ifindex && !addresses_list(&gateway->netlink, lan->ifindex, &address, 1))
			sentence_add(list,
				     "%s has no IPv4 address: devices there cannot use this "
				     "gateway. See Addresses in docs/install.md.",
				     lan->name);
	}
}

/* RFC 4787 REQ-7: a provider's router that hands out the LAN's own prefix. */
static void overlaps_add(json_t *list, struct gateway *gateway)
{
	const struct link *wan = &gateway->links.link[0];

	for (unsigned int i = 1; i < gateway->links.count; i++)
		if (addresses_overlap(&gateway->netlink, wan->ifindex,
				      gateway->links.link[i].ifindex))
			sentence_add(list,
				     "%s has the same network as the WAN: devices and the internet "
				     "cannot be told apart there. Give the LAN another one.",
				     gateway->links.link[i].name);
}

static json_t *warnings(struct gateway *gateway)
{
	json_t *list = json_array();

	overlaps_add(list, gateway);
	addresses_add(list, gateway);
	if (gateway->held && closing_missing(gateway))
		sentence_add(list,
			     "First start: nothing is closed to the WAN and nothing translated "
			     "before %s is there.",
			     closing_missing(gateway));
	if (trial_left(gateway))
		json_array_append_new(list, json_sprintf("A trial: everything is taken away in %u "
							 "s. To keep it: wayleave confirm",
							 trial_left(gateway)));
	if (gateway->group_missing && gateway->settings->control_group)
		sentence_add(list,
			     "There is no group %s (control_group): only root may use the command "
			     "line.",
			     gateway->settings->control_group);
	for (unsigned int i = 0; i < gateway->policy.sentences; i++)
		json_array_append_new(list, json_string(gateway->policy.sentence[i]));
	if (gateway->policy.many_mtus)
		sentence_add(list, "%s",
			     "More routes have an MTU of their own than Wayleave looks at: those "
			     "of the others do not count.");
	if (gateway->helper_disabled)
		sentence_add(list, "%s",
			     "The PPTP helper does not stay up and is off: "
			     "new PPTP connections get no assistance.");
	if (gateway->wall.restored)
		sentence_add(list,
			     "The firewall table %s was changed by somebody else and has "
			     "been set up again.",
			     gateway->wall.table);
	forwards_warn(gateway, list);
	return list;
}

static const char *dataplane_word(const struct gateway *gateway)
{
	const char *word = NULL;

	for (unsigned int i = 0; i < gateway->links.count; i++) {
		const struct link *link = &gateway->links.link[i];

		if (link->attachment.xdp)
			return "xdp";
		if (link->attachment.ingress)
			word = "tc";
	}
	return word;
}

static void census_fill(struct ctl_status *status, const struct gateway *gateway)
{
	const struct census *census = sweeper_census(gateway->sweeper);
	struct traffic traffic = sweeper_traffic(gateway->sweeper);

	status->sessions_used = census->sessions;
	status->sessions_limit = gateway->plane.config->sessions_limit;
	status->mappings = census->mappings;
	status->devices = census->hosts;
	status->traffic = show_traffic(&traffic);
}

static void switches_fill(struct ctl_status *status, const struct settings *settings)
{
	status->pptp = passthrough_state_name(settings->passthrough.pptp);
	status->l2tp = passthrough_state_name(settings->passthrough.l2tp);
	status->ipsec = passthrough_state_name(settings->passthrough.ipsec);
}

static uint64_t uptime_s(const struct gateway *gateway)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - gateway->started.tv_sec;
}

int show_status(void *daemon, json_t **result)
{
	struct gateway *gateway = daemon;
	const struct link *wan = &gateway->links.link[0];
	struct ctl_status status = {
		.version = WAYLEAVE_VERSION,
		.pid = getpid(),
		.uptime_s = uptime_s(gateway),
		.translating = is_translating(gateway),
		.waiting_for = show_waiting_for(gateway),
		.internet = line_json(&gateway->line),
		.wan_interface = wan->name,
		.wan_address = {.s_addr = gateway->plane.config->external},
		.wan_dataplane = show_attachment(wan),
		.lan = lans(gateway),
		.dataplane = dataplane_word(gateway),
		.helper_running = helper_pid(gateway->helper) != 0,
		.helper_restarts = gateway->helper_restarts,
		.warnings = warnings(gateway),
		.confirm_within_s = ctl_change_seconds_left(gateway->change),
	};

	switches_fill(&status, gateway->settings);
	census_fill(&status, gateway);
	*result = ctl_status_json(&status);
	return *result ? 0 : -ENOMEM;
}
