/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/notice_limit.h"

bool notice_admit(struct notice_limit *limit, __be32 destination, uint64_t second)
{
	uint8_t *each = &limit->each[(destination * 0x9e3779b1u) >> 24];

	if (limit->second != second)
		*limit = (struct notice_limit){.second = second};
	if (limit->all >= NOTICES_A_SECOND || *each >= NOTICES_EACH_A_SECOND)
		return false;
	limit->all++;
	(*each)++;
	return true;
}
