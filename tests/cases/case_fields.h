/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared structs' members by name, so that rows can write and read them as text. */
#ifndef WAYLEAVE_TESTS_CASES_CASE_FIELDS_H
#define WAYLEAVE_TESTS_CASES_CASE_FIELDS_H

#include <stdio.h>

#include "core/abi.h"

enum field_type { FIELD_HOST_ORDER, FIELD_NETWORK_ORDER, FIELD_ADDRESS, FIELD_MAC };

struct field {
	const char *name;
	__u16 offset, size;
	enum field_type type;
};

/* Tables end with a NULL name. */
extern const struct field config_fields[], interface_fields[], key_fields[];
extern const struct field route_mtu_fields[], marked_route_fields[], complaint_fields[];

/* Of the union's member that @kind means, and `partner`. */
const struct field *record_fields(__u8 kind);

/* NAME=VALUE into @object. 0, or -EINVAL and nothing written. */
int field_set(const struct field *table, void *object, const char *assignment);

/* " NAME=VALUE" of every field. */
void fields_print(const struct field *table, const void *object, FILE *out);

#endif
