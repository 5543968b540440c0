package irt

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.6f, want %.6f ± %g", what, got, want, tol)
	}
}

// lognormalBank draws a bank with a ~ lognormal(0, 0.3) and b ~ N(0, sdB²).
func lognormalBank(rng *rand.Rand, n int, sdB float64) []Item {
	bank := make([]Item, n)
	for i := range bank {
		bank[i] = Item{A: math.Exp(0.3 * rng.NormFloat64()), B: sdB * rng.NormFloat64()}
	}
	return bank
}

// answer lets a person of the given ability answer the items.
func answer(rng *rand.Rand, items []Item, theta float64) []Answer {
	answers := make([]Answer, len(items))
	for i, it := range items {
		answers[i] = Answer{it, rng.Float64() < it.P(theta)}
	}
	return answers
}

// The expected values were integrated with R's integrate().
func TestEstimate(t *testing.T) {
	easy, mid, hard := Item{A: 1, B: -1}, Item{A: 1}, Item{A: 1, B: 1}
	nan := Item{A: math.NaN()}
	for _, tt := range []struct {
		name      string
		answers   []Answer
		prior     Normal
		theta, se float64
		warn      error
	}{
		{"no answer leaves the prior", nil, Normal{}, 0, 1, nil},
		{"no answer leaves any prior", nil, Normal{-1.5, 0.7}, -1.5, 0.7, nil},
		{"symmetric answers cancel", []Answer{{easy, true}, {hard, false}}, Normal{}, 0, 0.85587726, nil},
		{"right raises", []Answer{{mid, true}}, Normal{}, 0.41324193, 0.91062128, ErrAllSame},
		{"wrong lowers as much", []Answer{{mid, false}}, Normal{}, -0.41324193, 0.91062128, ErrAllSame},
		{"prior of the population", []Answer{{easy, true}, {hard, true}, {mid, false}}, Normal{0.5, 1.3}, 0.69245036, 0.94271035, nil},
		{"guessing counts", []Answer{{Item{2, 0, 0.25}, true}, {Item{1.5, 0.5, 0.2}, false}}, Normal{}, -0.07112354, 0.83200898, nil},
		{"a long test does not underflow", slices.Repeat([]Answer{{mid, true}, {mid, false}}, 600), Normal{}, 0, 0.05766291, nil},
		{"an item without parameters is left out", []Answer{{mid, true}, {nan, false}}, Normal{}, 0.41324193, 0.91062128, ErrBadItem},
		{"a prior that is none", nil, Normal{0, -1}, 0, 1, ErrBadPrior},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Estimate(tt.answers, tt.prior)
			near(t, "Theta", got.Theta, tt.theta, 2e-6)
			near(t, "SE", got.SE, tt.se, 2e-6)
			if tt.warn != nil && !Warned(got.Warnings, tt.warn) || tt.warn == nil && len(got.Warnings) > 0 {
				t.Errorf("Warnings = %v, want %v", got.Warnings, tt.warn)
			}
		})
	}
}

func TestEstimateCoversTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	prior := Normal{0.4, 1.2}
	const people = 2000
	covered := 0
	for range people {
		truth := prior.Mean + prior.SD*rng.NormFloat64()
		est := Estimate(answer(rng, lognormalBank(rng, 25, 1.2), truth), prior)
		if math.Abs(est.Theta-truth) <= 1.96*est.SE {
			covered++
		}
	}
	if rate := float64(covered) / people; rate < 0.93 || rate > 0.97 {
		t.Errorf("coverage = %.3f, want 0.95 ± 0.02", rate)
	}
}

func TestItem(t *testing.T) {
	// Lord (1980, ch. 5): with guessing the information peaks above b, at
	// b + ln((1+√(1+8c))/2)/a.
	it := Item{A: 1.3, B: 0.2, C: 0.2}
	peak := it.B + math.Log((1+math.Sqrt(1+8*it.C))/2)/it.A
	for _, off := range []float64{-0.05, 0.05} {
		if it.Information(peak+off) >= it.Information(peak) {
			t.Errorf("information at %.3f is not below that at the peak %.3f", peak+off, peak)
		}
	}
	near(t, "2PL information at b", Item{A: 2, B: 1}.Information(1), 1, 1e-12)
	near(t, "P at b", it.P(0.2), 0.6, 1e-12)
	for _, theta := range []float64{-800, 800} {
		for _, right := range []bool{true, false} {
			if l := (Answer{Item{A: 1}, right}).logP(theta); math.IsNaN(l) || math.IsInf(l, 0) || l > 0 {
				t.Errorf("logP(%v, %v) = %v", theta, right, l)
			}
		}
	}
}

func TestScale(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	bank := append(lognormalBank(rng, 200, 1.2), Item{4, 0.1, 0.2}, Item{A: math.NaN()})
	sc := NewScale(bank)
	for theta := -14.0; theta < 14; theta += 0.037 {
		s, slope := sc.At(theta)
		near(t, "At", s, TCC(bank, theta), 1e-4)
		near(t, "slope", slope, (TCC(bank, theta+1e-5)-TCC(bank, theta-1e-5))/2e-5, 1e-3)
	}
	for _, s := range []float64{5, 35, 50, 80, 99} {
		near(t, "TCC∘ThetaAt", TCC(bank, ThetaAt(bank, s)), s, 1e-9)
		near(t, "Scale.ThetaAt", sc.ThetaAt(s), ThetaAt(bank, s), 1e-4)
	}
	near(t, "ThetaAt(100)", ThetaAt(bank, 100), MaxTheta, 1e-9)
	near(t, "ThetaAt(-1)", ThetaAt(bank, -1), -MaxTheta, 1e-9)
	if !math.IsNaN(TCC(nil, 0)) || !math.IsNaN(ThetaAt(nil, 50)) || !math.IsNaN(NewScale(nil).ThetaAt(50)) {
		t.Error("an empty bank has no curve")
	}
	answers := answer(rng, bank[:12], 0.3)
	s, se := Proficiency(answers, bank, Normal{0, 1})
	s2, se2 := sc.Proficiency(answers, Normal{0, 1})
	near(t, "Scale.Proficiency", s2, s, 1e-4)
	near(t, "Scale.Proficiency SE", se2, se, 1e-4)

	m, byMu, byVar, _ := sc.normalMean(0.4, 0.9)
	up, _, _, _ := sc.normalMean(0.4+1e-4, 0.9)
	wide, _, _, _ := sc.normalMean(0.4, math.Sqrt(0.81+1e-4))
	near(t, "derivative by mean", byMu, (up-m)/1e-4, 1e-2)
	near(t, "derivative by variance", byVar, (wide-m)/1e-4, 1e-2)
}

func TestNext(t *testing.T) {
	bank := []Item{{A: 1, B: -2}, {A: 1, B: 0}, {A: 2, B: 0.1}, {A: 1, B: 2}, {A: math.NaN()}}
	rng := rand.New(rand.NewPCG(5, 6))
	if got := Next(bank, nil, 0, nil, NextOptions{Best: 3}); got != 2 {
		t.Errorf("most informative at 0 = %d, want 2", got)
	}
	used := make([]bool, len(bank))
	used[2] = true
	if got := Next(bank, used, 0, rng, NextOptions{}); got != 1 {
		t.Errorf("second most informative = %d, want 1", got)
	}
	seen := make([]int, len(bank))
	for range 3000 {
		seen[Next(bank, nil, 0, rng, NextOptions{Best: 2})]++
	}
	if seen[1] < 1400 || seen[2] < 1400 || seen[1]+seen[2] != 3000 {
		t.Errorf("drawn among the best two: %v", seen)
	}
	opt := NextOptions{Content: []int{0, 0, 1, 0, 1}, Shares: []float64{0.9, 0.1}}
	if got := Next(bank, nil, 0, nil, opt); got != 1 {
		t.Errorf("item of the area most short = %d, want 1", got)
	}
	for i := range used {
		used[i] = i < 4
	}
	if got := Next(bank, used, 0, rng, opt); got != -1 {
		t.Errorf("nothing usable left, yet %d", got)
	}

	big := lognormalBank(rng, 300, 1)
	area := make([]int, len(big))
	for i := range area {
		area[i] = i % 3
	}
	used = make([]bool, len(big))
	count := make([]int, 3)
	for range 40 {
		i := Next(big, used, 0, rng, NextOptions{Best: 5, Content: area, Shares: []float64{0.5, 0.3, 0.2}})
		used[i] = true
		count[area[i]]++
	}
	if !slices.Equal(count, []int{20, 12, 8}) {
		t.Errorf("content of 40 items = %v, want 20, 12, 8", count)
	}
}

func BenchmarkNext5000(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 8))
	bank := lognormalBank(rng, 5000, 1.2)
	used := make([]bool, len(bank))
	for b.Loop() {
		Next(bank, used, 0.3, rng, NextOptions{Best: 5})
	}
}

func BenchmarkEstimate30(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	answers := answer(rng, lognormalBank(rng, 30, 1.2), 0)
	for b.Loop() {
		Estimate(answers, Normal{0, 1})
	}
}
