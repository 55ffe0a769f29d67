// SPDX-License-Identifier: GPL-2.0-or-later
// Making elements. Text is always set as text, never as markup, so nothing that a
// host or a server calls itself can become part of the page.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

// h("a.button", {href: "#/help"}, "Help"): an element with classes, attributes
// (properties for value, checked...; on... for listeners) and children; null and
// false children are left out, arrays are taken apart.
function h(name, attributes, ...children) {
	const [tag, ...classes] = name.split(".");
	const element = document.createElement(tag || "div");
	if (classes.length)
		element.className = classes.join(" ");
	for (const [key, value] of Object.entries(attributes || {}))
		setAttribute(element, key, value);
	append(element, children);
	return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "open", "hidden", "required", "textContent", "indeterminate"]);

function setAttribute(element, key, value) {
	if (value === null || value === undefined)
		return;
	if (key.startsWith("on"))
		element.addEventListener(key.slice(2), value);
	else if (PROPERTIES.has(key))
		element[key] = value;
	else if (value !== false)
		element.setAttribute(key, value === true ? "" : value);
}

function append(element, children) {
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined && child !== false)
			element.append(child);
}

function fill(element, ...children) {
	const fresh = document.createDocumentFragment();
	append(fresh, children);
	element.replaceChildren(fresh);
}

// Changes only what is different, so that a screen reader or a text selection is left alone.
function setText(element, text) {
	if (element.textContent !== String(text))
		element.textContent = text;
}

// A list that follows its items: an element per key, made once by MAKE(item) as
// {element, update}, moved only when the order changes; focus inside survives.
function keyedList(parent, key, make) {
	const parts = new Map();
	return (items) => {
		const seen = new Set();
		items.forEach((item, i) => {
			const k = key(item);
			seen.add(k);
			if (!parts.has(k))
				parts.set(k, make(item));
			const part = parts.get(k);
			part.update(item);
			if (parent.children[i] !== part.element)
				parent.insertBefore(part.element, parent.children[i] || null);
		});
		for (const [k, part] of parts)
			if (!seen.has(k)) {
				part.element.remove();
				parts.delete(k);
			}
	};
}

// A table with COLUMNS [{label, cell(item) -> node, text or array, right, whole}] and
// a sentence for when it is empty. Cells are made anew only when their text changes.
function liveTable(caption, columns, key, emptyText) {
	const body = h("tbody");
	// reached by Tab, as it may scroll sideways
	const table = h("div.table", { tabindex: "0", role: "group", "aria-label": caption }, h("table", {},
		h("caption.unseen", {}, caption),
		h("thead", {}, h("tr", {}, columns.map((c) => h(c.right ? "th.right" : "th", { scope: "col" }, c.label)))),
		body));
	const empty = h("div.empty", { hidden: true }, h("p", {}, emptyText));
	const rows = keyedList(body, key, () => liveRow(columns));
	return {
		element: h("div", {}, table, empty),
		update(items) {
			table.hidden = !items.length;
			empty.hidden = !!items.length;
			rows(items);
		},
	};
}

function liveRow(columns) {
	const cells = columns.map((c) => h("td" + (c.right ? ".right.number" : "") + (c.whole ? ".whole" : ""), { "data-label": c.label }));
	return {
		element: h("tr", {}, cells),
		update(item) {
			columns.forEach((column, i) => {
				const fresh = h("td", {}, column.cell(item));
				if (fresh.innerHTML !== cells[i].innerHTML)
					cells[i].replaceChildren(...fresh.childNodes);
			});
		},
	};
}

// --- fields ---------------------------------------------------------------------
let fieldCount = 0;

// A labelled control with a hint and a place for what is wrong with it.
function field(label, control, hint) {
	const id = control.id || `field-${++fieldCount}`;
	control.id = id;
	const wrong = h("span.wrong", { id: `${id}-wrong`, hidden: true });
	const described = [hint && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" ");
	control.setAttribute("aria-describedby", described);
	const element = h("div.field", {}, h("label", { for: id }, label), control,
		hint && h("span.hint", { id: `${id}-hint` }, hint), wrong);
	return { element, control, fail: (text) => failField(control, wrong, text) };
}

function failField(control, wrong, text) {
	wrong.hidden = !text;
	setText(wrong, text || "");
	if (text)
		control.setAttribute("aria-invalid", "true");
	else
		control.removeAttribute("aria-invalid");
}

// A form with one button. SEND() resolves, or throws what was refused: that is told at the
// field that it is about (FIELDS {name: field}), or above the button.
function sendForm(fields, attributes, content, submit, send, foot) {
	const problem = h("div.note.bad", { role: "alert", hidden: true });
	const form = h("form", { novalidate: true, ...attributes }, content, problem, foot || submit);
	let busy = false; // the button is not the only one that submits: the bar of unsaved changes does
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (busy)
			return;
		busy = submit.disabled = true;
		problem.hidden = true;
		try {
			await send();
		} catch (error) {
			refusalShow(fields, problem, error);
		} finally {
			busy = submit.disabled = false;
			form.dispatchEvent(new Event("sent"));
		}
	});
	return form;
}

function refusalShow(fields, problem, error) {
	const at = fields[refusedField(error)];
	if (at) {
		at.fail(refusal(error, true));
		at.control.focus();
		return;
	}
	problem.hidden = false;
	setText(problem, refusal(error));
}

function select(options, chosen, attributes) {
	const element = h("select", attributes, options.map(([value, label]) => h("option", { value }, label)));
	element.value = chosen;
	return element;
}

function switchControl(label, checked, attributes) {
	const input = h("input", { type: "checkbox", role: "switch", checked, ...attributes });
	const word = h("span");
	const element = h("label.switch", {}, input, h("span.knob", { "aria-hidden": "true" }), word);
	input.setAttribute("aria-label", label);
	return { element, input, word };
}

function pill(kind, text) {
	return h(`span.pill${kind ? "." + kind : ""}`, {}, text);
}

function note(kind, ...children) {
	return h(`div.note${kind ? "." + kind : ""}`, {}, children);
}

// --- messages, dialogs --------------------------------------------------------------
// In the place that is shown: below the navigation, on a phone below the top bar; either moves
// what is there aside, so that nothing lies under a message. Longer ones stay longer.
function toast(text) {
	let place = [...document.querySelectorAll(".toasts")].find((one) => one.parentElement.offsetParent !== null || one.parentElement === document.body);
	if (!place) {
		place = toastPlace();
		document.body.append(place);
	}
	const element = h("div.toast", {}, h("span", {}, text),
		h("button.plain.tight", { type: "button", "aria-label": t("toast.close"), onclick: () => element.remove() }, "×"));
	place.append(element);
	while (place.children.length > TOASTS_MAX)
		place.firstChild.remove();
	setTimeout(() => element.remove(), Math.max(6000, text.length * 90));
}

const TOASTS_MAX = 3;

function toastPlace() {
	return h("div.toasts", { role: "status" });
}

// Asks for one line of text; resolves to it, null when it was left.
async function askText(title, label, value, hint, attributes) {
	const text = field(label, h("input", { type: "text", value, autocomplete: "off", ...attributes }), hint);
	text.control.addEventListener("keydown", (event) => {
		if (event.key !== "Enter")
			return;
		event.preventDefault(); // or it presses what has the focus next
		text.control.closest("dialog").querySelector("button[value=yes]").click();
	});
	const answer = await ask(title, text.element, [{ value: "", label: t("dialog.cancel") }, { value: "yes", label: t("dialog.save"), kind: "first" }]);
	return answer === "yes" ? text.control.value.trim() : null;
}

// A modal dialog; resolves to the value of the button that ended it, "" when it was
// left. BUTTONS: [{value, label, kind}], the last one is what was asked for.
function ask(title, content, buttons) {
	return new Promise((resolve) => {
		const id = `field-${++fieldCount}`;
		const dialog = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), content,
			h("form.row", { method: "dialog" }, buttons.map((b) => h(`button${b.kind ? "." + b.kind : ""}`, { value: b.value }, b.label))));
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(dialog.returnValue || "");
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}
