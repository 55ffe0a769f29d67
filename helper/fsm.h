/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State machines as constant tables: cells[state][event]. What every protocol's
 * pair of machines needs beside its cells. Pure.
 */
#ifndef WAYLEAVE_HELPER_FSM_H
#define WAYLEAVE_HELPER_FSM_H

#include <stdint.h>

/*
 * const CELL_TYPE *FUNCTION(uint8_t state, EVENT_TYPE event): the cell of CELLS, or,
 * out of its range (a state comes from a file, too), one with the values that follow.
 */
#define FSM_LOOKUP(function, cell_type, event_type, cells, ...)                                    \
	const cell_type *function(uint8_t state, event_type event)                                 \
	{                                                                                          \
		static const cell_type unknown = {__VA_ARGS__};                                    \
                                                                                                   \
		if (state >= sizeof(cells) / sizeof((cells)[0]) ||                                 \
		    (unsigned int)event >= sizeof((cells)[0]) / sizeof((cells)[0][0]))             \
			return &unknown;                                                           \
		return &(cells)[state][event];                                                     \
	}

/* const char *FUNCTION(TYPE value): the name of a state or event of LIST, "?" out of it. */
#define FSM_NAME(name) #name,
#define FSM_NAMES(function, type, list)                                                            \
	const char *function(type value)                                                           \
	{                                                                                          \
		static const char *const names[] = {list(FSM_NAME)};                               \
                                                                                                   \
		return (unsigned int)value < sizeof(names) / sizeof(names[0]) ? names[value]       \
									      : "?";               \
	}

#endif
