// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic of the last five minutes, drawn by uPlot; the words beside it say the
// same to whoever does not see it.
"use strict";

function plotColour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function plotOptions(width) {
	const axis = { stroke: plotColour("--soft"), grid: { stroke: plotColour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
	const series = (colour, more) => ({ stroke: plotColour(colour), width: 2, points: { show: false }, ...more });
	return {
		width, height: 216, legend: { show: false }, cursor: { show: false }, padding: [8, 20, 0, 0],
		scales: { x: { time: true, range: (plot, from, to) => [Math.max(to - HISTORY_S, Math.min(from, to - 60)), to] }, y: { range: (plot, low, high) => [0, Math.max(high * 1.1, 10000)] } },
		axes: [
			{ ...axis, values: (plot, marks) => marks.map((at) => plotTime(at)), space: 90, size: 30, grid: { show: false } },
			{ ...axis, values: (plot, marks) => marks.map(rate), size: 84, space: 44 },
		],
		series: [{}, series("--plot-in", { fill: plotColour("--accent-wash") }), series("--plot-out", { dash: [5, 3] })],
	};
}

function plotTime(at) {
	return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(at * 1000);
}

// Two points at least, or uPlot has no scale
function plotData() {
	const now = Date.now() / 1000;
	return live.history[0].length > 1 ? live.history : [[now - 1, now], [0, 0], [0, 0]];
}

function plotMake() {
	const incoming = h("span.key"), outgoing = h("span.key.out");
	const place = h("div.plot", { role: "img", "aria-label": t("plot.label") });
	let plot = null;
	const draw = () => {
		if (plot)
			plot.destroy();
		plot = new uPlot(plotOptions(place.clientWidth || 600), plotData(), place);
	};
	const update = (what) => {
		const last = live.history[0].length - 1;
		setText(incoming, t("plot.in", { rate: rate(last < 0 ? 0 : live.history[1][last]) }));
		setText(outgoing, t("plot.out", { rate: rate(last < 0 ? 0 : live.history[2][last]) }));
		if (what === "theme" && plot)
			draw();
		else if (what === "traffic" && plot)
			plot.setData(plotData());
	};
	const sized = new ResizeObserver(() => (plot ? plot.setSize({ width: place.clientWidth, height: 216 }) : draw()));
	sized.observe(place);
	update("");
	const unlisten = liveListen(update);
	return {
		element: place,
		key: h("div.row", {}, incoming, outgoing),
		close() {
			unlisten();
			sized.disconnect();
			if (plot)
				plot.destroy();
		},
	};
}
