// SPDX-License-Identifier: GPL-2.0-or-later
// What this browser keeps: dark or light, and the language where it was chosen here.
"use strict";

const DARK = window.matchMedia("(prefers-color-scheme: dark)");

function kept(name) {
	try {
		return localStorage.getItem(`wayleave.${name}`);
	} catch {
		return null; // a browser that keeps nothing
	}
}

function keep(name, value) {
	try {
		localStorage.setItem(`wayleave.${name}`, value);
	} catch { /* then it is as the system says, next time */ }
}

function themeChoice() {
	return kept("theme") || "auto";
}

function themeApply() {
	const choice = themeChoice();
	const dark = choice === "dark" || (choice === "auto" && DARK.matches);
	document.documentElement.dataset.theme = dark ? "dark" : "light";
	liveTell("theme");
}

function themeChoose(choice) {
	keep("theme", choice);
	themeApply();
}

DARK.addEventListener("change", themeApply);

function languageOfSession() {
	languageChoose(kept("language") || session.language);
}

function languageOptions(withAuto) {
	const own = Object.keys(CATALOGUES).map((tag) => [tag, CATALOGUES[tag]["language.name"]]);
	return withAuto ? [["auto", t("language.auto")], ...own] : own;
}
