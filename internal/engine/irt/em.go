package irt

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// em is the state of an EM run: Bock & Aitkin (1981), on fixed nodes.
type em struct {
	opt      Options
	node     []float64
	patterns []pattern
	group    []int // group of each pattern
	item     []curve
	offset   []int // of each item's first cell; a cell is one category of one item
	cells    int
	pop      []Normal
	freePop  []bool // whose mean is free
	freeSD   []bool
	spread   *spread // of the items, when they are shrunken

	ll        float64
	count     []float64   // cells × nodes: expected answers
	mass      [][]float64 // group × nodes: expected people
	steps     int
	converged bool
}

// newEM sets up a run. Items in split (by column) get parameters of their own in
// groups other than 0: item k of group g>0 becomes a virtual item behind the
// others.
func newEM(t *table, opt Options, split []int) *em {
	e := &em{opt: opt}
	longest := 0
	for _, p := range t.patterns {
		longest = max(longest, len(p.responses))
	}
	// A test of n items leaves a posterior SD of about 1/√(1+n/4).
	n := int(math.Ceil(12/(0.8/math.Sqrt(1+float64(longest)/4)))) | 1
	n = min(max(n, 61), 201)
	for q := range n {
		e.node = append(e.node, -6+12*float64(q)/float64(n-1))
	}
	e.pop = make([]Normal, t.groups)
	e.freePop, e.freeSD = make([]bool, t.groups), make([]bool, t.groups)
	for g := range e.pop {
		e.pop[g] = Normal{0, 1}
		e.freePop[g] = g > 0 || len(opt.Anchors) > 0
		e.freeSD[g] = e.freePop[g] || opt.Model == Rasch
	}
	virtual := map[int]int{}
	columns := make([]int, 0, t.items+len(split))
	for k := range t.items {
		columns = append(columns, k)
	}
	for _, k := range split {
		virtual[k] = len(columns)
		columns = append(columns, k)
	}
	for _, k := range columns {
		v := curve{slope: 1, cum: make([]float64, t.cats[k]), guess: math.Inf(-1)}
		for c := 1; c < t.cats[k]; c++ {
			// Start where a standard normal population would answer like this.
			v.cum[c] = v.cum[c-1] + 1.2*math.Log((at(t, k, c)+0.5)/(at(t, k, c-1)+0.5))
		}
		if opt.Model == ThreePL {
			v.guess = math.Log((opt.Guessing[0] - 0.5) / opt.Guessing[1])
		}
		if it, ok := opt.Anchors[k]; ok {
			v = curve{slope: it.A, cum: []float64{0, -it.A * it.B}, guess: math.Inf(-1), fixed: true}
			if it.C > 0 {
				v.guess = math.Log(it.C / (1 - it.C))
			}
		}
		e.offset = append(e.offset, e.cells)
		e.cells += t.cats[k]
		e.item = append(e.item, v)
	}
	e.patterns = make([]pattern, len(t.patterns))
	for i, p := range t.patterns {
		q := pattern{weight: p.weight, group: p.group, responses: p.responses}
		if p.group > 0 && len(split) > 0 {
			q.responses = slices.Clone(p.responses)
			for r := range q.responses {
				if to, ok := virtual[int(q.responses[r].Item)]; ok {
					q.responses[r].Item = int32(to)
				}
			}
		}
		e.patterns[i] = q
	}
	return e
}

// at is how many answers to item k were recoded to category c.
func at(t *table, k, c int) float64 {
	for score, to := range t.recode[k] {
		if int(to) == c && score < len(t.count[k]) {
			return float64(t.count[k][score])
		}
	}
	return 0
}

// tabulate returns each cell's chances at the nodes, or their logarithms.
func (e *em) tabulate(logs bool) []float64 {
	q := len(e.node)
	table := make([]float64, e.cells*q)
	p := make([]float64, 256)
	for k := range e.item {
		for j, theta := range e.node {
			e.item[k].probabilities(theta, p)
			for c := range e.item[k].cum {
				v := p[c]
				if logs {
					v = math.Log(math.Max(v, 1e-300))
				}
				table[(e.offset[k]+c)*q+j] = v
			}
		}
	}
	return table
}

// priors returns the logarithms of each group's weights over the nodes, whose
// sum is 1.
func (e *em) priors() [][]float64 {
	out := make([][]float64, len(e.pop))
	for g, n := range e.pop {
		out[g] = make([]float64, len(e.node))
		sum := 0.0
		for j, theta := range e.node {
			z := (theta - n.Mean) / n.SD
			out[g][j] = -z * z / 2
			sum += math.Exp(out[g][j])
		}
		for j := range out[g] {
			out[g][j] -= math.Log(sum)
		}
	}
	return out
}

// each calls f with every pattern's posterior over the nodes and log
// likelihood, in parallel by worker.
func (e *em) each(f func(worker, i int, post []float64, ll float64)) {
	q := len(e.node)
	table, prior := e.tabulate(true), e.priors()
	inShares(len(e.patterns), func(worker, lo, hi int) {
		post := make([]float64, q)
		for i := lo; i < hi; i++ {
			p := &e.patterns[i]
			copy(post, prior[p.group])
			for _, r := range p.responses {
				row := table[(e.offset[r.Item]+int(r.Score))*q:][:q]
				for j, v := range row {
					post[j] += v
				}
			}
			top := slices.Max(post)
			sum := 0.0
			for j, l := range post {
				if l -= top; l < -40 { // nothing beside the mode, and exp is the costly part
					post[j] = 0
					continue
				} else {
					post[j] = math.Exp(l)
				}
				sum += post[j]
			}
			for j := range post {
				post[j] /= sum
			}
			f(worker, i, post, top+math.Log(sum))
		}
	})
}

// expect is the E step.
func (e *em) expect() {
	q := len(e.node)
	workers := shares(len(e.patterns))
	counts, lls := make([][]float64, workers), make([]float64, workers)
	masses := make([][]float64, workers)
	for w := range workers {
		counts[w], masses[w] = make([]float64, e.cells*q), make([]float64, len(e.pop)*q)
	}
	e.each(func(w, i int, post []float64, ll float64) {
		p := &e.patterns[i]
		lls[w] += p.weight * ll
		if p.weight != 1 {
			for j := range post {
				post[j] *= p.weight
			}
		}
		lo, hi := 0, q // the posterior is 0 but on a few nodes
		for lo < q-1 && post[lo] < 1e-12 {
			lo++
		}
		for hi > lo+1 && post[hi-1] < 1e-12 {
			hi--
		}
		part := post[lo:hi]
		for _, r := range p.responses {
			row := counts[w][(e.offset[r.Item]+int(r.Score))*q+lo:][:len(part)]
			for j, v := range part {
				row[j] += v
			}
		}
		add(masses[w][p.group*q:][:q], post)
	})
	e.count, e.ll = counts[0], lls[0]
	for w := 1; w < workers; w++ {
		add(e.count, counts[w])
		add(masses[0], masses[w])
		e.ll += lls[w]
	}
	e.mass = make([][]float64, len(e.pop))
	for g := range e.mass {
		e.mass[g] = masses[0][g*q:][:q]
	}
}

// objective is the expected log likelihood of item k's answers, with its prior.
func (e *em) objective(v *curve, k int) float64 {
	q := len(e.node)
	p := make([]float64, len(v.cum))
	sum := 0.0
	for j, theta := range e.node {
		v.probabilities(theta, p)
		for c := range p {
			if r := e.count[(e.offset[k]+c)*q+j]; r > 0 {
				sum += r * math.Log(math.Max(p[c], 1e-300))
			}
		}
	}
	if !math.IsInf(v.guess, -1) {
		g := logistic(v.guess)
		sum += (e.opt.Guessing[0]-1)*math.Log(g) + (e.opt.Guessing[1]-1)*math.Log(1-g)
	}
	return sum + e.spread.logPrior(v)
}

// slopes returns the gradient and −Hessian of the objective of item k.
func (e *em) slopes(v *curve, k int) (grad, hess []float64) {
	q, d := len(e.node), v.size()
	grad, hess = make([]float64, d), make([]float64, d*d)
	p, s := make([]float64, len(v.cum)), make([]float64, d)
	for j, theta := range e.node {
		v.probabilities(theta, p)
		total := 0.0
		for c := range p {
			r := e.count[(e.offset[k]+c)*q+j]
			if r == 0 {
				continue
			}
			total += r
			clear(s)
			v.score(c, theta, p, s)
			for a := range s {
				grad[a] += r * s[a]
			}
			if d > len(v.cum) {
				v.curvature(c, theta, r, p, hess)
			}
		}
		if d == len(v.cum) && total > 0 { // the same whatever the answer
			v.curvature(0, theta, total, p, hess)
		}
	}
	if d > len(v.cum) {
		g := logistic(v.guess)
		a, b := e.opt.Guessing[0]-1, e.opt.Guessing[1]-1
		grad[d-1] += a*(1-g) - b*g
		hess[d*d-1] += (a + b) * g * (1 - g)
	}
	e.spread.addTo(v, grad, hess)
	return grad, hess
}

// maximise is the M step.
func (e *em) maximise() {
	switch e.opt.Model {
	case Rasch:
		inChunks(len(e.item), func(_, lo, hi int) {
			for k := lo; k < hi; k++ {
				e.moveItem(k, 1)
			}
		})
	case OnePL:
		e.moveTogether()
	default:
		inChunks(len(e.item), func(_, lo, hi int) {
			for k := lo; k < hi; k++ {
				e.moveItem(k, 0)
			}
		})
	}
	for g := range e.pop {
		var n, m1, m2 float64
		for j, w := range e.mass[g] {
			n, m1, m2 = n+w, m1+w*e.node[j], m2+w*e.node[j]*e.node[j]
		}
		if n == 0 {
			continue
		}
		mean := e.pop[g].Mean
		if e.freePop[g] {
			mean = m1 / n
		}
		if e.freeSD[g] {
			e.pop[g].SD = math.Sqrt(math.Max(m2/n-2*mean*m1/n+mean*mean, 0.0025))
		}
		e.pop[g].Mean = mean
	}
}

// moveItem takes Newton steps for item k; the first held parameters are kept.
func (e *em) moveItem(k, held int) {
	v := &e.item[k]
	if v.fixed || len(v.cum) == 0 {
		return
	}
	for range 3 {
		grad, hess := e.slopes(v, k)
		d := len(grad)
		free := d - held
		g, h := grad[held:], make([]float64, free*free)
		for a := range free {
			copy(h[a*free:], hess[(a+held)*d+held:][:free])
		}
		step := damped(g, h)
		size := 0.0
		for _, s := range step {
			size = math.Max(size, math.Abs(s))
		}
		if size < 1e-9 {
			return
		}
		full := make([]float64, d)
		copy(full[held:], step)
		base, f := math.NaN(), 1.0
		for try := 0; ; try++ {
			next := v.moved(full, f)
			// Near the maximum Newton's step is safe; far from it, check.
			if size*f < 0.05 && d == len(v.cum) {
				*v = next
				break
			}
			if math.IsNaN(base) {
				base = e.objective(v, k)
			}
			if e.objective(&next, k) >= base-1e-9 {
				*v = next
				break
			}
			if f /= 2; try > 20 {
				return
			}
		}
		if size < 1e-4 {
			return
		}
	}
}

// damped solves h·step = g, adding to the diagonal until h is positive definite.
func damped(g, h []float64) []float64 {
	n := len(g)
	for ridge := 0.0; ; ridge = math.Max(ridge*10, 1e-6) {
		m := mat.NewSymDense(n, slices.Clone(h))
		for a := range n {
			m.SetSym(a, a, h[a*n+a]*(1+ridge)+ridge)
		}
		var c mat.Cholesky
		if c.Factorize(m) || ridge > 1e12 {
			return solve(&c, slices.Clone(g))
		}
	}
}

// moveTogether takes Newton steps for all items' intercepts and their common
// slope, which is solved for after the intercepts are eliminated.
func (e *em) moveTogether() {
	for range 3 {
		var num, den float64
		type part struct{ byCum, bySlope []float64 } // C⁻¹g and C⁻¹h of the intercepts
		parts := make([]part, len(e.item))
		for k := range e.item {
			v := &e.item[k]
			if v.fixed || len(v.cum) == 0 {
				continue
			}
			grad, hess := e.slopes(v, k)
			d := len(grad)
			h := make([]float64, (d-1)*(d-1))
			for a := 1; a < d; a++ {
				copy(h[(a-1)*(d-1):], hess[a*d+1:][:d-1])
			}
			parts[k] = part{damped(grad[1:], h), damped(hess[1:d], h)}
			num += grad[0] - dot(hess[1:d], parts[k].byCum)
			den += hess[0] - dot(hess[1:d], parts[k].bySlope)
		}
		if den <= 0 {
			return
		}
		move := min(max(num/den, -0.5), 0.5)
		size := math.Abs(move)
		for k, p := range parts {
			if p.byCum == nil {
				continue
			}
			step := []float64{move}
			for a := range p.byCum {
				s := min(max(p.byCum[a]-p.bySlope[a]*move, -2), 2)
				step = append(step, s)
				size = math.Max(size, math.Abs(s))
			}
			e.item[k] = e.item[k].moved(step, 1)
		}
		if size < 1e-4 {
			return
		}
	}
}

// vector is the state as SQUAREM moves it.
func (e *em) vector() []float64 {
	var x []float64
	for k := range e.item {
		v := &e.item[k]
		x = append(x, v.slope)
		x = append(x, v.cum...)
		if !math.IsInf(v.guess, -1) {
			x = append(x, v.guess)
		}
	}
	for _, n := range e.pop {
		x = append(x, n.Mean, math.Log(n.SD))
	}
	return x
}

func (e *em) setVector(x []float64) {
	for k := range e.item {
		v := &e.item[k]
		v.slope = min(max(x[0], -maxSlope), maxSlope)
		x = x[1:]
		x = x[copy(v.cum, x):]
		if !math.IsInf(v.guess, -1) {
			v.guess = min(max(x[0], -9), 2)
			x = x[1:]
		}
	}
	for g := range e.pop {
		e.pop[g] = Normal{x[0], math.Exp(min(max(x[1], -3), 2))}
		x = x[2:]
	}
}

// penalised is the log likelihood with the priors.
func (e *em) penalised() float64 {
	sum := e.ll
	for k := range e.item {
		v := &e.item[k]
		if v.fixed {
			continue
		}
		if !math.IsInf(v.guess, -1) {
			g := logistic(v.guess)
			sum += (e.opt.Guessing[0]-1)*math.Log(g) + (e.opt.Guessing[1]-1)*math.Log(1-g)
		}
		sum += e.spread.logPrior(v)
	}
	return sum
}

// run iterates to convergence: pairs of EM steps, and from each pair an
// extrapolated one, kept when it does not lower the likelihood (SQUAREM scheme
// S3 of Varadhan & Roland 2008).
func (e *em) run() {
	e.steps, e.converged = 0, false
	step := func() {
		e.maximise()
		e.steps++
	}
	e.expect()
	for e.steps < e.opt.MaxIter {
		x0 := e.vector()
		step()
		x1 := e.vector()
		e.expect()
		var largest float64
		for i := range x0 {
			largest = math.Max(largest, math.Abs(x1[i]-x0[i]))
		}
		if largest < e.opt.Tol {
			e.converged = true
			return
		}
		step()
		x2 := e.vector()
		var rr, vv float64
		for i := range x0 {
			r := x1[i] - x0[i]
			v := x2[i] - x1[i] - r
			rr, vv = rr+r*r, vv+v*v
		}
		if vv == 0 {
			e.expect()
			continue
		}
		alpha := max(min(-math.Sqrt(rr/vv), -1), -64)
		if alpha == -1 {
			e.expect()
			continue
		}
		before := e.penalised() // at x1, which x2 cannot be below
		far := make([]float64, len(x0))
		for i := range x0 {
			r := x1[i] - x0[i]
			far[i] = x0[i] - 2*alpha*r + alpha*alpha*(x2[i]-x1[i]-r)
		}
		e.setVector(far)
		e.expect()
		if now := e.penalised(); !(now >= before) {
			e.setVector(x2)
			e.expect()
		}
	}
}

// people returns the mean and SD of every pattern's posterior.
func (e *em) people() (mean, sd []float64) {
	mean, sd = make([]float64, len(e.patterns)), make([]float64, len(e.patterns))
	e.each(func(_, i int, post []float64, _ float64) {
		m := dot(post, e.node)
		v := 0.0
		for j, w := range post {
			d := e.node[j] - m
			v += w * d * d
		}
		mean[i], sd[i] = m, math.Sqrt(v)
	})
	return mean, sd
}
