/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager is told, by sd_notify(3). Without one (NOTIFY_SOCKET
 * is not set) nothing happens. Context: the daemon's loop.
 */
#ifndef WAYLEAVE_DAEMON_SERVICE_H
#define WAYLEAVE_DAEMON_SERVICE_H

struct gateway;

/*
 * Ready: the first packet can be translated, or what is missing (an interface, an
 * address) is waited for; which of them, STATUS= says, again whenever it changes.
 * Once a second, for that is the watchdog's sign of life too.
 */
void service_tend(struct gateway *gateway);

/* SIGTERM has come. */
void service_stopping(void);

#endif
