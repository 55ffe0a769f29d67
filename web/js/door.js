// SPDX-License-Identifier: GPL-2.0-or-later
// In front of the pages: the first start, and logging in.
"use strict";

const PASSWORD_LEAST = 12;

function doorOpen(message) {
	shellClose();
	liveStop();
	const first = session.setup_needed;
	const title = t(first ? "setup.title" : "login.title");
	document.title = `${title} – Wayleave`;
	const place = h("main.door", { id: "main" }, h("div", {},
		h("div.card", {}, h("div.brand", {}, mark(), "Wayleave"), h("h1", {}, title),
			message && note("", message), first ? setupForm() : loginForm()),
		doorFoot(message)));
	fill(document.getElementById("app"), place);
	const fields = [...place.querySelectorAll("input:not([hidden])")];
	(fields.find((input) => !input.value) || fields[0]).focus();
}

function doorFoot(message) {
	const choice = select(languageOptions(false), language, { "aria-label": t("settings.language") });
	choice.addEventListener("change", () => {
		keep("language", choice.value);
		languageOfSession();
		doorOpen(message);
	});
	return h("div.door-foot", {}, choice);
}

function doorForm(fields, button, send) {
	const all = Object.values(fields);
	return sendForm(fields, {}, all.map((f) => f.element), h("button.first", {}, button), () => {
		all.forEach((f) => f.fail(""));
		return send();
	});
}

function passwordInput(autocomplete) {
	return h("input", { type: "password", autocomplete, required: true, maxlength: "256" });
}

function loginForm() {
	const password = field(t("login.password"), passwordInput("current-password"));
	const user = h("input", { type: "text", autocomplete: "username", value: "admin", hidden: true, tabindex: "-1", "aria-hidden": "true" });
	const form = doorForm({ password }, t("login.button"), async () => {
		sessionTake(await call("POST", "session", { password: password.control.value }));
		enter();
	});
	form.prepend(user); // password managers ask for a name
	form.append(h("details", {}, h("summary", {}, t("login.forgotten")), h("p.small", {}, t("login.forgotten.answer"))));
	return form;
}

// The QR code of `wayleave setup` brings the code behind '#'; it is taken out of the address and
// the history at once.
function codeBrought() {
	const brought = location.hash.match(/^#\/setup\/([A-Za-z0-9-]{1,16})$/);
	if (location.hash.startsWith("#/setup/"))
		history.replaceState(null, "", location.pathname);
	return brought ? brought[1] : "";
}

function setupForm() {
	const code = field(t("setup.code"), h("input.mono", { type: "text", autocomplete: "one-time-code", autocapitalize: "characters", spellcheck: "false", maxlength: "64" }), t("setup.code.hint"));
	code.control.value = codeBrought();
	const first = field(t("setup.password"), passwordInput("new-password"), t("setup.password.hint"));
	const again = field(t("setup.again"), passwordInput("new-password"));
	const form = doorForm({ code, password: first, again }, t("setup.button"), async () => {
		code.fail(code.control.value.trim() ? "" : t("setup.code.missing"));
		if (!passwordsAgree(first, again) || !code.control.value.trim())
			return;
		sessionTake(await call("POST", "setup", { code: code.control.value.trim(), password: first.control.value }));
		history.replaceState(null, "", "#/network/first"); // what a first visit comes to next
		enter();
	});
	form.prepend(h("p.soft", {}, t("setup.intro")));
	return form;
}

// Tells at the fields what is wrong with a new password; focus goes to the first wrong one.
function passwordsAgree(first, again) {
	const short = first.control.value.length < PASSWORD_LEAST;
	const differ = first.control.value !== again.control.value;
	first.fail(short ? t("setup.short", { n: PASSWORD_LEAST }) : "");
	again.fail(!short && differ ? t("setup.differ") : "");
	if (short || differ)
		(short ? first : again).control.focus();
	return !short && !differ;
}

// Who reads or types asks the gateway for nothing, and is there all the same: it is told now and
// then, so that the session does not end under their hands.
const PRESENCE_EVERY_MS = 240000;
let presenceTold = 0;

function presenceTell() {
	if (!session.logged_in || Date.now() - presenceTold < PRESENCE_EVERY_MS)
		return;
	presenceTold = Date.now();
	call("GET", "session").catch(() => {}); // then it is told by what is asked next
}

for (const sign of ["pointerdown", "keydown"])
	document.addEventListener(sign, presenceTell, { passive: true });

function enter() {
	languageOfSession();
	liveStart();
	shellOpen();
}

async function logOut() {
	if (!await leaveAsk())
		return;
	try {
		await call("DELETE", "session");
	} catch { /* it has ended, or will by itself */ }
	sessionEnded(t("login.bye"));
}

async function sessionEnded(message) {
	const was = session.logged_in;
	session.logged_in = false;
	try {
		await sessionAsk();
	} catch { /* told by the form, when it is sent */ }
	doorOpen(typeof message === "string" ? message : was ? t(session.restarted ? "login.restarted" : "login.ended") : "");
	session.restarted = false;
}
