/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a browser shows of a certificate, for people to compare: SHA-256 of its bytes, as
 * "3A:5F:...". The certificate is not parsed, so the daemon may do it. Pure; no state.
 */
#ifndef WAYLEAVE_HTTP_FINGERPRINT_H
#define WAYLEAVE_HTTP_FINGERPRINT_H

#define FINGERPRINT_TEXT_BYTES 96 /* 32 * "XX:", the last colon is the NUL */

/* Of the first certificate in PEM (a chain's own one). 0; -EINVAL: there is none, TEXT is "". */
int fingerprint_of(const char *pem, char text[FINGERPRINT_TEXT_BYTES]);

#endif
