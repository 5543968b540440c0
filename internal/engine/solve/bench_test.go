package solve

import "testing"

func BenchmarkThousand(b *testing.B) {
	in := Generate(1000, 1, GenerateOptions{})
	for b.Loop() {
		p, err := Solve(b.Context(), in, Options{Gap: 0.0015, Work: 10_000_000, Seed: 1, Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(100*p.Gap, "gap%")
	}
}
