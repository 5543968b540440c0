package effect

import (
	"cmp"
	"math"
	"slices"
)

// cells are an arm's people, those at one point together, in a k-d tree. With
// coarse covariates thousands share a point, and one search serves them all.
type cells struct {
	dim   int
	at    []float64 // points, one after another, in the tree's order
	first []int     // where each cell's people begin in person; one more at the end
	who   []int     // rows of the data
	axis  []int8    // of the split at the middle of each range, by its middle
}

// leaf is the size of a range that is searched through.
const leaf = 8

// tie is how far apart squared distances may be and count as equal: sums of the
// same numbers in another order.
const tie = 1e-12

func (c *cells) n() int                { return len(c.first) - 1 }
func (c *cells) rows(i int) []int      { return c.who[c.first[i]:c.first[i+1]] }
func (c *cells) point(i int) []float64 { return c.at[i*c.dim : (i+1)*c.dim] }

func newCells(columns [][]float64, rows []int) *cells {
	dim := len(columns)
	order := slices.Clone(rows)
	compare := func(a, b int) int {
		for _, v := range columns {
			if d := cmp.Compare(v[a], v[b]); d != 0 {
				return d
			}
		}
		return cmp.Compare(a, b)
	}
	slices.SortFunc(order, compare)
	type cell struct {
		lo, hi int // people, in order
		p      []float64
	}
	var all []cell
	flat := make([]float64, 0, dim*len(order))
	for i, r := range order {
		same := i > 0
		for _, v := range columns {
			same = same && v[r] == v[order[i-1]]
		}
		if same {
			all[len(all)-1].hi++
			continue
		}
		for _, v := range columns {
			flat = append(flat, v[r])
		}
		all = append(all, cell{i, i + 1, flat[len(flat)-dim:]})
	}
	c := &cells{dim: dim, axis: make([]int8, len(all))}
	var build func(lo, hi int)
	build = func(lo, hi int) {
		if hi-lo <= leaf {
			return
		}
		axis, widest := 0, -1.0
		for j := range dim {
			least, most := math.Inf(1), math.Inf(-1)
			for _, x := range all[lo:hi] {
				least, most = min(least, x.p[j]), max(most, x.p[j])
			}
			if most-least > widest {
				axis, widest = j, most-least
			}
		}
		mid := (lo + hi) / 2
		part := all[lo:hi]
		selectAt(part, mid-lo, func(a, b cell) bool { return a.p[axis] < b.p[axis] })
		c.axis[mid] = int8(axis)
		build(lo, mid)
		build(mid+1, hi)
	}
	build(0, len(all))
	for _, x := range all {
		c.at = append(c.at, x.p...)
		c.first = append(c.first, len(c.who))
		c.who = append(c.who, order[x.lo:x.hi]...)
	}
	c.first = append(c.first, len(c.who))
	return c
}

// selectAt puts the element of rank k in its place, smaller ones before it.
func selectAt[T any](v []T, k int, less func(a, b T) bool) {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot := v[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for less(v[i], pivot) {
				i++
			}
			for less(pivot, v[j]) {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}

// nearest returns the cells that hold the m nearest people to p and all as near
// as the last of them, within squared distance limit; skip is left out.
func (c *cells) nearest(p []float64, m, skip int, limit float64) []int32 {
	type hit struct {
		cell int32
		d    float64
	}
	var hits []hit // ascending; what lies beyond the m-th person is cut
	bound := limit
	add := func(i int) {
		if i == skip {
			return
		}
		d := 0.0
		for j, x := range c.point(i) {
			d += (x - p[j]) * (x - p[j])
		}
		if d > bound+tie {
			return
		}
		at, _ := slices.BinarySearchFunc(hits, d, func(h hit, d float64) int { return cmp.Compare(h.d, d) })
		hits = slices.Insert(hits, at, hit{int32(i), d})
		people := 0
		for k, h := range hits {
			people += len(c.rows(int(h.cell)))
			if people >= m {
				bound = min(bound, h.d)
				end := k + 1
				for end < len(hits) && hits[end].d <= h.d+tie {
					end++
				}
				hits = hits[:end]
				break
			}
		}
	}
	var search func(lo, hi int)
	search = func(lo, hi int) {
		if hi-lo <= leaf {
			for i := lo; i < hi; i++ {
				add(i)
			}
			return
		}
		mid := (lo + hi) / 2
		axis := int(c.axis[mid])
		d := p[axis] - c.at[mid*c.dim+axis]
		if d <= 0 {
			search(lo, mid)
		} else {
			search(mid+1, hi)
		}
		if d*d <= bound+tie {
			add(mid)
			if d <= 0 {
				search(mid+1, hi)
			} else {
				search(lo, mid)
			}
		}
	}
	search(0, c.n())
	out := make([]int32, len(hits))
	for i, h := range hits {
		out[i] = h.cell
	}
	return out
}

// variance is that of v (n − 1) among the people of cell i, joined by the
// nearest to it if it holds but one.
func (c *cells) variance(i int, v []float64) float64 {
	near := []int32{int32(i)}
	if len(c.rows(i)) == 1 {
		near = append(near, c.nearest(c.point(i), 1, i, math.Inf(1))...)
	}
	var m moments
	for _, k := range near {
		for _, r := range c.rows(int(k)) {
			m.add(v[r])
		}
	}
	return m.variance()
}
