/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bench sends, in one struct that the generator's program, the sink's
 * program and their loaders share as read-only data.
 *
 * Flows have the shape of real ones. TCP and UDP: an inside socket talks to
 * many servers, so flow f is socket f / servers to server f % servers, and
 * socket s belongs to inside host s % hosts. ESP and GRE: one tunnel from an
 * inside host to a server of its own (no masquerade can tell two hosts apart
 * that share a server); past SERVERS_MOST tunnels a pair gets one more.
 *
 * Addresses in host order but for `external`; counts are powers of two where
 * their logarithm is kept.
 */
#ifndef WAYLEAVE_BENCH_TRAFFIC_H
#define WAYLEAVE_BENCH_TRAFFIC_H

#include <linux/types.h>

#define INSIDE_BASE	  0x0a010000u /* 10.1.0.0/16 */
#define SERVER_BASE	  0xc6120000u /* 198.18.0.0/15, RFC 2544 */
#define SERVERS_MOST_BITS 17
#define SERVER_PORT	  9000
#define FRAME_LEAST	  60 /* 64 on the wire, with the check sequence */

struct traffic {
	__u8 destination_mac[6];
	__u8 source_mac[6];
	__u32 flows; /* 0: every frame a new one */
	__u32 first_flow;
	__u32 servers_bits; /* per socket, TCP and UDP */
	__u32 hosts_bits;
	__u32 protocol;	   /* 6, 17, 47 (version 1), 50 */
	__u32 frame_bytes; /* without check sequence */
	__u32 sequential;  /* 0: flows in random order */
	__be32 external;   /* what the sink has to see as source; 0: the inside host */
};

/* Per processor; the sum counts. */
struct tally {
	__u64 frames;
	__u64 bytes;
	__u64 bad;   /* checksum, address, id or payload wrong */
	__u64 other; /* not the bench's: ARP and the like */
};

#endif
