package irt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// When nobody changes, or all change alike, before and after are perfectly
// correlated and the residual covariance is singular. The fit must still end
// with figures.
func TestJointGainWhenNobodyChanges(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 7))
		bank := make([]Item, 36)
		for i := range bank {
			bank[i] = Item{A: math.Exp(0.28 * rng.NormFloat64()), B: rng.NormFloat64()}
		}
		people := make([]Pair, 400)
		for i := range people {
			theta := 0.9*rng.NormFloat64() - 0.3
			answer := func(items []int) (out []Answer) {
				for _, j := range items {
					out = append(out, Answer{bank[j], rng.Float64() < bank[j].P(theta)})
				}
				return out
			}
			order := rng.Perm(len(bank))
			people[i] = Pair{Before: answer(order[:10]), After: answer(order[10:20])}
		}
		g, err := JointGain(people, bank, FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !g.Converged {
			t.Errorf("seed %d: not converged: %v", seed, g.Warnings)
		}
		c := make([]float64, len(people))
		for i := range c {
			c[i] = 1 / float64(len(c))
		}
		v, inf := g.Functional(c)
		sq := 0.0
		for _, x := range inf {
			sq += x * x
		}
		if se := math.Sqrt(sq); !(math.Abs(v) < 4*se) {
			t.Errorf("seed %d: mean gain %.3f ± %.3f, want about 0", seed, v, se)
		}
		for i, p := range g.People {
			if math.IsNaN(p.Delta) || math.IsNaN(p.DeltaSE) || p.DeltaSE < 0 {
				t.Fatalf("seed %d: person %d: %+v", seed, i, p)
			}
		}
	}
}
