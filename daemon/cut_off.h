/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a change of settings cuts off: pure, of two settings and where somebody is. */
#ifndef WAYLEAVE_DAEMON_CUT_OFF_H
#define WAYLEAVE_DAEMON_CUT_OFF_H

#include <net/if.h>

#include "conf/settings.h"

struct cut_tunnel {
	const char *class; /* "pptp", "l2tp", "ipsec", ... */
	struct in_addr device;
	char interface[IFNAMSIZ]; /* the LAN where the device is; "": not known */
};

/* Why the tunnel would stop; NULL: it would not. */
const char *cut_off_tunnel(const struct settings *present, const struct settings *wanted,
			   const struct cut_tunnel *tunnel);

/* Who asks: a browser on the page, or an SSH session. */
struct cut_asker {
	struct in_addr address; /* 0: not known */
	char interface[IFNAMSIZ];
	bool page;
};

#define CUT_OFF_SENTENCE 240

/* True, and what would happen to the asker is in SENTENCE (CUT_OFF_SENTENCE bytes). */
bool cut_off_asker(const struct settings *present, const struct settings *wanted,
		   const struct cut_asker *asker, char *sentence);

#endif
