/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rehearse.h"

#include <string.h>

#include "cli/asker.h"

int rehearse(struct ctl_client *client, const json_t *request, json_t **effect)
{
	json_t *question = json_copy((json_t *)request);
	char from[64];

	json_object_set_new(question, "dry_run", json_true());
	json_object_del(question, "confirm");
	if (asker_address(from, sizeof(from)))
		json_object_set_new(question, "from", json_string(from));
	return cli_ask(client, question, effect);
}

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void cuts_print(FILE *out, const json_t *cuts)
{
	size_t i, count = json_array_size(cuts);
	json_t *cut;

	if (!count)
		fputs("No live tunnel is cut off.\n", out);
	else
		fprintf(out, "%zu live tunnel%s cut off:\n", count, count == 1 ? " is" : "s are");
	json_array_foreach ((json_t *)cuts, i, cut) {
		const char *name = text_in(cut, "device_name");

		fprintf(out, "  %s%s%s  %s to %s: %s\n", text_in(cut, "device"), *name ? " " : "",
			name, text_in(cut, "kind"), text_in(cut, "server"),
			text_in(cut, "because"));
	}
}

void effect_print(FILE *out, const json_t *effect)
{
	const char *difference = text_in(effect, "difference");
	const char *you = text_in(effect, "you");
	const json_t *note;
	size_t i;

	fprintf(out, "%s\n", *difference ? difference : "no setting changes");
	json_array_foreach (json_object_get(effect, "notes"), i, note)
		fprintf(out, "%s\n", json_string_value(note));
	if (json_object_get(effect, "cuts"))
		cuts_print(out, json_object_get(effect, "cuts"));
	if (*you)
		fprintf(out, "%s\n", you);
}

int rehearse_print(const struct cli *cli, struct ctl_client *client, const json_t *request)
{
	json_t *effect;
	int rc = rehearse(client, request, &effect);

	if (rc)
		return rc;
	if (cli->json) {
		cli_print_json(effect);
	} else {
		effect_print(stdout, effect);
		puts("dry run: nothing has changed");
	}
	json_decref(effect);
	return CLI_OK;
}
