// Package memory says how likely a learner still remembers something and when
// to review it: the FSRS-6 model of forgetting, its scheduler, and the fitting
// of its weights to a log of reviews.
//
// FSRS (free spaced repetition scheduler) keeps two numbers per card, after
// Wozniak's three-component model of memory: stability, the days in which the
// probability of recall falls from 1 to 0.9, and difficulty, from 1 to 10. Its
// sixth version is described at
// https://github.com/open-spaced-repetition/awesome-fsrs/wiki/The-Algorithm;
// the method is due to Ye, Su & Cao (2022), "A stochastic shortest path
// algorithm for optimizing spaced repetition scheduling", KDD.
package memory

import (
	"errors"
	"fmt"
	"math"
)

// Rating is how well the learner remembered.
type Rating uint8

// The four ratings. Again is a failure to recall; the others are successes.
const (
	Again Rating = 1 + iota
	Hard
	Good
	Easy
)

func (r Rating) valid() bool { return r >= Again && r <= Easy }

// ErrRating is returned for a rating outside 1–4.
var ErrRating = errors.New("memory: a rating is 1 (again), 2 (hard), 3 (good) or 4 (easy)")

// Weights are the 21 parameters of FSRS-6, w0 to w20.
//
//	 0–3   first stability after again, hard, good, easy; days
//	 4–7   difficulty: first value, its slope, change per rating, mean reversion
//	 8–10  growth of stability on recall: scale, by stability, by forgetting
//	11–14  stability after forgetting: scale, by difficulty, by stability, by forgetting
//	15–16  hard penalty, easy bonus
//	17–19  reviews within a day: slope, offset, by stability
//	20     decay of the forgetting curve
type Weights [21]float64

// Default holds the weights that FSRS-6 starts from, the medians over some ten
// thousand learners' logs (ts-fsrs 5.4.2, default_w).
var Default = Weights{
	0.212, 1.2931, 2.3065, 8.2956,
	6.4133, 0.8334, 3.0194, 0.001,
	1.8722, 0.1666, 0.796,
	1.4835, 0.0614, 0.2629, 1.6483,
	0.6014, 1.8729,
	0.5425, 0.0912, 0.0658,
	0.1542,
}

const (
	minStability  = 0.001 // days
	maxStability  = 36500 // days
	minDifficulty = 1
	maxDifficulty = 10
	// maxShortTerm bounds w17 and w18, which multiply stability within a day.
	maxShortTerm = 2
)

// bounds are the range each weight is held in, as in ts-fsrs's
// CLAMP_PARAMETERS and the official optimiser.
var bounds = [21][2]float64{
	{minStability, 100}, {minStability, 100}, {minStability, 100}, {minStability, 100},
	{1, 10}, {0.001, 4}, {0.001, 4}, {0.001, 0.75},
	{0, 4.5}, {0, 0.8}, {0.001, 3.5},
	{0.001, 5}, {0.001, 0.25}, {0.001, 0.9}, {0, 4},
	{0, 1}, {1, 6},
	{0, maxShortTerm}, {0, maxShortTerm}, {0.01, 0.8},
	{0.1, 0.8},
}

// Clamp returns w with every weight in its permitted range. With more than one
// relearning step w17 and w18 are held lower, so that relearning cannot lift
// stability above what it was before the lapse. Without short-term memory w19
// may be 0.
func (w Weights) Clamp(relearningSteps int, shortTerm bool) Weights {
	b := bounds
	if relearningSteps > 1 {
		w11, w13, w14 := clamp(w[11], b[11]), clamp(w[13], b[13]), clamp(w[14], b[14])
		v := -(math.Log(w11) + math.Log(math.Pow(2, w13)-1) + w14*0.3) / float64(relearningSteps)
		top := math.Min(math.Max(round8(math.Sqrt(math.Max(v, 0))), 0.01), maxShortTerm)
		b[17][1], b[18][1] = top, top
	}
	if !shortTerm {
		b[19][0] = 0
	}
	for i := range w {
		w[i] = clamp(w[i], b[i])
	}
	return w
}

// Validate reports the first weight that is not a finite number.
func (w Weights) Validate() error {
	for i, v := range w {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("memory: weight %d is not a finite number", i)
		}
	}
	return nil
}

// curve returns the exponent and the factor of the forgetting curve
// R = (1 + factor·t/S)^exponent, for which R(S) = 0.9.
func (w *Weights) curve() (exponent, factor float64) {
	exponent = -w[20]
	return exponent, math.Exp(math.Log(0.9)/exponent) - 1
}

// Recall returns the probability in [0,1] that something is recalled t days
// after its last review, when its stability then was s days: the forgetting
// curve. t may be a fraction; below 0 it counts as 0.
func (w *Weights) Recall(t, s float64) float64 {
	exponent, factor := w.curve()
	return math.Pow(1+factor*math.Max(t, 0)/s, exponent)
}

// Interval returns the days after which the probability of recall has fallen
// to retention, in (0,1], at stability s days. It is the inverse of Recall.
func (w *Weights) Interval(retention, s float64) float64 {
	exponent, factor := w.curve()
	return s / factor * (math.Pow(retention, 1/exponent) - 1)
}

func clamp(v float64, b [2]float64) float64 { return math.Min(math.Max(v, b[0]), b[1]) }

// round rounds halves up, towards +∞, as JavaScript's Math.round does;
// math.Round would round them away from zero.
func round(v float64) float64 {
	f := math.Floor(v)
	if v-f >= 0.5 {
		f++
	}
	return f
}

// round8 rounds to 8 decimals. ts-fsrs does so after every step, and without
// it a due date now and then differs by a day.
func round8(v float64) float64 { return round(v*1e8) / 1e8 }
