// <div data-stream="/plan/12/progress"> follows server-sent events:
//   event: progress  data: {"value": 40, "max": 100, "text": "…"}
//   event: done      data: {"href": "/plan/12"}   (goes there; without href, reloads)
// The text is read out no more than every two seconds.
import { words } from "./say.js";

for (const box of document.querySelectorAll("[data-stream]")) {
	const bar = box.querySelector("progress");
	const text = box.querySelector("[data-text]");
	const share = box.querySelector("[data-share]");
	const spoken = box.querySelector("[role=status]");
	let last = 0;
	const events = new EventSource(box.dataset.stream);
	events.addEventListener("progress", (e) => {
		const p = JSON.parse(e.data);
		if (bar) {
			bar.max = p.max;
			bar.value = p.value;
		}
		if (share && p.max) share.textContent = Math.round((100 * p.value) / p.max) + "%";
		if (text && p.text) text.textContent = p.text;
		if (spoken && p.text && Date.now() - last > 2000) {
			spoken.textContent = p.text;
			last = Date.now();
		}
	});
	events.addEventListener("done", (e) => {
		events.close();
		const { href } = JSON.parse(e.data || "{}");
		href ? location.assign(href) : location.reload();
	});
	events.addEventListener("error", () => {
		if (text && events.readyState === EventSource.CONNECTING) text.textContent = words.lost;
	});
	addEventListener("pagehide", () => events.close());
}
