// SPDX-License-Identifier: GPL-2.0-or-later
// Counters: every reason to drop a packet, with its sentence; what passed below.
"use strict";

const COUNTERS_EVERY_MS = 2000;
const KINDS = ["drop", "pass", "event"];

function counterColumns() {
	return [
		{ label: t("counters.count"), right: true, cell: (c) => [number(c.count), c.perSecond > 0 && h("span.soft", {}, t("counters.rate", { n: number(Math.round(c.perSecond * 10) / 10) }))] },
		{ label: t("counters.meaning"), whole: true, cell: (c) => [translated(`reason.${c.name}`, c.sentence), counterLink(c.name)] },
		{ label: t("counters.name"), cell: (c) => h("span.mono.small", {}, c.name) },
		{ label: "RFC", cell: (c) => h("span.small", {}, c.rfc || "–") },
	];
}

function counterLink(name) {
	const blocked = name.match(/^blocked_(pptp|l2tp|ipsec)$/);
	return blocked && [" ", h("a", { href: `#/firewall/${blocked[1]}` }, t("vpns.switch"))];
}

// Adds to each counter how fast it grew since the last look
function countersRate(items, last) {
	const now = Date.now(), seconds = (now - last.at) / 1000;
	for (const counter of items) {
		const before = last.counts.get(counter.name);
		counter.perSecond = before === undefined ? 0 : Math.max(0, (counter.count - before) / seconds);
	}
	last.at = now;
	last.counts = new Map(items.map((counter) => [counter.name, counter.count]));
	return items;
}

pages.counters = {
	title: () => t("nav.counters"),
	intro: () => t("counters.intro"),
	open(place) {
		const all = h("input", { type: "checkbox" });
		const tables = KINDS.map((kind) => liveTable(t(`counters.${kind}`), counterColumns(), (c) => c.name, t("counters.none")));
		const last = { at: 0, counts: new Map() };
		let items = [];
		const show = () => KINDS.forEach((kind, i) => tables[i].update(items
			.filter((c) => c.kind === kind && (all.checked || c.count))
			.sort((a, b) => Number(b.count > 0) - Number(a.count > 0))));
		all.addEventListener("change", show);
		fill(place, h("label.choice", {}, all, t("counters.zero")),
			KINDS.map((kind, i) => h("section.card", {}, h("h2", {}, t(`counters.${kind}`)), tables[i].element)));
		return loadEvery(COUNTERS_EVERY_MS, async () => {
			items = countersRate(await callList("counters", BACKGROUND), last);
			show();
		});
	},
};
