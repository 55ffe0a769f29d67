/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for whoever runs the gateway, on standard error. Under journald each
 * line starts with its priority as <N> (sd-daemon(3)); otherwise it is plain.
 *
 * A message is one sentence that says what it means for the user.
 */
#ifndef WAYLEAVE_DAEMON_LOG_H
#define WAYLEAVE_DAEMON_LOG_H

#include <syslog.h>

/* Looks whether standard error is journald's socket (JOURNAL_STREAM). */
void log_open(void);

void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_INFO, __VA_ARGS__)

#endif
