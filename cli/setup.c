/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `setup`: where the page is, how to know it, and the code that its first password takes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/network.h"
#include "cli/qr.h"

static void places_print(const json_t *setup)
{
	const json_t *places = json_object_get(setup, "addresses"), *place;
	size_t i;

	if (!json_is_true(json_object_get(setup, "enabled")))
		puts("The page is off. To have it: wayleave set web.enabled on");
	else if (json_array_size(places) == 0)
		puts("The page waits for an address on a LAN interface.");
	json_array_foreach (places, i, place)
		printf("The page is at %s\n", json_string_value(place));
}

static void fingerprint_print(const json_t *setup)
{
	const char *fingerprint = json_string_value(json_object_get(setup, "fingerprint"));

	if (fingerprint)
		printf("Its certificate has the SHA-256 fingerprint\n  %.48s\n  %s\n", fingerprint,
		       strlen(fingerprint) > 48 ? fingerprint + 48 : "");
}

/* The code stands behind '#', which a browser sends to nobody. */
static void qr_show(const struct cli *cli, const json_t *setup, const char *code)
{
	const char *place =
		json_string_value(json_array_get(json_object_get(setup, "addresses"), 0));
	bool terminal = isatty(STDOUT_FILENO);
	char url[128];

	if (!place || (!terminal && !cli->qr))
		return;
	snprintf(url, sizeof(url), "%s/#/setup/%s", place, code);
	puts("For a phone on this network:");
	qr_print(stdout, url, terminal);
}

static void setup_print(const struct cli *cli, const json_t *setup)
{
	const char *code = json_string_value(json_object_get(setup, "code"));

	places_print(setup);
	fingerprint_print(setup);
	if (!code) {
		puts("Its password is set. Forgotten: wayleave setup reset");
		return;
	}
	printf("It has no password yet. The first visit sets one, with this code: %s\n"
	       "The code works once.\n",
	       code);
	qr_show(cli, setup, code);
}

int cli_setup(const struct cli *cli)
{
	const char *word = cli->words_count ? cli->words[0] : "";
	bool reset = strcmp(word, "reset") == 0, unlock = strcmp(word, "unlock") == 0;
	json_t *setup;

	if (strcmp(word, "network") == 0) {
		struct cli network = *cli;

		network.words++;
		network.words_count--;
		return cli_setup_network(&network);
	}
	if (cli->words_count > 1 || (*word && !reset && !unlock)) {
		fputs("usage: wayleave setup [reset|unlock|network]\n", stderr);
		return CLI_USAGE;
	}
	int rc = cli_ask_once(
		cli,
		json_pack("{s:s, s:b, s:b}", "request", "setup", "reset", reset, "unlock", unlock),
		&setup);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(setup);
	else
		setup_print(cli, setup);
	json_decref(setup);
	return CLI_OK;
}
