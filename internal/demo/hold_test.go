package demo

import (
	"fmt"
	"math"
	"testing"
	"time"

	"attune/internal/testdb"
)

// lived runs the story once.
func lived(t *testing.T, people int, seed uint64) (*Outcome, *Summary) {
	t.Helper()
	d := testdb.SQLite(t)
	out, err := Run(t.Context(), d, Options{People: people, Days: 3, Hours: 6, Seed: seed, Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Summarise(t.Context(), d, out)
	if err != nil {
		t.Fatal(err)
	}
	return out, sum
}

// What one company finds is near what is true of it.
func TestEstimatesNearTruth(t *testing.T) {
	_, s := lived(t, 400, 1)
	e, tr := s.Effect, s.Truth
	if wide := 3 * (e.High - e.Low) / 2 / 1.96; math.Abs(e.Mean-tr.MeanEffect) > wide {
		t.Errorf("mean effect %.3f, true %.3f: more than 3 standard errors apart", e.Mean, tr.MeanEffect)
	}
	if v := e.Versus; v == nil {
		t.Error("nothing was drawn")
	} else if wide := 3 * (v.High - v.Low) / 2 / 1.96; math.Abs(v.Estimate-tr.WaitlistEffect) > wide {
		t.Errorf("effect of a seat %.3f, true %.3f: more than 3 standard errors apart", v.Estimate, tr.WaitlistEffect)
	}
	if tr.Coverage < 0.88 || tr.Coverage > 0.995 {
		t.Errorf("the persons' intervals hold the truth in %.3f of cases", tr.Coverage)
	}
	if s.Plan.Gap < 0 || s.Plan.Gap > 0.01 {
		t.Errorf("plan %.3f, bound %.3f: gap %.4f", s.Plan.Objective, s.Plan.Bound, s.Plan.Gap)
	}
	if s.Second == nil || s.Second.Low <= 0 {
		t.Errorf("the second cycle: %+v", s.Second)
	}
}

// The same seed tells the same story to the last figure.
func TestSameSeedSameStory(t *testing.T) {
	_, a := lived(t, 100, 3)
	_, b := lived(t, 100, 3)
	if a.Effect.Mean != b.Effect.Mean || a.Plan != b.Plan || a.Truth.MeanEffect != b.Truth.MeanEffect {
		t.Errorf("twice the same seed:\n%+v\n%+v", a, b)
	}
}

// Over twenty companies the persons' intervals hold the truth as often as they
// say, and the group's estimates are unbiased.
func TestTwentyCompanies(t *testing.T) {
	testdb.Long(t)
	var meanIn, seatIn int
	var meanError, seatError, mean, seat float64
	const seeds = 20
	for seed := range uint64(seeds) {
		seed++
		_, s := lived(t, 1000, seed)
		e, tr := s.Effect, s.Truth
		line := fmt.Sprintf("seed %2d: mean %.3f (%.3f–%.3f) true %.3f; coverage %.3f", seed, e.Mean, e.Low, e.High, tr.MeanEffect, tr.Coverage)
		if tr.Coverage < 0.92 || tr.Coverage > 0.98 {
			t.Errorf("seed %d: coverage %.3f", seed, tr.Coverage)
		}
		if e.Low <= tr.MeanEffect && tr.MeanEffect <= e.High {
			meanIn++
		}
		meanError += (e.Mean - tr.MeanEffect) / seeds
		mean += tr.MeanEffect / seeds
		if v := e.Versus; v != nil {
			line += fmt.Sprintf("; seat %.3f (%.3f–%.3f) true %.3f", v.Estimate, v.Low, v.High, tr.WaitlistEffect)
			if v.Low <= tr.WaitlistEffect && tr.WaitlistEffect <= v.High {
				seatIn++
			}
			seatError += (v.Estimate - tr.WaitlistEffect) / seeds
			seat += tr.WaitlistEffect / seeds
		}
		t.Log(line)
	}
	t.Logf("mean: %d of %d intervals hold, mean error %.4f of %.3f; seat: %d hold, mean error %.4f of %.3f", meanIn, seeds, meanError, mean, seatIn, seatError, seat)
	if meanIn < 17 || seatIn < 17 {
		t.Errorf("true effects lie in their intervals %d and %d times of %d", meanIn, seatIn, seeds)
	}
	if math.Abs(meanError) > mean/10 || math.Abs(seatError) > seat/10 {
		t.Errorf("mean errors %.4f and %.4f of %.3f and %.3f", meanError, seatError, mean, seat)
	}
}
