package irt

import "math"

// spread is how the items of a bank differ: log a and b normal over items.
type spread struct{ logA, b Normal }

// applies reports whether the curve is one whose parameters are shrunken.
func (s *spread) applies(v *curve) bool {
	return s != nil && len(v.cum) == 2 && !v.fixed && v.slope > 0.05
}

func (s *spread) logPrior(v *curve) float64 {
	if !s.applies(v) {
		return 0
	}
	za := (math.Log(v.slope) - s.logA.Mean) / s.logA.SD
	zb := (-v.cum[1]/v.slope - s.b.Mean) / s.b.SD
	return -(za*za + zb*zb) / 2
}

// addTo adds the prior's gradient and its (Gauss–Newton) curvature by slope and
// intercept.
func (s *spread) addTo(v *curve, grad, hess []float64) {
	if !s.applies(v) {
		return
	}
	d := len(grad)
	b := -v.cum[1] / v.slope
	ra, rb := (math.Log(v.slope)-s.logA.Mean)/(s.logA.SD*s.logA.SD), (b-s.b.Mean)/(s.b.SD*s.b.SD)
	ja, jb := [2]float64{1 / v.slope, 0}, [2]float64{-b / v.slope, -1 / v.slope}
	for x := range 2 {
		grad[x] -= ra*ja[x] + rb*jb[x]
		for y := range 2 {
			hess[x*d+y] += ja[x]*ja[y]/(s.logA.SD*s.logA.SD) + jb[x]*jb[y]/(s.b.SD*s.b.SD)
		}
	}
}

// learnSpread estimates the spread from a fit by maximum likelihood, taking out
// sampling error. It leaves e.spread nil when there is too little to go by.
func (e *em) learnSpread(t *table) {
	if e.opt.Model != TwoPL && e.opt.Model != ThreePL && e.opt.Model != GPCM {
		return
	}
	cov, _ := e.covariance(e.index())
	var a, seA, b, seB []float64
	for k := range t.items {
		v := &e.item[k]
		if len(v.cum) != 2 || v.fixed || v.slope <= 0.05 {
			continue
		}
		var f ItemFit
		if v.describe(&f, cov[k]); math.IsNaN(f.SEA) || math.IsNaN(f.SEB) {
			continue
		}
		a, seA = append(a, math.Log(f.A)), append(seA, f.SEA/f.A)
		b, seB = append(b, f.B), append(seB, f.SEB)
	}
	if len(a) >= 10 {
		e.spread = &spread{between(a, seA), between(b, seB)}
	}
}

// between returns the normal distribution of true values behind estimates with
// known standard errors, by maximum likelihood with the EM algorithm.
func between(x, se []float64) Normal {
	n := float64(len(x))
	mean, v := 0.0, 0.0
	for _, xi := range x {
		mean += xi / n
	}
	for _, xi := range x {
		v += (xi - mean) * (xi - mean) / n
	}
	for range 200 {
		var m, s float64
		post := make([]float64, len(x))
		for i, xi := range x {
			w := v / (v + se[i]*se[i])
			post[i] = mean + w*(xi-mean)
			m += post[i] / n
			s += v * (1 - w) / n
		}
		for _, p := range post {
			s += (p - m) * (p - m) / n
		}
		mean, v = m, s
	}
	return Normal{mean, math.Sqrt(math.Max(v, 0.0025))} // an SD of 0.05 at least
}
