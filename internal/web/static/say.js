// Words come from the page, in its language; there are none in the scripts.
export const words = document.getElementById("say")?.dataset ?? {};

// toast shows a passing message, and returns its element. One with an action
// stays until it is closed.
export function toast(text, action) {
	const box = document.createElement("div");
	box.className = "toast";
	box.append(Object.assign(document.createElement("span"), { textContent: text }));
	if (action) {
		const b = Object.assign(document.createElement("button"), { className: "btn btn-sm", type: "button", textContent: action.label });
		b.addEventListener("click", () => { box.remove(); action.run(); });
		box.append(b);
	}
	const close = Object.assign(document.createElement("button"), { className: "tool", type: "button", textContent: "×" });
	close.setAttribute("aria-label", words.close);
	close.addEventListener("click", () => box.remove());
	box.append(close);
	document.getElementById("toasts")?.append(box);
	if (!action) setTimeout(() => box.remove(), 6000);
	return box;
}
