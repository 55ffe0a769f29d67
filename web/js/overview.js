// SPDX-License-Identifier: GPL-2.0-or-later
// Overview: is the internet there, and who does what.
"use strict";

pages.overview = {
	title: () => t("nav.overview"),
	open(place) {
		const path = pathMake(), tiles = tilesMake(), plot = plotMake(), tunnels = tunnelsMake();
		const notes = h("div.stack");
		fill(place,
			h("section.card", { "aria-label": t("overview.connection") }, path.element, notes), tiles.element,
			h("section.card", {}, h("div.card-head", {}, h("h2", {}, t("plot.title")), plot.key, plot.choice), plot.element),
			h("section.card", {}, h("div.card-head", {}, h("h2", {}, t("overview.tunnels")), h("a", { href: "#/vpns" }, t("overview.all"))), tunnels.element));
		const update = (what) => {
			if ((what === "status" || what === "connected") && live.status) {
				path.update(live.status);
				tiles.update(live.status);
				overviewNotes(notes, live.status);
			}
			if (what === "vpn" && live.known) {
				tunnels.update(live.vpn);
				tiles.count(live.vpn);
			}
		};
		["status", "vpn"].forEach(update);
		const unlisten = liveListen(update);
		return () => { unlisten(); plot.close(); };
	},
};

// --- devices - gateway - internet ---------------------------------------------------------
function pathNode(drawing, href) {
	const title = h("strong"), line = h("span.small.soft");
	const content = [h("span.disc", {}, icon(drawing)), title, line];
	return { element: href ? h("a.path-node", { href }, content) : h("div.path-node", {}, content), title, line };
}

function pathMake() {
	const devices = pathNode("devices", "#/devices"), gateway = pathNode("gateway"), internet = pathNode("internet");
	const outward = h("div.path-line", { "aria-hidden": "true" }), checks = checksMake();
	setText(gateway.title, t("overview.gateway"));
	return {
		element: h("div.line", {}, h("div.path", {}, devices.element, h("div.path-line", { "aria-hidden": "true" }), gateway.element, outward, internet.element), checks.element),
		update(status) {
			const line = lineState(status);
			setText(devices.title, tn("overview.devices", status.devices || 0));
			setText(devices.line, status.lan.map((lan) => lan.interface).join(", "));
			setText(gateway.line, t("overview.up", { age: duration(status.uptime_s) }));
			setText(internet.title, line === "away" ? noContact() : t(`internet.${line}`));
			setText(internet.line, status.wan.address || t("overview.noaddress"));
			for (const element of [internet.element, outward]) {
				element.classList.toggle("bad", line === "down");
				element.classList.toggle("unsure", line === "not-checked" || line === "away");
			}
			checks.update(status.internet || {});
		},
	};
}

// "online", "not-checked", "down"; "away": the gateway itself does not answer.
function lineState(status) {
	if (!live.connected && !live.crowded)
		return "away";
	if (!status.translating)
		return "down";
	return (status.internet || {}).state || "not-checked";
}

// What is seen of the line, each by itself
const LINE_CHECKS = ["carrier", "address", "route", "neighbour", "heard"];

function lineCheck(line, name) {
	if (name === "neighbour")
		return [{ answers: "good", silent: "bad" }[line.neighbour] || "", `line.neighbour.${line.neighbour || "not-checked"}`];
	if (name === "heard")
		return [line.online ? "good" : "", line.online ? "line.heard" : "line.heard.not"];
	return line[name] ? ["good", `line.${name}`] : ["bad", `line.${name}.not`];
}

function checksMake() {
	const list = h("ul.checks", { "aria-label": t("line.label") });
	let shown = "";
	return { element: list, update(line) {
		const wanted = LINE_CHECKS.map((name) => lineCheck(line, name));
		if (JSON.stringify(wanted) === shown)
			return;
		shown = JSON.stringify(wanted);
		fill(list, wanted.map(([kind, key]) => h("li", {}, pill(kind, t(key)))));
	} };
}

function overviewNotes(place, status) {
	const wanted = [], kind = wanKind(status.wan.address);
	if (!status.translating)
		wanted.push(note("bad", h("strong", {}, t("overview.waiting")), " ", listed(status.waiting_for || [])));
	if (kind === "private" || kind === "shared")
		wanted.push(note("warn", h("strong", {}, t(`overview.${kind}`)), " ", t("overview.behind"), " ",
			h("a", { href: "#/help/behind" }, t("help.more"))));
	for (const warning of status.warnings || [])
		wanted.push(note("warn", warning));
	const fresh = h("div", {}, wanted);
	if (fresh.innerHTML !== place.innerHTML)
		place.replaceChildren(...fresh.childNodes);
	place.hidden = !wanted.length;
}

// --- figures ---------------------------------------------------------------------------------
function tile(label) {
	const value = document.createTextNode("…"), line = h("small");
	return { element: h("div.tile", {}, h("dt", {}, label), h("dd", {}, value, line)), set(text, more) {
		if (value.data !== text)
			value.data = text;
		setText(line, more || "");
	} };
}

function tilesMake() {
	const wan = tile(t("overview.wan")), vpn = tile(t("nav.vpns")), sessions = tile(t("overview.sessions")), sum = tile(t("overview.traffic"));
	return {
		element: h("dl.tiles", {}, [wan, vpn, sessions, sum].map((part) => part.element)),
		count(tunnels) {
			const up = tunnels.filter((tunnel) => tunnel.state === "up").length;
			vpn.set(number(tunnels.length), t("overview.running", { n: number(up) }));
		},
		update(status) {
			wan.set(status.wan.address || "–", [status.wan.interface, t(`wan.${wanKind(status.wan.address)}`)].join(" · "));
			sessions.set(number(status.sessions.used), t("overview.limit", { n: number(status.sessions.limit) }));
			sum.set(`↓\u00a0${bytes(status.traffic.bytes_in)}`, `↑\u00a0${bytes(status.traffic.bytes_out)}`);
		},
	};
}

// --- tunnels by device -----------------------------------------------------------------------
// What has failed comes first, of the devices and of each one's tunnels
function badFirst(a, b) {
	return Number(tunnelIsBad(b)) - Number(tunnelIsBad(a));
}

function tunnelsByDevice(tunnels) {
	const devices = new Map();
	for (const tunnel of [...tunnels].sort((a, b) => badFirst(a, b) || (a.device_name || a.device).localeCompare(b.device_name || b.device))) {
		if (!devices.has(tunnel.device))
			devices.set(tunnel.device, []);
		devices.get(tunnel.device).push(tunnel);
	}
	return [...devices].map(([device, list]) => ({ device, list }));
}

function deviceTunnels() {
	const who = h("h3.who"), list = h("ul");
	const follow = keyedList(list, tunnelKey, () => {
		const state = h("span"), line = h("span"), why = h("div.small"), words = h("span"), help = h("span");
		why.append(words, " ", help);
		return {
			element: h("li", {}, h("div.row", {}, state, line), why),
			update(tunnel) {
				if (state.textContent !== t(`state.${tunnel.state}`)) {
					fill(state, statePill(tunnel.state));
					fill(help, tunnelHelp(tunnel));
				}
				setText(line, `${t(`kind.${tunnel.kind}`)} → ${tunnel.server} · ${duration(tunnel.age_s)}`);
				setText(words, tunnelIsBad(tunnel) ? said((tunnel.evidence || [])[0] || "") : "");
				why.hidden = !tunnelIsBad(tunnel);
			},
		};
	});
	return {
		element: h("li.tunnel", {}, who, list),
		update(group) {
			setText(who, deviceLabel(group.list[0]));
			follow(group.list.slice(0, 20));
		},
	};
}

function tunnelsMake() {
	const list = h("ul.tunnels"), empty = h("div.empty", {}, h("p", {}, t("vpns.loading")));
	let asked = false;
	const follow = keyedList(list, (group) => group.device, deviceTunnels);
	return {
		element: h("div", {}, list, empty),
		update(tunnels) {
			if (!asked)
				fill(empty, h("p", {}, t("vpns.none")), h("p", {}, h("a", { href: "#/help/need" }, t("help.need.title"))));
			asked = true;
			empty.hidden = !!tunnels.length;
			follow(tunnelsByDevice(tunnels).slice(0, 50));
		},
	};
}
