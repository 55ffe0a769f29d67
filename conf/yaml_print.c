/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/yaml_print.h"

#include <arpa/inet.h>
#include <string.h>

#include "conf/check.h"
#include "conf/field.h"

/* Means the same with and without quotes, in a block and between brackets. */
static bool is_plain(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_./-";

	return *value && *value != '-' && *value != '.' && strspn(value, letters) == strlen(value);
}

void yaml_value_print(FILE *out, const char *value)
{
	if (is_plain(value)) {
		fputs(value, out);
		return;
	}
	fputc('\'', out);
	for (; *value; value++)
		fprintf(out, *value == '\'' ? "''" : "%c", *value);
	fputc('\'', out);
}

void yaml_forward_print(FILE *out, const struct port_forward_settings *forward)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &forward->to, address, sizeof(address));
	fputs("{", out);
	if (forward->name) {
		fputs("name: ", out);
		yaml_value_print(out, forward->name);
		fputs(", ", out);
	}
	fprintf(out, "protocol: %s", forward_protocol_name(forward->protocol));
	if (forward_has_ports(forward->protocol))
		fprintf(out, ", port: %u", forward->port);
	if (forward->port_last != forward->port)
		fprintf(out, ", port_last: %u", forward->port_last);
	fprintf(out, ", to: %s", address);
	if (forward->to_port != forward->port)
		fprintf(out, ", to_port: %u", forward->to_port);
	fputs("}", out);
}
