// SPDX-License-Identifier: GPL-2.0-or-later
// VPN passthrough: three switches, saved as soon as they are switched. Next to each stands what it does,
// what it would break, and who is using it right now.
"use strict";

const PROTOCOLS = ["pptp", "l2tp", "ipsec"];

function passthroughCard() {
	const parts = PROTOCOLS.map(protocolPart);
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("passthrough.title")), h("p", {}, t("passthrough.is")), h("p.soft", {}, t("passthrough.isnot"),
			" ", h("a", { href: "#/help/passthrough" }, t("help.more")))), h("div", {}, parts.map((part) => part.element)),
			h("p.soft.small", {}, t(mayChange() ? "passthrough.hint" : "role.readonly.hint"))),
		take: (config) => parts.forEach((part) => part.take(config.settings.passthrough[part.name])),
		live(what) {
			if (what === "vpn")
				parts.forEach((part) => part.look());
		},
	};
}

// Whom it would cut off is asked about before a switch goes off; true: go on
async function passthroughAsk(name, from, to) {
	const cut = to === "off" && from !== "off" ? tunnelsInUse(name) : [];
	if (!cut.length)
		return true;
	const lines = cut.map((tunnel) => h("li", {}, `${deviceLabel(tunnel)}: ${t(`kind.${tunnel.kind}`)} → ${tunnel.server}`));
	const off = t("passthrough.off", { name: t(`kind.${name}`) });
	return await ask(t("passthrough.off.title", { name: t(`kind.${name}`) }), [h("p", {}, h("strong", {}, tn("passthrough.cuts", cut.length))), h("ul", {}, lines), h("p", {}, t("passthrough.cuts.after"))],
		[{ value: "", label: t("passthrough.leave") }, { value: "yes", label: off, kind: "danger" }]) === "yes";
}

function protocolPart(name) {
	const title = t(`kind.${name}`), label = t("passthrough.switch", { name: title });
	const toggle = switchControl(label, true, { name, disabled: true });
	const plain = h("input", { type: "checkbox", name: `${name}-nat-only`, disabled: true });
	const more = h("details", {}, h("summary", {}, t("passthrough.more"), h("span.unseen", {}, ` (${title})`)),
		h("label.choice", {}, plain, h("span", {}, t("passthrough.natonly"), h("span.soft", {}, t(`passthrough.${name}.natonly`)))));
	const now = protocolNow(name);
	const get = () => (!toggle.input.checked ? "off" : plain.checked ? "nat-only" : "on");
	const look = () => {
		plain.disabled = !mayChange() || !toggle.input.checked;
		setText(toggle.word, t(`switch.${get()}`));
		now.update();
	};
	const saver = saveAtOnce({
		name: `passthrough.${name}`, about: label, get,
		set(value) {
			toggle.input.checked = value !== "off";
			plain.checked = value === "nat-only" || (value === "off" && plain.checked);
			more.open = more.open || value === "nat-only";
			look();
		},
		word: (value) => t("atonce.saved", { value: t(`switch.${value}`) }),
		before: (from, to) => passthroughAsk(name, from, to),
	});
	for (const control of [toggle.input, plain])
		control.addEventListener("change", (event) => {
			look();
			saver.changed(event);
		});
	return {
		name, look,
		take(value) {
			toggle.input.disabled = !mayChange();
			saver.take(value);
		},
		element: h("div.protocol", { id: `protocol-${name}`, role: "group", "aria-label": title },
			h("div.protocol-head", {}, h("h3", {}, title), h("div.protocol-switch", {}, saver.element, toggle.element)),
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
