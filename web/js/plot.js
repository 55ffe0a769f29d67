// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic of the last hour or day, as the gateway has kept it, drawn by uPlot; the words beside
// it say how much it is now to whoever does not see it.
"use strict";

const PLOT_EVERY_MS = 10000;
const PLOT_SPANS = { hour: 3600, day: 86400 };

function plotColour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function plotOptions(width, span) {
	const axis = { stroke: plotColour("--soft"), grid: { stroke: plotColour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
	const series = (colour, more) => ({ stroke: plotColour(colour), width: 2, points: { show: false }, ...more });
	return {
		width, height: 216, legend: { show: false }, cursor: { show: false }, padding: [8, 20, 0, 0],
		scales: { x: { time: true, range: (plot, from, to) => [to - PLOT_SPANS[span], to] }, y: { range: (plot, low, high) => [0, Math.max(high * 1.1, 10000)] } },
		axes: [
			{ ...axis, values: (plot, marks) => marks.map((at) => plotTime(at, span)), space: 90, size: 30, grid: { show: false } },
			{ ...axis, values: (plot, marks) => marks.map(rate), size: 84, space: 44 },
		],
		series: [{}, series("--plot-in", { fill: plotColour("--accent-wash") }), series("--plot-out", { dash: [5, 3] })],
	};
}

function plotTime(at, span) {
	return new Intl.DateTimeFormat(locale(), { timeStyle: span ? "short" : "medium" }).format(at * 1000);
}

// As the plot takes it: seconds, bit/s in, bit/s out. Two points at least, or uPlot has no scale.
function plotData({ every_s: every, from, in: incoming, out: outgoing }) {
	if (incoming.length < 2) {
		const now = Date.now() / 1000;
		return [[now - 1, now], [0, 0], [0, 0]];
	}
	return [incoming.map((bytesIn, i) => from + (i + 1) * every), incoming.map((count) => count * 8 / every), outgoing.map((count) => count * 8 / every)];
}

// Everybody, and each device that is there
function plotChoices() {
	const of = select([["", t("plot.wan")]], "", { "aria-label": t("plot.of") });
	const span = select(Object.keys(PLOT_SPANS).map((value) => [value, t(`plot.${value}`)]), "hour", { "aria-label": t("plot.span") });
	callList("devices", BACKGROUND).then((devices) => append(of, devices.sort((a, b) => addressNumber(a.address) - addressNumber(b.address))
		.map((device) => h("option", { value: device.address }, device.name ? `${device.name} (${device.address})` : device.address)))).catch(() => {});
	return { of, span };
}

const PLOT_NOTHING = { every_s: 10, from: 0, in: [], out: [] };

async function plotAsk(of, span) {
	try {
		return await call("GET", `traffic?span=${span}${of ? `&inside=${of}` : ""}`, undefined, BACKGROUND);
	} catch (error) {
		if (error.status === 404)
			return PLOT_NOTHING; // a device that has not been seen for long enough
		throw error;
	}
}

function plotMake() {
	const incoming = h("span.key"), outgoing = h("span.key.out"), choice = plotChoices();
	const place = h("div.plot", { role: "img", "aria-label": t("plot.label") });
	let plot = null, traffic = PLOT_NOTHING;
	const draw = () => {
		if (plot)
			plot.destroy();
		plot = new uPlot(plotOptions(place.clientWidth || 600, choice.span.value), plotData(traffic), place);
	};
	// of everybody as it is now, of a device as it was in the last step
	const rates = () => {
		const last = live.history[0].length - 1, step = traffic.in.length - 1;
		const of = choice.of.value;
		const now = (series, name) => (of ? (step < 0 ? 0 : traffic[name][step] * 8 / traffic.every_s) : last < 0 ? 0 : live.history[series][last]);
		setText(incoming, t("plot.in", { rate: rate(now(1, "in")) }));
		setText(outgoing, t("plot.out", { rate: rate(now(2, "out")) }));
	};
	const load = async () => {
		traffic = await plotAsk(choice.of.value, choice.span.value);
		place.dataset.points = traffic.in.length;
		rates();
		if (place.isConnected && place.clientWidth)
			draw();
	};
	for (const control of [choice.of, choice.span])
		control.addEventListener("change", () => load().catch((error) => toast(refusal(error))));
	const sized = new ResizeObserver(() => (plot ? plot.setSize({ width: place.clientWidth, height: 216 }) : draw()));
	sized.observe(place);
	rates();
	const unlisten = liveListen((what) => {
		if (what === "theme" && plot)
			draw();
		else if (what === "traffic")
			rates();
	});
	const end = loadEvery(PLOT_EVERY_MS, load);
	return {
		element: place,
		key: h("div.row", {}, incoming, outgoing),
		choice: h("div.row.plot-choice", {}, choice.of, choice.span),
		close() {
			end();
			unlisten();
			sized.disconnect();
			if (plot)
				plot.destroy();
		},
	};
}
