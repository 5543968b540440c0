package effect

import (
	"errors"
	"math"
	"testing"
)

// R, estimatr 1.0.0: difference_in_means(re78 ~ treat, blocks = years of
// schooling from 7 or less to 12 or more). Its degrees of freedom are n less
// two per block; ours are Satterthwaite's, so only its error is compared.
func TestBlockedOnNSW(t *testing.T) {
	w := nsw(t, "educ")
	d := Draw{Outcome: w.Outcome}
	for i, y := range w.Covariates[0].Values {
		d.Treated = append(d.Treated, w.Treatment[i] == 1)
		d.Stratum = append(d.Stratum, int(min(max(y, 7), 12)))
	}
	got, err := Blocked(d, DrawOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "estimate", got.Estimate, 1632.061061652276, 1e-6)
	near(t, "se", got.SE, 663.794130422188, 1e-6)
	near(t, "p", got.P, 0.014335, 5e-4)
	near(t, "randomisation p", got.Draw.P, got.P, 0.01)
	if got.Draw.Redraws != 2000 || got.N != 445 || got.NTreated != 185 {
		t.Errorf("%+v", got)
	}
}

// Student's sleep data as ten pairs. R: t.test(paired = TRUE) gives t = 4.0621,
// df = 9, p = 0.002833, 0.70 to 2.46. Of the 1,024 ways to flip the pairs 4
// have as large a |t| (enumerated in Python).
func TestBlockedPairs(t *testing.T) {
	first := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	second := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	var d Draw
	for i := range first {
		d.Outcome = append(d.Outcome, first[i], second[i])
		d.Treated = append(d.Treated, false, true)
		d.Stratum = append(d.Stratum, i, i)
	}
	got, err := Blocked(d, DrawOptions{Redraws: 40_000, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "estimate", got.Estimate, 1.58, 1e-12)
	near(t, "df", got.DF, 9, 1e-9)
	near(t, "p", got.P, 0.0028328902, 1e-9)
	near(t, "low", got.Low, 0.700114236723, 1e-9)
	near(t, "high", got.High, 2.459885763277, 1e-9)
	near(t, "randomisation p", got.Draw.P, 4.0/1024, 1e-3)
	if !warned(got.Warnings, SmallGroups) {
		t.Errorf("ten a side, yet %v", got.Warnings)
	}
}

// Five strata of one treated each, differences 1.5, −0.25, 2, 0.75, 3 and sizes
// 3, 4, 5, 3, 2: Pashley & Miratrix (2021) eq. 6 evaluated in Python.
func TestBlockedSmallStrata(t *testing.T) {
	var d Draw
	tau := []float64{1.5, -0.25, 2, 0.75, 3}
	for s, n := range []int{3, 4, 5, 3, 2} {
		for i := range n {
			d.Stratum = append(d.Stratum, s)
			d.Treated = append(d.Treated, i == 0)
			y := float64(s)
			if i == 0 {
				y += tau[s]
			}
			d.Outcome = append(d.Outcome, y)
		}
	}
	got, err := Blocked(d, DrawOptions{Redraws: -1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "estimate", got.Estimate, 1.2794117647, 1e-9)
	near(t, "se", got.SE, 0.5441374670, 1e-9)
	if got.Draw != nil {
		t.Error("redrawn against the wish")
	}
	// Two strata cannot show how strata scatter: the error is borrowed, and told.
	d.Outcome, d.Treated, d.Stratum = d.Outcome[:7], d.Treated[:7], d.Stratum[:7]
	d.Outcome[1] = 0.5
	if got, err = Blocked(d, DrawOptions{}); err != nil || !warned(got.Warnings, PooledVariance) {
		t.Errorf("%v, %v", got.Warnings, err)
	}
}

func TestBlockedRefuses(t *testing.T) {
	y := []float64{1, 2, 3, 4}
	for _, tt := range []struct {
		name string
		d    Draw
		want error
	}{
		{"nobody", Draw{}, ErrTooFew},
		{"short", Draw{Outcome: y, Treated: []bool{true}}, ErrLength},
		{"all treated", Draw{Outcome: y, Treated: []bool{true, true, true, true}}, ErrArm},
		{"certain", Draw{Outcome: y, Treated: []bool{true, true, false, false}, Probability: []float64{1, .5, .5, .5}}, ErrNumber},
		{"split cluster", Draw{Outcome: y, Treated: []bool{true, true, false, false}, Cluster: []int{1, 2, 2, 3}}, ErrOption},
		{"one a side", Draw{Outcome: y[:2], Treated: []bool{true, false}}, ErrTooFew},
	} {
		if _, err := Blocked(tt.d, DrawOptions{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// pool simulates what a plan draws: strata of unlike size, level and
// probability, an effect that differs between people, and teams if whole.
func pool(seed uint64, whole bool) (d Draw, truth float64) {
	r := rng(seed)
	team := 0
	for s := range 6 {
		clusters := 6 + 2*s
		treated := 2 + s
		order := r.Perm(clusters)
		for c := range clusters {
			size := 1
			shared := 0.0
			if whole {
				size = 3 + r.IntN(8)
				shared = r.NormFloat64()
			}
			for range size {
				effect := 0.5 + 0.3*r.NormFloat64()
				y := float64(s) + shared + r.NormFloat64()
				if order[c] < treated {
					y += effect
				}
				d.Outcome = append(d.Outcome, y)
				d.Treated = append(d.Treated, order[c] < treated)
				d.Stratum = append(d.Stratum, s)
				d.Probability = append(d.Probability, float64(treated)/float64(clusters))
				d.Cluster = append(d.Cluster, team)
			}
			team++
		}
	}
	if !whole {
		d.Cluster = nil
	}
	return d, 0.5
}

func TestBlockedCovers(t *testing.T) {
	for _, whole := range []bool{false, true} {
		times := repeats(500)
		hits, same := 0, 0
		for s := range times {
			d, truth := pool(uint64(s), whole)
			got, err := Blocked(d, DrawOptions{Redraws: -1})
			if err != nil {
				t.Fatal(err)
			}
			if got.Low <= truth && truth <= got.High {
				hits++
			}
			// The same from each person's influence on the estimate.
			psi, centred := influences(d)
			inf := FromInfluence(got.Estimate, psi, d.Cluster, centred, Options{})
			if inf.Low <= truth && truth <= inf.High {
				same++
			}
			if !whole {
				near(t, "se from influence", inf.SE, got.SE, 1e-9)
				near(t, "df from influence", inf.DF, got.DF, 1e-6)
			}
		}
		name := map[bool]string{false: "people drawn", true: "teams drawn"}[whole]
		covers(t, name, hits, times)
		covers(t, name+", from influence", same, times)
	}
}

func TestFromInfluenceAlone(t *testing.T) {
	psi := []float64{1, -1, 2, -2, 3, -3, 0, 0}
	got := FromInfluence(1, psi, []int{1, 2, 3, 4, 5, 6, 7, 7}, []int{0, 0, 0, 0, 0, 0, 1, 1}, Options{})
	// Six people of known variance: Σψ²·6/5/8², for two more of unknown: ·(8/6)².
	near(t, "se", got.SE, math.Sqrt(28*6/5.0/64)*8/6, 1e-12)
	if !warned(got.Warnings, PooledVariance) || !warned(got.Warnings, FewClusters) {
		t.Errorf("warnings %v", got.Warnings)
	}
}

// influences are those on a blocked difference: n·share/size × the distance
// from the arm's mean.
func influences(d Draw) (psi []float64, centred []int) {
	var m [6][2]moments
	arm := func(i int) int {
		if d.Treated[i] {
			return 1
		}
		return 0
	}
	for i, y := range d.Outcome {
		m[d.Stratum[i]][arm(i)].add(y)
	}
	for i, y := range d.Outcome {
		s, a := d.Stratum[i], arm(i)
		share := m[s][0].n + m[s][1].n
		psi = append(psi, float64(2*a-1)*share/m[s][a].n*(y-m[s][a].mean))
		centred = append(centred, 2*s+a)
	}
	return psi, centred
}

// Under no effect the randomisation p is uniform: 5 % lie under 0.05.
func TestRedrawnIsUniform(t *testing.T) {
	times := repeats(300)
	below := 0
	for s := range times {
		r := rng(uint64(s))
		var d Draw
		for i := range 24 {
			d.Outcome = append(d.Outcome, math.Exp(1.5*r.NormFloat64())) // far from normal
			d.Stratum = append(d.Stratum, i/8)
		}
		d.Treated = make([]bool, 24)
		for b := range 3 {
			for _, i := range r.Perm(8)[:3] {
				d.Treated[8*b+i] = true
			}
		}
		got, err := Blocked(d, DrawOptions{Redraws: 199, Seed: uint64(s)})
		if err != nil {
			t.Fatal(err)
		}
		if got.Draw.P <= 0.05 {
			below++
		}
	}
	if rate := float64(below) / float64(times); math.Abs(rate-0.05) > 0.035 {
		t.Errorf("%.3f of p lie under 0.05", rate)
	}
}

// Unequal probabilities within a stratum: the weighted means are right on
// average where the plain ones are not.
func TestBlockedUnequalProbabilities(t *testing.T) {
	times := repeats(500)
	var weighted, plain float64
	for s := range times {
		r := rng(uint64(s))
		var d Draw
		for i := range 300 { // the weighted mean is a ratio, and biased by 1/n
			able := float64(i % 2) // the able have the better chance
			p := 0.25 + 0.5*able
			d.Treated = append(d.Treated, r.Float64() < p)
			d.Probability = append(d.Probability, p)
			y := 2*able + r.NormFloat64()
			if d.Treated[i] {
				y++
			}
			d.Outcome = append(d.Outcome, y)
		}
		a, err := Blocked(d, DrawOptions{Redraws: -1})
		if err != nil {
			t.Fatal(err)
		}
		d.Probability = nil
		b, err := Blocked(d, DrawOptions{Redraws: -1})
		if err != nil {
			t.Fatal(err)
		}
		weighted += a.Estimate / float64(times)
		plain += b.Estimate / float64(times)
	}
	near(t, "mean weighted estimate", weighted, 1, 0.03)
	if plain < 1.5 {
		t.Errorf("plain mean %.2f is not off: the simulation shows nothing", plain)
	}
}

// R, nlme 3.1-162: lme(y ~ factor(p) + D, random = ~1 | u, method = "REML") on
// 24 units in four waves over five periods, some not seen in the second.
func TestSteppedWedge(t *testing.T) {
	var d Data
	sum := 0.0
	for u := range 24 {
		for p := range 5 {
			if u%6 == 5 && p == 1 {
				continue
			}
			status := 0.0
			if p >= 1+u%4 {
				status = 1
			}
			y := 10 + 3*math.Sin(float64(u)*1.7) + 0.5*float64(p) + 1.2*status + math.Cos(float64(u)*7.3+float64(p*p)*2.1)*1.5
			y = math.Round(y*1e4) / 1e4
			sum += y
			d.Outcome = append(d.Outcome, y)
			d.Treatment = append(d.Treatment, status)
			d.Unit = append(d.Unit, u)
			d.Time = append(d.Time, p)
		}
	}
	near(t, "the data's sum", sum, 1352.5023, 1e-6)
	got, err := SteppedWedge(d, Options{SE: Classical})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "estimate", got.Estimate, 1.29212280215, 1e-6)
	near(t, "se", got.SE, 0.358001907326, 1e-6)
	near(t, "between", got.Variance.Between, 4.80775140037, 1e-4)
	near(t, "within", got.Variance.Within, 1.14726682047, 1e-5)
	// clubSandwich's CR2 on lme is 0.3267 with 21.76 degrees of freedom; it
	// weighs by another root of the same matrix, hence the slack.
	if got, err = SteppedWedge(d, Options{}); err != nil {
		t.Fatal(err)
	}
	near(t, "cr2", got.SE, 0.326735009137, 2e-3)
	near(t, "cr2 df", got.DF, 21.7569250993, 0.5)
}

// Hussey & Hughes' model with a shared drift, 12 teams in waves of 3, people
// tested anew in each period.
func TestSteppedWedgeCovers(t *testing.T) {
	times := repeats(200)
	hits := 0
	for s := range times {
		r := rng(uint64(900 + s))
		var d Data
		for u, wave := range r.Perm(12) {
			level := r.NormFloat64()
			for p := range 5 {
				y, status := level+0.4*float64(p), 0.0
				if p > wave%4 {
					status = 1
					y += 0.8
				}
				for range 4 {
					d.Outcome = append(d.Outcome, y+r.NormFloat64())
					d.Treatment = append(d.Treatment, status)
					d.Unit = append(d.Unit, u)
					d.Time = append(d.Time, p)
				}
			}
		}
		got, err := SteppedWedge(d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Low <= 0.8 && 0.8 <= got.High {
			hits++
		}
	}
	covers(t, "stepped wedge of 12 teams", hits, times)
}

func BenchmarkBlockedMillion(b *testing.B) {
	m := million(b, 0)
	d := Draw{Outcome: m.Outcome}
	for i, t := range m.Treatment {
		d.Treated = append(d.Treated, t == 1)
		d.Stratum = append(d.Stratum, i%50)
	}
	for b.Loop() {
		if _, err := Blocked(d, DrawOptions{Redraws: 20}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSteppedWedgeMillion(b *testing.B) {
	d := panel(1, 166_667, 6, 0, func(u int) int { return 1 + u%5 }, func(int) float64 { return 1 })
	for b.Loop() {
		if _, err := SteppedWedge(d, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
