/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/story_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *member(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text ? text : "";
}

static const char *or_none(const char *text)
{
	return *text ? text : "none";
}

void story_when(const json_t *entry, char *text, size_t size)
{
	struct tm utc = {0}, local;
	time_t at;

	snprintf(text, size, "%s", member(entry, "at"));
	if (!strptime(member(entry, "at"), "%Y-%m-%dT%H:%M:%SZ", &utc))
		return;
	at = timegm(&utc);
	if (localtime_r(&at, &local))
		strftime(text, size, "%Y-%m-%d %H:%M:%S", &local);
}

void story_who(const json_t *entry, char *text, size_t size)
{
	const char *who = member(entry, "who"), *source = member(entry, "source_name");

	if (!*source)
		source = member(entry, "source");
	if (!*who)
		who = json_object_get(entry, "kind") ? "gateway" : "-";
	else if (strcmp(who, "uid 0") == 0)
		who = "root";
	snprintf(text, size, "%s%s%s", who, *source ? " " : "", source);
}

/* --- what the gateway saw --------------------------------------------------------------------- */

static void wan_what(const json_t *entry, char *text, size_t size)
{
	const char *action = member(entry, "action"), *interface = member(entry, "interface");

	if (strcmp(action, "carrier") == 0)
		snprintf(text, size, "%s: cable or link %s", interface,
			 json_is_true(json_object_get(entry, "up")) ? "connected" : "disconnected");
	else
		snprintf(text, size, "%s: %s %s -> %s", interface,
			 strcmp(action, "address") == 0 ? "WAN address" : "next hop",
			 or_none(member(entry, "before")), or_none(member(entry, "after")));
}

static void tunnel_what(const json_t *entry, char *text, size_t size)
{
	const char *name = member(entry, "device_name"), *why = member(entry, "why");

	snprintf(text, size, "%s%s%s%s: %s to %s: %s%s%s%s", name, *name ? " (" : "",
		 member(entry, "device"), *name ? ")" : "", member(entry, "protocol"),
		 member(entry, "server"), member(entry, "action"), *why ? " (" : "", why,
		 *why ? ")" : "");
}

static void gateway_what(const json_t *entry, char *text, size_t size)
{
	const char *address = member(entry, "address");

	if (strcmp(member(entry, "action"), "start") == 0)
		snprintf(text, size, "the gateway started; %s has %s", member(entry, "interface"),
			 *address ? address : "no address");
	else
		snprintf(text, size, "the gateway's programs ended; translation goes on");
}

/* --- what people did -----------------------------------------------------------------------------
 */

static const struct {
	const char *action, *done;
} deeds[] = {
	{"set", "changed"},
	{"forward", "changed"},
	{"rollback", "went back"},
	{"restore", "restored a backup"},
	{"undo", "undone, as nobody confirmed it"},
	{"reload", "read the settings file again"},
	{"confirm", "kept the change that waited"},
	{"restart", "asked for a restart"},
	{"name", "named a device"},
	{"network", "set up the network"},
	{"login", "logged in"},
	{"logout", "logged out"},
	{"password", "changed the password"},
	{"setup", "set the page up"},
	{"token-make", "made a token"},
	{"token-revoke", "revoked a token"},
};

static const char *deed_of(const char *action)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		if (strcmp(deeds[i].action, action) == 0)
			return deeds[i].done;
	return action;
}

static void deed_what(const json_t *entry, char *text, size_t size)
{
	const char *result = member(entry, "result"), *what = member(entry, "what");

	snprintf(text, size, "%s%s%s%s%s%s", deed_of(member(entry, "action")), *what ? ": " : "",
		 what, strcmp(result, "ok") == 0 ? "" : " - refused (",
		 strcmp(result, "ok") == 0 ? "" : result, strcmp(result, "ok") == 0 ? "" : ")");
}

void story_what(const json_t *entry, char *text, size_t size)
{
	const char *kind = member(entry, "kind");

	if (strcmp(kind, "wan") == 0)
		wan_what(entry, text, size);
	else if (strcmp(kind, "tunnel") == 0)
		tunnel_what(entry, text, size);
	else if (strcmp(kind, "gateway") == 0)
		gateway_what(entry, text, size);
	else
		deed_what(entry, text, size);
}
