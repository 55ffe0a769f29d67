// SPDX-License-Identifier: GPL-2.0-or-later
// History: what was changed and by whom, and what became of the internet line and the tunnels.
// Every change that is still kept can be taken back to before it.
"use strict";

const HISTORY_EVERY_MS = 5000;
const HISTORY_AT_ONCE = 100;
const HISTORY_KINDS = ["change", "access", "wan", "tunnel", "gateway"];
const HISTORY_ICONS = { change: "settings", access: "leave", wan: "internet", tunnel: "vpns", gateway: "gateway" };

// --- settings and values in words ------------------------------------------------------------
function settingName(name) {
	const [section, member] = name.split(".");
	const key = member ? `setting.${section}.${member}` : `setting.${section}`;
	return key in CATALOGUES.en ? t(key) : name;
}

function settingValue(name, value) {
	if (value === "")
		return t("value.none");
	const key = name.startsWith("filtering.") ? `filter.${value}` : `switch.${value}`;
	if (key in CATALOGUES.en)
		return t(key);
	return name.startsWith("timeouts.") ? `${value}\u00a0${t("time.s")}` : value;
}

// One of the differences that the gateway lists, {name, before, after}, as a line
function changeWords({ name, before, after }) {
	if (name === "port_forwards" && before === "")
		return t("history.forward.added", { what: after.replace("->", "→") });
	if (name === "port_forwards" && after === "")
		return t("history.forward.removed", { what: before.replace("->", "→") });
	return `${settingName(name)}: ${settingValue(name, before)} → ${settingValue(name, after)}`;
}

// --- entries in words --------------------------------------------------------------------------
function whoWords({ who, source, source_name: device }) {
	if (!who)
		return "";
	const uid = who.match(/^uid (\d+)$/), token = who.match(/^token (.*)$/);
	const name = uid ? t(uid[1] === "0" ? "who.root" : "who.user", { n: uid[1] })
		: token ? t("who.token", { name: token[1] }) : `who.${who}` in CATALOGUES.en ? t(`who.${who}`) : who;
	return [name, device || source].filter(Boolean).join(" · ");
}

function wanWords(entry) {
	if (entry.action === "carrier")
		return t(`saw.carrier.${entry.up ? "up" : "down"}`, entry);
	return t(`saw.${entry.action}`, { before: entry.before || t("value.none"), after: entry.after || t("value.none") });
}

// The heading of an entry
function entryTitle(entry) {
	if (entry.kind === "wan")
		return wanWords(entry);
	if (entry.kind === "tunnel")
		return `${deviceLabel(entry)}: ${t(`kind.${entry.protocol}`)} → ${entry.server}`;
	if (entry.kind === "gateway")
		return t(`saw.gateway.${entry.action}`);
	if (entry.action === "rollback" && entry.changes && !entry.generation)
		return t("did.rollback.waiting");
	const key = entry.result === "wrong" ? `did.${entry.action}.wrong` : `did.${entry.action}`;
	return key in CATALOGUES.en ? t(key, { what: entry.what || "" }) : entry.action;
}

// What stands below it: lines
function entryLines(entry) {
	if (entry.kind === "tunnel")
		return entry.why ? [said(entry.why)] : [];
	if (entry.kind === "gateway")
		return entry.action === "start" ? [t("saw.gateway.address", { interface: entry.interface, address: entry.address || t("value.none") })] : [];
	if (entry.changes)
		return entry.changes.map(changeWords);
	return entry.what && entry.kind === "change" ? entry.what.split(", ").map(wantedWords) : [];
}

// "timeouts.udp: 300 -> 5" of a change that was refused
function wantedWords(words) {
	const parts = words.match(/^([\w.]+): (.*) -> (.*)$/);
	return parts ? changeWords({ name: parts[1], before: parts[2], after: parts[3] }) : words;
}

function entryPill(entry) {
	if (entry.kind === "tunnel")
		return statePill(entry.action);
	if (entry.kind === "wan" && entry.action === "carrier")
		return pill(entry.up ? "good" : "bad", t(entry.up ? "saw.up" : "saw.down"));
	if (!entry.result || entry.result === "ok")
		return null;
	const key = `result.${entry.result}`;
	return pill("bad", key in CATALOGUES.en ? t(key) : entry.result);
}

// --- the list -----------------------------------------------------------------------------------
// A generation that is still kept, with the steps back to it: of two entries with one number
// (a change that was undone, and the one after it) the newer has it.
function entryKeys(items, generations) {
	const kept = new Map(generations.map((generation) => [generation.number, generation.steps]));
	return items.map((entry, i) => {
		const steps = kept.get(entry.generation);
		kept.delete(entry.generation);
		return { ...entry, steps, key: JSON.stringify(entry) + items.slice(0, i).filter((other) => other.at === entry.at).length };
	});
}

function entryRow() {
	const time = h("time.number"), title = h("strong"), state = h("span"), lines = h("ul.plain-list"), who = h("span.small.soft");
	const back = h("button.tight", { type: "button" }, t("history.rollback"));
	let shown = null;
	back.addEventListener("click", () => restoreAsk(shown));
	const drawing = h("span.entry-icon");
	return {
		element: h("li.entry", {}, drawing, h("div.entry-words", {}, h("div.row", {}, title, state), lines, h("div.small.soft", {}, time, " ", who)), mayChange() && back),
		update(entry) {
			back.hidden = !entry.steps;
			back.setAttribute("aria-label", t("history.rollback.which", { when: moment(entry.at) }));
			if (shown?.key === entry.key) {
				shown = entry;
				return;
			}
			shown = entry;
			fill(drawing, icon(HISTORY_ICONS[entry.kind] || "settings"));
			setText(time, moment(entry.at));
			time.setAttribute("datetime", entry.at);
			setText(title, entryTitle(entry));
			fill(state, entryPill(entry));
			fill(lines, entryLines(entry).map((line) => h("li", {}, line)), entry.left_out && h("li.soft", {}, tn("history.left", entry.left_out)));
			setText(who, entry.who ? `· ${whoWords(entry)}` : "");
		},
	};
}

let restoring = false; // a question is open, or about to be

// Shows what would change before it does
async function restoreAsk(entry) {
	if (restoring)
		return;
	restoring = true;
	try {
		const steps = await restoreSteps(entry);
		if (!steps) {
			toast(t("history.gone"));
			return;
		}
		const rehearsal = await call("POST", "rollback", { steps, dry_run: true });
		const changes = rehearsal.changes || [];
		if (!changes.length) {
			toast(t("history.same"));
			return;
		}
		const cuts = (rehearsal.cuts || []).map((tunnel) => h("li", {}, `${deviceLabel(tunnel)}: ${t(`kind.${tunnel.kind}`)} → ${tunnel.server}`));
		const warnings = [rehearsal.you, ...(rehearsal.notes || [])].filter(Boolean);
		if (await ask(t("history.rollback.title", { when: moment(entry.at) }), [h("p", {}, t("history.rollback.what")),
			h("ul", {}, changes.map((change) => h("li", {}, changeWords(change)))), cuts.length > 0 && note("warn", tn("passthrough.cuts", cuts.length), h("ul", {}, cuts)), warnings.map((words) => note("warn", saidInEnglish(words))), h("p.soft", {}, t("history.intro"))],
		[{ value: "", label: t("dialog.cancel") }, { value: "yes", label: t("history.rollback"), kind: "first" }]) === "yes")
			await rollback(await restoreSteps(entry));
	} catch (error) {
		toast(refusal(error));
	} finally {
		restoring = false;
	}
}

// Others may have changed something since: the number stays, the steps do not. 0: it is gone.
async function restoreSteps(entry) {
	const { generations } = await call("GET", "config");
	return generations.find((generation) => generation.number === entry.generation)?.steps || 0;
}

// It comes back by itself unless it is kept
async function rollback(steps) {
	if (!steps) {
		toast(t("history.gone"));
		return;
	}
	changed(await call("POST", "rollback", { steps, confirm: true }));
	toast(t("history.done"));
	window.scrollTo(0, 0);
}

async function historyLoad(wanted) {
	const items = [];
	let cursor = 0;
	do {
		const page = await call("GET", `history?limit=${HISTORY_AT_ONCE}${cursor ? `&cursor=${cursor}` : ""}`, undefined, BACKGROUND);
		items.push(...page.items);
		cursor = page.cursor;
	} while (cursor && items.length < wanted);
	return { items, more: cursor > 0 };
}

pages.history = {
	title: () => t("nav.history"),
	intro: () => t("history.page"),
	open(place) {
		const list = h("ul.entries"), empty = h("div.empty", { hidden: true }, h("p", {}, t("history.none")));
		const filter = field(t("history.filter"), select([["", t("history.all")], ...HISTORY_KINDS.map((kind) => [kind, t(`history.kind.${kind}`)])], ""));
		const more = h("button", { type: "button", hidden: true }, t("history.more"));
		const follow = keyedList(list, (entry) => entry.key, entryRow);
		let wanted = HISTORY_AT_ONCE, all = [], rest = false;
		const show = () => {
			const items = all.filter((entry) => !filter.control.value || entry.kind === filter.control.value);
			follow(items);
			empty.hidden = items.length > 0;
			more.hidden = !rest;
		};
		const load = async () => {
			const [history, config] = await Promise.all([historyLoad(wanted), call("GET", "config", undefined, BACKGROUND)]);
			all = entryKeys(history.items, config.generations);
			rest = history.more;
			show();
		};
		filter.control.addEventListener("change", show);
		more.addEventListener("click", () => {
			wanted += HISTORY_AT_ONCE;
			load().catch((error) => toast(refusal(error)));
		});
		fill(place, h("section.card.stack", {}, h("div.filter", {}, filter.element), list, empty, more));
		const end = loadEvery(HISTORY_EVERY_MS, load);
		const unlisten = liveListen((what) => what === "config" && load().catch(() => {}));
		return () => { end(); unlisten(); };
	},
};
