/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A helper that has been taken over and lies in every field. It may spoil the
 * connection that it was asked about; nothing else may change.
 */
#include <sys/socket.h>

#include "tests/unit/test_helper_gateway.h"

/* A flow with one armed id and a frame of 40 payload bytes, all 0x77. */
struct scene {
	struct helper_flow flow;
	struct helper_frame frame;
	uint8_t bytes[LINK_BYTES + 60];
	struct helper_answer answer;
};

#define OWN_ID	   0x4000
#define SPARE_ID   0x4100
#define FOREIGN_ID 0x5000

static void scene_set(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	flow_new(&s->flow, SPARE_ID);
	s->flow.ids[s->flow.id_count++] = (struct helper_id){.external_id = OWN_ID, .armed = 1};
	memset(s->bytes, 0x77, sizeof(s->bytes));
	segment_make(s->bytes + LINK_BYTES, 1, 1, TCP_ACK, s->bytes, 0);
	s->frame = (struct helper_frame){.bytes = s->bytes,
					 .frame_bytes = sizeof(s->bytes),
					 .tcp_offset = LINK_BYTES,
					 .tcp_bytes = 60};
	s->answer = (struct helper_answer){.magic = HELPER_PROTOCOL_MAGIC, .edit_count = 1};
	s->answer.edits[0] = (struct helper_edit){
		.offset = 12, .length = 2, .old_bytes = {0x77, 0x77}, .new_bytes = {1, 2}};
	s->answer.claims[s->answer.claim_count++] =
		(struct helper_claim){.kind = HELPER_CLAIM_RESERVE, .external_id = SPARE_ID};
	s->answer.claims[s->answer.claim_count++] = (struct helper_claim){
		.kind = HELPER_CLAIM_ARM, .external_id = SPARE_ID, .inside_id = 1};
}

static int scene_check(const struct scene *s)
{
	return helper_validate_answer(&s->flow, &s->frame, &s->answer, sizeof(s->answer));
}

/* Each lie changes one thing of an honest answer. */
#define LIE(name, error, ...)                                                                      \
	static int lie_##name(struct scene *s)                                                     \
	{                                                                                          \
		struct helper_answer *a = &s->answer;                                              \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		(void)a;                                                                           \
		return error;                                                                      \
	}
#include "tests/unit/test_hostile_lies.def"
#undef LIE

static const struct {
	const char *name;
	int (*tell)(struct scene *s);
} lies[] = {
#define LIE(name, error, ...) {#name, lie_##name},
#include "tests/unit/test_hostile_lies.def"
#undef LIE
};
#define LIES (sizeof(lies) / sizeof(lies[0]))

static void honest_answer_passes(void **state)
{
	struct scene s;

	scene_set(&s);
	assert_int_equal(scene_check(&s), 0);
	helper_flow_update(&s.flow, &s.answer);
	assert_int_equal(s.flow.id_count, 2);
	assert_int_equal(s.flow.spare_count, HELPER_SPARE_IDS - 1);
}

static void every_lie_is_refused(void **state)
{
	for (size_t i = 0; i < LIES; i++) {
		struct scene s, before;
		int error;

		scene_set(&s);
		error = lies[i].tell(&s);
		before = s;
		if (scene_check(&s) != error)
			print_error("%s\n", lies[i].name);
		assert_int_equal(scene_check(&s), error);
		assert_memory_equal(&before, &s, sizeof(s));
	}
}

static void datagram_of_another_length(void **state)
{
	struct scene s;

	scene_set(&s);
	for (size_t n = 0; n < sizeof(s.answer) + 2; n += n < 64 ? 1 : 97)
		assert_int_equal(helper_validate_answer(&s.flow, &s.frame, &s.answer, n), -EPROTO);
}

/* Random answers: refused, or within the flow's own ids. */
static void random_claims(void **state)
{
	srand(1723);
	for (int round = 0; round < 20000; round++) {
		struct scene s;

		scene_set(&s);
		s.answer.claim_count = (uint16_t)(rand() % 6);
		for (size_t i = 0; i < s.answer.claim_count; i++) {
			s.answer.claims[i].kind = (uint8_t)(1 + rand() % 5);
			s.answer.claims[i].external_id =
				(uint16_t)(rand() % 4 ? SPARE_ID + rand() % 9 : OWN_ID);
		}
		if (scene_check(&s))
			continue;
		helper_flow_update(&s.flow, &s.answer);
		assert_in_range(s.flow.id_count, 0, HELPER_SPARE_IDS + 1);
		for (size_t i = 0; i < s.flow.id_count; i++)
			assert_true(s.flow.ids[i].external_id == OWN_ID ||
				    s.flow.ids[i].external_id - SPARE_ID < HELPER_SPARE_IDS);
	}
}

/* --- checksum -------------------------------------------------------------------------- */

static uint16_t sum_of(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Edits at even and odd places leave the checksum true; a partial one is left alone. */
static void checksum_follows_the_edits(void **state)
{
	for (uint16_t offset = 0; offset < 36; offset++)
		for (uint8_t length = 1; length <= HELPER_EDIT_BYTES; length++) {
			struct scene s;
			uint8_t *tcp = s.bytes + LINK_BYTES;
			struct helper_edit e = {.offset = offset,
						.length = length,
						.old_bytes = {0x77, 0x77, 0x77, 0x77},
						.new_bytes = {0xff, 0, (uint8_t)offset, 0x78}};
			uint16_t sum;

			scene_set(&s);
			sum = (uint16_t)~sum_of(tcp, 60);
			tcp[16] = (uint8_t)(sum >> 8);
			tcp[17] = (uint8_t)sum;
			helper_edits_apply(&s.frame, &e, 1);
			assert_memory_equal(tcp + 20 + offset, e.new_bytes, length);
			assert_int_equal(sum_of(tcp, 60), 0xffff);
			scene_set(&s);
			s.frame.partial_checksum = true;
			helper_edits_apply(&s.frame, &e, 1);
			assert_int_equal(tcp[16] << 8 | tcp[17], 0);
			assert_memory_equal(tcp + 20 + offset, e.new_bytes, length);
		}
}

/* --- through the socket ------------------------------------------------------------------ */

static size_t told; /* set before the fork: the lie that this helper tells */

static int liar_run(int socket)
{
	static struct helper_request request;
	static struct scene s;

	while (recv(socket, &request, sizeof(request), 0) > 0) {
		scene_set(&s);
		s.answer.edit_count = s.answer.claim_count = 0;
		s.answer.id = request.id;
		memset(s.answer.state, 0x66, sizeof(s.answer.state));
		if (told == 0)
			s.answer.magic++;
		else if (told == 1)
			s.answer.edits[s.answer.edit_count++].length = 9;
		else
			s.answer.claims[s.answer.claim_count++] = (struct helper_claim){
				.kind = HELPER_CLAIM_ARM, .external_id = FOREIGN_ID};
		send(socket, &s.answer, sizeof(s.answer), MSG_NOSIGNAL);
	}
	return 0;
}

/* The lie costs its own frame; another flow is not touched; the liar is killed. */
static void lies_through_the_socket(void **state)
{
	for (told = 0; told < 3; told++) {
		struct gateway g;
		struct helper_flow flow, other, flow_before, other_before;

		flow_new(&flow, SPARE_ID);
		flow_new(&other, FOREIGN_ID);
		flow_before = flow;
		other_before = other;
		gateway_start(&g, liar_run);
		gateway_submit(&g, &flow, OUT, 9, TCP_SYN, NULL, 0);
		gateway_wait(&g, &g.answered, 1);
		assert_int_equal(g.reason, HELPER_REASON_bad_answer);
		assert_int_equal(g.claims,
				 1); /* RELEASE_ALL of its own flow: no assistance for it */
		assert_int_equal(flow.flags, HELPER_ENDED | HELPER_PLAIN);
		assert_memory_equal(flow.spare, flow_before.spare, sizeof(flow.spare));
		assert_memory_equal(&other, &other_before, sizeof(other));
		gateway_wait(&g, &g.crashed, 1);
		helper_stop(g.helper);
	}
}

static int babbler_run(int socket)
{
	static struct helper_answer answer = {.magic = HELPER_PROTOCOL_MAGIC, .id = 77};

	while (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) > 0)
		;
	return 0;
}

/* Answers that nobody asked for: killed each time, and soon for good; the daemon is not held up. */
static void babbling_helper(void **state)
{
	struct gateway g;

	gateway_start(&g, babbler_run);
	gateway_wait(&g, &g.disabled, 1);
	assert_int_equal(g.answered, 0);
	helper_stop(g.helper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_answer_passes),
		cmocka_unit_test(every_lie_is_refused),
		cmocka_unit_test(datagram_of_another_length),
		cmocka_unit_test(random_claims),
		cmocka_unit_test(checksum_follows_the_edits),
		cmocka_unit_test(lies_through_the_socket),
		cmocka_unit_test(babbling_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
