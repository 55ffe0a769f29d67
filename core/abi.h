/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the data plane and the daemon share in memory: records, next hops,
 * configuration, counters and the header of a punted frame.
 *
 * All of it lives in mmapable BPF arrays, so both sides read and write the
 * same bytes. Addresses, ports and ids are in network byte order; times are
 * ticks of the data plane's clock (`config.hz` per second, wraps); lengths are
 * bytes. A change of any layout here, or of where a key lies in the table
 * (core/key.h), needs a new ABI_VERSION.
 */
#ifndef WAYLEAVE_CORE_ABI_H
#define WAYLEAVE_CORE_ABI_H

#include <linux/types.h>

#define ABI_VERSION 5

/* --- reasons -------------------------------------------------------------------- */
enum reason_kind { REASON_FORWARD, REASON_GATEWAY, REASON_SLOW, REASON_DROP, REASON_EVENT };

#define REASON(name, kind, rfc, sentence) REASON_##name,
enum reason {
#include "core/reason.def"
	REASON_COUNT
};
#undef REASON

/* --- classes: what the passthrough switches and `show vpn` tell apart -------------- */
enum flow_class {
	CLASS_PLAIN,
	CLASS_PPTP,	 /* tcp to port 1723, GRE version 1 */
	CLASS_L2TP,	 /* udp to or from port 1701, protocol 115 */
	CLASS_IPSEC,	 /* udp 500 and 4500, protocols 50 and 51 */
	CLASS_WIREGUARD, /* seen, never touched or blocked */
	CLASS_OPENVPN,	 /* seen, never touched or blocked */
	CLASS_TUNNEL,	 /* other tunnels one-to-one: GRE version 0, IPIP, 6in4, EtherIP */
	CLASS_COUNT
};

/* --- timers ----------------------------------------------------------------------- */
enum timeout {
	TIMEOUT_UDP,
	TIMEOUT_TCP_OPENING,
	TIMEOUT_TCP_ESTABLISHED,
	TIMEOUT_TCP_CLOSING,
	TIMEOUT_ICMP,
	TIMEOUT_ESP,
	TIMEOUT_GRE,
	TIMEOUT_OTHER,
	TIMEOUT_IKE, /* udp 500 and 4500: IKE, and ESP in UDP */
	TIMEOUT_L2TP,
	TIMEOUT_WIREGUARD,
	TIMEOUT_OPENVPN, /* over UDP; over TCP it is a connection as any */
	TIMEOUT_COUNT,
	TIMEOUT_SLOTS = 16 /* a power of two, so that an index is bounded by a mask */
};

/* --- records ------------------------------------------------------------------------ */
/*
 * One table holds every object that is looked up by key. The kind says which
 * member of the record's union counts, and which side `local` is:
 *
 *   SESSION_ORIG      inside host  -> remote    one direction of a session
 *   SESSION_REPLY     external     <- remote    the other one (partner)
 *   MAPPING_INSIDE    inside host, id           -> external id (partner)
 *   MAPPING_EXTERNAL  external, id              owns the external id
 *                     external, remote, GRE     the inside host that has GRE with the remote
 *   PERMIT            external, id, bucket      remotes that the mapping has contacted
 *   HOST              inside host               its quota
 *   STATION           MAC address, interface    the same, of all its hosts: core/station.h
 *   REMOTE            remote                    the same, of what it begins: core/remote.h
 *   NEXT_HOP          ifindex, address, MTU     -> index into next_hops
 *   QUOTED            as the session, with the id that the far end chose: what an
 *                     ICMP error quotes of an armed tunnel; a copy of the session
 *   SHARED            as a reply, with an id from inside the payload: whose session it is
 *                     when several inside sockets have one external port (IKE, L2TP)
 *   CLAIM             external, remote          an inside host has a tunnel with the remote:
 *                     what cannot be told apart here may be asked of the daemon
 *   FRAGMENT          as the session; IP id     where the pieces of a datagram go
 *   FRAGMENT_ID       external, remote, IP id   owns the IP id that the pieces leave with
 */
enum record_kind {
	KIND_SESSION_ORIG = 1,
	KIND_SESSION_REPLY,
	KIND_MAPPING_INSIDE,
	KIND_MAPPING_EXTERNAL,
	KIND_PERMIT,
	KIND_HOST,
	KIND_NEXT_HOP,
	KIND_QUOTED,
	KIND_FRAGMENT,
	KIND_FRAGMENT_ID,
	KIND_SHARED,
	KIND_CLAIM,
	KIND_REMOTE,
	KIND_STATION,
};

/* What `id` of a key means. */
enum id_type {
	ID_NONE,    /* the protocol's only flow between the two addresses */
	ID_PORTS,   /* remote port, local port; ICMP query: 0, identifier */
	ID_SPI,	    /* ESP, RFC 4303 section 2.1: the receiver's */
	ID_CALL,    /* GRE version 1, RFC 2637 section 4.1: the receiver's call id */
	ID_KEY,	    /* GRE version 0, RFC 2890 section 2.1 */
	ID_IKE,	    /* KIND_SHARED: both halves of the initiator's SPI or cookie, xored */
	ID_TUNNEL,  /* KIND_SHARED: L2TPv2 tunnel id, RFC 2661 section 3.1: the receiver's */
	ID_SESSION, /* L2TPv3 over IP, RFC 3931 section 4.1.1: the receiver's session id */
	ID_CONTROL, /* L2TPv3 over IP, session 0: the receiver's control connection id */
};

struct record_key {
	__be32 remote;
	__be32 local;
	union {
		struct {
			__be16 remote_id;
			__be16 local_id;
		};
		__be32 id; /* SPI, GRE key; call id in local_id */
	};
	__u8 protocol;
	__u8 kind;
	__u8 id_type;
	__u8 zero;
} __attribute__((aligned(8))); /* read and compared as two words */

/*
 * Life of a record, in the low bits of `control`. Only LIVE is found by
 * look-ups. A slot goes FREE -> BUSY -> WANTED -> CLAIMED -> LIVE -> DEAD -> FREE
 * (core/table.h: who may take which step); the last step is the sweeper's, a grace
 * period after DEAD. Above the state: the count of references (mappings: sessions
 * that use the external id).
 */
enum record_state { SLOT_FREE, SLOT_BUSY, SLOT_WANTED, SLOT_CLAIMED, SLOT_LIVE, SLOT_DEAD };
#define CONTROL_STATE_MASK 7u
#define CONTROL_REFERENCE  8u /* one reference */

/* session.flags */
#define SESSION_HELPER	0x01 /* payload goes through the helper */
#define SESSION_LOCAL	0x02 /* the gateway's own flow: up the stack, untouched */
#define SESSION_HAIRPIN 0x04 /* the remote is one of our external addresses */
#define SESSION_STATIC	0x08 /* armed by the daemon: the daemon alone ends it */
#define SESSION_REPLIED 0x10 /* the remote has answered */
#define SESSION_WATCHED 0x20 /* the daemon, while it lives, sees each packet before it goes on */
#define SESSION_SHARED	0x40 /* reply: ids behind the port count, see KIND_SHARED */
#define SESSION_STUDIED 0x80 /* headers of the tunnel in it are looked at: core/study.h */

struct session {
	__be32 new_local;    /* what `local` becomes: external address or inside host */
	__be16 new_id;	     /* what local_id becomes; unused with ID_NONE and ID_SPI */
	__u16 next_hop;	     /* index into next_hops: where this direction leaves */
	__u16 address_delta; /* RFC 1624: to add to a checksum over the address */
	union {
		struct {
			__u8 class : 4;	     /* enum flow_class */
			__u8 taken_over : 1; /* SESSION_ORIG: ended by the data plane */
			__u8 inbound : 1;    /* begun by the remote: whose budget it is */
			/* SESSION_STUDIED: data has passed in this direction since the set-up */
			__u8 carried : 1;
			__u8 moved : 1; /* the same, since the daemon last looked */
		};
		__u8 class_byte; /* the whole byte */
	};
	__u8 timeout; /* enum timeout */
	union {
		__u8 tcp_state; /* enum tcp_state, of the whole session; kept equal in both */
		__u8 rekeys;	/* SESSION_STUDIED, UDP: handshakes in this direction; wraps */
	};
	__u8 flags;
	__u16 route_generation; /* when next_hop was chosen, and by where: route_stamp() */
	__u32 last_seen;
	__u32 created;
	union {
		__u64 packets;
		struct { /* TCP; read both by session_packets() */
			__u32 tcp_packets;
			__u32 tcp_next; /* host order: behind the last byte that passed; 0: none */
		};
	};
	__u64 bytes; /* layer 3 */
};

/* mapping.flags */
#define MAPPING_STATIC 0x01 /* port forward: lives until the settings change */
#define MAPPING_OPEN   0x02 /* port forward: any remote may begin */
#define MAPPING_LOCAL  0x04 /* the gateway's own socket: nobody else may have the id */
#define MAPPING_LISTENS                                                                            \
	0x10 /* MAPPING_LOCAL: a TCP socket that only listens; a forward may take it */
#define MAPPING_CROWDED 0x08 /* GRE: further inside hosts have the protocol with the remote */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MAPPING_INBOUND_ONE 0x10000u /* one, in mapping.inbound_word */
#else
#define MAPPING_INBOUND_ONE 1u
#endif

#define MAPPING_REMOTES 4 /* further ones have PERMIT records */

struct mapping {
	__be32 new_local; /* MAPPING_INSIDE: external address; MAPPING_EXTERNAL: inside host */
	__be16 new_id;
	__u8 flags;
	__u8 class;
	__u32 last_seen;
	__u32 created;
	union {
		struct {
			__u8 timeout;	   /* enum timeout: of the last session that was hit */
			__u8 strange_keys; /* GRE: that the remote may still introduce */
			__u16 inbound;	   /* MAPPING_EXTERNAL: sessions that remotes began */
		};
		__u32 inbound_word; /* inbound is changed as part of it, by atomic addition */
	};
	__be32 remotes[MAPPING_REMOTES]; /* MAPPING_EXTERNAL: contacted; 0: free */
	union {
		__u32 released; /* ID_PORTS: tick when its last session ended: quarantine */
		__u32 crowded;	/* MAPPING_CROWDED: when a further host was seen */
	};
};

/* The remotes of one mapping whose addresses fall into the same bucket. */
#define PERMIT_REMOTES 8
#define PERMIT_BUCKETS 16

struct permit {
	__u32 last_seen;
	__be32 remotes[PERMIT_REMOTES]; /* 0: free */
	__u8 timeout;			/* enum timeout */
	__u8 reserved[3];
};

/* Of KIND_HOST, KIND_REMOTE and KIND_STATION. */
struct host {
	__u32 mappings;
	__u32 sessions;
	__u32 tokens;	/* of the new-session rate limit, 1/1024 of a session */
	__u32 refilled; /* tick of the last refill */
	__u32 last_seen;
	__u32 created;
	__u32 told;	  /* tick when a refusal was last answered by ICMP */
	__u32 station;	  /* HOST: index of its STATION record; NO_RECORD: none yet */
	__u32 hosts;	  /* STATION: inside addresses with a record */
	__u32 neighbours; /* STATION: next hops made for it */
};

struct next_hop_index {
	__u16 index;
	__u8 reserved[38];
};

/* Of something that has a rate (core/budget.h). */
struct bucket {
	__u32 tokens;	/* 1/1024 of a packet */
	__u32 refilled; /* tick of the last refill; 0: never used, full */
};

/* What is unknown and from outside has its own rate for each remote. */
struct claim {
	struct bucket bucket;
	__u32 last_seen; /* tick: when there was live state for sure */
	__be32 inside;	 /* the host that has it; 0: not known, or several have */
	__u8 several;	 /* bool */
	__u8 reserved[23];
};

struct shared {
	__u32 session; /* index of the SESSION_REPLY record */
	__u32 last_seen;
	__be32 inside; /* the host that holds the id: no later session in that place inherits it */
	__be16 new_id; /* ID_TUNNEL: what the inside host calls the tunnel; 0: the same */
	__u8 reserved[26];
};

enum fragment_state {
	FRAGMENT_WAITING,  /* later pieces came first: the daemon holds them */
	FRAGMENT_KNOWN,	   /* the first piece has named the session */
	FRAGMENT_POISONED, /* pieces overlap: none passes any more (RFC 5722, RFC 1858) */
	FRAGMENT_LOCAL, /* by our external address to the gateway itself, not to an inside host */
};

#define FRAGMENT_RANGES 6
#define FRAGMENT_SHARES 64 /* a power of two: senders are counted by their hash */

/* Pieces of one datagram. Ranges are in units of 8 bytes; start == end: unused. */
struct fragments {
	__u32 session; /* index of the session's record in this direction */
	__u32 last_seen;
	__be16 new_ip_id;
	__u8 state; /* enum fragment_state */
	__u8 reserved;
	__u16 total; /* end of the last piece; 0: not seen */
	__u16 start[FRAGMENT_RANGES];
	__u16 end[FRAGMENT_RANGES];
	__u16 reserved2;
};

struct record {
	struct record_key key;
	__u32 control; /* state and references; changed by compare-and-swap only */
	__u32 partner; /* index of the other record of the pair; NO_RECORD: none */
	union {
		struct session session;
		struct mapping mapping;
		struct permit permit;
		struct host host;
		struct next_hop_index next_hop_index;
		struct fragments fragments;
		struct claim claim;
		struct shared shared;
	};
};

#define NO_RECORD     0xffffffffu
#define RECORDS_A_SET 8 /* ways; a set is one entry of the map */

struct record_set {
	struct record way[RECORDS_A_SET];
};

/* Of each record a byte of its key's hash; 0: free. See core/table.h. */
struct set_tags {
	union {
		__u64 word;
		__u8 way[RECORDS_A_SET];
	};
};

_Static_assert(sizeof(struct record_key) == 16, "a key is two words");
_Static_assert(sizeof(struct session) == 40, "a session fills its record");
_Static_assert(sizeof(struct mapping) == 40, "a mapping fills its record");
_Static_assert(sizeof(struct permit) == 40, "a permit fills its record");
_Static_assert(sizeof(struct fragments) == 40, "fragments fill their record");
_Static_assert(sizeof(struct claim) == 40, "a claim fills its record");
_Static_assert(sizeof(struct shared) == 40, "a shared port's entry fills its record");
_Static_assert(sizeof(struct record) == 64, "a record is one cache line");
_Static_assert(sizeof(struct set_tags) == 8, "a set's tags are one word");

/* --- next hops ---------------------------------------------------------------------- */
/* next_hop.flags */
#define NEXT_HOP_RESOLVED 0x01 /* the MAC addresses are known */
#define NEXT_HOP_BARE	  0x02 /* the device has no Ethernet header */
#define NEXT_HOP_INSIDE	  0x04 /* on a LAN interface */
#define NEXT_HOP_XDP	  0x08 /* the device takes frames that XDP redirects */

/* Index 0 is never used. A free entry has ifindex 0. */
struct next_hop {
	union {
		struct {
			__u8 destination[6];
			__u16 mtu; /* of the routes that lead here: another MTU, another next hop */
		};
		__u64 to; /* the two: core/shared_words.h */
	};
	union {
		struct {
			__u8 source[6];
			__u8 flags;
			__u8 reserved;
		};
		__u64 from;
	};
	__u32 ifindex;
	__be32 address;	   /* the neighbour's; 0.0.0.0 on a device without neighbours */
	__u32 last_chosen; /* tick */
	__u32 reserved2;
};
#define NEXT_HOPS 4096
_Static_assert(sizeof(struct next_hop) == 32, "two next hops a cache line");

/* --- the kernel's routing: core/query.h, known_route.h, route_mtu.h, marked_route.h ---- */
/*
 * What the routing table is asked, as Linux asks it for a packet that it forwards: the
 * interface that it came from, and its header as the inside knows it. Compared as words.
 */
struct query {
	union {
		struct {
			__be32 destination;
			__u32 ifindex;
			__be32 source;
			__be16 source_port, destination_port; /* TCP and UDP only */
			__u8 protocol;
			__u8 tos;
			__u8 zero[6];
		};
		__u64 word[3];
	};
};
#define ASKED_WORDS 2 /* the words that config.asked masks */

/* What the table has lately answered. */
struct known_route {
	__u64 query[3];
	__u64 answer; /* tick, route_generation, next hop: scrambled by the query */
};
#define KNOWN_ROUTES 4096

/*
 * The daemon's copy of each route with an MTU of its own, and of the more specific ones of
 * its table with the same next hop; table by table, the most specific first. The kernel's
 * look-up says neither which table it found the route in nor an MTU that is not locked.
 */
struct route_mtu {
	__be32 prefix, mask;
	__u32 ifindex;
	__be32 next_hop; /* 0: the destination itself */
	__u32 priority;
	__u32 table;
	__u16 mtu; /* bytes, layer 3; 0: the interface's */
	__u8 length;
	__u8 reserved[5];
};
#define ROUTE_MTUS 64

/*
 * Packets that a rule would send by another way than the WAN if a firewall had marked
 * them, which happens behind the data plane's hooks. Ports in host order; a range of 0 to
 * 0 is any. ifindex 0: every interface but the WAN.
 */
struct marked_route {
	__u32 ifindex;
	__be32 source, source_mask;
	__be32 destination, destination_mask;
	__u16 source_first, source_last, destination_first, destination_last;
	__u8 protocol; /* 0: any */
	__u8 tos, tos_mask;
	__u8 reserved;
};
#define MARKED_ROUTES 64
_Static_assert(sizeof(struct query) == 24, "a query is three words");
_Static_assert(sizeof(struct known_route) == 32, "two known routes a cache line");
_Static_assert(sizeof(struct route_mtu) == 32, "two routes a cache line");
_Static_assert(sizeof(struct marked_route) == 32, "two rules a cache line");

/* --- where questions were begun: core/question.h ------------------------------------------ */
#define QUESTION_RING  4096 /* hints in a ring; a power of two */
#define QUESTION_RINGS 16   /* a power of two: hosts are spread by their hash */

struct question_ring {
	__u32 head, tail;	      /* counts of hints written and read; wrap */
	__u32 session[QUESTION_RING]; /* index of a SESSION_ORIG record */
};

/* --- budgets: core/budget.h, and contacts: core/contact.h -------------------------------- */
#define BUDGETS_ROOM  16 /* purposes; their own buckets come first, those of senders behind */
#define BUDGET_ROWS   2
#define BUDGET_SLOTS  4096 /* a power of two */
#define BUCKETS	      (BUDGETS_ROOM + BUDGET_ROWS * BUDGET_SLOTS)
#define CONTACT_ROWS  2
#define CONTACT_SLOTS 16384 /* a power of two */
#define CONTACTS      (CONTACT_ROWS * CONTACT_SLOTS)

/* --- what ICMP says of tunnels: core/complaint.h ---------------------------------------- */
/* The last error about a tunnel: who said what, and when. */
struct complaint {
	__be32 inside, remote; /* whose tunnel; inside 0: never used */
	__be32 from;	       /* who complains: the remote or a router on the way */
	__u32 at;	       /* tick */
	__u8 class;	       /* enum flow_class */
	__u8 type, code;       /* RFC 792, RFC 1812 section 5.2.7 */
	__u8 reserved[5];
};
#define COMPLAINTS 1024 /* a power of two */
_Static_assert(sizeof(struct complaint) == 24, "an entry of an array is whole words");

/* --- interfaces: for the slow path, looked up by ifindex ------------------------------- */
/* interface.flags */
#define INTERFACE_WAN  0x01
#define INTERFACE_LAN  0x02
#define INTERFACE_BARE 0x04 /* no Ethernet header: tun, PPP */
#define INTERFACE_XDP  0x08 /* takes frames that XDP redirects */
struct interface {
	__u32 ifindex;
	__u16 mtu;
	__u8 flags;
	__u8 reserved;
	__u8 mac[6];
	__u8 reserved2[2];
};
#define INTERFACES 64 /* slots of a small array; ifindex 0: free */

/* --- configuration -------------------------------------------------------------------- */
enum filtering { /* same order as the settings */
		 FILTER_ENDPOINT_INDEPENDENT,
		 FILTER_ADDRESS_DEPENDENT,
		 FILTER_ADDRESS_AND_PORT_DEPENDENT,
};

#define CUT_COUNTERS   256 /* a power of two */
#define ROUTED_SUBNETS 8
#define FURTHER_MACS   16

union own_mac {
	struct {
		__u8 mac[6];
		__u16 ifindex; /* its low bits */
	};
	__u64 word;
};

/* Remotes that may begin with the gateway itself on some ports (host order). */
struct allowed {
	__be32 source, mask;
	__u16 first, last;
	__u8 protocol;
	__u8 reserved[3];
};
#define ALLOWED_MAX 16
_Static_assert(sizeof(struct allowed) == 16, "four a cache line");

#define ELSEWHERE 4 /* interfaces */

/* One entry, written by the daemon, read by every packet; one writer at a time. */
struct config {
	/* read at each hit: first cache line */
	__u64 hash_key[2];  /* secret, random at first start, kept over restarts */
	__u32 set_mask;	    /* count of record sets - 1; a power of two less one */
	__u32 blocked;	    /* bit per class */
	__u32 clock_offset; /* ticks; tests move the clock with it */
	__u16 route_generation;
	__u16 mss_clamp;	       /* bytes; 0 off, 1 by the egress MTU */
	__u32 timeouts[TIMEOUT_SLOTS]; /* ticks */
	/* read for new flows */
	__u32 abi_version;
	__be32 external;   /* the WAN address; 0: none */
	__u32 wan_ifindex; /* 0: not there */
	__u32 tap_ifindex; /* slow path */
	__u32 assisted;	   /* bit per class: new control connections get SESSION_HELPER */
	__u32 hz;	   /* ticks per second */
	__u32 mappings_per_host;
	__u32 sessions_per_host;
	__u32 new_per_second; /* per host */
	__u8 filtering_udp;
	__u8 filtering_tcp;
	__u16 wan_mtu;
	__u16 own_port_first, own_port_last; /* host order: the gateway's own, never mapped */
	__u32 sessions_limit;
	__u64 instance; /* random; names the instance in its maps, for adoption */
	/* sessions of inside hosts; up in the data plane, down in the sweeper */
	__u32 sessions_used;
	/* those of them that remotes began */
	__u32 inbound_used;
	/* mappings that hosts pay for; next hops */
	__u32 mappings_used;
	__u32 next_hops_used;
	/* subnets with many hosts behind one MAC address; mask 0: unused */
	struct {
		__be32 address, mask;
	} routed[ROUTED_SUBNETS];
	/* tick until which the daemon lives for sure; it moves on each second */
	__u32 daemon_until;
	/* datagrams in pieces that are under way: in all, and by their senders */
	__u32 fragments;
	__u32 fragments_of[FRAGMENT_SHARES];
	/* the pair of devices on whose far end packets are cut: where they are sent into it */
	__u32 cut_ifindex;
	__u32 cut_ids[CUT_COUNTERS]; /* written by the data plane: core/cut.h */
	/* the kernel's routing, as far as its look-up does not tell; new flows only */
	__u64 asked[ASKED_WORDS]; /* of struct query's last words the bits that matter; with
				   * rules the source always does */
	/* the last interfaces that took our programs to another network namespace: their ifindexes
	 * there; 0: none */
	__u32 elsewhere[ELSEWHERE];
	__u8 rules;		  /* bool: rules beside the kernel's own three */
	__u8 route_mtus;	  /* entries in use */
	__u8 marked_routes;	  /* the same */
	__u8 allowed_count;	  /* the same */
	__u8 reserved[36];
	/* whom frames are for: core/own_mac.h; the first ones are read at each hit in XDP */
	union own_mac own_macs[INTERFACES];
	union own_mac further_macs[FURTHER_MACS];
	/* who may begin with the gateway itself: core/allowed.h */
	struct allowed allowed[ALLOWED_MAX];
};

/* --- punted frames ------------------------------------------------------------------ */
/*
 * A frame on the tap carries this in place of its two MAC addresses, both
 * ways. Down (to the daemon): the frame as it arrived, untranslated. Up:
 * PUNT_TRANSLATE sends it through the same translation that the record names
 * (no second punt), PUNT_TRANSMIT sends it as it is to next hop `index`.
 *
 * A hairpinned frame is translated twice, like two packets: outbound, then by
 * the tap's ingress inbound. In between our external address stands for both
 * ends, so `index` names the record that translated it outbound: whose packet it
 * is. Each translation may hand it to the daemon once.
 */
enum punt_action {
	PUNT_DOWN = 2, /* even: the first byte must not look like a multicast address */
	PUNT_TRANSLATE = 4,
	PUNT_TRANSMIT = 6,
	PUNT_SESSION = 8, /* as PUNT_TRANSLATE, by the SESSION_REPLY record `index` */
	/* never seen by the daemon; translated, to be cut for next hop `index`: bpf/tc_cut.h */
	PUNT_CUT = 10,
	PUNT_REST = 12, /* the same, `ifindex` payload bytes of it have gone */
};
/* side */
#define PUNT_FROM_WAN 0x01
#define PUNT_TURNED   0x02 /* hairpinned: translated outbound, and may yet be handed out */
#define PUNT_HAIRPIN  0x04 /* hairpinned, and has been handed out since */
struct punt {
	__u8 action;   /* enum punt_action */
	__u8 reason;   /* enum reason */
	__u8 side;     /* PUNT_FROM_WAN, with PUNT_TURNED or PUNT_HAIRPIN; or 0 */
	__u8 passes;   /* how often the frame has been through the tap: PUNT_PASSES at most */
	__u32 index;   /* host order: session record; PUNT_TRANSMIT, PUNT_CUT: next hop */
	__u32 ifindex; /* where the frame came from */
};
/* A piece of a hairpinned datagram: held and read outbound, turned, held and read inbound. */
#define PUNT_PASSES 6
_Static_assert(sizeof(struct punt) == 12, "fits the two MAC addresses");

/* --- maps and programs, by name (15 characters at most) ------------------------------- */
/*   records      ARRAY, mmapable   struct record_set   [config.set_mask + 1]
 *   tags         ARRAY, mmapable   struct set_tags     [config.set_mask + 1]
 *   next_hops    ARRAY, mmapable   struct next_hop     [NEXT_HOPS]
 *   known_routes ARRAY, mmapable   struct known_route  [KNOWN_ROUTES]
 *   questions    ARRAY, mmapable   struct question_ring [QUESTION_RINGS]
 *   route_mtus   ARRAY, mmapable   struct route_mtu    [ROUTE_MTUS]
 *   marked_routes ARRAY, mmapable  struct marked_route [MARKED_ROUTES]
 *   interfaces   ARRAY, mmapable   struct interface    [INTERFACES]
 *   config       ARRAY, mmapable   struct config       [1]
 *   counters     PERCPU_ARRAY      struct counter      [DAEMON_COUNTERS + REASON_COUNT]
 *   buckets      ARRAY, mmapable   struct bucket       [BUCKETS]
 *   contacts     ARRAY, mmapable   __u32               [CONTACTS]    tick; 0: never
 *   complaints   ARRAY, mmapable   struct complaint    [COMPLAINTS]
 *
 *   xdp_inside, xdp_outside              SEC("xdp")
 *   tc_inside, tc_outside                SEC("tc"), TC ingress, Ethernet devices
 *   tc_inside_bare, tc_outside_bare      the same for devices without Ethernet header
 *   tc_local                             TC egress of the WAN: records the gateway's own flows
 *   tc_local_bare
 *   tc_tap                               TC ingress of the slow path's tap
 *   tc_cut                               TC ingress of the cutter's far end
 *   clock_read                           SEC("syscall"): struct clock_reading
 */
/* The programs' rows, by enum reason, and behind them those that the daemon alone writes. */
#define DAEMON_COUNTERS REASON_COUNT

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct clock_reading {
	__u64 jiffies;
	__u64 monotonic_ns;
};

#endif
