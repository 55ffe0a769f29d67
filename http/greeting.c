/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/greeting.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "http/fingerprint.h"

static const char style[] =
	":root{color-scheme:light dark}"
	"body{font:1.05rem/1.55 system-ui,sans-serif;max-width:40rem;margin:2.5rem auto;"
	"padding:0 1.2rem}"
	"h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin-top:1.8rem}"
	"code{display:block;padding:.7rem .9rem;border:1px solid #8888;border-radius:.5rem;"
	"overflow-wrap:anywhere;font-size:.95rem}"
	".go{display:inline-block;margin:.4rem 0 1rem;padding:.7rem 1.2rem;border-radius:.5rem;"
	"background:#0f766e;color:#fff;font-weight:600;text-decoration:none}"
	".go:focus-visible{outline:3px solid;outline-offset:3px}";

struct words {
	const char *language, *title, *why, *button, *what, *advanced, *compare, *compared, *same,
		*first;
};

static const struct words english = {
	.language = "en",
	.title = "Your browser will warn you. That is expected here.",
	.why = "The settings page of this gateway is encrypted. The gateway has made the "
	       "certificate for it by itself, and no company vouches for that, so the browser "
	       "cannot know whose it is. It asks once.",
	.button = "Go to the settings page",
	.what = "What you will see",
	.advanced = "A page such as “Your connection is not private” or “Potential security "
		    "risk ahead”. Choose “Advanced”, then “Proceed” or “Accept the risk and "
		    "continue”.",
	.compare = "To be sure that it is this gateway",
	.compared = "Compare the certificate's SHA-256 fingerprint in the browser's warning with "
		    "the one on the gateway's own screen, or with what “sudo wayleave setup” "
		    "prints there. Here it is as well, but this page has come without encryption: "
		    "whoever could stand in between could change it too.",
	.same = "Some browsers show it in small letters and without the colons:",
	.first = "The first visit sets a password. The code for it is on the gateway's screen, "
		 "above the login prompt, and in “sudo wayleave setup”. It works once.",
};

static const struct words german = {
	.language = "de",
	.title = "Ihr Browser wird warnen. Das ist hier zu erwarten.",
	.why = "Die Einstellungsseite dieses Gateways ist verschlüsselt. Das Zertifikat dafür hat "
	       "das Gateway selbst erstellt, und keine Firma bürgt dafür, deshalb kann der Browser "
	       "nicht wissen, von wem es ist. Er fragt einmal.",
	.button = "Zur Einstellungsseite",
	.what = "Was Sie sehen werden",
	.advanced = "Eine Seite wie „Dies ist keine sichere Verbindung“ oder „Mögliches "
		    "Sicherheitsrisiko erkannt“. Wählen Sie „Erweitert“, dann „Weiter“ oder "
		    "„Risiko akzeptieren und fortfahren“.",
	.compare = "Um sicher zu sein, dass es dieses Gateway ist",
	.compared = "Vergleichen Sie den SHA-256-Fingerabdruck des Zertifikats in der Warnung des "
		    "Browsers mit dem auf dem Bildschirm des Gateways oder mit dem, was dort „sudo "
		    "wayleave setup“ ausgibt. Er steht auch hier, aber diese Seite kam "
		    "unverschlüsselt: Wer dazwischen sitzt, könnte auch sie ändern.",
	.same = "Manche Browser zeigen ihn in Kleinbuchstaben und ohne Doppelpunkte:",
	.first = "Der erste Besuch setzt ein Passwort. Der Code dafür steht auf dem Bildschirm des "
		 "Gateways über der Anmeldung und in „sudo wayleave setup“. Er gilt einmal.",
};

bool greeting_is_for(const struct exchange *exchange)
{
	const char *accept = exchange_header(exchange, "Accept");

	return !exchange->web->installed && accept && strstr(accept, "text/html") &&
	       (strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0) &&
	       strncmp(exchange->path, "/api/", 5) != 0;
}

/* The setting, else what the browser prefers: the first of its languages that we have. */
static const struct words *words_choose(const struct exchange *exchange)
{
	const char *set = web_state_text(&exchange->web->state, "language");
	const char *list = exchange_header(exchange, "Accept-Language");

	if (set && strcmp(set, "auto") != 0)
		return strcmp(set, "de") == 0 ? &german : &english;
	for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
		list += strspn(list, " \t");
		if (strncasecmp(list, "de", 2) == 0 && strchr("-;, ", list[2]))
			return &german;
		if (strncasecmp(list, "en", 2) == 0)
			return &english;
	}
	return &english;
}

static void plain_form(const char *fingerprint, char *plain)
{
	for (; *fingerprint; fingerprint++)
		if (*fingerprint != ':')
			*plain++ = *fingerprint >= 'A' ? (char)(*fingerprint + 32) : *fingerprint;
	*plain = '\0';
}

struct answer greeting_answer(const struct exchange *exchange, const char *url)
{
	const struct web_state *state = &exchange->web->state;
	const struct words *words = words_choose(exchange);
	char fingerprint[FINGERPRINT_TEXT_BYTES], plain[FINGERPRINT_TEXT_BYTES];
	struct answer answer = {.status = 200};

	fingerprint_of(web_state_text(state, "certificate"), fingerprint);
	plain_form(fingerprint, plain);
	if (asprintf(&answer.html,
		     "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		     "<title>Wayleave</title><style>%s</style></head>\n<body><main><h1>%s</h1>"
		     "<p>%s</p>\n<p><a class=\"go\" href=\"%s\">%s</a></p>\n<h2>%s</h2><p>%s</p>\n"
		     "%s%s%s<h2>%s</h2><p>%s</p>\n<code>%s</code><p>%s</p><code>%s</code>"
		     "</main></body></html>\n",
		     words->language, style, words->title, words->why, url, words->button,
		     words->what, words->advanced, web_state_text(state, "password") ? "" : "<p>",
		     web_state_text(state, "password") ? "" : words->first,
		     web_state_text(state, "password") ? "" : "</p>\n", words->compare,
		     words->compared, fingerprint, words->same, plain) < 0)
		answer.html = NULL;
	return answer;
}

const char *greeting_policy(void)
{
	static char policy[192];
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];

	if (*policy)
		return policy;
	crypto_hash_sha256(hash, (const unsigned char *)style, strlen(style));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	snprintf(policy, sizeof(policy),
		 "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
		 "frame-ancestors 'none'",
		 text);
	return policy;
}
