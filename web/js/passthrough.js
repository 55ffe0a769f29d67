// SPDX-License-Identifier: GPL-2.0-or-later
// VPN passthrough: three switches and one button. Next to each stands what it does,
// what it would break, and who is using it right now.
"use strict";

const PROTOCOLS = ["pptp", "l2tp", "ipsec"];

function passthroughCard() {
	const parts = PROTOCOLS.map(protocolPart);
	const warning = h("div.note.warn", { hidden: true, role: "status" });
	const form = saveForm([h("div", {}, parts.map((part) => part.element)), warning], t("passthrough.save"), () => passthroughSave(parts), t("passthrough.hint"));
	const look = () => {
		parts.forEach((part) => part.look());
		passthroughWarn(warning, parts);
	};
	form.element.addEventListener("change", look);
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("passthrough.title")), h("p", {}, t("passthrough.is")), h("p.soft", {}, t("passthrough.isnot"),
			" ", h("a", { href: "#/help/passthrough" }, t("help.more")))), form.element),
		take(config) {
			parts.forEach((part) => part.take(config.settings.passthrough[part.name]));
			look();
		},
		live(what) {
			if (what === "vpn")
				look();
		},
	};
}

async function passthroughSave(parts) {
	// what stands as it was may have been switched elsewhere meanwhile
	const mine = parts.filter((part) => part.get() !== part.saved());
	const wanted = mine.map((part) => [`passthrough.${part.name}`, part.get()]);
	if (!wanted.length) {
		toast(t("passthrough.same"));
		return;
	}
	await configSave(Object.fromEntries(wanted), t("passthrough.saved"));
	mine.forEach((part) => part.set(part.get()));
}

// Whom a switch that is about to go off would cut off: said before it is saved
function passthroughWarn(warning, parts) {
	const cut = parts.filter((part) => part.get() === "off" && part.saved() !== "off");
	const lines = cut.flatMap((part) => tunnelsInUse(part.name).map((tunnel) => `${deviceLabel(tunnel)}: ${t(`kind.${tunnel.kind}`)} → ${tunnel.server}`));
	const text = [lines.length ? tn("passthrough.cuts", lines.length) : "", ...lines].join("|");
	if (warning.dataset.text === text)
		return;
	warning.dataset.text = text;
	warning.hidden = !lines.length;
	fill(warning, h("strong", {}, tn("passthrough.cuts", lines.length)), h("ul", {}, lines.map((line) => h("li", {}, line))), t("passthrough.cuts.after"));
}

function protocolPart(name) {
	const title = t(`kind.${name}`);
	const toggle = switchControl(t("passthrough.switch", { name: title }), true, { name, disabled: true });
	const plain = h("input", { type: "checkbox", name: `${name}-nat-only`, disabled: !mayChange() });
	const more = h("details", {}, h("summary", {}, t("passthrough.more"), h("span.unseen", {}, ` (${title})`)),
		h("label.choice", {}, plain, h("span", {}, t("passthrough.natonly"), h("span.soft", {}, t(`passthrough.${name}.natonly`)))));
	const now = protocolNow(name);
	let saved = null; // until the settings have come
	const get = () => (!toggle.input.checked ? "off" : plain.checked ? "nat-only" : "on");
	const look = () => {
		plain.disabled = !mayChange() || !toggle.input.checked;
		setText(toggle.word, t(`switch.${get()}`));
		now.update();
	};
	return {
		name, get, look, saved: () => saved,
		// what was switched here and not saved yet stays
		take(value) {
			if (saved === null || get() === saved)
				this.set(value);
			saved = value;
		},
		set(value) {
			saved = value;
			toggle.input.disabled = !mayChange();
			toggle.input.checked = value !== "off";
			plain.checked = value === "nat-only";
			more.open = more.open || value === "nat-only";
			look();
		},
		element: h("div.protocol", { id: `protocol-${name}`, role: "group", "aria-label": title },
			h("div.protocol-head", {}, h("h3", {}, title), toggle.element),
			protocolWords(name), now.element, more),
	};
}

function protocolWords(name) {
	return [
		h("div", {}, h("h4", {}, t("passthrough.does")), h("p", {}, t(`passthrough.${name}.does`))),
		h("div", {}, h("h4", {}, t("passthrough.breaks")), h("p", {}, t(`passthrough.${name}.breaks`)),
			h("p.soft.small", {}, t(`passthrough.${name}.know`), " ", h("a", { href: `#/help/${name}` }, t("help.more.about", { name: t(`kind.${name}`) })))),
	];
}

function protocolNow(name) {
	const list = h("ul"), empty = h("p.soft.small", {}, t("passthrough.nobody"));
	const follow = keyedList(list, tunnelKey, () => {
		const who = h("strong"), state = h("span"), line = h("span.small.soft");
		return {
			element: h("li", {}, h("div.row", {}, who, state), line),
			update(tunnel) {
				setText(who, tunnel.device_name || tunnel.device);
				if (state.textContent !== t(`state.${tunnel.state}`))
					fill(state, statePill(tunnel.state));
				setText(line, [tunnel.device_name && tunnel.device, `${t(`kind.${tunnel.kind}`)} → ${tunnel.server}`, duration(tunnel.age_s)].filter(Boolean).join(" · "));
			},
		};
	});
	return {
		element: h("div.protocol-now", {}, h("h4", {}, t("passthrough.now")), list, empty),
		update() {
			const tunnels = tunnelsOf(name);
			empty.hidden = !!tunnels.length;
			follow(tunnels.slice(0, 20));
		},
	};
}
