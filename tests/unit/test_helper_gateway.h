/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon's part in small: one helper, flows, and a loop that waits for what happens. */
#ifndef WAYLEAVE_TESTS_TEST_HELPER_GATEWAY_H
#define WAYLEAVE_TESTS_TEST_HELPER_GATEWAY_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/client.h"
#include "tests/unit/test_pptp_peers.h"

#define LINK_BYTES 34 /* Ethernet and IPv4: opaque here */

struct gateway {
	struct helper *helper;
	unsigned int answered, crashed, disabled, orphaned, claims;
	enum helper_verdict verdict;
	enum helper_reason reason;
	uint8_t frame[2048]; /* the last one answered */
	uint64_t cookie;
	uint64_t clock_ns; /* added to the time */
};

static inline uint64_t gateway_now(const struct gateway *g)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return g->clock_ns + (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void gateway_answered(void *context, struct helper_flow *flow,
				    const struct helper_result *result)
{
	struct gateway *g = context;

	g->answered++;
	g->verdict = result->verdict;
	g->reason = result->reason;
	g->cookie = result->frame->cookie;
	g->claims += result->claim_count;
	memcpy(g->frame, result->frame->bytes, result->frame->frame_bytes);
}

static inline void gateway_happened(void *context, enum helper_event event, int status)
{
	struct gateway *g = context;

	g->crashed += event == HELPER_CRASHED;
	g->disabled += event == HELPER_DISABLED;
	g->orphaned += event == HELPER_ORPHANED;
}

/* Serves until *counter is `wanted`; fails after 5 s. */
static inline void gateway_wait(struct gateway *g, const unsigned int *counter, unsigned int wanted)
{
	struct pollfd fd = {.fd = helper_fd(g->helper), .events = POLLIN};
	uint64_t until = gateway_now(g) + 5000000000u;

	while (*counter < wanted) {
		assert_true(gateway_now(g) < until);
		poll(&fd, 1, 20);
		helper_serve(g->helper, gateway_now(g));
	}
	assert_int_equal(*counter, wanted);
}

/* The pid of a helper that is not `old`. */
static inline pid_t gateway_helper(struct gateway *g, pid_t old)
{
	uint64_t until = gateway_now(g) + 5000000000u;

	while (helper_pid(g->helper) == 0 || helper_pid(g->helper) == old) {
		struct pollfd fd = {.fd = helper_fd(g->helper), .events = POLLIN};

		assert_true(gateway_now(g) < until);
		poll(&fd, 1, 20);
		helper_serve(g->helper, gateway_now(g));
	}
	return helper_pid(g->helper);
}

static inline void gateway_start(struct gateway *g, int (*run)(int socket))
{
	struct helper_options options = {
		.context = g, .answered = gateway_answered, .happened = gateway_happened};

	memset(g, 0, sizeof(*g));
	assert_int_equal(run ? helper_start_running(&g->helper, &options, run)
			     : helper_start(&g->helper, &options),
			 0);
}

static inline void flow_new(struct helper_flow *flow, uint16_t first_spare)
{
	memset(flow, 0, sizeof(*flow));
	flow->protocol = HELPER_PPTP;
	flow->spare_count = HELPER_SPARE_IDS;
	for (uint16_t i = 0; i < HELPER_SPARE_IDS; i++)
		flow->spare[i] = (uint16_t)(first_spare + i);
}

static inline int gateway_submit(struct gateway *g, struct helper_flow *flow,
				 enum helper_direction way, uint32_t seq, uint8_t flags,
				 const void *payload, size_t bytes)
{
	static uint8_t frame[2048];
	struct helper_frame f = {
		.bytes = frame, .tcp_offset = LINK_BYTES, .direction = way, .cookie = seq};

	memset(frame, 0xee, LINK_BYTES);
	f.tcp_bytes = segment_make(frame + LINK_BYTES, seq, 0, flags, payload, bytes);
	f.frame_bytes = LINK_BYTES + f.tcp_bytes;
	return helper_submit(g->helper, flow, &f, gateway_now(g));
}

#endif
