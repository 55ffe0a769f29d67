/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An inside host and a remote that talk PPTP through the helper, without a
 * process in between: what one sends, the other receives edited. Every answer
 * goes through the daemon's check, which an honest helper always passes.
 */
#ifndef WAYLEAVE_TESTS_TEST_PPTP_PEERS_H
#define WAYLEAVE_TESTS_TEST_PPTP_PEERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper.h"
#include "helper/pptp_wire.h"
#include "helper/process.h"
#include "helper/tcp_stream.h"

#define OUT HELPER_OUTBOUND
#define IN  HELPER_INBOUND

#ifndef SPARE_STEP
#define SPARE_STEP 1
#endif
#define FIRST_SPARE 0x4100 /* the external ids that the daemon hands out, ascending */

struct peers {
	struct helper_flow flow;
	uint32_t isn[2];
	uint32_t sent[2]; /* payload bytes, by direction */
	struct helper_answer answer;
	uint8_t frame[HELPER_SEGMENT_BYTES]; /* the last segment, as it leaves the gateway */
	size_t payload_bytes;
	uint16_t next_spare;
	uint32_t notes;					  /* of all answers */
	unsigned int kinds[HELPER_CLAIM_RELEASE_ALL + 1]; /* claims seen */
	struct helper_claim last[HELPER_CLAIM_RELEASE_ALL + 1];
};

static inline void peers_spares(struct peers *p)
{
	for (; p->flow.spare_count < HELPER_SPARE_IDS; p->next_spare += SPARE_STEP)
		p->flow.spare[p->flow.spare_count++] = p->next_spare;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline size_t segment_make(uint8_t *tcp, uint32_t seq, uint32_t ack, uint8_t flags,
				  const void *payload, size_t bytes)
{
	memset(tcp, 0, 20);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	if (bytes)
		memcpy(tcp + 20, payload, bytes);
	return 20 + bytes;
}

static inline void peers_count(struct peers *p)
{
	p->notes |= p->answer.notes;
	for (size_t i = 0; i < p->answer.claim_count; i++) {
		p->kinds[p->answer.claims[i].kind]++;
		p->last[p->answer.claims[i].kind] = p->answer.claims[i];
	}
}

/* Any segment. The payload as it leaves is in p->frame + 20. */
static inline enum helper_verdict peers_segment(struct peers *p, enum helper_direction way,
						uint32_t seq, uint8_t flags, const void *payload,
						size_t bytes)
{
	static struct helper_request request;
	uint32_t ack = flags & TCP_ACK ? p->isn[!way] + 1 + p->sent[!way] : 0;
	struct helper_frame frame = {
		.bytes = p->frame,
		.tcp_bytes = segment_make(p->frame, seq, ack, flags, payload, bytes)};

	peers_spares(p);
	frame.frame_bytes = frame.tcp_bytes;
	request = (struct helper_request){.magic = HELPER_PROTOCOL_MAGIC,
					  .protocol = HELPER_PPTP,
					  .direction = (uint8_t)way,
					  .spare_count = p->flow.spare_count,
					  .flags = p->flow.flags,
					  .id = 1};
	memcpy(request.spare, p->flow.spare, sizeof(request.spare));
	memcpy(request.state, p->flow.state, sizeof(request.state));
	memcpy(request.segment, p->frame, frame.tcp_bytes);
	assert_true(process_answer(
		&request, offsetof(struct helper_request, segment) + frame.tcp_bytes, &p->answer));
	assert_int_equal(helper_validate_answer(&p->flow, &frame, &p->answer, sizeof(p->answer)),
			 0);
	helper_flow_update(&p->flow, &p->answer);
	helper_edits_apply(&frame, p->answer.edits, p->answer.edit_count);
	p->payload_bytes = bytes;
	peers_count(p);
	return p->answer.verdict;
}

/* The next bytes of a stream. */
static inline enum helper_verdict peers_send(struct peers *p, enum helper_direction way,
					     const void *payload, size_t bytes)
{
	enum helper_verdict verdict =
		peers_segment(p, way, p->isn[way] + 1 + p->sent[way], TCP_ACK, payload, bytes);

	if (verdict == HELPER_FORWARD)
		p->sent[way] += (uint32_t)bytes;
	return verdict;
}

/* SYN, SYN ACK, ACK. `opener` is the way of the SYN. */
static inline void peers_connect(struct peers *p, enum helper_direction opener)
{
	memset(p, 0, sizeof(*p));
	p->flow.protocol = HELPER_PPTP;
	p->next_spare = FIRST_SPARE;
	p->isn[OUT] = 0xffffff00; /* so that every session wraps */
	p->isn[IN] = 0x7fffff80;
	peers_segment(p, opener, p->isn[opener], TCP_SYN, NULL, 0);
	peers_segment(p, !opener, p->isn[!opener], TCP_SYN | TCP_ACK, NULL, 0);
	peers_send(p, opener, NULL, 0);
	assert_int_equal(p->answer.flags, 0);
}

static inline size_t message_make(uint8_t *bytes, uint16_t type, uint16_t at12, uint16_t at14,
				  uint8_t result)
{
	struct pptp_message message = {.type = type, .ids = {at12, at14}, .result = result};

	return pptp_message_encode(bytes, PPTP_MESSAGE_BYTES_MAX, &message);
}

/* One whole message. What comes out is in p->frame. */
static inline enum helper_verdict peers_say(struct peers *p, enum helper_direction way,
					    uint16_t type, uint16_t at12, uint16_t at14,
					    uint8_t result)
{
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

	return peers_send(p, way, bytes, message_make(bytes, type, at12, at14, result));
}

/* The 16-bit field at `offset` of the last payload, as it leaves. */
static inline uint16_t peers_field(const struct peers *p, size_t offset)
{
	return (uint16_t)(p->frame[20 + offset] << 8 | p->frame[21 + offset]);
}

static inline bool peers_noted(const struct peers *p, enum helper_reason reason)
{
	return p->notes >> reason & 1;
}

/* Connected and started, the opener being the originator. */
static inline void peers_establish(struct peers *p, enum helper_direction opener)
{
	peers_connect(p, opener);
	peers_say(p, opener, PPTP_START_REQUEST, 0, 0, 0);
	peers_say(p, !opener, PPTP_START_REPLY, 0, 0, 1);
	assert_int_equal(p->answer.flags, 0);
	assert_int_equal(p->notes, 0);
}

#endif
