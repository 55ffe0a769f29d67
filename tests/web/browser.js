// SPDX-License-Identifier: GPL-2.0-or-later
// A browser of the LAN in front of the gateway's page, and the lab behind it.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { chromium } = require("playwright-core");

const ADDRESS = "https://10.10.0.1";
const PASSWORD = "a wayleave is a right of way";
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

// Runs a function of lab.sh; {status, output}
function lab(...words) {
	const { status, stdout, stderr } = spawnSync(path.join(__dirname, "run"), ["--", ...words], { encoding: "utf8" });
	return { status, output: stdout + stderr };
}

function labMust(...words) {
	const { status, output } = lab(...words);
	assert.equal(status, 0, `${words.join(" ")}: ${output}`);
	return output;
}

// ignoreHTTPSErrors of a context holds for what pages fetch; a download is the browser's own and
// failed (ERR_CERT_AUTHORITY_INVALID) when it opened a connection of its own
function browserStart() {
	return chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--ignore-certificate-errors", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync"] });
}

// A new visitor: no cookie, nothing kept. Whatever the page complains about is in page.complaints.
async function visitor(browser, options = {}) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, locale: "en-GB", reducedMotion: "reduce", ...options });
	context.setDefaultTimeout(10000);
	const page = await context.newPage();
	page.complaints = [];
	page.on("pageerror", (error) => page.complaints.push(error.message));
	page.on("console", (message) => {
		if (message.type() === "error" && !/status of (4\d\d|503)|ERR_/.test(message.text()))
			page.complaints.push(message.text());
	});
	return page;
}

async function logIn(page, words = { password: "Password", button: "Log in" }) {
	await page.goto(ADDRESS);
	await logInHere(page, words);
}

async function logInHere(page, words = { password: "Password", button: "Log in" }) {
	await page.getByLabel(words.password, { exact: true }).fill(PASSWORD);
	await page.getByRole("button", { name: words.button }).click();
	await page.locator("nav.nav").waitFor({ state: "attached" });
}

// Goes to a page by its address, and waits until what is live has arrived
async function go(page, name) {
	await page.evaluate((hash) => { location.hash = hash; }, `#/${name}`);
	await page.waitForFunction((wanted) => document.querySelector(".nav a[aria-current]")?.dataset.page === wanted, name.split("/")[0]);
	await page.waitForFunction(() => live.status !== null);
}

// WCAG 2.2 AA, as far as a program can tell; what is wrong, as lines
async function wcag(page) {
	await page.evaluate(AXE);
	const { violations } = await page.evaluate((values) => axe.run(document, { runOnly: { type: "tag", values } }), RULES);
	return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}

const scrollsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

module.exports = { ADDRESS, PASSWORD, lab, labMust, browserStart, visitor, logIn, logInHere, go, wcag, scrollsSideways };
