/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/subnets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One subnet of LENGTH bytes. */
static int subnet_parse(const char *text, size_t length, struct subnet *subnet)
{
	char copy[sizeof("255.255.255.255/32")];
	char *slash, *end;
	unsigned long bits;

	if (length >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	slash = strchr(copy, '/');
	if (!slash || slash[1] < '1' || slash[1] > '9')
		return -EINVAL;
	*slash = '\0';
	bits = strtoul(slash + 1, &end, 10);
	if (*end || bits > 32 || inet_pton(AF_INET, copy, &subnet->address) != 1)
		return -EINVAL;
	subnet->mask = htonl(UINT32_MAX << (32 - bits));
	return subnet->address & ~subnet->mask ? -EINVAL : 0;
}

int subnets_parse(const char *text, struct subnet list[SUBNETS_MAX])
{
	int count = 0;

	memset(list, 0, SUBNETS_MAX * sizeof(*list));
	while (text) {
		size_t length = strcspn(text, ",");

		if (count == SUBNETS_MAX || subnet_parse(text, length, &list[count]))
			return -EINVAL;
		count++;
		text = text[length] ? text + length + 1 : NULL;
	}
	return count;
}
