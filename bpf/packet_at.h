/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointers into a packet, for XDP and TC, whose contexts name its two ends alike. Included
 * by a back end when it has said what packet_context is.
 */
#ifndef WAYLEAVE_BPF_PACKET_AT_H
#define WAYLEAVE_BPF_PACKET_AT_H

#include <linux/types.h>

struct packet {
	packet_context *context;
	__u32 base;
	__u32 ifindex;
};

/*
 * No header that the core looks at lies further in than this mask, which the verifier wants:
 * what would is read at another place of the packet, never outside of it.
 */
#define HEADERS_MASK 0x1ff

/* NULL: not so much of the packet is there. */
static __always_inline void *packet_at(const struct packet *p, __u32 offset, __u32 length)
{
	void *data = (void *)(long)p->context->data, *end = (void *)(long)p->context->data_end;
	__u32 at = (p->base + offset) & HEADERS_MASK;

	if (data + at + length > end)
		return NULL;
	return data + at;
}

#endif
