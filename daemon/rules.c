/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Younger than Debian 12's headers. */
#define FRA_DSCP_	25
#define FRA_SPORT_MASK_ 28
#define FRA_DPORT_MASK_ 29
#define FRA_DSCP_MASK_	30

#define DSCP_SHIFT 2 /* RFC 2474 section 3 */
#define TOS_MASK   0x1c

__be32 prefix_mask(uint8_t length)
{
	return length ? htonl(0xffffffffu << (32 - length)) : 0;
}

/* --- one message --------------------------------------------------------------------- */

static void ports_take(const struct nlattr *attribute, uint16_t *first, uint16_t *last)
{
	struct fib_rule_port_range range;

	if (mnl_attr_get_payload_len(attribute) < sizeof(range))
		return;
	memcpy(&range, mnl_attr_get_payload(attribute), sizeof(range));
	*first = range.start;
	*last = range.end;
}

/* Forwarding is done for root. */
static bool is_another_user(const struct nlattr *attribute)
{
	const struct fib_rule_uid_range *range = mnl_attr_get_payload(attribute);

	return range->start > 0;
}

static void selector_take(const struct nlattr *attribute, struct rule *rule)
{
	switch (mnl_attr_get_type(attribute)) {
	case FRA_SRC:
		rule->source = mnl_attr_get_u32(attribute);
		break;
	case FRA_DST:
		rule->destination = mnl_attr_get_u32(attribute);
		break;
	case FRA_IIFNAME:
		snprintf(rule->iif, sizeof(rule->iif), "%s", mnl_attr_get_str(attribute));
		break;
	case FRA_FWMARK:
		rule->mark = mnl_attr_get_u32(attribute);
		break;
	case FRA_FWMASK:
		rule->mark_mask = mnl_attr_get_u32(attribute);
		break;
	case FRA_IP_PROTO:
		rule->protocol = mnl_attr_get_u8(attribute);
		break;
	case FRA_SPORT_RANGE:
		ports_take(attribute, &rule->source_first, &rule->source_last);
		break;
	case FRA_DPORT_RANGE:
		ports_take(attribute, &rule->destination_first, &rule->destination_last);
		break;
	case FRA_DSCP_:
		rule->tos = mnl_attr_get_u8(attribute) << DSCP_SHIFT;
		rule->tos_mask = 0x3f << DSCP_SHIFT;
		break;
	case FRA_DSCP_MASK_:
		rule->tos_mask = mnl_attr_get_u8(attribute) << DSCP_SHIFT;
		break;
	case FRA_OIFNAME:
	case FRA_TUN_ID:
		rule->never_forwarded = true;
		break;
	case FRA_UID_RANGE:
		rule->never_forwarded |= is_another_user(attribute);
		break;
	}
}

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct rule *rule = context;

	switch (mnl_attr_get_type(attribute)) {
	case FRA_PRIORITY:
		rule->priority = mnl_attr_get_u32(attribute);
		break;
	case FRA_TABLE:
		rule->table = mnl_attr_get_u32(attribute);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
	case FRA_SUPPRESS_IFGROUP: /* -1: none */
		rule->suppresses |= mnl_attr_get_u32(attribute) != UINT32_MAX;
		break;
	default:
		selector_take(attribute, rule);
	}
	return MNL_CB_OK;
}

/* Ports by mask: what they leave open is not looked at, so the rule takes any. */
static int mask_take(const struct nlattr *attribute, void *context)
{
	struct rule *rule = context;

	if (mnl_attr_get_type(attribute) == FRA_SPORT_MASK_ &&
	    mnl_attr_get_u16(attribute) != UINT16_MAX)
		rule->source_first = rule->source_last = 0;
	if (mnl_attr_get_type(attribute) == FRA_DPORT_MASK_ &&
	    mnl_attr_get_u16(attribute) != UINT16_MAX)
		rule->destination_first = rule->destination_last = 0;
	return MNL_CB_OK;
}

static struct rule rule_decode(const struct nlmsghdr *message)
{
	const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
	struct rule rule = {.table = info->table,
			    .action = info->action,
			    .inverted = info->flags & FIB_RULE_INVERT,
			    .source_length = info->src_len,
			    .destination_length = info->dst_len,
			    .tos = info->tos,
			    .tos_mask = info->tos ? TOS_MASK : 0};

	mnl_attr_parse(message, sizeof(*info), attribute_take, &rule);
	mnl_attr_parse(message, sizeof(*info), mask_take, &rule);
	return rule;
}

static int rule_append(const struct nlmsghdr *message, void *context)
{
	struct rules *rules = context;
	struct rule *grown;

	if (rules->count == rules->room) {
		rules->room = rules->room ? rules->room * 2 : 16;
		grown = realloc(rules->rule, rules->room * sizeof(*grown));
		if (!grown)
			return MNL_CB_ERROR;
		rules->rule = grown;
	}
	rules->rule[rules->count++] = rule_decode(message);
	return MNL_CB_OK;
}

int rules_read(struct netlink *netlink, struct rules *rules)
{
	*rules = (struct rules){0};
	errno = ENOMEM;
	return netlink_dump(netlink, RTM_GETRULE, AF_INET, rule_append, rules);
}

void rules_free(struct rules *rules)
{
	free(rules->rule);
	*rules = (struct rules){0};
}

/* --- what a rule is ------------------------------------------------------------------- */

bool rule_is_plain(const struct rule *rule)
{
	return !rule->inverted && !rule->source_length && !rule->destination_length &&
	       !rule->iif[0] && !rule->tos_mask && !rule->protocol && !rule->source_last &&
	       !rule->destination_last && !rule->never_forwarded;
}

bool rule_is_default(const struct rule *rule)
{
	bool local = rule->priority == 0 && rule->table == RT_TABLE_LOCAL;
	bool main = rule->priority == 32766 && rule->table == RT_TABLE_MAIN;
	bool last = rule->priority == 32767 && rule->table == RT_TABLE_DEFAULT;

	return (local || main || last) && rule->action == FR_ACT_TO_TBL && !rule->suppresses &&
	       !rule->mark_mask && rule_is_plain(rule);
}

/* --- in words ------------------------------------------------------------------------- */

static void prefix_print(FILE *out, const char *word, __be32 address, uint8_t length)
{
	char text[INET_ADDRSTRLEN];

	if (length)
		fprintf(out, " %s %s/%u", word, inet_ntop(AF_INET, &address, text, sizeof(text)),
			length);
}

static void ports_print(FILE *out, const char *word, uint16_t first, uint16_t last)
{
	if (last && first != last)
		fprintf(out, " %s %u-%u", word, first, last);
	else if (last)
		fprintf(out, " %s %u", word, first);
}

static void selectors_print(FILE *out, const struct rule *rule)
{
	prefix_print(out, "from", rule->source, rule->source_length);
	prefix_print(out, "to", rule->destination, rule->destination_length);
	if (rule->iif[0])
		fprintf(out, " iif %s", rule->iif);
	if (rule->tos_mask)
		fprintf(out, " tos %#x", rule->tos);
	if (rule->protocol)
		fprintf(out, " ipproto %u", rule->protocol);
	ports_print(out, "sport", rule->source_first, rule->source_last);
	ports_print(out, "dport", rule->destination_first, rule->destination_last);
}

static void action_print(FILE *out, const struct rule *rule)
{
	static const char *const names[] = {[FR_ACT_GOTO] = "goto",
					    [FR_ACT_BLACKHOLE] = "blackhole",
					    [FR_ACT_UNREACHABLE] = "unreachable",
					    [FR_ACT_PROHIBIT] = "prohibit"};

	if (rule->action == FR_ACT_TO_TBL)
		fprintf(out, " lookup %u", rule->table);
	else if (rule->action < sizeof(names) / sizeof(*names) && names[rule->action])
		fprintf(out, " %s", names[rule->action]);
}

/* All of it starts with a space. */
static void text_trim(char *text, const char *empty)
{
	size_t length = strlen(text);

	if (length)
		memmove(text, text + 1, length);
	else
		strcpy(text, empty);
}

void rule_text(const struct rule *rule, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	text[0] = '\0';
	if (!out)
		return;
	selectors_print(out, rule);
	if (rule->mark_mask)
		fprintf(out, " fwmark %#x", rule->mark);
	if (rule->mark_mask && rule->mark_mask != UINT32_MAX)
		fprintf(out, "/%#x", rule->mark_mask);
	action_print(out, rule);
	fclose(out);
	text[size - 1] = '\0';
	text_trim(text, "all");
}

void rule_traffic_text(const struct rule *rule, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	text[0] = '\0';
	if (!out)
		return;
	selectors_print(out, rule);
	fclose(out);
	text[size - 1] = '\0';
	text_trim(text, "all");
}
