// Menus that close when one looks elsewhere, and the theme without a reload.
const open = () => document.querySelectorAll("details.menu-box[open]");
document.addEventListener("click", (e) => {
	for (const d of open()) if (!d.contains(e.target)) d.open = false;
});
document.addEventListener("keydown", (e) => {
	if (e.key !== "Escape") return;
	for (const d of open()) {
		d.open = false;
		d.querySelector("summary").focus();
	}
});
document.addEventListener("submit", (e) => {
	const chosen = e.submitter;
	if (!e.target.matches("[data-prefs]") || chosen?.name !== "theme") return;
	e.preventDefault();
	const root = document.documentElement;
	if (chosen.value === "system") {
		delete root.dataset.theme;
		document.cookie = "theme=; path=/; max-age=0; samesite=lax";
	} else {
		root.dataset.theme = chosen.value;
		document.cookie = `theme=${chosen.value}; path=/; max-age=31536000; samesite=lax`;
	}
	for (const b of document.querySelectorAll("[data-prefs] [name=theme]")) {
		b.setAttribute("aria-pressed", String(b.value === chosen.value));
	}
	for (const d of open()) d.open = false;
});

// Paper is white, whatever the screen is.
let chosen;
addEventListener("beforeprint", () => {
	chosen = document.documentElement.dataset.theme;
	document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => {
	if (chosen) document.documentElement.dataset.theme = chosen;
	else delete document.documentElement.dataset.theme;
});
