/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that play the helper's part; the daemon uses helper.h. */
#ifndef WAYLEAVE_HELPER_CLIENT_H
#define WAYLEAVE_HELPER_CLIENT_H

#include "helper/helper.h"

/* helper_start() with another program in the prison: `run` serves `socket`, gives an exit status.
 */
int helper_start_running(struct helper **made, const struct helper_options *options,
			 int (*run)(int socket));

#endif
