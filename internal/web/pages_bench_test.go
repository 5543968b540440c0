package web

import (
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"attune/internal/auth"
	"attune/internal/demo"
)

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPages asks for the pages of each role in a company of 1,000, and
// reports the processor time of a page, garbage collection among it: each
// page's own, and the median over all, which is to stay at 3 ms or under.
//
//	go test -run - -bench Pages -benchtime 50x ./internal/web
func BenchmarkPages(b *testing.B) {
	d, err := lived(filepath.Join(b.TempDir(), "bench.db"), 1000)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	s, err := New(d)
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	var all []float64
	for role, pages := range pagesMeasured {
		login := ""
		for _, x := range demo.SignIns {
			if x.Role == role {
				login = x.Login
			}
		}
		token, _, err := auth.SignIn(b.Context(), d, login, demo.Password, "bench", "127.0.0.1")
		if err != nil {
			b.Fatal(err)
		}
		for _, page := range pages {
			b.Run(string(role)+page, func(b *testing.B) {
				ask(h, "GET", page, token, nil)
				from := cpu()
				for b.Loop() {
					if got := ask(h, "GET", page, token, nil); got.Code != 200 {
						b.Fatalf("%d", got.Code)
					}
				}
				ms := (cpu() - from).Seconds() * 1000 / float64(b.N)
				b.ReportMetric(ms, "cpu-ms/op")
				all = append(all, ms)
			})
		}
	}
	slices.Sort(all)
	if len(all) > 0 {
		b.Logf("median over %d pages: %.2f ms of CPU; slowest %.2f ms", len(all), all[len(all)/2], all[len(all)-1])
	}
}
