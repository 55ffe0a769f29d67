// SPDX-License-Identifier: GPL-2.0-or-later
// Advanced > Security > WAN / Firewall: VPN passthrough, filtering, port forwards.
// Each part loads the settings itself and saves only its own.
"use strict";

pages.firewall = {
	title: () => t("nav.firewall"),
	crumbs: () => `${t("nav.advanced")} › ${t("nav.security")} › ${t("nav.firewall")}`,
	intro: () => t("firewall.intro"),
	open(place, rest) {
		const parts = [passthroughCard(rest), filteringCard(), forwardsCard()];
		fill(place, parts.map((part) => part.element));
		const load = async () => {
			try {
				const config = await call("GET", "config");
				parts.forEach((part) => part.take(config));
			} catch (error) {
				toast(refusal(error));
			}
		};
		load().then(() => rest && scrollToProtocol(rest));
		const unlisten = liveListen((what) => {
			if (what === "config")
				load();
			else
				parts.forEach((part) => part.live && part.live(what));
		});
		return unlisten;
	},
};

function scrollToProtocol(name) {
	const element = document.getElementById(`protocol-${name}`);
	if (element)
		element.scrollIntoView({ block: "start" });
}

// A form with one button: SEND() saves; what it was told about goes to PROBLEM.
function saveForm(content, button, send, more) {
	const problem = h("div.note.bad", { role: "alert", hidden: true });
	const save = h("button.first", { disabled: !mayChange() }, button);
	const hint = h("p.soft.small", {}, mayChange() ? more || "" : t("role.readonly.hint"));
	const form = h("form.stack", { novalidate: true }, content, problem, h("div.save-bar", {}, hint, save));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		save.disabled = true;
		problem.hidden = true;
		try {
			await send();
		} catch (error) {
			problem.hidden = false;
			setText(problem, refusal(error));
		} finally {
			save.disabled = !mayChange();
		}
	});
	return { element: form, hint };
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
	return {
		element: h("fieldset", {}, h("legend", {}, t("filter.for", { protocol: protocol.toUpperCase() })),
			radios.map((radio) => h("label.choice", {}, radio, h("span", {}, t(`filter.${radio.value}`), h("span.soft", {}, t(`filter.${radio.value}.what`)))))),
		get: () => radios.find((radio) => radio.checked)?.value,
		set(value) { radios.forEach((radio) => { radio.checked = radio.value === value; }); },
	};
}

function filteringCard() {
	const udp = filterChoices("udp"), tcp = filterChoices("tcp");
	const form = saveForm(h("div.columns", {}, udp.element, tcp.element), t("filter.save"),
		() => configSave({ "filtering.udp": udp.get(), "filtering.tcp": tcp.get() }, t("filter.saved")), t("filter.hint"));
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("filter.title")), h("p.soft", {}, t("filter.intro"))), form.element),
		take(config) {
			udp.set(config.settings.filtering.udp);
			tcp.set(config.settings.filtering.tcp);
		},
	};
}
