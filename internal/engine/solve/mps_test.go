package solve

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The optimum that an exact solver finds lies between our objective and our
// bound. CBC is Debian's coinor-cbc.
func TestOptimumLiesBetween(t *testing.T) {
	cbc, err := exec.LookPath("cbc")
	if err != nil {
		t.Skip("no cbc here")
	}
	seeds, most := uint64(1), 20.0
	if os.Getenv("ATTUNE_LONG") != "" {
		seeds, most = 10, 300
	}
	for seed := range seeds {
		people := 8 + int(seed)*7/10
		in := Generate(people, seed+1, GenerateOptions{Offerings: 16, TeamSize: 4})
		p, err := Solve(t.Context(), in, Options{Gap: 1e-6, Work: 3_000_000, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		worst, err := MPS(&text, in, 24)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "in.mps")
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(cbc, file, "seconds", strconv.Itoa(int(most)), "ratio", "0", "solve", "quit").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		found := regexp.MustCompile(`(?m)^Objective value:\s+(\S+)`).FindSubmatch(out)
		if found == nil {
			t.Fatalf("no objective in %s", out)
		}
		best, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		best = -best // of the programme with tangents: no less than the true optimum, by at most worst
		if !strings.Contains(string(out), "Optimal solution found") {
			t.Logf("seed %d: cbc did not finish", seed+1)
			if best-worst > p.Bound+1e-6 {
				t.Errorf("seed %d: cbc has %.6f (−%.6f), our bound is %.6f", seed+1, best, worst, p.Bound)
			}
			continue
		}
		if p.Objective > best+1e-5 || best-worst > p.Bound+1e-5 {
			t.Errorf("seed %d: optimum %.6f (−%.6f) is not between %.6f and %.6f", seed+1, best, worst, p.Objective, p.Bound)
		}
		t.Logf("%d people: ours %.5f, optimum %.5f (−%.5f), bound %.5f; ours %.3f %% below, bound %.3f %% above, unplaced %d",
			people, p.Objective, best, worst, p.Bound, 100*(best-p.Objective)/best, 100*(p.Bound-best)/best, len(p.Unplaced))
	}
}
