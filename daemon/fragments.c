/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/fragments.h"

#include <string.h>

#include "core/memory.h"
#include "core/packet.h"

#define MTU_MIN 68 /* RFC 791 section 3.2 */
#define MTU_MAX 9216

static uint16_t header_sum(const struct ipv4_header *ip)
{
	const uint16_t *word = (const uint16_t *)ip;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < sizeof(*ip) / 2; i++)
		sum += word[i];
	return ~sum_fold(sum);
}

/* Options would have to be copied by RFC 791's rules; no VPN peer sends any. */
static int can_be_cut(const struct ipv4_header *ip, size_t length, uint16_t mtu)
{
	return ip->version_length == 0x45 && be16_to_host(ip->length) <= length &&
	       be16_to_host(ip->length) > sizeof(*ip) &&
	       !(be16_to_host(ip->fragment) & IPV4_DONT_FRAGMENT) && mtu >= MTU_MIN &&
	       mtu <= MTU_MAX;
}

/* OFFSET in bytes from the start of the packet's own payload. */
static void header_write(uint8_t *out, const struct ipv4_header *whole, size_t offset, size_t bytes,
			 int more)
{
	struct ipv4_header ip = *whole;
	uint16_t field = be16_to_host(whole->fragment);
	/* a piece of a piece goes on where its packet began, and keeps its "more" */
	uint16_t flags = (more ? IPV4_MORE_FRAGMENTS : 0) | (field & IPV4_MORE_FRAGMENTS);

	ip.length = host_to_be16(sizeof(ip) + bytes);
	ip.fragment = host_to_be16(flags | ((field & IPV4_OFFSET_MASK) + offset / 8));
	ip.check = 0;
	ip.check = header_sum(&ip);
	memcpy(out, &ip, sizeof(ip));
}

unsigned int fragments_cut(const uint8_t *packet, size_t length, uint16_t mtu,
			   void (*each)(void *context, const uint8_t *fragment, size_t bytes),
			   void *context)
{
	uint8_t out[MTU_MAX];
	struct ipv4_header ip;
	unsigned int count = 0;
	size_t payload, step;

	if (length < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	if (!can_be_cut(&ip, length, mtu))
		return 0;
	payload = be16_to_host(ip.length) - sizeof(ip);
	step = (mtu - sizeof(ip)) / 8 * 8;
	for (size_t offset = 0; offset < payload; offset += step, count++) {
		size_t bytes = payload - offset < step ? payload - offset : step;

		header_write(out, &ip, offset, bytes, offset + bytes < payload);
		memcpy(out + sizeof(ip), packet + sizeof(ip) + offset, bytes);
		each(context, out, sizeof(ip) + bytes);
	}
	return count;
}
