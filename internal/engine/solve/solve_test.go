package solve

import (
	"os"
	"testing"
	"time"
)

func TestSolveThousand(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	in := Generate(1000, 1, GenerateOptions{})
	t0 := time.Now()
	p, err := Solve(t.Context(), in, Options{Gap: 0.0005, Workers: 2, Seed: 1, Progress: func(p Progress) {
		t.Logf("%5.2fs %+v", time.Since(t0).Seconds(), p)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.3f of %.3f, gap %.4f%%, %d choices, work %d, %v", p.Objective, p.Bound, 100*p.Gap, len(p.Choices), p.Work, p.Warnings)
}
