package memory

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// The analytic gradient must be that of finite differences, for every weight,
// at weights away from every bound and kink.
func TestGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	w := Default
	for i := range w {
		w[i] *= 1 + 0.1*rng.NormFloat64()
	}
	w[7], w[19] = 0.05, 0.1
	w = w.Clamp(1, true)
	log := learner{truth: person(rng, 0.5), cards: 200, perDay: 2, days: 150}.log(t, rng)
	h, err := gather(log, DayStart)
	if err != nil {
		t.Fatal(err)
	}
	weight := make([]float64, h.n)
	for i := range weight {
		weight[i] = rng.Float64()
	}
	value := func(w Weights) (float64, Weights) {
		p := &pass{}
		p.set(w)
		var g Weights
		v := p.gradient(h, 0, len(h.first)-1, h.n, weight, &g)
		return v, g
	}
	_, g := value(w)
	for i := range w {
		e := 1e-5 * math.Max(w[i], 0.01)
		up, down := w, w
		up[i] += e
		down[i] -= e
		a, _ := value(up)
		b, _ := value(down)
		if want := (a - b) / (2 * e); math.Abs(g[i]-want) > 1e-3*math.Abs(want)+1e-4 {
			t.Errorf("derivative by weight %d = %.6f, by differences %.6f", i, g[i], want)
		}
	}
}

// bindingLearners are logs that the official optimiser was run on as well.
func bindingLearner(t testing.TB, k int) []Review {
	rng := rand.New(rand.NewPCG(uint64(k), 77))
	scatter := 0.0
	if k >= 40 {
		scatter = 0.7
	}
	return learner{person(rng, 0.6+0.2*float64(k%2)), 300, 3, 150, scatter}.log(t, rng)
}

// The model, the days and the bins must be those of the official
// implementation: npm @open-spaced-repetition/binding 0.5.0 (fsrs-rs 6.5.0)
// evaluated these logs with default weights, and with weights it had fitted,
// each review weighing 0.25 + 0.75·x³ by its place x in time. Only reviews after
// a card's first on a later day are compared, since among those first ones the
// binding leaves out what it takes for outliers.
func TestPredictsAsBinding(t *testing.T) {
	for _, tt := range []struct {
		log           int
		w             Weights
		reviews       int
		logLoss, rmse float64
	}{
		{32, Default, 1546, 0.40417621, 0.06267357},
		{32, Weights{0.385793626, 0.798083365, 3.478802681, 14.328896523, 6.419145107, 0.840279400, 3.002369165, 0.002971410, 1.724869370, 0.138718292, 0.649131119, 1.484394908, 0.072383343, 0.285779059, 1.669606924, 0.505859792, 1.688609958, 0.502863109, 0.052496251, 0.101643182, 0.115714647}, 1546, 0.40056458, 0.05847728},
		{41, Default, 2270, 0.52005130, 0.12516575},
		{41, Weights{0.125717729, 0.284895986, 0.877359152, 1.227561593, 6.416327953, 0.732152402, 3.121627569, 0.009090417, 1.806206226, 0.299847901, 0.738578260, 1.368993044, 0.169330180, 0.150191575, 1.562228084, 0.542910814, 1.770219684, 0.503671706, 0.012894926, 0.038357556, 0.226618201}, 2270, 0.49156266, 0.07051622},
	} {
		h, err := gather(bindingLearner(t, tt.log), DayStart)
		if err != nil {
			t.Fatal(err)
		}
		bins := make([]uint32, h.n)
		second := make([]bool, h.n) // a second review on a later day, or one after that
		n := 0
		for c := range len(h.first) - 1 {
			seen := false
			for i := h.first[c]; i < h.first[c+1]; i++ {
				if r := h.rank[i]; r >= 0 {
					bins[r], second[r] = h.bin[i], seen
					if seen {
						n++
					}
					seen = true
				}
			}
		}
		if n != tt.reviews {
			t.Fatalf("log %d: %d reviews, want %d", tt.log, n, tt.reviews)
		}
		p, y := h.predictions(tt.w, 0, h.n), h.outcomes(0, h.n)
		type cell struct{ n, p, y, weight float64 }
		cells := map[uint32]cell{}
		var loss, weight float64
		place := -1
		for i := range p {
			if !second[i] {
				continue
			}
			place++
			x := float64(place) / float64(n-1)
			v := 0.25 + 0.75*x*x*x
			c := cells[bins[i]]
			c.n, c.p, c.weight = c.n+1, c.p+p[i], c.weight+v
			if y[i] {
				loss -= v * math.Log(p[i])
				c.y++
			} else {
				loss -= v * math.Log(1-p[i])
			}
			weight += v
			cells[bins[i]] = c
		}
		var rmse float64
		for _, c := range cells {
			d := (c.p - c.y) / c.n
			rmse += c.weight * d * d
		}
		rmse = math.Sqrt(rmse / weight)
		if math.Abs(loss/weight-tt.logLoss) > 2e-6 || math.Abs(rmse-tt.rmse) > 2e-5 {
			t.Errorf("log %d: log loss %.8f, rmse (bins) %.8f, want %.8f, %.8f", tt.log, loss/weight, rmse, tt.logLoss, tt.rmse)
		}
	}
}

// Over five expanding splits the fitted weights must predict at least as well
// as those that npm @open-spaced-repetition/binding 0.5.0 fits to the same
// reviews (computeParameters on each split's past; the five predictions
// measured together): its means over the eight learners of each kind.
func TestAtLeastAsGoodAsBinding(t *testing.T) {
	for _, tt := range []struct {
		name          string
		from, to      int
		logLoss, rmse float64
	}{
		{"memory as the model says", 32, 40, 0.36648, 0.0537},
		{"stability scattered between cards", 40, 48, 0.37797, 0.0651},
	} {
		var logLoss, rmse, def float64
		for k := tt.from; k < tt.to; k++ {
			e, err := Evaluate(bindingLearner(t, k), DefaultFitOptions())
			if err != nil {
				t.Fatal(err)
			}
			logLoss += e.Fitted.LogLoss / 8
			rmse += e.Fitted.RMSEBins / 8
			def += e.Default.LogLoss / 8
		}
		t.Logf("%s: log loss %.5f (binding %.5f, defaults %.5f), rmse (bins) %.4f (binding %.4f)", tt.name, logLoss, tt.logLoss, def, rmse, tt.rmse)
		if logLoss > tt.logLoss || rmse > tt.rmse {
			t.Errorf("%s: log loss %.5f, rmse (bins) %.4f; the official optimiser has %.5f, %.4f", tt.name, logLoss, rmse, tt.logLoss, tt.rmse)
		}
	}
}

// Fitted to plenty of reviews, the weights must predict all but as well as the
// truth does, and the chief ones must be found again.
func TestFitRecovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	l := learner{truth: person(rng, 0.5), cards: 6000, perDay: 25, days: 365}
	f, err := FitWeights(l.log(t, rng), DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	fresh := l.log(t, rand.New(rand.NewPCG(10, 10)))
	got, err := Measure(fresh, f.Weights, DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	truth, err := Measure(fresh, l.truth, DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	if got.LogLoss > truth.LogLoss+0.001 {
		t.Errorf("log loss on fresh reviews %.5f, truth %.5f", got.LogLoss, truth.LogLoss)
	}
	for r := range 4 {
		if x := f.Weights[r] / l.truth[r]; x < 0.7 || x > 1.4 {
			t.Errorf("first stability after %d: %.3f days, truth %.3f", r+1, f.Weights[r], l.truth[r])
		}
	}
	if f.Default < f.LogLoss {
		t.Errorf("defaults fit better: %.5f < %.5f", f.Default, f.LogLoss)
	}
}

func TestFewReviewsLeaveTheDefaults(t *testing.T) {
	log := []Review{{Card: "a", At: 0, Rating: Good}, {Card: "a", At: 3 * 86400000, Rating: Again}}
	f, err := FitWeights(log, DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	if f.Weights != Default || f.Reviews != 1 || !errors.Is(errors.Join(f.Warnings...), ErrFewReviews) {
		t.Errorf("%+v", f)
	}
	if _, err := Evaluate(log, DefaultFitOptions()); !errors.Is(err, ErrFewReviews) {
		t.Errorf("Evaluate: %v", err)
	}
	if f, err = FitWeights(nil, DefaultFitOptions()); err != nil || f.Weights != Default {
		t.Errorf("no reviews: %v, %v", f, err)
	}
}

// Which reviews count, by their states, as npm @open-spaced-repetition/binding
// 0.5.0 converts the same log.
func TestGather(t *testing.T) {
	const day = 86400000
	log := []Review{
		{"late start", 5 * day, Good, 2}, {"late start", 9 * day, Good, 2},
		{"again from new", 0, Good, 2}, {"again from new", 1 * day, Again, 2}, {"again from new", 3 * day, Good, 1}, {"again from new", 4 * day, Hard, 1}, {"again from new", 9 * day, Good, 2},
		{"plain", 10 * day, Good, 0}, {"plain", 10*day + 3600000, Good, 0}, {"plain", 11*day + 2*3600000, Good, 0}, {"plain", 12 * day, 0, 5}, {"plain", 16 * day, Again, 0},
	}
	h, err := gather(log, DayStart)
	if err != nil {
		t.Fatal(err)
	}
	if h.cut != 1 || h.n != 4 || len(h.first) != 3 {
		t.Fatalf("cut %d, to predict %d, cards %d", h.cut, h.n, len(h.first)-1)
	}
	want := []float32{0, 1, 5, 0, 0, 1, 5} // 2:00 on day 11 is still day 10's
	for i, d := range want {
		if h.days[i] != d {
			t.Errorf("review %d: %v days, want %v", i, h.days[i], d)
		}
	}
	if _, err := gather([]Review{{Rating: 5}}, 0); !errors.Is(err, ErrRating) {
		t.Errorf("rating 5: %v", err)
	}
	if _, err := gather([]Review{{Rating: 1, State: 6}}, 0); !errors.Is(err, ErrLogState) {
		t.Errorf("state 6: %v", err)
	}
}

// Computed by hand: of the six pairs of a success and a failure, 3 are in
// order and 1 is tied.
func TestMetrics(t *testing.T) {
	p, y := []float64{0.9, 0.8, 0.6, 0.6, 0.3}, []bool{true, false, true, false, true}
	if got := auc(p, y); math.Abs(got-2.5/6) > 1e-12 {
		t.Errorf("auc = %v, want %v", got, 2.5/6)
	}
	if got, want := logLoss(p, y), -(math.Log(0.9)+math.Log(0.2)+math.Log(0.6)+math.Log(0.4)+math.Log(0.3))/5; math.Abs(got-want) > 1e-12 {
		t.Errorf("log loss = %v, want %v", got, want)
	}
	// Bins {0.9, 0.8} and the rest: means .85 against .5, and .5 against 2/3.
	if got, want := rmseBins(p, y, []uint32{1, 1, 2, 2, 2}), math.Sqrt((2*0.35*0.35+3.0/36)/5); math.Abs(got-want) > 1e-12 {
		t.Errorf("rmse (bins) = %v, want %v", got, want)
	}
	if !math.IsNaN(auc(p, make([]bool, 5))) {
		t.Error("an AUC of failures only")
	}
}

// A million reviews fitted in 60 s at most, on two cores.
func TestMillionReviews(t *testing.T) {
	if os.Getenv("ATTUNE_LONG") == "" {
		t.Skip("ATTUNE_LONG is not set")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	log := learner{person(rng, 0.5), 90000, 600, 365, 0.5}.log(t, rng)
	begin := time.Now()
	f, err := FitWeights(log, DefaultFitOptions())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("%d reviews, %d on later days: %v, %d iterations", len(log), f.Reviews, took, f.Iterations)
	if len(log) < 1000000 || took > time.Minute {
		t.Errorf("%d reviews took %v", len(log), took)
	}
}

func BenchmarkFit(b *testing.B) {
	log := bindingLearner(b, 32)
	for b.Loop() {
		if _, err := FitWeights(log, DefaultFitOptions()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(log)), "reviews/op")
}
