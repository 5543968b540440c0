package check

import (
	"os"
	"testing"

	"attune/internal/engine/solve"
)

// Instances of every trade, tight and loose, small enough that everybody's bound
// is proved.
func TestEveryTradeHolds(t *testing.T) {
	people, seeds := 16, uint64(1)
	if os.Getenv("ATTUNE_LONG") != "" {
		people, seeds = 40, 6
	}
	for seed := range seeds {
		for _, trade := range []string{"retail", "finance", "education", "health"} {
			for _, loose := range []bool{false, true} {
				in := solve.Generate(people, 10+seed, solve.GenerateOptions{Industry: trade, Loose: loose, SiteSize: people / 2, TeamSize: 6})
				p, err := solve.Solve(t.Context(), in, solve.Options{Gap: 0.003, Work: 200_000, Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				r, err := Check(in, p)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range r.Violations[:min(5, len(r.Violations))] {
					t.Errorf("%s loose=%v seed %d: %+v, warnings %v", trade, loose, seed, v, p.Warnings)
				}
				t.Logf("%s loose=%v: gap %.3f %%, proved %d, open %d, unplaced %d, conflicts %d, %v", trade, loose, 100*r.Gap, r.Proved, r.Open, len(p.Unplaced), len(p.Conflicts), p.Warnings)
			}
		}
	}
}
