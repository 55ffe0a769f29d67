/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ESP pairs as JSON in state_dir: {"version", "external", "pairs": [...]}. */
#ifndef WAYLEAVE_DAEMON_ESP_STATE_H
#define WAYLEAVE_DAEMON_ESP_STATE_H

#include <linux/types.h>
#include <stdint.h>

#include "conf/settings.h"
#include "pairing/esp.h"

/* Puts the file's pairs back if they are of this WAN address. Answers how many. */
unsigned esp_state_load(const struct settings *settings, __be32 external,
			struct esp_pairing *pairing, uint64_t now_ms);

/* 0 or -errno, which is said. */
int esp_state_save(const struct settings *settings, __be32 external,
		   const struct esp_pairing *pairing);

#endif
