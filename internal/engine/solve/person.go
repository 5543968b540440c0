package solve

import (
	"math"
	"slices"
)

// bundle is what one person could attend: options of the person's site.
type bundle struct {
	options []uint16 // ascending
	gain    float64  // E, by the exact φ
	charge  float64  // E, ChangePrice times changes against the earlier plan
}

// item is an offering that a person may take.
type item struct {
	j       int32
	hours   float64
	perHour float64 // 1/hours
	price   float64 // of its cheapest option
	dear    float64 // the same, with κ
	chain   float64 // the part of dear that comes of prerequisites
	linear  float64 // what taking it is worth at the tangent, less price and κ
	worth   float64 // the same, less τ times its hours
	units   int     // hours in grid steps, rounded down
	must    bool
	needed  bool    // a prerequisite of another item
	pre     []int32 // indices in searcher.items, once ordered
	lo, hi  int32   // its options are searcher.choice[lo:hi], cheapest first
}

type choice struct {
	option int32
	price  float64
}

// searcher finds a person's best bundle at given prices. One belongs to each
// worker; it holds the buffers.
//
// The person's problem is max (1+θ)·Σ_k v_k(1−e^(−A_k)) − Σ price, a concave
// function of a sum over a knapsack of hours, with clashes. Any tangent of φ and
// any price τ of an hour give a linear bound (see tangent); items whose reduced
// worth shows that they must be in, or out, are fixed, and the rest is searched
// depth first under the same bound, updated by what each decision gives up.
type searcher struct {
	m *model

	// The person.
	s       *site
	i       int32
	room    float64 // hours
	minutes int32   // attention a day
	v       []float64
	profile int
	barred  []uint64 // options that the rules forbid
	hasMust []bool   // by offering
	only    []int32  // if not nil, the demands to look at
	has     []bool   // by offering: held
	change  bool
	stay    bool // the earlier plan is kept as it is
	prior   []int32
	priorN  int

	// The search.
	items     []item
	choice    []choice
	rank      []int32 // [offering] index in items, or −1
	lim       int
	nodes     int
	cut       bool
	best      float64
	slack     float64
	found     bool
	bestAt    []uint16
	taken     []uint16
	inPlan    []bool    // by item
	resid     []float64 // [depth·k] v_k·e^(−A_k)
	block     []uint64  // [depth·words] options that clash with those taken
	live      []uint64  // options of any item
	days      []dayMinutes
	musts     int
	g         []float64 // tangent slopes
	tau       float64
	ub        float64
	warm      []float32 // A⁰ of the person's last tangent, or nil
	sum       []float64
	at        []float64
	kappa     []float64
	loads     []float64
	bestK     []float64
	dear      []float64 // [choice] price with κ
	pick      []int32   // [item] cheapest choice with κ
	part      []float64 // [item] in the linear knapsack
	table     []float64 // [item·(units+1)+unit] best linear worth of the items from there on
	units     int
	perMinute float64
	bestG     []float64
	order     []int32
	shut      []uint64  // for the caller's use
	scaled    []float64 // the same
	weight    []float64
	ratio     []float64 // [item] worth per hour
}

func newSearcher(m *model) *searcher {
	return &searcher{
		m: m, v: make([]float64, m.k), hasMust: make([]bool, m.j), has: make([]bool, m.j), rank: make([]int32, m.j),
		g: make([]float64, m.k), sum: make([]float64, m.k), at: make([]float64, m.k), bestG: make([]float64, m.k),
	}
}

// load makes the person the one that is searched for.
func (w *searcher) load(s *site, i int32) {
	m, in := w.m, w.m.in
	w.s, w.i = s, i
	w.room = float64(in.People.Hours[i])
	w.minutes = int32(in.People.Attention[i])
	w.perMinute = 1 / max(1, float64(w.minutes))
	w.profile = int(in.People.Profile[i]) * len(m.zSkill)
	p := int(in.People.Position[i])
	for k := range w.v {
		left := float64(in.Positions[p].Ceiling[k]) - float64(in.People.Proficiency[int(i)*m.k+k])
		w.v[k] = m.coef[p*m.k+k] * max(0, left)
	}
	w.barred = zeroed(w.barred, s.words)
	clear(w.hasMust)
	clear(w.has)
	w.prior, w.priorN, w.stay, w.change = w.prior[:0], 0, false, m.changing()
	rules := m.rulesOf(i)
	for _, r := range rules {
		switch r.kind {
		case held:
			w.has[r.offering] = true
		case before:
			if o := s.optionOf(r.offering, r.session); o >= 0 {
				w.prior = append(w.prior, o)
			}
			w.priorN++
		case pinned:
			w.stay = true
		}
	}
	for _, list := range [2][]rule{m.everyone, rules} {
		for _, r := range list {
			lo, hi := int32(0), int32(0)
			if r.offering >= 0 {
				lo, hi = s.start[r.offering], s.start[r.offering+1]
			}
			switch {
			case r.kind == forbidden:
				for o := lo; o < hi; o++ {
					if r.session < 0 || s.options[o].session == r.session {
						w.barred[o/64] |= 1 << (o % 64)
					}
				}
			case r.kind == mandated && !w.has[r.offering], r.kind == locked:
				if w.wanted(r.offering) {
					w.require(r, lo, hi)
				}
			}
		}
	}
	if w.stay {
		for _, o := range w.prior {
			c := s.options[o]
			if !w.wanted(c.offering) {
				continue
			}
			w.require(rule{i, locked, c.offering, c.session, math.MaxInt32}, s.start[c.offering], s.start[c.offering+1])
		}
		for o := range s.options {
			if !slices.Contains(w.prior, int32(o)) {
				w.barred[o/64] |= 1 << (o % 64)
			}
		}
	}
}

// wanted reports whether a demand is in force: not waived, and among those that
// are looked at alone.
func (w *searcher) wanted(j int32) bool {
	return !w.m.waived[demand{w.i, j}] && (w.only == nil || slices.Contains(w.only, j))
}

func zeroed(b []uint64, n int) []uint64 {
	b = slices.Grow(b[:0], n)[:n]
	clear(b)
	return b
}

// require bars the options of an offering that do not meet a mandate or lock.
func (w *searcher) require(r rule, lo, hi int32) {
	w.hasMust[r.offering] = true
	for o := lo; o < hi; o++ {
		if c := &w.s.options[o]; r.session >= 0 && c.session != r.session || c.last > r.deadline {
			w.barred[o/64] |= 1 << (o % 64)
		}
	}
}

// required reports whether anything is required of the loaded person.
func (w *searcher) required() bool { return slices.Contains(w.hasMust, true) }

// ask is one question to a searcher about the loaded person.
type ask struct {
	price  []float64 // by option of the site, ≥ 0
	theta  float64   // price of the group's floor
	shut   []uint64  // options not to be had; may be nil
	money  float64   // most that the bundle may cost
	nodes  int       // where to cut the search short
	rounds int       // of the tangent's search; 0 for 16
	warm   []float32 // A⁰ by skill, read and written; may be nil
	floor  float64   // only bundles worth more than this are of interest; −Inf for any
	slack  float64   // a bundle may be worth this much less than the best
}

// answer is the best bundle found and a bound on any.
type answer struct {
	worth float64 // of the bundle at the prices, ChangePrice included; −Inf if none was found
	ub    float64 // no bundle is worth more, if some bundle is possible at all
	exact bool    // the search was not cut short
}

// solve finds the best bundle at the asked prices. Its options are w.bestAt.
func (w *searcher) solve(q *ask) answer {
	w.nodes, w.lim, w.cut, w.found = 0, q.nodes, false, false
	w.best = q.floor
	base := 0.0 // what dropping the whole earlier plan would be charged
	if w.change {
		base = -w.m.in.ChangePrice * float64(w.priorN)
	}
	w.best -= base
	w.slack = max(tiny, q.slack)
	if !w.collect(q) {
		return answer{math.Inf(-1), math.Inf(-1), true}
	}
	w.tangent(q, or(q.rounds, 16))
	w.fix()
	w.search(q)
	a := answer{math.Inf(-1), w.ub + base, !w.cut}
	if w.found {
		a.worth = w.best + base
	}
	if a.exact {
		a.ub = min(a.ub, w.best+base+w.slack)
	}
	return a
}

// collect lists the items worth considering, and reports false if something
// required is not to be had.
func (w *searcher) collect(q *ask) bool {
	m, s := w.m, w.s
	open := m.audience[m.in.People.Position[w.i]]
	w.items, w.choice = w.items[:0], w.choice[:0]
	for j := range w.rank {
		w.rank[j] = -1
	}
	scale := 1 + q.theta
	for _, j := range open {
		if w.has[j] {
			continue
		}
		of := &m.in.Offerings[j]
		must := w.hasMust[j]
		if float64(of.Hours) > w.room {
			if must {
				return false
			}
			continue
		}
		worth := 0.0
		for z := m.zStart[j]; z < m.zStart[j+1]; z++ {
			worth += w.v[m.zSkill[z]] * m.depth[w.profile+int(z)]
		}
		worth *= scale
		it := item{j: j, hours: float64(of.Hours), must: must, lo: int32(len(w.choice)), price: math.Inf(1)}
		for o := s.start[j]; o < s.start[j+1]; o++ {
			if w.barred[o/64]>>(o%64)&1 != 0 || q.shut != nil && q.shut[o/64]>>(o%64)&1 != 0 {
				continue
			}
			c := &s.options[o]
			if c.cost > q.money || slices.ContainsFunc(c.days, func(d dayMinutes) bool { return d.minutes > w.minutes }) {
				continue
			}
			p := q.price[o]
			if w.change {
				if slices.Contains(w.prior, o) {
					p -= m.in.ChangePrice
				} else {
					p += m.in.ChangePrice
				}
			}
			w.choice = append(w.choice, choice{o, p})
			at := len(w.choice) - 1
			for at > int(it.lo) && w.choice[at-1].price > p {
				w.choice[at] = w.choice[at-1]
				at--
			}
			w.choice[at] = choice{o, p}
			it.price = min(it.price, p)
		}
		it.hi = int32(len(w.choice))
		if it.lo == it.hi {
			if must {
				return false
			}
			continue
		}
		it.worth = worth - it.price
		w.rank[j] = int32(len(w.items))
		w.items = append(w.items, it)
	}
	for j, must := range w.hasMust {
		if must && w.rank[j] < 0 {
			return false
		}
	}
	return w.need()
}

// need drops items whose prerequisites cannot be had, makes those of required
// items required, and drops items that neither pay nor open the way to one
// that does.
func (w *searcher) need() bool {
	in := w.m.in
	for again := true; again; {
		again = false
		for n := range w.items {
			it := &w.items[n]
			if w.rank[it.j] < 0 {
				continue
			}
			for _, p := range in.Offerings[it.j].Prerequisites {
				if w.has[p] {
					continue
				}
				if w.rank[p] < 0 {
					if it.must {
						return false
					}
					w.rank[it.j], again = -1, true
					break
				}
				if w.sequence(it, &w.items[w.rank[p]]) {
					again = true
				}
				if it.lo == it.hi {
					if it.must {
						return false
					}
					w.rank[it.j], again = -1, true
					break
				}
				if it.must && !w.items[w.rank[p]].must {
					w.items[w.rank[p]].must, again = true, true
				}
			}
		}
	}
	for again := true; again; {
		again = false
		for n := range w.items {
			it := &w.items[n]
			if w.rank[it.j] < 0 || it.worth <= 0 && !it.must && !it.needed {
				continue
			}
			for _, p := range in.Offerings[it.j].Prerequisites {
				if r := w.rank[p]; r >= 0 && !w.items[r].needed {
					w.items[r].needed, again = true, true
				}
			}
		}
	}
	kept := w.items[:0]
	for _, it := range w.items {
		if w.rank[it.j] >= 0 && (it.worth > 0 || it.must || it.needed) {
			w.rank[it.j] = int32(len(kept))
			kept = append(kept, it)
		} else {
			w.rank[it.j] = -1
		}
	}
	w.items = kept
	return true
}

// sequence drops an item's options before which no option of its prerequisite
// ends, and reports whether there were any.
func (w *searcher) sequence(it, pre *item) bool {
	kept := it.lo
	for n := it.lo; n < it.hi; n++ {
		first := w.s.options[w.choice[n].option].first
		ok := first < 0
		for p := pre.lo; p < pre.hi && !ok; p++ {
			ok = w.s.options[w.choice[p].option].last <= first
		}
		if ok {
			w.choice[kept] = w.choice[n]
			kept++
		}
	}
	if kept == it.hi {
		return false
	}
	it.hi = kept
	if it.lo < it.hi {
		it.worth += it.price - w.choice[it.lo].price
		it.price = w.choice[it.lo].price
	}
	return true
}

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
		it.chain = w.chain(it.j)
		it.dear = w.cheapest(it, n)
		it.linear = w.gross(it, w.bestG) - it.dear
		it.worth = it.linear - w.tau*it.hours
	}
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

// tiny keeps the search from chasing differences of rounding.
const tiny = 1e-9

// fix drops the items that the bound shows to be out, and orders the rest:
// required ones first, then by how much a wrong decision gives up, but no item
// before its prerequisites.
func (w *searcher) fix() {
	kept := w.items[:0]
	for _, it := range w.items {
		if it.must || it.worth >= 0 || w.ub+it.worth > w.best+w.slack {
			kept = append(kept, it)
		}
	}
	w.items = kept
	slices.SortFunc(w.items, func(a, b item) int {
		if a.must != b.must {
			if a.must {
				return -1
			}
			return 1
		}
		x, y := a.worth, b.worth // take first what is surely in; leave for last what is nearly indifferent
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
	for again := true; again; { // bubble prerequisites up; chains are short
		again = false
		for n := range w.items {
			w.rank[w.items[n].j] = int32(n)
		}
		for n := range w.items {
			for _, p := range w.m.in.Offerings[w.items[n].j].Prerequisites {
				if r := w.indexOf(p); r > n {
					it := w.items[r]
					copy(w.items[n+1:r+1], w.items[n:r])
					w.items[n] = it
					again = true
					break
				}
			}
			if again {
				break
			}
		}
	}
	w.tabulate()
	w.musts = 0
	for n := range w.items {
		it := &w.items[n]
		it.pre = it.pre[:0]
		for _, p := range w.m.in.Offerings[it.j].Prerequisites {
			if !w.has[p] {
				it.pre = append(it.pre, int32(w.indexOf(p)))
			}
		}
		if it.must {
			w.musts = n + 1
		}
	}
}

// tabulate solves the linear knapsack in whole steps of the grid from every
// item on, by dynamic programming: a bound that does not cut items in parts.
func (w *searcher) tabulate() {
	n, grid := len(w.items), w.m.grid
	w.units = int(w.room/grid + 1e-6)
	row := w.units + 1
	w.table = slices.Grow(w.table[:0], (n+1)*row)[:(n+1)*row]
	clear(w.table[n*row:])
	for d := n - 1; d >= 0; d-- {
		it := &w.items[d]
		it.units = int(it.hours/grid + 1e-6)
		from, to := w.table[(d+1)*row:(d+2)*row], w.table[d*row:(d+1)*row]
		if it.must {
			for u := range to {
				to[u] = math.Inf(-1)
				if u >= it.units {
					to[u] = from[u-it.units] + it.linear
				}
			}
			continue
		}
		copy(to, from)
		if h := it.units; it.linear > 0 {
			for u := h; u < row; u++ {
				to[u] = max(from[u], from[u-h]+it.linear)
			}
		}
	}
}

// indexOf returns where an offering stands among the items, or −1.
func (w *searcher) indexOf(j int32) int {
	if r := w.rank[j]; r >= 0 && int(r) < len(w.items) && w.items[r].j == j {
		return int(r)
	}
	return -1
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
	if d >= w.musts && value > w.best+tiny {
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
	m, s, k, words := w.m, w.s, w.m.k, w.s.words
	it := &w.items[d]
	if !it.must && it.worth < 0 { // the likelier way first
		w.visit(q, d+1, level, value, linear, room, money)
	}
	fits := it.hours <= room+1e-6
	for _, p := range it.pre {
		fits = fits && p >= 0 && w.inPlan[p]
	}
	rest := w.table[(d+1)*(w.units+1)+max(0, units-it.units)]
	if fits && linear+it.linear+rest > w.best+w.slack {
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
	if !it.must && it.worth >= 0 {
		w.visit(q, d+1, level, value, linear, room, money)
	}
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

// value returns E of the loaded person under some options, and what changes
// against the earlier plan are charged.
func (w *searcher) value(options []uint16) (gain, charge float64) {
	copy(w.sum, w.v)
	for _, o := range options {
		j := w.s.options[o].offering
		for z := w.m.zStart[j]; z < w.m.zStart[j+1]; z++ {
			x := w.sum[w.m.zSkill[z]] * w.m.depth[w.profile+int(z)]
			gain += x
			w.sum[w.m.zSkill[z]] -= x
		}
	}
	if w.change {
		same := 0
		for _, o := range options {
			if slices.Contains(w.prior, int32(o)) {
				same++
			}
		}
		charge = w.m.in.ChangePrice * float64(len(options)+w.priorN-2*same)
	}
	return gain, charge
}
