package effect

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Score is how good probabilities of a yes or no proved.
type Score struct {
	N         int     `json:"n"`
	Rate      float64 `json:"rate"`        // share of yes
	AUROC     float64 `json:"auroc"`       // chance that a yes ranks above a no; 0.5 is no better than lot
	SE        float64 `json:"se"`          // of AUROC (DeLong et al. 1988), rows taken as independent
	Brier     float64 `json:"brier"`       // mean squared error
	Skill     float64 `json:"skill"`       // 1 − Brier / Brier of the rate itself
	LogLoss   float64 `json:"log_loss"`    // mean, nats
	Intercept float64 `json:"intercept"`   // of the outcome on the log odds; 0 is calibrated (Cox 1958)
	Slope     float64 `json:"slope"`       // under 1: too bold; over 1: too shy
	Error     float64 `json:"calibration"` // mean |rate − probability| over Reliability, by people
}

// Bin is a point of a reliability curve.
type Bin struct {
	Predicted float64 `json:"predicted"` // mean probability
	Observed  float64 `json:"observed"`  // share of yes
	Low       float64 `json:"low"`       // of Observed, 95 % (Wilson 1927)
	High      float64 `json:"high"`
	N         int     `json:"n"`
}

// Evaluation is a Score with its curve, and scores by week.
type Evaluation struct {
	Score
	Reliability []Bin      `json:"reliability"` // tenths of the people, by probability
	ByWeek      []WeekWise `json:"by_week,omitempty"`
}

// WeekWise is the score of the rows of one week.
type WeekWise struct {
	Week int `json:"week"`
	Score
}

// Evaluate scores probabilities p of yes (y = 1) against what came. week, if
// not nil, is each row's.
func Evaluate(p, y []float64, week []int) (Evaluation, error) {
	var e Evaluation
	if len(p) != len(y) || week != nil && len(week) != len(y) {
		return e, ErrLength
	}
	if len(p) == 0 {
		return e, ErrTooFew
	}
	if err := finite("probability", p); err != nil {
		return e, err
	}
	for i, v := range y {
		if v != 0 && v != 1 {
			return e, fmt.Errorf("%w: row %d", ErrBinary, i)
		}
		if p[i] < 0 || p[i] > 1 {
			return e, fmt.Errorf("%w: probability %v in row %d", ErrNumber, p[i], i)
		}
	}
	e.Score = score(p, y)
	e.Reliability = reliability(p, y)
	for _, b := range e.Reliability {
		e.Error += math.Abs(b.Observed-b.Predicted) * float64(b.N) / float64(len(p))
	}
	if week != nil {
		g := group(week)
		for w := range g.n() {
			pw, yw := pick(p, g.rows(w)), pick(y, g.rows(w))
			s := score(pw, yw)
			for _, b := range reliability(pw, yw) {
				s.Error += math.Abs(b.Observed-b.Predicted) * float64(b.N) / float64(len(pw))
			}
			e.ByWeek = append(e.ByWeek, WeekWise{g.code[w], s})
		}
	}
	return e, nil
}

func score(p, y []float64) Score {
	s := Score{N: len(p)}
	n := float64(len(p))
	var yes []int
	for i, v := range y {
		s.Rate += v / n
		s.Brier += (p[i] - v) * (p[i] - v) / n
		q := min(max(p[i], 1e-15), 1-1e-15)
		if v == 1 {
			s.LogLoss -= math.Log(q) / n
			yes = append(yes, i)
		} else {
			s.LogLoss -= math.Log(1-q) / n
		}
	}
	s.AUROC, s.SE = auroc(p, y)
	if plain := s.Rate * (1 - s.Rate); plain > 0 {
		s.Skill = 1 - s.Brier/plain
		odds := make([]float64, len(p))
		for i, v := range p {
			q := min(max(v, 1e-6), 1-1e-6)
			odds[i] = math.Log(q / (1 - q))
		}
		s.Slope, s.Intercept = line(odds, y)
	}
	return s
}

// auroc is the area under the ROC curve by ranks, ties counting half, with
// DeLong's standard error; 0.5 and 0 if all are alike.
func auroc(p, y []float64) (area, se float64) {
	var in [2][]int
	for i, v := range y {
		in[int(v)] = append(in[int(v)], i)
	}
	n0, n1 := float64(len(in[0])), float64(len(in[1]))
	if n0 == 0 || n1 == 0 {
		return 0.5, 0
	}
	all := ranks(p)
	var v [2]moments
	for a := range in {
		own := ranks(pick(p, in[a]))
		for j, i := range in[a] {
			beyond := (all[i] - own[j]) / []float64{n1, n0}[a] // share of the others below
			v[a].add(beyond)
		}
	}
	return v[1].mean, math.Sqrt(v[0].variance()/n0 + v[1].variance()/n1)
}

func reliability(p, y []float64) []Bin {
	order := codes0(len(p))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var bins []Bin
	from := 0
	for k := 1; k <= 10; k++ {
		to := len(order) * k / 10
		for to > from && to < len(order) && p[order[to]] == p[order[to-1]] {
			to++ // people of one probability stay together
		}
		if to <= from {
			continue
		}
		b := Bin{N: to - from}
		n := float64(b.N)
		for _, i := range order[from:to] {
			b.Predicted += p[i] / n
			b.Observed += y[i] / n
		}
		const z = 1.959963984540054
		mid := (b.Observed + z*z/(2*n)) / (1 + z*z/n)
		half := z / (1 + z*z/n) * math.Sqrt(b.Observed*(1-b.Observed)/n+z*z/(4*n*n))
		b.Low, b.High = max(0, mid-half), min(1, mid+half)
		bins = append(bins, b)
		from = to
	}
	return bins
}

// line fits P(yes) = sigmoid(slope·x + intercept) by Newton's method; y may lie
// between 0 and 1.
func line(x, y []float64) (slope, intercept float64) {
	var m moments
	rate := 0.0
	for i, v := range x {
		m.add(v)
		rate += y[i] / float64(len(y))
	}
	scale := math.Sqrt(m.variance())
	if rate <= 0 || rate >= 1 {
		return 0, 0
	}
	a, b := math.Log(rate/(1-rate)), 0.0 // in z = (x − mean)/scale
	if scale == 0 {
		return 0, a
	}
	for range 50 {
		var g0, g1, h00, h01, h11 float64
		for i, v := range x {
			z := (v - m.mean) / scale
			p := sigmoid(a + b*z)
			w := p * (1 - p)
			g0, g1 = g0+y[i]-p, g1+(y[i]-p)*z
			h00, h01, h11 = h00+w, h01+w*z, h11+w*z*z
		}
		det := h00*h11 - h01*h01
		if det <= 1e-12*h00*h11 {
			break
		}
		da, db := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		// A bounded step keeps Newton from flying off where y is told apart.
		da, db = min(max(da, -2), 2), min(max(db, -2), 2)
		a, b = a+da, b+db
		if math.Abs(da)+math.Abs(db) < 1e-10 || math.Abs(b) > 40 {
			break
		}
	}
	return b / scale, a - b*m.mean/scale
}

// Calibration turns a model's log odds into probabilities that come true.
type Calibration struct {
	// Platt's (1999) line, used where At is empty.
	Slope     float64 `json:"slope,omitempty"`
	Intercept float64 `json:"intercept,omitempty"`
	// Isotonic (Zadrozny & Elkan 2002): probabilities P at log odds At,
	// ascending, straight lines between.
	At []float64 `json:"at,omitempty"`
	P  []float64 `json:"p,omitempty"`
}

// probability maps log odds x.
func (c Calibration) probability(x float64) float64 {
	if len(c.At) == 0 {
		return sigmoid(c.Slope*x + c.Intercept)
	}
	i, _ := slices.BinarySearch(c.At, x)
	switch {
	case i == 0:
		return c.P[0]
	case i == len(c.At):
		return c.P[i-1]
	}
	w := (x - c.At[i-1]) / (c.At[i] - c.At[i-1])
	return c.P[i-1] + w*(c.P[i]-c.P[i-1])
}

// platt fits a line to the log odds, with Platt's targets a little inside 0
// and 1.
func platt(odds, y []float64) Calibration {
	yes := 0.0
	for _, v := range y {
		yes += v
	}
	high, low := (yes+1)/(yes+2), 1/(float64(len(y))-yes+2)
	target := make([]float64, len(y))
	for i, v := range y {
		target[i] = low
		if v == 1 {
			target[i] = high
		}
	}
	var c Calibration
	c.Slope, c.Intercept = line(odds, target)
	return c
}

// isotonic fits a rising curve by pooling adjacent violators. Each block counts
// one person more, of the general rate, so that none is certain.
func isotonic(odds, y []float64) Calibration {
	order := codes0(len(odds))
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(odds[a], odds[b]) })
	x, v := pick(odds, order), pick(y, order)
	var rate float64
	for _, t := range v {
		rate += t / float64(len(v))
	}
	var c Calibration
	blocks := violators(x, v)
	for _, b := range blocks {
		at, p := b.x/b.n, (b.y+rate)/(b.n+1)
		if k := len(c.At); k > 0 {
			p = max(p, c.P[k-1]) // the added person may turn a step around
			if at <= c.At[k-1] {
				c.P[k-1] = p
				continue
			}
		}
		c.At, c.P = append(c.At, at), append(c.P, p)
	}
	return c
}

type block struct{ n, x, y float64 } // people, sum of log odds, sum of yes

// violators pools ascending x into blocks of rising mean y; equal x go together.
func violators(x, y []float64) []block {
	var s []block
	last := math.NaN()
	for i := range x {
		if x[i] == last {
			top := &s[len(s)-1]
			top.n, top.x, top.y = top.n+1, top.x+x[i], top.y+y[i]
		} else {
			s = append(s, block{1, x[i], y[i]})
		}
		last = x[i]
		if i+1 < len(x) && x[i+1] == last {
			continue
		}
		for len(s) > 1 {
			a, b := s[len(s)-2], s[len(s)-1]
			if a.y/a.n < b.y/b.n {
				break
			}
			s = append(s[:len(s)-2], block{a.n + b.n, a.x + b.x, a.y + b.y})
		}
	}
	return s
}
