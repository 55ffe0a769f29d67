/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a settings file: where, and a sentence for a person.
 * Filled by every function of conf/ that can refuse something; only valid
 * after a negative result.
 */
#ifndef WAYLEAVE_CONF_ERROR_H
#define WAYLEAVE_CONF_ERROR_H

#include <stddef.h>

struct settings_error {
	char file[256];	   /* path as given by the caller; empty: no file involved */
	unsigned int line; /* 1-based; 0: no line, the file as a whole */
	char field[128];   /* dotted, "port_forwards[2].to"; empty: the file as a whole */
	char message[256]; /* one sentence without the place */
};

/* Fills FIELD and MESSAGE and clears the place. Returns CODE, so that a check can return it. */
int settings_error_set(struct settings_error *error, int code, const char *field,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "FILE:LINE: FIELD: MESSAGE" without the parts that are empty; returns TEXT. */
char *settings_error_text(const struct settings_error *error, char *text, size_t size);

#endif
