/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/esp.h"

struct words {
	const char *name, *rfc, *sentence;
};

static const struct words evidences[] = {
#define EVIDENCE(name, rfc, sentence) [ESP_EVIDENCE_##name] = {#name, rfc, sentence},
#include "pairing/evidence.def"
#undef EVIDENCE
};

static const struct words *words_of(enum esp_evidence evidence)
{
	static const struct words none = {"", "", ""};

	return (unsigned)evidence < ESP_EVIDENCES ? &evidences[evidence] : &none;
}

const char *esp_evidence_sentence(enum esp_evidence evidence)
{
	return words_of(evidence)->sentence;
}

const char *esp_evidence_name(enum esp_evidence evidence)
{
	return words_of(evidence)->name;
}

const char *esp_evidence_rfc(enum esp_evidence evidence)
{
	return words_of(evidence)->rfc;
}

const char *esp_state_name(enum esp_state state)
{
	static const char *const names[] = {"open", "provisional", "settled"};

	return (unsigned)state <= ESP_SETTLED ? names[state] : "";
}

const char *esp_end_name(enum esp_end why)
{
	static const char *const names[] = {"doubted", "silent", "replaced"};

	return (unsigned)why <= ESP_REPLACED ? names[why] : "";
}

const char *esp_reason_name(enum esp_reason reason)
{
	static const char *const names[] = {"known", "nobody", "reserved_spi",
					    "quota", "full",   "rate"};

	return (unsigned)reason <= ESP_RATE ? names[reason] : "";
}
