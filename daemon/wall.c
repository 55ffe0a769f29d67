/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

int wall_open(struct wall *wall, const struct instance *instance)
{
	*wall = (struct wall){.nft = nft_ctx_new(NFT_CTX_DEFAULT)};
	snprintf(wall->table, sizeof(wall->table), "%s", instance->table);
	if (!wall->nft || nft_ctx_buffer_output(wall->nft) || nft_ctx_buffer_error(wall->nft)) {
		log_error("libnftables cannot be used: no memory");
		wall_close(wall);
		return -ENOMEM;
	}
	/* stateless: counters move, and a comparison must not see that */
	nft_ctx_output_set_flags(wall->nft, NFT_CTX_OUTPUT_STATELESS);
	return 0;
}

void wall_close(struct wall *wall)
{
	if (wall->nft)
		nft_ctx_free(wall->nft);
	free(wall->expected);
	*wall = (struct wall){0};
}

/* --- the rules ----------------------------------------------------------------------- */

static void lan_names(FILE *out, const struct links *links)
{
	const char *separator = "";

	for (unsigned int i = 1; i < links->count; i++) {
		fprintf(out, "%s\"%s\"", separator, links->link[i].name);
		separator = ", ";
	}
}

/*
 * RFC 2827 once more, for what the data plane leaves to the kernel: a source comes
 * in by the interface that leads to it. What comes out of the gateway's own IPsec
 * has been looked at as what it came in. The way back is asked for with the packet's
 * own TOS, which the answers need not have: where rules ask for it, packets that have
 * one are the data plane's alone to judge.
 */
static void source_rules(FILE *out, const struct links *links, bool by_tos)
{
	fprintf(out, "\tchain sources {\n"
		     "\t\ttype filter hook prerouting priority filter; policy accept;\n"
		     "\t\tiifname { ");
	lan_names(out, links);
	fprintf(out,
		" } meta pkttype host meta ipsec missing %sip saddr != 0.0.0.0 "
		"fib saddr . iif oif missing counter drop\n"
		"\t}\n",
		by_tos ? "ip dscp 0 " : "");
}

/*
 * The gateway's own packets leave the WAN with an address of the WAN. One that
 * has none yet is a DHCP client's; one that IPsec is about to wrap comes by once
 * more as what it has become.
 */
static void output_rules(FILE *out, const char *wan)
{
	fprintf(out,
		"\tchain output {\n"
		"\t\ttype filter hook output priority filter; policy accept;\n"
		"\t\toifname \"%s\" rt ipsec missing ip saddr != 0.0.0.0 "
		"fib saddr . oif type != local counter drop\n"
		"\t}\n",
		wan);
}

static const struct kept_set {
	uint8_t protocol;
	const char *word, *name;
} kept_sets[] = {{IPPROTO_TCP, "tcp", "kept_tcp"}, {IPPROTO_UDP, "udp", "kept_udp"}};

static bool kept_has(const struct kept_flows *kept, uint8_t protocol)
{
	for (unsigned int i = 0; i < kept->count; i++)
		if (kept->flow[i].protocol == protocol)
			return true;
	return false;
}

static void kept_elements(FILE *out, const struct kept_flows *kept, uint8_t protocol)
{
	char remote[INET_ADDRSTRLEN], local[INET_ADDRSTRLEN];
	const char *separator = "";

	for (unsigned int i = 0; i < kept->count; i++) {
		const struct kept_flow *flow = &kept->flow[i];

		if (flow->protocol != protocol)
			continue;
		inet_ntop(AF_INET, &flow->remote, remote, sizeof(remote));
		inet_ntop(AF_INET, &flow->local, local, sizeof(local));
		fprintf(out, "%s%s . %u . %s . %u", separator, remote, ntohs(flow->remote_port),
			local, ntohs(flow->local_port));
		separator = ", ";
	}
}

/* Conntrack has not seen how they began, and takes what comes in for new. */
static void kept_rules(FILE *out, const struct kept_flows *kept)
{
	for (size_t i = 0; i < 2; i++) {
		if (!kept_has(kept, kept_sets[i].protocol))
			continue;
		fprintf(out,
			"\tset %s {\n"
			"\t\ttype ipv4_addr . inet_service . ipv4_addr . inet_service\n"
			"\t\telements = { ",
			kept_sets[i].name);
		kept_elements(out, kept, kept_sets[i].protocol);
		fprintf(out, " }\n\t}\n");
	}
}

static void allow_rules(FILE *out, const struct allows *allows, const char *wan)
{
	char source[INET_ADDRSTRLEN];

	for (unsigned int i = 0; i < allows->count; i++) {
		const struct allow *allow = &allows->allow[i];

		fprintf(out, "\t\tiifname \"%s\" meta nfproto ipv4 ", wan);
		inet_ntop(AF_INET, &allow->source, source, sizeof(source));
		if (allow->length)
			fprintf(out, "ip saddr %s/%u ", source, allow->length);
		fprintf(out, "%s dport %u", allow->udp ? "udp" : "tcp", allow->first);
		if (allow->last != allow->first)
			fprintf(out, "-%u", allow->last);
		fprintf(out, " accept\n");
	}
}

/*
 * Of the gateway's own PPTP each end has a call id of its own, which conntrack does
 * not know to belong together: GRE version 1 is the data plane's to judge.
 */
static void input_rules(FILE *out, const struct wall *wall, const char *wan)
{
	fprintf(out,
		"\tchain input {\n"
		"\t\ttype filter hook input priority filter; policy accept;\n"
		"\t\tiifname \"%s\" ct state established,related accept\n"
		"\t\tiifname \"%s\" meta nfproto ipv4 udp sport 67 udp dport 68 accept\n"
		"\t\tiifname \"%s\" ip protocol gre @nh,173,3 1 accept\n",
		wan, wan, wan);
	for (size_t i = 0; i < 2; i++)
		if (kept_has(&wall->kept, kept_sets[i].protocol))
			fprintf(out,
				"\t\tiifname \"%s\" ip saddr . %s sport . ip daddr . %s dport "
				"@%s accept\n",
				wan, kept_sets[i].word, kept_sets[i].word, kept_sets[i].name);
	allow_rules(out, &wall->allows, wan);
	fprintf(out, "\t\tiifname \"%s\" counter drop\n\t}\n", wan);
}

static void forward_rules(FILE *out, const struct links *links)
{
	const char *wan = links->link[0].name;

	fprintf(out,
		"\tchain forward {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n"
		"\t\tiifname \"%s\" counter drop\n"
		"\t\tiifname { ",
		wan);
	lan_names(out, links);
	fprintf(out,
		" } oifname \"%s\" counter drop\n"
		"\t\tmeta nfproto ipv6 iifname { ",
		wan);
	lan_names(out, links);
	fprintf(out, " } counter drop\n\t}\n");
}

int wall_text(const struct wall *wall, const struct links *links, char **text)
{
	const char *table = wall->table;
	size_t size;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return -ENOMEM;
	/* declared first, so that the deletion never fails: one transaction replaces all */
	fprintf(out, "table inet %s\ndelete table inet %s\ntable inet %s {\n", table, table, table);
	kept_rules(out, &wall->kept);
	source_rules(out, links, wall->by_tos);
	input_rules(out, wall, links->link[0].name);
	forward_rules(out, links);
	output_rules(out, links->link[0].name);
	fprintf(out, "}\n");
	return fclose(out) ? -ENOMEM : 0;
}

/* --- in the kernel ------------------------------------------------------------------- */

static int command_run(struct wall *wall, const char *command)
{
	return nft_run_cmd_from_buffer(wall->nft, command) ? -EIO : 0;
}

/* The table as the kernel has it; NULL: it is not there. The caller frees it. */
static char *table_list(struct wall *wall)
{
	char command[64];

	snprintf(command, sizeof(command), "list table inet %s", wall->table);
	if (command_run(wall, command)) {
		nft_ctx_get_error_buffer(wall->nft);
		return NULL;
	}
	return strdup(nft_ctx_get_output_buffer(wall->nft));
}

static void refusal_say(struct wall *wall)
{
	const char *why = nft_ctx_get_error_buffer(wall->nft);

	log_error("the firewall table %s cannot be set up (kernel modules nf_tables, "
		  "nft_ct, nft_fib_inet): %.*s",
		  wall->table, (int)strcspn(why, "\n"), why);
}

int wall_build(struct wall *wall, const struct links *links)
{
	char *text;
	int err = wall_text(wall, links, &text);

	if (err)
		return err;
	err = command_run(wall, text);
	free(text);
	if (err) {
		refusal_say(wall);
		return err;
	}
	free(wall->expected);
	wall->expected = table_list(wall);
	return 0;
}

void wall_check(struct wall *wall, const struct links *links)
{
	char *present = table_list(wall);
	bool same = present && wall->expected && !strcmp(present, wall->expected);

	free(present);
	if (same || wall_build(wall, links))
		return;
	wall->restored++;
	log_warning("the firewall table %s was changed or removed by somebody else and has been "
		    "set up again",
		    wall->table);
}

void wall_follow_rules(struct wall *wall, const struct links *links, bool by_tos)
{
	if (wall->by_tos == by_tos)
		return;
	wall->by_tos = by_tos;
	if (wall->expected) /* not before the start has built it */
		wall_build(wall, links);
}

int wall_remove(struct wall *wall)
{
	char command[128];
	int err;

	snprintf(command, sizeof(command), "table inet %s\ndelete table inet %s\n", wall->table,
		 wall->table);
	err = command_run(wall, command);
	if (err)
		nft_ctx_get_error_buffer(wall->nft);
	return err;
}
