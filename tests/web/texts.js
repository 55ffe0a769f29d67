#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// The catalogues against the page: no key missing, none unused, the same places in
// every language, and every reason of core/reason.def has its German sentence. Prints TAP.
"use strict";
const fs = require("fs");
const path = require("path");
const { execFileSync } = require("child_process");

const TOP = path.join(__dirname, "..", "..");
const read = (...parts) => fs.readFileSync(path.join(TOP, ...parts), "utf8");
const list = (folder, ending) => fs.readdirSync(path.join(TOP, folder)).filter((name) => name.endsWith(ending));

let count = 0, bad = 0;
function ok(name, problems) {
	count++;
	console.log(`${problems.length ? "not ok" : "ok"} ${count} - ${name}`);
	if (problems.length)
		bad++;
	problems.slice(0, 40).forEach((line) => console.log(`# ${line}`));
}

const catalogues = Object.fromEntries(list("web/text", ".json").map((name) => [path.basename(name, ".json"), JSON.parse(read("web/text", name))]));
const scripts = list("web/js", ".js").map((name) => read("web/js", name)).join("\n");
const reasons = [...read("core", "reason.def").matchAll(/^REASON\((\w+),/gm)].map((m) => `reason.${m[1]}`);
const english = Object.keys(catalogues.en);

// t("key"), tn("key") with its two forms, t(`prefix.${...}`) with whatever begins so;
// a plain string that is a key (tables of the navigation) counts as used too.
const literals = new Set([...scripts.matchAll(/"([a-z][\w-]*(?:\.[\w-]+)+)"/g)].map((m) => m[1]));
const plural = new Set([...scripts.matchAll(/\btn\("([\w.-]+)"/g)].flatMap((m) => [`${m[1]}.one`, `${m[1]}.other`]));
const patterns = [...scripts.matchAll(/`([a-z][\w-]*\.[^`]*\$\{[^`]*)`/g)].map((m) => new RegExp(`^${m[1].split(/\$\{[^}]*\}/).map((s) => s.replace(/[.]/g, "\\.")).join("[\\w-]+")}$`));
const called = new Set([...[...scripts.matchAll(/\bt\("([\w.-]+)"/g)].map((m) => m[1]), ...plural]);

ok("every text that a script asks for is there", [...called].filter((key) => !(key in catalogues.en)).map((key) => `missing: ${key}`));
ok("every text is asked for by a script", english.filter((key) => !literals.has(key) && !plural.has(key) && !patterns.some((p) => p.test(key)) && key !== "language.name").map((key) => `unused: ${key}`));
for (const [tag, catalogue] of Object.entries(catalogues)) {
	const own = Object.keys(catalogue).filter((key) => !key.startsWith("reason."));
	ok(`${tag}: the same keys as English`, [...english.filter((key) => !(key in catalogue)).map((key) => `missing: ${key}`), ...own.filter((key) => !(key in catalogues.en)).map((key) => `not in en: ${key}`)]);
	const places = (value) => [...new Set(JSON.stringify(value).match(/\{\w+\}/g) || [])].sort().join(" ");
	ok(`${tag}: the same places to fill`, english.filter((key) => key in catalogue && places(catalogue[key]) !== places(catalogues.en[key])));
	ok(`${tag}: answers have four lines`, own.filter((key) => Array.isArray(catalogue[key]) && catalogue[key].length !== 4));
	if (tag !== "en")
		ok(`${tag}: every reason to drop has its sentence`, [...reasons.filter((key) => !(key in catalogue)).map((key) => `missing: ${key}`), ...Object.keys(catalogue).filter((key) => key.startsWith("reason.") && !reasons.includes(key)).map((key) => `no such reason: ${key}`)]);
}
ok("every script is JavaScript", list("web/js", ".js").flatMap((name) => {
	try {
		execFileSync(process.execPath, ["--check", path.join(TOP, "web/js", name)], { stdio: "pipe" });
		return [];
	} catch (error) {
		return String(error.stderr).split("\n").slice(0, 3);
	}
}));
console.log(`1..${count}`);
process.exit(bad ? 1 : 0);
