/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control connections that the helper reads (RFC 2637 section 1.3, RFC 2661
 * section 1.2), and the external ids that they hold: what PPTP and L2TP have in
 * common. The helper says what it needs; it is done here, for the connection's
 * own inside host and server only. What an id means to the data plane is the
 * protocol's own (struct connections_kind).
 *
 * A table lives in a file of run_dir that is mapped into memory, so that it
 * outlives a daemon that is killed. Ids are in host byte order, addresses in
 * network byte order, times are ticks. Context: daemon, one thread.
 */
#ifndef WAYLEAVE_DAEMON_CONNECTIONS_H
#define WAYLEAVE_DAEMON_CONNECTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"
#include "helper/helper.h"

#define CONNECTION_IDS (HELPER_FLOW_IDS + 24) /* and just released ones, in their grace */

struct connections;
struct facts;
struct gateway;

enum connection_id_state { ID_FREE, ID_HELD, ID_ARMED, ID_RELEASED };

/* An id that stands outside for a call, a control connection or a session. */
struct connection_id {
	uint8_t state; /* enum connection_id_state */
	uint8_t space; /* enum helper_id_space */
	uint8_t has_remote;
	uint8_t own; /* the inside host's choice, not of our pool */
	uint32_t external;
	uint32_t inside;   /* of ARMED ones */
	uint32_t remote;   /* valid when has_remote */
	uint32_t released; /* tick */
};

/* Whether the port that it leaves from is right (l2tp_sharing.h). Times are ticks; 0: not yet. */
struct connection_watch {
	uint32_t shared_at; /* since when it shares port 1701 */
	uint32_t heard;	    /* when a look found that something had come */
	uint32_t in, out;   /* the session's packets then */
	uint32_t tried_at;  /* when it went back from there */
	uint32_t blamed_at; /* when its silence was put down to newcomers */
	uint8_t asked;	    /* control messages sent since it was heard */
	uint8_t hidden;	    /* a tunnel's id could not be read */
	uint8_t wrong;	    /* its silence was not the newcomers' fault: not believed again */
	uint8_t zero;
};

struct connection {
	/* SESSION_ORIG: of TCP and UDP the session's, of IP one with no id; protocol 0: free */
	struct record_key key;
	uint32_t created;   /* of the session: a later one of the same key is another */
	uint32_t last_seen; /* tick of the last control message */
	uint32_t group;	    /* of the inside host: daemon/stations.h */
	uint8_t hung_up;    /* bool: its last call, session or tunnel was ended by a message */
	struct {	    /* L2TP over IP, which has no session to ask */
		uint16_t next_hop_in, next_hop_out;
	};
	struct connection_watch watch; /* L2TP over UDP */
	uint32_t met;		       /* bit n: enum helper_reason n, dropped for or noted */
	struct connection_id ids[CONNECTION_IDS];
	struct helper_flow helper;
};

/* What one protocol does with an id. The callbacks return 0 or -errno. */
struct connections_kind {
	const char *protocol;	    /* for sentences */
	const char *file_name;	    /* in run_dir */
	uint32_t magic;		    /* last byte: layout of the file */
	uint8_t tunnels;	    /* whose records are forsaken when the file is not theirs */
	unsigned int room;	    /* connections */
	unsigned int of_host;	    /* of one inside host */
	unsigned int grace_seconds; /* that a released id still works */
	/* Inbound packets with the external id pass from now on, with the inside one. */
	int (*arm)(const struct connection *, const struct connection_id *, uint32_t now);
	/* The remote has named its id. */
	int (*peer)(const struct connection *, const struct connection_id *, uint32_t now);
	void (*disarm)(const struct connection *, const struct connection_id *, uint32_t now);
	/* Is an id that nobody holds free in the data plane too? NULL: yes. */
	bool (*is_spare)(__be32 remote, uint16_t external_id);
	/* Does the id stand at a port of the connection's own, where no other's can meet it? NULL:
	 * no. */
	bool (*is_apart)(const struct connection *, const struct connection_id *);
};

/* Opens the file and goes on with what is in it. NULL after a sentence. */
struct connections *connections_open(struct gateway *gateway, const struct connections_kind *kind);

/* Closes; the connections stay in the file. NULL is fine. */
void connections_close(struct connections *all);

/* All of them in turn, beginning with NULL; the present one may be freed. NULL: that was the last.
 */
struct connection *connections_next(const struct connections *all,
				    const struct connection *present);

/* NULL: there is none. */
struct connection *connection_find(const struct connections *all, const struct record_key *key);

/* The one of KEY, new where there is none or CREATED is another's; NULL: no room. */
struct connection *connection_get(struct connections *all, const struct record_key *key,
				  uint32_t created, enum helper_protocol protocol, uint32_t now);

/* Ends it with all its ids, which work no longer. */
void connection_free(struct connections *all, struct connection *connection, uint32_t now);

/* It begins anew, in another way: its ids end at once and the helper's state is lost. */
void connection_restart(struct connections *all, struct connection *connection,
			enum helper_protocol protocol, uint32_t now);

/* The one that HELPER is part of. */
struct connection *connection_of(struct helper_flow *helper);

/*
 * Hands a frame to the helper, LENGTH bytes beginning with their struct punt, FACTS
 * of its IP packet. 0: it comes back through helper_options.answered; -errno: it does
 * not, see connections_drop_unread().
 */
int connection_submit(struct connections *all, struct connection *connection, uint8_t *frame,
		      size_t length, const struct facts *facts, enum helper_direction direction);

/*
 * Ownership. An id is owned by the connection that holds it where arrivals are told apart
 * by ids alone: no other one may take, arm, move or end it. Who asks what: helper answers
 * before they have effect (connections_answer_check()), claims when they are done, the file
 * when it is loaded, spare ids, arrivals whose record is gone. Records: daemon/owner.h.
 */

/* The owner of the external id in SPACE (enum helper_id_space) there; NULL: nobody. */
struct connection *connection_owner(const struct connections *all, __be32 remote, uint8_t space,
				    uint32_t external_id);

/* Would CONNECTION take an id that another one owns? Of RESERVE and TAKE. */
bool connection_is_anothers(const struct connections *all, const struct connection *connection,
			    const struct helper_claim *claim);

/* Has the remote given this id of its own to another connection, and not to this one? */
bool connection_names_anothers(const struct connections *all, const struct connection *connection,
			       uint32_t remote_id);

/* helper_options.allowed: does the answer leave all that others own alone? */
bool connections_answer_check(const struct connections *all, const struct connection *connection,
			      const struct helper_answer *answer);

/* Does it hold the external id, whatever port that stands at? */
bool connection_holds(const struct connection *connection, uint8_t space, uint32_t external_id);

/*
 * Does an answer's claims, which helper_serve() has validated. False: one of them is of
 * an id that another host has; its message may not go on.
 */
bool connection_claims_do(struct connections *all, struct connection *connection,
			  const struct helper_result *result, uint32_t now);

/*
 * Counts a frame that goes no further; the second one for what connection_submit() has
 * returned, 0 too, or -ENOSPC for no connection, the third one by what the helper says.
 */
void connections_drop(struct connections *all, enum reason reason);
void connections_drop_unread(struct connections *all, int err);
void connections_drop_answered(struct connections *all, enum helper_reason reason);

/* What the helper has met in messages between the two: sentences, an array, the caller's. */
json_t *connections_met_json(const struct connections *all, __be32 inside, __be32 remote);

/* Was the newest connection between the two ended by a control message? */
bool connections_hung_up(const struct connections *all, __be32 inside, __be32 remote);

/* Its armed ids once more: the session that they lead to has changed. 0 or the last -errno. */
int connection_rearm(struct connections *all, const struct connection *connection, uint32_t now);

/* All ids begin their grace. */
void connection_release_all(struct connection *connection, uint32_t now);

/* Ends ids whose grace is over. Is any left? */
bool connection_ids_tend(struct connections *all, struct connection *connection, uint32_t now);

#endif
