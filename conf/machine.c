/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/machine.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <grp.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/near.h"

/* --- groups and interfaces --------------------------------------------------------------- */

static bool group_is(void *context, const char *name)
{
	return getgrnam(name) != NULL;
}

static bool interface_is(void *context, const char *name)
{
	return if_nametoindex(name) != 0;
}

static bool interface_serves(void *context, const char *name)
{
	struct ifaddrs *all = NULL;
	bool serves = false;

	if (getifaddrs(&all))
		return false;
	for (const struct ifaddrs *i = all; i && !serves; i = i->ifa_next)
		serves = i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
			 i->ifa_flags & IFF_UP && strcmp(i->ifa_name, name) == 0;
	freeifaddrs(all);
	return serves;
}

static bool interface_like(void *context, const char *name, char *like)
{
	struct if_nameindex *all = if_nameindex();
	struct near near = {.given = name};

	for (const struct if_nameindex *i = all; i && i->if_name; i++)
		if (strcmp(i->if_name, "lo") && strncmp(i->if_name, "wl-", 3) &&
		    strncmp(i->if_name, "wlc-", 4) && strncmp(i->if_name, "wld-", 4))
			near_look(&near, i->if_name);
	if (near.word)
		snprintf(like, IFNAMSIZ, "%s", near.word);
	if (all)
		if_freenameindex(all);
	return near.word != NULL;
}

/* --- the way to an address ------------------------------------------------------------------ */

struct answer {
	uint8_t type; /* RTN_* */
	uint32_t ifindex;
};

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct answer *answer = context;

	if (mnl_attr_get_type(attribute) == RTA_OIF)
		answer->ifindex = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int route_take(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct answer *answer = context;

	answer->type = info->rtm_type;
	mnl_attr_parse(message, sizeof(*info), attribute_take, answer);
	return MNL_CB_STOP; /* one route is the whole answer */
}

static void question_put(struct nlmsghdr *request, struct in_addr to)
{
	struct rtmsg *info;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = AF_INET;
	info->rtm_dst_len = 32;
	mnl_attr_put_u32(request, RTA_DST, to.s_addr);
}

/* 0 or -errno, the kernel's too: -ENETUNREACH, -EHOSTUNREACH, -EACCES for what has no way. */
static int route_ask(struct mnl_socket *netlink, struct in_addr to, struct answer *answer)
{
	_Alignas(struct nlmsghdr) char buffer[4096];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	ssize_t length;

	question_put(request, to);
	if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
	if (length < 0)
		return -errno;
	return mnl_cb_run(buffer, length, 0, 0, route_take, answer) < 0 ? -errno : 0;
}

static enum way way_of(const struct answer *answer, char *interface)
{
	switch (answer->type) {
	case RTN_LOCAL:
		return WAY_SELF;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
	case RTN_ANYCAST:
		return WAY_MANY;
	case RTN_UNICAST:
		return if_indextoname(answer->ifindex, interface) ? WAY_OUT : WAY_UNKNOWN;
	default:
		return WAY_NONE;
	}
}

static enum way way_ask(void *context, struct in_addr to, char *interface)
{
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct answer answer = {0};
	int err;

	if (!netlink)
		return WAY_UNKNOWN;
	err = route_ask(netlink, to, &answer);
	mnl_socket_close(netlink);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL)
		return WAY_NONE;
	return err ? WAY_UNKNOWN : way_of(&answer, interface);
}

/* --- the page's certificate ------------------------------------------------------------------ */

static bool file_reads(const char *path, char *why, size_t size)
{
	if (access(path, R_OK) == 0)
		return true;
	snprintf(why, size, "%.80s cannot be read: %s", path, strerror(errno));
	return false;
}

static bool pair_parses(const char *certificate, const char *key, char *why, size_t size)
{
	gnutls_certificate_credentials_t credentials;
	int rc = gnutls_certificate_allocate_credentials(&credentials);

	if (rc) {
		snprintf(why, size, "no memory");
		return false;
	}
	rc = gnutls_certificate_set_x509_key_file(credentials, certificate, key,
						  GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		snprintf(why, size, "the key in web.key is not that of %.80s", certificate);
	else if (rc < 0)
		snprintf(why, size, "%.60s and web.key are no certificate and key in PEM: %.60s",
			 certificate, gnutls_strerror(rc));
	return rc >= 0;
}

static bool certificate_is(void *context, const char *certificate, const char *key, char *why,
			   size_t size)
{
	return file_reads(certificate, why, size) && file_reads(key, why, size) &&
	       pair_parses(certificate, key, why, size);
}

const struct settings_facts machine_facts = {
	.group = group_is,
	.interface = interface_is,
	.serving = interface_serves,
	.interface_like = interface_like,
	.way = way_ask,
	.certificate = certificate_is,
};
