// SPDX-License-Identifier: GPL-2.0-or-later
// Line drawings on a grid of 24, decoration only: the words beside them tell.
"use strict";

const ICONS = {
	overview: "M4 11.5 12 4l8 7.5M6.5 10v9.5h11V10M10 19.5v-5h4v5",
	vpns: "M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6zM9 12l2.2 2.2L15.2 10",
	advanced: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
	devices: "M3.5 5h13v9h-13zM8 18h5M10 14v4M18.5 9H21v10h-5v-5",
	counters: "M5 20v-7M10 20V5M15 20v-9M20 20v-4",
	history: "M4 12a8 8 0 1 0 2.6-5.9M4 4.5v4h4M12 8v4.5l3 1.8",
	help: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.7 9.6a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1.1.8-1.1 1.6M12 16.5v.1",
	settings: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM12 3v2.5M12 18.5V21M3 12h2.5M18.5 12H21M5.6 5.6l1.8 1.8M16.6 16.6l1.8 1.8M18.4 5.6l-1.8 1.8M7.4 16.6l-1.8 1.8",
	gateway: "M4 14h16v5H4zM7.5 16.5h.1M11 16.5h.1M16 14V6M13 8.5a4.2 4.2 0 0 1 6 0",
	internet: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM3.5 12h17M12 3.5c2.4 2.3 3.6 5.1 3.6 8.5s-1.2 6.2-3.6 8.5c-2.4-2.3-3.6-5.1-3.6-8.5s1.2-6.2 3.6-8.5z",
	menu: "M4 7h16M4 12h16M4 17h16",
	leave: "M14 4.5h4.5v15H14M4 12h10M10.5 8.5 14 12l-3.5 3.5",
};

function drawing(box, path, attributes) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("viewBox", box);
	svg.setAttribute("aria-hidden", "true");
	const line = document.createElementNS(SVG, "path");
	for (const [key, value] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": "1.7",
		"stroke-linecap": "round", "stroke-linejoin": "round", ...attributes }))
		line.setAttribute(key, value);
	svg.append(line);
	return svg;
}

function icon(name) {
	return drawing("0 0 24 24", ICONS[name]);
}

// The mark, as in index.html, in the page's own colours
function mark() {
	const svg = drawing("0 0 32 32", "M6 11l4.5 11L16 12l5.5 10L26 11", { "stroke-width": "3", stroke: "var(--on-accent)" });
	const ground = document.createElementNS(SVG, "rect");
	for (const [key, value] of Object.entries({ width: 32, height: 32, rx: 8, fill: "var(--accent)" }))
		ground.setAttribute(key, value);
	svg.prepend(ground);
	return svg;
}
