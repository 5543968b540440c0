package effect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// IPWOptions are those of IPW.
type IPWOptions struct {
	Options           // SE Classical is the sandwich of the method itself; with CR2, by cluster
	Estimand Estimand // "": ATE
	Trim     float64  // leave out people of a propensity under Trim or over 1 − Trim; 0: nobody (Crump et al. 2009 advise 0.1)
}

// IPW weighs each person by the inverse of the probability of the arm that
// person is in, a logistic regression's on the covariates, and compares the
// weighted means (Hájek). The standard error is the sandwich of the means and
// the propensities together (Lunceford & Davidian 2004), so that it counts that
// these were estimated; p and interval are normal, or Student's with clusters.
func IPW(d Data, o IPWOptions) (Estimate, error) {
	if o.Estimand == "" {
		o.Estimand = ATE
	}
	e := Estimate{Method: "ipw", Estimand: o.Estimand}
	if err := o.check(); err != nil {
		return e, err
	}
	if o.Estimand != ATE && o.Estimand != ATT {
		return e, fmt.Errorf("%w: estimand %q", ErrOption, o.Estimand)
	}
	if err := d.check(true); err != nil {
		return e, err
	}
	if len(d.Covariates) == 0 {
		return e, fmt.Errorf("%w: covariates", ErrColumn)
	}
	f, err := logit(columns(d.Covariates), d.Treatment, 0)
	if err != nil {
		return e, err
	}
	if o.Trim > 0 {
		var keep []int
		for i, p := range f.p {
			if p >= o.Trim && p <= 1-o.Trim {
				keep = append(keep, i)
			}
		}
		if len(keep) == 0 {
			return e, ErrArm
		}
		if len(keep) < len(f.p) { // refitted, as the sandwich is that of the rows used
			e.warn(Warning{Unmatched, "", 1 - float64(len(keep))/float64(len(f.p)), 0})
			d = d.pick(keep)
			if err := d.check(true); err != nil {
				return e, err
			}
			if f, err = logit(columns(d.Covariates), d.Treatment, 0); err != nil {
				return e, err
			}
		}
	}
	n := len(d.Outcome)
	weights := make([]float64, n)
	var sum, mass [2]float64
	for i, p := range f.p {
		a := int(d.Treatment[i])
		switch {
		case o.Estimand == ATT && a == 1:
			weights[i] = 1
		case o.Estimand == ATT:
			weights[i] = p / (1 - p)
		case a == 1:
			weights[i] = 1 / p
		default:
			weights[i] = 1 / (1 - p)
		}
		sum[a] += weights[i] * d.Outcome[i]
		mass[a] += weights[i]
	}
	mean := [2]float64{sum[0] / mass[0], sum[1] / mass[1]}
	e.Estimate = mean[1] - mean[0]
	e.Overlap = overlap(f.p, d.Treatment, weights)

	// influence: of the weighted means, and through the coefficients γ, whose
	// scores are (T − p)z; slope is the effect's derivative by γ.
	x := columns(d.Covariates)
	k := len(x) + 1
	slope, z := make([]float64, k), make([]float64, k)
	psi := make([]float64, n)
	for i, p := range f.p {
		a := int(d.Treatment[i])
		sign := float64(2*a - 1)
		r := sign * weights[i] * (d.Outcome[i] - mean[a]) / mass[a]
		psi[i] = float64(n) * r
		var by float64 // d log weight / d(zγ)
		switch {
		case o.Estimand == ATT && a == 1:
		case o.Estimand == ATT:
			by = 1
		case a == 1:
			by = -(1 - p)
		default:
			by = p
		}
		f.row(x, i, z)
		floats.AddScaled(slope, by*r, z)
	}
	carry := mat.NewVecDense(k, nil)
	carry.MulVec(f.inverse, mat.NewVecDense(k, slope))
	for i, p := range f.p {
		f.row(x, i, z)
		psi[i] += float64(n) * (d.Treatment[i] - p) * floats.Dot(z, carry.RawVector().Data)
	}
	if o.kind(d.Cluster) == CR2 {
		if d.Cluster == nil {
			return e, fmt.Errorf("%w: cluster, for cr2", ErrColumn)
		}
		c := FromInfluence(e.Estimate, psi, d.Cluster, nil, o.Options)
		e.SE, e.DF, e.Low, e.High, e.P = c.SE, c.DF, c.Low, c.High, c.P
		e.SEKind, e.Clusters = CR2, c.Clusters
		e.fewClusters()
	} else {
		e.SE = floats.Norm(psi, 2) / float64(n)
		e.infer(o.confidence())
		if d.Cluster != nil {
			e.warn(Warning{Kind: ClustersIgnored, Value: float64(group(d.Cluster).n())})
		}
	}
	e.describe(d, weights)
	if math.IsNaN(e.SE) {
		return e, ErrSeparated
	}
	return e, nil
}

// pick returns the rows asked for.
func (d Data) pick(rows []int) Data {
	out := Data{
		Outcome: pick(d.Outcome, rows), Treatment: pick(d.Treatment, rows),
		Cluster: pickInt(d.Cluster, rows), Unit: pickInt(d.Unit, rows), Time: pickInt(d.Time, rows),
	}
	for _, c := range d.Covariates {
		out.Covariates = append(out.Covariates, Covariate{c.Name, pick(c.Values, rows)})
	}
	return out
}
