/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

/* 2020-01-01: before any clock that a device may have but 1970's */
#define NOT_BEFORE ((time_t)1577836800)

static int names_set(gnutls_x509_crt_t certificate, const json_t *names)
{
	const json_t *name;
	size_t i;
	int rc = 0;

	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);

		if (i == 0)
			rc = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME,
							   0, text, strlen(text));
		if (!rc)
			rc = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME,
								  text, strlen(text),
								  GNUTLS_FSAN_APPEND);
		if (rc)
			break;
	}
	return rc;
}

static int addresses_set(gnutls_x509_crt_t certificate, const json_t *addresses)
{
	const json_t *address;
	struct in_addr binary;
	size_t i;
	int rc = 0;

	json_array_foreach (addresses, i, address) {
		if (!rc && inet_pton(AF_INET, json_string_value(address), &binary) == 1)
			rc = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS,
								  &binary, sizeof(binary),
								  GNUTLS_FSAN_APPEND);
	}
	return rc;
}

static int serial_set(gnutls_x509_crt_t certificate)
{
	unsigned char serial[16];
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* positive, RFC 5280 section 4.1.2.2 */
	return rc ? rc : gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
}

static int fields_set(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	int rc = gnutls_x509_crt_set_version(certificate, 3);

	if (!rc)
		rc = serial_set(certificate);
	if (!rc)
		rc = gnutls_x509_crt_set_activation_time(certificate, NOT_BEFORE);
	if (!rc)
		rc = gnutls_x509_crt_set_expiration_time(certificate, (time_t)-1);
	if (!rc)
		rc = gnutls_x509_crt_set_key(certificate, key);
	if (!rc)
		rc = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (!rc)
		rc = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
	if (!rc)
		rc = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return rc;
}

/* Takes DATUM. */
static char *datum_text(gnutls_datum_t *datum)
{
	char *text = strndup((char *)datum->data, datum->size);

	gnutls_memset(datum->data, 0, datum->size);
	gnutls_free(datum->data);
	return text;
}

static int texts_export(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
			char **certificate_text, char **key_text)
{
	gnutls_datum_t datum;
	int rc = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &datum);

	if (rc)
		return rc;
	*certificate_text = datum_text(&datum);
	rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
					       &datum);
	if (!rc)
		*key_text = datum_text(&datum);
	return rc;
}

int certificate_make(const json_t *names, const json_t *addresses, char **certificate_text,
		     char **key_text)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_x509_privkey_t key = NULL;
	int rc = gnutls_x509_crt_init(&certificate);

	*certificate_text = *key_text = NULL;
	if (!rc)
		rc = gnutls_x509_privkey_init(&key);
	if (!rc)
		rc = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (!rc)
		rc = fields_set(certificate, key);
	if (!rc)
		rc = names_set(certificate, names);
	if (!rc)
		rc = addresses_set(certificate, addresses);
	if (!rc)
		rc = gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
	if (!rc)
		rc = texts_export(certificate, key, certificate_text, key_text);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	return rc || !*certificate_text || !*key_text ? -EIO : 0;
}
