/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/fingerprint.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

/* The bytes between BEGIN and END; the caller's. NULL: they are no base64. */
static unsigned char *body_decode(const char *body, size_t length, size_t *bytes)
{
	unsigned char *binary = malloc(length + 1);

	if (!binary || !sodium_base642bin(binary, length, body, length, "\r\n", bytes, NULL,
					  sodium_base64_VARIANT_ORIGINAL))
		return binary;
	free(binary);
	return NULL;
}

int fingerprint_of(const char *pem, char text[FINGERPRINT_TEXT_BYTES])
{
	const char *begin = pem ? strstr(pem, BEGIN) : NULL;
	const char *end = begin ? strstr(begin, END) : NULL;
	unsigned char hash[crypto_hash_sha256_BYTES], *binary;
	size_t bytes;

	*text = '\0';
	if (!end)
		return -EINVAL;
	begin += strlen(BEGIN);
	binary = body_decode(begin, (size_t)(end - begin), &bytes);
	if (!binary || !bytes) {
		free(binary);
		return -EINVAL;
	}
	crypto_hash_sha256(hash, binary, bytes);
	free(binary);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(text + 3 * i, 4, "%02X%s", hash[i], i + 1 < sizeof(hash) ? ":" : "");
	return 0;
}
