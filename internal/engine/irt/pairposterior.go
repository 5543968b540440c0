package irt

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/stat/distuv"
)

// The posterior of a person on the grid factors as a(i)·K(i,j)·b(j): only the
// kernel K joins the two occasions, and it is the same for everyone. With t and
// s the nodes' distances from the grid's centre and m the person's means',
//
//	K = exp(−½(p₀₀t² + 2p₀₁ts + p₁₁s²))
//	a = L₀(t)·exp((p₀₀m₀ + p₀₁m₁)t),  b = L₁(s)·exp((p₀₁m₀ + p₁₁m₁)s)
//
// so that all moments of many people come from one matrix product.

// kernel returns K, second occasion by first.
func (j *joint) kernel(prec [3]float64) blas64.General {
	q0, q1 := len(j.line[0].node), len(j.line[1].node)
	m := blas64.General{Rows: q1, Cols: q0, Stride: q0, Data: make([]float64, q0*q1)}
	for r, s := range j.line[1].node {
		s -= j.centre[1]
		for c, t := range j.line[0].node {
			t -= j.centre[0]
			m.Data[r*q0+c] = math.Exp(-(prec[0]*t*t + 2*prec[1]*t*s + prec[2]*s*s) / 2)
		}
	}
	return m
}

// factors fills a and b for person i, each scaled to a maximum of 1, and
// returns the logarithm of the scale, all of the prior's exponent included.
func (j *joint) factors(i int, prec [3]float64, a, b []float64) (scale float64) {
	m0 := j.d.predict(i, j.coef[0]) - j.centre[0]
	m1 := j.d.predict(i, j.coef[1]) - j.centre[1]
	for o, w := range [2][]float64{a, b} {
		tilt := prec[o]*m0 + prec[o+1]*m1
		l := j.line[o]
		like := j.like[o][i*len(l.node):][:len(l.node)]
		end := math.Abs(tilt) * (l.node[len(l.node)-1] - l.node[0]) / 2
		top := 0.0
		for q, t := range l.node {
			w[q] = like[q] * math.Exp(tilt*(t-j.centre[o])-end)
			top = math.Max(top, w[q])
		}
		for q := range w {
			w[q] /= top
		}
		scale += end + math.Log(top)
	}
	return scale - (prec[0]*m0*m0+2*prec[1]*m0*m1+prec[2]*m1*m1)/2
}

// jointMoments holds e[a][b] = E[(θ₀−μ₀)^a (θ₁−μ₁)^b] for a+b ≤ 4, and the
// logarithm of the mass on the grid.
type jointMoments struct {
	e    [5][5]float64
	logZ float64
}

// moments integrates the posteriors of people lo…hi.
func (j *joint) moments(kernel blas64.General, prec [3]float64, lo, hi int) []jointMoments {
	q0, q1 := kernel.Cols, kernel.Rows
	people := hi - lo
	a := make([]float64, people*q0)
	b := blas64.General{Rows: 5 * people, Cols: q1, Stride: q1, Data: make([]float64, 5*people*q1)}
	u := blas64.General{Rows: 5 * people, Cols: q0, Stride: q0, Data: make([]float64, 5*people*q0)}
	ms := make([]jointMoments, people)
	for i := range people {
		ms[i].logZ = j.factors(lo+i, prec, a[i*q0:][:q0], b.Data[5*i*q1:][:q1])
		mu := j.d.predict(lo+i, j.coef[1])
		for pow := 1; pow < 5; pow++ {
			from, to := b.Data[(5*i+pow-1)*q1:][:q1], b.Data[(5*i+pow)*q1:][:q1]
			for q, s := range j.line[1].node {
				to[q] = from[q] * (s - mu)
			}
		}
	}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, b, kernel, 0, u)
	for i := range people {
		m := &ms[i]
		mu := j.d.predict(lo+i, j.coef[0])
		for q, w := range a[i*q0:][:q0] {
			d := j.line[0].node[q] - mu
			for pow := range 5 {
				for pow1 := range 5 - pow {
					m.e[pow][pow1] += w * u.Data[(5*i+pow1)*q0+q]
				}
				w *= d
			}
		}
		z := m.e[0][0]
		if !(z > 1e-200) { // prior and answers so far apart that the product underflowed
			m.logZ = j.far(lo+i, prec, &m.e)
			continue
		}
		m.logZ += math.Log(z)
		for pow := range 5 {
			for pow1 := range 5 {
				m.e[pow][pow1] /= z
			}
		}
	}
	return ms
}

// far integrates one person's posterior in logarithms: slow, and safe.
func (j *joint) far(i int, prec [3]float64, e *[5][5]float64) (logZ float64) {
	mu0, mu1 := j.d.predict(i, j.coef[0]), j.d.predict(i, j.coef[1])
	w := j.logDensity(i, prec)
	top := slices.Max(w)
	*e = [5][5]float64{}
	q1 := len(j.line[1].node)
	for r, t := range j.line[0].node {
		for c, s := range j.line[1].node {
			p := math.Exp(w[r*q1+c] - top)
			for pow := range 5 {
				v := p
				for pow1 := range 5 - pow {
					e[pow][pow1] += v
					v *= s - mu1
				}
				p *= t - mu0
			}
		}
	}
	z := e[0][0]
	for pow := range 5 {
		for pow1 := range 5 {
			e[pow][pow1] /= z
		}
	}
	return top + math.Log(z)
}

// logDensity is the logarithm of a person's unnormalised posterior on the grid,
// first occasion by second.
func (j *joint) logDensity(i int, prec [3]float64) []float64 {
	mu0, mu1 := j.d.predict(i, j.coef[0]), j.d.predict(i, j.coef[1])
	q0, q1 := len(j.line[0].node), len(j.line[1].node)
	w := make([]float64, q0*q1)
	for r, t := range j.line[0].node {
		t -= mu0
		l0 := math.Log(j.like[0][i*q0+r])
		for c, s := range j.line[1].node {
			s -= mu1
			w[r*q1+c] = l0 + math.Log(j.like[1][i*q1+c]) - (prec[0]*t*t+2*prec[1]*t*s+prec[2]*s*s)/2
		}
	}
	return w
}

// density fills w (first occasion by second) with a person's posterior.
func (j *joint) density(i int, prec [3]float64, kernel blas64.General, a, b, w []float64) {
	j.factors(i, prec, a, b)
	q0, q1 := len(a), len(b)
	sum := 0.0
	for r, v := range a {
		row := w[r*q1:][:q1]
		for c := range row {
			row[c] = v * kernel.Data[c*q0+r] * b[c]
			sum += row[c]
		}
	}
	if !(sum > 1e-200) {
		copy(w, j.logDensity(i, prec))
		top := slices.Max(w)
		sum = 0
		for at := range w {
			w[at] = math.Exp(w[at] - top)
			sum += w[at]
		}
	}
	for at := range w {
		w[at] /= sum
	}
}

// tabulate puts the TCC at the nodes.
func (j *joint) tabulate() {
	for o, l := range j.line {
		j.tcc[o] = make([]float64, len(l.node))
		for q, t := range l.node {
			j.tcc[o][q], _ = j.sc.At(t)
		}
	}
}

// describe summarises everyone's joint posterior.
func (j *joint) describe(level float64) []PersonGain {
	out := make([]PersonGain, len(j.seen))
	prec := invert(j.cov)
	kernel := j.kernel(prec)
	q0, q1 := len(j.line[0].node), len(j.line[1].node)
	spread := j.newHistogram()
	inChunks(len(out), func(_, lo, hi int) {
		a, b, w := make([]float64, q0), make([]float64, q1), make([]float64, q0*q1)
		h := spread.fork()
		for i := lo; i < hi; i++ {
			j.density(i, prec, kernel, a, b, w)
			mu0, mu1 := j.d.predict(i, j.coef[0]), j.d.predict(i, j.coef[1])
			var t0, t1, s0, s1 [3]float64 // moments 0 to 2
			var t01, s01 float64
			for r := range q0 {
				row := w[r*q1:][:q1]
				var m, x, y float64
				for c, p := range row {
					x += p * (j.line[1].node[c] - mu1)
					y += p * j.tcc[1][c]
					m += p
				}
				d, s := j.line[0].node[r]-mu0, j.tcc[0][r]
				t0[1], t0[2] = t0[1]+m*d, t0[2]+m*d*d
				s0[1], s0[2] = s0[1]+m*s, s0[2]+m*s*s
				t1[1], s1[1] = t1[1]+x, s1[1]+y
				t01, s01 = t01+x*d, s01+y*s
			}
			for c := range q1 {
				m := 0.0
				for r := range q0 {
					m += w[r*q1+c]
				}
				d, s := j.line[1].node[c]-mu1, j.tcc[1][c]
				t1[2] += m * d * d
				s1[2] += m * s * s
			}
			tv0, tv1, tc := t0[2]-t0[1]*t0[1], t1[2]-t1[1]*t1[1], t01-t0[1]*t1[1]
			sv0, sv1, scov := s0[2]-s0[1]*s0[1], s1[2]-s1[1]*s1[1], s01-s0[1]*s1[1]
			g := PersonGain{
				Before:     Level{mu0 + t0[1], root(tv0), percent(s0[1]), root(sv0)},
				After:      Level{mu1 + t1[1], root(tv1), percent(s1[1]), root(sv1)},
				Delta:      s1[1] - s0[1],
				DeltaSE:    root(sv0 + sv1 - 2*scov),
				ThetaDelta: mu1 + t1[1] - mu0 - t0[1], ThetaDeltaSE: root(tv0 + tv1 - 2*tc),
			}
			g.Low, g.High = h.interval(w, g.Delta, g.DeltaSE, level)
			out[i] = g
		}
	})
	return out
}

const (
	bins     = 2000
	binWidth = 200.0 / bins // points of ΔS, −100…100
)

// histogram turns masses on the grid into the distribution of ΔS. Each node's
// mass is spread evenly over the ΔS that its cell covers, or the quantiles
// would jump from node to node.
type histogram struct {
	from, to []float64 // bin positions between which a node's mass goes
	delta    []float64 // change of the density at a bin's edge
}

func (j *joint) newHistogram() *histogram {
	q0, q1 := len(j.line[0].node), len(j.line[1].node)
	h := &histogram{from: make([]float64, q0*q1), to: make([]float64, q0*q1)}
	for r, t := range j.line[0].node {
		_, slope0 := j.sc.At(t)
		for c, s := range j.line[1].node {
			_, slope1 := j.sc.At(s)
			half := math.Max(math.Hypot(slope0*j.line[0].step, slope1*j.line[1].step)/2, binWidth/2)
			mid := j.tcc[1][c] - j.tcc[0][r]
			h.from[r*q1+c] = (mid - half + 100) / binWidth
			h.to[r*q1+c] = (mid + half + 100) / binWidth
		}
	}
	return h
}

// fork returns a histogram of the same cells to fill by another goroutine.
func (h *histogram) fork() *histogram {
	return &histogram{h.from, h.to, make([]float64, bins+4)}
}

// interval returns the equal-tailed interval of ΔS under the masses w.
func (h *histogram) interval(w []float64, mean, sd, level float64) (low, high float64) {
	clear(h.delta)
	edge := func(x, v float64) {
		x = min(max(x, 0), bins)
		i := int(x)
		f := x - float64(i)
		h.delta[i] += v * (1 - f)
		h.delta[i+1] += v * f
	}
	for at, p := range w {
		if p > 1e-9 {
			v := p / (h.to[at] - h.from[at])
			edge(h.from[at], v)
			edge(h.to[at], -v)
		}
	}
	var density, mass, m1, m2 float64
	for i, d := range h.delta {
		density += d
		x := (float64(i)+0.5)*binWidth - 100
		mass, m1, m2 = mass+density, m1+density*x, m2+density*x*x
	}
	m1, m2 = m1/mass, m2/mass
	wide := root(m2 - m1*m1)
	tail := (1 - level) / 2 * mass
	quantile := func(target float64) float64 {
		var density, sum float64
		for i, d := range h.delta {
			density += d
			if sum+density >= target && density > 0 {
				return (float64(i)+(target-sum)/density)*binWidth - 100
			}
			sum += density
		}
		return 100
	}
	low, high = quantile(tail), quantile(mass-tail)
	// Spreading the mass widened it a little; take that back.
	f := 1.0
	if wide > 0 {
		f = sd / wide
	}
	clip := func(x float64) float64 { return min(max(mean+f*(x-m1), -100), 100) }
	return clip(low), clip(high)
}

// Draw is one plausible value: a draw from a person's joint posterior.
type Draw struct {
	Theta0, Theta1 float64 // logits
	S0, S1         float64 // 0–100
}

// PlausibleValues draws m values from each person's joint posterior (Mislevy
// 1991), for analyses of groups that the fitted regression did not foresee. They
// are unbiased for groups that are among its covariates; γ and Σ are held at
// their estimates, so Rubin's rules give errors a little too small below some
// hundred people.
func (g *Gain) PlausibleValues(rng *rand.Rand, m int) [][]Draw {
	j := g.joint
	prec := invert(j.cov)
	kernel := j.kernel(prec)
	q0, q1 := len(j.line[0].node), len(j.line[1].node)
	a, b, w := make([]float64, q0), make([]float64, q1), make([]float64, q0*q1)
	h0, h1 := j.line[0].step, j.line[1].step
	out := make([][]Draw, len(j.seen))
	for i := range out {
		j.density(i, prec, kernel, a, b, w)
		p := g.People[i]
		v0, v1 := p.Before.ThetaSE*p.Before.ThetaSE, p.After.ThetaSE*p.After.ThetaSE
		cov := (v0 + v1 - p.ThetaDeltaSE*p.ThetaDeltaSE) / 2
		// Moving a node to anywhere in its cell adds step²/12 to the variance;
		// an affine map about the mean restores mean and covariance.
		r0, r1, f0, f1 := cholesky2(v0, cov, v1), cholesky2(v0+h0*h0/12, cov, v1+h1*h1/12), 0.0, 0.0
		cumulative := make([]float64, len(w))
		sum := 0.0
		for at, v := range w {
			sum += v
			cumulative[at] = sum
		}
		out[i] = make([]Draw, m)
		for d := range out[i] {
			at, _ := slices.BinarySearch(cumulative, rng.Float64()*sum)
			at = min(at, len(w)-1)
			f0 = j.line[0].node[at/q1] + h0*(rng.Float64()-0.5) - p.Before.Theta
			f1 = j.line[1].node[at%q1] + h1*(rng.Float64()-0.5) - p.After.Theta
			z0 := f0 / r1[0]
			z1 := (f1 - r1[1]*z0) / r1[2]
			t0 := p.Before.Theta + r0[0]*z0
			t1 := p.After.Theta + r0[1]*z0 + r0[2]*z1
			s0, _ := j.sc.At(t0)
			s1, _ := j.sc.At(t1)
			out[i][d] = Draw{t0, t1, s0, s1}
		}
	}
	return out
}

// cholesky2 is the lower factor l₀₀, l₁₀, l₁₁ of a covariance matrix.
func cholesky2(v0, cov, v1 float64) [3]float64 {
	l := math.Sqrt(v0)
	return [3]float64{l, cov / l, root(v1 - cov*cov/v0)}
}

// Z returns the standard normal quantile for a two-sided interval of the level
// (0.95 gives 1.96).
func Z(level float64) float64 { return distuv.UnitNormal.Quantile((1 + level) / 2) }
