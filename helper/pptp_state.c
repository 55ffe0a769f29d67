/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state comes from a helper that may have been taken over before it died, so
 * everything that is used as an index or a length is checked here.
 */
#include "helper/pptp_state.h"

#include <string.h>

#include "helper/pptp_fsm.h"

static bool reader_valid(const struct pptp_reader *reader)
{
	const struct pptp_layout *layout = pptp_layout(reader->type);

	if (reader->half > PPTP_READER_HELD || reader->has_reserved > 1)
		return false;
	if (reader->position < PPTP_HEADER_BYTES)
		return reader->half == PPTP_READER_WHOLE;
	return layout && reader->length == layout->length && reader->position < reader->length;
}

static bool calls_valid(const struct pptp_call *calls)
{
	for (size_t i = 0; i < PPTP_CALLS; i++)
		if (calls[i].state >= PPTP_CALL_STATE_COUNT)
			return false;
	return true;
}

static bool state_valid(const struct pptp_stream_state *state)
{
	if (state->version != PPTP_STATE_VERSION || state->control >= PPTP_CONTROL_STATE_COUNT ||
	    state->originator > HELPER_INBOUND)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (!tcp_stream_valid(&state->streams[i]) || !reader_valid(&state->readers[i]))
			return false;
	return calls_valid(state->calls);
}

bool pptp_state_load(struct pptp_stream_state *state, const uint8_t *bytes)
{
	static const struct pptp_stream_state fresh;

	memcpy(state, bytes, sizeof(*state));
	if (state_valid(state))
		return true;
	bool is_new = memcmp(state, &fresh, sizeof(fresh)) == 0;

	*state = (struct pptp_stream_state){.version = PPTP_STATE_VERSION, .ended = !is_new};
	return is_new;
}

void pptp_state_store(const struct pptp_stream_state *state, uint8_t *bytes)
{
	memset(bytes, 0, HELPER_STATE_BYTES);
	memcpy(bytes, state, sizeof(*state));
}
