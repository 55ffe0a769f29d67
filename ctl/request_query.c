/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request asks to see: its members, and the names that filters know. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "conf/near.h"
#include "conf/printable.h"
#include "ctl/request_kind.h"

/* A member that must be text if it is there. */
static bool text_take(const json_t *object, const char *name, const char **text)
{
	const json_t *value = json_object_get(object, name);

	*text = json_string_value(value);
	return !value || *text;
}

bool request_address(const json_t *object, const char *name, struct in_addr *address)
{
	const char *text;

	if (!text_take(object, name, &text))
		return false;
	return !text || inet_pton(AF_INET, text, address) == 1;
}

bool request_count(const json_t *object, const char *name, json_int_t least, json_int_t most,
		   json_int_t *count)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		return true;
	*count = json_integer_value(value);
	return json_is_integer(value) && *count >= least && *count <= most;
}

/* --- which of the words? ------------------------------------------------------------------ */

static const char *const protocols[] = {"tcp", "udp", "icmp", "esp", "gre", "l2tp", NULL};
static const char *const classes[] = {"plain",	   "pptp",    "l2tp",	"ipsec",
				      "wireguard", "openvpn", "tunnel", NULL};

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* "'ipsek' is none of plain, pptp, ...; did you mean ipsec?" */
json_t *request_none_of(const char *field, const char *word, const char *const *words)
{
	struct near near = {.given = word};
	char text[256], hint[NEAR_HINT_BYTES], given[48];
	size_t used;

	snprintf(given, sizeof(given), "%.40s", word);
	printable_make(given);
	used = snprintf(text, sizeof(text), "'%s' is none of ", given);
	for (size_t i = 0; words[i] && used < sizeof(text); i++) {
		near_look(&near, words[i]);
		used += snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", words[i]);
	}
	if (used < sizeof(text))
		snprintf(text + used, sizeof(text) - used, "%s",
			 near_hint(&near, hint, sizeof(hint)));
	return request_bad(field, text);
}

/* The refusal of a name that nobody knows, which would only list nothing; or NULL. */
static json_t *names_refusal(const struct ctl_query *query)
{
	const char *protocol = query->protocol, *class = query->class;

	/* others are shown by their number */
	if (protocol && !is_one_of(protocol, protocols) &&
	    (!*protocol || protocol[strspn(protocol, "0123456789")]))
		return request_none_of("filter.protocol", protocol, protocols);
	if (class && !is_one_of(class, classes))
		return request_none_of("filter.class", class, classes);
	return NULL;
}

/* Returns the name of the member that is wrong, or NULL. */
static const char *members_take(const json_t *request, struct ctl_query *query)
{
	const json_t *filter = json_object_get(request, "filter");
	json_int_t cursor = 0, limit = CTL_PAGE_MAX;

	*query = (struct ctl_query){0};
	if (!request_count(request, "cursor", 0, INT64_MAX, &cursor))
		return "cursor";
	if (!request_count(request, "limit", 1, CTL_PAGE_MAX, &limit))
		return "limit";
	query->cursor = cursor;
	query->limit = limit;
	if (filter && !json_is_object(filter))
		return "filter";
	if (!text_take(filter, "protocol", &query->protocol))
		return "filter.protocol";
	if (!text_take(filter, "class", &query->class))
		return "filter.class";
	if (!request_address(filter, "inside", &query->inside))
		return "filter.inside";
	return request_address(filter, "remote", &query->remote) ? NULL : "filter.remote";
}

/* The refusal of a request that is not as it should be, or NULL. */
json_t *request_query(const json_t *request, struct ctl_query *query)
{
	const char *wrong = members_take(request, query);

	return wrong ? request_bad(wrong, "is not as docs/control-protocol.md has it")
		     : names_refusal(query);
}
