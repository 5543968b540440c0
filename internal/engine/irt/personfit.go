package irt

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PersonFit tells whether someone's answers are as consistent as the model
// expects.
type PersonFit struct {
	// Lz is the standardised log likelihood of the answers (Drasgow, Levine &
	// Williams 1985), corrected for the ability being estimated (Snijders 2001):
	// about standard normal when the model holds; far below 0 when easy items are
	// missed and hard ones met, as by guessing or copying.
	Lz     float64
	PValue float64 // one-sided, of an Lz this low
	Theta  float64 // the posterior mode it was computed at, logits
	Items  int
}

// FitPerson computes the person fit of the answers. Under eight items it says
// little. Without usable answers Lz is 0 and PValue 1.
func FitPerson(answers []Answer, prior Normal) PersonFit {
	prior = prior.orStandard()
	usable := make([]Answer, 0, len(answers))
	for _, a := range answers {
		if a.Item.Valid() {
			usable = append(usable, a)
		}
	}
	f := PersonFit{PValue: 1, Theta: prior.Mean, Items: len(usable)}
	if len(usable) == 0 {
		return f
	}
	f.Theta = mode(usable, prior)
	// With W = Σ(x−P)w, w = logit P, and θ̂ solving r₀ + Σ(x−P)r = 0, the weights
	// w − c·r take out what estimating θ took from W.
	r0 := -(f.Theta - prior.Mean) / (prior.SD * prior.SD)
	var cn, cd float64
	for _, a := range usable {
		p, d := a.Item.P(f.Theta), a.Item.slope(f.Theta)
		cn += d * math.Log(p/(1-p))
		cd += d * d / (p * (1 - p))
	}
	c := cn / cd
	var w, v float64
	for _, a := range usable {
		p, d := a.Item.P(f.Theta), a.Item.slope(f.Theta)
		x := 0.0
		if a.Correct {
			x = 1
		}
		logit := math.Log(p / (1 - p))
		w += (x - p) * logit
		t := logit - c*d/(p*(1-p))
		v += p * (1 - p) * t * t
	}
	if !(v > 1e-12) || math.IsInf(c, 0) { // items all alike leave nothing to be consistent with
		return f
	}
	f.Lz = (w + c*r0) / math.Sqrt(v)
	f.PValue = distuv.UnitNormal.CDF(f.Lz)
	return f
}

// mode is the maximum of the posterior: with guessing there may be several, so
// the best of a row of nodes is refined.
func mode(answers []Answer, prior Normal) float64 {
	post := func(theta float64) float64 {
		z := (theta - prior.Mean) / prior.SD
		l := -z * z / 2
		for _, a := range answers {
			l += a.logP(theta)
		}
		return l
	}
	best, at := math.Inf(-1), prior.Mean
	for i := -60; i <= 60; i++ {
		theta := prior.Mean + prior.SD*float64(i)/10
		if l := post(theta); l > best {
			best, at = l, theta
		}
	}
	// Golden section between the neighbours of the best node.
	lo, hi := at-prior.SD/10, at+prior.SD/10
	const g = 0.6180339887498949
	for range 60 {
		x, y := hi-g*(hi-lo), lo+g*(hi-lo)
		if post(x) < post(y) {
			lo = x
		} else {
			hi = y
		}
	}
	return (lo + hi) / 2
}

// RapidThreshold returns the time, in seconds, below which an answer to an item
// is taken for a rapid guess: a tenth of the item's mean time, 10 s at most
// (NT10; Wise & Ma 2012). It is 0 without times.
func RapidThreshold(seconds []float64) float64 {
	sum, n := 0.0, 0.0
	for _, s := range seconds {
		if s > 0 && !math.IsInf(s, 0) {
			sum, n = sum+s, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return math.Min(sum/n/10, 10)
}

// Effort is the response-time effort of Wise & Kong (2005): the share, 0–1, of a
// person's answers that took at least their item's threshold. Below 0.9 a test
// is usually set aside. It is 1 without answers.
func Effort(seconds, thresholds []float64) float64 {
	slow, n := 0.0, 0.0
	for i, s := range seconds {
		if i < len(thresholds) && !math.IsNaN(s) {
			n++
			if s >= thresholds[i] {
				slow++
			}
		}
	}
	if n == 0 {
		return 1
	}
	return slow / n
}
