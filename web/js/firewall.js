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
			const config = await call("GET", "config", undefined, BACKGROUND);
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

// A part of a page that is saved by its own button, which only who may change can press.
function saveForm(content, button, send, more, fields = {}) {
	const save = h("button.first", { disabled: !mayChange() }, button);
	const hint = h("p.soft.small", {}, mayChange() ? more || "" : t("role.readonly.hint"));
	return { element: sendForm(fields, { class: "stack" }, content, save, send, h("div.save-bar", {}, hint, save)), hint };
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
			if (get() === saved)
				radios.forEach((radio) => { radio.checked = radio.value === value; });
			saved = value;
		},
	};
}

function filteringCard() {
	const udp = filterChoices("udp"), tcp = filterChoices("tcp");
	const form = saveForm(h("div.columns", {}, udp.element, tcp.element), t("filter.save"),
		() => configSave({ "filtering.udp": udp.get(), "filtering.tcp": tcp.get() }, t("filter.saved")), t("filter.hint"));
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("filter.title")), h("p.soft", {}, t("filter.intro"))), form.element),
		take(config) {
			udp.take(config.settings.filtering.udp);
			tcp.take(config.settings.filtering.tcp);
		},
	};
}
