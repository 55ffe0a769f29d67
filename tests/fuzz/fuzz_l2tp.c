/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations of control messages, through the helper's own entry and the
 * daemon's check of its answers: an honest helper never says what is refused.
 *
 * Input: a byte (bit 0: over IP; bit 1: the state is damaged on the way; bit 2: on a
 * port of its own, where another host has the ids 1 to 256), then
 * messages: direction (bit 0), length (2 bytes), bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/helper.h"
#include "helper/process.h"

#define MESSAGES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct helper_request request;
static struct helper_answer answer;
static struct helper_flow flow;
static uint16_t next_spare;

static void spares_fill(void)
{
	while (flow.protocol != HELPER_L2TP_IP && flow.spare_count < HELPER_SPARE_IDS)
		flow.spare[flow.spare_count++] = ++next_spare;
}

static size_t request_make(uint8_t direction, const uint8_t *message, size_t length)
{
	size_t head = flow.protocol == HELPER_L2TP_IP ? 4 : 8;

	request.magic = HELPER_PROTOCOL_MAGIC;
	request.protocol = flow.protocol;
	request.direction = direction & 1;
	request.spare_count = flow.spare_count;
	request.flags = flow.flags;
	memcpy(request.spare, flow.spare, sizeof(request.spare));
	request.taken_count = HELPER_TAKEN_IDS;
	for (uint16_t i = 0; i < HELPER_TAKEN_IDS; i++)
		request.taken[i] = i + 1;
	memcpy(request.state, flow.state, sizeof(request.state));
	memset(request.segment, 0, head);
	memcpy(request.segment + head, message, length);
	return head + length;
}

static void say(uint8_t direction, const uint8_t *message, size_t length, int damaged)
{
	struct helper_frame frame = {.bytes = request.segment, .direction = direction & 1};
	size_t bytes;

	spares_fill();
	bytes = request_make(direction, message, length);
	frame.frame_bytes = frame.tcp_bytes = bytes;
	frame.carrier = flow.protocol == HELPER_L2TP_IP ? HELPER_OVER_IP : HELPER_OVER_UDP;
	if (!process_answer(&request, offsetof(struct helper_request, segment) + bytes, &answer))
		abort();
	if (!helper_validate_answer(&flow, &frame, &answer, sizeof(answer)))
		helper_flow_update(&flow, &answer);
	else if (!damaged)
		abort();
	if (damaged)
		flow.state[length % sizeof(flow.state)] ^= (uint8_t)(1 + direction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int damaged;

	if (!size)
		return 0;
	memset(&flow, 0, sizeof(flow));
	next_spare = 1000;
	flow.protocol = data[0] & 4 ? HELPER_L2TP_OWN : data[0] & 1 ? HELPER_L2TP_IP : HELPER_L2TP;
	damaged = data[0] >> 1 & 1;
	data++;
	size--;
	for (int i = 0; i < MESSAGES_MAX && size >= 3; i++) {
		size_t length = (size_t)(data[1] << 8 | data[2]);

		if (length > size - 3)
			length = size - 3;
		say(data[0], data + 3, length, damaged);
		data += 3 + length;
		size -= 3 + length;
	}
	return 0;
}
