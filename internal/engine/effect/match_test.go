package effect

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"testing"
)

var people = []string{"age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"}

// R 4.2.2, Matching 4.10-8: Match(Y, Tr, X, Var.calc = 1, distance.tolerance =
// 1e-12), X being glm's linear predictors, or the covariates with Weight = 2.
func TestMatchOnNSW(t *testing.T) {
	for _, tt := range []struct {
		name         string
		covariates   []string
		o            MatchOptions
		estimate, se float64
	}{
		{"propensity", people, MatchOptions{}, 2639.86455455, 719.879075485},
		{"propensity, 3", people, MatchOptions{Neighbours: 3}, 2398.9582147, 712.352319252},
		{"propensity, everybody", people, MatchOptions{Estimand: ATE}, 1998.68718719, 747.550367368},
		{"mahalanobis", people, MatchOptions{Distance: Mahalanobis}, 2453.07632451, 706.225278504},
		{"mahalanobis, everybody, 2", people, MatchOptions{Distance: Mahalanobis, Estimand: ATE, Neighbours: 2}, 1584.03131922, 644.528929601},
		{"mahalanobis, adjusted", people, MatchOptions{Distance: Mahalanobis, Adjust: true}, 2243.12005643, 705.438153108},
		{"mahalanobis, everybody, 4, adjusted", people, MatchOptions{Distance: Mahalanobis, Estimand: ATE, Neighbours: 4, Adjust: true}, 1432.81313347, 644.861220382},
		{"age, with ties", []string{"age"}, MatchOptions{Distance: Mahalanobis}, 1743.51750676, 695.952166178},
		{"age, everybody", []string{"age"}, MatchOptions{Distance: Mahalanobis, Estimand: ATE}, 1785.19039362, 729.507632342},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Match(nsw(t, tt.covariates...), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "estimate", got.Estimate, tt.estimate, 1e-4)
			near(t, "se", got.SE, tt.se, 1e-4)
		})
	}
	// Match(…, caliper = 0.02) drops 32 and gives 2652.61129598. Its standard
	// error divides by the 185 wanted, not the 153 matched, so ours is not that.
	got, err := Match(nsw(t, people...), MatchOptions{Caliper: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "within the caliper", got.Estimate, 2652.61129598, 1e-4)
	if got.N != 185-32 || !warned(got.Warnings, Unmatched) {
		t.Errorf("N = %d, %v", got.N, got.Warnings)
	}
}

// The Hájek means and the logit stacked as estimating equations, their sandwich
// by numerical derivatives in Python (numpy, scipy.optimize.root).
func TestIPWOnNSW(t *testing.T) {
	d := nsw(t, people...)
	ate, err := IPW(d, IPWOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ate", ate.Estimate, 1641.31520165, 1e-5)
	near(t, "ate se", ate.SE, 671.04521098, 1e-4)
	att, err := IPW(d, IPWOptions{Estimand: ATT})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "att", att.Estimate, 1806.41690768, 1e-5)
	near(t, "att se", att.SE, 673.10626928, 1e-4)
	for _, b := range ate.Balance {
		if math.Abs(b.Adjusted) > 0.03 {
			t.Errorf("%s is not balanced by weighting: %.3f, before %.3f", b.Covariate, b.Adjusted, b.SMD)
		}
	}
	if ate.DF != 0 {
		t.Errorf("DF = %v, want the normal's 0", ate.DF)
	}
	trimmed, err := IPW(d, IPWOptions{Trim: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	if trimmed.N >= 445 || !warned(trimmed.Warnings, Unmatched) {
		t.Errorf("trimmed to %d, %v", trimmed.N, trimmed.Warnings)
	}
}

func TestIPWAndMatchCover(t *testing.T) {
	times := repeats(200)
	weigh, pair := 0, 0
	for s := range times {
		r := rng(uint64(s))
		var d Data
		x := Covariate{Name: "x"}
		for range 300 {
			v := r.NormFloat64()
			arm := 0.0
			if r.Float64() < sigmoid(0.8*v) {
				arm = 1
			}
			x.Values = append(x.Values, v)
			d.Treatment = append(d.Treatment, arm)
			d.Outcome = append(d.Outcome, 2*v+arm+r.NormFloat64())
		}
		d.Covariates = []Covariate{x}
		a, err := IPW(d, IPWOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if a.Low <= 1 && 1 <= a.High {
			weigh++
		}
		b, err := Match(d, MatchOptions{Distance: Mahalanobis, Adjust: true})
		if err != nil {
			t.Fatal(err)
		}
		if b.Low <= 1 && 1 <= b.High {
			pair++
		}
	}
	covers(t, "ipw", weigh, times)
	covers(t, "match", pair, times)
}

func TestSeparatedArms(t *testing.T) {
	d := Data{}
	x := Covariate{Name: "x"}
	for i := range 40 {
		x.Values = append(x.Values, float64(i))
		d.Treatment = append(d.Treatment, math.Floor(float64(i)/20))
		d.Outcome = append(d.Outcome, float64(i%7))
	}
	d.Covariates = []Covariate{x}
	if _, err := IPW(d, IPWOptions{}); !errors.Is(err, ErrSeparated) {
		t.Errorf("IPW of separated arms: %v", err)
	}
	if _, err := Match(d, MatchOptions{}); !errors.Is(err, ErrSeparated) {
		t.Errorf("propensity of separated arms: %v", err)
	}
	got, err := Match(d, MatchOptions{Distance: Mahalanobis})
	if err != nil || !warned(got.Warnings, PoorOverlap) {
		t.Errorf("Mahalanobis of separated arms: %v, %v", got.Warnings, err)
	}
}

// The tree must find what a look at everybody finds, ties and all.
func TestNearestAgainstBruteForce(t *testing.T) {
	r := rng(6)
	for _, coarse := range []bool{false, true} {
		const n, dim = 400, 3
		cols := make([][]float64, dim)
		for j := range cols {
			for range n {
				v := r.NormFloat64()
				if coarse {
					v = math.Round(v)
				}
				cols[j] = append(cols[j], v)
			}
		}
		c := newCells(cols, codes0(n))
		for range 200 {
			p := []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
			m := 1 + r.IntN(5)
			dist := func(i int) (d float64) {
				for j := range p {
					d += (cols[j][i] - p[j]) * (cols[j][i] - p[j])
				}
				return d
			}
			all := codes0(n)
			slices.SortFunc(all, func(a, b int) int { return cmp.Compare(dist(a), dist(b)) })
			var want, got []int
			for _, i := range all {
				if len(want) < m || dist(i) <= dist(want[m-1])+tie {
					want = append(want, i)
				}
			}
			for _, k := range c.nearest(p, m, -1, math.Inf(1)) {
				got = append(got, c.rows(int(k))...)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("coarse %v, m %d: %v, want %v", coarse, m, got, want)
			}
		}
	}
}

func BenchmarkIPWMillion(b *testing.B) {
	d := million(b, 5)
	for b.Loop() {
		if _, err := IPW(d, IPWOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatchMillion(b *testing.B) {
	d := million(b, 3)
	for b.Loop() {
		if _, err := Match(d, MatchOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
