// SPDX-License-Identifier: GPL-2.0-or-later
// Words, numbers and times in the reader's language. The words are in text/*.json,
// a catalogue per language with the same keys.
"use strict";

let language = "en";

// CHOICE: "auto", or a language; auto is the browser's first one that we have.
function languageChoose(choice) {
	const wanted = choice && choice !== "auto" ? [choice] : navigator.languages || [];
	const have = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in CATALOGUES);
	language = have || "en";
	document.documentElement.lang = language;
}

// The text of KEY with its {places} filled.
function t(key, values) {
	const text = CATALOGUES[language][key] ?? CATALOGUES.en[key] ?? key;
	return values && typeof text === "string" ? text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place) : text;
}

// The same with a count: KEY.one or KEY.other, as the language wants it; {n} is the count.
function tn(key, count) {
	const rule = new Intl.PluralRules(language).select(count);
	return t(`${key}.${rule === "one" ? "one" : "other"}`, { n: number(count) });
}

// What the gateway says in English, where the catalogue has it in the reader's language.
function translated(key, english) {
	return CATALOGUES[language][key] ?? english;
}

// The same for sentences with something filled in: said.SENTENCE in the catalogue, with
// {places} for what changes.
const SAID = "said.";

function sentencePattern(sentence) {
	const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	return new RegExp(`^${sentence.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? `(?<${part}>.+)` : literal(part))).join("")}$`);
}

function saidIn(catalogue, english) {
	for (const key of Object.keys(catalogue).filter((name) => name.startsWith(SAID))) {
		const match = sentencePattern(key.slice(SAID.length)).exec(english);
		if (match)
			return t(key, match.groups || {});
	}
	return english;
}

function said(english) {
	return language === "en" ? english : saidIn(CATALOGUES[language], english);
}

// The page's language as the reader's country writes dates, times and numbers: 24 hours or 12,
// day or month first.
function locale() {
	const own = (navigator.languages || []).find((tag) => tag.slice(0, 2) === language);
	if (own && own.length > 2)
		return own;
	try {
		const { region } = new Intl.Locale(navigator.language).maximize();
		return region ? `${language}-${region}` : language;
	} catch {
		return language;
	}
}

// --- figures ---------------------------------------------------------------------
function number(value) {
	return new Intl.NumberFormat(locale()).format(value);
}

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];

function scaled(value, units) {
	let unit = 0;
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	const digits = value < 10 && unit ? 1 : 0;
	return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value)}\u00a0${units[unit]}`;
}

function bytes(count) {
	return scaled(count, SIZES);
}

function rate(bitsPerSecond) {
	return scaled(bitsPerSecond, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
}

// "3 d 4 h", "2 h 5 min", "7 min", "42 s": two units at most, as ages are read
function duration(seconds) {
	const parts = [[86400, "time.d"], [3600, "time.h"], [60, "time.min"], [1, "time.s"]];
	const first = parts.findIndex(([size]) => seconds >= size);
	if (first < 0)
		return `0\u00a0${t("time.s")}`;
	const [size, unit] = parts[first], rest = parts[first + 1];
	const low = rest && first < 2 ? Math.floor((seconds % size) / rest[0]) : 0;
	return `${Math.floor(seconds / size)}\u00a0${t(unit)}${low ? ` ${low}\u00a0${t(rest[1])}` : ""}`;
}

// To the second: several things happen within a minute
function moment(iso) {
	return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso));
}

// "14:02:11", as the reader's language has it
function timeOfDay(ms) {
	return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(new Date(ms));
}

function listed(words) {
	return new Intl.ListFormat(language, { type: "conjunction" }).format(words);
}
