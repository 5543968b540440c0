package effect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Design is a comparison that has not been made yet. Effects are in standard
// deviations of the outcome.
type Design struct {
	Treated, Control float64 // people, or clusters if Size is over 1
	Size             float64 // people per cluster; 0 or 1: people are drawn one by one
	SizeCV           float64 // coefficient of variation of cluster sizes (Eldridge et al. 2006)
	ICC              float64 // share of the variance that lies between clusters, in [0,1]
	R2               float64 // share of the variance that covariates take out, in [0,1)
	// Strata is how many strata the draw is within; each costs a degree of
	// freedom. What they take out of the variance belongs in R2.
	Strata int
	Alpha  float64 // two-sided level in (0,1); 0 is 0.05
}

func (d Design) alpha() float64 {
	if d.Alpha == 0 {
		return 0.05
	}
	return d.Alpha
}

// SE is the standard error to be expected, and its degrees of freedom: those of
// a difference of means of clusters, √((1 − R²)·deff/m·(1/J₁ + 1/J₀)) with deff
// = 1 + ((1 + CV²)·m − 1)·ICC.
func (d Design) SE() (se, df float64, err error) {
	m := max(d.Size, 1)
	df = d.Treated + d.Control - 1 - max(1, float64(d.Strata))
	switch {
	case !(d.Treated >= 1 && d.Control >= 1 && df >= 1):
		return 0, 0, fmt.Errorf("%w: %+v", ErrTooFew, d)
	case d.ICC < 0 || d.ICC > 1 || d.R2 < 0 || d.R2 >= 1 || d.SizeCV < 0 || d.alpha() <= 0 || d.alpha() >= 1:
		return 0, 0, fmt.Errorf("%w: %+v", ErrOption, d)
	}
	deff := 1.0
	if m > 1 {
		deff += ((1+d.SizeCV*d.SizeCV)*m - 1) * d.ICC
	}
	return math.Sqrt((1 - d.R2) * deff / m * (1/d.Treated + 1/d.Control)), df, nil
}

// Power is the chance in [0,1] that an effect of that size is told from none,
// by the noncentral t distribution.
func (d Design) Power(effect float64) (float64, error) {
	se, df, err := d.SE()
	if err != nil {
		return 0, err
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - d.alpha()/2)
	delta := math.Abs(effect) / se
	return beyond(t, df, delta) + beyond(t, df, -delta), nil
}

// Detectable is the least effect that is told from none with that power.
func (d Design) Detectable(power float64) (float64, error) {
	se, _, err := d.SE()
	if err != nil {
		return 0, err
	}
	if !(power > d.alpha() && power < 1) {
		return 0, fmt.Errorf("%w: power %v", ErrOption, power)
	}
	lo, hi := 0.0, se
	for {
		p, err := d.Power(hi)
		if err != nil {
			return 0, err
		}
		if p >= power {
			break
		}
		lo, hi = hi, 2*hi
	}
	for range 60 {
		mid := (lo + hi) / 2
		if p, _ := d.Power(mid); p < power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, nil
}

// Needed is how many people (clusters, if Size is over 1) must be treated, at
// the design's ratio of treated to not, to tell that effect with that power.
// The number is not rounded.
func (d Design) Needed(effect, power float64) (float64, error) {
	if effect == 0 || !(power > d.alpha() && power < 1) {
		return 0, fmt.Errorf("%w: effect %v, power %v", ErrOption, effect, power)
	}
	if _, _, err := d.SE(); err != nil {
		return 0, err
	}
	ratio := d.Control / d.Treated
	at := func(n float64) float64 {
		d.Treated, d.Control = n, n*ratio
		p, err := d.Power(effect)
		if err != nil {
			return 0
		}
		return p
	}
	hi := 2.0
	for at(hi) < power {
		if hi *= 2; hi > 1e12 {
			return 0, fmt.Errorf("%w: no number is enough", ErrOption)
		}
	}
	lo := hi / 2
	if hi == 2 {
		lo = 0
	}
	for range 60 {
		mid := (lo + hi) / 2
		if at(mid) < power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, nil
}

// beyond is P(T > t) of the noncentral t: the normal's tail at t·s − delta,
// averaged over s = √(χ²/df).
func beyond(t, df, delta float64) float64 {
	lg, _ := math.Lgamma(df / 2)
	scale := math.Log(2) + df/2*math.Log(df/2) - lg
	f := func(s float64) float64 {
		if s <= 0 {
			return 0
		}
		density := math.Exp(scale + (df-1)*math.Log(s) - df*s*s/2)
		return density * 0.5 * math.Erfc((t*s-delta)/math.Sqrt2)
	}
	width := 9 / math.Sqrt(2*df) // s has mean near 1 and standard deviation near 1/√(2·df)
	lo, hi := max(0, 1-width), 1+width
	sum := 0.0
	const pieces = 16
	for i := range pieces {
		a, b := lo+(hi-lo)*float64(i)/pieces, lo+(hi-lo)*float64(i+1)/pieces
		sum += quad.Fixed(f, a, b, 20, nil, 0)
	}
	return sum
}
