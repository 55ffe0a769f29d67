/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device is called. */
#include <errno.h>

#include "ctl/request_kind.h"

json_t *request_name(const struct request_context *context, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	struct in_addr address = {0};

	if (!request_address(request, "address", &address) || !address.s_addr)
		return request_bad("address", "is no IPv4 address");
	if (!name)
		return request_bad("name", "is missing or not text");
	if (!context->provider->name)
		return request_refusal("unknown-request", NULL, "this daemon gives no names");
	int rc = context->provider->name(context->daemon, address, name);
	if (rc == -EINVAL)
		return request_refusal("invalid-setting", "name",
				       "is longer than 63 bytes or has characters that are not "
				       "printable");
	return rc ? request_failure(rc) : request_success(json_pack("{s:s}", "name", name));
}
