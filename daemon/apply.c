/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/apply.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/random.h>

#include "conf/subnets.h"
#include "conf/allow.h"
#include "core/bytes.h"
#include "daemon/sysctl.h"

#define IDLE_MAX_TICKS 0x7fffffffu /* further the clock's difference would turn negative */

static uint32_t ticks(const struct config *config, uint32_t seconds)
{
	uint64_t n = (uint64_t)seconds * config->hz;

	return n > IDLE_MAX_TICKS ? IDLE_MAX_TICKS : n;
}

static void timeouts_apply(struct config *config, const struct timeouts_settings *timeouts)
{
	const uint32_t seconds[TIMEOUT_COUNT] = {
		[TIMEOUT_UDP] = timeouts->udp,
		[TIMEOUT_TCP_OPENING] = timeouts->tcp_opening,
		[TIMEOUT_TCP_ESTABLISHED] = timeouts->tcp_established,
		[TIMEOUT_TCP_CLOSING] = timeouts->tcp_closing,
		[TIMEOUT_ICMP] = timeouts->icmp,
		[TIMEOUT_ESP] = timeouts->esp,
		[TIMEOUT_GRE] = timeouts->gre,
		[TIMEOUT_OTHER] = timeouts->other,
		[TIMEOUT_IKE] = timeouts->ike,
		[TIMEOUT_L2TP] = timeouts->l2tp,
		[TIMEOUT_WIREGUARD] = timeouts->wireguard,
		[TIMEOUT_OPENVPN] = timeouts->openvpn,
	};

	for (unsigned int i = 0; i < TIMEOUT_COUNT; i++)
		WRITE_ONCE(config->timeouts[i], ticks(config, seconds[i]));
}

static uint32_t classes_in(const struct passthrough_settings *passthrough,
			   enum passthrough_state state)
{
	return (passthrough->pptp == state ? 1u << CLASS_PPTP : 0) |
	       (passthrough->l2tp == state ? 1u << CLASS_L2TP : 0) |
	       (passthrough->ipsec == state ? 1u << CLASS_IPSEC : 0);
}

static uint8_t filtering(enum filtering_mode mode)
{
	switch (mode) {
	case FILTERING_ENDPOINT_INDEPENDENT:
		return FILTER_ENDPOINT_INDEPENDENT;
	case FILTERING_ADDRESS_DEPENDENT:
		return FILTER_ADDRESS_DEPENDENT;
	default:
		return FILTER_ADDRESS_AND_PORT_DEPENDENT;
	}
}

/* A packet that meets a half written entry finds no subnet: its mask is written last. */
static void routed_apply(struct config *config, const char *subnets)
{
	struct subnet list[SUBNETS_MAX];

	subnets_parse(subnets, list);
	for (unsigned int i = 0; i < ROUTED_SUBNETS; i++) {
		WRITE_ONCE(config->routed[i].mask, 0);
		WRITE_ONCE(config->routed[i].address, list[i].address);
		WRITE_ONCE(config->routed[i].mask, list[i].mask);
	}
}

_Static_assert(ROUTED_SUBNETS == SUBNETS_MAX, "as many subnets as settings take");

static void limits_apply(struct config *config, const struct limits_settings *limits, uint32_t room)
{
	uint32_t wanted = limits->sessions ? limits->sessions : room;

	WRITE_ONCE(config->sessions_limit, wanted < room ? wanted : room);
	WRITE_ONCE(config->mappings_per_host, limits->mappings_per_host);
	WRITE_ONCE(config->sessions_per_host, limits->sessions_per_host);
	WRITE_ONCE(config->new_per_second, limits->new_sessions_per_second);
	routed_apply(config, limits->routed_subnets);
}

/* None for the moment in between: whoever comes just then tries again. */
static void allows_apply(struct config *config, const struct settings *settings)
{
	struct settings_error ignored;
	struct allows allows;

	allows_parse(settings->wan.allow, &allows, &ignored); /* checked with all settings */
	WRITE_ONCE(config->allowed_count, 0);
	__sync_synchronize();
	for (unsigned int i = 0; i < allows.count; i++)
		config->allowed[i] = (struct allowed){
			.source = allows.allow[i].source.s_addr,
			.mask = allows.allow[i].mask.s_addr,
			.first = allows.allow[i].first,
			.last = allows.allow[i].last,
			.protocol = allows.allow[i].udp ? IPPROTO_UDP : IPPROTO_TCP,
		};
	__sync_synchronize();
	WRITE_ONCE(config->allowed_count, allows.count);
}

void apply_settings(struct config *config, const struct settings *settings, uint32_t sessions_room)
{
	timeouts_apply(config, &settings->timeouts);
	limits_apply(config, &settings->limits, sessions_room);
	WRITE_ONCE(config->filtering_udp, filtering(settings->filtering.udp));
	WRITE_ONCE(config->filtering_tcp, filtering(settings->filtering.tcp));
	WRITE_ONCE(config->mss_clamp, settings->mss_clamp);
	allows_apply(config, settings);
	WRITE_ONCE(config->own_port_first, OWN_PORT_FIRST);
	WRITE_ONCE(config->own_port_last, OWN_PORT_LAST);
	WRITE_ONCE(config->assisted, classes_in(&settings->passthrough, PASSTHROUGH_ON));
	WRITE_ONCE(config->blocked, classes_in(&settings->passthrough, PASSTHROUGH_OFF));
}

int apply_initial(struct config *config, uint64_t instance, uint32_t sets_count, uint32_t hz)
{
	struct config fresh = {.set_mask = sets_count - 1,
			       .hz = hz,
			       .instance = instance,
			       .abi_version = ABI_VERSION};

	if (getrandom(fresh.hash_key, sizeof(fresh.hash_key), 0) != sizeof(fresh.hash_key))
		return -EIO;
	*config = fresh;
	return 0;
}
