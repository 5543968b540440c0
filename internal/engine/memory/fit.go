package memory

import (
	"fmt"
	"math"
	"time"
)

// FitOptions say how to fit; begin from DefaultFitOptions.
type FitOptions struct {
	// DayStart is when a day of review begins, as time after midnight UTC.
	// Reviews on one such day count as one occasion.
	DayStart time.Duration
	// RelearningSteps is how many there are; more than one bounds w17 and w18.
	RelearningSteps int
	// Even weighs all reviews alike. Otherwise the oldest weigh a quarter of the
	// newest, rising with the cube of their place in time.
	Even bool
}

// DefaultFitOptions has days begin at 4:00 UTC, and one relearning step.
func DefaultFitOptions() FitOptions { return FitOptions{DayStart: DayStart, RelearningSteps: 1} }

// Fit is the outcome of fitting.
type Fit struct {
	Weights    Weights
	Reviews    int     // fitted to: those on a later day than the card's review before
	LogLoss    float64 // of these weights on those reviews, each weighing alike; nats
	Default    float64 // the default weights' log loss on them
	Iterations int
	Warnings   []error
}

// FitWeights fits the weights to a review log: the maximum a posteriori under
// independent normal priors about the default weights.
//
// The log loss of every review on a later day than the card's review before is
// weighed by how recent it is; reviews within a day move memory but are not
// predicted. Under 8 such reviews the defaults are returned. The priors'
// spreads are those of the official optimiser (fsrs-rs 6, PARAMS_STDDEV),
// except that w0–w3 are judged by their logarithms; in place of its five epochs
// of stochastic steps the optimum itself is sought, by a quasi-Newton method
// within the weights' bounds. The scheduler holds a first stability at 0.1 days
// or more, as ts-fsrs does; the model fitted here goes down to 0.001.
func FitWeights(log []Review, o FitOptions) (Fit, error) {
	h, err := gather(log, o.DayStart)
	if err != nil {
		return Fit{}, err
	}
	f := h.fit(h.n, o)
	if h.cut > 0 {
		f.Warnings = append(f.Warnings, fmt.Errorf("%w: %d", ErrCutCards, h.cut))
	}
	if h.n > 0 {
		f.LogLoss = h.logLoss(f.Weights)
		f.Default = h.logLoss(Default)
	}
	return f, nil
}

func (h *history) logLoss(w Weights) float64 {
	p, y := h.predictions(w, 0, h.n), h.outcomes(0, h.n)
	return logLoss(p, y)
}

// outcomes returns, by rank, whether the reviews ranked in [from,to) were
// recalled.
func (h *history) outcomes(from, to int) []bool {
	y := make([]bool, to-from)
	for i, r := range h.rank {
		if r := int(r); r >= from && r < to {
			y[r-from] = h.rating[i] != uint8(Again)
		}
	}
	return y
}

// spread is the standard deviation of the weights between learners, by which
// departures from the defaults are judged.
var spread = Weights{
	6.43, 9.66, 17.58, 27.85, 0.57, 0.28, 0.6, 0.12, 0.39, 0.18, 0.33, 0.3, 0.09,
	0.16, 0.57, 0.25, 1.03, 0.31, 0.32, 0.14, 0.27,
}

// firstSpread is the same for the logarithms of w0–w3.
const firstSpread = 1.0

const leastReviews = 8

// fit fits to the reviews ranked below upTo.
func (h *history) fit(upTo int, o FitOptions) Fit {
	f := Fit{Weights: Default, Reviews: upTo}
	if upTo < leastReviews {
		f.Warnings = append(f.Warnings, fmt.Errorf("%w: %d", ErrFewReviews, upTo))
		return f
	}
	weight := make([]float64, upTo)
	for i := range weight {
		weight[i] = 1
		if !o.Even {
			x := float64(i) / math.Max(float64(upTo-1), 1)
			weight[i] = 0.25 + 0.75*x*x*x
		}
	}
	start := Default
	first, seen := h.firstStability(upTo)
	copy(start[:4], first[:])
	start = start.Clamp(o.RelearningSteps, true)

	cards := len(h.first) - 1
	n := (cards + shardCards - 1) / shardCards
	loss := make([]float64, n)
	grad := make([]Weights, n)
	value := func(w Weights) (float64, Weights) {
		h.shards(func(s, a, b int) {
			p := &pass{}
			p.set(w)
			grad[s] = Weights{}
			loss[s] = p.gradient(h, a, b, upTo, weight, &grad[s])
		})
		var sum float64
		var g Weights
		for s := range n {
			sum += loss[s]
			for i := range g {
				g[i] += grad[s][i]
			}
		}
		for i := range g {
			if i < 4 {
				z := math.Log(w[i]/Default[i]) / firstSpread
				sum += z * z / 2
				g[i] += z / (firstSpread * w[i])
				continue
			}
			z := (w[i] - Default[i]) / spread[i]
			sum += z * z
			g[i] += 2 * z / spread[i]
		}
		return sum, g
	}
	f.Weights, f.Iterations = minimise(value, start, func(w Weights) Weights { return w.Clamp(o.RelearningSteps, true) })
	first = [4]float64(f.Weights[:4])
	orderFirst(&first, seen)
	fillFirst(&first, seen)
	copy(f.Weights[:4], first[:])
	return f
}

// firstStability estimates the stability after each first rating from what
// happened at the first review on a later day, as the official optimiser does:
// by maximum likelihood over days since, with one average answer added to each
// day's and a slight pull to the default. Ratings never seen are filled in
// from their neighbours. seen counts the reviews by rating.
func (h *history) firstStability(upTo int) (s [4]float64, seen [4]int) {
	type outcome struct{ n, right float64 }
	by := [4]map[float32]*outcome{{}, {}, {}, {}}
	var all outcome
	for c := range len(h.first) - 1 {
		a, b := h.first[c], h.until(c, upTo)
		firstLater := true
		for i := a; i < b; i++ {
			if h.rank[i] < 0 {
				continue
			}
			right := 0.0
			if h.rating[i] != uint8(Again) {
				right = 1
			}
			all.n, all.right = all.n+1, all.right+right
			if !firstLater {
				continue
			}
			firstLater = false
			r := h.rating[a] - 1
			o := by[r][h.days[i]]
			if o == nil {
				o = &outcome{}
				by[r][h.days[i]] = o
			}
			o.n, o.right = o.n+1, o.right+right
			seen[r]++
		}
	}
	usual := all.right / all.n
	for r := range s {
		if seen[r] == 0 {
			continue
		}
		// A sum over a map comes out differently each time in its last digit.
		days := sortedKeys(by[r])
		loss := func(s float64) float64 {
			l := math.Abs(s-Default[r]) / 16
			for _, d := range days {
				o := by[r][d]
				p := math.Min(math.Max(Default.Recall(float64(d), s), leastRecall), 1-leastRecall)
				y := (o.right + usual) / (o.n + 1)
				l -= o.n * (y*math.Log(p) + (1-y)*math.Log1p(-p))
			}
			return l
		}
		lo, hi := math.Log(minStability), math.Log(100.0)
		for hi-lo > 1e-9 {
			a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
			if loss(math.Exp(a)) < loss(math.Exp(b)) {
				hi = b
			} else {
				lo = a
			}
		}
		s[r] = math.Exp((lo + hi) / 2)
	}
	orderFirst(&s, seen)
	fillFirst(&s, seen)
	return s, seen
}

// orderFirst sees that a better first rating does not have a lower stability:
// the one with fewer reviews yields.
func orderFirst(s *[4]float64, seen [4]int) {
	for _, pair := range [][2]int{{0, 1}, {1, 2}, {2, 3}, {0, 2}, {1, 3}, {0, 3}} {
		a, b := pair[0], pair[1]
		if seen[a] == 0 || seen[b] == 0 || s[a] <= s[b] {
			continue
		}
		if seen[a] > seen[b] {
			s[b] = s[a]
		} else {
			s[a] = s[b]
		}
	}
}

// fillFirst gives ratings never seen the stability that lies, in logarithms,
// as far from their neighbours' as the defaults do.
func fillFirst(s *[4]float64, seen [4]int) {
	known := []int{}
	for r := range s {
		if seen[r] > 0 {
			known = append(known, r)
		}
	}
	if len(known) == 0 {
		copy(s[:], Default[:4])
		return
	}
	for r := range s {
		if seen[r] > 0 {
			continue
		}
		below, above := -1, -1
		for _, k := range known {
			if k < r {
				below = k
			} else if above < 0 {
				above = k
			}
		}
		at := func(k int) float64 { return math.Log(s[k] / Default[k]) }
		shift := 0.0
		switch {
		case below < 0:
			shift = at(above)
		case above < 0:
			shift = at(below)
		default:
			x := math.Log(Default[r]/Default[below]) / math.Log(Default[above]/Default[below])
			shift = at(below)*(1-x) + at(above)*x
		}
		s[r] = clamp(Default[r]*math.Exp(shift), bounds[r])
	}
}
