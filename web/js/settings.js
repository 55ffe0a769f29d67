// SPDX-License-Identifier: GPL-2.0-or-later
// Settings of the gateway itself: how the page looks, password, backup and history,
// restart, version. Tokens and metrics are in access.js.
"use strict";

pages.settings = {
	title: () => t("nav.settings"),
	open(place) {
		const metrics = mayChange() && metricsCard();
		fill(place,
			h("div.columns", {}, lookCard(), versionCard(), mayChange() && passwordCard(), mayChange() && restartCard()),
			mayChange() && backupCard(), mayChange() && tokensCard(), metrics && metrics.element);
		if (!metrics)
			return undefined;
		const load = async () => {
			const changes = live.changes;
			const config = await call("GET", "config");
			if (changes !== live.changes)
				return; // it has been asked for again
			metrics.take(config);
		};
		const tell = () => load().catch((error) => toast(refusal(error)));
		tell();
		return liveListen((what) => what === "config" && tell());
	},
};

// --- how it looks -----------------------------------------------------------------------
function lookCard() {
	const theme = field(t("settings.theme"), select(["auto", "light", "dark"].map((value) => [value, t(`theme.${value}`)]), themeChoice()));
	theme.control.addEventListener("change", () => themeChoose(theme.control.value));
	const words = field(t("settings.language"), select(languageOptions(true), kept("language") || session.language), t("settings.look.hint"));
	words.control.addEventListener("change", async () => {
		if (!await leaveAsk()) {
			words.control.value = kept("language") || session.language;
			return;
		}
		keep("language", words.control.value);
		languageOfSession();
		shellClose();
		shellOpen();
	});
	return h("section.card.stack", {}, h("h2", {}, t("settings.look")), theme.element, words.element);
}

// --- version ------------------------------------------------------------------------------
function versionCard() {
	const facts = h("dl.facts"), newer = h("div");
	call("GET", "version").then((version) => {
		fill(facts, h("dt", {}, t("version.running")), h("dd", {}, version.version),
			h("dt", {}, t("version.candidate")), h("dd", {}, version.candidate || t("version.unknown")),
			version.checked_at && [h("dt", {}, t("version.checked")), h("dd", {}, moment(version.checked_at))]);
		fill(newer, version.newer ? note("", h("strong", {}, t("version.newer", { version: version.candidate })), " ", t("version.how"), " ", h("code", {}, "sudo apt install wayleave"))
			: h("p.soft", {}, t(version.candidate ? "version.latest" : "version.nolist")));
	}).catch((error) => fill(newer, note("bad", refusal(error))));
	return h("section.card.stack", {}, h("h2", {}, t("version.title")), facts, newer);
}

// --- password -------------------------------------------------------------------------------
function passwordCard() {
	const old = field(t("password.old"), passwordInput("current-password"));
	const first = field(t("password.new"), passwordInput("new-password"), t("setup.password.hint"));
	const again = field(t("setup.again"), passwordInput("new-password"));
	const form = saveForm({
		title: t("password.title"), content: [old.element, first.element, again.element], button: t("password.button"), hint: t("password.hint"),
		fields: { old, new: first },
		async send() {
			old.fail("");
			if (!passwordsAgree(first, again))
				return false;
			await call("PUT", "password", { old: old.control.value, new: first.control.value });
			sessionEnded(t("password.changed"));
			return true;
		},
	});
	return h("section.card.stack", {}, h("h2", {}, t("password.title")), form.element);
}

// --- restart -----------------------------------------------------------------------------------
function restartCard() {
	return h("section.card.stack", {}, h("h2", {}, t("restart.title")),
		h("div", {}, h("p.soft", {}, t("restart.services.what")), h("button", { type: "button", onclick: restartServices }, t("restart.services"))),
		h("div", {}, h("p.soft", {}, t("restart.machine.what")), h("button.danger", { type: "button", onclick: restartMachine }, t("restart.machine"))));
}

function askTwoWays(title, words, yes) {
	return ask(title, h("p", {}, words), [{ value: "", label: t("dialog.cancel") }, { value: "yes", label: yes, kind: "danger" }]);
}

async function restartServices() {
	if (await askTwoWays(t("restart.services.title"), t("restart.services.what"), t("restart.services")) !== "yes")
		return;
	try {
		await call("POST", "restart", { what: "services" });
		session.restarted = true;
		toast(t("restart.services.done"));
	} catch (error) {
		toast(refusal(error));
	}
}

// Asked twice, and the gateway wants to hear it twice too
async function restartMachine() {
	if (await askTwoWays(t("restart.machine.title"), t("restart.machine.what"), t("restart.continue")) !== "yes")
		return;
	try {
		const asked = await call("POST", "restart", { what: "machine" });
		if (await askTwoWays(t("restart.machine.again"), t("restart.machine.sure"), t("restart.machine")) !== "yes")
			return;
		await call("POST", "restart", { what: "machine", confirmation: asked.confirmation });
		session.restarted = true;
		toast(t("restart.machine.done"));
	} catch (error) {
		toast(refusal(error));
	}
}

// --- backup ---------------------------------------------------------------------------------------
function backupCard() {
	const file = field(t("backup.file"), h("input", { type: "file", accept: ".json,application/json" }), t("backup.file.hint"));
	const form = saveForm({
		title: t("backup.file"), content: file.element, button: t("backup.restore"), hint: t("backup.hint"),
		async send() {
			const chosen = file.control.files[0];
			file.fail(chosen ? "" : t("backup.nofile"));
			if (!chosen)
				return false;
			await backupRestore(chosen);
			file.control.value = "";
			return true;
		},
	});
	return h("section.card.stack", {}, h("div", {}, h("h2", {}, t("backup.title")), h("p.soft", {}, t("backup.intro"))),
		h("div", {}, h("a.button", { href: "/api/v1/backup", download: "wayleave-backup.json" }, t("backup.save"))), form.element);
}

async function backupRestore(file) {
	let backup;
	try {
		backup = JSON.parse(await file.text());
	} catch {
		throw new Refused(0, { message: t("backup.notjson") });
	}
	changed(await call("PUT", "backup?confirm=true", backup));
	toast(t("backup.restored"));
	window.scrollTo(0, 0);
}
