/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data plane's records of plain ESP (RFC 4303), put there by the daemon:
 *
 *   inbound   {server, external address, SPI that the inside host chose} -> inside host
 *   outbound  {server, inside host, SPI that the server chose}           -> external address
 *   quoted    what ICMP errors about each of the two quote (RFC 5508 REQ-4)
 *
 * Only the daemon ends them (SESSION_STATIC); an inbound sequence number 1 is
 * handed to it (SESSION_WATCHED). Works on the core's arena. Addresses in network
 * byte order, SPIs in host byte order. Errors: -ENOSPC the table is full,
 * -EHOSTUNREACH no way there.
 */
#ifndef WAYLEAVE_DAEMON_ESP_RECORDS_H
#define WAYLEAVE_DAEMON_ESP_RECORDS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The SPI leads to @inside from now on. 0, -EEXIST: another host holds it, and so it
 * stays; -ENOSPC; -EHOSTUNREACH. A half that is armed stays as it is.
 */
int esp_inbound_arm(__be32 server, uint32_t spi, __be32 inside, uint32_t now);
int esp_outbound_arm(__be32 server, uint32_t spi, __be32 inside, uint32_t now);

/* The two are one tunnel, for the timers and for who looks. */
void esp_halves_join(__be32 server, __be32 inside, uint32_t spi_in, uint32_t spi_out);

/* Fine where there is none, or the SPI leads to another host. */
void esp_inbound_end(__be32 server, uint32_t spi, __be32 inside);
void esp_outbound_end(__be32 server, uint32_t spi, __be32 inside);

struct esp_half {
	uint64_t packets;
	uint32_t last_seen; /* tick */
};

/* False: there is none. */
bool esp_inbound_read(__be32 server, uint32_t spi, __be32 inside, struct esp_half *half);
bool esp_outbound_read(__be32 server, uint32_t spi, __be32 inside, struct esp_half *half);

/* Those of an earlier run, that nobody may know: their own timers end them. For the start. */
void esp_records_forsake(void);

#endif
