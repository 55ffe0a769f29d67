/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as they are written into a settings file, with quotes where YAML needs them. */
#ifndef WAYLEAVE_CONF_YAML_PRINT_H
#define WAYLEAVE_CONF_YAML_PRINT_H

#include <stdio.h>

#include "conf/settings.h"

void yaml_value_print(FILE *out, const char *value);

/* On one line, between braces. */
void yaml_forward_print(FILE *out, const struct port_forward_settings *forward);

#endif
