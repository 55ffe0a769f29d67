/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IKE SAs and what servers insist on, as JSON in state_dir: {"version", "external", "servers",
 * "sas"}. */
#ifndef WAYLEAVE_DAEMON_IKE_STATE_H
#define WAYLEAVE_DAEMON_IKE_STATE_H

#include <linux/types.h>
#include <stdint.h>

#include "conf/settings.h"
#include "pairing/ike_port.h"

/* What servers insist on always; the SAs if they are of this WAN address. */
void ike_state_load(const struct settings *settings, __be32 external, struct ike_port *ike,
		    uint64_t now_ms);

/* 0 or -errno, which is said. */
int ike_state_save(const struct settings *settings, __be32 external, struct ike_port *ike,
		   uint64_t now_ms);

#endif
