// SPDX-License-Identifier: GPL-2.0-or-later
// What web/vendor holds is what npm gave: the same bytes, version and licence.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");

const VENDOR = path.join(__dirname, "..", "..", "web", "vendor");
const MODULES = path.join(__dirname, "node_modules");
const COPIES = { uplot: { "uPlot.iife.min.js": "dist/uPlot.iife.min.js", "uPlot.min.css": "dist/uPlot.min.css", LICENSE: "LICENSE" } };

for (const [name, files] of Object.entries(COPIES))
	test(`vendored ${name} is the one of npm`, { skip: !fs.existsSync(path.join(MODULES, name)) && "node_modules (tools/install-deps)" }, () => {
		const { version } = JSON.parse(fs.readFileSync(path.join(MODULES, name, "package.json"), "utf8"));
		assert.match(fs.readFileSync(path.join(VENDOR, name, "VERSION"), "utf8"), new RegExp(`^${name} ${version.replace(/\./g, "\\.")} `));
		for (const [copy, original] of Object.entries(files))
			assert.ok(fs.readFileSync(path.join(VENDOR, name, copy)).equals(fs.readFileSync(path.join(MODULES, name, original))), `${copy} differs from npm's ${original}`);
	});
