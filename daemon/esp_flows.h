/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain ESP of many inside hosts: between the slow path, the data plane's
 * records and the library that finds out whose packets are whose
 * (pairing/esp.h). What is known of the tunnels is kept in state_dir, so that
 * it outlives the daemon and a reboot.
 */
#ifndef WAYLEAVE_DAEMON_ESP_FLOWS_H
#define WAYLEAVE_DAEMON_ESP_FLOWS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/gateway.h"
#include "pairing/esp.h"

struct esp_flows;
struct facts;

/* Goes on with the pairs of an earlier run. NULL without memory. */
struct esp_flows *esp_flows_open(struct gateway *gateway);
void esp_flows_close(struct esp_flows *flows);

/*
 * A punted frame of ESP: FRAME as read from the tap, LENGTH bytes, FACTS of its
 * IP packet. It goes on to whom it belongs to, or is dropped and counted.
 */
void esp_flows_take(struct esp_flows *flows, uint8_t *frame, size_t length,
		    const struct facts *facts);

/* An IKE message that INSIDE and SERVER exchange, as it passes. */
void esp_flows_ike(struct esp_flows *flows, __be32 inside, __be32 server,
		   const struct esp_ike_header *header, enum esp_direction direction);

/* Once a second: claims, the file, another WAN address. */
void esp_flows_tend(struct esp_flows *flows, uint32_t now);

/* Milliseconds since INSIDE's or SERVER's last ESP packet; UINT64_MAX: they have no pair. */
uint64_t esp_flows_idle_ms(const struct esp_flows *flows, __be32 inside, __be32 server);

/* The pairs of one tunnel with their evidence, for `show vpn`: a new array. */
json_t *esp_flows_json(const struct esp_flows *flows, __be32 inside, __be32 server);

#endif
