package memory

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Review is one line of a review log.
type Review struct {
	Card   string
	At     int64  // ms since 1970, UTC
	Rating Rating // 1–4; 0, a manual change of the schedule, is passed over
	// State is where the card stood, as review logs write it: 0 new,
	// 1 learning, 2 review, 3 relearning, 4 filtered, 5 manual. Where the log
	// has none, leave 0.
	State uint8
}

const stateManual = 5

// DayStart is when a day of review begins unless told otherwise: 4:00 UTC.
const DayStart = 4 * time.Hour

// ErrLogState is returned for a state outside 0–5.
var ErrLogState = errors.New("memory: a state is 0 (new) to 5 (manual)")

// Warnings about a log.
var (
	// ErrFewReviews warns that weights were left at their defaults, or only
	// partly fitted, for want of reviews.
	ErrFewReviews = errors.New("memory: too few reviews on later days; the defaults stand, wholly or in part")
	// ErrCutCards warns that cards were passed over because the log does not
	// hold their first review.
	ErrCutCards = errors.New("memory: cards whose first review the log does not hold were passed over")
	// ErrOneOutcome warns that all was recalled, or nothing, so that the AUC is undefined.
	ErrOneOutcome = errors.New("memory: all reviews ended alike; there is no AUC")
)

// history is a log ordered by card and time, in flat arrays: a million reviews
// take some 20 MB.
type history struct {
	first  []int32   // where each card begins, and at the end the number of reviews
	days   []float32 // whole days since the card's last review; 0 for its first
	rating []uint8
	rank   []int32 // place in time among the reviews to predict; -1 if none of them
	bin    []uint32
	n      int // reviews to predict: those on a later day than the one before
	cut    int // cards passed over
}

// gather orders a log and counts the days between reviews; dayStart is when a
// day begins, as time after midnight UTC.
func gather(log []Review, dayStart time.Duration) (*history, error) {
	order := make([]int32, 0, len(log))
	cards := map[string]int32{}
	card := make([]int32, len(log))
	for i := range log {
		r := &log[i]
		if r.Rating > Easy {
			return nil, fmt.Errorf("review %d: %w", i+1, ErrRating)
		}
		if r.State > stateManual {
			return nil, fmt.Errorf("review %d: %w", i+1, ErrLogState)
		}
		if r.Rating == 0 || r.State == stateManual {
			continue
		}
		id, ok := cards[r.Card]
		if !ok {
			id = int32(len(cards))
			cards[r.Card] = id
		}
		card[i] = id
		order = append(order, int32(i))
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(card[a], card[b]), cmp.Compare(log[a].At, log[b].At), cmp.Compare(a, b))
	})
	day := func(i int32) int64 {
		return int64(math.Floor(float64(log[i].At-dayStart.Milliseconds()) / 86400000))
	}

	h := &history{first: []int32{0}}
	type due struct {
		at    int64
		place int32
	}
	var predict []due
	for len(order) > 0 {
		n := 1
		for n < len(order) && card[order[n]] == card[order[0]] {
			n++
		}
		own := order[:n]
		order = order[n:]
		if own = sinceFirstLearned(log, own); len(own) == 0 {
			h.cut++
			continue
		}
		later, lapses := 1, 0
		for k, i := range own {
			gap := int64(0)
			if k > 0 {
				gap = day(i) - day(own[k-1])
			}
			h.days = append(h.days, float32(gap))
			h.rating = append(h.rating, uint8(log[i].Rating))
			h.rank = append(h.rank, -1)
			if gap > 0 {
				later++
				predict = append(predict, due{log[i].At, int32(len(h.rank) - 1)})
			}
			h.bin = append(h.bin, bin(gap, later, lapses))
			if gap > 0 && log[i].Rating == Again {
				lapses++
			}
		}
		h.first = append(h.first, int32(len(h.days)))
	}
	slices.SortStableFunc(predict, func(a, b due) int { return cmp.Compare(a.at, b.at) })
	for rank, p := range predict {
		h.rank[p.place] = int32(rank)
	}
	h.n = len(predict)
	return h, nil
}

// sinceFirstLearned returns a card's reviews from the last time that it was
// learned from new, which is where its memory began; nothing when the log does
// not show that.
func sinceFirstLearned(log []Review, own []int32) []int32 {
	at := -1
	for k := len(own) - 1; k >= 0; k-- {
		if log[own[k]].State <= 1 {
			at = k
		} else if at >= 0 {
			break
		}
	}
	if at < 0 {
		return nil
	}
	return own[at:]
}

// bin returns the cell of RMSE (bins) that a review falls in, by days since
// the last review, number of the review and lapses before it, each on a
// logarithmic scale (srs-benchmark, utils.py, rmse_matrix).
func bin(gap int64, number, lapses int) uint32 {
	step := func(v, base float64) uint32 { return uint32(int(math.Floor(math.Log(v)/math.Log(base))) + 1) }
	if gap <= 0 {
		return 0
	}
	b := step(float64(gap), 3.62)<<16 | step(float64(number), 1.89)<<8
	if lapses > 0 {
		b |= step(float64(lapses), 1.73)
	}
	return b
}
