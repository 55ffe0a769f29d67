/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a tunnel renews its keys, learned from what can be seen in clear: new
 * SPIs of ESP, WireGuard's handshake initiations, OpenVPN's soft resets.
 *
 * No timer of a tunnel whose interval is known ends it sooner than 1.2 times that
 * after its last packet: its next handshake has to find the way back.
 *
 * Times are ticks. Pure, but for rekeys_tend(). Context: daemon, tests.
 */
#ifndef WAYLEAVE_DAEMON_REKEYS_H
#define WAYLEAVE_DAEMON_REKEYS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

struct gateway;
struct rekeys;
struct roster_tunnel;

/* One that happens sooner after the last one is that one again, repeated. */
#define REKEY_REPEAT_SECONDS 45
/* Nobody renews as seldom as that: the tunnel was away. */
#define REKEY_MAX_SECONDS 129600
/*
 * An interval that no handshake has confirmed for so long is not believed any more, nor
 * one after whose fourfold a tunnel that carries packets has renewed nothing. The next
 * two handshakes teach a new one.
 */
#define REKEY_LASTS_SECONDS (30 * 86400)
#define REKEY_OVERDUE	    4

/* NULL without memory. */
struct rekeys *rekeys_new(uint32_t hz);
void rekeys_free(struct rekeys *rekeys);

/* The tunnel of CLASS (enum flow_class) between INSIDE and REMOTE has renewed its keys. */
void rekey_seen(struct rekeys *rekeys, uint8_t class, __be32 inside, __be32 remote, uint32_t now);

/* Its interval; where none was learned yet, that of another tunnel to REMOTE; 0: unknown. */
uint32_t rekey_interval_s(const struct rekeys *rekeys, uint8_t class, __be32 inside, __be32 remote);

/*
 * Counts the handshakes of one tunnel's sessions, and keeps those sessions that
 * their timers would end too soon. Works on the core's arena.
 */
void rekeys_follow(struct rekeys *rekeys, const struct roster_tunnel *tunnel, uint32_t now);

/* What is worth to be known after a restart (rekeys_state.h). */
struct rekey_interval {
	uint8_t class; /* enum flow_class */
	__be32 inside, remote;
	uint32_t seconds; /* REKEY_REPEAT_SECONDS to REKEY_MAX_SECONDS */
	uint32_t age_s;	  /* since a handshake has confirmed it */
};

/* Every interval that is known, until VISIT answers false. */
void rekeys_each(const struct rekeys *rekeys,
		 bool (*visit)(void *context, const struct rekey_interval *interval), void *context,
		 uint32_t now);

/* As if it had been confirmed age_s before tick NOW. */
void rekeys_restore(struct rekeys *rekeys, const struct rekey_interval *interval, uint32_t now);

/*
 * Has an interval come, or moved by an eighth, since this answered true, and was that
 * PAUSE_S ago? Intervals are drawn at random each time: not every change is worth a write.
 */
bool rekeys_take_changed(struct rekeys *rekeys, uint32_t pause_s, uint32_t now);

/* All tunnels of the last sweep; each second. */
void rekeys_tend(struct gateway *gateway, uint32_t now);

#endif
