// SPDX-License-Identifier: GPL-2.0-or-later
// Who else may: tokens for scripts, and metrics.
"use strict";

// --- tokens -----------------------------------------------------------------------------
function tokenColumns(revoke) {
	return [
		{ label: t("tokens.name"), cell: (token) => h("strong", {}, token.name) },
		{ label: t("tokens.role"), cell: (token) => t(`role.${token.role}`) },
		{ label: t("tokens.made"), cell: (token) => (token.created_at ? moment(token.created_at) : "–") },
		{ label: "", right: true, cell: (token) => h("button.danger.tight", { type: "button", "aria-label": t("tokens.revoke.which", { name: token.name }), onclick: () => revoke(token) }, t("tokens.revoke")) },
	];
}

function tokensCard() {
	const table = liveTable(t("tokens.title"), tokenColumns(revoke), (token) => token.id, t("tokens.none"));
	const load = async () => table.update(await callList("tokens"));
	async function revoke(token) {
		if (await askTwoWays(t("tokens.revoke.title", { name: token.name }), t("tokens.revoke.what"), t("tokens.revoke")) !== "yes")
			return;
		await call("DELETE", `tokens/${encodeURIComponent(token.id)}`).catch((error) => toast(refusal(error)));
		load();
	}
	const name = field(t("tokens.name"), h("input", { type: "text", maxlength: "64", autocomplete: "off" }));
	const role = field(t("tokens.role"), select(["read-only", "admin"].map((value) => [value, t(`role.${value}`)]), "read-only"));
	const form = saveForm({
		title: t("tokens.title"), content: h("div.fields", {}, name.element, role.element), button: t("tokens.make"), hint: t("tokens.hint"),
		async send() {
			name.fail(name.control.value.trim() ? "" : t("tokens.noname"));
			if (!name.control.value.trim())
				return false;
			const token = await call("POST", "tokens", { name: name.control.value.trim(), role: role.control.value });
			name.control.value = "";
			await load();
			await ask(t("tokens.new"), [h("p", {}, t("tokens.once")), h("code.secret", {}, token.token)], [{ value: "", label: t("dialog.close"), kind: "first" }]);
			return true;
		},
	});
	load().catch((error) => toast(refusal(error)));
	return h("section.card.stack", {}, h("div", {}, h("h2", {}, t("tokens.title")), h("p.soft", {}, t("tokens.intro"))), table.element, form.element);
}

// --- metrics ---------------------------------------------------------------------------------
function metricsCard() {
	const toggle = switchControl(t("metrics.switch"), false, { disabled: true });
	const get = () => (toggle.input.checked ? "on" : "off");
	const look = () => setText(toggle.word, t(`switch.${get()}`));
	const saver = saveAtOnce({
		name: "web.metrics", about: t("metrics.switch"), get,
		set(value) {
			toggle.input.checked = value === "on";
			look();
		},
		word: (value) => t("atonce.saved", { value: t(`switch.${value}`) }),
	});
	toggle.input.addEventListener("change", (event) => {
		look();
		saver.changed(event);
	});
	return {
		element: h("section.card.stack", {}, h("div", {}, h("h2", {}, t("metrics.title")), h("p.soft", {}, t("metrics.intro"))),
			h("div", {}, toggle.element, saver.element, h("p.soft.small", {}, t("metrics.hint")))),
		take(config) {
			const value = config.settings.web && config.settings.web.metrics;
			toggle.input.disabled = false;
			saver.take(value === true || value === "on" ? "on" : "off");
		},
	};
}
