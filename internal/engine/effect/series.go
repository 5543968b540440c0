package effect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// SeriesOptions are those of InterruptedSeries.
type SeriesOptions struct {
	Confidence float64 // in (0,1); 0 is 0.95
	// Lag is how many periods back errors may depend on each other; 0 is Newey &
	// West's (1994) rule ⌊4·(n/100)^(2/9)⌋, negative none.
	Lag    int
	Season int // periods in a year, for a yearly wave; 0: none
	// At is the period, counted from the start, at which the effect is read; 0
	// is the first. An estimate is level + slope·At.
	At int
}

// Series is a change of course.
type Series struct {
	Level  Estimate `json:"level"`  // the jump at the start, in the outcome's unit
	Slope  Estimate `json:"slope"`  // the change of slope, per period
	Effect Estimate `json:"effect"` // at period At after the start
	Before float64  `json:"before"` // slope before the start, per period (of the gap, with a comparison)
	Lag    int      `json:"lag"`
	// Fitted and Without are, per period, the line fitted and the line that goes
	// on as before the start; with a comparison, its values are added to both.
	Fitted  []float64 `json:"fitted"`
	Without []float64 `json:"without"`
}

// InterruptedSeries fits a line before and a line from the start on to a series
// of equally spaced periods (segmented regression; Wagner et al. 2002; Bernal
// et al. 2017), with Newey & West's (1987) error times n/(n − k), for errors that
// depend on those of Lag periods before. y is the outcome by period, in order;
// start the index of the first period under treatment.
//
// With a comparison series (nil: none) it is fitted to the gap between the two,
// so that what moves both drops out, and errors common to both with it.
func InterruptedSeries(y, comparison []float64, start int, o SeriesOptions) (Series, error) {
	var s Series
	n := len(y)
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if !(o.Confidence > 0 && o.Confidence < 1) || o.At < 0 || o.Season < 0 {
		return s, fmt.Errorf("%w: %+v", ErrOption, o)
	}
	if err := finite("outcome", y); err != nil {
		return s, err
	}
	gap := append([]float64(nil), y...)
	if comparison != nil {
		if len(comparison) != n {
			return s, fmt.Errorf("%w: comparison", ErrLength)
		}
		if err := finite("comparison", comparison); err != nil {
			return s, err
		}
		floats.Sub(gap, comparison)
	}
	if start < 2 || n-start < 2 {
		return s, fmt.Errorf("%w: two on either side", ErrPeriods)
	}
	time, post, since := make([]float64, n), make([]float64, n), make([]float64, n)
	x := [][]float64{ones(n), time}
	for t := range n {
		time[t] = float64(t - start)
		if t >= start {
			post[t], since[t] = 1, float64(t-start)
		}
	}
	if o.Season > 1 {
		sin, cos := make([]float64, n), make([]float64, n)
		for t := range n {
			sin[t], cos[t] = math.Sincos(2 * math.Pi * float64(t) / float64(o.Season))
		}
		x = append(x, sin)
		if o.Season > 2 { // of two periods a year the sine is 0 or the cosine
			x = append(x, cos)
		} else {
			x[2] = cos
		}
	}
	level := len(x)
	x = append(x, post, since)
	f, err := regress(gap, x, nil)
	if err != nil {
		return s, err
	}
	if len(f.kept) < len(x) {
		return s, ErrCollinear
	}
	switch s.Lag = o.Lag; {
	case o.Lag == 0:
		s.Lag = int(4 * math.Pow(float64(n)/100, 2.0/9))
	case o.Lag < 0:
		s.Lag = 0
	}
	s.Lag = min(s.Lag, n-1)
	s.Before = f.beta[1]
	read := func(method string, jump, slope float64) Estimate {
		c := make([]float64, len(x))
		c[level], c[level+1] = jump, slope
		e := Estimate{
			Method: method, Estimand: ATT, N: n, NTreated: n - start,
			Estimate: floats.Dot(c, f.beta), SE: f.neweyWest(c, s.Lag), DF: f.df,
		}
		e.infer(o.Confidence)
		if few := min(start, n-start); few < 8 { // a line and its errors from fewer is a guess (Penfold & Zhang 2013)
			e.warn(Warning{FewPeriods, "", float64(few), 8})
		}
		return e
	}
	s.Level = read("interrupted_series_level", 1, 0)
	s.Slope = read("interrupted_series_slope", 0, 1)
	s.Effect = read("interrupted_series", 1, float64(o.At))
	s.Fitted, s.Without = make([]float64, n), make([]float64, n)
	for t := range n {
		s.Fitted[t] = y[t] - f.resid[t]
		s.Without[t] = s.Fitted[t] - f.beta[level]*post[t] - f.beta[level+1]*since[t]
	}
	return s, nil
}

// neweyWest is the standard error of cᵀβ under errors that depend up to lag
// rows back, by Bartlett's weights, times √(n/(n − k)).
func (f *fit) neweyWest(c []float64, lag int) float64 {
	w := f.contrast(c)
	n := len(f.resid)
	g := make([]float64, n)
	for j, q := range f.q {
		floats.AddScaled(g, w[j], q)
	}
	floats.Mul(g, f.resid)
	v := floats.Dot(g, g)
	for l := 1; l <= lag; l++ {
		v += 2 * (1 - float64(l)/float64(lag+1)) * floats.Dot(g[l:], g[:n-l])
	}
	return math.Sqrt(v * float64(n) / f.df)
}
