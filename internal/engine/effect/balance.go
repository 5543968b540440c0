package effect

import (
	"math"
	"slices"
)

// Balance compares a covariate between the arms.
type Balance struct {
	Covariate     string  `json:"covariate"`
	Treated       float64 `json:"treated"` // mean
	Control       float64 `json:"control"` // mean
	SMD           float64 `json:"smd"`     // difference in √((s₁²+s₀²)/2), as drawn
	VarianceRatio float64 `json:"variance_ratio"`
	// Adjusted is the SMD after weighting or matching, with the same
	// denominator; equal to SMD where the method does neither.
	Adjusted float64 `json:"adjusted"`
}

// balance compares every covariate; weights (nil: all 1) are those of the
// analysis and touch Adjusted only.
func balance(d Data, weights []float64) []Balance {
	var all []Balance
	for _, c := range d.Covariates {
		m := arms(c.Values, d.Treatment)
		sd := math.Sqrt((m[0].variance() + m[1].variance()) / 2)
		b := Balance{Covariate: c.Name, Treated: m[1].mean, Control: m[0].mean}
		if m[0].variance() > 0 {
			b.VarianceRatio = m[1].variance() / m[0].variance()
		}
		if sd > 0 {
			b.SMD = (b.Treated - b.Control) / sd
			b.Adjusted = b.SMD
			if weights != nil {
				var sum, mass [2]float64
				for i, x := range c.Values {
					a := int(d.Treatment[i])
					sum[a] += weights[i] * x
					mass[a] += weights[i]
				}
				b.Adjusted = (sum[1]/mass[1] - sum[0]/mass[0]) / sd
			}
		}
		all = append(all, b)
	}
	return all
}

// Overlap tells whether those treated and not could have changed places:
// propensities are probabilities of treatment given the covariates, by logit.
type Overlap struct {
	Treated [2]float64 `json:"treated"` // least and greatest propensity
	Control [2]float64 `json:"control"`
	Outside float64    `json:"outside"` // share of people beyond the other arm's range, or below 0.05 or above 0.95
	// Effective is Kish's effective number of people under the analysis'
	// weights, by arm (untreated, treated); the plain numbers if unweighted.
	Effective [2]float64 `json:"effective"`
}

func overlap(propensity, treatment, weights []float64) *Overlap {
	o := &Overlap{Treated: [2]float64{1, 0}, Control: [2]float64{1, 0}}
	var sum, square [2]float64
	for i, p := range propensity {
		r := &o.Control
		if treatment[i] == 1 {
			r = &o.Treated
		}
		r[0], r[1] = min(r[0], p), max(r[1], p)
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		sum[int(treatment[i])] += w
		square[int(treatment[i])] += w * w
	}
	for a := range sum {
		if square[a] > 0 {
			o.Effective[a] = sum[a] * sum[a] / square[a]
		}
	}
	outside := 0
	for i, p := range propensity {
		other := o.Treated
		if treatment[i] == 1 {
			other = o.Control
		}
		if p < other[0] || p > other[1] || p < 0.05 || p > 0.95 {
			outside++
		}
	}
	o.Outside = float64(outside) / float64(len(propensity))
	return o
}

// describe adds what an analysis of two arms reports besides its effect.
func (e *Estimate) describe(d Data, weights []float64) {
	m := arms(d.Outcome, d.Treatment)
	e.N, e.NTreated = len(d.Outcome), int(m[1].n)
	e.HedgesG = hedges(e.Estimate, m)
	if e.Overlap == nil && len(d.Covariates) > 0 {
		if f, err := logit(columns(d.Covariates), d.Treatment, 0); err == nil {
			e.Overlap = overlap(f.p, d.Treatment, weights)
		} else {
			e.Overlap = &Overlap{Outside: 1}
		}
	}
	e.Balance = balance(d, weights)
	for _, b := range e.Balance {
		if math.Abs(b.Adjusted) > limitSMD {
			e.warn(Warning{Imbalance, b.Covariate, b.Adjusted, limitSMD})
		}
	}
	if e.Overlap != nil && e.Overlap.Outside > limitOutside {
		e.warn(Warning{PoorOverlap, "", e.Overlap.Outside, limitOutside})
	}
	if least := min(m[0].n, m[1].n); least < limitArm {
		e.warn(Warning{SmallGroups, "", least, limitArm})
	}
	e.regression(d, m)
}

// regression warns where a covariate that foretells the outcome differs so
// much between the arms that they were hardly drawn alike: what part of it is
// chance or error of measurement will not last (Galton), and adjustment for
// the measured value takes out too little (Lord 1967). Value is the outcome's
// difference that would come of it if a fifth of the covariate's variance were
// error, as for a test of reliability 0.8.
func (e *Estimate) regression(d Data, y [2]moments) {
	const far, unreliable = 0.5, 0.2
	for i, b := range e.Balance {
		if math.Abs(b.SMD) <= far {
			continue
		}
		m := arms(d.Covariates[i].Values, d.Treatment)
		var xy, xx, yy float64
		for j, x := range d.Covariates[i].Values {
			a := int(d.Treatment[j])
			dx, dy := x-m[a].mean, d.Outcome[j]-y[a].mean
			xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
		}
		if xx == 0 || yy == 0 || math.Abs(xy)/math.Sqrt(xx*yy) < 0.3 {
			continue
		}
		feigned := unreliable / (1 - unreliable) * xy / xx * (b.Treated - b.Control)
		e.warn(Warning{RegressionToMean, b.Covariate, feigned, 0})
	}
}

// groups sorts rows by a code.
type groups struct {
	of    []int // each row's group, 0…
	start []int // where each group's rows begin in row; one more at the end
	row   []int
	code  []int // each group's code as given, ascending
}

func (g groups) n() int           { return len(g.code) }
func (g groups) rows(i int) []int { return g.row[g.start[i]:g.start[i+1]] }

func group(codes []int) groups {
	g := groups{of: make([]int, len(codes)), row: make([]int, len(codes))}
	seen := make(map[int]int)
	for _, c := range codes {
		if _, ok := seen[c]; !ok {
			seen[c] = 0
			g.code = append(g.code, c)
		}
	}
	slices.Sort(g.code)
	for i, c := range g.code {
		seen[c] = i
	}
	g.start = make([]int, len(g.code)+1)
	for i, c := range codes {
		g.of[i] = seen[c]
		g.start[g.of[i]+1]++
	}
	for i := range g.code {
		g.start[i+1] += g.start[i]
	}
	next := slices.Clone(g.start)
	for i, c := range g.of {
		g.row[next[c]] = i
		next[c]++
	}
	return g
}

func columns(cs []Covariate) [][]float64 {
	x := make([][]float64, len(cs))
	for i, c := range cs {
		x[i] = c.Values
	}
	return x
}
