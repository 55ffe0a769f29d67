/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/policy.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "daemon/log.h"
#include "daemon/route_table.h"
#include "daemon/rules.h"

#define TABLES                                                                                     \
	64 /* whose default routes are looked at; of others a rule is taken to lead elsewhere */

/* The best default route of a table. */
struct table_default {
	uint32_t table, priority;
	bool by_wan;
};

/* One reading. What is found goes into the data plane's memory when all of it is there. */
struct compiling {
	const struct rules *rules;
	struct links *links;
	bool *concerned; /* by rule: it is by mark, and packets from our interfaces may meet it */
	bool *refuses;	 /* by rule: it has entries */
	struct table_default defaults[TABLES];
	unsigned int default_count;
	bool many_ways;
	struct route_mtu mtus[ROUTE_MTUS];
	unsigned int mtu_count;
	struct marked_route marked[MARKED_ROUTES];
	unsigned int marked_count;
	bool many_mtus;
};

/* --- default routes -------------------------------------------------------------------- */

static bool is_by_wan(const struct compiling *all, const struct table_route *route)
{
	const struct link *wan = &all->links->link[0];

	return route->type == RTN_UNICAST && wan->ifindex && route->ifindex == wan->ifindex;
}

static struct table_default *default_of(struct compiling *all, uint32_t table)
{
	for (unsigned int i = 0; i < all->default_count; i++)
		if (all->defaults[i].table == table)
			return &all->defaults[i];
	return NULL;
}

static void default_note(struct compiling *all, const struct table_route *route)
{
	struct table_default *known = default_of(all, route->table);

	if (known && known->priority <= route->priority)
		return;
	if (!known && all->default_count == TABLES)
		return;
	if (!known)
		known = &all->defaults[all->default_count++];
	*known = (struct table_default){route->table, route->priority, is_by_wan(all, route)};
}

/* --- MTUs that are a route's ------------------------------------------------------------- */

static struct route_mtu mtu_entry(const struct table_route *route)
{
	return (struct route_mtu){.prefix = route->prefix,
				  .mask = prefix_mask(route->length),
				  .ifindex = route->ifindex,
				  .next_hop = route->gateway,
				  .priority = route->priority,
				  .table = route->table,
				  .mtu = route->mtu,
				  .length = route->length};
}

static void mtu_add(struct compiling *all, const struct table_route *route)
{
	if (all->mtu_count < ROUTE_MTUS)
		all->mtus[all->mtu_count++] = mtu_entry(route);
	else
		all->many_mtus = true;
}

/* Only a route that the look-up could mistake for the one with the MTU has to be told from it. */
static bool hides(const struct table_route *route, const struct route_mtu *entry)
{
	return entry->mtu && route->table == entry->table && route->length > entry->length &&
	       (route->prefix & entry->mask) == entry->prefix && route->ifindex == entry->ifindex &&
	       route->gateway == entry->next_hop && route->priority == entry->priority;
}

static void mtu_hidden(struct compiling *all, const struct table_route *route)
{
	for (unsigned int i = 0; i < all->mtu_count && !route->mtu; i++)
		if (hides(route, &all->mtus[i])) {
			mtu_add(all, route);
			return;
		}
}

/* Table by table, the most specific first, as core/route_mtu.h wants them. */
static int mtu_compare(const void *a, const void *b)
{
	const struct route_mtu *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (int)y->length - (int)x->length;
}

/* --- rules by mark ------------------------------------------------------------------------ */

/* "not fwmark 7" and "fwmark 0" take what is not marked: the look-up knows them. */
static bool is_by_mark(const struct rule *rule)
{
	return rule->mark_mask && rule->mark && !rule->inverted;
}

/* From an interface of ours; loopback is what the gateway itself sends. */
static bool is_from_ours(const struct compiling *all, const struct rule *rule)
{
	const struct link *link = rule->iif[0] ? links_by_name(all->links, rule->iif) : NULL;

	return !rule->never_forwarded && (!rule->iif[0] || (link && link->ifindex));
}

/* Does EARLIER take each packet that LATER would, and know a way for it? */
static bool is_decided_before(struct compiling *all, const struct rule *earlier,
			      const struct rule *later)
{
	uint32_t mask = earlier->mark_mask;

	return rule_is_plain(earlier) && earlier->action == FR_ACT_TO_TBL && !earlier->suppresses &&
	       (later->mark_mask & mask) == mask &&
	       (later->mark & mask) == (earlier->mark & mask) && default_of(all, earlier->table);
}

static bool is_concerned(struct compiling *all, size_t index)
{
	const struct rule *rule = &all->rules->rule[index];

	if (!is_by_mark(rule) || !is_from_ours(all, rule))
		return false;
	for (size_t i = 0; i < index; i++)
		if (is_decided_before(all, &all->rules->rule[i], rule))
			return false;
	return true;
}

static struct marked_route marked_entry(const struct compiling *all, const struct rule *rule)
{
	const struct link *link = rule->iif[0] ? links_by_name(all->links, rule->iif) : NULL;

	return (struct marked_route){.ifindex = link ? link->ifindex : 0,
				     .source = rule->source,
				     .source_mask = prefix_mask(rule->source_length),
				     .destination = rule->destination,
				     .destination_mask = prefix_mask(rule->destination_length),
				     .source_first = rule->source_first,
				     .source_last = rule->source_last,
				     .destination_first = rule->destination_first,
				     .destination_last = rule->destination_last,
				     .protocol = rule->protocol,
				     .tos = rule->tos,
				     .tos_mask = rule->tos_mask};
}

/* Too many to list: nothing is let by that one of them might take. */
static void marked_add(struct compiling *all, size_t index, const struct marked_route *entry)
{
	all->refuses[index] = true;
	if (all->marked_count < MARKED_ROUTES)
		all->marked[all->marked_count++] = *entry;
	else
		all->marked[MARKED_ROUTES - 1] = (struct marked_route){0};
}

/* Narrows ENTRY to a route's destination. False: they have none in common. */
static bool marked_narrow(struct marked_route *entry, const struct table_route *route)
{
	__be32 mask = prefix_mask(route->length);

	if ((entry->destination ^ route->prefix) & mask & entry->destination_mask)
		return false;
	if (ntohl(mask) > ntohl(entry->destination_mask)) {
		entry->destination = route->prefix;
		entry->destination_mask = mask;
	}
	return true;
}

/* To a LAN's own hosts, as the look-up without a mark says too. */
static bool is_on_lan(const struct compiling *all, const struct table_route *route)
{
	const struct link *link = links_by_ifindex(all->links, route->ifindex);

	return link && !link->wan && !route->gateway;
}

/*
 * Would the route send a packet another way that goes by the WAN without a mark? Of the main
 * table, which is asked without a mark too, only the default route can.
 */
static bool leads_elsewhere(struct compiling *all, const struct table_route *route)
{
	const struct table_default *best = default_of(all, route->table);

	if (route->type == RTN_THROW || route->type == RTN_LOCAL || route->type == RTN_BROADCAST ||
	    route->type == RTN_ANYCAST || route->type == RTN_MULTICAST)
		return false;
	if (is_by_wan(all, route) || is_on_lan(all, route))
		return false;
	if (route->length)
		return route->table != RT_TABLE_MAIN;
	return !best || best->priority == route->priority;
}

static void marked_route_read(struct compiling *all, const struct table_route *route)
{
	for (size_t i = 0; i < all->rules->count; i++) {
		const struct rule *rule = &all->rules->rule[i];
		struct marked_route entry;

		if (!all->concerned[i] || rule->action != FR_ACT_TO_TBL ||
		    rule->table != route->table || !leads_elsewhere(all, route))
			continue;
		entry = marked_entry(all, rule);
		if (marked_narrow(&entry, route))
			marked_add(all, i, &entry);
	}
}

/* Rules that need no route: refusals, and jumps over rules, of which nobody here knows where to. */
static void marked_rules_read(struct compiling *all)
{
	for (size_t i = 0; i < all->rules->count; i++) {
		struct marked_route entry = marked_entry(all, &all->rules->rule[i]);
		uint8_t action = all->rules->rule[i].action;

		if (all->concerned[i] && action != FR_ACT_TO_TBL && action != FR_ACT_NOP)
			marked_add(all, i, &entry);
	}
}

/* --- reading ---------------------------------------------------------------------------- */

static void route_first(void *context, const struct table_route *route)
{
	struct compiling *all = context;

	all->many_ways |= route->many;
	if (!route->length && route->type != RTN_THROW)
		default_note(all, route);
	if (route->mtu && route->type == RTN_UNICAST)
		mtu_add(all, route);
}

static void route_second(void *context, const struct table_route *route)
{
	struct compiling *all = context;

	if (route->type == RTN_UNICAST)
		mtu_hidden(all, route);
	marked_route_read(all, route);
}

static int all_read(struct compiling *all, struct netlink *netlink)
{
	bool again = false;
	int err = table_routes_read(netlink, route_first, all);

	for (size_t i = 0; i < all->rules->count && !err; i++)
		again |= all->concerned[i] = is_concerned(all, i);
	if (err || (!again && !all->mtu_count))
		return err;
	marked_rules_read(all);
	err = table_routes_read(netlink, route_second, all);
	qsort(all->mtus, all->mtu_count, sizeof(all->mtus[0]), mtu_compare);
	return err;
}

/* --- writing ---------------------------------------------------------------------------- */

/* Of several ways to one place the kernel chooses by what it hashes: addresses and ports. */
static struct query asked_of(const struct compiling *all, bool *ruled)
{
	struct query asked = {0};

	for (size_t i = 0; i < all->rules->count; i++) {
		const struct rule *rule = &all->rules->rule[i];

		if (rule_is_default(rule))
			continue;
		*ruled = true;
		asked.source = UINT32_MAX;
		if (rule->tos_mask)
			asked.tos = UINT8_MAX;
		if (rule->protocol || rule->source_last || rule->destination_last)
			asked.protocol = UINT8_MAX;
	}
	if (all->many_ways) {
		asked.source = UINT32_MAX;
		asked.protocol = UINT8_MAX;
	}
	if (asked.protocol)
		asked.source_port = asked.destination_port = UINT16_MAX;
	return asked;
}

static void all_write(const struct compiling *all, struct plane *plane)
{
	struct config *config = plane->config;
	bool ruled = false;
	struct query asked = asked_of(all, &ruled);

	memcpy(plane->marked_routes, all->marked, sizeof(all->marked));
	memcpy(plane->route_mtus, all->mtus, sizeof(all->mtus));
	__sync_synchronize();
	WRITE_ONCE(config->asked[0], asked.word[1]);
	WRITE_ONCE(config->asked[1], asked.word[2]);
	WRITE_ONCE(config->rules, ruled);
	WRITE_ONCE(config->route_mtus, all->mtu_count);
	WRITE_ONCE(config->marked_routes, all->marked_count);
}

static void sentence_write(char *sentence, const struct rule *rule)
{
	char text[128], traffic[96];

	rule_text(rule, text, sizeof(text));
	rule_traffic_text(rule, traffic, sizeof(traffic));
	snprintf(sentence, POLICY_SENTENCE_BYTES,
		 "Routing rule %u (%s) asks for a firewall mark. Marks are set after Wayleave has "
		 "forwarded a packet, so traffic that would go by the WAN but for this rule is "
		 "refused: %s.",
		 rule->priority, text, traffic);
}

static void sentences_write(struct policy *policy, const struct compiling *all)
{
	struct policy before = *policy;

	policy->sentences = 0;
	for (size_t i = 0; i < all->rules->count && policy->sentences < POLICY_SENTENCES; i++)
		if (all->refuses[i])
			sentence_write(policy->sentence[policy->sentences++], &all->rules->rule[i]);
	for (unsigned int i = 0; i < policy->sentences; i++) {
		bool known = false;

		for (unsigned int k = 0; k < before.sentences; k++)
			known |= !strcmp(policy->sentence[i], before.sentence[k]);
		if (!known)
			log_warning("%s", policy->sentence[i]);
	}
}

static void policy_write(struct policy *policy, const struct compiling *all, struct plane *plane)
{
	bool by_mark = false, by_tos = false;

	for (size_t i = 0; i < all->rules->count; i++) {
		by_mark |= is_by_mark(&all->rules->rule[i]);
		by_tos |= all->rules->rule[i].tos_mask;
	}
	all_write(all, plane);
	sentences_write(policy, all);
	if (all->many_mtus && !policy->many_mtus)
		log_warning("more than %d routes have an MTU of their own: those of the others "
			    "do not count",
			    ROUTE_MTUS);
	policy->by_tos = by_tos;
	policy->many_mtus = all->many_mtus;
	policy->routes_matter = by_mark || all->many_ways || all->mtu_count;
}

int policy_read(struct policy *policy, struct netlink *netlink, struct links *links,
		struct plane *plane)
{
	struct rules rules;
	struct compiling *all = calloc(1, sizeof(*all));
	int err = rules_read(netlink, &rules);

	if (!all)
		err = -ENOMEM;
	if (!err) {
		all->rules = &rules;
		all->links = links;
		all->concerned = calloc(rules.count + 1, sizeof(bool));
		all->refuses = calloc(rules.count + 1, sizeof(bool));
		err = all->concerned && all->refuses ? all_read(all, netlink) : -ENOMEM;
	}
	if (!err)
		policy_write(policy, all, plane);
	else
		log_warning("the kernel's routing rules cannot be read: %s", strerror(-err));
	if (all) {
		free(all->concerned);
		free(all->refuses);
	}
	free(all);
	rules_free(&rules);
	return err;
}

bool policy_concerns(const struct policy *policy, const struct nlmsghdr *message)
{
	struct table_route route;

	if (policy->routes_matter)
		return true;
	return table_route_decode(message, &route) && (route.mtu || route.many);
}
