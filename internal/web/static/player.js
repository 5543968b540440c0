// The player of activities and tests: keys for the answers, the time left, where
// a page stands, and, with consent, focused time. It says "saved" only after
// the server has said so.
const play = document.querySelector("[data-play]");
const note = document.querySelector("[data-save-note]");
const post = (path, body, keepalive = false) =>
	fetch(path, { method: "POST", keepalive, headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });

// 1–4 and A–D choose, Enter sends.
const form = document.querySelector("form[data-answers]");
document.addEventListener("keydown", (e) => {
	if (!form || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
	if (e.target.matches("textarea, select, input:not([type=radio]), [contenteditable]")) return;
	const options = [...form.querySelectorAll("input[name=choice]:enabled")];
	if (options.length === 0) return;
	const key = e.key.toUpperCase();
	const i = /^[1-8]$/.test(key) ? Number(key) - 1 : options.findIndex((o) => o.dataset.letter === key);
	if (options[i]) {
		e.preventDefault();
		options[i].checked = true;
		options[i].focus();
	} else if (e.key === "Enter" && !e.target.matches("button, a") && options.some((o) => o.checked)) {
		e.preventDefault();
		form.requestSubmit();
	}
});

// The time that is left of a test, said once a minute and each of the last ten seconds.
const due = document.querySelector("[data-due]");
if (due) {
	const end = Date.parse(due.getAttribute("datetime"));
	const tick = () => {
		const s = Math.max(0, Math.round((end - Date.now()) / 1000));
		due.textContent = due.dataset.words.replace("{t}", `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`);
	};
	tick();
	setInterval(tick, 1000);
}

if (play) {
	const id = encodeURIComponent(play.dataset.play);
	const reads = ["page", "video"].includes(play.dataset.kind);

	if (reads) {
		let version = Number(play.dataset.version);
		let saved = Number(play.dataset.scroll);
		const at = () => {
			const room = document.documentElement.scrollHeight - innerHeight;
			return room > 0 ? Math.min(1, scrollY / room) : 0;
		};
		if (saved > 0 && !location.hash) {
			addEventListener("load", () => scrollTo(0, saved * (document.documentElement.scrollHeight - innerHeight)));
		}
		let busy = false;
		const save = async () => {
			const here = at();
			if (busy || Math.abs(here - saved) < 0.02) return;
			busy = true;
			try {
				const r = await post(`/learn/activities/${id}/state`, { version, scroll: here });
				const out = await r.json();
				if (r.ok) {
					version = out.version;
					saved = here;
					note.textContent = play.dataset.savedText;
				} else {
					note.textContent = out.error ?? play.dataset.unsaved;
				}
			} catch {
				note.textContent = play.dataset.unsaved;
			}
			busy = false;
		};
		let timer;
		addEventListener("scroll", () => {
			clearTimeout(timer);
			timer = setTimeout(save, 800);
		}, { passive: true });
		document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
	}

	if ("measure" in play.dataset) measure(id);
}

// measure samples, every 15 s and at each change, whether the page is visible,
// has the focus, and was touched. What was measured is kept on the device until
// the server has taken it, so that a lost connection loses nothing.
function measure(id) {
	const key = "visit:" + document.body.dataset.viewer;
	const flush = async () => {
		let waiting = [];
		try {
			waiting = JSON.parse(localStorage.getItem(key) ?? "[]");
			localStorage.removeItem(key); // taken by this tab alone
		} catch { return; }
		for (const v of waiting) {
			try {
				const r = await post(`/learn/activities/${v.id}/visit`, { ago: Date.now() - v.began, open: v.open, samples: v.samples }, true);
				if (r.status >= 500 || r.status === 401) keep(v);
			} catch {
				keep(v);
			}
		}
	};
	const keep = (v) => {
		try {
			const all = JSON.parse(localStorage.getItem(key) ?? "[]");
			all.push(v);
			localStorage.setItem(key, JSON.stringify(all.slice(-50)));
		} catch { /* no storage: this visit is lost, and nothing else */ }
	};
	flush();

	let began, first, samples, active, over;
	const start = () => {
		began = Date.now();
		first = performance.now();
		samples = [];
		active = true;
		over = false;
		sample();
	};
	const sample = () => {
		if (over || samples.length >= 1900) return;
		samples.push({ at: Math.round(performance.now() - first), visible: !document.hidden, focused: document.hasFocus(), active });
		active = [...document.querySelectorAll("video")].some((v) => !v.paused && !v.ended);
	};
	const end = () => {
		if (over) return;
		sample();
		over = true;
		const open = Math.round(performance.now() - first);
		if (open < 1000) return;
		keep({ id, began, open, samples });
		flush();
	};
	for (const e of ["keydown", "pointerdown", "pointermove", "touchstart", "scroll", "wheel"]) addEventListener(e, () => { active = true; }, { passive: true });
	for (const e of ["focus", "blur"]) addEventListener(e, sample);
	document.addEventListener("visibilitychange", () => (document.hidden ? end() : over && start()));
	addEventListener("pagehide", end);
	addEventListener("pageshow", () => { if (over) start(); });
	setInterval(sample, 15000);
	start();
}
