// SPDX-License-Identifier: GPL-2.0-or-later
// Devices: who is inside, and what each of them does.
"use strict";

const DEVICES_EVERY_MS = 5000;

function deviceColumns() {
	return [
		{ label: t("devices.name"), cell: (d) => [h("strong", {}, d.name || d.vendor || d.address), (d.name || d.vendor) && h("span.soft", {}, d.address),
			d.name && d.name_from !== "typed" && h("span.soft.small", {}, t(`devices.from.${d.name_from}`))] },
		{ label: t("devices.mac"), cell: (d) => [h("span.mono", {}, d.mac || "–"), h("span.soft", {}, [d.interface, d.vendor].filter(Boolean).join(" · "))] },
		{ label: t("nav.vpns"), right: true, cell: (d) => (d.vpns ? h("a", { href: "#/vpns" }, number(d.vpns)) : "0") },
		{ label: t("devices.sessions"), right: true, cell: (d) => number(d.sessions) },
		{ label: t("devices.ports"), right: true, cell: (d) => number(d.mappings) },
		{ label: t("vpns.traffic"), right: true, cell: (d) => [`↓\u00a0${bytes(d.bytes_in)}`, h("span.soft", {}, `↑\u00a0${bytes(d.bytes_out)}`)] },
		...(mayChange() ? [{ label: "", right: true, cell: (d) => h("button.tight", { type: "button", "data-address": d.address, "aria-label": t("devices.rename.which", { name: d.name || d.address }) }, t("devices.rename")) }] : []),
	];
}

async function deviceRename(device) {
	const name = await askText(t("devices.rename.title", { address: device.address }), t("devices.name"), device.name || "", t("devices.rename.hint"), { maxlength: "63" });
	if (name === null || name === (device.name || ""))
		return;
	try {
		await call("PUT", `devices/${device.address}`, { name });
		toast(t("devices.renamed"));
		liveTell("config");
	} catch (error) {
		toast(refusal(error));
	}
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
		let items = [];
		const load = async () => {
			items = await callList("devices", BACKGROUND);
			table.update(items.sort((a, b) => addressNumber(a.address) - addressNumber(b.address)));
			setText(count, tn("devices.count", items.length));
		};
		// cells are made anew as text changes: one listener for all of them
		table.element.addEventListener("click", (event) => {
			const device = items.find((one) => one.address === event.target.dataset.address);
			if (device)
				deviceRename(device);
		});
		const end = loadEvery(DEVICES_EVERY_MS, load), unlisten = liveListen((what) => what === "config" && load().catch(() => {}));
		return () => { end(); unlisten(); };
	},
};
