package solve

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func cpuNow() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec) + float64(u.Utime.Usec)/1e6
}

func TestTune(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("TUNE"))
	if n == 0 {
		t.Skip()
	}
	in := Generate(n, 1, GenerateOptions{})
	t0, c0 := time.Now(), cpuNow()
	gap, _ := strconv.ParseFloat(os.Getenv("GAP"), 64)
	calls := 0
	p, err := Solve(t.Context(), in, Options{Gap: gap, Seed: 1, Workers: 2, Progress: func(p Progress) {
		if calls++; calls%(n/5000+1) == 0 {
			t.Logf("%.1fs cpu %.1f %+v", time.Since(t0).Seconds(), cpuNow()-c0, p)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	spent := 0.0
	for _, c := range p.Choices {
		spent += float64(in.Offerings[c.Offering].Cost)
	}
	t.Logf("%.3f of %.3f gap %.4f%% in %.1fs, cpu %.1f, %d MB, work %d, spent %.0f of %.0f, λ %g, %v, unplaced %d", p.Objective, p.Bound, 100*p.Gap, time.Since(t0).Seconds(), cpuNow()-c0, u.Maxrss>>10, p.Work, spent, in.Budget, p.Prices.Money, p.Warnings, len(p.Unplaced))
}
