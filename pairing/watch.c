/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/watch.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void child_counted(struct child *child, uint64_t now_ms, const struct esp_counters *counters)
{
	struct esp_pair *pair = &child->pair;

	if (counters->in_known) {
		pair->in_packets = later(pair->in_packets, counters->in_packets);
		pair->in_seen_ms = later(pair->in_seen_ms, counters->in_seen_ms);
	}
	if (counters->out_known) {
		pair->out_packets = later(pair->out_packets, counters->out_packets);
		pair->out_seen_ms = later(pair->out_seen_ms, counters->out_seen_ms);
	}
	child->read_ms = now_ms;
}

void child_read(struct esp_pairing *p, struct child *child, uint64_t now_ms)
{
	struct esp_counters counters = {0};

	if (!p->events.read || child->read_ms == now_ms)
		return;
	p->events.read(p->events.context, &child->pair, &counters);
	child_counted(child, now_ms, &counters);
}

uint64_t peer_out_packets(struct esp_pairing *p, struct peer *peer, uint64_t now_ms)
{
	struct child *child;
	uint64_t packets = 0;

	LIST_FOREACH(child, &peer->children, of_peer)
	{
		if (!child->pair.spi_out)
			continue;
		child_read(p, child, now_ms);
		packets += child->pair.out_packets;
	}
	return packets;
}

#define LEAST_SPAN_S 0.2 /* a rate over less is noise */

double peer_out_rate(struct esp_pairing *p, struct peer *peer, uint64_t now_ms)
{
	double span = (double)(now_ms - peer->sampled_ms) / 1000;
	uint64_t packets = peer_out_packets(p, peer, now_ms);
	double now = packets < peer->sampled_packets ? 0 : packets - peer->sampled_packets;

	now /= span < LEAST_SPAN_S ? LEAST_SPAN_S : span;
	return now > peer->sampled_a_second ? now : peer->sampled_a_second;
}

static void child_sample(struct child *child, uint64_t now_ms)
{
	double span = (double)(now_ms - child->sampled_ms) / 1000;
	double rate = (child->pair.in_packets - child->sampled_in) / span;

	child->in_a_second += (rate - child->in_a_second) / 2;
	child->sampled_in = child->pair.in_packets;
	child->sampled_ms = now_ms;
}

void peer_sample(struct esp_pairing *p, struct peer *peer, uint64_t now_ms)
{
	uint64_t packets = peer_out_packets(p, peer, now_ms);
	double span = (double)(now_ms - peer->sampled_ms) / 1000;
	struct child *child;

	if (span <= 0)
		return;
	LIST_FOREACH(child, &peer->children, of_peer)
	{
		child_read(p, child, now_ms);
		if (child->pair.spi_in && now_ms > child->sampled_ms)
			child_sample(child, now_ms);
	}
	double rate = packets < peer->sampled_packets ? 0 : packets - peer->sampled_packets;
	peer->sampled_a_second += (rate / span - peer->sampled_a_second) / 2;
	peer->sampled_packets = packets;
	peer->sampled_ms = now_ms;
}
