package memory

import (
	"fmt"
	"math"
	"slices"
)

// Metrics say how well recall was predicted.
type Metrics struct {
	Reviews  int
	LogLoss  float64 // nats per review; lower is better
	RMSEBins float64 // root mean square of predicted minus actual recall, by bin, as srs-benchmark has it
	AUC      float64 // chance that a success was given the higher probability; NaN if all ended alike
}

// splits is how many expanding splits a log is evaluated on.
const splits = 5

// Evaluation compares fitted weights with the defaults on reviews later than
// those they were fitted to.
type Evaluation struct {
	Fitted   Metrics
	Default  Metrics
	Weights  [splits]Weights // fitted to the reviews before each split's test
	Warnings []error
}

// Evaluate cuts the reviews on later days, in order of time, in six equal
// parts, the first taking what is left over; fits weights to the first k and
// predicts the next, for k from 1 to 5; and measures all five predictions
// together. It is what srs-benchmark does with scikit-learn's TimeSeriesSplit,
// less its removal of outliers: every review on a later day counts.
func Evaluate(log []Review, o FitOptions) (Evaluation, error) {
	var e Evaluation
	h, err := gather(log, o.DayStart)
	if err != nil {
		return e, err
	}
	if h.cut > 0 {
		e.Warnings = append(e.Warnings, fmt.Errorf("%w: %d", ErrCutCards, h.cut))
	}
	size := h.n / (splits + 1)
	if size == 0 {
		return e, fmt.Errorf("%w: %d", ErrFewReviews, h.n)
	}
	begin := h.n - splits*size
	var p []float64
	for k := range splits {
		from := begin + k*size
		f := h.fit(from, o)
		if len(f.Warnings) > 0 {
			e.Warnings = append(e.Warnings, fmt.Errorf("split %d: %w", k+1, f.Warnings[0]))
		}
		e.Weights[k] = f.Weights
		p = append(p, h.predictions(f.Weights, from, from+size)...)
	}
	y := h.outcomes(begin, h.n)
	bins := make([]uint32, h.n-begin)
	for i, r := range h.rank {
		if int(r) >= begin {
			bins[int(r)-begin] = h.bin[i]
		}
	}
	e.Fitted = measure(p, y, bins)
	e.Default = measure(h.predictions(Default, begin, h.n), y, bins)
	if math.IsNaN(e.Fitted.AUC) {
		e.Warnings = append(e.Warnings, ErrOneOutcome)
	}
	return e, nil
}

// Measure returns how well the weights predict the reviews on later days of a
// log they were not fitted to.
func Measure(log []Review, w Weights, o FitOptions) (Metrics, error) {
	h, err := gather(log, o.DayStart)
	if err != nil {
		return Metrics{}, err
	}
	if h.n == 0 {
		return Metrics{}, ErrFewReviews
	}
	bins := make([]uint32, h.n)
	for i, r := range h.rank {
		if r >= 0 {
			bins[r] = h.bin[i]
		}
	}
	w = w.Clamp(o.RelearningSteps, true)
	return measure(h.predictions(w, 0, h.n), h.outcomes(0, h.n), bins), nil
}

func measure(p []float64, y []bool, bins []uint32) Metrics {
	return Metrics{Reviews: len(p), LogLoss: logLoss(p, y), RMSEBins: rmseBins(p, y, bins), AUC: auc(p, y)}
}

func logLoss(p []float64, y []bool) float64 {
	sum := 0.0
	for i, p := range p {
		p = math.Min(math.Max(p, leastRecall), 1-leastRecall)
		if y[i] {
			sum -= math.Log(p)
		} else {
			sum -= math.Log1p(-p)
		}
	}
	return sum / float64(len(p))
}

func rmseBins(p []float64, y []bool, bins []uint32) float64 {
	type cell struct{ n, p, y float64 }
	cells := map[uint32]cell{}
	for i, b := range bins {
		c := cells[b]
		c.n, c.p = c.n+1, c.p+p[i]
		if y[i] {
			c.y++
		}
		cells[b] = c
	}
	sum := 0.0
	for _, b := range sortedKeys(cells) {
		c := cells[b]
		sum += (c.p - c.y) * (c.p - c.y) / c.n
	}
	return math.Sqrt(sum / float64(len(p)))
}

// auc is the area under the receiver operating characteristic, ties counting
// half.
func auc(p []float64, y []bool) float64 {
	order := make([]int32, len(p))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	var right, wrong, won float64
	for i := 0; i < len(order); {
		j := i
		var r, w float64
		for ; j < len(order) && p[order[j]] == p[order[i]]; j++ {
			if y[order[j]] {
				r++
			} else {
				w++
			}
		}
		won += r * (wrong + w/2)
		right, wrong = right+r, wrong+w
		i = j
	}
	return won / (right * wrong)
}
