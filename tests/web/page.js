// SPDX-License-Identifier: GPL-2.0-or-later
// The page as people use it, in the order of a new gateway's first day: first start,
// switches with real tunnels, forwards, rollback, looks, and at the end the lock-out.
"use strict";
const assert = require("node:assert/strict");
const https = require("node:https");
const test = require("node:test");
const { ADDRESS, PASSWORD, lab, labMust, browserStart, visitor, logIn, logInHere, go, wcag, scrollsSideways } = require("./browser.js");

const PAGES = ["overview", "vpns", "firewall", "devices", "history", "counters", "network", "help", "settings"];
const TUNNELS = { pptp: "pptp", l2tp: "l2tp", ipsec: "natt" };
const NAMES = { pptp: "PPTP", l2tp: "L2TP", ipsec: "IPsec" };
let browser, admin, before;

test.before(async () => { browser = await browserStart(); });
test.after(() => browser.close());

const settingsOf = (config) => JSON.stringify(JSON.parse(config).settings);
const toast = (page, text) => page.getByText(text, { exact: true }).last().waitFor();

// --- the door -------------------------------------------------------------------------------
test("first view: four requests, under 100 kB", async () => {
	const page = await visitor(browser);
	const sizes = [];
	page.on("requestfinished", async (request) => sizes.push(request.sizes()));
	await page.goto(ADDRESS, { waitUntil: "networkidle" });
	await page.getByRole("heading", { name: "Welcome" }).waitFor();
	const all = await Promise.all(sizes);
	const asked = all.length;
	assert.ok(asked <= 4, `${asked} requests`);
	const sum = all.reduce((total, size) => total + size.responseBodySize + size.responseHeadersSize, 0);
	assert.ok(sum < 100000, `${sum} bytes`);
	assert.deepEqual(page.complaints, []);
	await page.context().close();
});

test("without JavaScript: a sentence, in both languages; on an unknown path: the way to the page", async () => {
	const page = await visitor(browser), text = await (await page.request.get(ADDRESS)).text();
	const plain = text.match(/<noscript>(.*)<\/noscript>/s)[1];
	assert.match(plain, /This page needs JavaScript\./);
	assert.match(plain, /<p lang="de">Diese Seite braucht JavaScript\./);
	await page.goto(`${ADDRESS}/login.cgi`);
	await page.getByRole("heading", { name: "Page not found" }).waitFor();
	assert.deepEqual(await wcag(page), []);
	assert.notEqual(await page.locator(".card").evaluate((card) => getComputedStyle(card).borderRadius), "0px");
	await page.getByRole("link", { name: "Go to the gateway's page" }).click();
	await page.getByRole("heading", { name: "Welcome" }).waitFor();
	await page.context().close();
});

test("the QR code's address fills in the code, and does not stay in the browser", async () => {
	const page = await visitor(browser);
	await page.goto(`${ADDRESS}/#/setup/K7QM-3XWD`);
	await page.getByLabel("Code").waitFor();
	assert.equal(await page.getByLabel("Code").inputValue(), "K7QM-3XWD");
	assert.equal(await page.evaluate(() => location.href), `${ADDRESS}/`);
	assert.equal(await page.evaluate(() => document.activeElement.autocomplete), "new-password");
	await page.context().close();
});

test("first start: a wrong code, a short password, then the right ones", async () => {
	const page = await visitor(browser), code = labMust("setup_code").match(/\b[A-Z0-9]{4}(-?[A-Z0-9]{4})+\b/)[0];
	await page.goto(ADDRESS);
	const button = page.getByRole("button", { name: "Set password and begin" });
	const fill = async (typed, password, again) => {
		await page.getByLabel("Code").fill(typed);
		await page.getByLabel("New password", { exact: true }).fill(password);
		await page.getByLabel("Repeat new password").fill(again);
		await button.click();
	};
	assert.deepEqual(await wcag(page), []);
	await fill(code, "short", "short");
	await page.getByText("Too short: at least 12 characters.").waitFor();
	await fill(code, PASSWORD, `${PASSWORD}!`);
	await page.getByText("The passwords do not match.").waitFor();
	await fill("AAAA-AAAA", PASSWORD, PASSWORD);
	await page.getByText("That is not the code that the gateway shows now.").waitFor();
	await fill(code, PASSWORD, PASSWORD);
	await page.getByRole("heading", { name: "Internet and addresses" }).waitFor();
	assert.deepEqual(await wcag(page), []);
	await page.getByRole("link", { name: "Skip, go to Overview" }).click();
	await page.getByRole("heading", { name: "Overview" }).waitFor();
	assert.deepEqual(page.complaints, []);
	await page.context().close();
});

test("login: refused with a wrong password, let in with the right one, out again", async () => {
	admin = await visitor(browser);
	await admin.goto(ADDRESS);
	assert.deepEqual(await wcag(admin), []);
	await admin.getByLabel("Password", { exact: true }).fill("admin");
	await admin.getByRole("button", { name: "Log in" }).click();
	await admin.getByText("The password is incorrect.").waitFor();
	await logIn(admin);
	await admin.getByRole("button", { name: "Log out" }).click();
	await admin.getByText("You have logged out.").waitFor();
	await logIn(admin);
});

// --- what is live ---------------------------------------------------------------------------
test("overview: the internet is there, the tunnels are, traffic is drawn", async () => {
	await go(admin, "overview");
	await admin.locator(".path-node", { hasText: "Online" }).waitFor();
	for (const seen of ["Cable connected", "Has an address", "Replies arrive"])
		await admin.locator(".checks .good", { hasText: seen }).waitFor();
	await admin.locator(".tile", { hasText: "203.0.113.1" }).waitFor();
	for (const name of Object.values(NAMES))
		await admin.locator(".tunnel", { hasText: name }).first().waitFor();
	const first = admin.locator(".tunnel", { has: admin.getByRole("heading", { name: "10.10.0.11" }) });
	assert.equal(await first.count(), 1);
	await first.locator("li", { hasText: "PPTP" }).first().waitFor();
	await first.locator("li", { hasText: "IPsec" }).first().waitFor();
	await admin.waitForFunction(() => live.history[1].some((rate) => rate > 0));
	await admin.locator(".plot canvas").waitFor();
	// the gateway has kept what came before the page was opened
	const fresh = await admin.context().newPage();
	await fresh.goto(ADDRESS);
	await fresh.waitForFunction(() => Number(document.querySelector(".plot")?.dataset.points) > 2);
	const kept = await fresh.evaluate(() => call("GET", "traffic?span=hour"));
	assert.ok(kept.in.some((bytes) => bytes > 0) && kept.every_s === 10, JSON.stringify(kept));
	await fresh.getByLabel("Whose traffic").selectOption("10.10.0.11");
	await fresh.getByLabel("Time", { exact: true }).selectOption("day");
	await fresh.waitForFunction(() => document.querySelector(".plot")?.dataset.points === "0" || document.querySelector(".plot canvas"));
	const device = await fresh.evaluate(() => call("GET", "traffic?span=hour&inside=10.10.0.11"));
	assert.ok(device.out.some((bytes) => bytes > 0), JSON.stringify(device));
	assert.equal((await fresh.evaluate(() => call("GET", "traffic?inside=10.10.0.99").catch((error) => error.status))), 404);
	await fresh.close();
});

// No connection is closed: the page has to notice by itself
test("the page turns grey when the gateway is silent, with the time of the last contact, and back", async () => {
	const internet = admin.locator(".path-node").last();
	labMust("cable_out");
	await admin.locator("html.away").waitFor({ timeout: 30000 });
	await admin.getByText("The gateway does not answer. Trying again…").waitFor();
	assert.match(await internet.textContent(), /No contact since \d+:\d\d:\d\d/);
	assert.equal(await admin.locator("main").evaluate((main) => getComputedStyle(main).filter), "grayscale(1)");
	assert.deepEqual(await wcag(admin), []);
	labMust("cable_in");
	await admin.locator("html:not(.away)").waitFor({ timeout: 30000 });
	await internet.getByText("Online").waitFor();
});

test("in the first second nothing is said that is not known yet", async () => {
	const page = await admin.context().newPage();
	await page.addInitScript(() => { window.EventSource = class { addEventListener() {} close() {} }; });
	await page.goto(ADDRESS);
	await page.getByText("Loading…").waitFor();
	assert.equal(await page.getByText("No device uses a VPN right now").count(), 0);
	assert.deepEqual(await page.locator(".tile dd").evaluateAll((all) => all.map((dd) => dd.firstChild.data)), ["…", "…", "…", "…"]);
	await page.close();
});

test("vpns: every tunnel with its state", async () => {
	await go(admin, "vpns");
	for (const [name, device] of [["PPTP", "10.10.0.11"], ["L2TP", "10.10.0.12"], ["IPsec", "10.10.0.11"]])
		await admin.locator("tbody tr", { hasText: name }).filter({ hasText: device }).filter({ hasText: "Up" }).first().waitFor();
});

// --- switches -----------------------------------------------------------------------------------
const undoOf = (page, name) => page.getByRole("button", { name: `Undo: ${NAMES[name]} passthrough` });

for (const [name, tunnel] of Object.entries(TUNNELS))
	test(`${NAMES[name]} off asks who would be cut off, stops its tunnel at once, and undo continues it`, async () => {
		await go(admin, "firewall");
		const part = admin.locator(`#protocol-${name}`), toggle = part.getByRole("switch"), dialog = admin.getByRole("dialog", { name: `Turn ${NAMES[name]} passthrough off?` });
		await part.locator("li", { hasText: "10.10.0.1" }).first().waitFor();
		await toggle.setChecked(false, { force: true });
		await dialog.getByText(/in use will be interrupted/).waitFor();
		assert.deepEqual(await wcag(admin), []);
		labMust("tunnel_passes", tunnel);
		await dialog.getByRole("button", { name: "Leave it on" }).click();
		await part.getByRole("switch", { checked: true }).waitFor();
		assert.equal(await admin.evaluate((switched) => live.status.passthrough[switched], name), "on");
		await toggle.setChecked(false, { force: true });
		await dialog.getByRole("button", { name: `Turn ${NAMES[name]} off` }).click();
		await part.getByText("Saved: Off.").waitFor();
		labMust("tunnel_blocked", tunnel);
		await part.locator(".pill", { hasText: "Blocked" }).first().waitFor();
		assert.deepEqual(await wcag(admin), []);
		await undoOf(admin, name).click();
		await part.getByText("Undone.").waitFor();
		assert.equal(await toggle.isChecked(), true);
		assert.equal(await admin.evaluate(() => document.activeElement.getAttribute("aria-label")), `${NAMES[name]} passthrough`);
		await part.locator(".pill", { hasText: "Blocked" }).first().waitFor({ state: "detached" });
		labMust("tunnel_passes", tunnel);
	});

test("overview: what is blocked comes first, says why and what to do", async () => {
	labMust("wl", "set", "passthrough.l2tp", "off", "--yes");
	await go(admin, "overview");
	const first = admin.locator(".tunnel").first();
	await first.getByText("The passthrough switch is off.").waitFor();
	await first.getByRole("link", { name: "Open the switch" }).click();
	await admin.getByRole("heading", { name: "VPN passthrough" }).waitFor();
	labMust("wl", "set", "passthrough.l2tp", "on");
	await admin.locator("#protocol-l2tp").getByRole("switch", { checked: true }).waitFor();
});

test("Plain NAT: the third state, under Troubleshooting option, and back", async () => {
	const part = admin.locator("#protocol-l2tp");
	await part.locator("summary").click();
	await part.getByLabel(/Plain NAT/).check();
	await part.getByText("Saved: Plain NAT.").waitFor();
	await admin.waitForFunction(() => live.status?.passthrough.l2tp === "nat-only");
	await admin.reload();
	await part.getByText("Plain NAT").first().waitFor();
	assert.equal(await part.getByLabel(/Plain NAT/).isChecked(), true);
	await part.getByLabel(/Plain NAT/).uncheck();
	await admin.waitForFunction(() => live.status?.passthrough.l2tp === "on");
});

test("two browsers: each sees what the other one does, and what was changed since cannot be undone", async () => {
	const other = await visitor(browser), mine = admin.locator("#protocol-l2tp"), theirs = other.locator("#protocol-l2tp");
	await logIn(other);
	await go(other, "firewall");
	await mine.getByLabel(/Plain NAT/).check();
	await undoOf(admin, "l2tp").waitFor();
	await theirs.getByLabel(/Plain NAT/).and(other.locator(":checked")).waitFor();
	await theirs.getByLabel(/Plain NAT/).uncheck();
	await theirs.getByText("Saved: On.").waitFor();
	await mine.getByLabel(/Plain NAT/).and(admin.locator(":not(:checked)")).waitFor();
	await undoOf(admin, "l2tp").waitFor({ state: "hidden" });
	await other.context().close();
});

test("undo is offered for 30 s, and a switch that is refused goes back", async () => {
	const part = admin.locator("#protocol-l2tp"), plain = part.getByLabel(/Plain NAT/);
	await admin.evaluate(() => { window.realTimeout = window.setTimeout; window.setTimeout = (what, after, ...more) => realTimeout(what, after === 30000 ? 1500 : after, ...more); });
	await plain.check();
	await undoOf(admin, "l2tp").focus();
	await undoOf(admin, "l2tp").waitFor({ state: "hidden" });
	assert.equal(await plain.evaluate((control) => document.activeElement === control), true);
	await admin.evaluate(() => { window.setTimeout = window.realTimeout; });
	await admin.route("**/api/v1/config", (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue()));
	await plain.click(); // uncheck() would look whether it stays so, and it does not
	await part.getByRole("alert").getByText("The gateway does not answer.").waitFor();
	assert.equal(await plain.isChecked(), true);
	await admin.unroute("**/api/v1/config");
	await plain.uncheck();
	await admin.waitForFunction(() => live.status?.passthrough.l2tp === "on");
});

// --- what is not saved yet -----------------------------------------------------------------------
test("unsaved changes: a bar that saves or discards them, and leaving asks", async () => {
	const udp = admin.getByRole("group", { name: "For UDP" }), bar = admin.getByRole("region", { name: "Unsaved changes" }), dialog = admin.getByRole("dialog", { name: "Leave without saving?" });
	const at = (name) => admin.waitForFunction((page) => location.hash === `#/${page}` && document.querySelector(".nav a[aria-current]").dataset.page === page, name);
	await go(admin, "devices");
	await go(admin, "firewall");
	await udp.locator(":checked").waitFor();
	assert.equal(await bar.isVisible(), false);
	await udp.getByLabel(/^Exactly/).check();
	await bar.getByText("Unsaved changes: Filtering").waitFor();
	await admin.setViewportSize({ width: 360, height: 740 });
	assert.deepEqual([await wcag(admin), await scrollsSideways(admin)], [[], false]);
	await admin.setViewportSize({ width: 1280, height: 900 });
	await bar.getByRole("button", { name: "Discard" }).click();
	await bar.waitFor({ state: "hidden" });
	assert.equal(await udp.getByLabel(/^Exactly/).isChecked(), false);
	await udp.getByLabel(/^Exactly/).check();
	await admin.getByRole("link", { name: "Devices" }).click();
	await dialog.getByRole("button", { name: "Stay here" }).click();
	await at("firewall");
	assert.equal(await udp.getByLabel(/^Exactly/).isChecked(), true);
	await admin.goBack();
	await dialog.getByRole("button", { name: "Discard" }).click();
	await at("devices");
	await go(admin, "firewall");
	await udp.getByLabel(/^Exactly/).check();
	await admin.getByRole("link", { name: "Counters" }).click();
	await dialog.getByRole("button", { name: "Save" }).click();
	await at("counters");
	assert.match(labMust("wl", "--json", "show", "config"), /"udp": ?"address-and-port-dependent"/);
});

test("unsaved changes: closing asks, what is incomplete is not left, logging out asks", async () => {
	await go(admin, "firewall");
	await admin.getByLabel("External port").fill("0");
	const asked = admin.waitForEvent("dialog");
	const reload = admin.reload().catch(() => {});
	const question = await asked;
	assert.equal(question.type(), "beforeunload");
	await question.dismiss();
	await reload;
	await admin.getByRole("link", { name: "Help" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Save" }).click();
	await admin.getByText("A port is a number from 1 to 65535.").waitFor();
	await admin.getByRole("button", { name: "Log out" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Stay here" }).click();
	await admin.getByRole("region", { name: "Unsaved changes" }).getByRole("button", { name: "Discard" }).click();
	assert.equal(await admin.getByLabel("External port").inputValue(), "");
	assert.equal(await admin.getByText("A port is a number from 1 to 65535.").isVisible(), false);
});

test("messages lie over nothing", async () => {
	const covers = () => admin.evaluate(() => {
		toast("A message.");
		const shown = [...document.querySelectorAll(".toast")].at(-1).getBoundingClientRect();
		return [...document.querySelectorAll("main, .nav, .side-foot")].some((part) => {
			const box = part.getBoundingClientRect();
			return box.width && box.left < shown.right && box.right > shown.left && box.top < shown.bottom && box.bottom > shown.top;
		});
	});
	await admin.evaluate(() => window.scrollTo(0, 0));
	assert.equal(await covers(), false);
	await admin.setViewportSize({ width: 360, height: 740 });
	assert.equal(await covers(), false);
	await admin.setViewportSize({ width: 1280, height: 900 });
	await admin.locator(".toast", { hasText: "A message." }).first().getByRole("button", { name: "Dismiss" }).click();
});

test("filtering is saved", async () => {
	const udp = admin.getByRole("group", { name: "For UDP" });
	await udp.getByLabel(/^Anybody/).check();
	await admin.getByRole("button", { name: "Save filtering" }).click();
	await toast(admin, "Filtering saved and active.");
	assert.match(labMust("wl", "--json", "show", "config"), /"udp": ?"endpoint-independent"/);
});

// --- forwards, rollback ------------------------------------------------------------------------------
test("port forward: a stranger gets in through it, and not after it is removed", async () => {
	labMust("serve_here");
	const stranger = () => lab("stranger_answered", "8080").status;
	assert.notEqual(stranger(), 0);
	await admin.getByLabel("External port").fill("99999");
	await admin.getByRole("button", { name: "Add forward" }).click();
	await admin.getByText("A port is a number from 1 to 65535.").waitFor();
	await admin.getByLabel("Name").fill("door");
	await admin.getByLabel("External port").fill("8080");
	await admin.getByLabel("Device address").fill("10.10.0.21");
	await admin.getByRole("button", { name: "Add forward" }).click();
	await admin.getByRole("button", { name: "Remove forward door" }).waitFor();
	assert.equal(stranger(), 0);
	await admin.getByRole("button", { name: "Remove forward door" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
	await admin.getByText("No port forwards. Nothing on the internet can reach your devices.").waitFor();
	assert.notEqual(stranger(), 0);
});

test("port forward: refused ones are told at their field, and what was typed outlives the session", async () => {
	const add = () => admin.getByRole("button", { name: "Add forward" }).click();
	await admin.getByLabel("Name").fill("range");
	await admin.getByLabel("External port").fill("9000");
	await admin.getByLabel("to port (for a range)").fill("8000");
	await admin.getByLabel("Device address").fill("10.10.0.300");
	await add();
	await admin.locator(".field", { hasText: "Device address" }).locator(".wrong", { hasText: "300" }).waitFor();
	await admin.getByLabel("Device address").fill("10.10.0.21");
	await add();
	await admin.locator(".field", { hasText: "to port (for a range)" }).locator(".wrong", { hasText: "below the first port" }).waitFor();
	await admin.evaluate(() => fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": session.csrf_token } }));
	await admin.getByText("Your session has ended. Log in again.").waitFor();
	await logInHere(admin);
	await admin.getByRole("heading", { name: "Port forwards" }).waitFor();
	assert.equal(await admin.getByLabel("Name").inputValue(), "range");
	await admin.getByLabel("to port (for a range)").fill("9001");
	await add();
	await admin.getByRole("button", { name: "Remove forward range" }).waitFor();
	labMust("wl", "forward", "remove", "range");
	await admin.getByRole("button", { name: "Remove forward range" }).waitFor({ state: "detached" });
});

const restoreAt = async (page, place) => {
	await page.getByRole("button", { name: /^Restore to before/ }).nth(place).click();
	await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
};

test("history: changes with their difference, refused ones, the WAN and the tunnels, in words", async () => {
	assert.notEqual(lab("wl", "set", "timeouts.udp", "5").status, 0);
	await go(admin, "history");
	const entry = (...texts) => texts.reduce((all, hasText) => all.filter({ hasText }), admin.locator(".entry")).first();
	await entry("Port forwards changed", "Port forward removed: tcp 9000-9001 → 10.10.0.21 (range)", "root on the command line").waitFor();
	await entry("Settings changed", "PPTP passthrough: On → Off", "this page · 10.10.0.21").waitFor();
	await entry("Settings changed", "Refused: not a valid value", "UDP timeout: 300 s → 5 s").waitFor();
	await entry("10.10.0.11: PPTP → ", "Up").waitFor();
	await entry("Failed login").waitFor();
	assert.match(await admin.locator(".entry time").first().textContent(), /^\d+ \w+ \d{4}, \d\d:\d\d:\d\d$/);
	await admin.getByLabel("Show", { exact: true }).selectOption("tunnel");
	await entry("Failed login").waitFor({ state: "detached" });
	await admin.getByLabel("Show", { exact: true }).selectOption("");
	assert.match(labMust("wl", "show", "history"), /root +changed: timeouts\.udp: 300 -> 5 - refused/);
});

test("devices: a typed name is everywhere, and goes again", async () => {
	await go(admin, "devices");
	await admin.getByRole("button", { name: "Rename 10.10.0.11" }).click();
	const dialog = admin.getByRole("dialog", { name: "What is 10.10.0.11 called?" });
	assert.deepEqual(await wcag(admin), []);
	await dialog.getByLabel("Device").fill("Jürgens <b>Laptop</b>");
	await admin.keyboard.press("Enter");
	await admin.locator("tbody tr", { hasText: "Jürgens <b>Laptop</b>" }).filter({ hasText: "10.10.0.11" }).waitFor();
	assert.match(labMust("wl", "show", "vpn"), /10\.10\.0\.11 Jürgens <b>Laptop<\/b>/);
	await go(admin, "overview");
	await admin.getByRole("heading", { name: "Jürgens <b>Laptop</b> (10.10.0.11)" }).waitFor();
	await go(admin, "history");
	await admin.locator(".entry", { hasText: "Device named" }).filter({ hasText: "10.10.0.11" }).first().waitFor();
	assert.notEqual(lab("wl", "name", "10.10.0.11", "a\u202eb").status, 0);
	labMust("wl", "name", "10.10.0.11");
	await go(admin, "devices");
	await admin.getByRole("button", { name: "Rename 10.10.0.11" }).waitFor();
	await go(admin, "history");
});

test("history: dates are the reader's country's, in the page's language", async () => {
	const at = async (locale, kept) => {
		const page = await visitor(browser, { locale });
		await page.goto(ADDRESS);
		const text = await page.evaluate((language) => { languageChoose(language); return `${moment("2026-01-31T15:04:05Z")} ${plotTime(1769871845)}`; }, kept);
		await page.context().close();
		return text;
	};
	assert.match(await at("en-GB", "auto"), /^31 Jan 2026, \d\d:04:05 \d\d:04:05$/);
	assert.match(await at("en-US", "auto"), /^Jan 31, 2026, \d+:04:05\s[AP]M \d+:04:05\s[AP]M$/);
	assert.match(await at("de-DE", "en"), /^31 Jan 2026, \d\d:04:05 \d\d:04:05$/);
	assert.match(await at("de-DE", "auto"), /^31\.01\.2026, \d\d:04:05 \d\d:04:05$/);
});

test("rollback: shows the difference, and is kept by another click or undone", async () => {
	const config = () => labMust("wl", "--json", "show", "config");
	await admin.getByRole("button", { name: /^Restore to before/ }).first().dblclick(); // one question all the same
	const dialog = admin.getByRole("dialog", { name: /^Restore the settings from before/ });
	await dialog.getByText("Port forward added: tcp 9000-9001 → 10.10.0.21 (range)").waitFor();
	assert.deepEqual(await wcag(admin), []);
	await dialog.getByRole("button", { name: "Cancel" }).click();
	assert.doesNotMatch(config(), /"range"/);
	await restoreAt(admin, 0);
	await admin.getByText(/Undone automatically in \d+ s unless you keep it\./).waitFor();
	await admin.getByText("The change: Port forward added: tcp 9000-9001 → 10.10.0.21 (range)").waitFor();
	assert.match(config(), /"range"/);
	await admin.getByRole("button", { name: "Undo now" }).click();
	await toast(admin, "Undone.");
	await admin.getByText(/Undone automatically/).waitFor({ state: "hidden" });
	assert.doesNotMatch(config(), /"range"/);
	await restoreAt(admin, 0);
	await admin.getByRole("button", { name: "Keep it" }).click();
	await toast(admin, "Kept.");
	assert.match(config(), /"range"/);
});

// --- settings ------------------------------------------------------------------------------------------
test("backup: what is downloaded can be restored", async () => {
	await go(admin, "settings");
	const [download] = await Promise.all([admin.waitForEvent("download"), admin.getByRole("link", { name: "Download backup" }).click()]);
	const file = await download.path();
	await admin.getByLabel("Backup to restore").setInputFiles({ name: "no.json", mimeType: "application/json", buffer: Buffer.from("no backup") });
	await admin.getByRole("button", { name: "Restore", exact: true }).click();
	await admin.getByText("This is not a backup file.").waitFor();
	await admin.getByLabel("Backup to restore").setInputFiles({ name: "other.json", mimeType: "application/json", buffer: Buffer.from('{"wayleave_backup": 2, "settings": {}}') });
	await admin.getByRole("button", { name: "Restore", exact: true }).click();
	await admin.getByText("or it comes from an incompatible version").waitFor();
	await admin.getByLabel("Backup to restore").setInputFiles(file);
	await admin.getByRole("button", { name: "Restore", exact: true }).click();
	await admin.getByRole("button", { name: "Keep it" }).click();
	await toast(admin, "Kept.");
});

test("tokens: shown once, and revoked", async () => {
	await admin.getByRole("textbox", { name: "Name" }).fill("<b>monitor</b>");
	await admin.getByRole("button", { name: "Create token" }).click();
	const secret = await admin.getByRole("dialog").locator("code").textContent();
	assert.match(secret, /^wl_/);
	await admin.getByRole("button", { name: "Close" }).click();
	const answer = await admin.request.get(`${ADDRESS}/api/v1/status`, { headers: { Authorization: `Bearer ${secret}` } });
	assert.equal(answer.status(), 200);
	await admin.getByRole("button", { name: "Revoke token <b>monitor</b>" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
	await admin.getByText("No tokens.").waitFor();
	await admin.getByRole("textbox", { name: "Name" }).fill("once");
	await admin.getByRole("region", { name: "Unsaved changes" }).getByRole("button", { name: "Save" }).dblclick();
	await admin.getByRole("button", { name: "Close" }).click();
	await admin.getByRole("button", { name: "Revoke token once" }).click(); // there is one
	await admin.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
	await admin.getByText("No tokens.").waitFor();
});

test("metrics: on and off by their switch, for everybody on the LAN", async () => {
	const card = admin.getByRole("heading", { name: "Metrics" }).locator("xpath=ancestor::section"), metrics = () => admin.request.get(`${ADDRESS}/metrics`);
	assert.equal((await metrics()).status(), 404);
	for (const [on, status] of [[true, 200], [false, 404]]) {
		await card.getByRole("switch", { name: "Prometheus metrics" }).setChecked(on, { force: true });
		await card.getByText(on ? "Saved: On." : "Saved: Off.").waitFor();
		assert.equal((await metrics()).status(), status);
	}
});

test("restart: the machine not without the second yes", async () => {
	await admin.getByRole("button", { name: "Restart machine" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
	await admin.getByRole("dialog", { name: "Really restart?" }).getByRole("button", { name: "Cancel" }).click();
	await admin.getByRole("dialog").waitFor({ state: "detached" });
});

test("restart: services, and the page says what happens", async () => {
	await admin.getByRole("button", { name: "Restart services" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Restart services" }).click();
	await admin.getByText("The gateway has restarted. Log in again.").waitFor({ timeout: 60000 });
	labMust("tunnel_passes", "pptp");
	await logInHere(admin);
});

test("restart: the machine after two, gone and back; tunnels go on", async () => {
	await go(admin, "settings");
	await admin.getByRole("button", { name: "Restart machine" }).click();
	await admin.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
	await admin.getByRole("dialog", { name: "Really restart?" }).getByRole("button", { name: "Restart machine" }).click();
	labMust("machine_ended");
	await admin.getByText("The gateway does not answer. Trying again…").waitFor();
	assert.deepEqual(await wcag(admin), []);
	labMust("machine_begins");
	await admin.getByText("The gateway has restarted. Log in again.").waitFor({ timeout: 60000 });
	await logInHere(admin);
	await admin.getByRole("heading", { name: "Settings" }).waitFor();
});

// --- looks and access --------------------------------------------------------------------------------------
async function looks(page, name) {
	for (const wanted of PAGES) {
		await go(page, wanted);
		await page.waitForFunction(() => !document.querySelector("main h1 + .stack:empty"));
		assert.deepEqual(await wcag(page), [], `${name}: ${wanted}`);
		assert.equal(await scrollsSideways(page), false, `${name}: ${wanted} scrolls sideways`);
	}
}

test("a change that nobody keeps waits, on every page", async () => {
	await go(admin, "history");
	await restoreAt(admin, 0);
	await admin.getByText(/Undone automatically in \d+ s unless you keep it\./).waitFor();
	before = labMust("wl", "--json", "show", "config");
});

test("WCAG 2.2 AA on every page, light", () => looks(admin, "light"));

test("dark by the system's wish and by the switch; WCAG 2.2 AA", async () => {
	await admin.emulateMedia({ colorScheme: "dark" });
	await admin.waitForFunction(() => document.documentElement.dataset.theme === "dark");
	await looks(admin, "dark");
	await admin.getByLabel("Theme").selectOption("light");
	assert.equal(await admin.evaluate(() => document.documentElement.dataset.theme), "light");
	await admin.emulateMedia({ colorScheme: "light" });
	await admin.getByLabel("Theme").selectOption("auto");
});

test("a phone of 360 pixels: the menu opens and closes, nothing scrolls sideways", async () => {
	await admin.setViewportSize({ width: 360, height: 740 });
	await looks(admin, "phone");
	const menu = admin.getByRole("button", { name: "Menu" }), focus = () => admin.evaluate(() => document.activeElement.textContent);
	await menu.click();
	await admin.getByRole("link", { name: "WAN / Firewall" }).click();
	await admin.getByRole("heading", { name: "VPN passthrough" }).waitFor();
	assert.equal(await admin.locator(".nav").isVisible(), false);
	await admin.locator("#protocol-ipsec li").first().waitFor();
	const scrolled = await admin.evaluate(() => { window.scrollTo(0, 500); return window.scrollY; });
	assert.ok(scrolled > 100, `scrolled ${scrolled}`);
	await admin.mouse.click(300, 28); // click() of the button would scroll by itself
	await admin.locator(".nav").evaluate((nav, was) => { const box = nav.getBoundingClientRect(); if (box.top < 0 || box.bottom > innerHeight || scrollY !== was) throw Error(`${box.top} ${box.bottom} ${scrollY}`); }, scrolled);
	assert.equal(await focus(), "WAN / Firewall");
	assert.deepEqual(await wcag(admin), []);
	await admin.keyboard.press("Escape");
	assert.equal(await admin.locator(".nav").isVisible(), false);
	assert.equal(await focus(), "Menu");
	await menu.click();
	await admin.mouse.click(180, 735);
	assert.equal(await admin.locator(".nav").isVisible(), false);
	await admin.setViewportSize({ width: 1280, height: 900 });
});

test("German by the browser's language, light and dark; English by choice", async () => {
	const page = await visitor(browser, { locale: "de-DE" });
	await logIn(page, { password: "Passwort", button: "Anmelden" });
	assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
	await looks(page, "German");
	await page.emulateMedia({ colorScheme: "dark" });
	await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
	await looks(page, "German and dark");
	await page.getByLabel("Sprache").selectOption("en");
	await page.getByRole("heading", { name: "Settings" }).waitFor();
	await page.context().close();
});

test("and has come back by itself, a minute after", async () => {
	await admin.getByText(/Undone automatically/).waitFor({ state: "hidden", timeout: 70000 });
	assert.notEqual(settingsOf(labMust("wl", "--json", "show", "config")), settingsOf(before));
});

test("by keyboard alone: in, to the switches, off and on again", async () => {
	const page = await visitor(browser), key = (name) => page.keyboard.press(name);
	await page.goto(ADDRESS);
	await page.getByRole("heading", { name: "Log in" }).waitFor();
	await page.keyboard.type(PASSWORD);
	await key("Enter");
	await page.getByRole("heading", { name: "Overview" }).waitFor();
	await tabTo(page, (focus) => focus.text === "WAN / Firewall");
	await key("Enter");
	await page.getByRole("switch", { name: "PPTP passthrough", disabled: false }).waitFor();
	await tabTo(page, (focus) => focus.label === "PPTP passthrough");
	await key("Space");
	const dialog = page.getByRole("dialog");
	await dialog.waitFor();
	await key("Escape");
	await page.getByRole("switch", { name: "PPTP passthrough", checked: true }).waitFor();
	await key("Space");
	await dialog.waitFor();
	await tabTo(page, (focus) => focus.text === "Turn PPTP off");
	await key("Enter");
	await page.waitForFunction(() => live.status?.passthrough.pptp === "off");
	await tabTo(page, (focus) => focus.label === "Undo: PPTP passthrough", "Shift+Tab");
	await key("Enter");
	await page.waitForFunction(() => live.status?.passthrough.pptp === "on");
	await page.context().close();
});

async function tabTo(page, wanted, key = "Tab") {
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press(key);
		const focus = await page.evaluate(() => ({ text: document.activeElement.textContent.trim(), label: document.activeElement.getAttribute("aria-label") }));
		if (wanted(focus))
			return;
	}
	assert.fail("never reached by keyboard");
}

test("overview: behind another router, or the provider's NAT", async () => {
	await go(admin, "overview");
	const kinds = await admin.evaluate(() => ["10.0.0.2", "172.31.0.1", "172.32.0.1", "192.168.0.2", "100.64.0.1", "100.128.0.1", "203.0.113.1", undefined].map(wanKind));
	assert.deepEqual(kinds, ["private", "private", "public", "private", "shared", "public", "public", "none"]);
	labMust("wan_shared");
	await admin.getByText("You are behind your provider's NAT.").waitFor();
	labMust("wan_own");
	await admin.getByText("You are behind your provider's NAT.").waitFor({ state: "detached" });
	await go(admin, "history");
	for (const words of ["WAN address: 203.0.113.1 → 100.64.7.1", "WAN address: 100.64.7.1 → 203.0.113.1"])
		await admin.locator(".entry", { hasText: words }).first().waitFor();
});

// streams of events that read until they are destroyed; one that the gateway refuses is none
function streamOpen(cookie) {
	return new Promise((resolve, reject) => https.get(`${ADDRESS}/api/v1/events`, { rejectUnauthorized: false, agent: false, headers: { Cookie: cookie } },
		(response) => resolve(response.on("error", () => {}).resume())).on("error", reject));
}

test("too many pages at once: the last one says so, and its figures move again when there is room", async () => {
	const cookie = (await admin.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
	const streams = await Promise.all(Array.from({ length: 16 }, () => streamOpen(cookie)));
	assert.ok(streams.some((stream) => stream.statusCode === 429), "more than 16 at once");
	const page = await admin.context().newPage(), said = page.getByText(/^This page is open in too many tabs/);
	await page.goto(ADDRESS);
	await said.waitFor();
	streams.forEach((stream) => stream.destroy());
	await said.waitFor({ state: "hidden" });
	await page.waitForFunction(() => live.connected && live.status !== null);
	await page.close();
});

test("who reads is there: a sign of life, so that the session does not end", async () => {
	const told = admin.waitForRequest((request) => request.method() === "GET" && request.url().endsWith("/api/v1/session"));
	await admin.evaluate(() => { presenceTold = 0; });
	await admin.keyboard.press("Shift");
	await told;
});

test("the page has complained about nothing", () => assert.deepEqual(admin.complaints, []));

test("password: changed, and every session has ended", async () => {
	const other = await visitor(browser);
	await logIn(other);
	await go(admin, "settings");
	await admin.getByLabel("Current password").fill(PASSWORD);
	await admin.getByLabel("New password", { exact: true }).fill(`${PASSWORD}, still`);
	await admin.getByLabel("Repeat new password").fill(`${PASSWORD}, still`);
	await admin.getByRole("button", { name: "Change password" }).click();
	await admin.getByText("The password is changed. Log in with the new one.").waitFor();
	await other.getByRole("heading", { name: "Log in" }).waitFor();
	await other.context().close();
});

test("lock-out: after ten wrong passwords the page says how long to wait", async () => {
	const page = await visitor(browser);
	await page.goto(ADDRESS);
	for (let i = 0; i < 12; i++) {
		const answer = page.waitForResponse((response) => response.url().endsWith("/session") && response.request().method() === "POST");
		await page.getByLabel("Password", { exact: true }).fill(`wrong ${i}`);
		await page.getByRole("button", { name: "Log in" }).click();
		if ((await answer).status() === 429)
			break;
	}
	await page.getByText(/Too many attempts\. Try again in .*\./).waitFor();
	await page.context().close();
});
