/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web_store.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "conf/file.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/login_screen.h"
#include "daemon/state_file.h"
#include "daemon/web_process.h"
#include "http/fingerprint.h"
#include "http/web_state.h"

#define FILE_NAME    "web.json"
#define CODE_LETTERS 8
/*
 * 40 bits: of a million guesses one in a million hits. A new code any sooner would let
 * every host on the LAN keep the administrator's one from being good for long.
 */
#define CODE_TRIES     1000000
#define PEM_MAX_BYTES  16384
#define HASH_MAX_BYTES 256

struct web_store {
	json_t *kept; /* password, tokens, certificate, key */
	char code[CODE_LETTERS + 1];
	unsigned int wrong;
	bool claimed; /* the code was right: a first password may be kept */
};

/* --- the code ------------------------------------------------------------------------ */

/* Without 0, O, 1, I: people copy it by hand. 32 letters, so that a byte has no bias. */
static void code_make(struct web_store *store)
{
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	unsigned char random[CODE_LETTERS];

	store->wrong = 0;
	*store->code = '\0';
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return;
	for (size_t i = 0; i < CODE_LETTERS; i++)
		store->code[i] = letters[random[i] % 32];
	store->code[CODE_LETTERS] = '\0';
}

static json_t *code_text(const struct web_store *store)
{
	return json_sprintf("%.4s-%.4s", store->code, store->code + 4);
}

/* Small letters, spaces and the dash do not matter. Takes the same time wherever it differs. */
static bool code_is(const struct web_store *store, const char *text)
{
	char letters[CODE_LETTERS] = {0};
	unsigned char difference = !*store->code;
	size_t count = 0;

	for (; *text; text++) {
		if (!isalnum((unsigned char)*text))
			continue;
		if (count < CODE_LETTERS)
			letters[count] = (char)toupper((unsigned char)*text);
		count++;
	}
	difference |= count != CODE_LETTERS;
	for (size_t i = 0; i < CODE_LETTERS; i++)
		difference |= (unsigned char)(letters[i] ^ store->code[i]);
	return !difference;
}

static bool password_set(const struct web_store *store)
{
	return json_object_get(store->kept, "password");
}

void web_store_code_say(struct gateway *gateway)
{
	const struct web_store *store = gateway->web_store;

	if (store && !password_set(store))
		log_notice("the page has no password yet; the first visit sets one with the code "
			   "%.4s-%.4s (wayleave setup shows it too)",
			   store->code, store->code + 4);
}

/* --- life ------------------------------------------------------------------------------ */

struct web_store *web_store_new(const struct gateway *gateway)
{
	struct web_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->kept = state_read(gateway->settings, FILE_NAME);
	if (!store->kept)
		store->kept = json_object();
	if (!password_set(store))
		code_make(store);
	return store;
}

void web_store_free(struct web_store *store)
{
	if (!store)
		return;
	json_decref(store->kept);
	free(store);
}

/* --- what the console shows ------------------------------------------------------------- */

/* Of the certificate that the page shows. NULL: it has none yet, at the very first start. */
static json_t *fingerprint_json(const struct gateway *gateway)
{
	const struct web_settings *settings = &gateway->settings->web;
	const char *own =
		json_string_value(json_object_get(gateway->web_store->kept, "certificate"));
	char text[FINGERPRINT_TEXT_BYTES] = "", *installed = NULL;
	size_t length;

	if (settings->certificate && settings->key &&
	    !file_read(settings->certificate, &installed, &length))
		fingerprint_of(installed, text);
	free(installed);
	if (!*text)
		fingerprint_of(own, text);
	return *text ? json_string(text) : NULL;
}

static json_t *setup_json(const struct gateway *gateway)
{
	const struct web_store *store = gateway->web_store;
	json_t *fingerprint = fingerprint_json(gateway);
	json_t *setup = json_pack(
		"{s:b, s:o, s:b}", "enabled", gateway->settings->web.enabled == SWITCH_ON,
		"addresses", web_process_places(gateway->web), "password_set", password_set(store));

	if (fingerprint)
		json_object_set(setup, "fingerprint", fingerprint);
	json_decref(fingerprint);
	if (!password_set(store))
		json_object_set_new(setup, "code", code_text(store));
	return setup;
}

void web_store_screen_follow(const struct gateway *gateway)
{
	json_t *setup = gateway->web_store ? setup_json(gateway) : NULL;

	login_screen_follow(gateway->instance.run_dir, setup);
	json_decref(setup);
}

/* --- web-state ----------------------------------------------------------------------------- */

/* A file's text; NULL after a sentence. */
static json_t *file_json(const char *path)
{
	char *text;
	size_t length;
	int err = file_read(path, &text, &length);
	json_t *json = err ? NULL : json_stringn(text, length);

	if (!err) {
		explicit_bzero(text, length);
		free(text);
	}
	if (!json)
		log_warning("%s cannot be read (%s); the page uses its own certificate", path,
			    err ? strerror(-err) : "not text");
	return json;
}

static void certificate_add(json_t *state, const struct web_settings *settings)
{
	json_t *certificate, *key;

	if (!settings->certificate || !settings->key)
		return;
	certificate = file_json(settings->certificate);
	key = file_json(settings->key);
	if (certificate && key) {
		json_object_set(state, "installed_certificate", certificate);
		json_object_set(state, "installed_key", key);
	}
	json_decref(certificate);
	json_decref(key);
}

/* The first label in small letters; "wayleave" for what is no host name. */
static void host_name(char *name, size_t size)
{
	if (gethostname(name, size - 1))
		*name = '\0';
	name[size - 1] = '\0';
	name[strcspn(name, ".")] = '\0';
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		strcpy(name, "wayleave");
}

/* Only names that nobody outside can have: RFC 8375, RFC 6762, and what routers use. */
static json_t *names_json(const char *host, const char *more)
{
	json_t *names = json_array();

	json_array_append_new(names, json_string(host));
	json_array_append_new(names, json_sprintf("%s.home.arpa", host));
	json_array_append_new(names, json_sprintf("%s.local", host));
	json_array_append_new(names, json_sprintf("%s.lan", host));
	json_array_append_new(names, json_sprintf("%s.internal", host));
	while (more && *more) {
		size_t length = strcspn(more, ",");

		json_array_append_new(names, json_stringn(more, length));
		more += length + (more[length] == ',');
	}
	return names;
}

static const char *language_name(enum web_language language)
{
	return language == WEB_LANGUAGE_DE ? "de" : language == WEB_LANGUAGE_EN ? "en" : "auto";
}

static int store_state(void *daemon, json_t **result)
{
	struct gateway *gateway = daemon;
	const struct web_settings *settings = &gateway->settings->web;
	char host[64];

	host_name(host, sizeof(host));
	*result = json_pack("{s:s, s:o, s:o, s:b, s:s, s:b}", "name", host, "names",
			    names_json(host, settings->names), "addresses",
			    web_process_addresses(gateway->web), "metrics",
			    settings->metrics == SWITCH_ON, "language",
			    language_name(settings->language), "machine_restart",
			    settings->machine_restart == SWITCH_ON);
	if (!*result || json_object_update(*result, gateway->web_store->kept))
		return -ENOMEM;
	certificate_add(*result, settings);
	return 0;
}

/* --- web-keep ------------------------------------------------------------------------------- */

static bool text_is_good(const json_t *value, size_t max, const char *begin)
{
	return json_is_string(value) && json_string_length(value) <= max &&
	       strncmp(json_string_value(value), begin, strlen(begin)) == 0;
}

static bool token_is_good(const json_t *token)
{
	static const char *const members[] = {"id", "name", "role", "created_at", "hash"};
	size_t count = sizeof(members) / sizeof(*members);

	for (size_t i = 0; i < count; i++)
		if (!text_is_good(json_object_get(token, members[i]), 128, ""))
			return false;
	return json_object_size(token) == count;
}

static bool tokens_are_good(const json_t *tokens)
{
	const json_t *token;
	size_t i;

	json_array_foreach (tokens, i, token) {
		if (!token_is_good(token))
			return false;
	}
	return json_is_array(tokens) && json_array_size(tokens) <= STATE_TOKENS_MAX;
}

/* A first password takes the code. */
static bool member_is_good(const struct web_store *store, const char *name, const json_t *value)
{
	if (strcmp(name, "password") == 0)
		return (store->claimed || password_set(store)) &&
		       text_is_good(value, HASH_MAX_BYTES, "$argon2id$");
	if (strcmp(name, "certificate") == 0 || strcmp(name, "key") == 0)
		return text_is_good(value, PEM_MAX_BYTES, "-----BEGIN ");
	return strcmp(name, "tokens") == 0 && tokens_are_good(value);
}

static int store_keep(void *daemon, const json_t *state)
{
	struct gateway *gateway = daemon;
	struct web_store *store = gateway->web_store;
	json_t *kept = json_copy(store->kept);
	const char *name;
	json_t *value;
	int err = json_is_object(state) && kept ? 0 : -EINVAL;

	json_object_foreach ((json_t *)state, name, value) {
		if (!member_is_good(store, name, value))
			err = -EINVAL;
	}
	if (!err && json_object_update(kept, (json_t *)state))
		err = -ENOMEM;
	if (!err)
		err = state_write_now(gateway->settings, FILE_NAME, kept);
	if (err) {
		json_decref(kept);
		return err;
	}
	json_decref(store->kept);
	store->kept = kept;
	if (json_object_get(state, "password"))
		store->claimed = false;
	web_store_screen_follow(gateway);
	return 0;
}

/* --- web-claim -------------------------------------------------------------------------------- */

static int store_claim(void *daemon, const char *code)
{
	struct gateway *gateway = daemon;
	struct web_store *store = gateway->web_store;

	if (password_set(store))
		return -EEXIST;
	if (code_is(store, code)) {
		store->claimed = true;
		code_make(store);
		web_store_screen_follow(gateway);
		return 0;
	}
	if (++store->wrong >= CODE_TRIES) {
		log_warning("%d wrong codes for the page's first password: there is a new code",
			    CODE_TRIES);
		code_make(store);
		web_store_code_say(gateway);
		web_store_screen_follow(gateway);
	}
	return -EACCES;
}

/* --- setup -------------------------------------------------------------------------- */

static int password_forget(struct gateway *gateway)
{
	struct web_store *store = gateway->web_store;
	json_t *kept = json_copy(store->kept);
	int err;

	json_object_del(kept, "password");
	err = state_write_now(gateway->settings, FILE_NAME, kept);
	if (err) {
		json_decref(kept);
		return err;
	}
	json_decref(store->kept);
	store->kept = kept;
	store->claimed = false;
	code_make(store);
	web_store_screen_follow(gateway);
	web_process_say(gateway->web, WEB_LINK_FORGET);
	return 0;
}

static int store_setup(void *daemon, bool reset, bool unlock, json_t **result)
{
	struct gateway *gateway = daemon;
	int err = reset ? password_forget(gateway) : 0;

	if (err)
		return err;
	if (unlock)
		web_process_say(gateway->web, WEB_LINK_UNLOCK);
	*result = setup_json(gateway);
	return *result ? 0 : -ENOMEM;
}

const struct ctl_web_provider web_store_provider = {
	.state = store_state,
	.keep = store_keep,
	.claim = store_claim,
	.setup = store_setup,
};
