// SPDX-License-Identifier: GPL-2.0-or-later
// Starts the page: one question, then the door or the pages.
"use strict";

async function start() {
	themeApply();
	languageChoose(kept("language"));
	try {
		await sessionAsk();
	} catch (error) {
		fill(document.getElementById("app"), h("main.door", {}, h("div.card", {}, h("h1", {}, "Wayleave"),
			note("bad", refusal(error)), h("p", {}, h("button.first", { onclick: () => location.reload() }, t("error.again"))))));
		return;
	}
	languageOfSession();
	if (session.logged_in)
		enter();
	else
		doorOpen();
}

start();
