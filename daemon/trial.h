/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wayleaved --trial SECONDS`: a start that takes itself away again, whole, unless `wayleave
 * confirm` comes, so that nobody stays locked out by it. It takes itself away too when it is
 * ended or dies before that (daemon/trial_guard.h). Context: the daemon's loop.
 */
#ifndef WAYLEAVE_DAEMON_TRIAL_H
#define WAYLEAVE_DAEMON_TRIAL_H

#include <stdbool.h>

struct gateway;

#define TRIAL_SECONDS_MIN 10
#define TRIAL_SECONDS_MAX 3600

/* The time begins, where gateway->trial_s says so. 0 or -ENOMEM. */
int trial_begin(struct gateway *gateway);

/* Seconds until it takes itself away; 0: this is no trial, or one that was confirmed. */
unsigned int trial_left(const struct gateway *gateway);

/* ctl_provider.confirm: true when there was a trial, which is a start as any from now on. */
bool trial_confirm(void *daemon);

/* Frees its timer. */
void trial_end(struct gateway *gateway);

#endif
