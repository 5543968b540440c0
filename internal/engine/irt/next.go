package irt

import (
	"math"
	"math/rand/v2"
)

// NextOptions says how the next item of an adaptive test is chosen. The zero
// value takes the most informative item.
type NextOptions struct {
	// Best is how many of the most informative items to draw from: the
	// randomesque exposure control of Kingsbury & Zara (1989). 0 or 1 always
	// takes the best; 5 is usual.
	Best int
	// Content is the content area (0, 1, …) of each item of the bank, and
	// Shares the wanted share of each area. When both are given the item is
	// taken from the area furthest below its share (Kingsbury & Zara 1989).
	// A negative area stands outside the balance: it is drawn from only when
	// no area has items left.
	Content []int
	Shares  []float64
}

// Next returns the index of the item to show next to a person whose ability is
// now estimated as theta (logits), or −1 when no usable item is left. It takes
// the most informative unused item, or, given rng, one of the opt.Best most
// informative at random. A short or nil used counts as unused.
func Next(bank []Item, used []bool, theta float64, rng *rand.Rand, opt NextOptions) int {
	area, balance := opt.area(bank, used)
	best := max(opt.Best, 1)
	if rng == nil {
		best = 1
	}
	type candidate struct {
		item int
		info float64
	}
	top := make([]candidate, 0, best) // most informative first
	for i, it := range bank {
		if i < len(used) && used[i] || balance && opt.Content[i] != area || !it.Valid() {
			continue
		}
		info := it.Information(theta)
		if len(top) == best && info <= top[best-1].info || math.IsNaN(info) {
			continue
		}
		if len(top) < best {
			top = append(top, candidate{})
		}
		at := len(top) - 1
		for ; at > 0 && top[at-1].info < info; at-- {
			top[at] = top[at-1]
		}
		top[at] = candidate{i, info}
	}
	switch len(top) {
	case 0:
		return -1
	case 1:
		return top[0].item
	}
	return top[rng.IntN(len(top))].item
}

// area returns the content area furthest below its share among those with
// items left, and whether there is one.
func (opt NextOptions) area(bank []Item, used []bool) (area int, ok bool) {
	if len(opt.Content) != len(bank) || len(opt.Shares) == 0 {
		return 0, false
	}
	shown, left := make([]int, len(opt.Shares)), make([]int, len(opt.Shares))
	total := 0
	for i, c := range opt.Content {
		switch {
		case c < 0 || c >= len(opt.Shares):
		case i < len(used) && used[i]:
			shown[c]++
			total++
		case bank[i].Valid():
			left[c]++
		}
	}
	sum := 0.0
	for _, s := range opt.Shares {
		sum += math.Max(s, 0)
	}
	most := math.Inf(-1)
	for c, s := range opt.Shares {
		if left[c] == 0 || !(s > 0) {
			continue
		}
		// After this item, total+1 have been shown: how many short would c be?
		if short := s/sum*float64(total+1) - float64(shown[c]); short > most {
			area, most, ok = c, short, true
		}
	}
	return area, ok
}
