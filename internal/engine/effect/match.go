package effect

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Distance says what makes two people alike.
type Distance string

const (
	Propensity  Distance = "propensity"  // logit of the propensity score
	Mahalanobis Distance = "mahalanobis" // covariates, over their covariance in the sample
)

// MatchOptions are those of Match.
type MatchOptions struct {
	Options             // SE is not read: the method has its own
	Estimand   Estimand // "": ATT
	Distance   Distance // "": Propensity
	Neighbours int      // matches per person; 0 is 1; people equally near all count
	Caliper    float64  // greatest distance, in standard deviations; 0: any
	// Adjust takes out, by regression on the covariates among the matched, what
	// distance is left within a match (Abadie & Imbens 2011). It is needed with
	// Mahalanobis on more than one continuous covariate.
	Adjust bool
}

// Match compares each person with the nearest of the other arm, with
// replacement. The standard error is Abadie & Imbens' (2006), each person's
// variance from the nearest of the same arm. It takes the propensities as
// known, which is conservative for the ATE and may be either way for the ATT
// (Abadie & Imbens 2016). P and interval are normal.
func Match(d Data, o MatchOptions) (Estimate, error) {
	if o.Estimand == "" {
		o.Estimand = ATT
	}
	if o.Distance == "" {
		o.Distance = Propensity
	}
	if o.Neighbours == 0 {
		o.Neighbours = 1
	}
	e := Estimate{Method: "match", Estimand: o.Estimand}
	if err := o.check(); err != nil {
		return e, err
	}
	if o.Estimand != ATE && o.Estimand != ATT || o.Distance != Propensity && o.Distance != Mahalanobis || o.Neighbours < 0 || o.Caliper < 0 {
		return e, fmt.Errorf("%w: %+v", ErrOption, o)
	}
	if err := d.check(true); err != nil {
		return e, err
	}
	if len(d.Covariates) == 0 {
		return e, fmt.Errorf("%w: covariates", ErrColumn)
	}
	n := len(d.Outcome)
	x := columns(d.Covariates)
	score, err := logit(x, d.Treatment, 0)
	if err != nil && o.Distance == Propensity {
		return e, err
	}
	space := x
	if o.Distance == Propensity {
		eta, z := make([]float64, n), make([]float64, len(x)+1)
		for i := range eta {
			score.row(x, i, z)
			eta[i] = floats.Dot(z, score.beta)
		}
		space = [][]float64{eta}
	}
	// Orthonormal columns are Mahalanobis' space but for their scale.
	f, err := regress(d.Outcome, append([][]float64{ones(n)}, space...), nil)
	if err != nil {
		return e, err
	}
	at := f.q[1:]
	for _, q := range at {
		floats.Scale(math.Sqrt(float64(n-1)), q)
	}
	var pool [2]*cells
	for a := range pool {
		var rows []int
		for i, t := range d.Treatment {
			if int(t) == a {
				rows = append(rows, i)
			}
		}
		pool[a] = newCells(at, rows)
		o.Neighbours = min(o.Neighbours, len(rows))
	}

	// found[a][c] are the cells of the other arm nearest to cell c of arm a.
	var found [2][][]int32
	weight, square := make([]float64, n), make([]float64, n) // K and K' of Abadie & Imbens
	targets := []int{1}
	if o.Estimand == ATE {
		targets = []int{0, 1}
	}
	limit := math.Inf(1)
	if o.Caliper > 0 {
		limit = o.Caliper * o.Caliper
	}
	matched, wanted := 0, 0
	used := make([]bool, n) // people of the estimand with a match
	for _, a := range targets {
		other := pool[1-a]
		found[a] = make([][]int32, pool[a].n())
		for c := range found[a] {
			near := other.nearest(pool[a].point(c), o.Neighbours, -1, limit)
			found[a][c] = near
			rows := pool[a].rows(c)
			wanted += len(rows)
			if len(near) == 0 {
				continue
			}
			matched += len(rows)
			m := 0.0
			for _, k := range near {
				m += float64(len(other.rows(int(k))))
			}
			for _, i := range rows {
				used[i] = true
			}
			for _, k := range near {
				for _, j := range other.rows(int(k)) {
					weight[j] += float64(len(rows)) / m
					square[j] += float64(len(rows)) / (m * m)
				}
			}
		}
	}
	if matched == 0 {
		return e, ErrArm
	}
	gap := make([]float64, n) // own outcome less the matches', treated minus not
	for _, a := range targets {
		r := d.Outcome
		if o.Adjust {
			if r, err = adjusted(d, 1-a, weight); err != nil {
				return e, err
			}
		}
		other := pool[1-a]
		for c, near := range found[a] {
			sum, m := 0.0, 0.0
			for _, k := range near {
				for _, j := range other.rows(int(k)) {
					sum += r[j]
					m++
				}
			}
			if m == 0 {
				continue
			}
			for _, i := range pool[a].rows(c) {
				gap[i] = float64(2*a-1) * (r[i] - sum/m)
				e.Estimate += gap[i]
			}
		}
	}
	e.Estimate /= float64(matched)
	v := 0.0
	for i, u := range used {
		if u {
			v += (gap[i] - e.Estimate) * (gap[i] - e.Estimate)
		}
	}
	for a := range pool {
		for c := range pool[a].n() {
			own := -1.0 // the outcome's variance here; searched for when needed
			for _, i := range pool[a].rows(c) {
				k := weight[i]*weight[i] - square[i]
				if used[i] {
					k += 2 * weight[i]
				}
				if k == 0 {
					continue
				}
				if own < 0 {
					own = pool[a].variance(c, d.Outcome)
				}
				v += k * own
			}
		}
	}
	e.SE = math.Sqrt(v) / float64(matched)
	e.infer(o.confidence())

	analysis := slices.Clone(weight)
	for i, u := range used {
		if u {
			analysis[i]++
		}
	}
	if score != nil {
		e.Overlap = overlap(score.p, d.Treatment, analysis)
	}
	e.describe(d, analysis)
	e.N = matched
	if o.Estimand == ATT {
		e.NTreated = matched
	}
	if matched < wanted {
		e.warn(Warning{Unmatched, "", 1 - float64(matched)/float64(wanted), 0})
	}
	if d.Cluster != nil {
		e.warn(Warning{Kind: ClustersIgnored, Value: float64(group(d.Cluster).n())})
	}
	return e, nil
}

// adjusted returns the outcomes less their regression on the covariates in one
// arm, its people counted as often as they are matched.
func adjusted(d Data, arm int, weight []float64) ([]float64, error) {
	var rows []int
	for i, t := range d.Treatment {
		if int(t) == arm && weight[i] > 0 {
			rows = append(rows, i)
		}
	}
	all := append([][]float64{ones(len(d.Outcome))}, columns(d.Covariates)...)
	x := make([][]float64, len(all))
	y := pick(d.Outcome, rows)
	for j, c := range all {
		x[j] = pick(c, rows)
		for r, i := range rows {
			x[j][r] *= math.Sqrt(weight[i])
		}
	}
	for r, i := range rows {
		y[r] *= math.Sqrt(weight[i])
	}
	f, err := regress(y, x, nil)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(d.Outcome)
	for b, j := range f.kept {
		floats.AddScaled(out, -f.beta[b], all[j])
	}
	return out, nil
}
