package irt

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// FitOptions governs the latent regressions PopulationFit and JointGain.
type FitOptions struct {
	Names   []string // of the covariates, for warnings; may be short
	Level   float64  // of intervals; 0 means 0.95
	MaxIter int      // of Newton's method; 0 means 100

	// Later lists the covariates, by column, that were decided upon the answers
	// before, or after them: who was to be trained, who stood in a draw. In
	// JointGain they explain θ₁ alone. Were θ₀ regressed on them too, it would be
	// regressed on its own measurement's error, and who answered unluckily and
	// was therefore trained would pass for someone less able (Rubin 1976: the
	// assignment is ignorable given the answers before, and not without them).
	Later []int

	// Stability is a prior of atanh ρ, ρ the residual correlation of θ₀ and θ₁ in
	// JointGain, such as other skills of the same people suggest; SD 0 means
	// none. Short tests say little of ρ, and through it of how much people's
	// gains differ, on which the width of each person's interval rests.
	Stability Normal
}

func (o FitOptions) level() float64 {
	if o.Level > 0 && o.Level < 1 {
		return o.Level
	}
	return 0.95
}

func (o FitOptions) maxIter() int {
	if o.MaxIter > 0 {
		return o.MaxIter
	}
	return 100
}

// Population is the ability of a population on one occasion under the latent
// regression θ | x ~ N(x·γ, σ²), items taken as known.
type Population struct {
	Coef          []float64 // γ, logits per unit of the covariate; 0 for a dropped column
	SE            []float64 // of Coef
	SD            float64   // σ, residual standard deviation, logits
	Theta         Normal    // mean and standard deviation of θ over the people, logits; the prior to score with
	S             float64   // mean of TCC(θ) over the people, 0–100
	SSD           float64   // standard deviation of TCC(θ) over the people, latent: free of test error
	LogLikelihood float64
	Iterations    int
	Converged     bool
	People        []Level // as given
	Warnings      []error

	d     *design
	sc    *Scale
	coef  []float64
	score [][2]float64 // per person, by μ and by the precision 1/σ²
	curve *mat.Cholesky
	n     float64
}

// Level is what one occasion says of one person, given answers and covariates.
type Level struct {
	Theta, ThetaSE float64 // posterior mean and standard deviation, logits
	S, SE          float64 // of TCC(θ), 0–100
}

// PopulationFit fits the latent regression of one occasion by marginal maximum
// likelihood (Mislevy 1984). x holds the covariates, an intercept among them;
// nil means an intercept alone. The variance's divisor is n less the number of
// covariates, as in least squares. People without answers are not counted, but
// get a Level from their covariates.
func PopulationFit(people [][]Answer, x [][]float64, bank []Item, opt FitOptions) (*Population, error) {
	if x == nil {
		x = make([][]float64, len(people))
	}
	s := newSheets(people)
	seen := s.seen()
	d, warnings, err := newDesign(x, seen, opt.Names)
	if err != nil {
		return nil, err
	}
	sc := NewScale(bank)
	if len(sc.bank) == 0 {
		return nil, ErrNoBank
	}
	if s.bad > 0 {
		warnings = append(warnings, ErrBadItem)
	}
	p, err := fitPopulation(s, d, opt.maxIter())
	if err != nil {
		return nil, err
	}
	p.sc, p.Warnings = sc, append(warnings, p.Warnings...)
	p.describe(s, seen)
	return p, nil
}

// line is the quadrature of one occasion.
type line struct {
	node []float64
	step float64
}

// newLine covers means lo…hi with standard deviation sd, finely enough for
// posteriors down to the width narrowest. The trapezoid rule on a normal density
// of standard deviation s errs by about exp(−2π²s²/step²): 4e-14 here.
func newLine(lo, hi, sd, narrowest float64) (l line, coarse bool) {
	const most = 161
	lo, hi = lo-5.5*sd, hi+5.5*sd
	n := int(math.Ceil((hi-lo)/math.Min(0.8*narrowest, 0.8*sd))) + 1
	coarse = n > most
	n = min(max(n, 25), most)
	l.step = (hi - lo) / float64(n-1)
	for i := range n {
		l.node = append(l.node, lo+l.step*float64(i))
	}
	return l, coarse && l.step > 1.3*narrowest
}

// fitPopulation finds γ and σ by Newton's method on the marginal likelihood,
// with EM steps where that is not concave.
func fitPopulation(s *sheets, d *design, maxIter int) (*Population, error) {
	seen := s.seen()
	k := len(d.kept)
	pop := &Population{d: d}
	for _, ok := range seen {
		if ok {
			pop.n++
		}
	}
	if pop.n == 0 {
		return nil, ErrNoAnswers
	}
	if pop.n <= float64(k) {
		return nil, ErrTooFew
	}
	gram := gramOf(d, seen)

	// Start from a coarse look over ±8 logits under a wide prior.
	coef, variance := make([]float64, k), 0.0
	wide, _ := newLine(0, 0, 1.6, 0.3)
	rows, _ := s.likelihoods(wide.node)
	eap := make([]float64, len(seen))
	for i := range seen {
		if m := moments1(rows[i*len(wide.node):][:len(wide.node)], wide.node, 0, 1/2.25); seen[i] {
			eap[i] = m.d[1]
			variance += m.d[2] - m.d[1]*m.d[1]
		}
	}
	gram.solve(coef, d, seen, eap)
	for i := range seen {
		if seen[i] {
			r := eap[i] - d.predict(i, coef)
			variance += r * r
		}
	}
	variance /= pop.n

	narrowest := 0.0
	for round := range 4 {
		lo, hi := rangeOf(d, coef)
		sd := math.Sqrt(variance)
		if round == 0 {
			info := s.information(wide.node)
			narrowest = 1 / math.Sqrt(info+1/variance)
		}
		l, coarse := newLine(lo, hi, sd, narrowest)
		rows, top := s.likelihoods(l.node)
		coef, variance = pop.climb(rows, top, l, coef, variance, gram, seen, maxIter)
		lo2, hi2 := rangeOf(d, coef)
		now := math.Sqrt(variance)
		if lo2-4.5*now >= l.node[0] && hi2+4.5*now <= l.node[len(l.node)-1] && l.step <= 0.85*now && now > 0.5*sd {
			if coarse {
				pop.Warnings = append(pop.Warnings, ErrCoarse)
			}
			break
		}
		narrowest = math.Min(narrowest, now)
	}
	pop.coef, pop.SD = coef, math.Sqrt(variance)
	if !pop.Converged {
		pop.Warnings = append(pop.Warnings, ErrNotConverged)
	}
	return pop, nil
}

// moments holds E[(θ−μ)^k] under a posterior, and the logarithm of the mass.
type moments struct {
	d    [5]float64
	logZ float64
}

// moments1 integrates a likelihood row against N(mu, 1/prec).
func moments1(row, node []float64, mu, prec float64) (m moments) {
	for j, l := range row {
		t := node[j] - mu
		w := l * math.Exp(-prec*t*t/2)
		m.d[0] += w
		m.d[1] += w * t
		m.d[2] += w * t * t
		m.d[3] += w * t * t * t
		m.d[4] += w * t * t * t * t
	}
	z := m.d[0]
	m.logZ = math.Log(z)
	for k := range m.d {
		m.d[k] /= z
	}
	return m
}

// sums1 is what one pass over the people adds up.
type sums1 struct {
	ll   float64
	grad []float64
	hess []float64 // of −log likelihood, (k+1)² row by row
	eap  []float64
}

// climb maximises the marginal likelihood on given nodes.
func (pop *Population) climb(rows, top []float64, l line, coef []float64, variance float64, gram *gram, seen []bool, maxIter int) ([]float64, float64) {
	d := pop.d
	k := len(coef)
	n, q := len(seen), len(l.node)
	pop.score = make([][2]float64, n)
	pass := func(coef []float64, variance float64) *sums1 {
		prec := 1 / variance
		parts := make([]*sums1, chunks(n))
		eap := make([]float64, n)
		inChunks(n, func(c, lo, hi int) {
			p := &sums1{grad: make([]float64, k+1), hess: make([]float64, (k+1)*(k+1))}
			parts[c] = p
			for i := lo; i < hi; i++ {
				if !seen[i] {
					continue
				}
				mu := d.predict(i, coef)
				m := moments1(rows[i*q:][:q], l.node, mu, prec)
				p.ll += m.logZ + top[i] + math.Log(prec*l.step*l.step/(2*math.Pi))/2
				eap[i] = mu + m.d[1]
				// Louis (1982): the information is the complete data's, less the
				// variance of its score given the answers.
				s := [2]float64{prec * m.d[1], (variance - m.d[2]) / 2}
				v00 := prec * prec * (m.d[2] - m.d[1]*m.d[1])
				v01 := -prec / 2 * (m.d[3] - m.d[1]*m.d[2])
				v11 := (m.d[4] - m.d[2]*m.d[2]) / 4
				h := [3]float64{prec - v00, -m.d[1] - v01, variance*variance/2 - v11}
				pop.score[i] = s
				for a, xa := range d.x[i] {
					p.grad[a] += s[0] * xa
					for b, xb := range d.x[i] {
						p.hess[a*(k+1)+b] += h[0] * xa * xb
					}
					p.hess[a*(k+1)+k] += h[1] * xa
				}
				p.grad[k] += s[1]
				p.hess[k*(k+1)+k] += h[2]
			}
		})
		sum := &sums1{grad: make([]float64, k+1), hess: make([]float64, (k+1)*(k+1)), eap: eap}
		for _, p := range parts {
			sum.ll += p.ll
			add(sum.grad, p.grad)
			add(sum.hess, p.hess)
		}
		// The divisor n−k, as in least squares.
		sum.ll -= float64(k) / 2 * math.Log(prec)
		sum.grad[k] -= float64(k) / 2 * variance
		sum.hess[k*(k+1)+k] -= float64(k) / 2 * variance * variance
		return sum
	}
	pop.Converged = false
	now := pass(coef, variance)
	for pop.Iterations = 1; pop.Iterations <= maxIter; pop.Iterations++ {
		step, curve, ok := newton(now.grad, now.hess)
		if !ok { // an EM step instead
			next := make([]float64, k)
			gram.solve(next, d, seen, now.eap)
			ss := 0.0
			for i := range seen {
				if !seen[i] {
					continue
				}
				// E[(θ−μ′)²] from the old mean and the score's E[(θ−μ)²].
				mu := d.predict(i, coef)
				m1, m2 := now.eap[i]-mu, variance-2*pop.score[i][1]
				shift := d.predict(i, next) - mu
				ss += m2 - 2*shift*m1 + shift*shift
			}
			coef, variance = next, ss/(pop.n-float64(k))
			now = pass(coef, variance)
			continue
		}
		if dot(step, now.grad) < 1e-9 {
			pop.Converged, pop.curve = true, curve
			break
		}
		improved := false
		for f := 1.0; f > 1e-6; f /= 2 {
			prec := 1/variance + f*step[k]
			if prec <= 0.2/variance || prec > 5/variance {
				continue
			}
			next := make([]float64, k)
			for a := range next {
				next[a] = coef[a] + f*step[a]
			}
			if try := pass(next, 1/prec); try.ll >= now.ll-1e-9 {
				coef, variance, now, improved = next, 1/prec, try, true
				break
			}
		}
		if !improved {
			now = pass(coef, variance)
			break
		}
	}
	pop.LogLikelihood = now.ll + float64(k)/2*math.Log(1/variance)
	return coef, variance
}

// describe fills in what is reported of the fit and of each person.
func (pop *Population) describe(s *sheets, seen []bool) {
	d := pop.d
	lo, hi := rangeOf(d, pop.coef)
	l, _ := newLine(lo, hi, pop.SD, 1/math.Sqrt(s.information(wideNodes())+1/(pop.SD*pop.SD)))
	rows, _ := s.likelihoods(l.node)
	q := len(l.node)
	tcc := make([]float64, q)
	for j, t := range l.node {
		tcc[j], _ = pop.sc.At(t)
	}
	pop.People = make([]Level, len(seen))
	prec := 1 / (pop.SD * pop.SD)
	inChunks(len(seen), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			mu := d.predict(i, pop.coef)
			row := rows[i*q:][:q]
			m := moments1(row, l.node, mu, prec)
			var s1, s2 float64
			for j, like := range row {
				t := l.node[j] - mu
				w := like * math.Exp(-prec*t*t/2-m.logZ)
				s1 += w * tcc[j]
				s2 += w * tcc[j] * tcc[j]
			}
			pop.People[i] = Level{mu + m.d[1], root(m.d[2] - m.d[1]*m.d[1]), percent(s1), root(s2 - s1*s1)}
		}
	})
	var mean, square, s1, s2 float64
	for i := range seen {
		if !seen[i] {
			continue
		}
		mu := d.predict(i, pop.coef)
		m, _, _, sq := pop.sc.normalMean(mu, pop.SD)
		mean, square, s1, s2 = mean+mu, square+mu*mu, s1+m, s2+sq
	}
	mean, square, pop.S, s2 = mean/pop.n, square/pop.n, s1/pop.n, s2/pop.n
	pop.SSD = root(s2 - pop.S*pop.S)
	pop.Theta = Normal{mean, math.Sqrt(math.Max(square-mean*mean, 0) + pop.SD*pop.SD)}
	pop.Coef, pop.SE = d.spread(pop.coef), d.spread(standardErrors(pop.curve, 0, len(pop.coef)))
}

// Functional returns L = Σ c_i·E[S | x_i] under the fitted regression, for
// weights c of the people as given, and what each person contributes to its
// error: the sampling variance of L is the sum, over independent clusters, of
// the squared sums of influence. It returns NaN when there is not one weight
// per person or the fit did not converge.
func (pop *Population) Functional(c []float64) (value float64, influence []float64) {
	d := pop.d
	if len(c) != len(d.x) || pop.curve == nil {
		return math.NaN(), make([]float64, len(d.x))
	}
	k := len(pop.coef)
	grad := make([]float64, k+1)
	v := pop.SD * pop.SD
	for i, w := range c {
		if w == 0 {
			continue
		}
		m, byMu, byVar, _ := pop.sc.normalMean(d.predict(i, pop.coef), pop.SD)
		value += w * m
		for a, x := range d.x[i] {
			grad[a] += w * byMu * x
		}
		grad[k] -= w * byVar * v * v // dσ² = −σ⁴ d(1/σ²)
	}
	lever := solve(pop.curve, grad)
	influence = make([]float64, len(d.x))
	for i, s := range pop.score {
		if s != [2]float64{} {
			influence[i] = s[0]*dot(lever[:k], d.x[i]) + s[1]*lever[k] - float64(k)/2*v*lever[k]/pop.n
		}
	}
	return value, influence
}

// gram is XᵀX of the people seen, factored.
type gram struct{ chol mat.Cholesky }

func gramOf(d *design, seen []bool) *gram {
	k := len(d.kept)
	m := mat.NewSymDense(k, nil)
	for i, row := range d.x {
		if seen[i] {
			m.SymRankOne(m, 1, mat.NewVecDense(k, row))
		}
	}
	g := &gram{}
	g.chol.Factorize(m) // of full rank: newDesign dropped the rest
	return g
}

// solve regresses y on the covariates of the people seen.
func (g *gram) solve(coef []float64, d *design, seen []bool, y []float64) {
	right := make([]float64, len(coef))
	for i, row := range d.x {
		if seen[i] {
			for j, v := range row {
				right[j] += v * y[i]
			}
		}
	}
	copy(coef, solve(&g.chol, right))
}

// newton solves hess·step = grad, hess given row by row in its upper triangle.
func newton(grad, hess []float64) (step []float64, curve *mat.Cholesky, ok bool) {
	curve = &mat.Cholesky{}
	if !curve.Factorize(mat.NewSymDense(len(grad), hess)) {
		return nil, nil, false
	}
	return solve(curve, grad), curve, true
}

func solve(curve *mat.Cholesky, right []float64) []float64 {
	x := mat.NewVecDense(len(right), nil)
	// The error speaks of a bad condition number; such a solution is still the
	// best there is, and the caller's line search guards it.
	_ = curve.SolveVecTo(x, mat.NewVecDense(len(right), right))
	return x.RawVector().Data
}

// standardErrors returns those of the parameters from…to, NaN without a curve.
func standardErrors(curve *mat.Cholesky, from, to int) []float64 {
	se := make([]float64, to-from)
	for a := range se {
		se[a] = math.NaN()
		if curve != nil {
			unit := make([]float64, curve.SymmetricDim())
			unit[from+a] = 1
			se[a] = math.Sqrt(solve(curve, unit)[from+a])
		}
	}
	return se
}

func rangeOf(d *design, coef []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := range d.x {
		mu := d.predict(i, coef)
		lo, hi = math.Min(lo, mu), math.Max(hi, mu)
	}
	return lo, hi
}

// wideNodes are those at which a test's information is looked at.
func wideNodes() []float64 {
	l, _ := newLine(0, 0, 1.6, 0.3)
	return l.node
}

func add(to, from []float64) {
	for i, v := range from {
		to[i] += v
	}
}

// root is a square root that takes rounding below zero for zero.
func root(v float64) float64 { return math.Sqrt(math.Max(v, 0)) }

// percent keeps rounding from leaving 0–100.
func percent(s float64) float64 { return min(max(s, 0), 100) }
