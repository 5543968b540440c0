package solve

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// The bars: a thousand people to within 0.15 %, a hundred thousand to 0.35 %, a
// million to 0.5 %. CPU is that of all cores; MB is the most that the process
// ever held, instance included.
func BenchmarkPlan(b *testing.B) {
	for _, bar := range []struct {
		people int
		gap    float64
	}{{1000, 0.0015}, {10_000, 0.0025}, {100_000, 0.0035}, {1_000_000, 0.005}} {
		b.Run(fmt.Sprint(bar.people), func(b *testing.B) {
			if bar.people > 10_000 && os.Getenv("ATTUNE_LONG") == "" {
				b.Skip("set ATTUNE_LONG=1")
			}
			in := Generate(bar.people, 1, GenerateOptions{})
			runtime.GC()
			before, _ := used(b)
			for b.Loop() {
				p, err := Solve(b.Context(), in, Options{Gap: bar.gap, Seed: 1, Workers: 2})
				if err != nil {
					b.Fatal(err)
				}
				if p.Gap > bar.gap {
					b.Errorf("gap %.3f %%", 100*p.Gap)
				}
				b.ReportMetric(100*p.Gap, "gap%")
			}
			after, peak := used(b)
			b.ReportMetric((after-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(peak, "peak-MB")
		})
	}
}

// used is the CPU seconds spent and the most memory held so far, in MB.
func used(b *testing.B) (cpu, peak float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6, float64(u.Maxrss) / 1024
}
