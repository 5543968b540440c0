package memory

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// learner is a simulated person whose memory follows FSRS-6 with weights of
// their own, while cards are scheduled by the defaults, and not always reviewed
// when due.
type learner struct {
	truth   Weights
	cards   int
	perDay  int // new cards
	days    int
	scatter float64 // of stability between cards, in logarithms; 0 as the model says
}

func (l learner) log(t testing.TB, rng *rand.Rand) []Review {
	t.Helper()
	schedule, err := NewScheduler(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Weights = l.truth
	truth, err := NewScheduler(o)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 1, 1, 9, 0, 0, 0, time.UTC)
	var log []Review
	for c := range l.cards {
		now := start.AddDate(0, 0, c/l.perDay).Add(time.Duration(rng.IntN(3600*8)) * time.Second)
		end := start.AddDate(0, 0, l.days)
		plan, mind := NewCard(now), NewCard(now)
		ease := math.Exp(l.scatter * rng.NormFloat64())
		for now.Before(end) {
			r := Rating(1 + pick(rng, 0.25, 0.1, 0.55, 0.1))
			state := plan.State
			if mind.State != New {
				gap := days(mind.LastReview, now)
				recall := truth.w.Recall(float64(gap), mind.Stability*ease)
				if gap == 0 {
					recall = 0.9
				}
				if r = Again; rng.Float64() < recall {
					r = Rating(2 + pick(rng, 0.12, 0.78, 0.1))
				}
			}
			log = append(log, Review{Card: strconv.Itoa(c), At: now.UnixMilli(), Rating: r, State: uint8(max(state, Learning))})
			if plan, err = schedule.Next(plan, now, r); err != nil {
				t.Fatal(err)
			}
			if mind, err = truth.Next(mind, now, r); err != nil {
				t.Fatal(err)
			}
			if plan.Interval == 0 {
				now = plan.Due
				continue
			}
			late := int(math.Floor(rng.ExpFloat64() * 0.15 * float64(plan.Interval)))
			now = midnight(now).AddDate(0, 0, plan.Interval+late).Add(9*time.Hour + time.Duration(rng.IntN(3600*8))*time.Second)
		}
	}
	return log
}

func pick(rng *rand.Rand, p ...float64) int {
	u := rng.Float64()
	for i, p := range p {
		if u -= p; u < 0 {
			return i
		}
	}
	return len(p) - 1
}

// person draws weights as they are spread between people, by scale.
func person(rng *rand.Rand, scale float64) Weights {
	w := Default
	for i := range w {
		if i < 4 {
			w[i] *= math.Exp(scale * rng.NormFloat64())
		} else {
			w[i] += scale * spread[i] * rng.NormFloat64()
		}
	}
	orderFirst((*[4]float64)(w[:4]), [4]int{1, 1, 1, 1})
	return w.Clamp(1, true)
}
