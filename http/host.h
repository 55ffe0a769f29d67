/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers Host (RFC 9110 section 7.2) and Origin (RFC 6454 section 7), as strangers write
 * them: what name they say, and whether it is one of ours. Pure; no state.
 */
#ifndef WAYLEAVE_HTTP_HOST_H
#define WAYLEAVE_HTTP_HOST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The bytes of HOST before its port. 0: it is no host of ours, whatever the names are: empty, of
 * 256 bytes or more, with a port that is no number, or an address of IPv6, which the page has
 * none of.
 */
size_t host_length(const char *host);

/* The first LENGTH bytes of HOST are ADDRESS, as inet_ntop() writes it. */
bool host_is_address(const char *host, size_t length, const char *address);

/* They are one of NAMES (an array of strings), in any case, with or without the root's dot. */
bool host_is_named(const char *host, size_t length, const json_t *names);

/* ORIGIN is the page that HOST, port included, names: by HTTPS and nothing behind it. */
bool host_is_origin(const char *host, const char *origin);

#endif
