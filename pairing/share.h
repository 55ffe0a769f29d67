/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may have one of the few places of a list. Hosts are counted in groups: the
 * addresses of one device, which can have as many as it likes. A group has at most
 * a quarter of the places, and the last eighth is for known groups that have none
 * yet. Pure.
 */
#ifndef WAYLEAVE_PAIRING_SHARE_H
#define WAYLEAVE_PAIRING_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define SHARE_OF_GROUP 4 /* one part in so many is the most that a group has */
#define SHARE_RESERVED 8 /* one part in so many is for groups without a place */

/*
 * The group of @inside, and whether it was there before trouble began; 0: of none,
 * its own share is all that holds. NULL: there are no groups.
 */
struct share_groups {
	uint32_t (*group)(void *context, uint32_t inside, bool *known);
	void *context;
};

struct share {
	uint32_t group; /* of who asks */
	bool known;
	unsigned room, used, of_group; /* places: in all, taken, by this group */
};

static inline struct share share_of(const struct share_groups *groups, uint32_t inside,
				    unsigned room)
{
	struct share share = {.room = room};

	if (groups->group)
		share.group = groups->group(groups->context, inside, &share.known);
	return share;
}

/* @count places are taken by hosts of @group. */
static inline void share_count(struct share *share, uint32_t group, unsigned count)
{
	share->used += count;
	if (group == share->group)
		share->of_group += count;
}

static inline bool share_admits(const struct share *share)
{
	if (!share->group)
		return true;
	if (share->of_group >= share->room / SHARE_OF_GROUP)
		return false;
	return share->used < share->room - share->room / SHARE_RESERVED ||
	       (share->known && !share->of_group);
}

#endif
