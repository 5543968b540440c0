package effect

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// fit is a least-squares regression held as X = QR, from which leverage and
// every kind of standard error follow.
type fit struct {
	q     [][]float64 // orthonormal columns
	r     [][]float64 // r[j] is column j of the upper triangle, j+1 long
	beta  []float64   // of the columns kept
	kept  []int       // columns of x that are not determined by earlier ones
	resid []float64
	rss   float64
	df    float64 // rows less coefficients, absorbed effects included

	// absorbed are the groups whose means were taken out of y and x before;
	// nil if none.
	absorbed *groups
}

// regress fits y on the columns x by modified Gram-Schmidt, in order. A column
// that the earlier ones determine (to 1e-7 of its norm, as R's lm) is left out
// of kept. absorbed, if not nil, are groups whose means the caller took out.
func regress(y []float64, x [][]float64, absorbed *groups) (*fit, error) {
	f := &fit{absorbed: absorbed}
	n := len(y)
	for j, col := range x {
		q := slices.Clone(col)
		was := floats.Norm(q, 2)
		r := make([]float64, len(f.q)+1)
		norm := was
		for { // a second pass restores the digits that cancellation cost
			before := norm
			for i, p := range f.q {
				c := floats.Dot(p, q)
				floats.AddScaled(q, -c, p)
				r[i] += c
			}
			norm = floats.Norm(q, 2)
			if norm > before/2 || norm <= 1e-7*was {
				break
			}
		}
		if norm <= 1e-7*was {
			continue
		}
		floats.Scale(1/norm, q)
		r[len(f.q)] = norm
		f.q, f.r, f.kept = append(f.q, q), append(f.r, r), append(f.kept, j)
	}
	k := len(f.q)
	f.df = float64(n - k)
	if absorbed != nil {
		f.df -= float64(absorbed.n())
	}
	if f.df < 1 {
		return nil, fmt.Errorf("%w: %d rows, %v left", ErrTooFew, n, f.df)
	}
	f.resid = slices.Clone(y)
	f.beta = make([]float64, k)
	for j, q := range f.q {
		f.beta[j] = floats.Dot(q, f.resid)
		floats.AddScaled(f.resid, -f.beta[j], q)
	}
	for j := k - 1; j >= 0; j-- { // Rβ = Qᵀy, from below
		f.beta[j] /= f.r[j][j]
		for i := range j {
			f.beta[i] -= f.r[j][i] * f.beta[j]
		}
	}
	f.rss = floats.Dot(f.resid, f.resid)
	return f, nil
}

// at returns the position among the kept of column j of x, or −1.
func (f *fit) at(j int) int { return slices.Index(f.kept, j) }

// unit is the contrast that picks the kept coefficient at i.
func (f *fit) unit(i int) []float64 {
	c := make([]float64, len(f.q))
	c[i] = 1
	return c
}

// contrast solves Rᵀw = c, so that cᵀβ = wᵀQᵀy.
func (f *fit) contrast(c []float64) []float64 {
	w := slices.Clone(c)
	for j := range w {
		w[j] -= floats.Dot(f.r[j][:j], w[:j])
		w[j] /= f.r[j][j]
	}
	return w
}

// se returns the standard error of cᵀβ and its degrees of freedom.
func (f *fit) se(c []float64, kind SE, cluster *groups) (se, df float64) {
	w := f.contrast(c)
	var v float64
	switch kind {
	case HC2:
		v, df = f.hc2(w)
	case CR2:
		v, df = f.cr2(w, *cluster)
	default:
		v, df = f.rss/f.df*floats.Dot(w, w), f.df
	}
	return math.Sqrt(v), df
}

// hc2 returns the variance of wᵀQᵀy and its degrees of freedom (Imbens &
// Kolesár 2016, eq. 10), in O(n·k²): the n×n trace is expanded in Q.
func (f *fit) hc2(w []float64) (v, df float64) {
	k := len(f.q)
	outer := make([]float64, k*k)
	row := make([]float64, k)
	var tr, tr2 float64
	var sumL []float64 // per absorbed group: Σ l²
	var sumLQ [][]float64
	if f.absorbed != nil {
		sumL = make([]float64, f.absorbed.n())
		sumLQ = make([][]float64, f.absorbed.n())
		for i := range sumLQ {
			sumLQ[i] = make([]float64, k)
		}
	}
	for i, e := range f.resid {
		var h, g float64
		for j, q := range f.q {
			row[j] = q[i]
			h += q[i] * q[i]
			g += w[j] * q[i]
		}
		if f.absorbed != nil {
			h += 1 / float64(len(f.absorbed.rows(f.absorbed.of[i])))
		}
		if 1-h < 1e-10 {
			continue // the row is fitted exactly: it says nothing about the error
		}
		l2 := g * g / (1 - h)
		v += l2 * e * e
		tr += l2 * (1 - h)
		tr2 += l2 * l2 * (1 - 2*h)
		for a := range k {
			for b := range k {
				outer[a*k+b] += l2 * row[a] * row[b]
			}
		}
		if f.absorbed != nil {
			u := f.absorbed.of[i]
			sumL[u] += l2
			floats.AddScaled(sumLQ[u], l2, row)
		}
	}
	tr2 += floats.Dot(outer, outer)
	for u, s := range sumL {
		m := float64(len(f.absorbed.rows(u)))
		tr2 += s*s/(m*m) + 2/m*floats.Dot(sumLQ[u], sumLQ[u])
	}
	return v, tr * tr / tr2
}

// cr2 returns the variance of wᵀQᵀy and its degrees of freedom under clusters
// (Pustejovsky & Tipton 2018, eqs 4 and 8, identity working model). The
// adjustment (I − QᵍQᵍᵀ)^(−½) of a cluster is taken through the k×k matrix
// QᵍᵀQᵍ, so that a cluster may have any number of rows. Absorbed effects must
// be nested in the clusters (their theorem 2).
func (f *fit) cr2(w []float64, g groups) (v, df float64) {
	k := len(f.q)
	sum := make([]float64, k*k)
	s := mat.NewSymDense(k, nil)
	u, z, b := make([]float64, k), make([]float64, k), make([]float64, k)
	row := make([]float64, k)
	var eig mat.EigenSym
	var vec mat.Dense
	var tr, tr2 float64
	for c := range g.n() {
		rows := g.rows(c)
		var pp float64
		if len(rows) == 1 {
			i := rows[0]
			var h, qw float64
			for j, q := range f.q {
				row[j] = q[i]
				h += q[i] * q[i]
				qw += q[i] * w[j]
			}
			if 1-h < 1e-10 {
				continue
			}
			a := qw / math.Sqrt(1-h)
			v += a * a * f.resid[i] * f.resid[i]
			pp = a * a
			for j := range b {
				b[j] = a * row[j]
			}
		} else {
			raw := s.RawSymmetric().Data
			clear(raw)
			clear(u)
			for _, i := range rows {
				for j, q := range f.q {
					row[j] = q[i]
					u[j] += q[i] * f.resid[i]
				}
				for a := range k {
					floats.AddScaled(raw[a*k+a:(a+1)*k], row[a], row[a:])
				}
			}
			if !eig.Factorize(s, true) {
				return math.NaN(), math.NaN()
			}
			eig.VectorsTo(&vec)
			clear(z)
			for m := range k {
				lambda := eig.RawValues()[m]
				if 1-lambda < 1e-10 {
					continue // the cluster alone fixes this direction: Moore-Penrose
				}
				var vw float64
				for j := range k {
					vw += vec.At(j, m) * w[j]
				}
				vw /= math.Sqrt(1 - lambda)
				for j := range k {
					z[j] += vec.At(j, m) * vw
				}
			}
			for a := range k {
				b[a] = 0
				for j := range k {
					b[a] += s.At(a, j) * z[j]
				}
			}
			pp = floats.Dot(z, b)
			t := floats.Dot(z, u)
			v += t * t
		}
		bb := floats.Dot(b, b)
		tr += pp - bb
		tr2 += pp*pp - 2*pp*bb
		for a := range k {
			floats.AddScaled(sum[a*k:(a+1)*k], b[a], b)
		}
	}
	tr2 += floats.Dot(sum, sum)
	return v, tr * tr / tr2
}

// ones is a constant column.
func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}
