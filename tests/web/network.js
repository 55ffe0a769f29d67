// SPDX-License-Identifier: GPL-2.0-or-later
// The first visit without a shell, in a browser of the LAN that tests/lab/network.sh has made:
// the warning explained, the code by the QR code's address, the three questions, the plan, the
// wait, undo. CODE is the one-time code, SHOT where pictures go (left out: none are taken).
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const { PASSWORD, browserStart, visitor, wcag, scrollsSideways } = require("./browser.js");

const HOST = "192.168.50.1", ADDRESS = `https://${HOST}`;
let browser, page;

test.before(async () => { browser = await browserStart(); page = await visitor(browser); });
test.after(() => browser.close());

const shot = (name) => process.env.SHOT && page.screenshot({ path: `${process.env.SHOT}/${name}.png`, fullPage: true });
const ask = (method, path, body) => page.evaluate(async ([m, p, b]) => {
	const answer = await fetch(`/api/v1/${p}`, { method: m, headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf_token }, body: b && JSON.stringify(b) });
	return { status: answer.status, document: await answer.json() };
}, [method, path, body]);

test("http says why the browser will warn, and leads on", async () => {
	await page.goto(`http://${HOST}/`);
	await page.getByRole("heading", { name: "Your browser will warn you" }).waitFor();
	assert.deepEqual(await wcag(page), []);
	assert.match(await page.locator("code").first().textContent(), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
	await shot("visit-http");
	await page.getByRole("link", { name: "Go to the settings page" }).click();
	await page.getByRole("heading", { name: "Welcome" }).waitFor();
});

test("the same page in German, in the dark, on a phone", async () => {
	const other = await visitor(browser, { locale: "de-DE", colorScheme: "dark", viewport: { width: 360, height: 740 } });
	await other.goto(`http://${HOST}/`);
	await other.getByRole("heading", { name: "Ihr Browser wird warnen" }).waitFor();
	assert.deepEqual(await wcag(other), []);
	assert.equal(await scrollsSideways(other), false);
	await other.context().close();
});

test("the QR code's address brings the code; after the password come the questions", async () => {
	await page.goto("about:blank");
	await page.goto(`${ADDRESS}/#/setup/${process.env.CODE}`);
	await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
	await page.getByLabel("Repeat new password").fill(PASSWORD);
	await page.getByRole("button", { name: "Set password and begin" }).click();
	await page.getByRole("heading", { name: "Internet and addresses" }).waitFor();
	await page.getByText("The password is set.").waitFor();
	await page.getByRole("radio", { name: /eth0/ }).waitFor();
	assert.equal(await page.getByLabel(/Which address does the gateway have inside/).inputValue(), `${HOST}/24`);
	assert.equal(await page.getByRole("radio", { name: /eth0/ }).isChecked(), true);
	assert.equal(await page.getByRole("checkbox", { name: /eth0/ }).isDisabled(), true);
	assert.deepEqual(await wcag(page), []);
	await shot("visit-questions");
});

test("wrong answers are told where they stand", async () => {
	for (const port of ["eth1", "eth2"])
		assert.equal(await page.getByRole("checkbox", { name: port }).isChecked(), true);
	await page.getByLabel(/Which address does the gateway have inside/).fill("8.8.8.8/24");
	await page.getByRole("radio", { name: /Yes \(PPPoE\)/ }).check();
	await page.getByRole("button", { name: "Show what would be written" }).click();
	await page.getByText("is needed for PPPoE").waitFor();
	await page.getByLabel("User name").fill("me@isp.example");
	await page.getByLabel("Password of the connection").fill("a secret");
	await page.getByRole("button", { name: "Show what would be written" }).click();
	await page.getByText("is not private").waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.value), "8.8.8.8/24");
	assert.deepEqual(await wcag(page), []);
});

test("by keyboard: the plan is shown, without the password, and nothing is written yet", async () => {
	await page.getByLabel(/Which address does the gateway have inside/).fill(`${HOST}/24`);
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "What would be written" }).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "What would be written");
	const text = await page.locator("main").textContent();
	assert.match(text, /\+nic-eth0/);
	assert.match(text, /wan\.interface: ppp-wan/);
	assert.doesNotMatch(text, /a secret/);
	assert.deepEqual(await wcag(page), []);
	await shot("visit-plan");
	assert.equal((await ask("GET", "network")).document.confirm_within_s, 0);
});

test("written, it waits; confirmed at this address, it stays; undo takes it away", async () => {
	await page.getByRole("button", { name: "Write and restart the network" }).click();
	await page.getByRole("heading", { name: "The new network waits" }).waitFor();
	await page.getByText(/Undone automatically in 2\d\d s/).waitFor();
	assert.deepEqual(await wcag(page), []);
	await shot("visit-waits");
	assert.equal((await ask("GET", "config")).document.settings.wan.interface, "ppp-wan");
	await page.getByRole("button", { name: "It works, keep it" }).dblclick({ delay: 20 });
	await page.getByRole("heading", { name: "The network was set up here" }).waitFor();
	assert.equal(await page.getByText("no network setup waits").isVisible(), false);
	assert.equal((await ask("GET", "network")).document.undo, true);
	await page.getByRole("button", { name: "Undo", exact: true }).click();
	await page.getByText("Undone. The network restarts.").waitFor();
	assert.equal((await ask("GET", "config")).document.settings.wan.interface, "eth0");
});

test("the questions in German, in the dark, on a phone", async () => {
	const other = await visitor(browser, { locale: "de-DE", colorScheme: "dark", viewport: { width: 360, height: 740 } });
	await other.goto(ADDRESS);
	await other.getByLabel("Passwort", { exact: true }).fill(PASSWORD);
	await other.getByRole("button", { name: "Anmelden" }).click();
	await other.locator("nav.nav").waitFor({ state: "attached" });
	await other.evaluate(() => { location.hash = "#/network"; });
	await other.getByRole("heading", { name: "Internet und Adressen" }).waitFor();
	await other.getByRole("button", { name: "Zeigen, was geschrieben würde" }).click();
	await other.getByRole("heading", { name: "Was geschrieben würde" }).waitFor();
	assert.deepEqual(await wcag(other), []);
	assert.equal(await scrollsSideways(other), false);
	if (process.env.SHOT)
		await other.screenshot({ path: `${process.env.SHOT}/visit-phone.png`, fullPage: true });
	await other.context().close();
});

test("another address is confirmed only there", async () => {
	const answers = { wan: "eth0", line: "dhcp", inside: "192.168.60.1/24", lan: ["eth1", "eth2"] };
	assert.equal((await ask("POST", "network", answers)).document.address, "192.168.60.1");
	await page.getByRole("link", { name: "Open 192.168.60.1" }).waitFor();
	assert.equal(await page.getByRole("link", { name: "Open 192.168.60.1" }).getAttribute("href"), "https://192.168.60.1/#/network");
	assert.equal(await page.getByRole("button", { name: "It works, keep it" }).isVisible(), false);
	const refused = await ask("POST", "network/confirm");
	assert.equal(refused.status, 400);
	assert.match(refused.document.error.message, /from the page at 192\.168\.60\.1/);
	assert.equal((await ask("DELETE", "network")).status, 200);
	assert.deepEqual(page.complaints, []);
});
