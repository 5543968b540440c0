package irt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// On a bank of 200 items with a ~ lognormal(0, 0.3), b ~ N(0, 1.2²), catR needs
// 10.8 items on average for a standard error below 0.4, and 30 at random.
func TestSimulateCAT(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	var adaptive, random, exposed float64
	const banks = 5
	for range banks {
		bank := lognormalBank(rng, 200, 1.2)
		thetas := normals(rng, 300, 0, 1)
		r := SimulateCAT(bank, thetas, CATOptions{}, rng)
		adaptive += r.MeanItems / banks
		if r.Coverage < 0.91 || r.Coverage > 0.985 || r.RMSE > 0.45 || len(r.Warnings) > 0 {
			t.Errorf("coverage %.3f, RMSE %.3f, %v", r.Coverage, r.RMSE, r.Warnings)
		}
		random += SimulateCAT(bank, thetas[:60], CATOptions{Random: true}, rng).MeanItems / banks
		best := SimulateCAT(bank, thetas, CATOptions{Next: NextOptions{Best: 5}}, rng)
		exposed += best.MeanItems / banks
		if a, b := most(r.Exposure), most(best.Exposure); b >= a {
			t.Errorf("largest exposure %.2f with control, %.2f without", b, a)
		}
	}
	t.Logf("items: adaptive %.2f, among the best five %.2f, at random %.2f", adaptive, exposed, random)
	near(t, "adaptive", adaptive, 10.8, 0.8)
	near(t, "at random", random, 30, 3)
	if exposed > 1.2*adaptive {
		t.Errorf("exposure control takes %.1f items, without %.1f", exposed, adaptive)
	}

	r := SimulateCAT(lognormalBank(rng, 5, 1), []float64{0, 1}, CATOptions{SE: 0.1}, rng)
	if !Warned(r.Warnings, ErrPrecision) || r.MeanItems != 5 || r.Reached != 0 {
		t.Errorf("a bank of five cannot reach 0.1: %+v", r)
	}
	r = SimulateCAT(nil, []float64{0}, CATOptions{}, rng)
	if r.MeanItems != 0 || math.IsNaN(r.RMSE) {
		t.Errorf("no bank: %+v", r)
	}
	r = SimulateCAT([]Item{{A: math.NaN()}, {}}, []float64{0}, CATOptions{Random: true}, rng)
	if r.MeanItems != 0 {
		t.Errorf("no usable item: %+v", r)
	}
}

func most(x []float64) float64 {
	m := 0.0
	for _, v := range x {
		m = math.Max(m, v)
	}
	return m
}

func TestLink(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 44))
	to := append(lognormalBank(rng, 20, 1), Item{1.4, 0.3, 0.2}, Item{A: math.NaN()})
	want := Link{1.2, -0.4}
	back := Link{1 / want.Slope, -want.Intercept / want.Slope}
	from := make([]Item, len(to))
	for i, it := range to {
		from[i] = back.Item(it)
	}
	for name, f := range map[string]func(from, to []Item) (Link, error){"mean-sigma": MeanSigma, "Stocking–Lord": StockingLord} {
		l, err := f(from, to)
		if err != nil {
			t.Fatal(name, err)
		}
		near(t, name+" slope", l.Slope, want.Slope, 1e-8)
		near(t, name+" intercept", l.Intercept, want.Intercept, 1e-8)
		if _, err := f(from[:1], to[:1]); err == nil {
			t.Errorf("%s: linked by one item", name)
		}
	}
	near(t, "P is kept", want.Item(from[20]).P(want.Theta(0.7)), from[20].P(0.7), 1e-12)

	// With calibration error, which is larger for extreme items, Stocking–Lord is
	// the steadier of the two.
	var ms, sl float64
	for range 200 {
		noisy := make([]Item, 20)
		for i := range noisy {
			noisy[i] = Item{from[i].A * math.Exp(0.1*rng.NormFloat64()), from[i].B + 0.06*(1+from[i].B*from[i].B)*rng.NormFloat64(), 0}
		}
		a, _ := MeanSigma(noisy, to[:20])
		b, _ := StockingLord(noisy, to[:20])
		ms += math.Pow(a.Theta(1)-want.Theta(1), 2)
		sl += math.Pow(b.Theta(1)-want.Theta(1), 2)
	}
	if sl > ms {
		t.Errorf("squared error of Stocking–Lord %.4f, mean-sigma %.4f", sl/200, ms/200)
	}
}

func TestFitPerson(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 46))
	bank := lognormalBank(rng, 40, 1.2)
	var mean, square, low, caught float64
	const n = 1200
	for range n {
		f := FitPerson(answer(rng, bank, rng.NormFloat64()), Normal{0, 1})
		mean, square = mean+f.Lz/n, square+f.Lz*f.Lz/n
		if f.PValue < 0.05 {
			low += 1.0 / n
		}
		guess := make([]Answer, len(bank))
		for i, it := range bank {
			guess[i] = Answer{it, rng.Float64() < 0.5}
		}
		if FitPerson(guess, Normal{0, 1}).PValue < 0.05 {
			caught += 1.0 / n
		}
	}
	t.Logf("lz of honest people: mean %.3f, SD %.3f, %.3f below 5 %%; of guessers %.3f are caught", mean, math.Sqrt(square-mean*mean), low, caught)
	near(t, "mean", mean, 0, 0.12)
	near(t, "SD", math.Sqrt(square-mean*mean), 1, 0.08)
	near(t, "false alarms", low, 0.05, 0.025)
	if caught < 0.9 {
		t.Errorf("only %.2f of guessers were caught", caught)
	}
	if f := FitPerson(nil, Normal{}); f.Lz != 0 || f.PValue != 1 {
		t.Errorf("%+v", f)
	}
	same := []Answer{{Item{A: 1}, true}, {Item{A: 1}, false}, {Item{A: 1}, true}}
	if f := FitPerson(same, Normal{}); math.IsNaN(f.Lz) || math.IsNaN(f.PValue) {
		t.Errorf("equal items: %+v", f)
	}
}

func TestEffort(t *testing.T) {
	near(t, "threshold", RapidThreshold([]float64{20, 40, math.NaN(), -1}), 3, 1e-12)
	near(t, "long items", RapidThreshold([]float64{600, 200}), 10, 1e-12)
	near(t, "no times", RapidThreshold(nil), 0, 0)
	near(t, "effort", Effort([]float64{2, 30, 5, 4}, []float64{3, 3, 3, 10}), 0.5, 1e-12)
	near(t, "no answers", Effort(nil, nil), 1, 0)
}
