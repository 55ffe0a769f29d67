// SPDX-License-Identifier: GPL-2.0-or-later
// Devices: who is inside, and what each of them does.
"use strict";

const DEVICES_EVERY_MS = 5000;

function deviceColumns() {
	return [
		{ label: t("devices.name"), cell: (d) => [h("strong", {}, d.name || d.address), d.name && h("span.soft", {}, d.address)] },
		{ label: t("devices.mac"), cell: (d) => [h("span.mono", {}, d.mac || "–"), h("span.soft", {}, d.interface || "")] },
		{ label: t("nav.vpns"), right: true, cell: (d) => (d.vpns ? h("a", { href: "#/vpns" }, number(d.vpns)) : "0") },
		{ label: t("devices.sessions"), right: true, cell: (d) => number(d.sessions) },
		{ label: t("devices.ports"), right: true, cell: (d) => number(d.mappings) },
		{ label: t("vpns.traffic"), right: true, cell: (d) => [`↓\u00a0${bytes(d.bytes_in)}`, h("span.soft", {}, `↑\u00a0${bytes(d.bytes_out)}`)] },
	];
}

function addressNumber(address) {
	return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

// Loads at once and then every PERIOD_MS, as long as the page is shown; FAILED() tells once.
function loadEvery(periodMs, load) {
	let timer = 0, ended = false;
	const turn = async () => {
		try {
			await load();
		} catch (error) {
			if (error.code !== "unreachable" && session.logged_in && !ended)
				toast(refusal(error));
		}
		if (!ended)
			timer = setTimeout(turn, periodMs);
	};
	turn();
	return () => { ended = true; clearTimeout(timer); };
}

pages.devices = {
	title: () => t("nav.devices"),
	intro: () => t("devices.intro"),
	open(place) {
		const table = liveTable(t("nav.devices"), deviceColumns(), (d) => d.address, t("devices.none"));
		const count = h("p.soft", { role: "status" });
		fill(place, h("section.card", {}, count, table.element));
		return loadEvery(DEVICES_EVERY_MS, async () => {
			const items = await callList("devices", BACKGROUND);
			table.update(items.sort((a, b) => addressNumber(a.address) - addressNumber(b.address)));
			setText(count, tn("devices.count", items.length));
		});
	},
};
