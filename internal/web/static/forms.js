// Nothing typed is lost, and nothing is done twice.
//
// <form data-draft="need-12">: what is typed is kept on this device, under the
// person who is signed in, and comes back if the page is opened again before it
// was saved. It goes when a page says data-saved="need-12" (a Flash with that
// Form), or after 30 days. Passwords, files and hidden fields are never kept.
import { toast, words } from "./say.js";

const month = 30 * 24 * 3600 * 1000;
const viewer = document.body.dataset.viewer ?? "";
const keyOf = (name) => `draft:${viewer}:${name}`;
const kept = (el) => el.name && !["password", "file", "hidden", "submit", "button"].includes(el.type);

function read(form) {
	const out = {};
	for (const el of form.elements) {
		if (!kept(el)) continue;
		const all = (out[el.name] ??= []);
		if (el.type === "checkbox" || el.type === "radio") {
			if (el.checked) all.push(el.value);
		} else if (el.multiple) {
			all.push(...[...el.selectedOptions].map((o) => o.value));
		} else {
			all.push(el.value);
		}
	}
	return out;
}

function write(form, values) {
	const next = {};
	for (const el of form.elements) {
		const all = kept(el) && values[el.name];
		if (!all) continue;
		if (el.type === "checkbox" || el.type === "radio") {
			el.checked = all.includes(el.value);
		} else if (el.multiple) {
			for (const o of el.options) o.selected = all.includes(o.value);
		} else {
			const i = (next[el.name] = (next[el.name] ?? -1) + 1);
			if (i < all.length) el.value = all[i];
		}
		el.dispatchEvent(new Event("input", { bubbles: true }));
	}
}

// A browser may refuse storage (private windows, full disk); typing must go on.
function store(key, value) {
	try {
		value === null ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(value));
		return true;
	} catch {
		return false;
	}
}
function load(key) {
	try {
		return JSON.parse(localStorage.getItem(key));
	} catch {
		return null;
	}
}

for (const el of document.querySelectorAll("[data-saved]")) store(keyOf(el.dataset.saved), null);
try {
	for (const key of Object.keys(localStorage)) {
		if (key.startsWith("draft:") && Date.now() - (load(key)?.at ?? 0) > month) store(key, null);
	}
} catch { /* no storage, no drafts */ }

for (const form of document.querySelectorAll("form[data-draft]")) {
	const key = keyOf(form.dataset.draft);
	const first = read(form);
	const draft = load(key);
	if (draft && JSON.stringify(draft.values) !== JSON.stringify(first)) {
		write(form, draft.values);
		toast(words.restored, { label: words.discard, run: () => { write(form, first); store(key, null); } });
	}
	let timer;
	const keep = () => {
		clearTimeout(timer);
		if (JSON.stringify(read(form)) === JSON.stringify(first)) return;
		const ok = store(key, { at: Date.now(), values: read(form) });
		const note = form.querySelector("[data-draft-note]");
		if (note && ok) note.textContent = words.kept;
	};
	form.addEventListener("input", (e) => {
		if (!e.isTrusted) return;
		clearTimeout(timer);
		timer = setTimeout(keep, 300);
	});
	form.addEventListener("submit", keep);
	addEventListener("pagehide", keep);
}

// A second click on the way is not a second order. The buttons are marked, not
// disabled, so that the one that was pressed is still sent with the form.
document.addEventListener("submit", (e) => {
	if (e.defaultPrevented || e.target.matches("[data-repeat]")) return; // data-repeat: a download, after which the page stays
	const form = e.target;
	if (form.dataset.sent) {
		e.preventDefault();
		return;
	}
	form.dataset.sent = "1";
	if (e.submitter?.matches(".btn")) e.submitter.dataset.busy = "";
});
// Back from the next page, out of the browser's memory: the form is open again.
addEventListener("pageshow", () => {
	for (const form of document.querySelectorAll("form[data-sent]")) {
		delete form.dataset.sent;
		for (const b of form.querySelectorAll("[data-busy]")) delete b.dataset.busy;
	}
});

// A slider says its value.
document.addEventListener("input", (e) => {
	if (e.target.type !== "range") return;
	const out = e.target.form?.querySelector(`output[for="${CSS.escape(e.target.id)}"]`) ?? e.target.parentElement.querySelector("output");
	if (out) out.value = e.target.value;
});

// A choice that needs no button: <select data-submit>.
document.addEventListener("change", (e) => {
	if (e.target.matches("[data-submit]")) e.target.form.requestSubmit();
});
