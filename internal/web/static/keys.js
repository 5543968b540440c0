// The keyboard: "g" then a letter goes to a place, "/" searches, "?" lists the keys.
let going = false;
let timer;
const typing = (el) => el.matches("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (e) => {
	if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target)) return;
	if (going) {
		going = false;
		clearTimeout(timer);
		const to = document.querySelector(`[data-go="${CSS.escape(e.key.toLowerCase())}"]`);
		if (to) {
			e.preventDefault();
			to.click();
		}
		return;
	}
	switch (e.key) {
	case "g":
		going = true;
		timer = setTimeout(() => { going = false; }, 1200);
		break;
	case "/": {
		const find = [...document.querySelectorAll("[data-filter], [data-find]")].find((el) => el.offsetParent);
		if (find) {
			e.preventDefault();
			find.focus();
			find.select();
		}
		break;
	}
	case "?":
		document.getElementById("keys")?.togglePopover();
		break;
	}
});
