package irt

import (
	"errors"
	"math"
	"math/rand/v2"
)

// CATOptions says how an adaptive test runs. The zero value stops at a standard
// error of 0.4 logit under a standard normal prior.
type CATOptions struct {
	SE     float64 // stop below this posterior standard deviation, logits; 0 means 0.4
	Min    int     // items before stopping for precision
	Max    int     // items at most; 0 means the whole bank
	Prior  Normal  // of θ
	Level  float64 // of the intervals whose coverage is reported; 0 means 0.95
	Random bool    // show items at random instead, for comparison
	Next   NextOptions
}

// CATResult sums up simulated adaptive tests.
type CATResult struct {
	MeanItems float64   // items shown per person
	RMSE      float64   // of the EAP estimates, logits
	Bias      float64   // mean of estimate − truth, logits
	Coverage  float64   // share of intervals θ̂ ± z·SE that hold the truth
	Reached   float64   // share of people whose test reached the precision
	Exposure  []float64 // share of people who saw each item
	People    []CATPerson
	Warnings  []error
}

// CATPerson is one simulated test.
type CATPerson struct {
	Truth, Theta, SE float64 // logits
	Items            []int   // shown, in order
}

// ErrPrecision warns that tests ended before they were as precise as asked.
var ErrPrecision = errors.New("irt: some tests ran out of items before reaching the precision asked for")

// SimulateCAT gives an adaptive test from the bank to people of known abilities
// (logits). Abilities drawn from another distribution than the prior lower the
// coverage; that is part of what a simulation is for.
func SimulateCAT(bank []Item, thetas []float64, opt CATOptions, rng *rand.Rand) CATResult {
	if !(opt.SE > 0) {
		opt.SE = 0.4
	}
	if opt.Max <= 0 || opt.Max > len(bank) {
		opt.Max = len(bank)
	}
	if !(opt.Level > 0 && opt.Level < 1) {
		opt.Level = 0.95
	}
	z := Z(opt.Level)
	r := CATResult{Exposure: make([]float64, len(bank))}
	n := float64(len(thetas))
	for _, truth := range thetas {
		p := takeCAT(bank, truth, opt, rng)
		r.People = append(r.People, p)
		d := p.Theta - truth
		r.MeanItems += float64(len(p.Items)) / n
		r.Bias += d / n
		r.RMSE += d * d / n
		if math.Abs(d) <= z*p.SE {
			r.Coverage += 1 / n
		}
		if p.SE < opt.SE {
			r.Reached += 1 / n
		}
		for _, k := range p.Items {
			r.Exposure[k] += 1 / n
		}
	}
	r.RMSE = math.Sqrt(r.RMSE)
	if n > 0 && r.Reached < 1-1e-9 {
		r.Warnings = append(r.Warnings, ErrPrecision)
	}
	return r
}

func takeCAT(bank []Item, truth float64, opt CATOptions, rng *rand.Rand) CATPerson {
	p := CATPerson{Truth: truth}
	used := make([]bool, len(bank))
	var answers []Answer
	est := Estimate(nil, opt.Prior)
	order := []int(nil)
	if opt.Random {
		order = rng.Perm(len(bank))
	}
	for len(p.Items) < opt.Max && (est.SE >= opt.SE || len(p.Items) < opt.Min) {
		k := -1
		if opt.Random {
			for len(order) > 0 && k < 0 {
				if bank[order[0]].Valid() {
					k = order[0]
				}
				order = order[1:]
			}
		} else {
			k = Next(bank, used, est.Theta, rng, opt.Next)
		}
		if k < 0 {
			break
		}
		used[k] = true
		p.Items = append(p.Items, k)
		answers = append(answers, Answer{bank[k], rng.Float64() < bank[k].P(truth)})
		est = Estimate(answers, opt.Prior)
	}
	p.Theta, p.SE = est.Theta, est.SE
	return p
}
