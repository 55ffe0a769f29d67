// SPDX-License-Identifier: GPL-2.0-or-later
// Help: the questions that people ask, four lines each; other pages link to them as #/help/NAME.
"use strict";

const QUESTIONS = ["not-working", "symptoms", "passthrough", "on-or-off", "change-nothing", "need", "nat-passthrough", "ip-passthrough", "pptp", "l2tp", "ipsec",
	"no-switch", "sip-alg", "safe", "vpn-router", "wifi", "virus", "behind", "one-works"];

pages.help = {
	title: () => t("nav.help"),
	intro: () => t("help.intro"),
	open(place, chosen) {
		fill(place, h("section.card", { "aria-label": t("help.contents") }, h("ul.contents", {}, QUESTIONS.map((name) => h("li", {}, h("a", { href: `#/help/${name}` }, t(`help.${name}.title`)))))),
			QUESTIONS.map((name) => h(`section.card.answer${name === chosen ? ".chosen" : ""}`, { id: `help-${name}` },
				h("h2", { tabindex: "-1" }, t(`help.${name}.title`)), t(`help.${name}`).map((line) => h("p", {}, line)))));
		const answer = document.getElementById(`help-${chosen}`);
		if (answer)
			requestAnimationFrame(() => {
				answer.scrollIntoView({ block: "start" });
				answer.querySelector("h2").focus({ preventScroll: true });
			});
	},
};
