// SPDX-License-Identifier: GPL-2.0-or-later
// The pictures of docs/screenshots: the real page, with the lab's tunnels. make screenshots
"use strict";
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { ADDRESS, PASSWORD, labMust, browserStart, visitor, logIn, go } = require("./browser.js");

const FOLDER = path.join(__dirname, "..", "..", "docs", "screenshots");

// name, page, width, height, colours, language
const PICTURES = [
	["overview", "overview", 1280, 1010, "light", "en-GB"],
	["firewall", "firewall", 1280, 1240, "light", "en-GB"],
	["vpns-dark", "vpns", 1280, 900, "dark", "en-GB"],
	["counters-german", "counters", 1280, 900, "light", "de-DE"],
	["settings", "settings", 1280, 900, "light", "en-GB"],
	["help-dark", "help/passthrough", 1280, 900, "dark", "en-GB"],
	["phone-overview", "overview", 360, 740, "light", "en-GB"],
	["phone-firewall", "firewall", 360, 740, "dark", "en-GB"],
];

async function picture(browser, [name, wanted, width, height, colorScheme, locale]) {
	const page = await visitor(browser, { viewport: { width, height }, colorScheme, locale });
	await logIn(page, locale === "de-DE" ? { password: "Passwort", button: "Anmelden" } : undefined);
	await go(page, wanted);
	await page.waitForFunction(() => live.vpn.length > 2);
	if (wanted === "overview") // a curve to look at
		await page.waitForFunction(() => live.history[0].length > 12, null, { timeout: 90000 });
	await page.waitForLoadState("load");
	await save(page, name);
	await page.context().close();
}

async function save(page, name) {
	const file = path.join(FOLDER, `${name}.png`);
	await page.screenshot({ path: file });
	execFileSync("pngquant", ["--force", "--skip-if-larger", "--output", file, "--", file]);
}

async function main() {
	const browser = await browserStart();
	const first = await visitor(browser, { viewport: { width: 1280, height: 760 } });
	await first.goto(ADDRESS);
	await first.getByLabel("Code").fill(labMust("setup_code").match(/\b[A-Z0-9]{4}(-?[A-Z0-9]{4})+\b/)[0]);
	await save(first, "first-start");
	await first.getByLabel("New password", { exact: true }).fill(PASSWORD);
	await first.getByLabel("Repeat new password").fill(PASSWORD);
	await first.getByRole("button").last().click();
	await first.locator("nav.nav").waitFor();
	labMust("busy");
	await Promise.all(PICTURES.map((one) => picture(browser, one)));
	await browser.close();
}

main();
