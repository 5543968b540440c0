package solve

import (
	"math"
	"slices"
)

const polyak = 0.03 // share of the bound that a step may aim below it

// tangent looks for a good linear bound. For any slopes g_k ≥ 0, any price τ ≥ 0
// of an hour and any prices κ_r ≥ 0 of the person's own time, no bundle is worth
// more than
//
//	Σ_k (v_k − g_k − g_k·ln(v_k/g_k)) + τH + Σ_r κ_r·b_r + Σ_j max(0, max_o Σ_k g_k·a_jk − price_o − τh_j − Σ_r κ_r·n_ro)
//
// since v(1−e^(−A)) ≤ v − g − g·ln(v/g) + gA, with equality where v·e^(−A) = g.
// The rows r say that nobody is in two places at once, that a day's minutes
// suffice, and that prerequisites are in the plan. Each round solves the linear
// knapsack at the present slopes and κ, then moves A towards its solution (Frank
// and Wolfe 1956) and κ by its violation (with the step of Polyak 1969).
func (w *searcher) tangent(q *ask, rounds int) {
	m, scale := w.m, 1+q.theta
	n := len(w.items)
	w.weight = slices.Grow(w.weight[:0], n)[:n]
	w.dear = slices.Grow(w.dear[:0], len(w.choice))[:len(w.choice)]
	w.pick = slices.Grow(w.pick[:0], n)[:n]
	w.part = slices.Grow(w.part[:0], n)[:n]
	w.ratio = slices.Grow(w.ratio[:0], n)[:n]
	w.order = w.order[:0]
	for n := range w.items {
		it := &w.items[n]
		it.perHour = 1 / max(it.hours, 1e-6)
		if !it.must {
			w.order = append(w.order, int32(n))
		}
	}
	rows := w.s.rows
	w.kappa = slices.Grow(w.kappa[:0], rows)[:rows]
	w.loads = slices.Grow(w.loads[:0], rows)[:rows]
	w.bestK = slices.Grow(w.bestK[:0], rows)[:rows]
	cold := q.warm == nil || q.warm[0] < 0
	clear(w.at)
	clear(w.kappa)
	if !cold {
		for k := range w.at {
			w.at[k] = float64(q.warm[k])
		}
		for r := range w.kappa {
			w.kappa[r] = float64(q.warm[m.k+r])
		}
	}
	w.ub = math.Inf(1)
	gamma := 1.0
	for round := range rounds {
		lin := 0.0
		for k, v := range w.v {
			g := scale * v * math.Exp(-w.at[k])
			w.g[k] = g
			lin += scale*v - g - g*w.at[k]
		}
		for r, x := range w.kappa {
			if x > 0 {
				lin += x * w.bound(r)
			}
		}
		w.dearer()
		room := w.room
		clear(w.sum)
		clear(w.part)
		for n := range w.items {
			it := &w.items[n]
			sum := w.gross(it, w.g) - w.cheapest(it, n)
			w.weight[n] = sum
			if it.must {
				room -= it.hours
				lin += sum
				w.part[n] = 1
			}
			w.ratio[n] = sum * it.perHour
		}
		// The linear knapsack: required items, then by worth per hour. The order
		// hardly changes from round to round.
		for x := 1; x < len(w.order); x++ {
			n := w.order[x]
			y := x
			for ; y > 0 && w.ratio[w.order[y-1]] < w.ratio[n]; y-- {
				w.order[y] = w.order[y-1]
			}
			w.order[y] = n
		}
		tau := 0.0
		for _, n := range w.order {
			if w.weight[n] <= 0 {
				break
			}
			h := w.items[n].hours
			part := 1.0
			if h > room {
				tau = w.weight[n] / h
				part = max(0, room) / h
			}
			room -= h
			lin += w.weight[n] * part
			w.part[n] = part
			if part < 1 {
				break
			}
		}
		if lin < w.ub {
			w.ub, w.tau = lin, tau
			copy(w.bestG, w.g)
			copy(w.bestK, w.kappa)
			if q.warm != nil {
				for k := range w.at {
					q.warm[k] = float32(w.at[k])
				}
				for r := range w.kappa {
					q.warm[m.k+r] = float32(w.kappa[r])
				}
			}
		} else {
			gamma *= 0.9
		}
		// Where the solution stands.
		clear(w.loads)
		for n, part := range w.part {
			if part == 0 {
				continue
			}
			it := &w.items[n]
			for z := m.zStart[it.j]; z < m.zStart[it.j+1]; z++ {
				w.sum[m.zSkill[z]] += part * m.rate[w.profile+int(z)]
			}
			w.burden(int(w.choice[w.pick[n]].option), it, part)
		}
		norm := 0.0
		for r := range w.loads {
			if w.loads[r] != 0 || w.kappa[r] > 0 {
				d := w.loads[r] - w.bound(r)
				if w.kappa[r] > 0 || d > 0 {
					norm += d * d
				}
				w.loads[r] = d
			}
		}
		if norm > 0 && (!cold || round > 2) {
			step := gamma * min(max(0, lin-w.best), polyak*lin) / norm
			for r, d := range w.loads {
				if d != 0 {
					w.kappa[r] = max(0, w.kappa[r]+step*d)
				}
			}
		}
		step := 2 / float64(round+2)
		if !cold {
			step = 2 / float64(round+6)
		}
		for k := range w.at {
			w.at[k] += step * (w.sum[k] - w.at[k])
		}
	}
	copy(w.kappa, w.bestK)
	w.dearer()
	for n := range w.items {
		it := &w.items[n]
		it.worth = w.gross(it, w.bestG) - w.cheapest(it, n) - w.tau*it.hours
	}
	// The search keeps the first prerequisite of each item by its order, so that
	// its κ would only blur the bound.
	for n := range w.items {
		if e := w.edge(w.items[n].j); e >= 0 {
			w.kappa[w.s.chain0+int(m.after[w.items[n].j][e])] = 0
		}
	}
	for n := range w.items {
		it := &w.items[n]
		it.chain = w.chain(it.j)
		it.dear = w.cheapest(it, n)
		it.linear = w.gross(it, w.bestG) - it.dear
	}
}

// edge is which of an offering's prerequisites is the first that is not held, or −1.
func (w *searcher) edge(j int32) int {
	return slices.IndexFunc(w.m.in.Offerings[j].Prerequisites, func(p int32) bool { return !w.has[p] })
}

// gross is what an item adds at slopes g.
func (w *searcher) gross(it *item, g []float64) (sum float64) {
	m := w.m
	for z := m.zStart[it.j]; z < m.zStart[it.j+1]; z++ {
		sum += g[m.zSkill[z]] * m.rate[w.profile+int(z)]
	}
	return sum
}

// dearer prices the choices with κ added.
func (w *searcher) dearer() {
	s := w.s
	idle := true
	for _, x := range w.kappa[:s.chain0] {
		if x > 0 {
			idle = false
			break
		}
	}
	if idle {
		for n := range w.choice {
			w.dear[n] = w.choice[n].price
		}
		return
	}
	day := len(s.instants)
	half := w.minutes / 2
	for n := range w.choice {
		c := &w.choice[n]
		o := &s.options[c.option]
		p := c.price
		for _, at := range o.instants {
			p += w.kappa[at]
		}
		for x, d := range o.days {
			r := day + 2*int(o.dayRow[x])
			p += w.kappa[r] * float64(d.minutes) * w.perMinute
			if d.minutes > half {
				p += w.kappa[r+1]
			}
		}
		w.dear[n] = p
	}
}

// cheapest finds an item's cheapest choice with κ, and its price.
func (w *searcher) cheapest(it *item, n int) float64 {
	best, at := math.Inf(1), it.lo
	for c := it.lo; c < it.hi; c++ {
		if w.dear[c] < best {
			best, at = w.dear[c], c
		}
	}
	w.pick[n] = at
	return best + w.chain(it.j)
}

// chain is what κ adds to an offering's price as a successor, less what it
// takes off as a prerequisite.
func (w *searcher) chain(j int32) (sum float64) {
	m := w.m
	base := w.s.chain0
	for _, x := range m.after[j] {
		if !w.has[m.chains[x].pre] {
			sum += w.kappa[base+int(x)]
		}
	}
	for _, x := range m.ahead[j] {
		if w.rank[m.chains[x].j] >= 0 {
			sum -= w.kappa[base+int(x)]
		}
	}
	return sum
}

// burden adds a part of an option to the rows' loads.
func (w *searcher) burden(option int, it *item, part float64) {
	s, m := w.s, w.m
	day := len(s.instants)
	o := &s.options[option]
	for _, at := range o.instants {
		w.loads[at] += part
	}
	for x, d := range o.days {
		r := day + 2*int(o.dayRow[x])
		w.loads[r] += part * float64(d.minutes) * w.perMinute
		if d.minutes > w.minutes/2 {
			w.loads[r+1] += part
		}
	}
	for _, x := range m.after[it.j] {
		if !w.has[m.chains[x].pre] {
			w.loads[s.chain0+int(x)] += part
		}
	}
	for _, x := range m.ahead[it.j] {
		if w.rank[m.chains[x].j] >= 0 {
			w.loads[s.chain0+int(x)] -= part
		}
	}
}

// bound is the right-hand side of a row.
func (w *searcher) bound(r int) float64 {
	if r >= w.s.chain0 {
		return 0
	}
	return 1
}
