/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names and values come from a file or a client, the message goes to a terminal. */
static void printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int settings_error_set(struct settings_error *error, int code, const char *field,
		       const char *format, ...)
{
	va_list arguments;

	memset(error, 0, sizeof(*error));
	snprintf(error->field, sizeof(error->field), "%s", field);
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	printable(error->field);
	printable(error->message);
	return code;
}

char *settings_error_text(const struct settings_error *error, char *text, size_t size)
{
	char place[32] = "";

	if (error->line)
		snprintf(place, sizeof(place), ":%u", error->line);
	snprintf(text, size, "%s%s%s%s%s%s", error->file, place, *error->file ? ": " : "",
		 error->field, *error->field ? ": " : "", error->message);
	return text;
}
