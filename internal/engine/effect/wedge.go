package effect

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Intercept is the variance that a random-intercept model divides.
type Intercept struct {
	Between float64 `json:"between"` // of units' intercepts, outcome squared
	Within  float64 `json:"within"`
	ICC     float64 `json:"icc"` // between / (between + within)
}

// SteppedWedge estimates the effect where every unit is treated in the end, in
// waves whose order was drawn (Hussey & Hughes 2007): period effects, a random
// intercept of each Unit (the person or team seen again and again) by
// restricted maximum likelihood, and the treatment as status (1 from the
// unit's wave on). Covariates may carry the strata of the draw. Cluster is
// what was drawn to a wave, Unit if nil; the default SE is CR2 over it, since
// the model's own trusts that a unit's rows share only one intercept.
func SteppedWedge(d Data, o Options) (Estimate, error) {
	e := Estimate{Method: "stepped_wedge", Estimand: ATE}
	if err := o.check(); err != nil {
		return e, err
	}
	if err := d.check(true); err != nil {
		return e, err
	}
	switch {
	case d.Unit == nil:
		return e, fmt.Errorf("%w: unit", ErrColumn)
	case d.Time == nil:
		return e, fmt.Errorf("%w: time", ErrColumn)
	}
	if d.Cluster == nil {
		d.Cluster = d.Unit
	}
	if err := d.twoEach(o.kind(d.Cluster), d.Cluster); err != nil {
		return e, err
	}
	n := len(d.Outcome)
	cols := [][]float64{ones(n)}
	label := []string{""}
	period := group(d.Time)
	if period.n() < 2 {
		return e, ErrPeriods
	}
	for t := 1; t < period.n(); t++ {
		v := make([]float64, n)
		for _, i := range period.rows(t) {
			v[i] = 1
		}
		cols, label = append(cols, v), append(label, "")
	}
	cols = append(cols, columns(d.Covariates)...)
	label = append(label, names(d.Covariates)...)

	g := group(d.Unit)
	ratio, err := reml(d.Outcome, append(cols[:len(cols):len(cols)], d.Treatment), g)
	if err != nil {
		return e, err
	}
	// With the variance ratio known, generalised least squares is least squares
	// on what is left after a part of each unit's mean is taken out.
	for j := range cols {
		cols[j] = partial(cols[j], g, ratio)
	}
	raw := d.Outcome
	y := partial(raw, g, ratio)
	status := d.Treatment
	d.Treatment = partial(status, g, ratio)
	if err := e.treat(y, cols, label, d, o, nil, d.Cluster); err != nil {
		return e, err
	}
	f, err := regress(y, append(cols, d.Treatment), nil)
	if err != nil {
		return e, err
	}
	within := f.rss / f.df
	e.Variance = &Intercept{Between: ratio * within, Within: within, ICC: ratio / (1 + ratio)}
	e.N, e.NTreated = n, everTreated(status, d.Unit)
	e.HedgesG = hedges(e.Estimate, arms(raw, status))
	return e, nil
}

// partial takes from v the share 1 − 1/√(1 + m·ratio) of its unit's mean, m
// being the unit's rows.
func partial(v []float64, g groups, ratio float64) []float64 {
	out := make([]float64, len(v))
	for u := range g.n() {
		rows := g.rows(u)
		m, sum := float64(len(rows)), 0.0
		for _, i := range rows {
			sum += v[i]
		}
		take := (1 - 1/math.Sqrt(1+m*ratio)) * sum / m
		for _, i := range rows {
			out[i] = v[i] - take
		}
	}
	return out
}

// reml returns between/within variance of the random intercept. Columns are
// reduced to cross-products once, by unit size, so that a step of the search
// does not look at the rows.
func reml(y []float64, x [][]float64, g groups) (float64, error) {
	f, err := regress(y, x, nil)
	if err != nil {
		return 0, err
	}
	// On the orthonormal columns of X, with y last: well conditioned.
	z := append(f.q[:len(f.q):len(f.q)], y)
	k := len(z)
	all := make([]float64, k*k)
	for a := range k {
		for b := range k {
			all[a*k+b] = floats.Dot(z[a], z[b])
		}
	}
	bySize := map[int][]float64{}
	count := map[int]float64{}
	s := make([]float64, k)
	for u := range g.n() {
		rows := g.rows(u)
		clear(s)
		for _, i := range rows {
			for a := range k {
				s[a] += z[a][i]
			}
		}
		m := bySize[len(rows)]
		if m == nil {
			m = make([]float64, k*k)
			bySize[len(rows)] = m
		}
		for a := range k {
			floats.AddScaled(m[a*k:(a+1)*k], s[a], s)
		}
		count[len(rows)]++
	}
	sizes := slices.Sorted(maps.Keys(bySize)) // one order of summing, one result
	p := k - 1
	df := float64(len(y) - p)
	// minus twice the restricted log-likelihood, but for a constant
	deviance := func(logRatio float64) float64 {
		r := math.Exp(logRatio)
		w := append([]float64(nil), all...)
		logs := 0.0
		for _, m := range sizes {
			c := r / (1 + float64(m)*r)
			floats.AddScaled(w, -c, bySize[m])
			logs += count[m] * math.Log1p(float64(m)*r)
		}
		var chol mat.Cholesky
		if !chol.Factorize(mat.NewSymDense(k, w)) {
			return math.Inf(1)
		}
		// The factor's last diagonal element is the root of the residual sum.
		var u mat.TriDense
		chol.UTo(&u)
		logdet := 0.0
		for j := range p {
			logdet += 2 * math.Log(u.At(j, j))
		}
		return df*2*math.Log(u.At(p, p)) + logs + logdet
	}
	lo, hi := -14.0, 14.0
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := deviance(a), deviance(b)
	for hi-lo > 1e-8 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = deviance(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = deviance(b)
		}
	}
	if hi < -13.9 {
		return 0, nil // no variance between units
	}
	return math.Exp((lo + hi) / 2), nil
}
