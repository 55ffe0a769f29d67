/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of which a proof knows nothing. Frama-C's builtins; see its manual on Eva. */
#ifndef WAYLEAVE_TESTS_PROVE_ANY_H
#define WAYLEAVE_TESTS_PROVE_ANY_H

#include <stddef.h>
#include <stdint.h>

#include "__fc_builtin.h"

static inline void any_bytes(uint8_t *bytes, size_t count)
{
	Frama_C_make_unknown((char *)bytes, count);
}

/* From 0 to @most. */
static inline size_t any_length(size_t most)
{
	return Frama_C_unsigned_int_interval(0, (unsigned int)most);
}

#endif
