package irt

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Pair is one person's answers on two occasions. Either may be empty; the forms
// may differ between people and occasions as long as all items are on one
// scale.
type Pair struct {
	Before, After []Answer
	X             []float64 // covariates, an intercept among them, such as group dummies; nil means an intercept alone
}

// Gain is what people gained between two occasions, under the joint model
//
//	(θ₀, θ₁) | x ~ N((x·γ₀, x·γ₁), Σ)
//
// with items taken as known (Andersen 1985; Mislevy 1984; Embretson 1991).
type Gain struct {
	Before, After     []float64 // γ₀ and γ₁, logits per unit of the covariate; 0 for a dropped column
	BeforeSE, AfterSE []float64
	SDBefore, SDAfter float64 // residual standard deviations, logits
	Correlation       float64 // residual, of θ₀ and θ₁
	Stability         Normal  // atanh Correlation and its standard error; SD NaN without one
	LogLikelihood     float64
	Iterations        int
	Converged         bool
	People            []PersonGain // as given
	Warnings          []error

	joint *joint
}

// PersonGain is what is known of one person's gain, from the joint posterior of
// both abilities given both tests and the covariates. Low and High bound an
// equal-tailed interval of Delta. Delta can be cut short where the bank's
// percentage is near 100; ThetaDelta, in logits, has no ceiling.
type PersonGain struct {
	Before, After             Level
	Delta, DeltaSE, Low, High float64 // S₁ − S₀, points of 100
	ThetaDelta, ThetaDeltaSE  float64 // θ₁ − θ₀, logits
}

// JointGain fits the joint model by marginal maximum likelihood: Newton's method
// with the observed information (Louis 1982) on a two-dimensional grid adapted to
// the data, with EM steps where the likelihood is not concave. The divisor of Σ
// is the number of people less the number of covariates; that also keeps the
// correlation of short tests off ±1 (Chung et al. 2015).
//
// Since abilities are integrated over and not first estimated, group gains are
// not shrunken towards nothing. Item parameters are taken as known, and so are
// γ and Σ in each person's interval, which is therefore a little narrow below
// some hundred people.
func JointGain(people []Pair, bank []Item, opt FitOptions) (*Gain, error) {
	before, after := make([][]Answer, len(people)), make([][]Answer, len(people))
	x := make([][]float64, len(people))
	for i, p := range people {
		before[i], after[i], x[i] = p.Before, p.After, p.X
	}
	j := &joint{sheets: [2]*sheets{newSheets(before), newSheets(after)}, sc: NewScale(bank)}
	if len(j.sc.bank) == 0 {
		return nil, ErrNoBank
	}
	seen := [2][]bool{j.sheets[0].seen(), j.sheets[1].seen()}
	j.seen = make([]bool, len(people))
	both := 0
	for i := range people {
		j.seen[i] = seen[0][i] || seen[1][i]
		if j.seen[i] {
			j.n++
		}
		if seen[0][i] && seen[1][i] {
			both++
		}
	}
	if j.n == 0 {
		return nil, ErrNoAnswers
	}
	d, warnings, err := newDesign(x, j.seen, opt.Names)
	if err != nil {
		return nil, err
	}
	j.d, j.k = d, len(d.kept)
	if j.n <= float64(j.k) {
		return nil, ErrTooFew
	}
	j.stability = opt.Stability
	j.later = make([]bool, j.k)
	for a, column := range d.kept {
		j.later[a] = slices.Contains(opt.Later, column)
	}
	earlier := d.without(j.later)
	if err := errors.Join(earlier.check("before", seen[0]), d.check("after", seen[1])); err != nil {
		return nil, err
	}
	if j.sheets[0].bad+j.sheets[1].bad > 0 {
		warnings = append(warnings, ErrBadItem)
	}
	if both == 0 {
		j.independent = true
		warnings = append(warnings, ErrNoPairs)
	}

	g := &Gain{joint: j, Warnings: warnings}
	var start [2]*Population
	for o, of := range [2]*design{earlier, d} {
		if start[o], err = fitPopulation(j.sheets[o], of, opt.maxIter()); err != nil {
			return nil, fmt.Errorf("%s: %w", [2]string{"before", "after"}[o], err)
		}
	}
	j.design = [2]*design{earlier, d}
	j.gram = [2]*gram{gramOf(earlier, j.seen), gramOf(d, j.seen)}
	j.coef = [2][]float64{j.among(start[0].coef), start[1].coef}
	rho := 0.5
	if j.independent {
		rho = 0
	}
	j.cov = [3]float64{start[0].SD * start[0].SD, rho * start[0].SD * start[1].SD, start[1].SD * start[1].SD}
	j.climb(g, opt.maxIter())

	j.tabulate()
	g.People = j.describe(opt.level())
	g.SDBefore, g.SDAfter = math.Sqrt(j.cov[0]), math.Sqrt(j.cov[2])
	g.Correlation = j.cov[1] / g.SDBefore / g.SDAfter
	g.Stability = Normal{math.Atanh(g.Correlation), math.NaN()}
	if j.curve != nil && !j.independent {
		unit := make([]float64, 2*j.k+3)
		_, slope := j.fisher()
		copy(unit[2*j.k:], slope[:])
		g.Stability.SD = math.Sqrt(dot(unit, solve(j.curve, unit)))
	}
	g.Before, g.After = d.spread(j.coef[0]), d.spread(j.coef[1])
	se0 := standardErrors(j.curve, 0, j.k)
	for a, later := range j.later {
		if later {
			se0[a] = 0
		}
	}
	g.BeforeSE = d.spread(se0)
	g.AfterSE = d.spread(standardErrors(j.curve, j.k, 2*j.k))
	return g, nil
}

// joint is the fitted model and what it was fitted to. Parameters are, in this
// order, γ₀, γ₁ and the precision matrix P = Σ⁻¹ as p₀₀, p₀₁, p₁₁.
type joint struct {
	sheets      [2]*sheets
	seen        []bool
	n           float64 // people seen
	d           *design
	k           int // covariates kept
	sc          *Scale
	stability   Normal
	later       []bool     // by kept covariate: explains θ₁ alone
	design      [2]*design // d, for the first occasion without those
	gram        [2]*gram   // of design
	independent bool       // nobody answered twice: p₀₁ is held at 0

	coef [2][]float64
	cov  [3]float64 // Σ as σ₀₀, σ₀₁, σ₁₁

	line   [2]line
	like   [2][]float64 // people × nodes, each row's maximum 1
	top    [2][]float64 // logarithms of what the rows were scaled by
	centre [2]float64   // the grid's origin, logits
	tcc    [2][]float64 // TCC at the nodes

	score [][5]float64 // per person, by μ₀, μ₁, p₀₀, p₀₁, p₁₁
	curve *mat.Cholesky
}

func invert(c [3]float64) [3]float64 {
	det := c[0]*c[2] - c[1]*c[1]
	return [3]float64{c[2] / det, -c[1] / det, c[0] / det}
}

// climb maximises the marginal likelihood, on a new grid as often as the
// parameters outgrow the old one.
func (j *joint) climb(g *Gain, maxIter int) {
	var narrow float64
	wide := wideNodes()
	for o := range 2 {
		narrow = math.Max(narrow, j.sheets[o].information(wide))
	}
	narrow = 1 / math.Sqrt(narrow+1/math.Min(j.cov[0], j.cov[2]))
	for range 8 {
		coarse := j.grid(narrow)
		var at *jointSums
		at, g.Converged, g.Iterations = j.ascend(maxIter)
		g.LogLikelihood = at.ll - float64(j.k)/2*math.Log(j.cov[0]*j.cov[2]-j.cov[1]*j.cov[1])
		// By Poisson summation the grid's error is that of the narrowest of
		// θ₀, θ₁, θ₁−θ₀ and θ₁+θ₀ in anyone's posterior.
		least := math.Sqrt(at.narrowest)
		if g.Converged && j.covers() && math.Max(j.line[0].step, j.line[1].step) <= 1.1*least {
			break
		}
		if !g.Converged { // stopped at what this grid can see
			least = math.Min(least, 0.6*narrow)
		}
		if coarse {
			g.Warnings = append(g.Warnings, ErrCoarse)
			break
		}
		narrow = math.Min(least, narrow)
	}
	if !g.Converged {
		g.Warnings = append(g.Warnings, ErrNotConverged)
	}
}

// grid lays the nodes out for the present parameters.
func (j *joint) grid(narrow float64) (coarse bool) {
	for o := range 2 {
		lo, hi := rangeOf(j.d, j.coef[o])
		l, c := newLine(lo, hi, math.Sqrt(j.cov[2*o]), narrow)
		coarse = coarse || c
		j.line[o] = l
		j.centre[o] = (lo + hi) / 2
		j.like[o], j.top[o] = j.sheets[o].likelihoods(l.node)
	}
	return coarse
}

// covers reports whether the grid still holds the population.
func (j *joint) covers() bool {
	for o := range 2 {
		lo, hi := rangeOf(j.d, j.coef[o])
		sd, node := math.Sqrt(j.cov[2*o]), j.line[o].node
		if lo-4.5*sd < node[0] || hi+4.5*sd > node[len(node)-1] {
			return false
		}
	}
	return true
}

// jointSums is what one pass over the people adds up.
type jointSums struct {
	ll        float64
	grad      []float64
	hess      []float64 // of −log likelihood, row by row
	narrowest float64   // least posterior variance of θ₀, θ₁, θ₁±θ₀
	mean      [2][]float64
}

// ascend climbs on the present grid. On return j.score and j.curve are those of
// the parameters reached.
func (j *joint) ascend(maxIter int) (now *jointSums, converged bool, iterations int) {
	k, n := j.k, 2*j.k+3
	j.curve = nil
	now = j.pass()
	for iterations = 1; iterations <= maxIter; iterations++ {
		step, curve, ok := newton(now.grad, now.hess)
		concave := ok
		for ridge := 1e-4; !ok && ridge < 1e3; ridge *= 10 { // Levenberg (1944), by the complete data's information
			step, _, ok = newton(now.grad, j.ridged(now.hess, ridge))
		}
		if !ok {
			j.em(now)
			now = j.pass()
			continue
		}
		if concave && dot(step, now.grad) < 1e-8 {
			j.curve = curve
			return now, true, iterations
		}
		coef, cov, prec := j.coef, j.cov, invert(j.cov)
		improved := false
		for f := 1.0; f > 1e-6; f /= 2 {
			p := [3]float64{prec[0] + f*step[n-3], prec[1] + f*step[n-2], prec[2] + f*step[n-1]}
			c := invert(p)
			// A step may not change the spread of the population manifold.
			if det := p[0]*p[2] - p[1]*p[1]; !(p[0] > 0 && det > 0.05*(prec[0]*prec[2]-prec[1]*prec[1])) || c[0] > 5*cov[0] || c[2] > 5*cov[2] || c[0] < cov[0]/5 || c[2] < cov[2]/5 || j.tooNarrow(c) {
				continue
			}
			j.cov = c
			for o := range 2 {
				j.coef[o] = make([]float64, k)
				for a := range k {
					j.coef[o][a] = coef[o][a] + f*step[o*k+a]
				}
			}
			if try := j.pass(); try.ll >= now.ll-1e-8 {
				now, improved = try, true
				break
			}
		}
		if !improved {
			j.coef, j.cov = coef, cov
			now = j.pass()
			before := now.ll
			j.em(now)
			if now = j.pass(); now.ll < before+1e-7 {
				break
			}
		}
	}
	return now, false, iterations
}

// tooNarrow reports whether the grid cannot see how little θ₁ differs from θ₀
// under Σ: between nodes the likelihood would be made up, and grows without
// end as the correlation nears 1. The climb then goes on with finer nodes.
func (j *joint) tooNarrow(c [3]float64) bool {
	step := math.Max(j.line[0].step, j.line[1].step)
	return c[0]+c[2]-2*math.Abs(c[1]) < step*step
}

// ridged returns the information with a part of the complete data's added to
// its diagonal, which in the end is positive definite.
func (j *joint) ridged(hess []float64, part float64) []float64 {
	n := 2*j.k + 3
	out := slices.Clone(hess)
	for a := range 2 * j.k {
		out[a*n+a] += part * math.Abs(hess[a*n+a])
	}
	c := j.cov
	for q, v := range [3]float64{c[0] * c[0] / 2, c[0]*c[2] + c[1]*c[1], c[2] * c[2] / 2} {
		out[(2*j.k+q)*(n+1)] += part * j.n * v
	}
	return out
}

// em moves the parameters by one step of the EM algorithm (Mislevy 1984).
func (j *joint) em(now *jointSums) {
	var next [2][]float64
	for o := range 2 {
		next[o] = make([]float64, len(j.design[o].kept))
		j.gram[o].solve(next[o], j.design[o], j.seen, now.mean[o])
		if o == 0 {
			next[o] = j.among(next[o])
		}
	}
	var ss [3]float64
	for i, s := range j.score {
		if !j.seen[i] {
			continue
		}
		var m, shift [2]float64
		for o := range 2 {
			mu := j.d.predict(i, j.coef[o])
			m[o] = now.mean[o][i] - mu
			shift[o] = j.d.predict(i, next[o]) - mu
		}
		// The scores by P hold E[(θ−μ)(θ−μ)ᵀ], about the old mean.
		ss[0] += j.cov[0] - 2*s[2] - 2*shift[0]*m[0] + shift[0]*shift[0]
		ss[1] += j.cov[1] - s[3] - shift[0]*m[1] - shift[1]*m[0] + shift[0]*shift[1]
		ss[2] += j.cov[2] - 2*s[4] - 2*shift[1]*m[1] + shift[1]*shift[1]
	}
	free := j.n - float64(j.k)
	j.coef, j.cov = next, [3]float64{ss[0] / free, ss[1] / free, ss[2] / free}
	if j.independent {
		j.cov[1] = 0
	}
	for j.tooNarrow(j.cov) { // one shrink is enough unless the variances fell as well
		j.cov[1] *= 0.99
	}
}

// pass computes the marginal likelihood with its score and information, and
// leaves each person's score in j.score.
func (j *joint) pass() *jointSums {
	k, n := j.k, 2*j.k+3
	prec := invert(j.cov)
	det := prec[0]*prec[2] - prec[1]*prec[1]
	unit := math.Log(j.line[0].step*j.line[1].step/(2*math.Pi)) + math.Log(det)/2
	// Expected information of the complete data about P: ½ tr(Σ Eₐ Σ E_b).
	c := j.cov
	pp := [6]float64{c[0] * c[0] / 2, c[0] * c[1], c[1] * c[1] / 2, c[0]*c[2] + c[1]*c[1], c[1] * c[2], c[2] * c[2] / 2}

	people := len(j.seen)
	j.score = make([][5]float64, people)
	parts := make([]*jointSums, chunks(people))
	mean := [2][]float64{make([]float64, people), make([]float64, people)}
	kernel := j.kernel(prec)
	inChunks(people, func(ch, lo, hi int) {
		p := &jointSums{grad: make([]float64, n), hess: make([]float64, n*n), narrowest: math.Inf(1)}
		parts[ch] = p
		ms := j.moments(kernel, prec, lo, hi)
		var info [5][5]float64
		for i := lo; i < hi; i++ {
			if !j.seen[i] {
				continue
			}
			m := &ms[i-lo]
			p.ll += m.logZ + j.top[0][i] + j.top[1][i] + unit
			e := m.e
			for o, d := range [2]float64{e[1][0], e[0][1]} {
				mean[o][i] = j.d.predict(i, j.coef[o]) + d
			}
			s := [5]float64{
				prec[0]*e[1][0] + prec[1]*e[0][1],
				prec[1]*e[1][0] + prec[2]*e[0][1],
				(c[0] - e[2][0]) / 2, c[1] - e[1][1], (c[2] - e[0][2]) / 2,
			}
			j.score[i] = s
			v0, v1, v01 := e[2][0]-e[1][0]*e[1][0], e[0][2]-e[0][1]*e[0][1], e[1][1]-e[1][0]*e[0][1]
			p.narrowest = min(p.narrowest, v0, v1, v0+v1-2*math.Abs(v01))

			// Louis (1982): complete information less the variance of the
			// complete score, which is linear in these five monomials.
			vl := [3]float64{v0, v01, v1} // of d₀, d₁
			var vq [2][3]float64          // of d₀, d₁ with −½d₀², −d₀d₁, −½d₁²
			for o := range 2 {
				a, b := 1-o, o
				vq[o] = [3]float64{
					-(e[a+2][b] - e[a][b]*e[2][0]) / 2,
					-(e[a+1][b+1] - e[a][b]*e[1][1]),
					-(e[a][b+2] - e[a][b]*e[0][2]) / 2,
				}
			}
			info[0][0] = prec[0] - (prec[0]*prec[0]*vl[0] + 2*prec[0]*prec[1]*vl[1] + prec[1]*prec[1]*vl[2])
			info[0][1] = prec[1] - (prec[0]*prec[1]*vl[0] + (prec[0]*prec[2]+prec[1]*prec[1])*vl[1] + prec[1]*prec[2]*vl[2])
			info[1][1] = prec[2] - (prec[1]*prec[1]*vl[0] + 2*prec[1]*prec[2]*vl[1] + prec[2]*prec[2]*vl[2])
			grow := [2][3]float64{{e[1][0], e[0][1], 0}, {0, e[1][0], e[0][1]}}
			for q := range 3 {
				info[0][2+q] = -grow[0][q] - (prec[0]*vq[0][q] + prec[1]*vq[1][q])
				info[1][2+q] = -grow[1][q] - (prec[1]*vq[0][q] + prec[2]*vq[1][q])
			}
			info[2][2] = pp[0] - (e[4][0]-e[2][0]*e[2][0])/4
			info[2][3] = pp[1] - (e[3][1]-e[2][0]*e[1][1])/2
			info[2][4] = pp[2] - (e[2][2]-e[2][0]*e[0][2])/4
			info[3][3] = pp[3] - (e[2][2] - e[1][1]*e[1][1])
			info[3][4] = pp[4] - (e[1][3]-e[1][1]*e[0][2])/2
			info[4][4] = pp[5] - (e[0][4]-e[0][2]*e[0][2])/4

			x := j.d.x[i]
			for a, xa := range x {
				p.grad[a] += s[0] * xa
				p.grad[k+a] += s[1] * xa
				for b, xb := range x {
					p.hess[a*n+b] += info[0][0] * xa * xb
					p.hess[a*n+k+b] += info[0][1] * xa * xb
					p.hess[(k+a)*n+k+b] += info[1][1] * xa * xb
				}
				for q := range 3 {
					p.hess[a*n+2*k+q] += info[0][2+q] * xa
					p.hess[(k+a)*n+2*k+q] += info[1][2+q] * xa
				}
			}
			for q := range 3 {
				p.grad[2*k+q] += s[2+q]
				for r := q; r < 3; r++ {
					p.hess[(2*k+q)*n+2*k+r] += info[2+q][2+r]
				}
			}
		}
	})
	sum := &jointSums{grad: make([]float64, n), hess: make([]float64, n*n), narrowest: math.Inf(1), mean: mean}
	for _, p := range parts {
		sum.ll += p.ll
		sum.narrowest = math.Min(sum.narrowest, p.narrowest)
		add(sum.grad, p.grad)
		add(sum.hess, p.hess)
	}
	for q, v := range j.penalty() {
		sum.grad[2*k+q] += v
	}
	sum.ll += -float64(k)/2*math.Log(det) + j.lkj()*math.Log(det/(prec[0]*prec[2]))
	for q, at := range [3][]float64{pp[:3], pp[3:5], pp[5:]} {
		for r, v := range at {
			sum.hess[(2*k+q)*n+2*k+q+r] -= (float64(k) - 2*j.lkj()) * v
		}
	}
	sum.hess[2*k*n+2*k] -= j.lkj() / (prec[0] * prec[0])
	sum.hess[(2*k+2)*n+2*k+2] -= j.lkj() / (prec[2] * prec[2])
	if sd := j.stability.SD; sd > 0 && !j.independent {
		z, slope := j.fisher()
		off := (z - j.stability.Mean) / sd
		sum.ll -= off * off / 2
		for q := range 3 {
			for r := q; r < 3; r++ { // Gauss–Newton
				sum.hess[(2*k+q)*n+2*k+r] += slope[q] * slope[r] / (sd * sd)
			}
		}
	}
	if j.independent {
		sum.hold(2*k + 1)
	}
	for a, later := range j.later {
		if later {
			sum.hold(a)
		}
	}
	return sum
}

// hold keeps a parameter where it is.
func (s *jointSums) hold(at int) {
	n := len(s.grad)
	s.grad[at] = 0
	for a := range n {
		s.hess[a*n+at], s.hess[at*n+a] = 0, 0
	}
	s.hess[at*n+at] = 1
}

// among puts the coefficients of the earlier covariates among zeros for the
// later ones.
func (j *joint) among(earlier []float64) []float64 {
	all := make([]float64, 0, j.k)
	for _, later := range j.later {
		if later {
			all = append(all, 0)
			continue
		}
		all, earlier = append(all, earlier[0]), earlier[1:]
	}
	return all
}

// lkj is the weight of log(1 − ρ²), ρ the residual correlation, that is added
// to the likelihood. A half is a weak prior (Lewandowski, Kurowicka & Joe 2009):
// where all change alike the likelihood has no maximum short of ρ = 1 and a
// singular Σ, and the prior keeps it away (Chung et al. 2013). Less k/2, because
// the divisor n − k of Σ's determinant would add that much; it is meant for the
// variances, and on the correlation of short tests, of which the answers say
// little, it makes people's gains look more different than they are.
func (j *joint) lkj() float64 {
	if j.independent {
		return 0
	}
	return 0.5 - float64(j.k)/2
}

// penalty is the derivative by P of what makes the divisor of Σ n−k, and of
// the priors on the correlation.
func (j *joint) penalty() [3]float64 {
	f := 2*j.lkj() - float64(j.k)
	prec := invert(j.cov)
	p := [3]float64{f*j.cov[0]/2 - j.lkj()/prec[0], f * j.cov[1], f*j.cov[2]/2 - j.lkj()/prec[2]}
	if sd := j.stability.SD; sd > 0 && !j.independent {
		z, slope := j.fisher()
		for q := range p {
			p[q] -= (z - j.stability.Mean) / (sd * sd) * slope[q]
		}
	}
	return p
}

// fisher returns atanh ρ with its derivatives by P.
func (j *joint) fisher() (z float64, slope [3]float64) {
	p := invert(j.cov)
	root := math.Sqrt(p[0] * p[2])
	rho := -p[1] / root
	f := 1 / (1 - rho*rho)
	return math.Atanh(rho), [3]float64{-f * rho / (2 * p[0]), -f / root, -f * rho / (2 * p[2])}
}

// Functional returns L = Σ c_i·E[ΔS | x_i] under the fitted latent regression,
// in points of 100, for weights c of the people as given: 1/n for the trained
// and −1/m for those who wait make it the difference of the groups' gains.
//
// influence is what each person contributes to its error: the sampling variance
// of L is the sum over independent clusters of the squared sums of influence,
// and the influences of several functionals of the same people may be added
// first. It returns NaN when there is not one weight per person or the fit did
// not converge.
func (g *Gain) Functional(c []float64) (value float64, influence []float64) {
	minus := make([]float64, len(c))
	for i, w := range c {
		minus[i] = -w
	}
	return g.Contrast(minus, c)
}

// Expected returns E[ΔS | x_i] of everybody as given, points of 100: what is
// expected of people like them, before their answers are looked at.
func (g *Gain) Expected() []float64 {
	j := g.joint
	out := make([]float64, len(j.seen))
	for i := range out {
		before, _, _, _ := j.sc.normalMean(j.d.predict(i, j.coef[0]), math.Sqrt(j.cov[0]))
		after, _, _, _ := j.sc.normalMean(j.d.predict(i, j.coef[1]), math.Sqrt(j.cov[2]))
		out[i] = after - before
	}
	return out
}

// Contrast returns Σ before_i·E[S₀ | x_i] + after_i·E[S₁ | x_i], with influence
// as in Functional. With before all zero it speaks of the second occasion alone.
func (g *Gain) Contrast(before, after []float64) (value float64, influence []float64) {
	return g.joint.contrast(before, after, func(mu, variance float64) (float64, float64, float64) {
		m, byMu, byVar, _ := g.joint.sc.normalMean(mu, math.Sqrt(variance))
		return m, byMu, byVar
	})
}

// ThetaFunctional is Functional on the latent scale: Σ c_i·E[θ₁−θ₀ | x_i], in
// logits.
func (g *Gain) ThetaFunctional(c []float64) (value float64, influence []float64) {
	minus := make([]float64, len(c))
	for i, w := range c {
		minus[i] = -w
	}
	return g.joint.contrast(minus, c, func(mu, _ float64) (float64, float64, float64) { return mu, 1, 0 })
}

// contrast adds up f of each person's mean and variance, which comes with its
// derivatives by both, and carries the derivative over to the people.
func (j *joint) contrast(before, after []float64, f func(mu, variance float64) (v, byMu, byVar float64)) (value float64, influence []float64) {
	people := len(j.seen)
	influence = make([]float64, people)
	if len(before) != people || len(after) != people || j.curve == nil {
		return math.NaN(), influence
	}
	k := j.k
	grad := make([]float64, 2*k+3)
	var byCov [2]float64 // by σ₀₀ and σ₁₁
	for o, c := range [2][]float64{before, after} {
		for i, w := range c {
			if w == 0 {
				continue
			}
			v, byMu, byVar := f(j.d.predict(i, j.coef[o]), j.cov[2*o])
			value += w * v
			byCov[o] += w * byVar
			for a, x := range j.d.x[i] {
				grad[o*k+a] += w * byMu * x
			}
		}
	}
	// dΣ = −Σ dP Σ.
	s := j.cov
	grad[2*k] = -byCov[0]*s[0]*s[0] - byCov[1]*s[1]*s[1]
	grad[2*k+1] = -2*byCov[0]*s[0]*s[1] - 2*byCov[1]*s[1]*s[2]
	grad[2*k+2] = -byCov[0]*s[1]*s[1] - byCov[1]*s[2]*s[2]
	if j.independent {
		grad[2*k+1] = 0
	}
	for a, later := range j.later {
		if later {
			grad[a] = 0
		}
	}
	lever := solve(j.curve, grad)
	var each float64 // the penalty's part of the score, shared out
	for q, v := range j.penalty() {
		each += lever[2*k+q] * v / j.n
	}
	for i, sc := range j.score {
		if !j.seen[i] {
			continue
		}
		x := j.d.x[i]
		influence[i] = each + sc[0]*dot(lever[:k], x) + sc[1]*dot(lever[k:2*k], x) + dot(sc[2:], lever[2*k:])
	}
	return value, influence
}
