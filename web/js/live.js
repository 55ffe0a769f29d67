// SPDX-License-Identifier: GPL-2.0-or-later
// What is live: the stream of events, the newest documents, and five minutes of traffic.
"use strict";

const HISTORY_S = 300;
const QUIET_MS = 8000;
const SILENCE_MS = 8000; // the gateway sends something each second

const live = {
	status: null,
	vpn: [],
	known: false, // tunnels have been told since the page is open
	connected: true,
	heardAt: 0, // when the gateway last said something, ms
	startedAt: 0, // when the stream was last opened, ms
	watch: null,
	crowded: false, // the gateway is there, but gives this page no stream
	// parallel arrays, as the plot takes them: seconds, bit/s in, bit/s out
	history: [[], [], []],
	listeners: new Set(),
	source: null,
	lastTraffic: null,
	changes: 0, // made here: settings that were asked for before one are old
};

// Called after every event with its name; returns the function that ends it.
function liveListen(listener) {
	live.listeners.add(listener);
	return () => live.listeners.delete(listener);
}

function liveTell(what) {
	for (const listener of [...live.listeners])
		listener(what);
}

function liveStart() {
	liveStop();
	const source = live.source = new EventSource("/api/v1/events");
	live.startedAt = Date.now();
	const on = (name, take) => source.addEventListener(name, (event) => {
		take(JSON.parse(event.data));
		heard();
		liveTell(name);
	});
	on("status", (status) => { live.status = status; });
	on("vpn", (vpn) => {
		live.vpn = vpn.items;
		live.known = true;
	});
	on("traffic", trafficTake);
	source.addEventListener("open", () => {
		live.crowded = false;
		heard();
	});
	source.addEventListener("error", streamFailed);
	live.watch = setInterval(silenceLook, 1000);
}

function heard() {
	live.heardAt = Date.now();
	if (!live.crowded)
		connectedSet(true);
}

// A gateway without power, or a cable that is out, closes no connection.
function silenceLook() {
	const silent = (since) => Date.now() - since > SILENCE_MS;
	if (!live.heardAt || live.crowded || !silent(live.heardAt))
		return;
	connectedSet(false);
	if (silent(live.startedAt))
		liveStart();
}

function liveStop() {
	if (live.source)
		live.source.close();
	clearInterval(live.watch);
	live.source = null;
	live.lastTraffic = null;
}

// The browser tries again by itself, unless the answer was a refusal: then the
// session may have ended, or the gateway is just coming back.
function streamFailed() {
	connectedSet(false);
	const dead = live.source && live.source.readyState === EventSource.CLOSED;
	if (dead)
		setTimeout(streamAgain, 2000);
}

async function streamAgain() {
	try {
		live.status = await call("GET", "status", undefined, BACKGROUND);
		live.crowded = true;
		liveTell("connected");
		if (session.logged_in)
			liveStart();
	} catch (error) {
		if (session.logged_in)
			setTimeout(streamAgain, 2000);
	}
}

function connectedSet(connected) {
	if (live.connected === connected)
		return;
	live.connected = connected;
	liveTell("connected");
}

// The gateway adds up its sessions every few seconds: sums that have not moved yet
// are no pause, unless they stand for longer than that.
function trafficTake(now) {
	const last = live.lastTraffic;
	const still = last && now.packets_in === last.packets_in && now.packets_out === last.packets_out;
	if (still && now.at_ms - last.at_ms < QUIET_MS)
		return;
	live.lastTraffic = now;
	if (!last || now.at_ms <= last.at_ms || now.bytes_in < last.bytes_in)
		return;
	const perSecond = (name) => Math.max(0, (now[name] - last[name]) * 8000 / (now.at_ms - last.at_ms));
	const [times, incoming, outgoing] = live.history;
	times.push(now.at_ms / 1000);
	incoming.push(perSecond("bytes_in"));
	outgoing.push(perSecond("bytes_out"));
	while (times.length && times[0] < now.at_ms / 1000 - HISTORY_S)
		live.history.forEach((series) => series.shift());
}

// --- what pages ask of it ---------------------------------------------------------
const ACTIVE = new Set(["up", "connecting", "one-way", "stale"]);

// The tunnels that a switch governs, those in use first.
function tunnelsOf(kind) {
	return live.vpn.filter((tunnel) => (tunnel.class || tunnel.kind) === kind);
}

function tunnelsInUse(kind) {
	return tunnelsOf(kind).filter((tunnel) => ACTIVE.has(tunnel.state));
}

function deviceLabel(tunnel) {
	return tunnel.device_name ? `${tunnel.device_name} (${tunnel.device})` : tunnel.device;
}

// Where the WAN address is from: "public", "private" (RFC 1918), "shared" (RFC 6598)
// or "none".
function wanKind(address) {
	if (!address)
		return "none";
	const [a, b] = address.split(".").map(Number);
	if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168))
		return "private";
	return a === 100 && b >= 64 && b < 128 ? "shared" : "public";
}
