// Package effect estimates what a training changed, and how sure that is:
// differences and their adjustments, panels, weighting, matching, blocked
// draws, stepped wedges, mediation, interrupted series, risk, power and return.
//
// Everything is pure: columns in, a result with its warnings out. A random
// procedure takes a seed, and the same seed gives the same result.
package effect

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Data is what an estimator reads: columns of one length, a row per
// observation. Columns that an estimator does not use may be nil.
type Data struct {
	Outcome    []float64
	Treatment  []float64 // 1 treated, 0 not; FE also takes a dose
	Covariates []Covariate
	Cluster    []int // code of what was drawn or serves together, such as a team
	Unit       []int // code of who is observed again and again
	Time       []int // period; later is larger
}

// Covariate is a column with the name it is reported under.
type Covariate struct {
	Name   string
	Values []float64
}

// SE says how a standard error is taken.
type SE string

const (
	// Classical assumes one variance for all and independent rows; DF is rows
	// less coefficients.
	Classical SE = "classical"
	// HC2 allows each row its own variance (MacKinnon & White 1985). For a
	// difference of two means it is Neyman's √(s₁²/n₁ + s₀²/n₀).
	HC2 SE = "hc2"
	// CR2 allows any dependence within a cluster (Bell & McCaffrey 2002).
	// Both HC2 and CR2 take their DF by Satterthwaite's approximation under
	// independent errors of one variance (Imbens & Kolesár 2016; Pustejovsky &
	// Tipton 2018), so that few or unequal clusters widen the interval.
	CR2 SE = "cr2"
)

// Options are common to the estimators. The zero value is usable.
type Options struct {
	SE         SE      // "": CR2 where Cluster is given, else Classical
	Confidence float64 // of the interval, in (0,1); 0 is 0.95
}

func (o Options) confidence() float64 {
	if o.Confidence == 0 {
		return 0.95
	}
	return o.Confidence
}

func (o Options) kind(cluster []int) SE {
	switch {
	case o.SE != "":
		return o.SE
	case cluster != nil:
		return CR2
	}
	return Classical
}

func (o Options) check() error {
	if c := o.confidence(); !(c > 0 && c < 1) {
		return fmt.Errorf("%w: confidence %v", ErrOption, c)
	}
	switch o.SE {
	case "", Classical, HC2, CR2:
		return nil
	}
	return fmt.Errorf("%w: standard error %q", ErrOption, o.SE)
}

// Estimand says whom an effect is the average over.
type Estimand string

const (
	ATE Estimand = "ate" // everybody
	ATT Estimand = "att" // the treated
)

// Estimate is an effect on the outcome, in the outcome's unit.
type Estimate struct {
	Method   string   `json:"method"`
	Estimand Estimand `json:"estimand"`

	Estimate float64 `json:"estimate"`
	SE       float64 `json:"se"`
	SEKind   SE      `json:"se_kind,omitempty"` // empty where the method has one of its own
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	P        float64 `json:"p"`            // two-sided, of no effect
	DF       float64 `json:"df,omitempty"` // of Student's t; 0: normal

	// HedgesG is the effect in pooled within-arm standard deviations of the
	// outcome, times Hedges' (1981) small-sample correction 1 − 3/(4·df − 1).
	HedgesG float64 `json:"hedges_g"`

	N        int        `json:"n"`         // rows used
	NTreated int        `json:"n_treated"` // rows treated; in a panel, units ever treated
	Clusters int        `json:"clusters,omitempty"`
	Balance  []Balance  `json:"balance,omitempty"`
	Overlap  *Overlap   `json:"overlap,omitempty"`
	PreTrend *PreTrend  `json:"pre_trend,omitempty"`
	Events   []Event    `json:"events,omitempty"`
	Draw     *Redrawn   `json:"draw,omitempty"`
	Variance *Intercept `json:"variance,omitempty"`
	Warnings []error    `json:"warnings,omitempty"` // each a Warning
}

// Errors of input. They wrap nothing and are compared with errors.Is.
var (
	ErrLength    = errors.New("effect: columns differ in length")
	ErrNumber    = errors.New("effect: not a finite number")
	ErrBinary    = errors.New("effect: treatment must be 0 or 1")
	ErrArm       = errors.New("effect: nobody in one of the arms")
	ErrTooFew    = errors.New("effect: too few rows for the coefficients")
	ErrCollinear = errors.New("effect: the treatment is fixed by the covariates and effects")
	ErrColumn    = errors.New("effect: a needed column is missing")
	ErrOption    = errors.New("effect: no such option")
	ErrSeparated = errors.New("effect: the covariates tell the arms apart exactly")
	ErrReversed  = errors.New("effect: a treated unit becomes untreated")
	ErrPeriods   = errors.New("effect: periods before and after the start are needed")
)

// Kind names a warning; errors.Is(warning, Kind) tells it apart, and a page
// finds its text by it.
type Kind string

func (k Kind) Error() string { return "effect: " + string(k) }

const (
	Imbalance        Kind = "imbalance"          // a covariate differs between arms; Value is its standardised difference
	FewClusters      Kind = "few_clusters"       // the interval rests on few clusters; Value clusters or, if below the limit, DF
	RegressionToMean Kind = "regression_to_mean" // arms chosen from unlike baselines; Value is the effect that this alone would feign
	ParallelTrends   Kind = "parallel_trends"    // the arms drifted apart before the start; Value is the p of no drift
	TrendsUntested   Kind = "trends_untested"    // too little before the start to test parallel trends on; Value is its periods
	PoorOverlap      Kind = "poor_overlap"       // people without a counterpart; Value is their share
	SmallGroups      Kind = "small_groups"       // Value is the smaller arm's size
	SerialErrors     Kind = "serial_errors"      // repeated observations taken as independent
	ClustersIgnored  Kind = "clusters_ignored"   // rows of a cluster taken as independent
	Staggered        Kind = "staggered"          // unequal starts: later treated are compared with earlier treated
	Collinear        Kind = "collinear"          // What was dropped: the others determine it
	NoComparison     Kind = "no_comparison"      // strata with one arm only; Value is the share of people left out
	PooledVariance   Kind = "pooled_variance"    // a variance was borrowed from other strata; Value is how many needed it
	Unconverged      Kind = "unconverged"        // an iteration stopped at its limit
	FailedDraws      Kind = "failed_draws"       // bootstrap draws without an estimate; Value is their share
	Unmatched        Kind = "unmatched"          // no match within the caliper; Value is the share left out
	FewPeriods       Kind = "few_periods"        // too few periods for the lag; Value is their number
)

// Warning is what a reader of an estimate should know. What, Value and Limit
// are meant for its text, and depend on Kind.
type Warning struct {
	Kind  Kind    `json:"kind"`
	What  string  `json:"what,omitempty"` // a covariate's name, where it is about one
	Value float64 `json:"value"`
	Limit float64 `json:"limit,omitempty"` // the bound that Value crossed
}

func (w Warning) Error() string {
	s := w.Kind.Error()
	if w.What != "" {
		s += " of " + w.What
	}
	s += fmt.Sprintf(": %.4g", w.Value)
	if w.Limit != 0 {
		s += fmt.Sprintf(" (limit %.4g)", w.Limit)
	}
	return s
}

// Unwrap gives the Kind to errors.Is.
func (w Warning) Unwrap() error { return w.Kind }

// Limits at which a warning is given.
const (
	limitSMD      = 0.25 // standardised difference beyond which adjustment leans on the model (Rubin 2001; Stuart 2010)
	limitClusters = 20   // under which cluster-robust inference is delicate (Cameron & Miller 2015)
	limitDF       = 4    // under which Satterthwaite's p is unreliable (Tipton 2015)
	limitArm      = 20   // people per arm
	limitOutside  = 0.05 // share of people outside common support or [0.05, 0.95]
)

func (e *Estimate) warn(w Warning) { e.Warnings = append(e.Warnings, w) }

// infer fills interval and p from estimate, standard error and DF (0: normal).
func (e *Estimate) infer(confidence float64) {
	q, p := tails(e.DF, confidence, math.Abs(e.Estimate)/e.SE)
	if e.SE == 0 {
		q, p = 0, 1
		if e.Estimate != 0 {
			p = 0
		}
	}
	e.Low, e.High, e.P = e.Estimate-q*e.SE, e.Estimate+q*e.SE, p
}

// tails returns the two-sided quantile of confidence and the two-sided p of t,
// under Student's t, or the normal if df is 0.
func tails(df, confidence, t float64) (q, p float64) {
	if df == 0 {
		return distuv.UnitNormal.Quantile((1 + confidence) / 2), math.Erfc(t / math.Sqrt2)
	}
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	return d.Quantile((1 + confidence) / 2), 2 * d.Survival(t)
}

// check reports the first thing wrong with the columns that every estimator
// reads, and with any of the codes given.
func (d Data) check(binary bool) error {
	n := len(d.Outcome)
	if n == 0 {
		return ErrTooFew
	}
	if d.Treatment == nil {
		return fmt.Errorf("%w: treatment", ErrColumn)
	}
	if err := finite("outcome", d.Outcome); err != nil {
		return err
	}
	if len(d.Treatment) != n {
		return fmt.Errorf("%w: treatment", ErrLength)
	}
	if err := finite("treatment", d.Treatment); err != nil {
		return err
	}
	if binary {
		treated := 0
		for i, t := range d.Treatment {
			if t != 0 && t != 1 {
				return fmt.Errorf("%w: row %d has %v", ErrBinary, i, t)
			}
			treated += int(t)
		}
		if treated == 0 || treated == n {
			return ErrArm
		}
	}
	for _, c := range d.Covariates {
		if len(c.Values) != n {
			return fmt.Errorf("%w: %s", ErrLength, c.Name)
		}
		if err := finite(c.Name, c.Values); err != nil {
			return err
		}
	}
	for _, codes := range [][]int{d.Cluster, d.Unit, d.Time} {
		if codes != nil && len(codes) != n {
			return fmt.Errorf("%w: cluster, unit or time", ErrLength)
		}
	}
	return nil
}

func finite(name string, v []float64) error {
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%w: %s in row %d", ErrNumber, name, i)
		}
	}
	return nil
}

// moments are a column's count, mean and variance (n − 1).
type moments struct{ n, mean, m2 float64 }

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.m2 += d * (x - m.mean)
}

func (m moments) variance() float64 {
	if m.n < 2 {
		return 0
	}
	return m.m2 / (m.n - 1)
}

// arms gives the moments of v among the untreated and the treated.
func arms(v, treatment []float64) (m [2]moments) {
	for i, x := range v {
		if treatment[i] > 0 {
			m[1].add(x)
		} else {
			m[0].add(x)
		}
	}
	return m
}

// hedges puts an effect in pooled standard deviations of the arms.
func hedges(effect float64, m [2]moments) float64 {
	df := m[0].n + m[1].n - 2
	if df <= 0 {
		return 0
	}
	sd := math.Sqrt((m[0].m2 + m[1].m2) / df)
	if sd == 0 {
		return 0
	}
	return effect / sd * (1 - 3/(4*df-1))
}
