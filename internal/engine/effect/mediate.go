package effect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Mediator is a variable that the treatment may work through.
type Mediator struct {
	Name   string
	Values []float64
	// Stage orders a chain: a mediator may act on those of later stages and on
	// the outcome. Mediators of one stage stand in parallel.
	Stage int
}

// PathModel is what Mediate reads.
type PathModel struct {
	Treatment  []float64 // 0 or 1, or a dose
	Mediators  []Mediator
	Outcome    []float64
	Covariates []Covariate // common causes, in every equation
	Cluster    []int       // what the bootstrap draws whole; nil: each row
}

// MediateOptions are those of Mediate.
type MediateOptions struct {
	Confidence float64 // in (0,1); 0 is 0.95
	Draws      int     // of the bootstrap; 0 is 2,000
	Seed       uint64
}

// Part is a quantity of a path model with its bootstrap intervals.
type Part struct {
	Estimate   float64    `json:"estimate"`
	SE         float64    `json:"se"`         // standard deviation over the draws
	Percentile [2]float64 `json:"percentile"` // interval by the draws' quantiles
	BCa        [2]float64 `json:"bca"`        // the same, bias-corrected and accelerated (Efron 1987)
	P          float64    `json:"p"`          // two-sided, by the share of draws beyond 0; not under 2/draws
}

// Path is one way from the treatment to the outcome.
type Path struct {
	Through []string `json:"through"` // mediators in order
	Part
}

// Coefficient is one arrow of the model.
type Coefficient struct {
	From string `json:"from"` // "" is the treatment
	To   string `json:"to"`   // "" is the outcome
	Part
}

// Assumption is something that must hold for indirect effects to be causal and
// that the data do not show; a page finds its text by it.
type Assumption string

const (
	TreatmentAsDrawn    Assumption = "treatment_unconfounded"   // no common cause of treatment and mediators or outcome beside the covariates; a draw by lot gives this
	MediatorUnconfound  Assumption = "mediators_unconfounded"   // nor of a mediator and the outcome, nor of two mediators; a draw does not give this
	NoTreatmentConfound Assumption = "no_treatment_made_causes" // nothing that the treatment changed, other than the mediators named, changes both a mediator and the outcome
	LinearAdditive      Assumption = "linear_without_interplay" // effects are straight lines and do not depend on each other
	OrderOfCauses       Assumption = "order_of_causes"          // causes run in the order of the stages, never back
	MeasuredWell        Assumption = "mediators_measured_well"  // error in a mediator moves its part into the direct effect
)

// Mediation is what passes through the mediators, per unit of treatment, in the
// outcome's unit. Total = Direct + Indirect, and Indirect is the sum of Paths.
type Mediation struct {
	Total        Part          `json:"total"`
	Direct       Part          `json:"direct"`
	Indirect     Part          `json:"indirect"`
	Share        float64       `json:"share"` // indirect / total; wild where total is near 0
	Paths        []Path        `json:"paths"`
	Coefficients []Coefficient `json:"coefficients"`
	N            int           `json:"n"`
	Clusters     int           `json:"clusters,omitempty"`
	Draws        int           `json:"draws"` // that gave an estimate
	Assumptions  []Assumption  `json:"assumptions"`
	Warnings     []error       `json:"warnings,omitempty"`
}

// blockLimit is how many units are resampled one by one. Beyond it they are put
// together at random in so many blocks, which are as exchangeable as they are,
// so that a draw costs the same however many rows there are.
const blockLimit = 4096

// jackLimit is the same for the jackknife of BCa's acceleration.
const jackLimit = 512

// Mediate fits the linear path model treatment → mediators, stage by stage →
// outcome, each by least squares on the treatment, the covariates and all
// mediators of earlier stages (Baron & Kenny 1986; MacKinnon 2008, chs 5 and
// 6); an indirect effect is the product of the coefficients along its path.
// Intervals come from a bootstrap of the clusters.
func Mediate(m PathModel, o MediateOptions) (Mediation, error) {
	var out Mediation
	p, err := newPaths(m)
	if err != nil {
		return out, err
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.Draws == 0 {
		o.Draws = 2000
	}
	if !(o.Confidence > 0 && o.Confidence < 1) || o.Draws < 100 {
		return out, fmt.Errorf("%w: %+v", ErrOption, o)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0xb007))
	sums, units := p.sums(m.Cluster, rng)
	size := p.k * p.k
	all := make([]float64, size)
	for b := 0; b < len(sums); b += size {
		floats.Add(all, sums[b:b+size])
	}
	full := p.solve(all)
	if full == nil {
		return out, ErrCollinear
	}

	blocks := len(sums) / size
	draws := make([][]float64, len(full)) // per quantity
	total := make([]float64, size)
	for range o.Draws {
		clear(total)
		for range blocks {
			b := rng.IntN(blocks) * size
			floats.Add(total, sums[b:b+size])
		}
		if v := p.solve(total); v != nil {
			for j, x := range v {
				draws[j] = append(draws[j], x)
			}
		}
	}
	out.Draws = len(draws[0])
	if lost := 1 - float64(out.Draws)/float64(o.Draws); lost > 0.01 {
		out.Warnings = append(out.Warnings, Warning{FailedDraws, "", lost, 0.01})
		if out.Draws < 100 {
			return out, ErrTooFew
		}
	}
	left := p.jackknife(sums, all)

	part := func(j int) Part { return bootstrap(full[j], draws[j], left[j], o.Confidence) }
	out.Total, out.Direct, out.Indirect = part(0), part(1), part(2)
	if out.Total.Estimate != 0 {
		out.Share = out.Indirect.Estimate / out.Total.Estimate
	}
	for i, way := range p.ways {
		path := Path{Part: part(3 + i)}
		for _, v := range way {
			path.Through = append(path.Through, p.name[v])
		}
		out.Paths = append(out.Paths, path)
	}
	for i, a := range p.arrows {
		out.Coefficients = append(out.Coefficients, Coefficient{p.label(a[0]), p.label(a[1]), part(3 + len(p.ways) + i)})
	}
	out.N, out.Clusters = len(m.Outcome), 0
	if m.Cluster != nil {
		out.Clusters = units
	}
	if units < limitClusters {
		out.Warnings = append(out.Warnings, Warning{FewClusters, "", float64(units), limitClusters})
	}
	out.Assumptions = []Assumption{TreatmentAsDrawn, MediatorUnconfound, NoTreatmentConfound, LinearAdditive, MeasuredWell}
	if p.stages > 1 {
		out.Assumptions = append(out.Assumptions, OrderOfCauses)
	}
	return out, nil
}

// paths is a path model on columns centred at their means: the constant,
// treatment, covariates, mediators by stage, outcome.
type paths struct {
	z         [][]float64
	k         int
	name      []string
	stage     []int // of each column; treatment and covariates 0, outcome last
	treatment int
	outcome   int
	base      []int    // constant, treatment and covariates
	mediators []int    // columns, by stage
	ways      [][]int  // mediators along each path
	arrows    [][2]int // from, to
	stages    int
}

func (p *paths) label(v int) string {
	if v == p.treatment || v == p.outcome {
		return ""
	}
	return p.name[v]
}

func newPaths(m PathModel) (*paths, error) {
	d := Data{Outcome: m.Outcome, Treatment: m.Treatment, Covariates: slices.Clone(m.Covariates), Cluster: m.Cluster}
	if len(m.Mediators) == 0 {
		return nil, fmt.Errorf("%w: mediators", ErrColumn)
	}
	if len(m.Mediators) > 8 {
		return nil, fmt.Errorf("%w: more than 8 mediators", ErrOption)
	}
	for _, v := range m.Mediators {
		d.Covariates = append(d.Covariates, Covariate{v.Name, v.Values})
	}
	if err := d.check(false); err != nil {
		return nil, err
	}
	p := &paths{}
	add := func(name string, v []float64, stage int) int {
		mean, c := stat.Mean(v, nil), make([]float64, len(v))
		for i, x := range v {
			c[i] = x - mean
		}
		p.z, p.name, p.stage = append(p.z, c), append(p.name, name), append(p.stage, stage)
		return len(p.z) - 1
	}
	p.base = append(p.base, add("", make([]float64, len(m.Outcome)), 0))
	for i := range p.z[0] {
		p.z[0][i] = 1 // means of a bootstrap draw are not 0
	}
	p.treatment = add("treatment", m.Treatment, 0)
	p.base = append(p.base, p.treatment)
	for _, c := range m.Covariates {
		p.base = append(p.base, add(c.Name, c.Values, 0))
	}
	order := slices.Clone(m.Mediators)
	slices.SortStableFunc(order, func(a, b Mediator) int { return a.Stage - b.Stage })
	for i, v := range order {
		if i == 0 || v.Stage != order[i-1].Stage {
			p.stages++
		}
		p.mediators = append(p.mediators, add(v.Name, v.Values, p.stages))
	}
	p.outcome = add("outcome", m.Outcome, p.stages+1)
	p.k = len(p.z)
	for set := 1; set < 1<<len(p.mediators); set++ {
		var way []int
		parallel := false // two of one stage: no arrow between them
		for i, v := range p.mediators {
			if set>>i&1 == 1 {
				parallel = parallel || len(way) > 0 && p.stage[way[len(way)-1]] == p.stage[v]
				way = append(way, v)
			}
		}
		if !parallel {
			p.ways = append(p.ways, way)
		}
	}
	slices.SortStableFunc(p.ways, func(a, b []int) int { return len(a) - len(b) })
	for _, to := range append(slices.Clone(p.mediators), p.outcome) {
		for _, from := range append([]int{p.treatment}, p.mediators...) {
			if p.stage[from] < p.stage[to] {
				p.arrows = append(p.arrows, [2]int{from, to})
			}
		}
	}
	return p, nil
}

// sums returns the cross-products of the columns over each resampled block, one
// k×k after another, and how many clusters there are.
func (p *paths) sums(cluster []int, rng *rand.Rand) (sums []float64, units int) {
	n := len(p.z[0])
	of := make([]int, n)
	units = n
	if cluster != nil {
		g := group(cluster)
		copy(of, g.of)
		units = g.n()
	} else {
		copy(of, codes0(n))
	}
	blocks := units
	if units > blockLimit {
		blocks = blockLimit
		lot := rng.Perm(units)
		for i, u := range of {
			of[i] = lot[u] % blocks
		}
	}
	sums = make([]float64, blocks*p.k*p.k)
	row := make([]float64, p.k)
	for i, b := range of {
		for j := range row {
			row[j] = p.z[j][i]
		}
		s := sums[b*p.k*p.k : (b+1)*p.k*p.k]
		for a, x := range row {
			floats.AddScaled(s[a*p.k:(a+1)*p.k], x, row)
		}
	}
	return sums, units
}

// solve returns total, direct, indirect, the paths and the arrows that belong
// to cross-products s; nil if an equation has no solution.
func (p *paths) solve(s []float64) []float64 {
	coef := make([]float64, p.k*p.k) // from × to
	x := slices.Clone(p.base)
	done := 0
	for stage := 1; stage <= p.stages+1; stage++ {
		a := mat.NewSymDense(len(x), nil)
		for i, u := range x {
			for j := i; j < len(x); j++ {
				a.SetSym(i, j, s[u*p.k+x[j]])
			}
		}
		var chol mat.Cholesky
		if !chol.Factorize(a) || chol.Cond() > 1e14 {
			return nil
		}
		to := []int{p.outcome}
		if stage <= p.stages {
			to = nil
			for _, v := range p.mediators[done:] {
				if p.stage[v] == stage {
					to = append(to, v)
				}
			}
			done += len(to)
		}
		for _, y := range to {
			b, beta := mat.NewVecDense(len(x), nil), mat.NewVecDense(len(x), nil)
			for i, u := range x {
				b.SetVec(i, s[u*p.k+y])
			}
			if err := chol.SolveVecTo(beta, b); err != nil {
				return nil
			}
			for i, u := range x {
				coef[u*p.k+y] = beta.AtVec(i)
			}
		}
		x = append(x, to...)
	}
	v := make([]float64, 3, 3+len(p.ways)+len(p.arrows))
	v[1] = coef[p.treatment*p.k+p.outcome]
	for _, way := range p.ways {
		product, from := 1.0, p.treatment
		for _, to := range append(slices.Clone(way), p.outcome) {
			product *= coef[from*p.k+to]
			from = to
		}
		v[2] += product
		v = append(v, product)
	}
	v[0] = v[1] + v[2]
	for _, a := range p.arrows {
		v = append(v, coef[a[0]*p.k+a[1]])
	}
	return v
}

// jackknife solves without each of at most jackLimit parts of the blocks.
func (p *paths) jackknife(sums, all []float64) [][]float64 {
	size := p.k * p.k
	blocks := len(sums) / size
	parts := min(blocks, jackLimit)
	rest := make([]float64, size)
	var left [][]float64
	for i := range parts {
		copy(rest, all)
		for b := i; b < blocks; b += parts {
			floats.Sub(rest, sums[b*size:(b+1)*size])
		}
		if v := p.solve(rest); v != nil {
			if left == nil {
				left = make([][]float64, len(v))
			}
			for j, x := range v {
				left[j] = append(left[j], x)
			}
		}
	}
	if left == nil {
		left = make([][]float64, 3+len(p.ways)+len(p.arrows))
	}
	return left
}

// bootstrap gives a quantity's intervals from its draws and, for BCa, its
// values with each part left out (Efron & Tibshirani 1993, ch. 14).
func bootstrap(value float64, draws, left []float64, confidence float64) Part {
	s := slices.Clone(draws)
	slices.Sort(s)
	n := float64(len(s))
	part := Part{Estimate: value, SE: stat.StdDev(s, nil)}
	alpha := (1 - confidence) / 2
	part.Percentile = [2]float64{quantile(s, alpha), quantile(s, 1-alpha)}
	part.BCa = part.Percentile

	below, least := 0.0, 0.0
	for _, x := range s {
		switch {
		case x < value:
			below++
		case x == value:
			below += 0.5
		}
		if x <= 0 {
			least++
		}
	}
	part.P = min(1, max(2*min(least, n-least), 2)/n)
	norm := distuv.UnitNormal
	if below > 0 && below < n {
		z0 := norm.Quantile(below / n)
		mean := stat.Mean(left, nil)
		var cube, square float64
		for _, x := range left {
			d := mean - x
			cube, square = cube+d*d*d, square+d*d
		}
		a := 0.0
		if square > 0 {
			a = cube / (6 * math.Pow(square, 1.5))
		}
		for i, q := range []float64{alpha, 1 - alpha} {
			z := z0 + norm.Quantile(q)
			part.BCa[i] = quantile(s, norm.CDF(z0+z/(1-a*z)))
		}
	}
	return part
}

// quantile interpolates sorted s at p in [0,1] (Hyndman & Fan 1996, type 6, as
// is usual for a bootstrap).
func quantile(s []float64, p float64) float64 {
	at := p*float64(len(s)+1) - 1
	i := int(math.Floor(at))
	switch {
	case i < 0:
		return s[0]
	case i >= len(s)-1:
		return s[len(s)-1]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}
