// SPDX-License-Identifier: GPL-2.0-or-later
// The network setup: three questions, what their answers would write, and the wait until
// somebody confirms at the new address.
"use strict";

const NETWORK_EVERY_MS = 3000;

pages.network = {
	title: () => t("network.title"),
	nav: () => t("nav.network"),
	intro: () => t("network.intro"),
	open(place, rest) {
		const waiting = networkWaiting(), plan = h("div"), questions = h("div");
		fill(place, rest === "first" && note("", h("p", {}, t("network.first")), h("p", {}, h("a.button", { href: "#/overview" }, t("network.skip")))),
			waiting.element, questions, plan);
		let asked = false;
		return loadEvery(NETWORK_EVERY_MS, async () => {
			const network = await call("GET", "network", undefined, BACKGROUND);
			waiting.take(network);
			questions.hidden = plan.hidden = network.confirm_within_s > 0;
			if (!asked)
				fill(questions, networkForm(network, plan, waiting));
			asked = true;
		});
	},
};

// --- what waits, what can be undone ----------------------------------------------------
function networkWaiting() {
	const words = h("p"), left = h("p.number", { "aria-hidden": "true" }), problem = h("div.note.bad", { role: "alert", hidden: true });
	const confirm = h("button.first", { type: "button" }, t("network.confirm")), undo = h("button", { type: "button" }, t("network.undo"));
	const link = h("a.button.first"), element = h("section.card.stack", { hidden: true });
	const head = h("h2");
	element.append(h("div", { role: "status" }, head, words), left, problem,
		// a double click on what goes must not meet the button that takes its place
		h("div.row", {}, mayChange() && undo, link, confirm));
	const part = { element, take };
	function take(network) {
		const waits = network.confirm_within_s > 0, here = location.hostname === network.address;
		element.hidden = !waits && !(network.undo && mayChange());
		setText(head, t(waits ? "network.waits" : "network.done"));
		setText(words, waits ? t(here ? "network.waits.here" : "network.waits.there", { address: network.address }) : t("network.done.undo"));
		left.hidden = !waits;
		setText(left, t("network.left", { n: network.confirm_within_s }));
		link.hidden = !waits || here;
		confirm.hidden = !waits || !here || !mayChange();
		link.href = waits ? `${location.protocol}//${network.address}${location.port ? `:${location.port}` : ""}/#/network` : "#/network";
		setText(link, t("network.open", { address: network.address || "" }));
	}
	let busy = false;
	const send = async (method, path, said) => {
		if (busy)
			return;
		busy = true;
		problem.hidden = true;
		try {
			take(await call(method, path, method === "POST" ? {} : undefined));
			toast(said);
			shell.main.querySelector("h1").focus({ preventScroll: true });
		} catch (error) {
			problem.hidden = false;
			setText(problem, refusal(error));
		} finally {
			busy = false;
		}
	};
	confirm.addEventListener("click", () => send("POST", "network/confirm", t("network.confirmed")));
	undo.addEventListener("click", () => send("DELETE", "network", t("network.undone")));
	return part;
}

// --- the questions ------------------------------------------------------------------------
// A group of radio buttons or checkboxes that can be told what is wrong, as field() can
function choices(legend, hint, type, name, options) {
	const wrong = h("span.wrong", { id: `network-${name}-wrong`, hidden: true });
	const inputs = options.map(([value, , checked]) => h("input", { type, name: `network-${name}`, value, checked: !!checked, disabled: !mayChange() }));
	const element = h("fieldset.field", { "aria-describedby": wrong.id }, h("legend", {}, legend), hint && h("span.hint", {}, hint),
		options.map(([, label], i) => h("label.choice", {}, inputs[i], h("span", {}, label))), wrong);
	return {
		element, inputs, control: inputs[0] || element,
		chosen: () => inputs.filter((input) => input.checked && !input.disabled).map((input) => input.value),
		fail: (text) => failField(element, wrong, text),
	};
}

function portLabel(port) {
	return [h("strong", {}, port.name), h("span.soft", {}, listed([t(port.link ? "network.link" : "network.nolink"), port.address,
		port.default_route && t("network.internet")].filter(Boolean)))];
}

function networkForm(network, plan, waiting) {
	const lans = network.settings["lan.interfaces"].split(","), isWan = (port) => port.name === network.settings["wan.interface"];
	const isLan = (port) => lans.includes(port.name) || (lans.includes("br-lan") && !isWan(port)); // the setup's own bridge
	const inside = network.ports.find((port) => lans.includes(port.name) && port.address);
	const here = /^\d+\.\d+\.\d+\.\d+$/.test(location.hostname) ? `${location.hostname}/24` : "192.168.1.1/24";
	const wan = choices(t("network.wan"), t("network.wan.hint"), "radio", "wan", network.ports.map((port) =>
		[port.name, portLabel(port), isWan(port)]));
	const line = choices(t("network.line"), t("network.line.hint"), "radio", "line", [["dhcp", t("network.dhcp"), network.settings["wan.interface"] !== "ppp-wan"], ["pppoe", t("network.pppoe"), network.settings["wan.interface"] === "ppp-wan"]]);
	const user = field(t("network.user"), h("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "128" }));
	const password = field(t("network.password"), h("input", { type: "password", autocomplete: "off", maxlength: "128" }));
	const secrets = h("div.fields", {}, user.element, password.element);
	const address = field(t("network.inside"), h("input.mono", { type: "text", spellcheck: "false", value: (inside && inside.address) || here, maxlength: "18" }), t("network.inside.hint"));
	const lan = choices(t("network.lan"), t("network.lan.hint"), "checkbox", "lan", network.ports.map((port) => [port.name, portLabel(port), isLan(port)]));
	const fields = { wan, line, user, password, inside: address, lan };
	const follow = () => {
		secrets.hidden = line.chosen()[0] !== "pppoe";
		for (const input of lan.inputs)
			input.disabled = !mayChange() || input.value === wan.chosen()[0];
	};
	const answers = () => ({ wan: wan.chosen()[0] || "", line: line.chosen()[0], ...(secrets.hidden ? {} : { user: user.control.value, password: password.control.value }),
		inside: address.control.value.trim(), lan: lan.chosen() });
	const show = h("button.first", { disabled: !mayChange() }, t("network.show"));
	const form = sendForm(fields, { class: "stack" }, [wan.element, line.element, secrets, address.element, lan.element], show, async () => {
		Object.values(fields).forEach((one) => one.fail(""));
		const given = answers();
		planShow(plan, await call("POST", "network/plan", given), given, waiting);
	}, h("div.row", {}, show));
	form.addEventListener("change", () => { follow(); fill(plan); });
	form.addEventListener("input", () => fill(plan));
	follow();
	return h("section.card", {}, form, !mayChange() && h("p.soft.small", {}, t("role.readonly.hint")));
}

// --- the plan ----------------------------------------------------------------------------------
function planFile(file) {
	return h("details", { open: file.change !== "same" }, h("summary", {}, h("span.mono", {}, file.path), " ", pill("", t(`network.change.${file.change}`))),
		h("pre.diff", { tabindex: "0", role: "group", "aria-label": file.path }, file.diff));
}

function planShow(place, plan, answers, waiting) {
	const problem = h("div.note.bad", { role: "alert", hidden: true });
	const write = h("button.first", { type: "button", disabled: plan.lacks.length > 0 }, t("network.write"));
	const head = h("h2", { tabindex: "-1" }, t("network.plan"));
	write.addEventListener("click", async () => {
		write.disabled = true;
		problem.hidden = true;
		try {
			waiting.take(await call("POST", "network", answers));
			fill(place);
			place.hidden = true;
			window.scrollTo(0, 0);
			shell.main.querySelector("h1").focus({ preventScroll: true });
		} catch (error) {
			problem.hidden = false;
			setText(problem, refusal(error));
			write.disabled = false;
		}
	});
	fill(place, h("section.card.stack", {}, h("div", {}, head, h("p.soft", {}, t(`network.manager.${plan.manager}`)), h("p.soft", {}, t("network.plan.what", { address: plan.address, n: plan.within_s }))),
		plan.lacks.length > 0 && note("bad", t("network.lacks"), " ", h("code", {}, `sudo apt install ${plan.lacks.join(" ")}`)),
		plan.notes.map((sentence) => note("", saidInEnglish(sentence))),
		plan.files.map(planFile),
		h("p", {}, t("network.settings"), " ", h("span.mono", {}, Object.entries(plan.settings).map(([name, value]) => `${name}: ${value}`).join(", "))),
		problem, h("div.row", {}, write)));
	head.focus();
}
