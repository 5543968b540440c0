// Package irt is item response theory: it calibrates items from answers,
// estimates ability and proficiency, chooses the next item of an adaptive
// test, and estimates what people gained between two occasions.
//
// Ability θ is in logits on the scale of the item bank. Proficiency S is the
// expected percentage correct on a reference bank, 0–100, so that people who
// answered different forms can be compared. Everything here is pure: what is
// random takes a *rand.Rand.
package irt

import (
	"errors"
	"math"
)

// Item is a test item calibrated under the logistic models of Birnbaum (in
// Lord & Novick 1968, ch. 17). With C zero it is the two-parameter model.
type Item struct {
	A float64 // discrimination, per logit; 0.5–2.5 in a usable bank
	B float64 // difficulty, logits; the ability at which P is halfway between C and 1
	C float64 // chance of a correct answer by someone who knows nothing, [0,1)
}

// P returns the probability in [0,1] that a person of ability theta (logits)
// answers the item correctly.
func (it Item) P(theta float64) float64 {
	return it.C + (1-it.C)*logistic(it.A*(theta-it.B))
}

// Information returns the item's Fisher information about an ability of theta,
// in 1/logit² (Birnbaum 1968; Baker & Kim 2004, eq. 3.5).
func (it Item) Information(theta float64) float64 {
	g := logistic(it.A * (theta - it.B))
	p := it.C + (1-it.C)*g
	if p == 0 {
		return 0
	}
	return it.A * it.A * g * g * (1 - g) * (1 - it.C) / p
}

// slope is dP/dθ at theta.
func (it Item) slope(theta float64) float64 {
	g := logistic(it.A * (theta - it.B))
	return (1 - it.C) * it.A * g * (1 - g)
}

// Valid reports whether the item's parameters can be used: finite, with a
// discrimination above 0 and a guessing chance in [0,1).
func (it Item) Valid() bool {
	return it.A > 0 && !math.IsInf(it.A, 0) && !math.IsNaN(it.B) && !math.IsInf(it.B, 0) && it.C >= 0 && it.C < 1
}

// Answer is one answered item, scored.
type Answer struct {
	Item    Item
	Correct bool
}

// logP returns the logarithm of the probability of the answer at theta,
// without loss where it is close to 0 or 1.
func (a Answer) logP(theta float64) float64 {
	z := a.Item.A * (theta - a.Item.B)
	switch {
	case !a.Correct:
		return math.Log1p(-a.Item.C) - softplus(z)
	case a.Item.C == 0:
		return -softplus(-z)
	}
	return math.Log(a.Item.P(theta))
}

// Normal is a normal distribution of ability in a population. The zero value
// stands for the standard normal distribution.
type Normal struct {
	Mean float64 // logits
	SD   float64 // logits
}

func (n Normal) orStandard() Normal {
	if !(n.SD > 0) || math.IsInf(n.SD, 0) || math.IsNaN(n.Mean) || math.IsInf(n.Mean, 0) {
		return Normal{0, 1}
	}
	return n
}

// Warnings that come with results.
var (
	ErrAllSame  = errors.New("irt: all answers alike; the estimate leans on the prior")
	ErrBadItem  = errors.New("irt: answers to items without usable parameters were left out")
	ErrBadPrior = errors.New("irt: the prior is not a distribution; the standard normal was used")
)

// logistic is 1/(1+e^-z).
func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// softplus is log(1+e^z), which must not overflow for a large z.
func softplus(z float64) float64 {
	if z > 0 {
		return z + math.Log1p(math.Exp(-z))
	}
	return math.Log1p(math.Exp(z))
}
