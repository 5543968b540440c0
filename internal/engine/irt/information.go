package irt

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// shares is how many parts n things are worked on in, one per processor.
func shares(n int) int { return max(1, min(runtime.GOMAXPROCS(0), n)) }

// inShares calls f once per processor with its share of n things.
func inShares(n int, f func(worker, lo, hi int)) {
	w := shares(n)
	var group sync.WaitGroup
	for i := range w {
		group.Go(func() { f(i, n*i/w, n*(i+1)/w) })
	}
	group.Wait()
}

// parameters numbers the free parameters; −1 is not free.
type parameters struct {
	n    int
	item [][]int // by item: slope, cum[1…], guess
	mean []int   // by group
	sd   []int   // of log SD
}

func (e *em) index() *parameters {
	ix := &parameters{item: make([][]int, len(e.item)), mean: make([]int, len(e.pop)), sd: make([]int, len(e.pop))}
	next := func(free bool) int {
		if !free {
			return -1
		}
		ix.n++
		return ix.n - 1
	}
	common := -1
	if e.opt.Model == OnePL {
		common = next(true)
	}
	for k := range e.item {
		v := &e.item[k]
		for a := range v.size() {
			switch {
			case len(v.cum) == 0:
			case a == 0 && e.opt.Model == Rasch:
				ix.item[k] = append(ix.item[k], -1)
			case a == 0 && e.opt.Model == OnePL && !v.fixed:
				ix.item[k] = append(ix.item[k], common)
			default:
				ix.item[k] = append(ix.item[k], next(!v.fixed))
			}
		}
	}
	for g := range e.pop {
		ix.mean[g], ix.sd[g] = next(e.freePop[g]), next(e.freeSD[g])
	}
	return ix
}

// fullInformation is the most parameters for which the whole information matrix
// is computed and inverted; beyond it, one block per item.
const fullInformation = 1200

// covariance inverts the observed information of the marginal likelihood: the
// complete data's expected information less the variance, within each pattern's
// posterior, of its score (Louis 1982).
//
// It returns each item's block, over (slope, cum[1…], guess).
func (e *em) covariance(ix *parameters) (cov [][]float64, warning error) {
	cov = make([][]float64, len(e.item))
	if ix.n == 0 {
		return cov, nil
	}
	full := ix.n <= fullInformation
	q := len(e.node)
	blocks := make([][]float64, len(e.item)) // by item, d×d
	for k := range e.item {
		v := &e.item[k]
		if v.fixed || len(v.cum) == 0 {
			continue
		}
		_, blocks[k] = e.slopes(v, k)
	}
	probability := e.tabulate(false)
	workers := shares(len(e.patterns))
	wholes := make([]blas64.Symmetric, workers)
	lost := make([][][]float64, workers)
	squares, rows := make([][]float64, workers), make([][]float64, workers) // kept from pattern to pattern
	for w := range workers {
		if full {
			wholes[w] = blas64.Symmetric{N: ix.n, Stride: ix.n, Uplo: blas.Upper, Data: make([]float64, ix.n*ix.n)}
		}
		lost[w] = make([][]float64, len(e.item))
		for k := range lost[w] {
			lost[w][k] = make([]float64, len(blocks[k]))
		}
	}
	e.each(func(w, i int, post []float64, _ float64) {
		pt := &e.patterns[i]
		var at []int // parameters of this pattern
		for _, r := range pt.responses {
			at = append(at, ix.item[r.Item]...)
		}
		at = append(at, ix.mean[pt.group], ix.sd[pt.group])
		var live []int
		for j, v := range post {
			if v > 1e-9 {
				live = append(live, j)
			}
		}
		// s holds the complete score at each live node, times √(posterior·weight).
		d := len(at)
		rows[w] = sized(rows[w], len(live)*d)
		s := rows[w]
		mean := make([]float64, d)
		var p [256]float64
		n := e.pop[pt.group]
		for row, j := range live {
			out := s[row*d:][:d]
			col := 0
			for _, r := range pt.responses {
				v := &e.item[r.Item]
				size := v.size()
				for c := range v.cum {
					p[c] = probability[(e.offset[r.Item]+c)*q+j]
				}
				v.score(int(r.Score), e.node[j], p[:], out[col:][:size])
				col += size
			}
			z := (e.node[j] - n.Mean) / n.SD
			out[col], out[col+1] = z/n.SD, z*z-1
			for a, v := range out {
				mean[a] += post[j] * v
			}
		}
		for row, j := range live {
			f := math.Sqrt(post[j] * pt.weight)
			for a := range d {
				s[row*d+a] = f * (s[row*d+a] - mean[a])
			}
		}
		if !full {
			col := 0
			for _, r := range pt.responses {
				size := e.item[r.Item].size()
				if out := lost[w][r.Item]; len(out) > 0 {
					for row := range live {
						x := s[row*d+col:][:size]
						for a, xa := range x {
							for b, xb := range x {
								out[a*size+b] += xa * xb
							}
						}
					}
				}
				col += size
			}
			return
		}
		squares[w] = sized(squares[w], d*d)
		c := blas64.Symmetric{N: d, Stride: d, Uplo: blas.Upper, Data: squares[w]}
		blas64.Syrk(blas.Trans, 1, blas64.General{Rows: len(live), Cols: d, Stride: d, Data: s}, 0, c)
		for a, to := range at {
			if to < 0 {
				continue
			}
			for b := a; b < d; b++ {
				from := at[b]
				if from < 0 {
					continue
				}
				v := c.Data[a*d+b]
				lo, hi := min(to, from), max(to, from)
				if lo == hi && a != b {
					v *= 2 // a common slope meets itself in two items, once each way
				}
				wholes[w].Data[lo*ix.n+hi] += v
			}
		}
	})
	if !full {
		return blockCovariance(blocks, lost)
	}
	info := mat.NewSymDense(ix.n, nil)
	put := func(a, b int, v float64) {
		if a >= 0 && b >= 0 {
			info.SetSym(a, b, info.At(a, b)+v)
		}
	}
	for k, h := range blocks {
		d := len(ix.item[k])
		for a := range d {
			for b := a; b < d && h != nil; b++ {
				put(ix.item[k][a], ix.item[k][b], h[a*d+b])
			}
		}
	}
	for g, n := range e.pop {
		var m0, m1, m2 float64
		for j, w := range e.mass[g] {
			z := (e.node[j] - n.Mean) / n.SD
			m0, m1, m2 = m0+w, m1+w*z, m2+w*z*z
		}
		put(ix.mean[g], ix.mean[g], m0/(n.SD*n.SD))
		put(ix.mean[g], ix.sd[g], 2*m1/n.SD)
		put(ix.sd[g], ix.sd[g], 2*m2)
	}
	for _, whole := range wholes {
		for a := range ix.n {
			for b := a; b < ix.n; b++ {
				info.SetSym(a, b, info.At(a, b)-whole.Data[a*ix.n+b])
			}
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(info) {
		return cov, ErrNoSE
	}
	whole := mat.NewSymDense(ix.n, nil)
	if err := chol.InverseTo(whole); err != nil {
		return cov, ErrNoSE
	}
	for k, at := range ix.item {
		d := len(at)
		cov[k] = make([]float64, d*d)
		for a, to := range at {
			for b, from := range at {
				if to >= 0 && from >= 0 {
					cov[k][a*d+b] = whole.At(to, from)
				}
			}
		}
	}
	return cov, nil
}

// sized returns n zeros, in the same memory if there is enough.
func sized(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	x = x[:n]
	clear(x)
	return x
}

// blockCovariance inverts each item's own block, for banks whose whole
// information matrix would not fit.
func blockCovariance(blocks [][]float64, lost [][][]float64) (cov [][]float64, warning error) {
	cov, warning = make([][]float64, len(blocks)), ErrApproxSE
	for k, h := range blocks {
		if h == nil {
			continue
		}
		for _, part := range lost {
			for a, v := range part[k] {
				h[a] -= v
			}
		}
		d := int(math.Round(math.Sqrt(float64(len(h)))))
		var chol mat.Cholesky
		inverse := mat.NewSymDense(d, nil)
		if !chol.Factorize(mat.NewSymDense(d, h)) || chol.InverseTo(inverse) != nil {
			warning = ErrNoSE
			continue
		}
		cov[k] = slices.Clone(inverse.RawSymmetric().Data)
		for a := range d {
			for b := range a {
				cov[k][a*d+b] = inverse.At(a, b)
			}
		}
	}
	return cov, warning
}

// describe fills in an item's parameters, with standard errors by the delta
// method from the covariance of (slope, cum[1…], guess); nil when unknown.
func (v *curve) describe(f *ItemFit, cov []float64) {
	m, d := len(v.cum)-1, v.size()
	f.A, f.B = v.slope, -v.cum[m]/(float64(m)*v.slope)
	if d > len(v.cum) {
		f.C = logistic(v.guess)
	}
	se := func(grad []float64) float64 {
		if v.fixed {
			return 0
		}
		if cov == nil {
			return math.NaN()
		}
		sum := 0.0
		for a, ga := range grad {
			for b, gb := range grad {
				sum += ga * gb * cov[a*d+b]
			}
		}
		return math.Sqrt(sum)
	}
	gradient := func(pairs map[int]float64) []float64 {
		g := make([]float64, d)
		for a, x := range pairs {
			g[a] = x
		}
		return g
	}
	f.SEA = se(gradient(map[int]float64{0: 1}))
	f.SEB = se(gradient(map[int]float64{0: -f.B / v.slope, m: -1 / (float64(m) * v.slope)}))
	if f.C > 0 {
		f.SEC = se(gradient(map[int]float64{d - 1: f.C * (1 - f.C)}))
	}
	if m < 2 {
		return
	}
	for k := 1; k <= m; k++ {
		b := -(v.cum[k] - v.cum[k-1]) / v.slope
		g := map[int]float64{0: -b / v.slope, k: -1 / v.slope}
		if k > 1 {
			g[k-1] = 1 / v.slope
		}
		f.Steps, f.SESteps = append(f.Steps, b), append(f.SESteps, se(gradient(g)))
	}
}
