/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web process, for who starts it. */
#ifndef WAYLEAVE_HTTP_PROCESS_H
#define WAYLEAVE_HTTP_PROCESS_H

#include "helper/sandbox.h"

/* What a sandbox has to allow it. */
extern const struct sandbox_rules web_rules;

/* Serves until the daemon goes away; the exit status of the process. For keeper_options.run. */
int web_run(int link);

#endif
