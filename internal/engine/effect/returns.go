package effect

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Assumed is a number that is not known for sure. With Low = High it is fixed.
// With Likely inside, it follows a PERT distribution from Low to High, most
// often Likely; with SE it is normal about Likely, as an estimate is, and Low
// and High, if they differ, cut it off.
type Assumed struct {
	Name   string
	Low    float64
	Likely float64
	High   float64
	SE     float64
}

// Factor is a quantity that enters a line of money: its Name must be among the
// assumptions, and so one number may stand in several lines.
type Factor string

// Line is an amount of money: the product of its factors.
type Line struct {
	Name    string
	Factors []Factor
}

// Business is what a return is reckoned from. All lines are in one currency and
// over one period, after discounting if any.
type Business struct {
	Assumptions []Assumed
	Benefits    []Line
	Costs       []Line
}

// Spread is a simulated quantity.
type Spread struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	Low    float64 `json:"low"` // the confidence interval's ends
	High   float64 `json:"high"`
}

// Driver is how strongly an assumption moves the return.
type Driver struct {
	Assumption string  `json:"assumption"`
	Spearman   float64 `json:"spearman"` // rank correlation with the net benefit, over the draws
	Low        float64 `json:"low"`      // net benefit with this assumption at its low end, the others at their median
	High       float64 `json:"high"`     // and at its high end
}

// Returned is a return on investment with its range.
type Returned struct {
	Benefit Spread `json:"benefit"`
	Cost    Spread `json:"cost"`
	Net     Spread `json:"net"`
	ROI     Spread `json:"roi"`   // net / cost; 1 is a return of 100 %
	Ratio   Spread `json:"ratio"` // benefit / cost
	// Gain is the probability in [0,1] that the benefit exceeds the cost.
	Gain    float64  `json:"gain"`
	Drivers []Driver `json:"drivers"` // strongest first; fixed assumptions are left out
	Draws   int      `json:"draws"`
}

// ReturnOptions are those of Return.
type ReturnOptions struct {
	Confidence float64 // of the ranges, in (0,1); 0 is 0.9
	Draws      int     // 0 is 10,000
	Seed       uint64
}

// ErrCost is a business of which some draw costs nothing, or less.
var ErrCost = errors.New("effect: cost is not above 0 throughout")

// Return simulates the return on investment (Phillips 1997, level 5) under
// independent assumptions: benefits less costs over costs. It says what follows
// from the assumptions, and which of them matter; it does not make them true.
func Return(b Business, o ReturnOptions) (Returned, error) {
	var r Returned
	if o.Confidence == 0 {
		o.Confidence = 0.9
	}
	if o.Draws == 0 {
		o.Draws = 10_000
	}
	if !(o.Confidence > 0 && o.Confidence < 1) || o.Draws < 100 {
		return r, fmt.Errorf("%w: %+v", ErrOption, o)
	}
	at := map[Factor]int{}
	for i, a := range b.Assumptions {
		if err := a.check(); err != nil {
			return r, err
		}
		if _, ok := at[Factor(a.Name)]; ok {
			return r, fmt.Errorf("%w: assumption %q twice", ErrOption, a.Name)
		}
		at[Factor(a.Name)] = i
	}
	if len(b.Costs) == 0 || len(b.Benefits) == 0 {
		return r, fmt.Errorf("%w: benefits and costs", ErrColumn)
	}
	for _, l := range slices.Concat(b.Benefits, b.Costs) {
		if len(l.Factors) == 0 {
			return r, fmt.Errorf("%w: factors of %q", ErrColumn, l.Name)
		}
		for _, f := range l.Factors {
			if _, ok := at[f]; !ok {
				return r, fmt.Errorf("%w: assumption %q of %q", ErrColumn, f, l.Name)
			}
		}
	}
	money := func(lines []Line, value []float64) (sum float64) {
		for _, l := range lines {
			product := 1.0
			for _, f := range l.Factors {
				product *= value[at[f]]
			}
			sum += product
		}
		return sum
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x401))
	value := make([]float64, len(b.Assumptions))
	drawn := make([][]float64, len(b.Assumptions))
	var benefit, cost, net, roi, ratio []float64
	for range o.Draws {
		for i, a := range b.Assumptions {
			value[i] = a.draw(rng)
			drawn[i] = append(drawn[i], value[i])
		}
		gain, pay := money(b.Benefits, value), money(b.Costs, value)
		if pay <= 0 {
			return r, ErrCost
		}
		benefit, cost, net = append(benefit, gain), append(cost, pay), append(net, gain-pay)
		roi, ratio = append(roi, (gain-pay)/pay), append(ratio, gain/pay)
		if gain > pay {
			r.Gain++
		}
	}
	r.Draws = o.Draws
	r.Gain /= float64(o.Draws)
	alpha := (1 - o.Confidence) / 2
	typical := make([]float64, len(drawn))
	ends := make([][2]float64, len(drawn))
	for i, v := range drawn {
		s := slices.Sorted(slices.Values(v))
		typical[i] = quantile(s, 0.5)
		ends[i] = [2]float64{quantile(s, alpha), quantile(s, 1-alpha)}
	}
	for i, a := range b.Assumptions {
		if a.fixed() {
			continue
		}
		d := Driver{Assumption: a.Name, Spearman: Spearman(drawn[i], net)}
		v := slices.Clone(typical)
		v[i] = ends[i][0]
		d.Low = money(b.Benefits, v) - money(b.Costs, v)
		v[i] = ends[i][1]
		d.High = money(b.Benefits, v) - money(b.Costs, v)
		r.Drivers = append(r.Drivers, d)
	}
	slices.SortStableFunc(r.Drivers, func(a, b Driver) int {
		switch x, y := math.Abs(a.Spearman), math.Abs(b.Spearman); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	r.Benefit, r.Cost, r.Net = spread(benefit, alpha), spread(cost, alpha), spread(net, alpha)
	r.ROI, r.Ratio = spread(roi, alpha), spread(ratio, alpha)
	return r, nil
}

func spread(v []float64, alpha float64) Spread {
	s := slices.Sorted(slices.Values(v))
	return Spread{stat.Mean(s, nil), quantile(s, 0.5), quantile(s, alpha), quantile(s, 1-alpha)}
}

func (a Assumed) fixed() bool { return a.SE == 0 && a.Low == a.High }

func (a Assumed) check() error {
	if err := finite(a.Name, []float64{a.Low, a.Likely, a.High, a.SE}); err != nil {
		return err
	}
	bounded := a.SE == 0 || a.Low != a.High
	if a.SE < 0 || bounded && (a.Low > a.High || a.Likely < a.Low || a.Likely > a.High) {
		return fmt.Errorf("%w: %q lies from %v to %v, likely %v, se %v", ErrOption, a.Name, a.Low, a.High, a.Likely, a.SE)
	}
	return nil
}

func (a Assumed) draw(rng *rand.Rand) float64 {
	switch {
	case a.fixed():
		return a.Low
	case a.SE == 0: // PERT: a beta of mean (Low + 4·Likely + High)/6
		width := a.High - a.Low
		beta := distuv.Beta{
			Alpha: 1 + 4*(a.Likely-a.Low)/width,
			Beta:  1 + 4*(a.High-a.Likely)/width,
			Src:   rng,
		}
		return a.Low + width*beta.Rand()
	}
	n := distuv.Normal{Mu: a.Likely, Sigma: a.SE}
	lo, hi := 0.0, 1.0
	if a.Low != a.High {
		lo, hi = n.CDF(a.Low), n.CDF(a.High)
	}
	for { // a draw of exactly 0 has no quantile
		if u := lo + (hi-lo)*rng.Float64(); u > 0 && u < 1 {
			return n.Quantile(u)
		}
	}
}

// Spearman is the rank correlation of two columns in [−1,1], ties sharing their
// mean rank; 0 if one of them is constant.
func Spearman(a, b []float64) float64 {
	if len(a) < 2 || len(a) != len(b) {
		return 0
	}
	r := stat.Correlation(ranks(a), ranks(b), nil)
	if math.IsNaN(r) {
		return 0
	}
	return r
}

// ranks are 1 for the least, tied values their mean rank.
func ranks(v []float64) []float64 {
	order := codes0(len(v))
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	r := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			r[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return r
}
