package effect

import (
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// nsw reads the National Supported Work sample of Dehejia & Wahba (1999) after
// LaLonde (1986): 185 trained men and 260 controls, earnings in dollars.
func nsw(t testing.TB, covariates ...string) Data {
	t.Helper()
	f, err := os.Open("testdata/nsw.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) (v []float64) {
		for j, h := range rows[0] {
			if h == name {
				for _, r := range rows[1:] {
					x, err := strconv.ParseFloat(r[j], 64)
					if err != nil {
						t.Fatal(err)
					}
					v = append(v, x)
				}
			}
		}
		if len(v) != 445 {
			t.Fatalf("%s: %d rows", name, len(v))
		}
		return v
	}
	d := Data{Outcome: column("re78"), Treatment: column("treat")}
	for _, c := range covariates {
		d.Covariates = append(d.Covariates, Covariate{c, column(c)})
	}
	return d
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.10g, want %.10g ± %g", what, got, want, tol)
	}
}

// warned tells whether a warning of that kind was given.
func warned(e []error, k Kind) bool { return errors.Is(errors.Join(e...), k) }

// codes numbers n rows by f.
func codes(n int, f func(i int) int) []int {
	c := make([]int, n)
	for i := range c {
		c[i] = f(i)
	}
	return c
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// repeats is how often a simulation runs: n times, eight times as often with
// ATTUNE_LONG=1.
func repeats(n int) int {
	if os.Getenv("ATTUNE_LONG") == "1" {
		return 8 * n
	}
	return n
}

// covers fails unless hits of n lie within 3.5 binomial standard errors of 95 %.
func covers(t *testing.T, what string, hits, n int) {
	t.Helper()
	rate := float64(hits) / float64(n)
	slack := 3.5 * math.Sqrt(.95*.05/float64(n))
	if math.Abs(rate-.95) > slack {
		t.Errorf("%s: %.3f of %d intervals hold the truth, want 0.95 ± %.3f", what, rate, n, slack)
	}
	t.Logf("%s: coverage %.3f of %d", what, rate, n)
}
