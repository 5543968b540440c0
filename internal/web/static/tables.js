// <input data-filter="id"> hides the rows of the table "id" that do not hold
// all of what is typed. Where the rows are paged, the form around it asks the server.
import { words } from "./say.js";

for (const box of document.querySelectorAll("input[data-filter]")) {
	const table = document.getElementById(box.dataset.filter);
	if (!table) continue;
	const rows = [...table.tBodies[0].rows];
	const texts = rows.map((r) => r.textContent.toLowerCase());
	const note = document.querySelector(`[data-filter-note="${CSS.escape(table.id)}"]`);
	const run = () => {
		const want = box.value.toLowerCase().split(/\s+/).filter(Boolean);
		let n = 0;
		rows.forEach((r, i) => {
			r.hidden = !want.every((w) => texts[i].includes(w));
			if (!r.hidden) n++;
		});
		if (note) note.textContent = want.length ? words.shown.replace("{n}", n).replace("{all}", rows.length) : "";
	};
	box.addEventListener("input", run);
	run();
}
