/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/machine.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

/* --- ports ---------------------------------------------------------------------------------- */

static bool is_ethernet(int fd, const char *name)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	return !ioctl(fd, SIOCGIFHWADDR, &request) && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* wl-, wlc- and wld-: the gateway's own tap and cutter. */
static bool is_made_here(const char *name)
{
	return strncmp(name, "wl-", 3) == 0 || strncmp(name, "wlc-", 4) == 0 ||
	       strncmp(name, "wld-", 4) == 0 || strcmp(name, "ppp-wan") == 0 ||
	       strcmp(name, "br-lan") == 0;
}

static bool has_link(int fd, const char *name)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	return !ioctl(fd, SIOCGIFFLAGS, &request) && (request.ifr_flags & IFF_RUNNING);
}

static unsigned int prefix_of(const struct sockaddr *mask)
{
	return mask ? (unsigned int)__builtin_popcount(
			      ((const struct sockaddr_in *)mask)->sin_addr.s_addr)
		    : 32;
}

static json_t *address_of(const struct ifaddrs *all, const char *name)
{
	char text[INET_ADDRSTRLEN];

	for (const struct ifaddrs *one = all; one; one = one->ifa_next)
		if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
		    strcmp(one->ifa_name, name) == 0) {
			inet_ntop(AF_INET, &((struct sockaddr_in *)one->ifa_addr)->sin_addr, text,
				  sizeof(text));
			return json_sprintf("%s/%u", text, prefix_of(one->ifa_netmask));
		}
	return json_null();
}

/* /proc/net/route: interface, destination, gateway, flags... in hex. */
static void default_route_name(char name[IFNAMSIZ])
{
	FILE *file = fopen("/proc/self/net/route", "re");
	char line[256];
	unsigned int destination, mask;

	*name = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &destination, &mask) ==
			    3 &&
		    !destination && !mask)
			break;
		else
			*name = '\0';
	if (file)
		fclose(file);
}

json_t *machine_ports(void)
{
	struct if_nameindex *all = if_nameindex();
	struct ifaddrs *addresses = NULL;
	char internet[IFNAMSIZ];
	json_t *ports = json_array();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	default_route_name(internet);
	if (getifaddrs(&addresses))
		addresses = NULL;
	for (struct if_nameindex *one = all; one && one->if_index; one++)
		if (is_ethernet(fd, one->if_name) && !is_made_here(one->if_name))
			json_array_append_new(
				ports,
				json_pack("{s:s, s:b, s:o, s:b}", "name", one->if_name, "link",
					  has_link(fd, one->if_name), "address",
					  address_of(addresses, one->if_name), "default_route",
					  strcmp(internet, one->if_name) == 0));
	freeifaddrs(addresses);
	if (all)
		if_freenameindex(all);
	if (fd >= 0)
		close(fd);
	return ports;
}

/* --- who manages them ------------------------------------------------------------------------ */

static bool there(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return access(whole, F_OK) == 0;
}

const char *machine_manager_name(enum answers_manager manager)
{
	return manager == MANAGER_NETWORKD   ? "networkd"
	       : manager == MANAGER_IFUPDOWN ? "ifupdown"
					     : "unknown";
}

/* Calls EACH for the lines of PATH; true when one of the calls is. */
static bool line_find(const char *path, bool (*each)(const char *line, const char *word),
		      const char *word)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = each(line, word);
	if (file)
		fclose(file);
	return found;
}

static bool is_source(const char *line, const char *word)
{
	line += strspn(line, " \t");
	return strncmp(line, "source", 6) == 0 && strstr(line, word);
}

/* "iface WORD ..." */
static bool is_stanza(const char *line, const char *word)
{
	size_t length = strlen(word);

	line += strspn(line, " \t");
	if (strncmp(line, "iface", 5) != 0 || !strchr(" \t", line[5]))
		return false;
	line += 5 + strspn(line + 5, " \t");
	return strncmp(line, word, length) == 0 && strchr(" \t\n", line[length]);
}

static int stanza_refuse(const char *root, const char *file, const struct answers *answers,
			 struct settings_error *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, file);
	for (unsigned int i = 0; i <= answers->lan_count; i++) {
		const char *port = i ? answers->lan[i - 1] : answers->wan;

		if (line_find(path, is_stanza, port))
			return settings_error_set(error, -EINVAL, i ? "lan" : "wan",
						  "%s is set up in %s already; take its lines out "
						  "there first",
						  port, file);
	}
	return 0;
}

/* The administrator's own files of ifupdown: two set-ups of one port would fight. */
static int stanzas_refuse(const char *root, const struct answers *answers,
			  struct settings_error *error)
{
	char folder[PATH_MAX], file[PATH_MAX];
	int rc = stanza_refuse(root, "/etc/network/interfaces", answers, error);
	const struct dirent *entry;
	DIR *list;

	snprintf(folder, sizeof(folder), "%s/etc/network/interfaces.d", root);
	list = rc ? NULL : opendir(folder);
	while (list && !rc && (entry = readdir(list))) {
		if (*entry->d_name == '.' || strcmp(entry->d_name, "wayleave") == 0)
			continue;
		snprintf(file, sizeof(file), "/etc/network/interfaces.d/%s", entry->d_name);
		rc = stanza_refuse(root, file, answers, error);
	}
	if (list)
		closedir(list);
	return rc;
}

static int ifupdown_check(const char *root, const struct answers *answers,
			  struct settings_error *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/etc/network/interfaces", root);
	if (!line_find(path, is_source, "interfaces.d"))
		return settings_error_set(error, -EINVAL, "manager",
					  "/etc/network/interfaces does not read interfaces.d; add "
					  "the line: source /etc/network/interfaces.d/*");
	if (answers->lan_count > 1 && !there(root, "/usr/sbin/brctl") &&
	    !there(root, "/sbin/brctl"))
		return settings_error_set(error, -EINVAL, "lan",
					  "several ports become a bridge, which ifupdown makes "
					  "with the package bridge-utils; install it first");
	return 0;
}

static enum answers_manager manager_find(const char *root)
{
	if (there(root, "/run/systemd/netif/state"))
		return MANAGER_NETWORKD;
	if (there(root, "/run/NetworkManager/devices"))
		return MANAGER_UNKNOWN;
	return there(root, "/sbin/ifup") || there(root, "/usr/sbin/ifup") ? MANAGER_IFUPDOWN
									  : MANAGER_UNKNOWN;
}

int machine_manager(const char *root, struct answers *answers, struct settings_error *error)
{
	if (answers->manager == MANAGER_UNKNOWN)
		answers->manager = manager_find(root);
	if (answers->manager == MANAGER_UNKNOWN)
		return settings_error_set(error, -EINVAL, "manager",
					  "%s; this can write for systemd-networkd and ifupdown, "
					  "and neither runs",
					  there(root, "/run/NetworkManager/devices")
						  ? "NetworkManager manages this machine's network"
						  : "nothing manages this machine's network");
	int rc = stanzas_refuse(root, answers, error);
	if (!rc && answers->manager == MANAGER_IFUPDOWN)
		rc = ifupdown_check(root, answers, error);
	return rc;
}

/* --- what is missing, what may go wrong ---------------------------------------------------- */

json_t *machine_lacks(const char *root, const struct answers *answers)
{
	json_t *lacks = json_array();

	if (!there(root, "/usr/sbin/dnsmasq"))
		json_array_append_new(lacks, json_string("dnsmasq"));
	if (answers->line == LINE_PPPOE && !there(root, "/usr/sbin/pppd"))
		json_array_append_new(lacks, json_string("ppp"));
	return lacks;
}

static bool inside_overlaps(const struct answers *answers, const struct ifaddrs *other)
{
	const struct sockaddr_in *address = (const void *)other->ifa_addr;
	uint32_t mask = ~0u << (32 - answers->prefix);
	uint32_t others =
		other->ifa_netmask
			? ntohl(((const struct sockaddr_in *)(const void *)other->ifa_netmask)
					->sin_addr.s_addr)
			: ~0u;

	return address && address->sin_family == AF_INET &&
	       !((ntohl(address->sin_addr.s_addr) ^ ntohl(answers->address.s_addr)) & mask &
		 others);
}

static void overlap_note(json_t *notes, const struct answers *answers)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next)
		if (strcmp(one->ifa_name, answers_wan_interface(answers)) == 0 &&
		    inside_overlaps(answers, one))
			json_array_append_new(
				notes, json_sprintf("%s has an address in the same network now: "
						    "take other addresses inside",
						    one->ifa_name));
	freeifaddrs(all);
}

json_t *machine_notes(const char *root, const struct answers *answers)
{
	json_t *notes = json_array();

	for (unsigned int i = 0; !*root && i <= answers->lan_count; i++) {
		const char *port = i ? answers->lan[i - 1] : answers->wan;

		if (!if_nametoindex(port))
			json_array_append_new(notes, json_sprintf("%s is not there now", port));
	}
	if (!*root)
		overlap_note(notes, answers);
	if (answers->manager == MANAGER_NETWORKD && there(root, "/run/NetworkManager/devices"))
		json_array_append_new(notes,
				      json_string("NetworkManager runs as well: it has to leave "
						  "these ports alone"));
	if (answers->manager == MANAGER_NETWORKD && answers->line == LINE_DHCP &&
	    !there(root, "/run/systemd/resolve/resolv.conf"))
		json_array_append_new(
			notes,
			json_string("systemd-resolved does not run: the provider's name servers "
				    "are not taken over, those in /etc/resolv.conf are asked"));
	return notes;
}
