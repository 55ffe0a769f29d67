/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE of many inside hosts with one server, where the server answers only to
 * port 500 (RFC 3715 section 2.3, though RFC 7296 section 2.23 says that it must
 * take any): which of them a message is for, and whether the server insists.
 *
 * An IKE SA is known by the initiator's SPI or cookie. An IKE SA that is rekeyed
 * gets new ones inside encrypted payloads (RFC 7296 section 1.3.2): an arrival
 * with unknown SPIs is offered to all hosts with an IKE SA at this server. It
 * belongs to those who have answered it under protection by the time that the
 * server moves on to another message: it does so for the true owner's answer
 * only. A host that answers what is not its own gains copies that it cannot read.
 *
 * Pure: no I/O, no clock; allocates in ike_port_new() only. Addresses and ports
 * in network byte order, opaque; header fields in host byte order; times in
 * milliseconds of a clock that never goes back. One thread.
 */
#ifndef WAYLEAVE_PAIRING_IKE_PORT_H
#define WAYLEAVE_PAIRING_IKE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "pairing/share.h"

#include "pairing/esp.h"
#include "pairing/port_habits.h"

#define IKE_OWNERS 8 /* hosts that one message is given to at most */

struct ike_port;

struct ike_socket {
	uint32_t inside;
	uint16_t port;
	uint16_t external; /* the port that its mapping has; not part of what it is known by */
};

/* One IKE SA, for saving and looking. */
struct ike_sa {
	uint32_t server;
	uint64_t spi_initiator, spi_responder; /* the latter 0: not answered yet */
	struct ike_socket owner[IKE_OWNERS];
	unsigned owners;
	uint32_t group;	     /* of the first owner: pairing/share.h */
	bool offered;	     /* the owners are those who might be */
	unsigned answered;   /* bits of those among them who have answered under protection */
	uint32_t message_id; /* of the offered message: the server moves on when it was answered */
	bool shared;	     /* leaves from port 500 though that is another's */
	bool tried;	     /* it was shared, and that was no help or did harm: not again */
	bool back;	     /* to be moved back by ike_port_take_back() */
	bool doubted;	     /* it has contradicted what is known of the server */
	bool wrong;	     /* its silence was not a newcomer's fault: not blamed on one again */
	unsigned tries;
	unsigned silent; /* messages since it was heard */
	uint64_t made_ms, seen_ms;
	uint64_t heard_ms;  /* from the server; 0: never */
	uint64_t shared_ms; /* since when it is */
	uint64_t blamed_ms; /* when its silence was put down to a newcomer; 0: it was not */
};

/* NULL without memory. @groups: of inside hosts; copied. */
struct ike_port *ike_port_new(const struct share_groups *groups);
void ike_port_free(struct ike_port *p);

enum ike_action {
	IKE_PASS,
	IKE_SHARE,   /* send it from port 500, and all of this socket's from now on */
	IKE_UNSHARE, /* that did not help: as before */
	IKE_REFUSE,  /* an unprotected answer to what was only offered */
	IKE_CROWDED, /* this one passes; ike_port_take_back() says whom the server cannot tell from
			it */
	IKE_HELD,    /* behind port 500 its id is another socket's: it may not leave there */
};

/*
 * What tells IKE SAs behind one port apart: both halves of the initiator's SPI or cookie,
 * xored (ID_IKE in core/abi.h). Two sockets cannot have one word there; the second one
 * keeps its own port, or is refused.
 */
static inline uint32_t ike_word(uint64_t spi_initiator)
{
	return (uint32_t)(spi_initiator >> 32) ^ (uint32_t)spi_initiator;
}

/* A message from @socket to @server; @from_500: it would leave from external port 500. */
enum ike_action ike_port_outbound(struct ike_port *p, uint64_t now_ms, uint32_t server,
				  struct ike_socket socket, bool from_500,
				  const struct esp_ike_header *header);

/*
 * A message from @server to external port 500 when it is shared, or to another
 * port or an unshared 500, which is @to's alone (@shared: false). Gives the
 * sockets that it is for, the likeliest first; answers their count, 0: nobody's.
 */
unsigned ike_port_inbound(struct ike_port *p, uint64_t now_ms, uint32_t server, bool shared,
			  bool to_500, struct ike_socket to, const struct esp_ike_header *header,
			  struct ike_socket owners[IKE_OWNERS]);

/*
 * Sockets that leave port 500 again, for the server takes all that comes from there for one
 * client: another's IKE SA had no answers any more since they had joined it. Gives each
 * once, and how many. After IKE_CROWDED.
 */
unsigned ike_port_take_back(struct ike_port *p, uint32_t server,
			    struct ike_socket sockets[IKE_OWNERS]);

/* What is known of servers. Part of @p. */
struct port_habits *ike_port_habits(struct ike_port *p);

/* Calls @visit for each until it gives false. Nothing may be changed meanwhile. */
void ike_port_each_sa(const struct ike_port *p, bool (*visit)(void *, const struct ike_sa *),
		      void *context);

/* What was saved; what does not fit is left out. */
void ike_port_restore_sa(struct ike_port *p, uint64_t now_ms, const struct ike_sa *sa);

/* The external address is another one: all SAs are over; what was learned stays. */
void ike_port_forget(struct ike_port *p);

#endif
