/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers Host and Origin of a stranger, a line each, against a gateway with one address and
 * two names. What is admitted has to be one of the three, told by other means than host.c's.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/host.h"

#define ADDRESS "192.168.1.1"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char *const own[] = {"gate", "gate.home.arpa"};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static bool begins(const char *text, const char *with, const char **rest)
{
	size_t length = strlen(with);

	*rest = text + (strncasecmp(text, with, length) == 0 ? length : 0);
	return strncasecmp(text, with, length) == 0;
}

/* "" or ":" and digits. */
static bool is_port(const char *text)
{
	if (!*text)
		return true;
	if (*text++ != ':' || !*text)
		return false;
	while (isdigit((unsigned char)*text))
		text++;
	return !*text;
}

static bool is_own_name(const char *host)
{
	const char *rest;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (begins(host, own[i], &rest) && is_port(rest + (*rest == '.')))
			return true;
	return false;
}

static void host_look(const char *host)
{
	json_t *names = json_pack("[s, s]", own[0], own[1]);
	size_t length = host_length(host);
	const char *rest;

	must(length <= 255 && length <= strlen(host) && !memchr(host, ':', length));
	must((length && host_is_named(host, length, names)) == is_own_name(host));
	must((length && host_is_address(host, length, ADDRESS)) ==
	     (begins(host, ADDRESS, &rest) && is_port(rest)));
	json_decref(names);
}

static void origin_look(const char *host, const char *origin)
{
	char *page;

	must(asprintf(&page, "https://%s", host) > 0);
	must(host_is_origin(host, origin) == (strcmp(page, origin) == 0));
	free(page);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *host = strndup((const char *)data, size);
	char *end = strchr(host, '\n');

	if (end)
		*end = '\0';
	host_look(host);
	origin_look(host, end ? end + 1 : "");
	free(host);
	return 0;
}
