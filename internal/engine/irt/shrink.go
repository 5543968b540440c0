package irt

import "math"

// spread is how the items of a bank differ: log a is normal over items.
//
// Difficulties are left alone: shrinking them as well gains next to nothing,
// since a better a already gives a better b, and it pulls hard items so far in
// that their intervals miss them.
type spread struct{ logA Normal }

// applies reports whether the curve is one whose slope is shrunken.
func (s *spread) applies(v *curve) bool {
	return s != nil && len(v.cum) == 2 && !v.fixed && v.slope > 0.05
}

func (s *spread) logPrior(v *curve) float64 {
	if !s.applies(v) {
		return 0
	}
	z := (math.Log(v.slope) - s.logA.Mean) / s.logA.SD
	return -z * z / 2
}

// addTo adds the prior's gradient and its (Gauss–Newton) curvature by the slope.
func (s *spread) addTo(v *curve, grad, hess []float64) {
	if !s.applies(v) {
		return
	}
	variance := s.logA.SD * s.logA.SD
	grad[0] -= (math.Log(v.slope) - s.logA.Mean) / variance / v.slope
	hess[0] += 1 / (variance * v.slope * v.slope)
}

// learnSpread estimates the spread from a fit by maximum likelihood, taking out
// sampling error. It leaves e.spread nil when there is too little to go by.
func (e *em) learnSpread(t *table) {
	if e.opt.Model == Rasch || e.opt.Model == OnePL {
		return
	}
	cov, _ := e.covariance(e.index())
	var a, se []float64
	for k := range t.items {
		v := &e.item[k]
		if len(v.cum) != 2 || v.fixed || v.slope <= 0.05 {
			continue
		}
		var f ItemFit
		if v.describe(&f, cov[k]); math.IsNaN(f.SEA) {
			continue
		}
		a, se = append(a, math.Log(f.A)), append(se, f.SEA/f.A)
	}
	if len(a) >= 10 {
		e.spread = &spread{between(a, se)}
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
