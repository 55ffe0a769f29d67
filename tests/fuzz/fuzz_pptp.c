/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole connection out of hostile bytes. The input is a list of segments:
 *
 *   1  way (bit 0), repeat the segment before (bit 1), damage the state (bit 7)
 *   1  TCP flags
 *   1  signed distance of the sequence number from the next one
 *   1  payload bytes
 *   n  payload
 *
 * Checked after each: the daemon would accept the answer, ids stay within the
 * flow, and a repeated segment is edited as the first time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/helper.h"
#include "helper/process.h"
#include "helper/tcp_stream.h"

#define TCP_BYTES 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct connection {
	struct helper_flow flow;
	struct helper_request request;
	struct helper_answer answer;
	uint32_t next[2];
	bool damaged;
	uint16_t next_spare;
	uint8_t frame[TCP_BYTES + 256];
	size_t frame_bytes;
};

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void spares_fill(struct helper_flow *flow, uint16_t *next)
{
	while (flow->spare_count < HELPER_SPARE_IDS)
		flow->spare[flow->spare_count++] = (*next)++;
}

static void segment_ask(struct connection *c, int way)
{
	struct helper_request *r = &c->request;

	spares_fill(&c->flow, &c->next_spare);
	r->magic = HELPER_PROTOCOL_MAGIC;
	r->protocol = HELPER_PPTP;
	r->direction = (uint8_t)way;
	r->spare_count = c->flow.spare_count;
	r->flags = c->flow.flags;
	memcpy(r->spare, c->flow.spare, sizeof(r->spare));
	memcpy(r->state, c->flow.state, sizeof(r->state));
	memcpy(r->segment, c->frame, c->frame_bytes);
	if (!process_answer(r, offsetof(struct helper_request, segment) + c->frame_bytes,
			    &c->answer))
		abort();
}

/* A state that somebody damaged may name ids that the flow has not: the daemon refuses them. */
static void segment_take(struct connection *c)
{
	struct helper_frame frame = {
		.bytes = c->frame, .frame_bytes = c->frame_bytes, .tcp_bytes = c->frame_bytes};

	if (helper_validate_answer(&c->flow, &frame, &c->answer, sizeof(c->answer))) {
		if (!c->damaged)
			abort();
		return;
	}
	helper_flow_update(&c->flow, &c->answer);
	if (c->flow.id_count > HELPER_FLOW_IDS || c->flow.spare_count > HELPER_SPARE_IDS)
		abort();
}

static void segment_repeat(struct connection *c, int way)
{
	struct helper_answer first = c->answer;

	segment_ask(c, way);
	segment_take(c);
	if (c->damaged || first.verdict != HELPER_FORWARD || first.edit_count == 0)
		return;
	if (c->answer.verdict != HELPER_FORWARD || c->answer.edit_count != first.edit_count ||
	    memcmp(first.edits, c->answer.edits, sizeof(first.edits)))
		abort();
}

static void segment_make(struct connection *c, const uint8_t *head, const uint8_t *payload,
			 size_t bytes)
{
	int way = head[0] & 1;

	memset(c->frame, 0, TCP_BYTES);
	put32(c->frame + 4, c->next[way] + (uint32_t)(int8_t)head[2]);
	put32(c->frame + 8, c->next[!way]);
	c->frame[12] = 5 << 4;
	c->frame[13] = head[1];
	memcpy(c->frame + TCP_BYTES, payload, bytes);
	c->frame_bytes = TCP_BYTES + bytes;
}

static void segment_play(struct connection *c, const uint8_t *head, const uint8_t *payload,
			 size_t bytes)
{
	int way = head[0] & 1;

	segment_make(c, head, payload, bytes);
	if (head[0] & 0x80 && bytes > 2) {
		c->flow.state[(payload[0] << 8 | payload[1]) % HELPER_STATE_BYTES] ^= payload[2];
		c->damaged = true;
	}
	segment_ask(c, way);
	segment_take(c);
	if (head[0] & 2)
		segment_repeat(c, way);
	if (c->answer.verdict == HELPER_FORWARD && head[2] == 0)
		c->next[way] += (uint32_t)bytes + !!(head[1] & TCP_SYN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct connection c;

	memset(&c, 0, sizeof(c));
	c.flow.protocol = HELPER_PPTP;
	c.next_spare = 0x4100;
	c.next[0] = 0xffffff80;
	while (size >= 4) {
		size_t bytes = data[3] < size - 4 ? data[3] : size - 4;

		segment_play(&c, data, data + 4, bytes);
		data += 4 + bytes;
		size -= 4 + bytes;
	}
	return 0;
}
