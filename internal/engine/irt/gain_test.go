package irt

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// truth is what a simulated person really was.
type truth struct{ before, after float64 }

// trial simulates a training: half are trained and gain, the rest wait. Everyone
// answers a form of their own on each occasion.
func trial(rng *rand.Rand, people, items int, gain float64, bank []Item) ([]Pair, []truth) {
	pairs, truths := make([]Pair, people), make([]truth, people)
	const rho, sd0, sd1 = 0.8, 1.0, 1.1
	for i := range pairs {
		z0, z1 := rng.NormFloat64(), rng.NormFloat64()
		t := truth{-0.3 + sd0*z0, -0.2 + sd1*(rho*z0+math.Sqrt(1-rho*rho)*z1)}
		x := []float64{1, float64(i % 2)}
		t.after += gain * x[1]
		form := func() []Item {
			f := make([]Item, items)
			for k, at := range rng.Perm(len(bank))[:items] {
				f[k] = bank[at]
			}
			return f
		}
		pairs[i] = Pair{answer(rng, form(), t.before), answer(rng, form(), t.after), x}
		truths[i] = t
	}
	return pairs, truths
}

// groupGain weighs the trained against those who wait.
func groupGain(pairs []Pair) []float64 {
	c := make([]float64, len(pairs))
	var n [2]float64
	for _, p := range pairs {
		n[int(p.X[1])]++
	}
	for i, p := range pairs {
		c[i] = (2*p.X[1] - 1) / n[int(p.X[1])]
	}
	return c
}

// sumSquares is the variance that influences give when people are independent.
func sumSquares(influence []float64) float64 { return dot(influence, influence) }

// A gain of 0.6 logit must come back whole from short tests, and intervals must
// hold what they promise.
func TestJointGainRecovers(t *testing.T) {
	runs := 50
	if os.Getenv("ATTUNE_LONG") != "" {
		runs = 1000
	}
	rng := rand.New(rand.NewPCG(11, 13))
	bank := lognormalBank(rng, 120, 1.2)
	sc := NewScale(bank)
	// The effect in points, by the model that simulates.
	m1, _, _, _ := sc.normalMean(-0.2+0.6, 1.1)
	m0, _, _, _ := sc.normalMean(-0.2, 1.1)
	effect := m1 - m0
	for _, items := range []int{5, 10} {
		t.Run(fmt.Sprint(items, " items"), func(t *testing.T) {
			var bias, thetaBias, square, se2, people float64
			var covered, thetaCovered, personCovered int
			for range runs {
				pairs, truths := trial(rng, 300, items, 0.6, bank)
				g, err := JointGain(pairs, bank, FitOptions{})
				if err != nil || !g.Converged {
					t.Fatalf("converged %v, %v", g.Converged, err)
				}
				c := groupGain(pairs)
				v, influence := g.Functional(c)
				se := math.Sqrt(sumSquares(influence))
				bias += (v - effect) / float64(runs)
				square += (v - effect) * (v - effect) / float64(runs)
				se2 += se * se / float64(runs)
				if math.Abs(v-effect) < 1.96*se {
					covered++
				}
				v, influence = g.ThetaFunctional(c)
				thetaBias += (v - 0.6) / float64(runs)
				if math.Abs(v-0.6) < 1.96*math.Sqrt(sumSquares(influence)) {
					thetaCovered++
				}
				for i, p := range g.People {
					delta := TCCat(sc, truths[i].after) - TCCat(sc, truths[i].before)
					people++
					if p.Low <= delta && delta <= p.High {
						personCovered++
					}
				}
			}
			noise := math.Sqrt(square / float64(runs))
			t.Logf("effect %.2f points: bias %+.3f ± %.3f, SD %.3f, SE %.3f; logits: bias %+.4f; coverage of the effect %.3f, in logits %.3f, of people's gains %.4f",
				effect, bias, noise, math.Sqrt(square), math.Sqrt(se2), thetaBias,
				float64(covered)/float64(runs), float64(thetaCovered)/float64(runs), float64(personCovered)/people)
			if math.Abs(bias) > 3*noise || math.Abs(bias) > 0.05*effect {
				t.Errorf("bias of the effect = %.3f points of %.2f", bias, effect)
			}
			if math.Abs(thetaBias) > 0.03 {
				t.Errorf("bias of the effect = %.3f logits of 0.6", thetaBias)
			}
			// 50 runs know a coverage to ±3.1 percentage points (one SE).
			slack := 2.5 * math.Sqrt(0.95*0.05/float64(runs))
			for what, rate := range map[string]float64{
				"the effect":    float64(covered) / float64(runs),
				"the effect, θ": float64(thetaCovered) / float64(runs),
			} {
				if rate < 0.95-slack || rate > 0.95+slack {
					t.Errorf("coverage of %s = %.3f", what, rate)
				}
			}
			if rate := float64(personCovered) / people; rate < 0.93 || rate > 0.97 {
				t.Errorf("coverage of people's gains = %.4f", rate)
			}
			if r := se2 / square; r < 0.6 || r > 1.6 { // the variance of 50 runs is known to ±20 %
				t.Errorf("mean SE² over variance = %.2f", r)
			}
		})
	}
}

// TCCat is the scale's value alone.
func TCCat(sc *Scale, theta float64) float64 { s, _ := sc.At(theta); return s }

// The marginal likelihood's score and information, which everything rests on,
// against differences of the log likelihood.
func TestJointDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	bank := lognormalBank(rng, 60, 1)
	pairs, _ := trial(rng, 70, 6, 0.6, bank)
	pairs[3].After, pairs[4].Before = nil, nil
	g, err := JointGain(pairs, bank, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	j := g.joint
	n := 2*j.k + 3
	at := func(shift []float64) *jointSums {
		k := *j
		p := invert(j.cov)
		for o := range 2 {
			k.coef[o] = make([]float64, j.k)
			for a := range j.k {
				k.coef[o][a] = j.coef[o][a] + shift[o*j.k+a]
			}
		}
		k.cov = invert([3]float64{p[0] + shift[n-3], p[1] + shift[n-2], p[2] + shift[n-1]})
		return k.pass()
	}
	off := make([]float64, n) // away from the maximum, where the score is not 0
	for a := range off {
		off[a] = 0.05 * float64(a%3)
	}
	base := at(off)
	const h = 1e-4
	for a := range n {
		up, down := append([]float64{}, off...), append([]float64{}, off...)
		up[a], down[a] = up[a]+h, down[a]-h
		hi, lo := at(up), at(down)
		near(t, fmt.Sprint("score ", a), base.grad[a], (hi.ll-lo.ll)/(2*h), 1e-4)
		for b := a; b < n; b++ {
			near(t, fmt.Sprint("information ", a, b), base.hess[a*n+b], -(hi.grad[b]-lo.grad[b])/(2*h), 1e-3)
		}
	}
}

// The likelihood of a single pair of answers, against a double integral by R:
// items a=1, b=0 right before, a=1.5, b=0.5 wrong after; means 0.2 and 0.7, SDs
// 0.9 and 1.1, correlation 0.6.
func TestJointLikelihood(t *testing.T) {
	p := []Pair{{[]Answer{{Item{A: 1}, true}}, []Answer{{Item{A: 1.5, B: 0.5}, false}}, nil}}
	j := oneJoint(p, [2]float64{0.2, 0.7}, 0.9, 1.1, 0.6)
	m := j.moments(j.kernel(invert(j.cov)), invert(j.cov), 0, 1)[0]
	unit := math.Log(j.line[0].step*j.line[1].step/(2*math.Pi)) - math.Log(j.cov[0]*j.cov[2]-j.cov[1]*j.cov[1])/2
	near(t, "likelihood", math.Exp(m.logZ+j.top[0][0]+j.top[1][0]+unit), 0.2120732, 1e-6)
	near(t, "E θ0", 0.2+m.e[1][0], 0.1961248, 1e-6)
	near(t, "E θ1", 0.7+m.e[0][1], 0.2095479, 1e-6)
	// The slow way must agree with the factored one.
	var e [5][5]float64
	near(t, "log mass", j.far(0, invert(j.cov), &e), m.logZ, 1e-9)
	near(t, "moment 2,2", e[2][2], m.e[2][2], 1e-9)
}

// oneJoint is a model with given parameters, without covariates.
func oneJoint(p []Pair, mean [2]float64, sd0, sd1, rho float64) *joint {
	before, after := make([][]Answer, len(p)), make([][]Answer, len(p))
	x := make([][]float64, len(p))
	seen := make([]bool, len(p))
	for i := range p {
		before[i], after[i], x[i], seen[i] = p[i].Before, p[i].After, []float64{1}, true
	}
	j := &joint{sheets: [2]*sheets{newSheets(before), newSheets(after)}, sc: NewScale([]Item{{A: 1}}), seen: seen, n: float64(len(p)), k: 1}
	j.d, _, _ = newDesign(x, seen, nil)
	j.coef = [2][]float64{{mean[0]}, {mean[1]}}
	j.cov = [3]float64{sd0 * sd0, rho * sd0 * sd1, sd1 * sd1}
	j.grid(0.3)
	return j
}

func TestJointGainEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	bank := lognormalBank(rng, 60, 1)
	pairs, _ := trial(rng, 200, 8, 0.6, bank)

	t.Run("nothing", func(t *testing.T) {
		if _, err := JointGain(nil, bank, FitOptions{}); !errors.Is(err, ErrNoAnswers) {
			t.Error(err)
		}
		if _, err := JointGain(pairs, nil, FitOptions{}); !errors.Is(err, ErrNoBank) {
			t.Error(err)
		}
		if _, err := JointGain(pairs[:2], bank, FitOptions{}); !errors.Is(err, ErrTooFew) {
			t.Error(err)
		}
	})
	t.Run("a group never tested after", func(t *testing.T) {
		half := append([]Pair{}, pairs...)
		for i := range half {
			if half[i].X[1] == 1 {
				half[i].After = nil
			}
		}
		_, err := JointGain(half, bank, FitOptions{Names: []string{"intercept", "trained"}})
		var alias *AliasError
		if !errors.As(err, &alias) || alias.Occasion != "after" || alias.Columns[0] != "trained" {
			t.Error(err)
		}
	})
	t.Run("a column twice", func(t *testing.T) {
		twice := append([]Pair{}, pairs...)
		for i := range twice {
			twice[i].X = []float64{1, twice[i].X[1], 1 - twice[i].X[1]}
		}
		a, err := JointGain(twice, bank, FitOptions{Names: []string{"one", "trained", "waiting"}})
		if err != nil {
			t.Fatal(err)
		}
		var alias *AliasError
		if !errors.As(errors.Join(a.Warnings...), &alias) || alias.Columns[0] != "waiting" {
			t.Errorf("warnings %v", a.Warnings)
		}
		b, err := JointGain(pairs, bank, FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the same fit", a.LogLikelihood, b.LogLikelihood, 1e-6)
	})
	t.Run("different people before and after", func(t *testing.T) {
		apart := append([]Pair{}, pairs...)
		for i := range apart {
			if i%4 < 2 {
				apart[i].After = nil
			} else {
				apart[i].Before = nil
			}
		}
		g, err := JointGain(apart, bank, FitOptions{})
		if err != nil || !g.Converged || !Warned(g.Warnings, ErrNoPairs) || g.Correlation != 0 {
			t.Fatalf("%v %+v", err, g)
		}
		if v, influence := g.ThetaFunctional(groupGain(apart)); math.Abs(v-0.6) > 3*math.Sqrt(sumSquares(influence)) {
			t.Errorf("gain = %.3f", v)
		}
	})
	t.Run("all right, and nobody answering", func(t *testing.T) {
		top := append([]Pair{}, pairs[:60]...)
		for i := range top {
			top[i].After = append([]Answer{}, top[i].After...)
			for k := range top[i].After {
				top[i].After[k].Correct = true
			}
		}
		top[5].Before, top[5].After = nil, nil
		g, err := JointGain(top, bank, FitOptions{})
		if err != nil {
			t.Skip("refused: ", err)
		}
		for i, p := range g.People {
			if math.IsNaN(p.Delta) || math.IsNaN(p.Low) || p.Low > p.High || p.After.S > 100 || p.Before.S < 0 {
				t.Fatalf("person %d: %+v", i, p)
			}
		}
	})
	t.Run("long tests", func(t *testing.T) {
		long, truths := trial(rng, 60, 55, 0.6, bank)
		g, err := JointGain(long, bank, FitOptions{})
		if err != nil || !g.Converged {
			t.Fatal(err)
		}
		miss := 0
		for i, p := range g.People {
			d := TCCat(g.joint.sc, truths[i].after) - TCCat(g.joint.sc, truths[i].before)
			if d < p.Low || d > p.High {
				miss++
			}
		}
		if miss > 9 {
			t.Errorf("%d of 60 gains outside their 95%% interval", miss)
		}
	})
	t.Run("weights that do not fit", func(t *testing.T) {
		g, err := JointGain(pairs, bank, FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := g.Functional([]float64{1}); !math.IsNaN(v) {
			t.Errorf("value = %v", v)
		}
		_, influence := g.Functional(groupGain(pairs))
		sum := 0.0
		for _, v := range influence {
			sum += v
		}
		near(t, "sum of influence", sum, 0, 1e-4)
	})
}

func TestPlausibleValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	bank := lognormalBank(rng, 60, 1)
	pairs, _ := trial(rng, 300, 8, 0.6, bank)
	g, err := JointGain(pairs, bank, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const m = 400
	var z, v float64
	for i, draws := range g.PlausibleValues(rng, m) {
		var mean, square float64
		for _, d := range draws {
			delta := d.S1 - d.S0
			mean, square = mean+delta/m, square+delta*delta/m
		}
		p := g.People[i]
		z += (mean - p.Delta) / p.DeltaSE / 300
		v += (square - mean*mean) / (p.DeltaSE * p.DeltaSE) / 300
	}
	near(t, "mean of the draws, in SDs off", z, 0, 0.01)
	near(t, "variance of the draws", v, 1, 0.02)
}

func TestPopulationFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	bank := lognormalBank(rng, 100, 1.2)
	sc := NewScale(bank)
	const runs, n = 40, 500
	var sd, mean, ssd, effect, covered float64
	for range runs {
		people, x := make([][]Answer, n), make([][]float64, n)
		c := make([]float64, n)
		for i := range people {
			x[i] = []float64{1, float64(i % 2)}
			c[i] = (2*x[i][1] - 1) / (n / 2)
			form := make([]Item, 8)
			for k, at := range rng.Perm(len(bank))[:8] {
				form[k] = bank[at]
			}
			people[i] = answer(rng, form, 0.4+0.5*x[i][1]+0.8*rng.NormFloat64())
		}
		p, err := PopulationFit(people, x, bank, FitOptions{})
		if err != nil || !p.Converged {
			t.Fatal(err, p)
		}
		sd += p.SD / runs
		mean += p.Theta.Mean / runs
		ssd += p.SSD / runs
		effect += p.Coef[1] / runs
		v, influence := p.Functional(c)
		hi, _, _, _ := sc.normalMean(0.9, 0.8)
		lo, _, _, _ := sc.normalMean(0.4, 0.8)
		if math.Abs(v-(hi-lo)) < 1.96*math.Sqrt(sumSquares(influence)) {
			covered++
		}
	}
	near(t, "σ", sd, 0.8, 0.02)
	near(t, "mean", mean, 0.65, 0.02)
	near(t, "coefficient", effect, 0.5, 0.04)
	var m1, m2 float64
	for _, mu := range []float64{0.4, 0.9} {
		a, _, _, b := sc.normalMean(mu, 0.8)
		m1, m2 = m1+a/2, m2+b/2
	}
	near(t, "SD of S", ssd, math.Sqrt(m2-m1*m1), 0.4)
	if covered < 34 {
		t.Errorf("%v of %d intervals held the effect", covered, runs)
	}
}

func BenchmarkJointGain1000x10(b *testing.B) {
	rng := rand.New(rand.NewPCG(21, 22))
	bank := lognormalBank(rng, 120, 1.2)
	pairs, _ := trial(rng, 1000, 10, 0.6, bank)
	for b.Loop() {
		if _, err := JointGain(pairs, bank, FitOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
