// SPDX-License-Identifier: GPL-2.0-or-later
// Forms that have been filled in and not saved yet: a bar at the bottom of the window says so,
// and leaving the page asks.
"use strict";

// {title, form, dirty(), discard()} of each form on the page
const drafts = new Set();

// What is in a form's controls, as text
function formState(form) {
	return JSON.stringify([...form.elements].filter((control) => control.matches("input, select, textarea"))
		.map((control) => (control.type === "file" ? control.files.length : control.type === "checkbox" || control.type === "radio" ? control.checked : control.value)));
}

// Follows FORM, called TITLE. The state at the call, and at each settled(), is the saved one,
// unless DIRTY() says otherwise; DISCARD() puts it back, else the form's own reset does.
function draftFollow(form, title, { dirty, discard }) {
	let saved = formState(form);
	const draft = {
		title, form,
		dirty: dirty || (() => formState(form) !== saved),
		settled() {
			saved = formState(form);
			unsavedLook();
		},
		discard() {
			if (discard)
				discard();
			else
				form.reset();
			for (const control of form.elements)
				control.removeAttribute("aria-invalid");
			for (const wrong of form.querySelectorAll(".wrong, .note.bad"))
				wrong.hidden = true;
			draft.settled();
		},
	};
	form.addEventListener("input", unsavedLook);
	form.addEventListener("change", unsavedLook);
	drafts.add(draft);
	return draft;
}

function draftsDirty() {
	return [...drafts].filter((draft) => draft.dirty());
}

// --- the bar --------------------------------------------------------------------------
const unsaved = { bar: null, words: null };

function unsavedBar() {
	unsaved.words = h("p", { role: "status" });
	unsaved.bar = h("div.unsaved", { hidden: true, role: "region", "aria-label": t("unsaved.title") }, unsaved.words, h("div.row", {},
		h("button", { type: "button", onclick: unsavedDiscard }, t("unsaved.discard")),
		h("button.first", { type: "button", onclick: draftsSave }, t("unsaved.save"))));
	return unsaved.bar;
}

function unsavedLook() {
	const dirty = draftsDirty();
	if (!unsaved.bar)
		return;
	const held = unsaved.bar.contains(document.activeElement);
	unsaved.bar.hidden = !dirty.length;
	setText(unsaved.words, dirty.length ? t("unsaved.what", { what: listed(dirty.map((draft) => draft.title)) }) : "");
	if (held && unsaved.bar.hidden && shell.main)
		shell.main.querySelector("h1").focus({ preventScroll: true });
}

function unsavedDiscard() {
	draftsDirty().forEach((draft) => draft.discard());
}

// Sends the forms one after another; false: one of them was refused, or is not complete
async function draftsSave() {
	for (const draft of draftsDirty()) {
		const sent = new Promise((resolve) => draft.form.addEventListener("sent", resolve, { once: true }));
		draft.form.requestSubmit();
		await sent;
		if (draft.dirty()) {
			draft.form.scrollIntoView({ block: "nearest" });
			return false;
		}
	}
	return true;
}

// --- leaving -----------------------------------------------------------------------------
// True: nothing is lost by leaving, or it may be
async function leaveAsk() {
	const dirty = draftsDirty();
	if (!dirty.length)
		return true;
	const answer = await ask(t("unsaved.leave"), h("p", {}, t("unsaved.what", { what: listed(dirty.map((draft) => draft.title)) })), [
		{ value: "", label: t("unsaved.stay") },
		{ value: "discard", label: t("unsaved.discard"), kind: "danger" },
		{ value: "save", label: t("unsaved.save"), kind: "first" }]);
	if (answer === "save")
		return draftsSave();
	if (answer === "discard")
		unsavedDiscard();
	return answer === "discard";
}

let leaving = false; // a question is open

// Which of the visited addresses this is: says later which way the browser's buttons went
function placeNote() {
	if (!history.state)
		history.replaceState({ place: shell.place + 1 }, "");
	shell.place = history.state.place;
	shell.hash = location.hash;
}


// The address has changed: by a link, or by the browser's own buttons
async function addressChanged() {
	if (leaving || location.hash === shell.hash)
		return;
	if (!draftsDirty().length) {
		pageShow(true);
		return;
	}
	const wanted = location.hash, fresh = !history.state, steps = fresh ? 1 : history.state.place - shell.place;
	leaving = true;
	history.go(-steps); // what is shown still
	await new Promise((resolve) => window.addEventListener("hashchange", resolve, { once: true }));
	const left = await leaveAsk();
	leaving = false;
	if (left && fresh)
		location.hash = wanted;
	else if (left)
		history.go(steps);
}

window.addEventListener("hashchange", addressChanged);
window.addEventListener("beforeunload", (event) => {
	if (draftsDirty().length)
		event.preventDefault();
});
