/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateway's own certificate: made once per device, signed by itself. */
#ifndef WAYLEAVE_HTTP_CERTIFICATE_H
#define WAYLEAVE_HTTP_CERTIFICATE_H

#include <jansson.h>

/*
 * A new key (ECDSA P-256) and its certificate for NAMES (text) and ADDRESSES (dotted IPv4), which
 * has no end: the clock of a device at its first start may be anywhere. *CERTIFICATE and *KEY are
 * PEM and the caller's to free. 0 or -errno.
 */
int certificate_make(const json_t *names, const json_t *addresses, char **certificate, char **key);

#endif
