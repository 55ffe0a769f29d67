// SPDX-License-Identifier: GPL-2.0-or-later
// Port forwards: what from outside reaches which device.
"use strict";

const FORWARD_PROTOCOLS = [["tcp", "TCP"], ["udp", "UDP"], ["esp", "ESP (50)"], ["gre", "GRE (47)"], ["l2tp", "L2TPv3 (115)"],
	["4", "IPIP (4)"], ["41", "6in4 (41)"], ["51", "AH (51)"], ["97", "EtherIP (97)"]];
const hasPorts = (protocol) => protocol === "tcp" || protocol === "udp";

function portRange(first, last) {
	return last && last !== first ? `${first}–${last}` : String(first);
}

function forwardColumns(remove) {
	return [
		{ label: t("forwards.name"), cell: (f) => f.name || "–" },
		{ label: t("forwards.protocol"), cell: (f) => FORWARD_PROTOCOLS.find(([value]) => value === f.protocol)?.[1] || f.protocol },
		{ label: t("forwards.port"), cell: (f) => (hasPorts(f.protocol) ? portRange(f.port, f.port_last) : "–") },
		{ label: t("forwards.to"), cell: (f) => f.to },
		{ label: t("forwards.toport"), cell: (f) => (hasPorts(f.protocol) ? portRange(f.to_port || f.port, (f.to_port || f.port) + ((f.port_last || f.port) - f.port)) : "–") },
		{ label: "", right: true, cell: (f) => mayChange() && h("button.danger.tight", { type: "button", "aria-label": t("forwards.remove.which", { name: forwardTitle(f) }), onclick: () => remove(f) }, t("forwards.remove")) },
	];
}

function forwardTitle(forward) {
	return forward.name || `${forward.protocol} ${forward.port ? portRange(forward.port, forward.port_last) : ""}`.trim();
}

// Where it stands now, from 1: others may have removed some before it; 0: it is gone.
async function forwardPlace(forward) {
	const { settings } = await call("GET", "config");
	const same = (one) => JSON.stringify({ ...one, position: forward.position }) === JSON.stringify(forward);
	return (settings.port_forwards || []).findIndex(same) + 1;
}

async function forwardRemove(forward) {
	const title = forwardTitle(forward);
	if (await ask(t("forwards.remove.title", { name: title }), h("p", {}, t("forwards.remove.what")),
		[{ value: "", label: t("dialog.cancel") }, { value: "yes", label: t("forwards.remove"), kind: "danger" }]) !== "yes")
		return;
	try {
		const place = await forwardPlace(forward);
		if (place)
			changed(await call("DELETE", `forwards/${place}`));
		toast(t(place ? "forwards.removed" : "forwards.gone", { name: title }));
	} catch (error) {
		toast(refusal(error));
	}
}

function forwardsCard() {
	const table = liveTable(t("forwards.title"), forwardColumns(forwardRemove), (f) => `${f.position} ${JSON.stringify(f)}`, t("forwards.none"));
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("forwards.title")), h("p.soft", {}, t("forwards.intro"))),
			table.element, mayChange() && forwardForm()),
		take(config) {
			table.update((config.settings.port_forwards || []).map((forward, i) => ({ ...forward, position: i + 1 })));
		},
	};
}

// --- adding one ----------------------------------------------------------------------------
function portInput(attributes) {
	return h("input", { type: "text", inputmode: "numeric", autocomplete: "off", maxlength: "5", ...attributes });
}

function forwardFields() {
	const devices = h("datalist", { id: "device-addresses" });
	callList("devices").then((items) => fill(devices, items.map((d) => h("option", { value: d.address }, d.name || "")))).catch(() => {});
	const fields = {
		name: field(t("forwards.name"), h("input", { type: "text", maxlength: "32", autocomplete: "off" }), t("forwards.name.hint")),
		protocol: field(t("forwards.protocol"), select([...FORWARD_PROTOCOLS, ["other", t("forwards.other")]], "tcp")),
		number: field(t("forwards.number"), portInput({ maxlength: "3" }), t("forwards.number.hint")),
		port: field(t("forwards.port"), portInput({})),
		port_last: field(t("forwards.portlast"), portInput({}), t("forwards.optional")),
		to: field(t("forwards.to"), h("input", { type: "text", list: devices.id, inputmode: "decimal", autocomplete: "off", maxlength: "15" })),
		to_port: field(t("forwards.toport"), portInput({}), t("forwards.toport.hint")),
	};
	const look = () => {
		for (const name of ["port", "port_last", "to_port"])
			fields[name].element.hidden = !hasPorts(fields.protocol.control.value);
		fields.number.element.hidden = fields.protocol.control.value !== "other";
	};
	fields.protocol.control.addEventListener("change", look);
	look();
	return [fields, devices, look];
}

// What was typed and not added yet is still there when the page, or the session, is back
const forwardDraft = {};

function draftKeep(fields) {
	for (const [name, { control }] of Object.entries(fields)) {
		control.value = forwardDraft[name] ?? control.value;
		control.addEventListener("input", () => { forwardDraft[name] = control.value; });
	}
}

function draftEnd(fields) {
	for (const name of ["name", "number", "port", "port_last", "to", "to_port"]) {
		fields[name].control.value = "";
		fields[name].fail("");
	}
	for (const name of Object.keys(forwardDraft))
		delete forwardDraft[name];
}

// A name, or the number of a protocol that has none; ICMP is not forwarded
function protocolRead(fields) {
	const chosen = fields.protocol.control.value, number = fields.number.control.value.trim();
	const wrong = chosen === "other" && !(/^[1-9]\d*$/.test(number) && Number(number) > 1 && Number(number) < 255);
	fields.number.fail(wrong ? t("forwards.number.wrong") : "");
	return chosen === "other" ? number : chosen;
}

// What was typed, as the settings file has it; null when a field is wrong
function forwardRead(fields) {
	const forward = { protocol: protocolRead(fields), to: fields.to.control.value.trim() };
	const ports = hasPorts(forward.protocol);
	fields.to.fail(/^\d+\.\d+\.\d+\.\d+$/.test(forward.to) ? "" : t("forwards.to.wrong"));
	if (fields.name.control.value.trim())
		forward.name = fields.name.control.value.trim();
	fields.name.fail("");
	for (const name of ["port", "port_last", "to_port"]) {
		const text = fields[name].control.value.trim(), needed = name === "port";
		const wrong = ports && (text || needed) && !(/^[1-9]\d*$/.test(text) && Number(text) < 65536);
		fields[name].fail(wrong ? t("forwards.port.wrong") : "");
		if (ports && text)
			forward[name] = Number(text);
	}
	const first = Object.values(fields).find((f) => f.control.getAttribute("aria-invalid"));
	if (first)
		first.control.focus();
	return first ? null : forward;
}

function forwardForm() {
	const [fields, devices, look] = forwardFields();
	const form = saveForm({
		title: t("forwards.add.title"), button: t("forwards.add"), hint: t("forwards.hint"), fields,
		content: [h("h3", {}, t("forwards.add.title")), h("div.fields", {}, Object.values(fields).map((f) => f.element)), devices],
		async send() {
			const forward = forwardRead(fields);
			if (!forward)
				return false;
			changed(await call("POST", "forwards", { forward }));
			toast(t("forwards.added", { name: forwardTitle(forward) }));
			draftEnd(fields);
			return true;
		},
		discard() {
			fields.protocol.control.value = "tcp";
			draftEnd(fields);
			look();
		},
	});
	draftKeep(fields);
	look();
	return form.element;
}
