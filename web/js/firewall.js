// SPDX-License-Identifier: GPL-2.0-or-later
// Advanced > Security > WAN / Firewall: VPN passthrough, filtering, port forwards.
// Each part saves only its own, and follows what is changed elsewhere: in another browser, on
// the command line.
"use strict";

const CONFIG_EVERY_MS = 3000;

pages.firewall = {
	title: () => t("nav.firewall"),
	crumbs: () => `${t("nav.advanced")} › ${t("nav.security")} › ${t("nav.firewall")}`,
	intro: () => t("firewall.intro"),
	open(place, rest) {
		const parts = [passthroughCard(rest), filteringCard(), forwardsCard()];
		fill(place, parts.map((part) => part.element));
		let shown = false;
		const load = async () => {
			const changes = live.changes;
			const config = await call("GET", "config", undefined, BACKGROUND);
			if (changes !== live.changes)
				return; // it has been asked for again
			parts.forEach((part) => part.take(config));
			if (rest && !shown)
				scrollToProtocol(rest);
			shown = true;
		};
		const end = loadEvery(CONFIG_EVERY_MS, load);
		const unlisten = liveListen((what) => {
			if (what === "config")
				load().catch(() => {}); // its turn comes again
			else
				parts.forEach((part) => part.live && part.live(what));
		});
		return () => { end(); unlisten(); };
	},
};

function scrollToProtocol(name) {
	const element = document.getElementById(`protocol-${name}`);
	if (element)
		element.scrollIntoView({ block: "start" });
}

// A part of a page, TITLE, that is saved by its own button, which only who may change can press.
// SEND() saves; false: something is missing and has been told. DIRTY() and DISCARD() where the
// form itself cannot say.
function saveForm({ title, content, button, send, hint, fields = {}, dirty, discard }) {
	const save = h("button.first", { disabled: !mayChange() }, button);
	const foot = h("div.save-bar", {}, h("p.soft.small", {}, mayChange() ? hint || "" : t("role.readonly.hint")), save);
	const element = sendForm(fields, { class: "stack" }, content, save, async () => {
		if (await send() !== false)
			draft.settled();
	}, foot);
	const draft = draftFollow(element, title, { dirty, discard });
	return { element, draft };
}

// Sends VALUES {name: text}, all or none, and tells; CONFIRM: undone unless kept
async function configSave(values, said, confirm) {
	const result = await call("PATCH", "config", confirm ? { values, confirm: true } : { values });
	changed(result);
	toast(said);
}

// --- filtering -----------------------------------------------------------------------------
const FILTERS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];

function filterChoices(protocol) {
	const radios = FILTERS.map((value) => h("input", { type: "radio", name: `filter-${protocol}`, value, disabled: !mayChange() }));
	let saved; // until the settings have come
	const get = () => radios.find((radio) => radio.checked)?.value;
	return {
		get,
		element: h("fieldset", {}, h("legend", {}, t("filter.for", { protocol: protocol.toUpperCase() })),
			radios.map((radio) => h("label.choice", {}, radio, h("span", {}, t(`filter.${radio.value}`), h("span.soft", {}, t(`filter.${radio.value}.what`)))))),
		// what was picked here and not saved yet stays
		take(value) {
			if (!this.dirty())
				this.set(value);
			saved = value;
		},
		set(value) {
			radios.forEach((radio) => { radio.checked = radio.value === value; });
		},
		dirty: () => get() !== saved,
		discard() {
			this.set(saved);
		},
	};
}

function filteringCard() {
	const udp = filterChoices("udp"), tcp = filterChoices("tcp"), both = [udp, tcp];
	const take = (values) => both.forEach((part, i) => part.take(values[i]));
	const form = saveForm({
		title: t("filter.title"), content: h("div.columns", {}, udp.element, tcp.element), button: t("filter.save"), hint: t("filter.hint"),
		async send() {
			const values = both.map((part) => part.get());
			await configSave({ "filtering.udp": values[0], "filtering.tcp": values[1] }, t("filter.saved"));
			take(values);
		},
		dirty: () => both.some((part) => part.dirty()),
		discard: () => both.forEach((part) => part.discard()),
	});
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("filter.title")), h("p.soft", {}, t("filter.intro"))), form.element),
		take(config) {
			take([config.settings.filtering.udp, config.settings.filtering.tcp]);
			unsavedLook();
		},
	};
}
