/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings file as a struct. Loading, checking and saving live beside
 * this header; nothing in here knows about the data plane.
 *
 * Addresses are in network byte order, ports in host byte order, durations in
 * seconds. A struct settings owns everything that it points to.
 */
#ifndef WAYLEAVE_CONF_SETTINGS_H
#define WAYLEAVE_CONF_SETTINGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum passthrough_state {
	PASSTHROUGH_OFF,      /* block the whole class */
	PASSTHROUGH_NAT_ONLY, /* translate as any flow, look at nothing */
	PASSTHROUGH_ON,	      /* translate and assist */
};

/* RFC 4787 section 5 (UDP), RFC 5382 section 4.3 (TCP) */
enum filtering_mode {
	FILTERING_ENDPOINT_INDEPENDENT,
	FILTERING_ADDRESS_DEPENDENT,
	FILTERING_ADDRESS_AND_PORT_DEPENDENT,
};

enum dataplane_mode { DATAPLANE_AUTO, DATAPLANE_TC, DATAPLANE_XDP };

/* IP protocol numbers (RFC 5237); those without a name here are forwarded too, without ports. */
enum forward_protocol {
	FORWARD_ICMP = 1, /* refused: see conf/check.c */
	FORWARD_TCP = 6,
	FORWARD_UDP = 17,
	FORWARD_GRE = 47,
	FORWARD_ESP = 50,
	FORWARD_AH = 51,
	FORWARD_L2TP = 115,
	FORWARD_PROTOCOL_LAST = 254, /* 255 is reserved */
};

/* TCP and UDP; a forward of any other protocol has neither port nor to_port. */
bool forward_has_ports(enum forward_protocol protocol);

struct port_forward_settings {
	char *name;			/* optional, for people */
	enum forward_protocol protocol; /* required */
	uint16_t port;			/* first external port; 0 without ports */
	uint16_t port_last;		/* last external port, inclusive; defaults to port */
	struct in_addr to;		/* required: inside host */
	uint16_t to_port;		/* first inside port; defaults to port */
};

struct wan_settings {
	char *interface; /* required */
	char *allow;	 /* who may reach the gateway itself, "ssh from 192.0.2.0/24"; or NULL */
};

struct lan_settings {
	char **interfaces; /* required, at least one */
	unsigned int interfaces_count;
};

struct passthrough_settings {
	enum passthrough_state pptp, l2tp, ipsec; /* default on */
};

struct filtering_settings {
	enum filtering_mode udp, tcp; /* default address-dependent */
};

struct limits_settings {
	uint32_t sessions;		  /* 0: sized by memory (default) */
	uint32_t mappings_per_host;	  /* default 4096, RFC 6888 REQ-4 */
	uint32_t sessions_per_host;	  /* default 16384 */
	uint32_t new_sessions_per_second; /* per host; default 2000 */
	char *routed_subnets;		  /* many hosts behind one MAC: "10.1.0.0/16,10.2.0.0/16" */
};

struct timeouts_settings {
	uint32_t udp;		  /* default 300, RFC 4787 REQ-5 */
	uint32_t tcp_established; /* default 7440 (2 h 4 min), RFC 5382 REQ-5 */
	uint32_t tcp_opening;	  /* default 240, RFC 5382 REQ-5, RFC 7857 section 2.1 */
	uint32_t tcp_closing;	  /* default 240, the same */
	uint32_t icmp;		  /* default 60, RFC 5508 REQ-2 */
	uint32_t ike;		  /* udp 500 and 4500, default 7200 */
	uint32_t l2tp;		  /* udp 1701 and IP protocol 115, default 3600 */
	uint32_t wireguard;	  /* default 3600 */
	uint32_t openvpn;	  /* over UDP, default 3600 */
	uint32_t esp;		  /* default 3600 */
	uint32_t gre;		  /* default 600 */
	uint32_t other;		  /* default 300 */
};

enum switch_state { SWITCH_OFF, SWITCH_ON };
enum web_language { WEB_LANGUAGE_AUTO, WEB_LANGUAGE_EN, WEB_LANGUAGE_DE };

/* The page and its API (http/). Strings may be NULL. */
struct web_settings {
	enum switch_state enabled;	/* default off */
	uint16_t http_port, https_port; /* default 80 and 443 */
	char *interfaces;		/* LAN interfaces with the page, "lan0,lan1"; default all */
	char *names;			/* more names of this gateway, "a.lan,b.lan" */
	enum switch_state metrics;	/* default off */
	enum web_language language;	/* default auto: as the browser says */
	enum switch_state machine_restart; /* default on: the page may restart the machine */
	char *certificate, *key;	   /* files in PEM; default: made at the first start */
};

/* Towards a NAT between the WAN and the Internet; RFC 3948 section 2.3. */
struct keepalive_settings {
	uint32_t interval_s; /* 0: off (default) */
};

struct settings {
	struct wan_settings wan;
	struct lan_settings lan;
	struct passthrough_settings passthrough;
	struct port_forward_settings *port_forwards;
	unsigned int port_forwards_count;
	struct filtering_settings filtering;
	struct limits_settings limits;
	struct timeouts_settings timeouts;
	struct keepalive_settings keepalive;
	enum dataplane_mode dataplane; /* default auto */
	/* TCP MSS clamp, bytes: 0 off, 1 "auto" (egress MTU - 40, default) or the value */
	uint32_t mss_clamp;
	struct web_settings web;
	char *run_dir;	     /* default /run/wayleave */
	char *state_dir;     /* what outlives a reboot; NULL (default): run_dir */
	char *control_group; /* Unix group that may read and change; default none (root) */
};

#endif
