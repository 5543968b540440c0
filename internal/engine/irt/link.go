package irt

import (
	"errors"
	"math"
)

// Link carries one calibration's scale over to another's: θ′ = Slope·θ +
// Intercept, in logits (Kolen & Brennan 2014, ch. 6).
type Link struct{ Slope, Intercept float64 }

// Theta returns the ability on the other scale.
func (l Link) Theta(theta float64) float64 { return l.Slope*theta + l.Intercept }

// Item returns the item on the other scale; its probabilities stay the same.
func (l Link) Item(it Item) Item {
	return Item{it.A / l.Slope, l.Slope*it.B + l.Intercept, it.C}
}

// ErrLink says that there are too few usable common items to link by.
var ErrLink = errors.New("irt: linking takes at least two usable common items of different difficulty")

// common keeps the pairs in which both items can be used.
func common(from, to []Item) (f, t []Item, err error) {
	if len(from) != len(to) {
		return nil, nil, errors.New("irt: common items must come in pairs")
	}
	for i := range from {
		if from[i].Valid() && to[i].Valid() {
			f, t = append(f, from[i]), append(t, to[i])
		}
	}
	if len(f) < 2 {
		return nil, nil, ErrLink
	}
	return f, t, nil
}

// MeanSigma returns the link from the first scale to the second that gives the
// common items' difficulties the same mean and standard deviation (Marco 1977).
func MeanSigma(from, to []Item) (Link, error) {
	f, t, err := common(from, to)
	if err != nil {
		return Link{}, err
	}
	mean := func(items []Item) (m, sd float64) {
		for _, it := range items {
			m += it.B / float64(len(items))
		}
		for _, it := range items {
			sd += (it.B - m) * (it.B - m) / float64(len(items))
		}
		return m, math.Sqrt(sd)
	}
	mf, sf := mean(f)
	mt, st := mean(t)
	if sf < 1e-9 || st < 1e-9 {
		return Link{}, ErrLink
	}
	l := Link{Slope: st / sf}
	l.Intercept = mt - l.Slope*mf
	return l, nil
}

// StockingLord returns the link from the first scale to the second under which
// the common items' characteristic curves differ least, in squares averaged
// over a standard normal population on the second scale (Stocking & Lord 1983).
// Extreme items, whose difficulties are least well known, weigh less than in
// MeanSigma, from which it starts.
func StockingLord(from, to []Item) (Link, error) {
	f, t, err := common(from, to)
	if err != nil {
		return Link{}, err
	}
	l, err := MeanSigma(f, t)
	if err != nil {
		l = Link{1, 0}
	}
	// Residuals, squares and normal equations over ±4 SD of the population.
	look := func(l Link) (ss float64, g [2]float64, h [3]float64) {
		for i := -20; i <= 20; i++ {
			theta := float64(i) / 5
			w := math.Exp(-theta * theta / 2)
			var r, ds, di float64
			for k := range f {
				moved := l.Item(f[k])
				r += moved.P(theta) - t[k].P(theta)
				// z = a/S·(θ − S·b − I): ∂z/∂S = −a(θ−I)/S², ∂z/∂I = −a/S.
				p := moved.slope(theta) / moved.A
				ds -= p * f[k].A * (theta - l.Intercept) / (l.Slope * l.Slope)
				di -= p * moved.A
			}
			ss += w * r * r
			g[0], g[1] = g[0]+w*r*ds, g[1]+w*r*di
			h[0], h[1], h[2] = h[0]+w*ds*ds, h[1]+w*ds*di, h[2]+w*di*di
		}
		return ss, g, h
	}
	ss, g, h := look(l)
	damp := 1e-6
	for range 200 { // Levenberg–Marquardt
		a, b, c := h[0]*(1+damp), h[1], h[2]*(1+damp)
		det := a*c - b*b
		if det == 0 || math.IsNaN(det) {
			break
		}
		next := Link{l.Slope - (c*g[0]-b*g[1])/det, l.Intercept - (a*g[1]-b*g[0])/det}
		s2 := math.Inf(1)
		var g2 [2]float64
		var h2 [3]float64
		if next.Slope > 0.05 {
			s2, g2, h2 = look(next)
		}
		if s2 > ss {
			if damp *= 10; damp > 1e12 {
				break
			}
			continue
		}
		done := math.Abs(next.Slope-l.Slope)+math.Abs(next.Intercept-l.Intercept) < 1e-10
		l, ss, g, h, damp = next, s2, g2, h2, damp/10
		if done {
			break
		}
	}
	return l, nil
}
