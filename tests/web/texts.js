// SPDX-License-Identifier: GPL-2.0-or-later
// The catalogues against the page: no text missing, none unused, the same places to
// fill in every language, and a German sentence for every reason of both reason.def.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");
const test = require("node:test");

const TOP = path.join(__dirname, "..", "..");
const read = (...parts) => fs.readFileSync(path.join(TOP, ...parts), "utf8");
const named = (folder, ending) => fs.readdirSync(path.join(TOP, folder)).filter((name) => name.endsWith(ending)).sort();

const catalogues = Object.fromEntries(named("web/text", ".json").map((name) => [path.basename(name, ".json"), JSON.parse(read("web/text", name))]));
const scripts = named("web/js", ".js").map((name) => read("web/js", name)).join("\n");
// of the helper's own list "none" is never counted
const reasons = [...read("core", "reason.def").matchAll(/^REASON\((\w+),/gm)].map((match) => `reason.${match[1]}`).concat(
	[...read("helper", "reason.def").matchAll(/^HELPER_REASON\((?!none)(\w+),/gm)].map((match) => `reason.helper_${match[1]}`));
const keys = Object.keys(catalogues.en);
const none = (list) => assert.deepEqual(list, []);

// t("key") and tn("key"), which has two forms; `prefix.${...}` stands for whatever begins
// so; a string that is a key (the tables of the navigation) counts as used too
const found = (pattern) => [...scripts.matchAll(pattern)].map((match) => match[1]);
const plural = found(/\btn\("([\w.-]+)"/g).flatMap((key) => [`${key}.one`, `${key}.other`]);
const called = [...found(/\bt\("([\w.-]+)"/g), ...plural];
const used = new Set([...called, ...found(/"([a-z][\w-]*(?:\.[\w-]+)+)"/g)]);
const patterns = found(/`([a-z][\w-]*\.[^`]*\$\{[^`]*)`/g).map((text) =>
	new RegExp(`^${text.split(/\$\{[^}]*\}/).map((part) => part.replace(/\./g, "\\.")).join("[\\w-]+")}$`));

test("every text that a script asks for is there", () => none(called.filter((key) => !(key in catalogues.en))));

test("every text is asked for by a script", () => none(keys.filter((key) => !used.has(key) && !patterns.some((pattern) => pattern.test(key)))));

for (const [language, catalogue] of Object.entries(catalogues)) {
	const own = Object.keys(catalogue).filter((key) => !/^(reason|said)\./.test(key));
	const places = (value) => [...new Set(JSON.stringify(value).match(/\{\w+\}/g))].sort().join(" ");

	test(`${language}: the same texts as English`, () => assert.deepEqual(own.sort(), [...keys].sort()));
	test(`${language}: the same places to fill`, () => none(own.filter((key) => places(catalogue[key]) !== places(catalogues.en[key]))));
	test(`${language}: answers have four lines`, () => none(own.filter((key) => Array.isArray(catalogue[key]) && catalogue[key].length !== 4)));
}

// The gateway says them in English; other languages have them here
test("de: every reason has its sentence", () =>
	assert.deepEqual(Object.keys(catalogues.de).filter((key) => key.startsWith("reason.")).sort(), [...reasons].sort()));

test("de: every sentence on a tunnel has its German one", () => {
	const whole = (literals) => [...literals.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]).join("");
	const sentences = (file, begin) => [...read("daemon", file).matchAll(begin)].map((match) => whole(match[1]));
	const spoken = [...sentences("tunnel_state.c", /((?:"[^"%]*(?:%\w[^"%]*)*"\s*)+)/g).filter((text) => /^[A-Z].*\.$/.test(text)),
		...sentences("show_limits.c", /snprintf\((?:verdict|sentence), sizeof\(\w+\),\s*((?:"[^"]*"\s*)+),/g)];
	const shape = (sentence) => sentence.replace(/%\w+|\{\w+\}/g, "*");
	const german = Object.keys(catalogues.de).filter((key) => key.startsWith("said.")).map((key) => shape(key.slice(5)));
	assert.ok(spoken.length >= 20, spoken.join("\n"));
	none(spoken.filter((sentence) => !german.includes(shape(sentence))));
	const page = {};
	vm.createContext(page);
	vm.runInContext(`${read("web/js", "text.js")}; const CATALOGUES = ${JSON.stringify(catalogues)}; language = "de";`, page);
	assert.equal(vm.runInContext('said("The server answers 10.0.0.7 but not this device: it may be unable to tell two devices behind one address apart (L2TP in IPsec, RFC 3948 5.2).")', page),
		"Der Server antwortet 10.0.0.7, aber nicht diesem Gerät: vielleicht kann er zwei Geräte hinter einer Adresse nicht unterscheiden (L2TP in IPsec, RFC 3948 5.2).");
	assert.equal(vm.runInContext('said("Refused: another device already uses IPIP with this server, and there is nothing in it that tells two devices apart.")', page),
		"Abgewiesen: ein anderes Gerät benutzt IPIP schon mit diesem Server, und nichts darin unterscheidet zwei Geräte.");
	assert.equal(vm.runInContext('said("Something new.")', page), "Something new.");
});

// The words that the gateway says for a tunnel
test("every state and kind of a tunnel has its word, and every state its meaning", () => {
	const words = (file, said) => [...new Set([...read("daemon", file).matchAll(said)].map((match) => match[1]))];
	const states = [...words("tunnel_state.c", /state_set\(\s*state,\s*"([\w-]+)"/g), ...words("tunnel_state.c", /[?:] "([a-z][\w-]+)"/g)];
	const kinds = words("show_words.c", /\[CLASS_\w+\] = "(\w+)"/g).filter((kind) => kind !== "plain");
	assert.ok(states.length >= 9 && kinds.length >= 6, `${states} ${kinds}`);
	none([...states.flatMap((state) => [`state.${state}`, `state.${state}.meaning`]), ...kinds.map((kind) => `kind.${kind}`)].filter((key) => !(key in catalogues.en)));
});

test("every change that can be made is called by a name in the history", () => {
	const kinds = [...read("ctl", "request.c").matchAll(/^\t\{"([\w-]+)", MAY_CHANGE,/gm)].map((match) => match[1]);
	assert.ok(kinds.length >= 9, `${kinds}`);
	none(kinds.filter((kind) => !(`did.${kind}` in catalogues.en)));
});

test("every script can be read", () => {
	for (const name of named("web/js", ".js"))
		new vm.Script(read("web/js", name), { filename: name });
});

test("nothing in the page comes from elsewhere, and no markup is made of text", () => {
	none(scripts.match(/https?:\/\/(?!www\.w3\.org)[^"'`\s]*/g) || []);
	none(scripts.match(/\.innerHTML\s*=[^=]|insertAdjacentHTML|document\.write|\beval\(/g) || []);
	none(read("web", "index.html").match(/\sstyle=|\son\w+=|<script>|<style/g) || []);
});
