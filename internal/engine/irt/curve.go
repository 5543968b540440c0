package irt

import (
	"math"
	"slices"
)

// maxSlope bounds discriminations: beyond it the curve is a step, and the
// likelihood may rise forever.
const maxSlope = 8

// curve is one item's response function as it is fitted. For category k of
// 0…m the log odds against category 0 are k·slope·θ + cum[k], cum[0] = 0: the
// GPCM, of which the 2PL is m = 1. Under the 3PL there is a guess besides.
type curve struct {
	slope float64
	cum   []float64
	guess float64 // logit of the lower asymptote; −Inf for none
	fixed bool
}

func (v *curve) clone() curve {
	return curve{v.slope, slices.Clone(v.cum), v.guess, v.fixed}
}

// probabilities fills p with the chances of each category at theta.
func (v *curve) probabilities(theta float64, p []float64) {
	if len(v.cum) == 0 { // an item that could not be calibrated
		return
	}
	top := 0.0
	for k, c := range v.cum {
		p[k] = float64(k)*v.slope*theta + c
		top = math.Max(top, p[k])
	}
	sum := 0.0
	for k := range v.cum {
		p[k] = math.Exp(p[k] - top)
		sum += p[k]
	}
	for k := range v.cum {
		p[k] /= sum
	}
	if g := logistic(v.guess); g > 0 {
		p[0] *= 1 - g
		p[1] = g + (1-g)*p[1]
	}
}

// score fills s with the derivatives of log P(y) at theta by (slope, cum[1…],
// guess), given the category chances p.
func (v *curve) score(y int, theta float64, p, s []float64) {
	m := len(v.cum) - 1
	g := logistic(v.guess)
	if g > 0 { // m is 1
		l := (p[1] - g) / (1 - g) // the logistic without guessing
		f := (1 - g) * l * (1 - l) / p[1]
		dg := g * (1 - g) * (1 - l) / p[1]
		if y == 0 {
			f, dg = -l, -g
		}
		s[0], s[1], s[2] = f*theta, f, dg
		return
	}
	mean := 0.0
	for k := 1; k <= m; k++ {
		mean += float64(k) * p[k]
		s[k] = -p[k]
	}
	if y > 0 {
		s[y]++
	}
	s[0] = (float64(y) - mean) * theta
}

// curvature adds weight times −∂² log P(y) to h, d×d.
func (v *curve) curvature(y int, theta, weight float64, p, h []float64) {
	m := len(v.cum) - 1
	g := logistic(v.guess)
	if g > 0 {
		l := (p[1] - g) / (1 - g)
		py, sign := p[1], 1.0
		if y == 0 {
			py, sign = p[0], -1
		}
		var s [3]float64
		v.score(y, theta, p, s[:])
		// ∂²P over the linear predictor and the guess.
		zz := sign * (1 - g) * l * (1 - l) * (1 - 2*l) / py
		zg := -sign * g * (1 - g) * l * (1 - l) / py
		gg := sign * g * (1 - g) * (1 - 2*g) * (1 - l) / py
		second := [9]float64{zz * theta * theta, zz * theta, zg * theta, zz * theta, zz, zg, zg * theta, zg, gg}
		for a := range 3 {
			for b := range 3 {
				h[a*3+b] += weight * (s[a]*s[b] - second[a*3+b])
			}
		}
		return
	}
	d := m + 1
	var m1, m2 float64
	for k := 1; k <= m; k++ {
		m1 += float64(k) * p[k]
		m2 += float64(k*k) * p[k]
	}
	h[0] += weight * theta * theta * (m2 - m1*m1)
	for k := 1; k <= m; k++ {
		f := weight * theta * p[k] * (float64(k) - m1)
		h[k] += f
		h[k*d] += f
		for l := 1; l <= m; l++ {
			h[k*d+l] -= weight * p[k] * p[l]
		}
		h[k*d+k] += weight * p[k]
	}
}

// size is the number of parameters, free or not.
func (v *curve) size() int {
	if math.IsInf(v.guess, -1) {
		return len(v.cum)
	}
	return len(v.cum) + 1
}

// moved is the curve after f of a step.
func (v *curve) moved(step []float64, f float64) curve {
	next := v.clone()
	next.slope = min(max(v.slope+f*step[0], -maxSlope), maxSlope)
	for c := 1; c < len(next.cum); c++ {
		next.cum[c] = min(max(v.cum[c]+f*step[c], -60), 60)
	}
	if len(step) > len(next.cum) {
		next.guess = min(max(v.guess+f*step[len(step)-1], -9), 2)
	}
	return next
}
