// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's API, as http/openapi.yaml has it: one function that asks, and what
// every answer may mean: logged out, refused with a sentence, or not there at all.
"use strict";

const session = { setup_needed: false, logged_in: false, role: null, csrf_token: null, language: "auto", name: "", restarted: false };

// What was refused, with the gateway's own sentence; code "unreachable" is ours.
class Refused extends Error {
	constructor(status, error, retryAfter) {
		super(error.message || t("error.failed"));
		Object.assign(this, { status, code: error.code, field: error.field, retryAfter });
	}
}

// What the page asks by itself, not because somebody has done something: no sign of a person.
const BACKGROUND = { "X-Background": "1" };

async function call(method, path, body, more) {
	const headers = { ...more };
	if (method !== "GET" && session.csrf_token)
		headers["X-CSRF-Token"] = session.csrf_token;
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	let answer;
	try {
		answer = await fetch(`/api/v1/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
	} catch {
		throw new Refused(0, { code: "unreachable", message: t("error.unreachable") });
	}
	return answerRead(answer, path);
}

async function answerRead(answer, path) {
	const text = await answer.text();
	let document = null;
	try {
		document = text ? JSON.parse(text) : null;
	} catch { /* not ours: told by its status */ }
	if (answer.ok)
		return document;
	// A session that has ended; a wrong password is told where it was typed
	if (answer.status === 401 && session.logged_in && path !== "password")
		sessionEnded();
	throw new Refused(answer.status, (document && document.error) || {}, Number(answer.headers.get("Retry-After")) || 0);
}

function sessionTake(document) {
	Object.assign(session, { csrf_token: null, role: null }, document);
}

async function sessionAsk() {
	sessionTake(await call("GET", "session"));
}

// All pages of a list; the gateway gives at most 1000 items a time.
async function callList(path, more, limit = 5000) {
	const items = [];
	let cursor = 0;
	do {
		const page = await call("GET", `${path}?limit=1000${cursor ? `&cursor=${cursor}` : ""}`, undefined, more);
		items.push(...page.items);
		cursor = page.cursor;
	} while (cursor && items.length < limit);
	return items;
}

function mayChange() {
	return session.role === "admin";
}

// The sentence for the reader: ours where we know the case, the gateway's otherwise, with the
// setting that it is about unless it stands at its field.
function refusal(error, atField) {
	if (error.status === 429)
		return t("error.locked", { wait: duration(error.retryAfter || 60) });
	if (error.code === "busy" && live.status && live.status.confirm_within_s)
		return t("error.waiting");
	if (`refused.${error.status}.${error.field}` in CATALOGUES.en)
		return t(`refused.${error.status}.${error.field}`);
	if (!error.code || error.code === "unreachable")
		return error.message;
	return saidInEnglish(atField ? error.message : [error.field, error.message].filter(Boolean).join(": "));
}

function saidInEnglish(words) {
	return language === "en" ? words : t("error.said", { words });
}

// The control's name in "port_forwards[3].to_port", which the whole file's check says
function refusedField(error) {
	return (error.field || "").replace(/^port_forwards\[\d+\]\./, "");
}
