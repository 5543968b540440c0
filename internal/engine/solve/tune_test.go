package solve

import (
	"os"
	"testing"
	"time"
)

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	in := Generate(1000, 3, GenerateOptions{})
	t0 := time.Now()
	p, err := Solve(t.Context(), in, Options{Gap: 0.0005, Work: 4000000, Seed: 1, Progress: func(p Progress) {
		t.Logf("%5.2fs %+v", time.Since(t0).Seconds(), p)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.Prices.Money, p.Prices.Floor, p.Prices.Unit)
}
