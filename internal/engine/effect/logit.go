package effect

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// logistic is a logistic regression with an intercept, kept on standardised
// columns: z = (x − mean)/scale, and z₀ = 1.
type logistic struct {
	mean, scale []float64
	beta        []float64     // intercept first, per standard deviation
	p           []float64     // fitted probability of each row
	inverse     *mat.SymDense // of the (penalised) information
}

// logit fits y (0 or 1) by Newton's method. ridge is the penalty on the squared
// standardised slopes (not the intercept), in rows' worth of information. It
// returns ErrSeparated if the columns foretell every y.
func logit(x [][]float64, y []float64, ridge float64) (*logistic, error) {
	n, k := len(y), len(x)+1
	m := &logistic{
		mean: make([]float64, k), scale: make([]float64, k),
		beta: make([]float64, k), p: make([]float64, n),
	}
	m.scale[0] = 1
	for j, c := range x {
		m.mean[j+1], m.scale[j+1] = stat.PopMeanStdDev(c, nil)
		if m.scale[j+1] <= 1e-12*math.Abs(m.mean[j+1]) {
			m.scale[j+1] = 0 // constant: z is 0, and its slope stays 0
		}
	}
	rate := stat.Mean(y, nil)
	if rate == 0 || rate == 1 {
		return nil, ErrArm
	}
	m.beta[0] = math.Log(rate / (1 - rate))
	info := mat.NewSymDense(k, nil)
	score := make([]float64, k)
	z := make([]float64, k)
	var chol mat.Cholesky
	step := mat.NewVecDense(k, nil)
	last := math.Inf(1)
	try := make([]float64, k)
	for range 100 {
		raw := info.RawSymmetric().Data
		clear(raw)
		clear(score)
		loss := 0.0
		for i := range n {
			m.row(x, i, z)
			p := sigmoid(floats.Dot(z, m.beta))
			m.p[i] = p
			if y[i] == 1 {
				loss -= math.Log(max(p, 1e-300))
			} else {
				loss -= math.Log(max(1-p, 1e-300))
			}
			w := p * (1 - p)
			for a := range k {
				score[a] += (y[i] - p) * z[a]
				floats.AddScaled(raw[a*k+a:(a+1)*k], w*z[a], z[a:])
			}
		}
		for a := 1; a < k; a++ {
			raw[a*k+a] += ridge
			score[a] -= ridge * m.beta[a]
			loss += ridge * m.beta[a] * m.beta[a] / 2
		}
		if loss < 1e-6*float64(n) {
			return nil, ErrSeparated
		}
		if loss > last*(1+1e-12) { // overshot: halve the step
			for a := range k {
				m.beta[a] = (m.beta[a] + try[a]) / 2
			}
			continue
		}
		done := last-loss <= 1e-12*loss
		last = loss
		for a := range k { // columns that others determine get no step
			raw[a*k+a] += 1e-10 * (float64(n)*1e-2 + raw[a*k+a])
		}
		if !chol.Factorize(info) {
			return nil, ErrSeparated
		}
		if err := chol.SolveVecTo(step, mat.NewVecDense(k, score)); err != nil {
			return nil, ErrSeparated
		}
		if done {
			m.inverse = mat.NewSymDense(k, nil)
			return m, chol.InverseTo(m.inverse)
		}
		copy(try, m.beta)
		floats.Add(m.beta, step.RawVector().Data)
		if floats.Norm(m.beta[1:], math.Inf(1)) > 50 {
			return nil, ErrSeparated
		}
	}
	return nil, ErrSeparated
}

// row writes row i of the standardised columns to z.
func (m *logistic) row(x [][]float64, i int, z []float64) {
	z[0] = 1
	for j, c := range x {
		z[j+1] = 0
		if m.scale[j+1] > 0 {
			z[j+1] = (c[i] - m.mean[j+1]) / m.scale[j+1]
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
