/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/esp_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/state_file.h"

#define FILE_NAME    "esp_pairs.json"
#define FILE_VERSION 1

/* --- writing --------------------------------------------------------------------------- */

static bool pair_append(void *context, const struct esp_pair *pair)
{
	json_t *item =
		json_pack("{s:o, s:o, s:I, s:I, s:s, s:I}", "inside", state_address(pair->inside),
			  "server", state_address(pair->server), "spi_in", (json_int_t)pair->spi_in,
			  "spi_out", (json_int_t)pair->spi_out, "state",
			  esp_state_name(pair->state), "evidence", (json_int_t)pair->evidence);

	return item && !json_array_append_new(context, item);
}

int esp_state_save(const struct settings *settings, __be32 external,
		   const struct esp_pairing *pairing)
{
	json_t *pairs = json_array(), *object;
	int err;

	if (!pairs)
		return -ENOMEM;
	esp_pairing_each(pairing, pair_append, pairs);
	object = json_pack("{s:i, s:o, s:o}", "version", FILE_VERSION, "external",
			   state_address(external), "pairs", pairs);
	if (!object)
		return -ENOMEM;
	err = state_write(settings, FILE_NAME, object);
	json_decref(object);
	return err;
}

/* --- reading ----------------------------------------------------------------------------- */

static enum esp_state state_of(const char *name)
{
	if (!strcmp(name, esp_state_name(ESP_SETTLED)))
		return ESP_SETTLED;
	return strcmp(name, esp_state_name(ESP_PROVISIONAL)) ? ESP_OPEN : ESP_PROVISIONAL;
}

static bool pair_read(json_t *item, struct esp_pair *pair)
{
	const char *state;
	json_int_t spi_in, spi_out, evidence;

	*pair = (struct esp_pair){0};
	if (json_unpack(item, "{s:I, s:I, s:s, s:I}", "spi_in", &spi_in, "spi_out", &spi_out,
			"state", &state, "evidence", &evidence) ||
	    !state_address_read(item, "inside", &pair->inside) ||
	    !state_address_read(item, "server", &pair->server))
		return false;
	pair->spi_in = spi_in;
	pair->spi_out = spi_out;
	pair->evidence = evidence;
	pair->state = state_of(state);
	return true;
}

static bool is_of_address(const json_t *object, __be32 external)
{
	uint32_t address;

	return state_address_read(object, "external", &address) && address == external &&
	       json_integer_value(json_object_get(object, "version")) == FILE_VERSION;
}

unsigned esp_state_load(const struct settings *settings, __be32 external,
			struct esp_pairing *pairing, uint64_t now_ms)
{
	json_t *object = state_read(settings, FILE_NAME), *item;
	struct esp_pair pair;
	unsigned count = 0;
	size_t i;

	if (object && is_of_address(object, external))
		json_array_foreach (json_object_get(object, "pairs"), i, item)
			if (pair_read(item, &pair) && !esp_pairing_restore(pairing, now_ms, &pair))
				count++;
	if (count)
		log_notice("%u ESP tunnels of an earlier run go on", count);
	json_decref(object);
	return count;
}
