package effect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Difference compares the arms' mean outcomes. Covariates are only reported on.
func Difference(d Data, o Options) (Estimate, error) {
	return compare("difference", d, o, nil, d.Outcome)
}

// Ancova compares the arms' outcomes at equal covariates, by least squares
// with one slope for both arms.
func Ancova(d Data, o Options) (Estimate, error) {
	if len(d.Covariates) == 0 {
		return Estimate{}, fmt.Errorf("%w: covariates", ErrColumn)
	}
	return compare("ancova", d, o, d.Covariates, d.Outcome)
}

// Lin compares the arms' outcomes at the sample's mean covariates, with slopes
// of their own for each arm (Lin 2013): in a randomised comparison it is never
// less precise than Difference, in large samples.
func Lin(d Data, o Options) (Estimate, error) {
	if len(d.Covariates) == 0 {
		return Estimate{}, fmt.Errorf("%w: covariates", ErrColumn)
	}
	if err := d.check(true); err != nil {
		return Estimate{}, err
	}
	x := make([]Covariate, 0, 2*len(d.Covariates))
	for _, c := range d.Covariates {
		v := make([]float64, len(c.Values))
		mean := stat.Mean(c.Values, nil)
		for i := range v {
			v[i] = c.Values[i] - mean
		}
		x = append(x, Covariate{c.Name, v})
	}
	for _, c := range x[:len(x):len(x)] {
		v := make([]float64, len(c.Values))
		for i := range v {
			v[i] = c.Values[i] * d.Treatment[i]
		}
		x = append(x, Covariate{c.Name + " × treatment", v})
	}
	return compare("lin", d, o, x, d.Outcome)
}

// Cuped compares the arms' mean outcomes less θ·(covariates − their means),
// θ being the slope of the outcome on the covariates over both arms (Deng et
// al. 2013). Its SE is that of the difference so adjusted, θ taken as known.
func Cuped(d Data, o Options) (Estimate, error) {
	if len(d.Covariates) == 0 {
		return Estimate{}, fmt.Errorf("%w: covariates", ErrColumn)
	}
	if err := d.check(true); err != nil {
		return Estimate{}, err
	}
	x := [][]float64{ones(len(d.Outcome))}
	f, err := regress(d.Outcome, append(x, columns(d.Covariates)...), nil)
	if err != nil {
		return Estimate{}, err
	}
	mean := stat.Mean(d.Outcome, nil)
	y := f.resid // the outcome less its prediction; the mean back, for scale
	floats.AddConst(mean, y)
	return compare("cuped", d, o, nil, y)
}

// compare regresses y on covariates x and, last, the treatment.
func compare(method string, d Data, o Options, x []Covariate, y []float64) (Estimate, error) {
	e := Estimate{Method: method, Estimand: ATE}
	if err := o.check(); err != nil {
		return e, err
	}
	if err := d.check(true); err != nil {
		return e, err
	}
	if err := d.twoEach(o.kind(d.Cluster), d.Cluster); err != nil {
		return e, err
	}
	cols := append([][]float64{ones(len(y))}, columns(x)...)
	names := append([]string{""}, names(x)...)
	if err := e.treat(y, cols, names, d, o, nil, d.Cluster); err != nil {
		return e, err
	}
	e.describe(d, nil)
	return e, nil
}

func names(cs []Covariate) []string {
	s := make([]string, len(cs))
	for i, c := range cs {
		s[i] = c.Name
	}
	return s
}

// twoEach refuses a robust error where an arm has one cluster (with HC2, one
// row): what is alone in its arm fits itself, and would seem to have no error.
func (d Data) twoEach(kind SE, cluster []int) error {
	switch {
	case kind == HC2:
		cluster = codes0(len(d.Treatment))
	case kind != CR2 || cluster == nil:
		return nil
	}
	var seen [2]map[int]bool
	for a := range seen {
		seen[a] = map[int]bool{}
	}
	for i, t := range d.Treatment {
		a := 0
		if t != 0 {
			a = 1
		}
		if len(seen[a]) < 2 {
			seen[a][cluster[i]] = true
		}
	}
	if len(seen[0]) < 2 || len(seen[1]) < 2 {
		return fmt.Errorf("%w: one cluster or row in an arm", ErrTooFew)
	}
	return nil
}

// treat regresses y on cols and, last, the treatment, so that a column which
// fixes the treatment is told from one which the others fix; and fills in the
// estimate with the standard error asked for.
func (e *Estimate) treat(y []float64, cols [][]float64, names []string, d Data, o Options, absorbed *groups, cluster []int) error {
	f, err := regress(y, append(cols, d.Treatment), absorbed)
	if err != nil {
		return err
	}
	last := f.at(len(cols))
	if last < 0 {
		return ErrCollinear
	}
	for j := range cols {
		if f.at(j) < 0 && names[j] != "" {
			e.warn(Warning{Kind: Collinear, What: names[j]})
		}
	}
	e.Estimate = f.beta[last]
	e.SEKind = o.kind(d.Cluster)
	return e.error(f, f.unit(last), o, cluster)
}

// error fills in the standard error of a contrast, its interval and warnings.
func (e *Estimate) error(f *fit, c []float64, o Options, cluster []int) error {
	var g *groups
	if cluster != nil {
		all := group(cluster)
		g = &all
		e.Clusters = g.n()
	}
	if e.SEKind == CR2 && g == nil {
		return fmt.Errorf("%w: cluster, for cr2", ErrColumn)
	}
	if e.SEKind == CR2 && g.n() < 2 {
		return fmt.Errorf("%w: one cluster", ErrTooFew)
	}
	e.SE, e.DF = f.se(c, e.SEKind, g)
	if math.IsNaN(e.SE) || math.IsNaN(e.DF) {
		return fmt.Errorf("%w: no error can be told", ErrTooFew)
	}
	e.infer(o.confidence())
	switch {
	case e.SEKind == CR2:
		e.fewClusters()
	case g != nil && g.n() < len(f.resid):
		e.warn(Warning{Kind: ClustersIgnored, Value: float64(g.n())})
	}
	return nil
}

func (e *Estimate) fewClusters() {
	if e.Clusters < limitClusters {
		e.warn(Warning{FewClusters, "", float64(e.Clusters), limitClusters})
	} else if e.DF < limitDF {
		e.warn(Warning{FewClusters, "df", e.DF, limitDF})
	}
}
