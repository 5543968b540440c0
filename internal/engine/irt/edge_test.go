package irt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// odd draws an item as the site may never store but a file may hold.
func odd(rng *rand.Rand) Item {
	draw := func() float64 {
		switch rng.IntN(12) {
		case 0:
			return math.NaN()
		case 1:
			return math.Inf(1 - 2*rng.IntN(2))
		case 2:
			return 0
		case 3:
			return 1e6 * rng.NormFloat64()
		}
		return 2 * rng.NormFloat64()
	}
	it := Item{A: math.Abs(draw()), B: draw()}
	if rng.IntN(3) == 0 {
		it.C = draw() / 4
	}
	return it
}

// Whatever the items and answers are, estimates are numbers within reason.
func FuzzScoring(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed, uint8(seed*7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		bank := make([]Item, 1+int(n)%40)
		answers := make([]Answer, len(bank))
		way := rng.IntN(3) // all right, all wrong, mixed
		for i := range bank {
			bank[i] = odd(rng)
			answers[i] = Answer{bank[i], way == 0 || way == 2 && rng.IntN(2) == 0}
		}
		prior := Normal{2 * rng.NormFloat64(), 0.1 + rng.Float64()}
		a := Estimate(answers, prior)
		if math.IsNaN(a.Theta) || !(a.SE >= 0) || a.SE > 10*prior.SD || math.Abs(a.Theta-prior.Mean) > 7*prior.SD {
			t.Errorf("%+v under %+v from %v", a, prior, answers)
		}
		if p := FitPerson(answers, prior); math.IsNaN(p.Lz) || !(p.PValue >= 0 && p.PValue <= 1) {
			t.Errorf("%+v from %v", p, answers)
		}
		if s, se := Proficiency(answers, bank, prior); !math.IsNaN(TCC(bank, 0)) && !(s >= 0 && s <= 100 && se >= 0 && se <= 50) {
			t.Errorf("S = %v ± %v from %v", s, se, answers)
		}
		if k := Next(bank, nil, a.Theta, rng, NextOptions{Best: 3}); k >= 0 && !bank[k].Valid() {
			t.Errorf("item %v was chosen", bank[k])
		}
	})
}

// Small and degenerate samples give an answer with a warning, or an error, and
// never a silent NaN.
func FuzzJointGain(f *testing.F) {
	for seed := range uint64(25) {
		f.Add(seed, uint8(seed*11))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		rng := rand.New(rand.NewPCG(seed, 2))
		bank := lognormalBank(rng, 20, 2)
		pairs := make([]Pair, int(n)%25)
		kind := rng.IntN(4)
		for i := range pairs {
			z := rng.NormFloat64()
			pairs[i] = Pair{answer(rng, bank[:rng.IntN(9)], z), answer(rng, bank[10:10+rng.IntN(9)], z+1), []float64{1, rng.NormFloat64()}}
			for k := range pairs[i].After {
				switch kind {
				case 0:
					pairs[i].After[k].Correct = true
				case 1:
					pairs[i].After[k].Correct = i%2 == 0
				}
			}
		}
		g, err := JointGain(pairs, bank, FitOptions{})
		if err != nil {
			return
		}
		for i, p := range g.People {
			for _, v := range []float64{p.Before.S, p.Before.SE, p.After.S, p.After.SE, p.Delta, p.DeltaSE, p.Low, p.High, p.ThetaDelta, p.ThetaDeltaSE} {
				if math.IsNaN(v) {
					t.Fatalf("person %d of %d: %+v (%v)", i, len(pairs), p, g.Warnings)
				}
			}
			// The mean may lie outside the interval: a posterior can have nearly all
			// its mass at a ceiling and a long thin tail.
			if !(-100 <= p.Low && p.Low <= p.High && p.High <= 100) {
				t.Fatalf("person %d: interval %v…%v", i, p.Low, p.High)
			}
		}
		c := make([]float64, len(pairs))
		for i := range c {
			c[i] = 1 / float64(len(c))
		}
		if v, _ := g.Functional(c); g.Converged && math.IsNaN(v) || !g.Converged && !Warned(g.Warnings, ErrNotConverged) {
			t.Errorf("gain %v, converged %v, %v", v, g.Converged, g.Warnings)
		}
	})
}

// Calibrating small odd tables ends, and says what is wrong.
func FuzzFit(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed*5), uint8(seed*3))
	}
	models := []Model{Rasch, OnePL, TwoPL, ThreePL, GPCM}
	f.Fuzz(func(t *testing.T, seed uint64, people, items uint8) {
		rng := rand.New(rand.NewPCG(seed, 3))
		model := models[rng.IntN(len(models))]
		top := 2
		if model == GPCM {
			top = 4
		}
		rows := make([][]int8, int(people)%60)
		for i := range rows {
			rows[i] = make([]int8, 1+int(items)%8)
			for k := range rows[i] {
				rows[i][k] = int8(rng.IntN(top+1)) - 1
			}
		}
		c, err := Fit(rows, Options{Model: model, MaxIter: 300, Shrink: rng.IntN(2) == 0})
		if err != nil {
			return
		}
		if math.IsNaN(c.LogLikelihood) || math.IsInf(c.LogLikelihood, 0) || !c.Converged && !Warned(c.Warnings, ErrNotConverged) {
			t.Errorf("log likelihood %v, %v", c.LogLikelihood, c.Warnings)
		}
		for k, it := range c.Items {
			if math.IsNaN(it.A) || math.IsNaN(it.B) && it.A != 0 || math.IsNaN(it.PValue) || math.IsNaN(it.Outfit) {
				t.Errorf("%s item %d: %+v", model, k, it)
			}
		}
		for i := range c.Theta {
			if math.IsNaN(c.Theta[i]) || math.IsNaN(c.SE[i]) {
				t.Errorf("person %d: %v ± %v", i, c.Theta[i], c.SE[i])
			}
		}
	})
}
