/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/effect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "conf/machine.h"
#include "daemon/cut_off.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/show_pages.h"

/* --- does it fit the machine? ---------------------------------------------------------- */

static void notes_of(const struct settings *present, const struct settings *wanted,
		     const struct outlook *before, const struct outlook *after, json_t *notes)
{
	const char *name;

	for (unsigned int i = 0; i < after->count; i++)
		if (!outlook_has(before, &after->finding[i]))
			json_array_append_new(notes, json_string(after->finding[i].sentence));
	for (unsigned int i = 0; (name = outlook_restarts(present, wanted, i)); i++)
		json_array_append_new(
			notes,
			json_sprintf("%s takes effect after: systemctl restart wayleave", name));
}

/* The table was made for so many; a larger one would be another table. */
static void room_note(const struct gateway *gateway, const struct settings *present,
		      const struct settings *wanted, json_t *notes)
{
	uint32_t sessions = wanted->limits.sessions;

	if (sessions > gateway->sessions_room && sessions != present->limits.sessions)
		json_array_append_new(
			notes, json_sprintf("limits.sessions: the table has room for %u; more "
					    "takes effect after wayleaved --teardown and a start, "
					    "which end all sessions",
					    gateway->sessions_room));
}

/* NOTES: sentences about the change are appended. */
static int change_check(const struct gateway *gateway, const struct settings *present,
			const struct settings *wanted, json_t *notes, struct settings_error *error)
{
	struct outlook before, after;
	int err;

	if (strcmp(present->run_dir, wanted->run_dir))
		return settings_error_set(error, -EINVAL, "run_dir",
					  "cannot change while the daemon runs; use --teardown, "
					  "change it and start again");
	outlook_read(&before, present, &machine_facts);
	outlook_read(&after, wanted, &machine_facts);
	err = outlook_refuses(&before, &after, error);
	if (err)
		return err;
	notes_of(present, wanted, &before, &after, notes);
	room_note(gateway, present, wanted, notes);
	return 0;
}

int effect_check(void *daemon, const struct settings *present, const struct settings *wanted,
		 struct settings_error *error)
{
	struct gateway *gateway = daemon;
	json_t *note;
	size_t i;
	int err;

	json_decref(gateway->notes);
	gateway->notes = json_array();
	err = change_check(gateway, present, wanted, gateway->notes, error);
	/* after SIGHUP nobody waits for an answer */
	json_array_foreach (gateway->notes, i, note)
		log_notice("settings: %s", json_string_value(note));
	return err;
}

void effect_log(const struct settings *settings)
{
	struct outlook outlook;

	outlook_read(&outlook, settings, &machine_facts);
	for (unsigned int i = 0; i < outlook.count; i++)
		if (outlook.finding[i].refuses) /* of interfaces others tell */
			log_warning("%s: %s", outlook.finding[i].field,
				    outlook.finding[i].sentence);
}

json_t *effect_notes(void *daemon)
{
	struct gateway *gateway = daemon;
	json_t *notes = gateway->notes ? gateway->notes : json_array();

	gateway->notes = NULL;
	return notes;
}

/* --- whom does it cut off? --------------------------------------------------------------- */

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* The interface that leads to ADDRESS; "": none. */
static void interface_of(struct in_addr address, char *interface)
{
	*interface = '\0';
	if (address.s_addr)
		machine_facts.way(NULL, address, interface);
}

static struct cut_tunnel tunnel_of(const json_t *vpn)
{
	struct cut_tunnel tunnel = {.class = text_in(vpn, "class")};

	if (!*tunnel.class)
		tunnel.class = text_in(vpn, "kind");
	inet_pton(AF_INET, text_in(vpn, "device"), &tunnel.device);
	interface_of(tunnel.device, tunnel.interface);
	return tunnel;
}

/* What has ended or never began is not cut off. */
static bool is_live(const json_t *vpn)
{
	static const char *const over[] = {"failed", "refused", "ended", "blocked"};

	for (size_t i = 0; i < sizeof(over) / sizeof(*over); i++)
		if (strcmp(text_in(vpn, "state"), over[i]) == 0)
			return false;
	return true;
}

static void cut_add(json_t *cuts, const struct ctl_rehearsal *rehearsal, const json_t *vpn)
{
	static const char *const members[] = {"device", "device_name", "kind", "class", "server"};
	struct cut_tunnel tunnel = tunnel_of(vpn);
	const char *because = cut_off_tunnel(rehearsal->present, rehearsal->wanted, &tunnel);
	json_t *cut;

	if (!because || !is_live(vpn))
		return;
	cut = json_pack("{s:s}", "because", because);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (json_object_get(vpn, members[i]))
			json_object_set(cut, members[i], json_object_get(vpn, members[i]));
	json_array_append_new(cuts, cut);
}

static int cuts_collect(struct gateway *gateway, const struct ctl_rehearsal *rehearsal,
			json_t *cuts)
{
	struct ctl_query query = {.limit = CTL_PAGE_MAX};
	uint64_t next = 0;
	size_t i;
	json_t *vpn;
	int err;

	do {
		json_t *page = json_array();

		query.cursor = next;
		err = show_vpns(gateway, &query, page, &next);
		json_array_foreach (page, i, vpn)
			cut_add(cuts, rehearsal, vpn);
		json_decref(page);
	} while (!err && next);
	return err;
}

/* Where the asker's packets come in, and by what the page or an SSH session is cut off. */
static void you_add(json_t *result, const struct ctl_rehearsal *rehearsal)
{
	struct cut_asker asker = {.address = rehearsal->asker, .page = rehearsal->page};
	char sentence[CUT_OFF_SENTENCE];

	interface_of(asker.address, asker.interface);
	if (cut_off_asker(rehearsal->present, rehearsal->wanted, &asker, sentence))
		json_object_set_new(result, "you", json_string(sentence));
}

int effect_tell(void *daemon, const struct ctl_rehearsal *rehearsal, json_t **result,
		struct settings_error *error)
{
	json_t *notes = json_array(), *cuts = json_array();
	int err = change_check(daemon, rehearsal->present, rehearsal->wanted, notes, error);

	*result = json_pack("{s:o, s:o}", "notes", notes, "cuts", cuts);
	if (!err && !*result)
		err = settings_error_set(error, -ENOMEM, "", "no memory");
	if (!err && cuts_collect(daemon, rehearsal, cuts))
		err = settings_error_set(error, -EBUSY, "", "the tunnels cannot be listed now");
	if (err) {
		json_decref(*result);
		return err;
	}
	you_add(*result, rehearsal);
	return 0;
}
