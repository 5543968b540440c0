package solve

import (
	"math"
	"slices"
)

// tiny keeps the search from chasing differences of rounding.
const tiny = 1e-9

// fix drops the items that the bound shows to be out, with those that need them,
// and orders the rest for the search.
func (w *searcher) fix() {
	kept := w.items[:0]
	for _, it := range w.items {
		if it.must || it.worth >= 0 || w.ub+it.worth > w.best+w.slack {
			kept = append(kept, it)
		} else {
			w.rank[it.j] = -1
		}
	}
	w.items = kept
	chained := false
	for again := true; again; {
		again = false
		kept := w.items[:0]
		for _, it := range w.items {
			lost := slices.ContainsFunc(w.m.in.Offerings[it.j].Prerequisites, func(p int32) bool { return !w.has[p] && w.rank[p] < 0 })
			if lost && !it.must {
				w.rank[it.j], again = -1, true
				continue
			}
			chained = chained || w.edge(it.j) >= 0
			kept = append(kept, it)
		}
		w.items = kept
	}
	slices.SortFunc(w.items, func(a, b item) int {
		if a.must != b.must {
			if a.must {
				return -1
			}
			return 1
		}
		x, y := a.worth, b.worth // decide first what it would cost most to get wrong
		if !a.must {
			x, y = math.Abs(x), math.Abs(y)
		}
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return int(a.j - b.j)
	})
	for n := range w.items {
		w.rank[w.items[n].j] = int32(n)
		w.items[n].span = 1
	}
	if chained {
		w.plant()
	}
	w.musts, w.extras = 0, w.extras[:0]
	for n := range w.items {
		it := &w.items[n]
		w.rank[it.j] = int32(n)
		if it.must {
			w.musts = n + 1
		}
	}
	for n := range w.items {
		it := &w.items[n]
		e := w.edge(it.j)
		it.parent = -1
		for x, p := range w.m.in.Offerings[it.j].Prerequisites {
			if x == e {
				it.parent = w.rank[p]
			} else if !w.has[p] {
				w.extras = append(w.extras, [2]int32{int32(n), w.rank[p]})
			}
		}
	}
	w.tabulate()
}

// plant orders the items as a forest: each is followed by those whose first
// prerequisite it is, so that leaving it out leaves out the span that follows.
func (w *searcher) plant() {
	w.forest = append(w.forest[:0], w.items...)
	w.items = w.items[:0]
	up := make([]int32, len(w.forest))
	for n := range w.forest {
		up[n] = -1
		if e := w.edge(w.forest[n].j); e >= 0 {
			up[n] = w.rank[w.m.in.Offerings[w.forest[n].j].Prerequisites[e]]
		}
	}
	placed := make([]bool, len(w.forest))
	var place func(n int32)
	place = func(n int32) {
		at := len(w.items)
		placed[n] = true
		w.items = append(w.items, w.forest[n])
		for c := range w.forest {
			if up[c] == n && !placed[c] {
				place(int32(c))
			}
		}
		w.items[at].span = len(w.items) - at
	}
	for n := range w.forest {
		root := int32(n)
		for up[root] >= 0 {
			root = up[root]
		}
		if !placed[root] {
			place(root)
		}
	}
}

// tabulate solves the linear knapsack in whole steps of the grid from every
// item on, by dynamic programming: a bound that neither cuts items in parts nor
// takes them without their first prerequisite.
func (w *searcher) tabulate() {
	n, grid := len(w.items), w.m.grid
	w.units = int(w.room/grid + 1e-6)
	row := w.units + 1
	w.table = slices.Grow(w.table[:0], (n+1)*row)[:(n+1)*row]
	clear(w.table[n*row:])
	for d := n - 1; d >= 0; d-- {
		it := &w.items[d]
		it.units = int(it.hours/grid + 1e-6)
		take, to := w.table[(d+1)*row:(d+2)*row], w.table[d*row:(d+1)*row]
		if it.must {
			for u := range to {
				to[u] = math.Inf(-1)
				if u >= it.units {
					to[u] = take[u-it.units] + it.linear
				}
			}
			continue
		}
		copy(to, w.table[(d+it.span)*row:(d+it.span+1)*row])
		if it.linear > 0 || it.span > 1 {
			for u := it.units; u < row; u++ {
				to[u] = max(to[u], take[u-it.units]+it.linear)
			}
		}
	}
}

func (w *searcher) search(q *ask) {
	n, words := len(w.items), w.s.words
	w.resid = slices.Grow(w.resid[:0], (n+1)*w.m.k)[:(n+1)*w.m.k]
	w.block = slices.Grow(w.block[:0], (n+1)*words)[:(n+1)*words]
	w.inPlan = slices.Grow(w.inPlan[:0], n)[:n]
	clear(w.inPlan)
	w.live = zeroed(w.live, words)
	for _, it := range w.items {
		for _, c := range w.choice[it.lo:it.hi] {
			w.live[c.option/64] |= 1 << (c.option % 64)
		}
	}
	for k, v := range w.v {
		w.resid[k] = (1 + q.theta) * v
	}
	clear(w.block[:words])
	w.taken, w.days = w.taken[:0], w.days[:0]
	base := 0.0 // of the linear bound: what is there before any item
	for k, v := range w.v {
		if v *= 1 + q.theta; v > 0 {
			g := w.bestG[k]
			base += v - g - g*math.Log(v/g)
		}
	}
	for r, x := range w.bestK {
		if x > 0 {
			base += x * w.bound(r)
		}
	}
	// Items that cannot beat the best by more than the slack are gone from the table.
	w.ub = min(w.ub, max(base+w.table[w.units], w.best+w.slack))
	w.visit(q, 0, 0, 0, base, w.room, q.money)
}

// visit decides about items[d] and on: level is how many were taken, value what
// they are worth, linear what they are at the tangent.
func (w *searcher) visit(q *ask, d, level int, value, linear, room, money float64) {
	if d >= w.musts && value > w.best+tiny && w.supported() {
		w.best, w.found = value, true
		w.bestAt = append(w.bestAt[:0], w.taken...)
	}
	if d == len(w.items) || w.cut {
		return
	}
	units := int(room/w.m.grid + 1e-6)
	if linear+w.table[d*(w.units+1)+units] <= w.best+w.slack {
		return
	}
	if w.nodes++; w.nodes > w.lim {
		w.cut = true
		return
	}
	it := &w.items[d]
	if !it.must && it.worth < 0 { // the likelier way first
		w.visit(q, d+it.span, level, value, linear, room, money)
	}
	if it.hours <= room+1e-6 && (it.parent < 0 || w.inPlan[it.parent]) {
		w.take(q, d, level, value, linear, room, money)
	}
	if !it.must && it.worth >= 0 {
		w.visit(q, d+it.span, level, value, linear, room, money)
	}
}

// take visits the branches in which items[d] is attended, one for each option.
func (w *searcher) take(q *ask, d, level int, value, linear, room, money float64) {
	m, s, k, words := w.m, w.s, w.m.k, w.s.words
	it := &w.items[d]
	rest := w.table[(d+1)*(w.units+1)+max(0, int(room/m.grid+1e-6)-it.units)]
	if linear+it.linear+rest <= w.best+w.slack {
		return
	}
	from, to := w.resid[level*k:(level+1)*k], w.resid[(level+1)*k:(level+2)*k]
	copy(to, from)
	gain := 0.0
	for z := m.zStart[it.j]; z < m.zStart[it.j+1]; z++ {
		x := to[m.zSkill[z]] * m.depth[w.profile+int(z)]
		gain += x
		to[m.zSkill[z]] -= x
	}
	blocked := w.block[level*words : (level+1)*words]
	w.inPlan[d] = true
	for n := it.lo; n < it.hi; n++ {
		c := &w.choice[n]
		o := int(c.option)
		here := linear + it.linear - (w.dear[n] + it.chain - it.dear)
		if here+rest <= w.best+w.slack {
			continue
		}
		opt := &s.options[o]
		if blocked[o/64]>>(o%64)&1 != 0 || opt.cost > money || !w.dayFits(opt) {
			continue
		}
		next := w.block[(level+1)*words : (level+2)*words]
		for x := range next {
			next[x] = blocked[x] | s.clash[o*words+x]
		}
		w.taken = append(w.taken, uint16(o))
		mark := len(w.days)
		w.days = append(w.days, opt.days...)
		w.visit(q, d+1, level+1, value+gain-c.price, here, room-it.hours, money-opt.cost)
		w.days = w.days[:mark]
		w.taken = w.taken[:len(w.taken)-1]
		if w.free(o) {
			break // no dearer session of it can be of more use
		}
	}
	w.inPlan[d] = false
}

// supported reports whether prerequisites other than the first are taken too.
func (w *searcher) supported() bool {
	for _, e := range w.extras {
		if w.inPlan[e[0]] && !w.inPlan[e[1]] {
			return false
		}
	}
	return true
}

// dayFits reports whether attention suffices for one more option.
func (w *searcher) dayFits(o *option) bool {
	for _, d := range o.days {
		sum := d.minutes
		for _, e := range w.days {
			if e.day == d.day {
				sum += e.minutes
			}
		}
		if sum > w.minutes {
			return false
		}
	}
	return true
}

// free reports whether an option can stand beside every other that is considered.
func (w *searcher) free(o int) bool {
	touch := w.s.touch[o*w.s.words : (o+1)*w.s.words]
	for x, t := range touch {
		if t&w.live[x] != 0 {
			return false
		}
	}
	return true
}
