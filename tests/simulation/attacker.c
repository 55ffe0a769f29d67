/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An inside host that wants what is not its own. Its neighbours' keys are renewed at
 * moments that it knows, so it asks for an SA of its own at the very same; it never
 * hears on any of them, so one is always free; and of the packets that it is given it
 * answers some (a share of them that each world draws) or all on the newest.
 */
#include "tests/simulation/parts.h"

#define ATTACKER 0

bool attacker_is(const struct world *w, int client)
{
	return w->climate.attacker && client == ATTACKER;
}

void attacker_races(struct world *w, enum purpose purpose)
{
	struct sa *sa;

	if (!w->climate.attacker || !w->clients[ATTACKER].tunnels[0].client_sends)
		return;
	sa = sa_new(w, ATTACKER, 0, true, false);
	exchange_new(w, purpose, ATTACKER, 0, sa, false);
}

void attacker_given(struct world *w, struct sa *sa, const int *clients, unsigned count)
{
	bool given = false;

	for (unsigned i = 0; i < count; i++)
		given |= attacker_is(w, clients[i]);
	if (!given || attacker_is(w, sa->client))
		return;
	if (count > 1)
		sa->attacker_copies++;
	else
		sa->attacker_packets++;
	if (chance_is(&w->chance, w->attacker_answers))
		later(w, lan_us(w, ATTACKER), SAY, ATTACKER, 0, false, NULL, 0);
}

void attacker_bound(const struct world *w, struct sa *sa, int client, enum certainty certainty)
{
	if (attacker_is(w, client) && !attacker_is(w, sa->client) && certainty >= BELIEVED)
		sa->attacker_won = true;
}
