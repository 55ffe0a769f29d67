/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state comes from a helper that may have been taken over before it died, so
 * everything that is used as an index is checked here.
 */
#include "helper/l2tp_state.h"

#include <string.h>

#include "helper/l2tp_fsm.h"

static bool state_valid(const struct l2tp_flow_state *state)
{
	if (state->version != L2TP_STATE_VERSION)
		return false;
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++)
		if (state->connections[i].state >= L2TP_CONTROL_STATE_COUNT)
			return false;
	for (size_t i = 0; i < L2TP_SESSIONS; i++)
		if (state->sessions[i].state >= L2TP_SESSION_STATE_COUNT ||
		    state->sessions[i].connection >= L2TP_CONNECTIONS)
			return false;
	return true;
}

bool l2tp_state_load(struct l2tp_flow_state *state, const uint8_t *bytes)
{
	static const struct l2tp_flow_state fresh;
	bool is_new;

	memcpy(state, bytes, sizeof(*state));
	if (state_valid(state))
		return true;
	is_new = memcmp(state, &fresh, sizeof(fresh)) == 0;
	*state = (struct l2tp_flow_state){.version = L2TP_STATE_VERSION};
	return is_new;
}

void l2tp_state_store(const struct l2tp_flow_state *state, uint8_t *bytes)
{
	memset(bytes, 0, HELPER_STATE_BYTES);
	memcpy(bytes, state, sizeof(*state));
}
