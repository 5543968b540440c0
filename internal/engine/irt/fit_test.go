package irt

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// lsat6 is section 6 of the Law School Admission Test, 1000 people and 5 items
// (Bock & Lieberman 1970): how many answered in each way, items 1 to 5 from left
// to right.
var lsat6 = map[string]int{
	"00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4,
	"01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15,
	"10000": 10, "10001": 29, "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15, "10111": 80,
	"11000": 16, "11001": 56, "11010": 21, "11011": 173, "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}

func lsat6Responses() [][]int8 {
	var rows [][]int8
	for _, bits := range []string{"0", "1"} {
		for code := range 16 {
			key := bits
			for b := 3; b >= 0; b-- {
				key += string(rune('0' + code>>b&1))
			}
			for range lsat6[key] {
				row := make([]int8, 5)
				for k, c := range key {
					row[k] = int8(c - '0')
				}
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// The log likelihoods and 2PL parameters are those that R's ltm prints for its
// data set LSAT (rasch() and ltm()), also in Rizopoulos (2006, J. Stat. Soft.
// 17/5).
func TestFitLSAT6(t *testing.T) {
	rows := lsat6Responses()
	c, err := Fit(rows, Options{})
	if err != nil || !c.Converged || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	t.Logf("2PL: %d EM steps", c.Iterations)
	near(t, "2PL log likelihood", c.LogLikelihood, -2466.653, 5e-4)
	for k, want := range []Item{{A: .825, B: -3.361}, {A: .723, B: -1.370}, {A: .890, B: -.280}, {A: .689, B: -1.866}, {A: .658, B: -3.123}} {
		near(t, "a", c.Items[k].A, want.A, 1.5e-3)
		near(t, "b", c.Items[k].B, want.B, 3e-3)
	}
	for k, want := range lsat6SE {
		near(t, "SE a", c.Items[k].SEA, want.A, 2e-3)
		near(t, "SE b", c.Items[k].SEB, want.B, 4e-3)
	}
	c, err = Fit(rows, Options{Model: OnePL})
	if err != nil || !c.Converged {
		t.Fatal(err)
	}
	near(t, "1PL log likelihood", c.LogLikelihood, -2466.938, 5e-4)
	near(t, "1PL slope", c.Items[0].A, 0.755, 1e-3)
	for k, b := range []float64{-3.6153, -1.3224, -0.3176, -1.7301, -2.7802} {
		near(t, "1PL b", c.Items[k].B, b, 3e-3)
	}
	near(t, "1PL SE of the slope", c.Items[2].SEA, 0.0694, 5e-4)
	slope := c.Items[0].A
	c, err = Fit(rows, Options{Model: Rasch})
	if err != nil || !c.Converged {
		t.Fatal(err)
	}
	near(t, "Rasch log likelihood, the same model", c.LogLikelihood, -2466.938, 5e-4)
	near(t, "Rasch SD, the 1PL's slope", c.Groups[0].SD, slope, 1e-3)
}

// lsat6SE are the standard errors that ltm prints for its 2PL, with b by the
// delta method.
var lsat6SE = []Item{{A: .2581, B: .8669}, {A: .1867, B: .3073}, {A: .2326, B: .0997}, {A: .1852, B: .4341}, {A: .2100, B: .8700}}

// simulate lets people answer the items; each answer is missing with the given
// chance.
func simulate(rng *rand.Rand, thetas []float64, items []Item, missing float64) [][]int8 {
	rows := make([][]int8, len(thetas))
	for i, theta := range thetas {
		rows[i] = make([]int8, len(items))
		for k, it := range items {
			switch {
			case rng.Float64() < missing:
				rows[i][k] = -1
			case rng.Float64() < it.P(theta):
				rows[i][k] = 1
			}
		}
	}
	return rows
}

func normals(rng *rand.Rand, n int, mean, sd float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = mean + sd*rng.NormFloat64()
	}
	return x
}

// 1,000 people and 40 items: the parameters must come back, and 95 % intervals
// hold them. How close they come depends on the items: by maximum likelihood
// those with a ~ lognormal(0, 0.3), b ~ N(0, 1.2²) cannot be known better than to
// their mean standard errors, 0.11 and 0.17. In 100 runs (ATTUNE_LONG) the RMSEs
// of the three cases are 0.115 and 0.165, 0.107 and 0.142, 0.092 and 0.110; all
// coverages lie between 0.947 and 0.956.
func TestFitRecovers(t *testing.T) {
	long := os.Getenv("ATTUNE_LONG") != ""
	for _, tt := range []struct {
		name     string
		sdA, sdB float64
		opt      Options
		a, b     float64 // largest RMSE
		runs     int
	}{
		{"spread bank, maximum likelihood", 0.3, 1.2, Options{}, 0.125, 0.18, 3},
		{"spread bank, shrunken", 0.3, 1.2, Options{Shrink: true}, 0.118, 0.16, 2},
		{"even bank, shrunken", 0.2, 1, Options{Shrink: true}, 0.10, 0.12, 5},
	} {
		if long {
			tt.runs = 100
		}
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(31, 33))
			var a2, b2, seA2, seB2, n, aIn, bIn, sx2 float64
			for range tt.runs {
				bank := lognormalBank(rng, 40, tt.sdB)
				for k := range bank {
					bank[k].A = math.Pow(bank[k].A, tt.sdA/0.3)
				}
				c, err := Fit(simulate(rng, normals(rng, 1000, 0, 1), bank, 0), tt.opt)
				if err != nil || !c.Converged {
					t.Fatal(err, c.Warnings)
				}
				for k, f := range c.Items {
					n++
					a2, seA2 = a2+(f.A-bank[k].A)*(f.A-bank[k].A), seA2+f.SEA*f.SEA
					b2, seB2 = b2+(f.B-bank[k].B)*(f.B-bank[k].B), seB2+f.SEB*f.SEB
					if math.Abs(f.A-bank[k].A) < 1.96*f.SEA {
						aIn++
					}
					if math.Abs(f.B-bank[k].B) < 1.96*f.SEB {
						bIn++
					}
					if f.PValue < 0.05 {
						sx2++
					}
				}
			}
			t.Logf("RMSE a %.4f (SE %.4f), b %.4f (SE %.4f); coverage a %.4f, b %.4f; S-X2 under 5 %% in %.3f",
				math.Sqrt(a2/n), math.Sqrt(seA2/n), math.Sqrt(b2/n), math.Sqrt(seB2/n), aIn/n, bIn/n, sx2/n)
			if math.Sqrt(a2/n) > tt.a || math.Sqrt(b2/n) > tt.b {
				t.Errorf("RMSE a %.4f, b %.4f, want at most %v and %v", math.Sqrt(a2/n), math.Sqrt(b2/n), tt.a, tt.b)
			}
			for what, rate := range map[string]float64{"a": aIn / n, "b": bIn / n} {
				if slack := 2.5 * math.Sqrt(0.95*0.05/n); math.Abs(rate-0.95) > slack {
					t.Errorf("coverage of %s = %.4f", what, rate)
				}
			}
			if sx2/n < 0.02 || sx2/n > 0.09 {
				t.Errorf("S-X2 rejects %.3f of items that fit, want 0.05", sx2/n)
			}
		})
	}
}

func TestFitBad(t *testing.T) {
	for _, tt := range []struct {
		name string
		rows [][]int8
		opt  Options
	}{
		{"nothing", nil, Options{}},
		{"nothing answered", [][]int8{{-1, -1}}, Options{}},
		{"ragged", [][]int8{{0, 1}, {1}}, Options{}},
		{"a category under the 2PL", [][]int8{{0, 2}, {1, 0}}, Options{}},
		{"no such model", [][]int8{{0, 1}, {1, 0}}, Options{Model: "4pl"}},
		{"a group for only one", [][]int8{{0, 1}, {1, 0}}, Options{Group: []int{0}}},
		{"DIF without groups", [][]int8{{0, 1}, {1, 0}}, Options{DIF: true}},
	} {
		if _, err := Fit(tt.rows, tt.opt); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	rng := rand.New(rand.NewPCG(33, 34))
	rows := simulate(rng, normals(rng, 300, 0, 1), lognormalBank(rng, 6, 1), 0)
	for i := range rows {
		rows[i][2], rows[i][3] = 1, -1
		rows[i][4] = 1 - rows[i][5] // keyed the wrong way round
	}
	c, err := Fit(rows, Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, w := range c.Warnings {
		if iw, ok := errors.AsType[*ItemWarning](w); ok {
			said[iw.What] = true
		}
	}
	if !said[Constant] || !said[Unused] || c.Items[2].A != 0 || c.Items[3].A != 0 {
		t.Errorf("warnings %v, items %+v", c.Warnings, c.Items)
	}
	if (c.Items[4].A > 0) == (c.Items[5].A > 0) {
		t.Errorf("slopes %v and %v of an item and its reverse", c.Items[4].A, c.Items[5].A)
	}
}

func BenchmarkFit2000x40(b *testing.B) {
	rng := rand.New(rand.NewPCG(35, 36))
	rows := simulate(rng, normals(rng, 2000, 0, 1), lognormalBank(rng, 40, 1.2), 0)
	for b.Loop() {
		if _, err := Fit(rows, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFitMillion(b *testing.B) {
	rng := rand.New(rand.NewPCG(37, 38))
	rows := simulate(rng, normals(rng, 25000, 0, 1), lognormalBank(rng, 40, 1.2), 0)
	for b.Loop() {
		if _, err := Fit(rows, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1e6, "answers/op")
}
