/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "tests/cases/forge.h"

#define HEADER	   20
#define FRAGMENTED 0x3fff

enum { ICMP = 1, TCP = 6, UDP = 17, GRE = 47, ESP = 50 };

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t sum_words(const uint8_t *at, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += get16(at + i);
	if (length & 1)
		sum += at[length - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 9293 section 3.1, RFC 768. */
static uint32_t sum_pseudo(const uint8_t *packet, size_t transport)
{
	return sum_words(packet + 12, 8, packet[9] + transport);
}

/* Offset of the checksum in the transport header; 0: none. */
static size_t check_offset(uint8_t protocol)
{
	return protocol == TCP ? 16 : protocol == UDP ? 6 : protocol == ICMP ? 2 : 0;
}

static uint16_t transport_sum(const uint8_t *packet, size_t header, size_t length)
{
	uint32_t start = packet[9] == ICMP ? 0 : sum_pseudo(packet, length - header);

	return fold(sum_words(packet + header, length - header, start));
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 2784, RFC 2890; version 1: RFC 2637 section 4.1. */
static size_t write_gre(uint8_t *at, const struct forged *f)
{
	put16(at, f->kind ? 0x3001 : f->keyed ? 0x2000 : 0);
	put16(at + 2, f->kind ? 0x880b : 0x0800);
	if (f->kind) {
		put16(at + 4, f->payload);
		put16(at + 6, f->destination_id);
		return 12;
	}
	put32(at + 4, f->keyed ? f->spi : 0);
	return f->keyed ? 8 : 4;
}

static size_t write_transport(uint8_t *at, const struct forged *f)
{
	put16(at, f->source_id);
	put16(at + 2, f->destination_id);
	switch (f->protocol) {
	case TCP:
		at[12] = 5 << 4;
		at[13] = f->kind;
		return 20;
	case UDP:
		put16(at + 4, 8 + f->payload);
		return 8;
	case ICMP:
		put16(at, f->kind << 8);
		put16(at + 2, 0);
		put16(at + 4, f->source_id);
		return 8;
	case ESP:
		put32(at, f->spi);
		put32(at + 4, f->sequence);
		return 8;
	case GRE:
		return write_gre(at, f);
	default:
		return 8;
	}
}

static void write_header(uint8_t *out, const struct forged *f, size_t length)
{
	out[0] = 0x45;
	put16(out + 2, length);
	out[8] = f->ttl;
	out[9] = f->protocol;
	memcpy(out + 12, &f->source, 4);
	memcpy(out + 16, &f->destination, 4);
	put16(out + 10, ~fold(sum_words(out, HEADER, 0)));
}

size_t forge(uint8_t *out, const struct forged *f)
{
	size_t at, length, check = check_offset(f->protocol);
	uint16_t sum;

	memset(out, 0, FORGE_BYTES);
	at = HEADER + write_transport(out + HEADER, f);
	length = at + f->payload;
	for (size_t i = 0; i < f->payload; i++)
		out[at + i] = f->filler + i;
	write_header(out, f, length);
	if (!check)
		return length;
	sum = ~transport_sum(out, HEADER, length);
	put16(out + HEADER + check, f->protocol == UDP && !sum ? 0xffff : sum);
	return length;
}

size_t forge_error(uint8_t *out, uint32_t from, uint32_t to, uint8_t type, uint8_t code,
		   const uint8_t *about, size_t quote)
{
	struct forged f = {.source = from, .destination = to, .protocol = ICMP, .ttl = 60};
	size_t length = HEADER + 8 + quote;

	memset(out, 0, FORGE_BYTES);
	out[HEADER] = type;
	out[HEADER + 1] = code;
	memcpy(out + HEADER + 8, about, quote);
	write_header(out, &f, length);
	put16(out + HEADER + 2, ~fold(sum_words(out + HEADER, length - HEADER, 0)));
	return length;
}

bool forge_read(const uint8_t *packet, size_t length, struct forged *f)
{
	size_t header = length ? (packet[0] & 15) * 4 : 0;
	const uint8_t *at = packet + header;

	if (length < HEADER + 8 || header < HEADER || length < header + 8)
		return false;
	*f = (struct forged){.protocol = packet[9], .ttl = packet[8]};
	memcpy(&f->source, packet + 12, 4);
	memcpy(&f->destination, packet + 16, 4);
	if (f->protocol == TCP || f->protocol == UDP) {
		f->source_id = get16(at);
		f->destination_id = get16(at + 2);
		f->kind = f->protocol == TCP && length >= header + 20 ? at[13] : 0;
	} else if (f->protocol == ICMP) {
		f->kind = at[0];
		f->source_id = f->destination_id = get16(at + 4);
	} else if (f->protocol == ESP) {
		f->spi = (uint32_t)get16(at) << 16 | get16(at + 2);
	} else if (f->protocol == GRE) {
		f->kind = at[1] & 7;
		f->destination_id = get16(at + 6);
	}
	return true;
}

bool forge_sums_are_right(const uint8_t *packet, size_t length)
{
	size_t header = (packet[0] & 15) * 4, total = get16(packet + 2);
	size_t check = check_offset(packet[9]);

	if (header < HEADER || total > length || total < header ||
	    fold(sum_words(packet, header, 0)) != 0xffff)
		return false;
	if (get16(packet + 6) & FRAGMENTED || !check)
		return true;
	if (total < header + check + 2)
		return false;
	if (packet[9] == UDP && !get16(packet + header + 6))
		return true;
	return transport_sum(packet, header, total) == 0xffff;
}
