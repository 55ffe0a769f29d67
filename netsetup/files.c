/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "# Written by Wayleave's network setup; taken back by: wayleave setup network undo\n"

/* 05: before what netplan and distributions bring, for the first match counts. */
static const char *const paths[FILES_COUNT] = {
	[FILE_WAN_NETWORK] = "/etc/systemd/network/05-wayleave-wan.network",
	[FILE_LAN_NETWORK] = "/etc/systemd/network/05-wayleave-lan.network",
	[FILE_PORTS_NETWORK] = "/etc/systemd/network/05-wayleave-ports.network",
	[FILE_BRIDGE_NETDEV] = "/etc/systemd/network/05-wayleave-bridge.netdev",
	[FILE_INTERFACES] = "/etc/network/interfaces.d/wayleave",
	[FILE_PEER] = "/etc/ppp/peers/wayleave",
	[FILE_DNSMASQ] = "/etc/dnsmasq.d/wayleave.conf",
};

const char *files_path(enum files_place place)
{
	return paths[place];
}

typedef void (*write_fn)(FILE *out, const struct answers *answers);

static void ports_write(FILE *out, const struct answers *answers)
{
	for (unsigned int i = 0; i < answers->lan_count; i++)
		fprintf(out, "%s%s", i ? " " : "", answers->lan[i]);
	fputc('\n', out);
}

static void inside_write(FILE *out, const struct answers *answers)
{
	char text[INET_ADDRSTRLEN];

	fprintf(out, "%s/%u\n", inet_ntop(AF_INET, &answers->address, text, sizeof(text)),
		answers->prefix);
}

/* --- systemd.network(5), systemd.netdev(5) ------------------------------------------------ */

static void wan_network(FILE *out, const struct answers *answers)
{
	fprintf(out, HEAD "[Match]\nName=%s\n\n[Network]\n%s", answers->wan,
		answers->line == LINE_DHCP ? "DHCP=ipv4\n"
					   : "LinkLocalAddressing=no\nIPv6AcceptRA=no\n");
}

/* The page is there before a cable is, so the address is too. */
static void lan_network(FILE *out, const struct answers *answers)
{
	fprintf(out,
		HEAD "[Match]\nName=%s\n\n[Link]\nRequiredForOnline=no\n\n"
		     "[Network]\nConfigureWithoutCarrier=yes\nAddress=",
		answers_lan_interface(answers));
	inside_write(out, answers);
}

static void ports_network(FILE *out, const struct answers *answers)
{
	fputs(HEAD "[Match]\nName=", out);
	ports_write(out, answers);
	fprintf(out, "\n[Link]\nRequiredForOnline=no\n\n[Network]\nBridge=%s\n",
		answers_lan_interface(answers));
}

static void bridge_netdev(FILE *out, const struct answers *answers)
{
	fprintf(out, HEAD "[NetDev]\nName=%s\nKind=bridge\n", answers_lan_interface(answers));
}

/* --- interfaces(5) ---------------------------------------------------------------------------- */

static void interfaces(FILE *out, const struct answers *answers)
{
	const char *lan = answers_lan_interface(answers);

	fprintf(out, HEAD "auto %s\niface %s inet %s\n\nauto %s\niface %s inet static\n\taddress ",
		answers->wan, answers->wan, answers->line == LINE_DHCP ? "dhcp" : "manual", lan,
		lan);
	inside_write(out, answers);
	if (answers->lan_count == 1)
		return;
	fputs("\tbridge_ports ", out);
	ports_write(out, answers);
	fputs("\tbridge_fd 0\n", out);
}

/* --- pppd(8) ---------------------------------------------------------------------------------- */

/* Between double quotes a backslash takes the next character as it is. */
static void quoted_write(FILE *out, const char *option, const char *text)
{
	fprintf(out, "%s \"", option);
	for (; *text; text++)
		fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	fputs("\"\n", out);
}

/*
 * The password stands here, in a file of root's alone, and not in chap-secrets and pap-secrets:
 * those are others' too, and pppd takes this one for both.
 */
static void peer(FILE *out, const struct answers *answers)
{
	fprintf(out, HEAD "plugin pppoe.so\nnic-%s\nifname %s\n", answers->wan,
		answers_wan_interface(answers));
	quoted_write(out, "user", answers->user);
	quoted_write(out, "password", answers->password);
	fputs("hide-password\nnoauth\nnoipdefault\ndefaultroute\nreplacedefaultroute\n"
	      "usepeerdns\npersist\nmaxfail 0\nholdoff 5\nlcp-echo-interval 20\n"
	      "lcp-echo-failure 3\nmtu 1492\nmru 1492\n",
	      out);
}

/* --- dnsmasq(8) ---------------------------------------------------------------------------------
 */

static const char *address_text(uint32_t host, char text[INET_ADDRSTRLEN])
{
	struct in_addr address = {htonl(host)};

	return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

/*
 * 100 to 250 of a /24, in proportion of another; at most 1,000, which is dnsmasq's own limit. Its
 * own address is never leased, wherever it lies.
 */
static void range_write(FILE *out, const struct answers *answers)
{
	uint32_t mask = ~0u << (32 - answers->prefix), size = ~mask + 1;
	uint32_t network = ntohl(answers->address.s_addr) & mask;
	uint32_t first = size * 100 / 256, last = size * 250 / 256;
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN], netmask[INET_ADDRSTRLEN];

	if (last - first > 999)
		last = first + 999;
	fprintf(out, "dhcp-range=%s,%s,%s,12h\n", address_text(network + first, from),
		address_text(network + last, to), address_text(mask, netmask));
}

static void dnsmasq(FILE *out, const struct answers *answers)
{
	fprintf(out, HEAD "interface=%s\nbind-dynamic\ndhcp-authoritative\n",
		answers_lan_interface(answers));
	range_write(out, answers);
	fputs("domain=lan\nlocal=/lan/\nexpand-hosts\ndomain-needed\nbogus-priv\n", out);
}

/* --- all
 * ------------------------------------------------------------------------------------------ */

static int file_make(struct file_wanted *file, write_fn write, const struct answers *answers)
{
	size_t length;
	FILE *out = open_memstream(&file->text, &length);

	file->mode = write == peer ? 0600 : 0644;
	if (!out)
		return -ENOMEM;
	write(out, answers);
	return fclose(out) ? -ENOMEM : 0;
}

int files_make(const struct answers *answers, struct files *files)
{
	bool networkd = answers->manager == MANAGER_NETWORKD, bridge = answers->lan_count > 1;
	const struct {
		bool wanted;
		write_fn write;
	} plan[FILES_COUNT] = {
		[FILE_WAN_NETWORK] = {networkd, wan_network},
		[FILE_LAN_NETWORK] = {networkd, lan_network},
		[FILE_PORTS_NETWORK] = {networkd && bridge, ports_network},
		[FILE_BRIDGE_NETDEV] = {networkd && bridge, bridge_netdev},
		[FILE_INTERFACES] = {!networkd, interfaces},
		[FILE_PEER] = {answers->line == LINE_PPPOE, peer},
		[FILE_DNSMASQ] = {true, dnsmasq},
	};
	int rc = 0;

	*files = (struct files){0};
	for (unsigned int i = 0; i < FILES_COUNT && !rc; i++)
		if (plan[i].wanted)
			rc = file_make(&files->file[i], plan[i].write, answers);
	return rc;
}

void files_free(struct files *files)
{
	for (unsigned int i = 0; i < FILES_COUNT; i++) {
		char *text = files->file[i].text;

		if (text)
			explicit_bzero(text, strlen(text));
		free(text);
	}
	*files = (struct files){0};
}

/* Without its peer file the PPPoE unit ends at once, so it is named in either case. */
const char *const *files_units(const struct answers *answers)
{
	static const char *const networkd[] = {"systemd-networkd.service", "dnsmasq.service",
					       "wayleave-pppoe.service", NULL};
	static const char *const ifupdown[] = {"networking.service", "dnsmasq.service",
					       "wayleave-pppoe.service", NULL};

	return answers->manager == MANAGER_NETWORKD ? networkd : ifupdown;
}
