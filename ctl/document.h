/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON documents of `show` and `status`, one struct each: the daemon fills the
 * struct, this makes the JSON object, docs/control-protocol.md describes it, and
 * ctl/text.c makes tables from it.
 *
 * Addresses are in network byte order, ids and ports in host byte order, ages in
 * seconds. Strings are borrowed and may be NULL (the member is left out then),
 * json_t * members are taken over (stolen) and may be NULL.
 * Every function returns a new reference, or NULL without memory.
 */
#ifndef WAYLEAVE_CTL_DOCUMENT_H
#define WAYLEAVE_CTL_DOCUMENT_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ctl_traffic {
	uint64_t packets_out, bytes_out; /* from inside to outside */
	uint64_t packets_in, bytes_in;
};

struct ctl_status {
	const char *version;
	int pid;
	uint64_t uptime_s;
	bool translating; /* packets can be translated now: wan has an address, all is attached */
	json_t *waiting_for; /* array of strings, "interface ppp0", "an address on eth0" */
	json_t *internet;    /* object: daemon/line.h */
	const char *wan_interface;
	struct in_addr wan_address;	 /* 0: none */
	const char *wan_dataplane;	 /* "tc", "xdp", NULL: not attached */
	json_t *lan;			 /* array of {"interface", "dataplane"} */
	const char *dataplane;		 /* "tc", "xdp" (any interface), NULL: nothing attached */
	const char *pptp, *l2tp, *ipsec; /* passthrough_state_name() */
	uint64_t sessions_used, sessions_limit;
	uint64_t mappings;
	uint64_t devices;
	bool helper_running;
	uint64_t helper_restarts;
	struct ctl_traffic traffic;    /* all sessions since the start */
	json_t *warnings;	       /* array of sentences */
	unsigned int confirm_within_s; /* ctl_change_seconds_left() */
};

struct ctl_session {
	const char *protocol; /* "tcp", "udp", "icmp", "esp", "gre", "l2tp", else the number */
	const char *class; /* "plain", "pptp", "l2tp", "ipsec", "wireguard", "openvpn", "tunnel" */
	struct in_addr inside, external, remote;
	/* port, ICMP id, inbound SPI as its receiver chose it, Call ID or L2TPv3 session id */
	uint32_t inside_id, external_id, remote_id;
	const char *state; /* "established", "transitory", "new", ... */
	uint64_t age_s, idle_s, expires_s;
	struct ctl_traffic traffic;
	const char *interface; /* where its packets leave outwards */
	json_t *flags;	       /* array of strings: "hairpin", "local", "blocked", "forward", ... */
};

struct ctl_vpn {
	struct in_addr device;
	const char *device_name; /* NULL: not known */
	const char *kind;	 /* "pptp", "l2tp", "ipsec", "wireguard", "openvpn", ... */
	const char *class;	 /* whose switch governs it: "pptp", "l2tp", "ipsec", "plain" */
	struct in_addr server;
	const char *state; /* daemon/tunnel_state.h */
	uint64_t age_s, idle_s;
	struct ctl_traffic traffic;
	json_t *detail;	  /* object: call ids, SPIs, ports */
	json_t *evidence; /* array of sentences: why it is shown so */
};

struct ctl_device {
	struct in_addr address;
	const uint8_t *mac; /* 6 bytes or NULL */
	const char *interface;
	const char *name, *name_from; /* "typed", "lease", "mdns" */
	const char *vendor;	      /* who made it, by the MAC address */
	uint64_t sessions, mappings, vpns;
	struct ctl_traffic traffic;
};

struct ctl_counter {
	const char *name;
	uint64_t count;
	const char *sentence; /* for the operator, from reason.def */
	const char *rfc;      /* "RFC 4787 REQ-8" */
	const char *kind;     /* "drop", "pass", "event" */
};

json_t *ctl_status_json(const struct ctl_status *status);
json_t *ctl_session_json(const struct ctl_session *session);
json_t *ctl_vpn_json(const struct ctl_vpn *vpn);
json_t *ctl_device_json(const struct ctl_device *device);
json_t *ctl_counter_json(const struct ctl_counter *counter);
/* {"interface", "dataplane"} for ctl_status.lan; DATAPLANE NULL: not attached. */
json_t *ctl_interface_json(const char *interface, const char *dataplane);

#endif
