/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/roster.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/session.h"
#include "daemon/tunnel_follow.h"

#define NONE UINT32_MAX

/* Entries in the order of their first session, found by hash. */
struct list {
	char *entry;
	size_t entry_bytes, count, room;
	uint32_t *slot; /* hash table of indices, twice as many as room */
};

struct book {
	struct list tunnels, devices;
};

struct roster {
	struct book writing, reading;
};

/* --- lists --------------------------------------------------------------------------- */

static void list_clear(struct list *list)
{
	list->count = 0;
	if (list->slot)
		memset(list->slot, 0xff, list->room * 2 * sizeof(*list->slot));
}

static void list_free(struct list *list)
{
	free(list->entry);
	free(list->slot);
}

static uint32_t hash(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ull;
	return key >> 32;
}

static uint64_t tunnel_hash_key(const void *entry)
{
	const struct roster_tunnel *tunnel = entry;

	return ((uint64_t)tunnel->inside << 32 | tunnel->remote) + tunnel->class * 0x100000001ull;
}

static bool tunnel_same(const void *a, const void *b)
{
	const struct roster_tunnel *x = a, *y = b;

	return x->inside == y->inside && x->remote == y->remote && x->class == y->class;
}

static uint64_t device_hash_key(const void *entry)
{
	return ((const struct roster_device *)entry)->address;
}

static bool device_same(const void *a, const void *b)
{
	return device_hash_key(a) == device_hash_key(b);
}

struct kind {
	uint64_t (*hash_key)(const void *entry);
	bool (*same)(const void *a, const void *b);
};

static const struct kind tunnel_kind = {tunnel_hash_key, tunnel_same};
static const struct kind device_kind = {device_hash_key, device_same};

/* The slot of WANTED, or the empty one where it belongs. */
static uint32_t *slot_find(struct list *list, const struct kind *kind, const void *wanted)
{
	size_t slots = list->room * 2;
	size_t at = hash(kind->hash_key(wanted)) % slots;

	while (list->slot[at] != NONE &&
	       !kind->same(list->entry + list->slot[at] * list->entry_bytes, wanted))
		at = (at + 1) % slots;
	return &list->slot[at];
}

static bool list_grow(struct list *list, const struct kind *kind)
{
	size_t room = list->room ? list->room * 2 : 64;
	char *entry = realloc(list->entry, room * list->entry_bytes);
	uint32_t *slot;

	if (!entry)
		return false;
	list->entry = entry;
	slot = realloc(list->slot, room * 2 * sizeof(*slot));
	if (!slot)
		return false;
	list->slot = slot;
	list->room = room;
	memset(slot, 0xff, room * 2 * sizeof(*slot));
	for (size_t i = 0; i < list->count; i++)
		*slot_find(list, kind, entry + i * list->entry_bytes) = i;
	return true;
}

/* The entry like WANTED, made from it where there is none; NULL without memory. */
static void *list_get(struct list *list, const struct kind *kind, const void *wanted)
{
	uint32_t *slot;

	if (list->count >= list->room && !list_grow(list, kind))
		return NULL;
	slot = slot_find(list, kind, wanted);
	if (*slot == NONE) {
		*slot = list->count++;
		memcpy(list->entry + *slot * list->entry_bytes, wanted, list->entry_bytes);
	}
	return list->entry + *slot * list->entry_bytes;
}

/* --- the roster ---------------------------------------------------------------------- */

static void book_init(struct book *book)
{
	book->tunnels.entry_bytes = sizeof(struct roster_tunnel);
	book->devices.entry_bytes = sizeof(struct roster_device);
}

static void book_free(struct book *book)
{
	list_free(&book->tunnels);
	list_free(&book->devices);
}

struct roster *roster_new(void)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (!roster)
		return NULL;
	book_init(&roster->writing);
	book_init(&roster->reading);
	return roster;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	book_free(&roster->writing);
	book_free(&roster->reading);
	free(roster);
}

static void tunnels_follow(struct roster *roster, uint32_t now)
{
	struct list *fresh = &roster->writing.tunnels, *old = &roster->reading.tunnels;

	for (size_t i = 0; i < fresh->count; i++) {
		struct roster_tunnel *tunnel = (struct roster_tunnel *)fresh->entry + i;
		uint32_t *slot = old->room ? slot_find(old, &tunnel_kind, tunnel) : NULL;

		if (slot && *slot != NONE)
			tunnel_follow(tunnel, (struct roster_tunnel *)old->entry + *slot, now);
		else
			tunnel_follow_first(tunnel, now);
	}
}

void roster_turn(struct roster *roster, uint32_t now)
{
	struct book done;

	tunnels_follow(roster, now);
	done = roster->writing;
	roster->writing = roster->reading;
	roster->reading = done;
	list_clear(&roster->writing.tunnels);
	list_clear(&roster->writing.devices);
}

const struct roster_tunnel *roster_tunnels(const struct roster *roster, size_t *count)
{
	*count = roster->reading.tunnels.count;
	return (const struct roster_tunnel *)roster->reading.tunnels.entry;
}

const struct roster_device *roster_devices(const struct roster *roster, size_t *count)
{
	*count = roster->reading.devices.count;
	return (const struct roster_device *)roster->reading.devices.entry;
}

/* --- one session --------------------------------------------------------------------- */

static struct traffic traffic_of(const struct record *orig, const struct record *reply)
{
	return (struct traffic){.packets_out = session_packets(orig),
				.bytes_out = orig->session.bytes,
				.packets_in = reply ? session_packets(reply) : 0,
				.bytes_in = reply ? reply->session.bytes : 0};
}

static void traffic_sum(struct traffic *sum, const struct traffic *part)
{
	sum->packets_out += part->packets_out;
	sum->bytes_out += part->bytes_out;
	sum->packets_in += part->packets_in;
	sum->bytes_in += part->bytes_in;
}

/* Does this session carry the tunnel's data, rather than set it up? */
static bool carries_data(const struct record *orig)
{
	uint16_t port = be16_to_host(orig->key.remote_id);

	if (orig->key.protocol == PROTOCOL_TCP)
		return orig->session.class != CLASS_PPTP;
	if (orig->key.protocol == PROTOCOL_UDP)
		return port != PORT_IKE;
	return orig->key.id_type != ID_CONTROL;
}

/* A connection that sets the tunnel up, or is it; UDP has none that ends. */
static enum tunnel_control control_of(const struct record *orig, const struct record *reply)
{
	if (orig->key.protocol != PROTOCOL_TCP)
		return CONTROL_NONE;
	switch (orig->session.tcp_state) {
	case TCP_FIN_INSIDE:
	case TCP_FIN_REMOTE:
	case TCP_FIN_BOTH:
		return CONTROL_CLOSED;
	case TCP_TRANS: /* RFC 9293 section 3.10.7.3: a reset that acknowledges the SYN */
		return reply && session_packets(reply) && !reply->session.tcp_next ? CONTROL_REFUSED
										   : CONTROL_CLOSED;
	default:
		return CONTROL_OPEN;
	}
}

/* Of several the newest counts: who dials again does so over a connection of its own. */
static void control_note(struct roster_tunnel *tunnel, const struct record *orig,
			 const struct record *reply)
{
	enum tunnel_control control = control_of(orig, reply);

	if (control == CONTROL_NONE ||
	    (tunnel->control != CONTROL_NONE &&
	     ticks_is_later(tunnel->control_created, orig->session.created)))
		return;
	tunnel->control = control;
	tunnel->control_created = orig->session.created;
}

/*
 * What the data plane has seen of data in this direction (core/study.h). Sessions that carry
 * nothing else are not looked at there: all that they have is data.
 */
static void data_note(struct record *half, bool *carried, bool *moved)
{
	if (!half)
		return;
	if (!(half->session.flags & SESSION_STUDIED)) {
		*carried |= session_packets(half) != 0;
		return;
	}
	*carried |= half->session.carried;
	*moved |= half->session.moved;
	if (half->session.moved) /* look again */
		half->session.moved = 0;
}

static void data_add(struct roster_tunnel *tunnel, struct record *orig, struct record *reply,
		     const struct traffic *traffic)
{
	traffic_sum(&tunnel->data, traffic);
	tunnel->is_studied |= !!(orig->session.flags & SESSION_STUDIED);
	data_note(orig, &tunnel->data_out, &tunnel->moved_out);
	data_note(reply, &tunnel->data_in, &tunnel->moved_in);
}

static void seen_note(struct roster_tunnel *tunnel, const struct record *orig,
		      const struct record *reply)
{
	if (ticks_is_later(orig->session.last_seen, tunnel->last_out))
		tunnel->last_out = orig->session.last_seen;
	if (reply &&
	    (!tunnel->replied || ticks_is_later(reply->session.last_seen, tunnel->last_in)))
		tunnel->last_in = reply->session.last_seen;
}

static void tunnel_add(struct roster_tunnel *tunnel, struct record *orig, struct record *reply,
		       uint32_t index, const struct traffic *traffic)
{
	uint32_t last = orig->session.last_seen;

	if (reply && ticks_is_later(reply->session.last_seen, last))
		last = reply->session.last_seen;
	if (ticks_is_later(last, tunnel->last_seen))
		tunnel->last_seen = last;
	if (ticks_is_later(tunnel->created, orig->session.created))
		tunnel->created = orig->session.created;
	seen_note(tunnel, orig, reply);
	tunnel->replied |= !!(orig->session.flags & SESSION_REPLIED) || traffic->packets_in;
	control_note(tunnel, orig, reply);
	if (carries_data(orig))
		data_add(tunnel, orig, reply, traffic);
	if (tunnel->sessions < ROSTER_SESSIONS)
		tunnel->index[tunnel->sessions] = index;
	tunnel->sessions++;
	traffic_sum(&tunnel->traffic, traffic);
}

static struct roster_device *device_get(struct roster *roster, __be32 address)
{
	struct roster_device wanted = {.address = address};

	return list_get(&roster->writing.devices, &device_kind, &wanted);
}

static void tunnel_note(struct roster *roster, struct record *orig, struct record *reply,
			uint32_t index, const struct traffic *traffic, struct roster_device *device)
{
	struct roster_tunnel wanted = {.class = orig->session.class,
				       .inside = orig->key.local,
				       .remote = orig->key.remote,
				       .created = orig->session.created,
				       .last_seen = orig->session.last_seen,
				       .last_out = orig->session.last_seen};
	struct roster_tunnel *tunnel = list_get(&roster->writing.tunnels, &tunnel_kind, &wanted);

	if (!tunnel)
		return;
	if (!tunnel->sessions && device)
		device->tunnels++;
	tunnel_add(tunnel, orig, reply, index, traffic);
}

static void session_note(struct roster *roster, struct record *orig, uint32_t index)
{
	struct record *reply = orig->partner == NO_RECORD ? NULL : record_at(orig->partner);
	struct traffic traffic = traffic_of(orig, reply);
	struct roster_device *device = device_get(roster, orig->key.local);

	if (device) {
		device->sessions++;
		traffic_sum(&device->traffic, &traffic);
	}
	if (orig->session.class != CLASS_PLAIN)
		tunnel_note(roster, orig, reply, index, &traffic, device);
}

void roster_note(struct roster *roster, struct record *r, uint32_t index)
{
	struct roster_device *device;

	if (r->key.kind == KIND_SESSION_ORIG) {
		session_note(roster, r, index);
	} else if (r->key.kind == KIND_MAPPING_INSIDE) {
		device = device_get(roster, r->key.local);
		if (device)
			device->mappings++;
	} else if (r->key.kind == KIND_HOST) {
		device_get(roster, r->key.local);
	}
}
