// SPDX-License-Identifier: GPL-2.0-or-later
// VPNs: every tunnel and every attempt, live.
"use strict";

const STATE_COLOUR = { up: "good", connecting: "info", "one-way": "warn", stale: "warn", blocked: "bad", refused: "bad", "no-answer": "bad", failed: "bad", ended: "info" };
const STATE_ORDER = ["failed", "refused", "no-answer", "one-way", "blocked", "connecting", "up", "stale", "ended"];

function statePill(state) {
	return pill(STATE_COLOUR[state], t(`state.${state}`));
}

function tunnelKey(tunnel) {
	return [tunnel.device, tunnel.kind, tunnel.class, tunnel.server].join(" ");
}

function tunnelIsBad(tunnel) {
	return STATE_COLOUR[tunnel.state] === "bad" || tunnel.state === "one-way";
}

// Where to go on from one that does not work: its switch, or the answer in Help.
function tunnelHelp(tunnel) {
	if (tunnel.state === "blocked")
		return h("a.small", { href: `#/firewall/${tunnel.class || tunnel.kind}` }, t("vpns.switch"));
	return tunnelIsBad(tunnel) && h("a.small", { href: "#/help/not-working" }, t("vpns.todo"));
}

function tunnelState(tunnel) {
	return h("span.row", {}, statePill(tunnel.state), tunnelHelp(tunnel));
}

function tunnelColumns() {
	return [
		{ label: t("vpns.device"), cell: (v) => [h("strong", {}, v.device_name || v.device), v.device_name && h("span.soft", {}, v.device)] },
		{ label: t("vpns.kind"), cell: (v) => t(`kind.${v.kind}`) },
		{ label: t("vpns.server"), cell: (v) => v.server },
		{ label: t("vpns.state"), cell: tunnelState },
		{ label: t("vpns.age"), right: true, cell: (v) => [duration(v.age_s), h("span.soft", {}, t("vpns.idle", { age: duration(v.idle_s) }))] },
		{ label: t("vpns.traffic"), right: true, cell: (v) => [`↓\u00a0${bytes(v.bytes_in)}`, h("span.soft", {}, `↑\u00a0${bytes(v.bytes_out)}`)] },
		{ label: t("vpns.why"), whole: true, cell: (v) => said((v.evidence || [])[0] || "") },
	];
}

pages.vpns = {
	title: () => t("nav.vpns"),
	intro: () => t("vpns.intro"),
	open(place) {
		const table = liveTable(t("nav.vpns"), tunnelColumns(), tunnelKey, t("vpns.none"));
		const count = h("p.soft", { role: "status" });
		fill(place, h("section.card", {}, count, table.element),
			h("section.card", {}, h("h2", {}, t("vpns.meaning")), h("dl.facts", {}, STATE_ORDER.map((state) => [
				h("dt", {}, statePill(state)), h("dd", {}, t(`state.${state}.meaning`))])),
			h("p.small", {}, h("a", { href: "#/help/change-nothing" }, t("help.change-nothing.title")))));
		const update = () => {
			const sorted = [...live.vpn].sort((a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || a.device.localeCompare(b.device));
			table.update(sorted);
			setText(count, live.known ? tn("vpns.count", live.vpn.length) : "");
			table.element.hidden = !live.known;
		};
		update();
		return liveListen((what) => what === "vpn" && update());
	},
};
