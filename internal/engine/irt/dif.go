package irt

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// DIF tells whether an item works differently in group 1 than in group 0, among
// people of the same ability.
type DIF struct {
	ChiSq, DF, PValue float64
	// Difference is the expected score in group 1 with its own parameters less
	// that with group 0's, averaged over group 1, as a share of the top score:
	// above 0 the item favours group 1.
	Difference float64
	// Class follows Dorans & Kulick's bounds on that difference where the test
	// is significant: A negligible (under 0.05), B to be looked at (under 0.10),
	// C to be mended.
	Class string
}

// ErrTwoGroups says that DIF was asked for without two groups.
var ErrTwoGroups = errors.New("irt: DIF needs groups 0 and 1, both with answers")

// testDIF compares, item by item, the fit with that item's parameters common
// to both groups and the fit with them separate (likelihood ratio, Thissen,
// Steinberg & Wainer 1993). The other items are the anchor; items found at the
// 5 % level after Benjamini & Hochberg's correction are freed, and the rest is
// tested anew against the purified anchor.
func (c *Calibration) testDIF(t *table, opt Options, base *em) error {
	people := make([]float64, t.groups)
	for _, p := range t.patterns {
		people[p.group] += p.weight
	}
	if t.groups != 2 || people[0] == 0 || people[1] == 0 {
		return ErrTwoGroups
	}
	var items []int
	for k, n := range t.cats {
		if _, anchored := opt.Anchors[k]; n > 0 && !anchored {
			items = append(items, k)
		}
	}
	if len(items) < 2 {
		return nil
	}
	opt.Tol = math.Max(opt.Tol, 1e-4) // enough for a log likelihood to 1e-4
	fit := func(from *em, split []int) *em {
		e := newEM(t, opt, split)
		e.resume(from, split)
		e.run()
		return e
	}
	test := func(k int, joined, freed *em, split []int) {
		d := &DIF{DF: base.free(k), ChiSq: math.Max(0, 2*(freed.ll-joined.ll)), Class: "A"}
		d.PValue = distuv.ChiSquared{K: d.DF}.Survival(d.ChiSq)
		d.Difference = freed.difference(k, t.items+slices.Index(split, k))
		c.Items[k].DIF = d
	}
	for _, k := range items {
		test(k, base, fit(base, []int{k}), []int{k})
	}
	flagged := c.significant(items)
	if len(flagged) > 0 && len(flagged) < len(items)-1 {
		purified := fit(base, flagged)
		for _, k := range items {
			if at := slices.Index(flagged, k); at >= 0 {
				test(k, fit(base, slices.Delete(slices.Clone(flagged), at, at+1)), purified, flagged)
			} else {
				split := append(slices.Clone(flagged), k)
				test(k, purified, fit(purified, split), split)
			}
		}
	}
	for _, k := range c.significant(items) {
		switch d := c.Items[k].DIF; {
		case math.Abs(d.Difference) >= 0.1:
			d.Class = "C"
		case math.Abs(d.Difference) >= 0.05:
			d.Class = "B"
		}
	}
	return nil
}

// significant returns the items whose DIF is significant at the 5 % level under
// the correction of Benjamini & Hochberg (1995).
func (c *Calibration) significant(items []int) []int {
	order := slices.Clone(items)
	slices.SortStableFunc(order, func(a, b int) int {
		return int(math.Copysign(1, c.Items[a].DIF.PValue-c.Items[b].DIF.PValue))
	})
	last := 0
	for i, k := range order {
		if c.Items[k].DIF.PValue <= 0.05*float64(i+1)/float64(len(order)) {
			last = i + 1
		}
	}
	found := order[:last]
	slices.Sort(found)
	return found
}

// resume starts from another run's parameters.
func (e *em) resume(from *em, split []int) {
	n := len(e.item) - len(split)
	for k := range n {
		e.item[k] = from.item[k].clone()
	}
	for i, k := range split {
		e.item[n+i] = from.item[k].clone()
	}
	copy(e.pop, from.pop)
}

// difference is DIF.Difference of item k, whose other self is item virtual.
func (e *em) difference(k, virtual int) float64 {
	p := make([]float64, len(e.item[k].cum))
	var sum, n float64
	for j, w := range e.mass[1] {
		mine, _ := e.item[virtual].scores(e.node[j], p)
		theirs, _ := e.item[k].scores(e.node[j], p)
		sum, n = sum+w*(mine-theirs), n+w
	}
	return sum / n / float64(len(p)-1)
}
