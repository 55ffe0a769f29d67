/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine's facts for conf/outlook.h: /etc/group, interfaces, routes, files. */
#ifndef WAYLEAVE_CONF_MACHINE_H
#define WAYLEAVE_CONF_MACHINE_H

#include "conf/outlook.h"

/* Asks the machine anew each time; a few system calls a question. */
extern const struct settings_facts machine_facts;

#endif
