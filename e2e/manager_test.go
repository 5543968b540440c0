package e2e

import (
	"strings"
	"testing"
)

// The training manager looks where the loop stands, opens a need, goes down to
// a statement behind it, and on to the plan and to what it changed.
func TestManagerFollowsTheLoop(t *testing.T) {
	for _, tt := range []struct{ lang, needs, evidence, bound, effect, waits string }{
		{"zh-CN", "需求排序", "依据", "上界", "参训人员的平均培训效果", "95% 区间"},
		{"en", "Needs, the greatest first", "Evidence", "Bound", "Mean training effect", "95% interval"},
	} {
		t.Run(tt.lang, func(t *testing.T) {
			p := browser(t, "manager", tt.lang, 1280)
			p.signIn("manager")
			if at := p.at(); at != "/overview" {
				t.Fatalf("signed in, at %s", at)
			}
			p.picture("overview")
			// the first cycle has been through the whole loop
			p.click(`.tabs-line a`)
			p.picture("first-cycle")
			p.click(`.loop a[href^="/needs"]`)
			p.sees(tt.needs)
			p.picture("needs")

			// moving a weight ranks anew, without anything being kept
			before := eval[string](p, `[...document.querySelectorAll("#needs tbody tr")].map(r => r.cells[4].innerText).join()`)
			eval[int](p, `(() => { document.querySelector("details.card").open = true; const r = document.querySelector("[name=w_gap]"); r.value = 0; window.__leaving = true; r.dispatchEvent(new Event("change", {bubbles: true})); return 0; })()`)
			p.until(`window.__leaving === undefined && location.search.includes("w_gap=0")`)
			if after := eval[string](p, `[...document.querySelectorAll("#needs tbody tr")].map(r => r.cells[4].innerText).join()`); after == before {
				t.Error("the scores are the same without the measured gap")
			}
			eval[int](p, `history.back(); 0`)
			p.until(`!location.search.includes("w_gap")`)

			// a need, its evidence, one statement
			p.click(`#needs tbody tr a`)
			p.picture("need")
			p.click(`.figure-more a[href^="/evidence"]`)
			p.sees(tt.evidence)
			if n := eval[int](p, `document.querySelectorAll("#statements tbody tr").length`); n < 10 {
				t.Errorf("only %d statements stand behind the gap", n)
			}
			p.picture("evidence")
			p.click(`#statements tbody tr a`)
			if text := eval[string](p, `document.querySelector("pre").innerText`); !strings.Contains(text, "adlnet.gov/expapi/verbs") {
				t.Errorf("the statement is not xAPI: %.200s", text)
			}

			// the plan and the effect of the first cycle
			p.goTo("/overview")
			p.click(`.tabs-line a`)
			p.click(`.loop a[href^="/plan"]`)
			p.sees(tt.bound)
			p.picture("plan")
			p.goTo("/overview")
			p.click(`.tabs-line a`)
			p.click(`.loop a[href^="/effect"]`)
			p.sees(tt.effect, tt.waits)
			p.picture("effect")
			p.click(`a[href^="/effect/people"]`)
			if n := eval[int](p, `document.querySelectorAll(".rows-plot tbody tr").length`); n < 10 {
				t.Errorf("only %d people's gains", n)
			}
			p.picture("gains")

			// the heat map opens to a team
			p.goTo("/needs")
			p.click(`table.heat td a`)
			p.picture("cell")
		})
	}
}
