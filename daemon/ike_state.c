/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/ike_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "daemon/habit_state.h"
#include "daemon/state_file.h"

#define FILE_NAME    "ike.json"
#define FILE_VERSION 1

/* --- writing --------------------------------------------------------------------------- */

static json_t *owner_json(const struct ike_socket *owner)
{
	return json_pack("{s:o, s:i, s:i}", "inside", state_address(owner->inside), "port",
			 (int)ntohs(owner->port), "external", (int)ntohs(owner->external));
}

/* What was only offered is offered again. */
static bool sa_append(void *context, const struct ike_sa *sa)
{
	json_t *owners, *item;

	if (sa->offered)
		return true;
	owners = json_array();
	for (unsigned i = 0; i < sa->owners; i++)
		json_array_append_new(owners, owner_json(&sa->owner[i]));
	item = json_pack("{s:o, s:I, s:I, s:b, s:o}", "server", state_address(sa->server),
			 "spi_initiator", (json_int_t)sa->spi_initiator, "spi_responder",
			 (json_int_t)sa->spi_responder, "shared", (int)sa->shared, "owners",
			 owners);
	return item && !json_array_append_new(context, item);
}

int ike_state_save(const struct settings *settings, __be32 external, struct ike_port *ike,
		   uint64_t now_ms)
{
	json_t *sas = json_array(), *object;
	int err;

	ike_port_each_sa(ike, sa_append, sas);
	object = json_pack("{s:i, s:o, s:I, s:o, s:o}", "version", FILE_VERSION, "external",
			   state_address(external), "saved", (json_int_t)habits_saved_at(),
			   "servers", habits_json(ike_port_habits(ike), (int64_t)now_ms), "sas",
			   sas);
	if (!object)
		return -ENOMEM;
	err = state_write(settings, FILE_NAME, object);
	json_decref(object);
	return err;
}

/* --- reading ----------------------------------------------------------------------------- */

static bool sa_read(const json_t *item, struct ike_sa *sa)
{
	const json_t *owners = json_object_get(item, "owners"), *owner;
	size_t i;

	*sa = (struct ike_sa){
		.spi_initiator = json_integer_value(json_object_get(item, "spi_initiator")),
		.spi_responder = json_integer_value(json_object_get(item, "spi_responder")),
		.shared = json_is_true(json_object_get(item, "shared")),
	};
	for (i = 0; i < json_array_size(owners) && i < IKE_OWNERS; i++) {
		owner = json_array_get(owners, i);
		sa->owner[i].port = htons(json_integer_value(json_object_get(owner, "port")));
		sa->owner[i].external =
			htons(json_integer_value(json_object_get(owner, "external")));
		if (!state_address_read(owner, "inside", &sa->owner[i].inside))
			return false;
		sa->owners++;
	}
	return state_address_read(item, "server", &sa->server);
}

void ike_state_load(const struct settings *settings, __be32 external, struct ike_port *ike,
		    uint64_t now_ms)
{
	json_t *object = state_read(settings, FILE_NAME), *item;
	struct ike_sa sa;
	uint32_t address;
	size_t i;

	if (!object)
		return;
	habits_read(object, ike_port_habits(ike), (int64_t)now_ms);
	if (state_address_read(object, "external", &address) && address == external)
		json_array_foreach (json_object_get(object, "sas"), i, item)
			if (sa_read(item, &sa))
				ike_port_restore_sa(ike, now_ms, &sa);
	json_decref(object);
}
