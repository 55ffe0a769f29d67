/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/host.h"

#include <string.h>
#include <strings.h>

#define HOST_MAX_BYTES 255

static bool is_port(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

size_t host_length(const char *host)
{
	size_t length = strcspn(host, ":");

	if (length > HOST_MAX_BYTES || (host[length] && !is_port(host + length + 1)))
		return 0;
	return length;
}

bool host_is_address(const char *host, size_t length, const char *address)
{
	return strlen(address) == length && memcmp(address, host, length) == 0;
}

static bool name_is(const char *own, const char *name, size_t length)
{
	return own && strlen(own) == length && strncasecmp(own, name, length) == 0;
}

bool host_is_named(const char *host, size_t length, const json_t *names)
{
	const json_t *own;
	size_t i;

	if (length && host[length - 1] == '.')
		length--;
	json_array_foreach (names, i, own) {
		if (length && name_is(json_string_value(own), host, length))
			return true;
	}
	return false;
}

bool host_is_origin(const char *host, const char *origin)
{
	return strncmp(origin, "https://", 8) == 0 && strcmp(origin + 8, host) == 0;
}
