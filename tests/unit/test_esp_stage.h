/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway around the ESP pairing, for its unit tests: records as the data plane has
 * them, hosts and one server that exchange IKE messages and ESP packets, a clock.
 * Included by one test program, after cmocka.
 */
#ifndef WAYLEAVE_TEST_ESP_STAGE_H
#define WAYLEAVE_TEST_ESP_STAGE_H

#include <string.h>

#include "pairing/esp.h"

#define SERVER	      0x01020304u
#define RECORDS	      4096
#define IN_SPI(h, n)  ((uint32_t)(h) << 16 | 0x1000u | (n))
#define OUT_SPI(h, n) ((uint32_t)(h) << 16 | 0x9000u | (n))

struct record {
	uint32_t spi, inside;
	uint64_t packets, seen_ms;
};

struct stage {
	struct esp_pairing *pairing;
	uint64_t now_ms;
	struct record in[RECORDS], out[RECORDS];
	unsigned wrong, settled, ended, twice;
	uint32_t twice_other;
	struct esp_pair last;
};

/* --- the gateway around it -------------------------------------------------------------------- */

static struct record *record_of(struct record *records, uint32_t spi)
{
	for (unsigned i = 0; i < RECORDS; i++)
		if (records[i].spi == spi)
			return &records[i];
	return NULL;
}

static void record_set(struct record *records, uint32_t spi, uint32_t inside)
{
	struct record *r = record_of(records, spi);

	if (!r)
		r = record_of(records, 0);
	assert_non_null(r);
	r->spi = spi;
	r->inside = inside;
}

static void on_bound(void *context, const struct esp_pair *pair)
{
	struct stage *s = context;

	s->last = *pair;
	if (pair->spi_in) {
		record_set(s->in, pair->spi_in, pair->inside);
		s->wrong += pair->spi_in >> 16 != pair->inside;
		s->settled += pair->state == ESP_SETTLED;
	}
	if (pair->spi_out)
		record_set(s->out, pair->spi_out, pair->inside);
}

static void on_rebound(void *context, const struct esp_pair *pair, uint32_t before)
{
	assert_int_not_equal(pair->inside, before);
	on_bound(context, pair);
}

static void on_ended(void *context, const struct esp_pair *pair, enum esp_end why)
{
	struct stage *s = context;
	struct record *in = pair->spi_in ? record_of(s->in, pair->spi_in) : NULL;
	struct record *out = pair->spi_out ? record_of(s->out, pair->spi_out) : NULL;

	(void)why;
	s->ended++;
	if (in)
		*in = (struct record){0};
	if (out)
		*out = (struct record){0};
}

static void on_twice(void *context, const struct esp_pair *pair, uint32_t other)
{
	struct stage *s = context;

	(void)pair;
	s->twice++;
	s->twice_other = other;
}

static void on_read(void *context, const struct esp_pair *pair, struct esp_counters *counters)
{
	struct stage *s = context;
	const struct record *in = pair->spi_in ? record_of(s->in, pair->spi_in) : NULL;
	const struct record *out = pair->spi_out ? record_of(s->out, pair->spi_out) : NULL;

	*counters = (struct esp_counters){.in_known = in, .out_known = out};
	if (in) {
		counters->in_packets = in->packets;
		counters->in_seen_ms = in->seen_ms;
	}
	if (out) {
		counters->out_packets = out->packets;
		counters->out_seen_ms = out->seen_ms;
	}
}

static struct esp_pairing *pairing_for(struct stage *s, const struct esp_options *options)
{
	struct esp_events events = {on_bound, on_rebound, on_ended, on_twice, on_read, s};

	return esp_pairing_new(options, &events);
}

static int begin(void **state)
{
	static struct stage stage;
	struct esp_options options = {0};

	memset(&stage, 0, sizeof(stage));
	stage.now_ms = 100000;
	stage.pairing = pairing_for(&stage, &options);
	*state = &stage;
	return stage.pairing ? 0 : -1;
}

static int end(void **state)
{
	struct stage *s = *state;

	esp_pairing_free(s->pairing);
	return 0;
}

/* Lets time pass, ticks included. */
static void pass(struct stage *s, uint64_t ms)
{
	uint64_t until = s->now_ms + ms;

	while (esp_pairing_next_ms(s->pairing) <= until) {
		uint64_t next = esp_pairing_next_ms(s->pairing);

		s->now_ms = next > s->now_ms ? next : s->now_ms + 1;
		esp_pairing_tick(s->pairing, s->now_ms);
	}
	s->now_ms = until > s->now_ms ? until : s->now_ms;
}

static void out(struct stage *s, unsigned host, unsigned number, uint32_t sequence)
{
	uint32_t spi = OUT_SPI(host, number);
	struct record *r = record_of(s->out, spi);
	enum esp_reason reason;

	if (!r)
		assert_int_equal(esp_pairing_outbound(s->pairing, s->now_ms, host, SERVER, spi,
						      sequence, &reason),
				 ESP_PASS);
	r = record_of(s->out, spi);
	assert_non_null(r);
	r->packets++;
	r->seen_ms = s->now_ms;
}

/* As the data plane does: a record forwards, but shows sequence number 1. */
static struct esp_decision in(struct stage *s, uint32_t spi, uint32_t sequence)
{
	struct esp_decision d = {.verdict = ESP_BIND, .count = 1};
	struct record *r = record_of(s->in, spi);

	if (!r || sequence == 1)
		esp_pairing_inbound(s->pairing, s->now_ms, SERVER, spi, sequence, &d);
	else
		d.inside[0] = r->inside;
	if ((r = record_of(s->in, spi))) {
		r->packets++;
		r->seen_ms = s->now_ms;
	}
	return d;
}

static bool goes_to(const struct esp_decision *d, unsigned host)
{
	for (unsigned i = 0; i < d->count; i++)
		if (d->inside[i] == host)
			return true;
	return false;
}

static void assert_bound(struct stage *s, uint32_t spi, unsigned host)
{
	const struct record *r = record_of(s->in, spi);

	assert_non_null(r);
	assert_int_equal(r->inside, host);
}

static void count_pair(void *context, const struct esp_pair *pair)
{
	unsigned *count = context;

	(void)pair;
	(*count)++;
}

static bool count_visit(void *context, const struct esp_pair *pair)
{
	count_pair(context, pair);
	return true;
}

static unsigned pairs(const struct stage *s)
{
	unsigned count = 0;

	esp_pairing_each(s->pairing, count_visit, &count);
	return count;
}

/* --- IKE ---------------------------------------------------------------------------- */

enum {
	INIT = 34,
	AUTH = 35,
	CREATE = 36,
	INFO = 37,
	QUICK = 32,
	RESPONSE = 0x20,
	SK = 46,
	SKF = 53
};

static void message(struct stage *s, unsigned host, uint8_t exchange, uint32_t id, bool response,
		    enum esp_direction direction, uint8_t next_payload)
{
	struct esp_ike_header h = {.spi_initiator = 0xa0000 + host,
				   .spi_responder =
					   exchange == INIT && !response ? 0 : 0xb0000 + host,
				   .version = 0x20,
				   .exchange = exchange,
				   .next_payload = next_payload,
				   .flags = response ? RESPONSE : 0,
				   .message_id = id,
				   .length = 200};

	esp_pairing_ike(s->pairing, s->now_ms, host, SERVER, &h, direction);
}

#define WAY_MS 40 /* to the server and back */

/* By the client: request out, answer in; by the server the other way round. */
static void exchange(struct stage *s, unsigned host, uint8_t type, uint32_t id, bool by_server)
{
	message(s, host, type, id, false, by_server ? ESP_INBOUND : ESP_OUTBOUND, SK);
	pass(s, by_server ? 3 : WAY_MS);
	message(s, host, type, id, true, by_server ? ESP_OUTBOUND : ESP_INBOUND, SK);
}

static void dial_init(struct stage *s, unsigned host)
{
	message(s, host, INIT, 0, false, ESP_OUTBOUND, 33);
	pass(s, WAY_MS);
	message(s, host, INIT, 0, true, ESP_INBOUND, 33);
	pass(s, 5);
}

static void dial(struct stage *s, unsigned host)
{
	dial_init(s, host);
	exchange(s, host, AUTH, 1, false);
	pass(s, 2);
}

static void quick(struct stage *s, unsigned host, uint32_t id, bool by_server, int step)
{
	struct esp_ike_header h = {.spi_initiator = 0xc0000 + host,
				   .spi_responder = 0xd0000 + host,
				   .version = 0x10,
				   .exchange = QUICK,
				   .flags = 1,
				   .message_id = id};

	esp_pairing_ike(s->pairing, s->now_ms, host, SERVER, &h,
			by_server ^ (step == 1) ? ESP_INBOUND : ESP_OUTBOUND);
}

/* Both directions of a pair, answered within milliseconds, for a while. */
static void talk(struct stage *s, unsigned host, unsigned number, uint32_t sequence, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct esp_decision d = in(s, IN_SPI(host, number), sequence + i);

		assert_true(goes_to(&d, host));
		pass(s, 3);
		out(s, host, number, sequence + i);
		pass(s, 27);
	}
}

static void up(struct stage *s, unsigned host)
{
	dial(s, host);
	out(s, host, 0, 1);
	pass(s, WAY_MS);
	talk(s, host, 0, 1, 100);
	assert_bound(s, IN_SPI(host, 0), host);
}

#endif
