// SPDX-License-Identifier: GPL-2.0-or-later
// Settings that are saved as soon as their control is changed. Beside the control stands what
// was saved, and for 30 s the way back.
"use strict";

const UNDO_MS = 30000;

// The setting NAME, with GET() and SET(value) of its control. WORD(value) is what is told after
// it was saved; BEFORE(from, to) may ask, false: not changed. ABOUT is the setting in words.
// Returns {element, changed, take, saved}: the line beside the control; to be called after the
// control was changed; with what the gateway has; what that was.
function saveAtOnce({ name, about, get, set, word, before }) {
	const words = h("span", { role: "status" }), problem = h("span.wrong", { role: "alert" });
	const back = h("button.tight", { type: "button", hidden: true, "aria-label": t("atonce.undo.which", { what: about }) }, t("atonce.undo"));
	const state = { saved: null, busy: false, undo: null, timer: 0, control: null };
	const offer = (value) => {
		clearTimeout(state.timer);
		if (value === null && document.activeElement === back && state.control)
			state.control.focus();
		state.undo = value;
		back.hidden = value === null;
		if (value !== null)
			state.timer = setTimeout(() => { offer(null); setText(words, ""); }, UNDO_MS);
	};
	const revert = (error) => {
		set(state.saved);
		setText(problem, error ? refusal(error) : "");
	};
	const send = async (value, undoing) => {
		const old = state.saved;
		await configSend({ [name]: value });
		state.saved = value;
		setText(words, undoing ? t("atonce.undone") : word(value));
		offer(undoing ? null : old);
	};
	// as long as the control differs: it may be changed again meanwhile
	const changed = async (undoing) => {
		if (state.busy)
			return;
		state.busy = true;
		setText(problem, "");
		setText(words, "");
		offer(null);
		try {
			while (get() !== state.saved && (!before || await before(state.saved, get())))
				await send(get(), undoing);
			revert();
		} catch (error) {
			revert(error);
		} finally {
			state.busy = false;
		}
	};
	back.addEventListener("click", () => {
		set(state.undo);
		changed(true);
	});
	return {
		element: h("div.atonce", {}, words, back, problem),
		changed: (event) => { state.control = event.target; return changed(false); },
		saved: () => state.saved,
		take(value) {
			if (state.busy)
				return;
			if (state.undo !== null && value !== state.saved) { // others have changed it since
				offer(null);
				setText(words, "");
			}
			state.saved = value;
			set(value);
		},
	};
}

async function configSend(values) {
	changed(await call("PATCH", "config", { values }));
}
