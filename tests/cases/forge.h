/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets made and looked at without the core's help, for the specification
 * and the fuzzer: checksums are computed, never adjusted. Ids in host order,
 * addresses in network order. A packet starts at its IP header.
 */
#ifndef WAYLEAVE_TESTS_CASES_FORGE_H
#define WAYLEAVE_TESTS_CASES_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORGE_BYTES 1600

struct forged {
	uint32_t source, destination;
	uint8_t protocol, ttl;
	uint16_t source_id; /* ICMP query: identifier */
	uint16_t destination_id;
	uint32_t spi;	   /* ESP; GRE version 0: the key, if it has one */
	uint32_t sequence; /* ESP */
	bool keyed;	   /* GRE version 0: RFC 2890 section 2.1 */
	uint8_t kind;	   /* TCP: flags; ICMP: type; GRE: version */
	uint8_t filler;	   /* first byte of the payload, which then counts up */
	uint16_t payload;
};

/* Writes the packet into @out (FORGE_BYTES); its length. */
size_t forge(uint8_t *out, const struct forged *f);

/* An ICMP error of @from to @to that quotes the first @quote bytes of @about. */
size_t forge_error(uint8_t *out, uint32_t from, uint32_t to, uint8_t type, uint8_t code,
		   const uint8_t *about, size_t quote);

/* The header's fields back; false: no whole TCP, UDP, ICMP query, ESP or GRE packet. */
bool forge_read(const uint8_t *packet, size_t length, struct forged *f);

/* RFC 1071 over IP header, and over TCP, UDP (0: none) and ICMP. Fragments: header only. */
bool forge_sums_are_right(const uint8_t *packet, size_t length);

#endif
