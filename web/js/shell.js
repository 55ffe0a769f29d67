// SPDX-License-Identifier: GPL-2.0-or-later
// The frame around every page: navigation, banners, and which page is shown. A page
// is {title, intro, crumbs, open(main, rest) -> function that ends it or nothing}.
"use strict";

const pages = {};

const NAVIGATION = [
	{ page: "overview", icon: "overview" },
	{ page: "vpns", icon: "vpns" },
	{ group: "nav.advanced", icon: "advanced", inner: { group: "nav.security", page: "firewall" } },
	{ page: "devices", icon: "devices" },
	{ page: "history", icon: "history", admin: true },
	{ page: "counters", icon: "counters" },
	{ page: "network", icon: "internet" },
	{ page: "help", icon: "help" },
	{ page: "settings", icon: "settings" },
];

const shell = { main: null, close: null, stopBanner: null, hash: "", place: 0, outside: null };

function shellOpen() {
	const main = h("main", { id: "main" });
	shell.main = main;
	const side = sideMake();
	const banners = h("div.bars", {}, topbarMake(side), h("div.phone-toasts", {}, toastPlace()));
	fill(document.getElementById("app"), skipLink(), h("div.frame", {}, side, h("div.body", {}, banners, main, unsavedBar())));
	shell.stopBanner = bannerFollow(banners);
	pageShow(false);
}

function shellClose() {
	for (const end of ["close", "stopBanner"]) {
		if (shell[end])
			shell[end]();
		shell[end] = null;
	}
	document.documentElement.classList.remove("away");
	document.removeEventListener("pointerdown", shell.outside);
	shell.main = null;
	drafts.clear();
}

// Not a link: the address after # is the page's name
function skipLink() {
	return h("button.skip.first", { type: "button", onclick: () => shell.main.querySelector("h1").focus() }, t("nav.skip"));
}

function topbarMake(side) {
	const menu = h("button.plain", { type: "button", "aria-expanded": "false", "aria-controls": side.id }, icon("menu"), t("nav.menu"));
	const open = (shown) => {
		side.classList.toggle("open", shown);
		menu.setAttribute("aria-expanded", String(shown));
	};
	// over the page, wherever it is scrolled to; it stands before the button, so it gets the focus
	menu.addEventListener("click", () => {
		open(!side.classList.contains("open"));
		if (side.classList.contains("open"))
			(side.querySelector("a[aria-current]") || side.querySelector(".nav a")).focus();
	});
	side.addEventListener("click", (event) => event.target.closest("a") && open(false));
	side.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || !side.classList.contains("open"))
			return;
		open(false);
		menu.focus();
	});
	side.addEventListener("focusout", (event) => {
		if (event.relatedTarget && event.relatedTarget !== menu && !side.contains(event.relatedTarget))
			open(false);
	});
	shell.outside = (event) => !side.contains(event.target) && !menu.contains(event.target) && open(false);
	document.addEventListener("pointerdown", shell.outside);
	menu.firstChild.setAttribute("width", "22");
	return h("header.topbar", {}, h("a.brand", { href: "#/overview" }, mark(), "Wayleave"), menu);
}

function sideMake() {
	return h("div.side", { id: "side" },
		h("a.brand", { href: "#/overview" }, mark(), "Wayleave"),
		h("nav.nav", { "aria-label": t("nav.label") }, h("ul", {}, NAVIGATION.filter((item) => !item.admin || mayChange()).map(navItem))),
		toastPlace(),
		h("div.side-foot", {},
			h("span", {}, session.name),
			h("span", {}, t(`role.${session.role}`)),
			h("button.plain.tight", { type: "button", onclick: logOut }, t("nav.logout"))));
}

function navLink(page, drawing) {
	return h("a", { href: `#/${page}`, "data-page": page }, drawing && icon(drawing), pages[page].nav ? pages[page].nav() : pages[page].title());
}

function navItem(item) {
	if (item.page)
		return h("li", {}, navLink(item.page, item.icon));
	return h("li", {}, h("div.group", {}, t(item.group), " › ", t(item.inner.group)), navLink(item.inner.page, item.icon));
}

// --- which page ----------------------------------------------------------------------
function pageAsked() {
	const [, name, ...rest] = location.hash.split("/");
	return pages[name] && (name !== "history" || mayChange()) ? [name, rest.join("/")] : ["overview", ""];
}

function pageShow(focus) {
	if (!shell.main)
		return;
	if (shell.close)
		shell.close();
	drafts.clear();
	unsavedLook();
	placeNote();
	const [name, rest] = pageAsked(), page = pages[name];
	for (const link of document.querySelectorAll(".nav a")) {
		if (link.dataset.page === name)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	}
	document.title = `${page.title()} – Wayleave`;
	const head = h("h1", { tabindex: "-1" }, page.title());
	const body = h("div.stack");
	fill(shell.main, h("div.page-head", {}, page.crumbs && h("div.crumbs", {}, page.crumbs()), head, page.intro && h("p", {}, page.intro())), body);
	if (focus) {
		window.scrollTo(0, 0);
		head.focus({ preventScroll: true });
	}
	shell.close = page.open(body, rest) || null;
}

// --- banners: a change that waits to be kept, and a gateway that does not answer --------
function bannerFollow(place) {
	const waiting = h("div.banner", { role: "alert", hidden: true });
	const words = h("p", {}, t("confirm.question"));
	const change = h("div.small"), left = h("div.number", { "aria-hidden": "true" });
	waiting.append(h("div", {}, words, change, left), mayChange() && h("div.row", {},
		h("button.first", { type: "button", onclick: () => confirmDo("confirm", t("confirm.kept")) }, t("confirm.keep")),
		h("button", { type: "button", onclick: () => confirmDo("rollback", t("confirm.undone"), { steps: 1 }) }, t("confirm.undo"))));
	const awayWords = h("p");
	const away = h("div.banner.bad", { role: "alert", hidden: true }, awayWords);
	place.append(away, waiting);
	const clock = { deadline: 0, told: false };
	const tick = () => bannerTick(waiting, left, clock);
	const timer = setInterval(tick, 500);
	const unlisten = liveListen((what) => {
		if (what === "connected") {
			setText(awayWords, live.crowded ? t("error.crowded") : [t("error.away"), noContact()].join(" "));
			away.hidden = live.connected;
			document.documentElement.classList.toggle("away", !live.connected);
		}
		if (what === "status" || what === "confirm") {
			clock.deadline = Date.now() + ((live.status && live.status.confirm_within_s) || 0) * 1000;
			tick();
		}
		if (!waiting.hidden && (what === "config" || !clock.told)) {
			clock.told = true;
			bannerTell(change);
		}
		clock.told = clock.told && !waiting.hidden;
	});
	return () => { clearInterval(timer); unlisten(); };
}

// What the page shows is of then
function noContact() {
	return live.heardAt ? t("error.nocontact", { when: timeOfDay(live.heardAt) }) : "";
}

// What the change is that waits: what would come back
async function bannerTell(place) {
	try {
		const { waiting } = await call("GET", "config", undefined, BACKGROUND);
		setText(place, waiting && waiting.length ? t("confirm.what", { what: waiting.map(changeWords).join("; ") }) : "");
	} catch { /* the question stands without it */ }
}

function bannerTick(waiting, left, clock) {
	const seconds = Math.ceil((clock.deadline - Date.now()) / 1000);
	waiting.hidden = seconds <= 0;
	setText(left, t("confirm.left", { n: Math.max(0, seconds) }));
}

// After a change: what waits for confirmation now
function changed(result) {
	for (const sentence of [...((result && result.notes) || []), ...((result && result.warnings) || [])])
		toast(saidInEnglish(sentence));
	if (live.status && result) {
		live.status.confirm_within_s = result.confirm_within_s;
		liveTell("confirm");
	}
	live.changes++;
	liveTell("config");
}

async function confirmDo(path, said, body) {
	try {
		changed(await call("POST", path, body || {}));
		toast(said);
	} catch (error) {
		toast(refusal(error));
	}
}
