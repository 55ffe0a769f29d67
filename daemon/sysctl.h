/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel parameters of this network namespace that a gateway needs. The value
 * from before is remembered in the instance and put back by --teardown.
 *
 * NAME is the path below /proc/sys/net, "ipv4/ip_forward".
 */
#ifndef WAYLEAVE_DAEMON_SYSCTL_H
#define WAYLEAVE_DAEMON_SYSCTL_H

#include <stdbool.h>

#include "daemon/instance.h"

/*
 * The gateway's own ports: no LAN host is ever given one. 13 bits of them, for who
 * is off the path guesses the port of a resolver's question (RFC 6056 section 3.2);
 * LAN hosts keep 56,320. Even to odd, so that both parities are left alike
 * (RFC 4787 REQ-4). Below the ports that clients choose from, 32768-60999 on Linux and
 * 49152-65535 elsewhere (RFC 6335 section 6): a host that keeps its own port has the same
 * one again after the gateway has lost its sessions, and its TCP connections go on. With
 * another port the server would reset them. Host byte order.
 */
#define OWN_PORT_FIRST 24576
#define OWN_PORT_LAST  32767

/* Sets NAME and remembers what it was. 0 or -errno. */
int sysctl_set(const struct instance *instance, const char *name, const char *value);

/*
 * Forwarding on, and the gateway's own outgoing ports confined to their range.
 * Only after the second wall is up. 0, or -errno after a sentence.
 */
int sysctl_gateway(const struct instance *instance);

/*
 * What one interface needs: no ICMP redirects; on the WAN, ARP that knows of no
 * LAN address; on a LAN, no router advertisements and no IPv6 redirects. A
 * parameter that is not there (no IPv6) is left out.
 */
void sysctl_interface(const struct instance *instance, const char *interface, bool wan);

/* Puts everything back that is remembered. */
void sysctl_restore(const struct instance *instance);

#endif
