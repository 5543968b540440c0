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
	needed  bool  // a prerequisite of another item
	parent  int32 // its first prerequisite that is not held, among searcher.items, or −1
	span    int   // of the items from it on, how many are left out with it
	lo, hi  int32 // its options are searcher.choice[lo:hi], cheapest first
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
	musts     int        // the items before this hold all that is required
	extras    [][2]int32 // items and their prerequisites other than the first
	forest    []item
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
