package irt

import (
	"errors"
	"math"
	"slices"
)

// Ability is an estimate.
type Ability struct {
	Theta    float64 // logits, expected a posteriori
	SE       float64 // posterior standard deviation, logits
	Warnings []error // what a reader of the number should know
}

// Estimate returns the expected-a-posteriori ability (Bock & Mislevy 1982)
// under the population's own distribution as prior. Without answers it returns
// the prior. The posterior is integrated over 97 equally spaced nodes, placed
// anew around it when it is narrow, so that a long test loses no precision.
//
// EAP estimates are shrunken towards the prior's mean: they are right for one
// person, but differences of them understate what a group gained. For that see
// JointGain.
func Estimate(answers []Answer, prior Normal) Ability {
	post, warnings := posterior(answers, prior)
	theta, se := post.moments(func(theta float64) float64 { return theta })
	return Ability{Theta: theta, SE: se, Warnings: warnings}
}

// Proficiency returns the mean and standard deviation of TCC(θ) over the
// posterior of θ: the expected percentage correct on the whole bank, 0–100. For
// many people against one bank use Scale.Proficiency.
func Proficiency(answers []Answer, bank []Item, prior Normal) (s, se float64) {
	post, _ := posterior(answers, prior)
	return post.moments(func(theta float64) float64 { return TCC(bank, theta) })
}

// Proficiency is the function of that name, against a tabulated bank.
func (sc *Scale) Proficiency(answers []Answer, prior Normal) (s, se float64) {
	post, _ := posterior(answers, prior)
	return post.moments(func(theta float64) float64 { s, _ := sc.At(theta); return s })
}

// ThetaAt returns the ability, in logits within ±MaxTheta, at which the curve
// is s (0–100); NaN for an empty bank or a NaN s.
func (sc *Scale) ThetaAt(s float64) float64 {
	if len(sc.bank) == 0 || math.IsNaN(s) {
		return math.NaN()
	}
	lo, hi := -MaxTheta, MaxTheta
	for range 60 {
		mid := (lo + hi) / 2
		if at, _ := sc.At(mid); at < s {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

const density1 = 97 // nodes of a one-dimensional posterior

// density is a posterior distribution of θ on equally spaced nodes.
type density struct {
	node   [density1]float64
	weight [density1]float64 // sums to 1
}

// posterior returns the distribution of θ given the answers.
func posterior(answers []Answer, prior Normal) (d density, warnings []error) {
	if n := prior.orStandard(); n != prior {
		if prior != (Normal{}) {
			warnings = append(warnings, ErrBadPrior)
		}
		prior = n
	}
	usable := make([]Answer, 0, len(answers))
	for _, a := range answers {
		if a.Item.Valid() {
			usable = append(usable, a)
		}
	}
	if len(usable) < len(answers) {
		warnings = append(warnings, ErrBadItem)
	}
	if alike(usable) {
		warnings = append(warnings, ErrAllSame)
	}
	centre, width := prior.Mean, 6*prior.SD
	for range 4 {
		d.fill(usable, prior, centre, width)
		mean, sd := d.moments(func(theta float64) float64 { return theta })
		if step := 2 * width / (density1 - 1); sd >= 1.25*step {
			break
		}
		// Too narrow for these nodes: look closer, at least twice as close.
		centre, width = mean, math.Max(8*sd, width/16)
	}
	return d, warnings
}

func (d *density) fill(answers []Answer, prior Normal, centre, width float64) {
	top := math.Inf(-1)
	for i := range d.node {
		theta := centre + width*(2*float64(i)/(density1-1)-1)
		z := (theta - prior.Mean) / prior.SD
		l := -z * z / 2
		for _, a := range answers {
			l += a.logP(theta)
		}
		d.node[i], d.weight[i] = theta, l
		top = math.Max(top, l)
	}
	sum := 0.0
	for i, l := range d.weight {
		d.weight[i] = math.Exp(l - top) // the top taken out, so that a long test does not underflow
		sum += d.weight[i]
	}
	for i := range d.weight {
		d.weight[i] /= sum
	}
}

// moments returns the mean and standard deviation of f(θ).
func (d *density) moments(f func(theta float64) float64) (mean, sd float64) {
	var value [density1]float64
	for i, theta := range d.node {
		value[i] = f(theta)
		mean += d.weight[i] * value[i]
	}
	mean = min(max(mean, slices.Min(value[:])), slices.Max(value[:])) // rounding must not leave 0–100
	for i, v := range value {
		sd += d.weight[i] * (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd)
}

// alike reports whether there are answers and all are right, or all wrong.
func alike(answers []Answer) bool {
	for _, a := range answers {
		if a.Correct != answers[0].Correct {
			return false
		}
	}
	return len(answers) > 0
}

// Warned reports whether target is among the warnings.
func Warned(warnings []error, target error) bool { return errors.Is(errors.Join(warnings...), target) }
