package check

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"

	"attune/internal/engine/solve"
)

// bound verifies the certificate: prices are not negative, Bound is what they
// and the people's bounds add up to, and no person can be worth more at these
// prices than PersonUB says.
func (c *checker) bound() {
	in, p := c.in, &c.plan.Prices
	bad := func(person int32, need, have float64) {
		v := blank(RuleBound)
		v.Person, v.Need, v.Have = person, need, have
		c.report(v)
	}
	sum := 0.0
	for _, u := range c.plan.PersonUB {
		sum += float64(u)
	}
	negative := p.Money < 0 || p.Money > 0 && in.Budget < 0
	sum += p.Money * max(in.Budget, 0)
	for u, x := range p.Unit {
		negative = negative || x < 0 || x > 0 && in.Units[u].Budget < 0
		sum += x * max(in.Units[u].Budget, 0)
	}
	for t, x := range p.Seat {
		negative = negative || x < 0 || x > 0 && in.Sessions[t].Seats < 0
		sum += x * float64(max(in.Sessions[t].Seats, 0))
	}
	for _, x := range p.Cover {
		negative = negative || x.Price < 0
		sum += x.Price * float64(c.allowed(x.Team, x.At))
	}
	for g, x := range p.Floor {
		negative = negative || x < 0
		sum -= x * in.Groups[g].Floor
	}
	c.rep.Bound = sum
	c.rep.Gap = (sum - c.rep.Objective) / math.Max(math.Abs(sum), 1e-9)
	if negative || math.Abs(sum-c.plan.Bound) > valueSlack*(1+math.Abs(sum)) || c.rep.Objective > sum+valueSlack*(1+math.Abs(sum)) {
		bad(-1, c.plan.Bound, sum)
	}

	cover := map[int32][]solve.CoverPrice{}
	for _, x := range p.Cover {
		cover[x.Team] = append(cover[x.Team], x)
	}
	bySite := make([][]int32, len(in.Sites)) // sessions of each site
	for t, se := range in.Sessions {
		for s := range in.Sites {
			if se.Site < 0 || int(se.Site) == s {
				bySite[s] = append(bySite[s], int32(t))
			}
		}
	}
	n := in.People.Len()
	step := (n + mostPeople - 1) / mostPeople
	verdicts := make([]verdict, n)
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			pr := &prover{c: c, cover: cover, bySite: bySite}
			for i := w * step; i < n; i += workers * step {
				verdicts[i] = pr.prove(int32(i), float64(c.plan.PersonUB[i]))
			}
		})
	}
	all.Wait()
	for i, v := range verdicts {
		switch {
		case i%step != 0:
			c.rep.Skipped++
		case v.open:
			c.rep.Open++
		case v.beaten:
			bad(int32(i), float64(c.plan.PersonUB[i]), v.worth)
		default:
			c.rep.Proved++
		}
	}
}

// verdict is what became of the attempt to beat a person's bound.
type verdict struct {
	open, beaten bool
	worth        float64
}

// prover looks for a bundle worth more than a person's bound. It works on the
// list of everything the person could attend, as 0-1 columns, under rows: hours,
// minutes of each day, meetings at the same time, one session of an offering,
// and prerequisites. A Lagrangean bound on the rows cuts the search.
type prover struct {
	c      *checker
	cover  map[int32][]solve.CoverPrice
	bySite [][]int32

	cols   []column
	rows   []float64 // right-hand sides
	groups []group
	forced []int32   // offerings of which a session must be taken
	room   []float64 // [skill] value left
	limit  float64
	nodes  int
	worth  float64
	beaten bool
	proof  []int     // columns of the bundle that beats the bound
	slope  []float64 // [skill]
	mult   []float64 // [row]
	suffix []float64
	whole  [][]float64
	hours  float64
	base   float64
	taken  []int // columns
	load   []float64
}

// column is one session for one person.
type column struct {
	offering, session int32
	hours             float64
	price             float64
	rate              []float64 // [skill] A that it adds
	rows              []int
	coef              []float64
	pre               []int32 // offerings that must be taken before
	linear            float64 // reduced worth
}

// group is the columns of one offering: cols[lo:hi].
type group struct {
	offering int32
	lo, hi   int
	must     bool
	depth    int
	hours    float64
	linear   float64 // of the best column
}

const (
	mostNodes = 4_000_000
	rounds    = 150
)

func (p *prover) prove(i int32, limit float64) verdict {
	p.build(i)
	in := p.c.in
	if in.ChangePrice > 0 {
		for _, d := range p.c.rules[i] {
			if d.kind == "prior" {
				limit += in.ChangePrice
			}
		}
	}
	p.limit = limit + 1e-6*(1+math.Abs(limit))
	p.nodes, p.beaten = 0, false
	p.multipliers()
	p.order()
	p.taken = p.taken[:0]
	p.load = make([]float64, len(p.rows))
	p.search(0, 0, p.base, slices.Clone(p.room))
	return verdict{open: p.nodes > mostNodes && !p.beaten, beaten: p.beaten, worth: p.worth}
}

// build lists the person's columns and rows.
func (p *prover) build(i int32) {
	c, in := p.c, p.c.in
	k := len(in.Skills)
	p.cols, p.rows, p.forced = p.cols[:0], p.rows[:0], p.forced[:0]
	theta := 0.0
	if g := in.People.Group[i]; g >= 0 && len(c.plan.Prices.Floor) > 0 {
		theta = c.plan.Prices.Floor[g]
	}
	p.room = make([]float64, k)
	pos := &in.Positions[in.People.Position[i]]
	for s := range k {
		per := in.Alpha / in.SigmaS * float64(pos.Weights[s])
		if int32(s) == in.Innovation {
			per = in.Beta / in.SigmaI
		}
		p.room[s] = (1 + theta) * per * max(0, float64(pos.Ceiling[s])-float64(in.People.Proficiency[int(i)*k+s]))
	}
	mine := c.rules[i]
	stays := slices.ContainsFunc(mine, func(d demand) bool { return d.kind == "stay" })
	prior := func(t int32) bool {
		return slices.ContainsFunc(mine, func(d demand) bool { return d.kind == "prior" && d.session == t })
	}
	for _, t := range p.bySite[in.People.Site[i]] {
		se := &in.Sessions[t]
		of := &in.Offerings[se.Offering]
		ok := (len(of.Positions) == 0 || slices.Contains(of.Positions, in.People.Position[i])) && of.Hours <= in.People.Hours[i]
		for _, d := range mine {
			ok = ok && !(d.offering == se.Offering && (d.kind == "held" || d.kind == "not" && (d.session < 0 || d.session == t)))
		}
		if ok = ok && (!stays || prior(t)); !ok {
			continue
		}
		x := column{offering: se.Offering, session: t, hours: float64(of.Hours)}
		x.price = c.plan.Prices.Money * float64(of.Cost)
		if u := in.People.Unit[i]; u >= 0 {
			x.price += c.plan.Prices.Unit[u] * float64(of.Cost)
		}
		x.price += c.plan.Prices.Seat[t]
		if team := in.People.Team[i]; team >= 0 {
			for _, q := range p.cover[team] {
				if slices.ContainsFunc(se.Meetings, func(m solve.Meeting) bool { return m.Start <= q.At && q.At < m.End }) {
					x.price += q.Price
				}
			}
		}
		if in.ChangePrice > 0 && len(in.Prior) > 0 {
			if prior(t) {
				x.price -= in.ChangePrice
			} else {
				x.price += in.ChangePrice
			}
		}
		x.rate = make([]float64, k)
		for s, r := range of.Rates {
			x.rate[s] = float64(r) * float64(of.Hours) * float64(in.Fit[in.People.Profile[i]][of.Format])
		}
		for _, q := range of.Prerequisites {
			if !c.holds(i, q) {
				x.pre = append(x.pre, q)
			}
		}
		p.cols = append(p.cols, x)
	}
	p.demand(i, stays)
	p.precede()
	p.limits(i)
}

// demand notes what mandates and locks require, and removes the sessions of
// those offerings that do not meet them.
func (p *prover) demand(i int32, stays bool) {
	c := p.c
	var must []demand
	for _, list := range [2][]demand{c.all, c.rules[i]} {
		for _, d := range list {
			if (d.kind == "lock" || d.kind == "must" && !c.holds(i, d.offering) || stays && d.kind == "prior") && !c.excused[[2]int32{i, d.offering}] {
				if d.kind == "prior" {
					d.deadline = math.MaxInt32
				}
				must = append(must, d)
			}
		}
	}
	for _, d := range must {
		p.cols = slices.DeleteFunc(p.cols, func(x column) bool {
			return x.offering == d.offering && (d.session >= 0 && x.session != d.session || c.last(x.session) > d.deadline)
		})
	}
	for _, d := range must {
		p.forced = append(p.forced, d.offering)
	}
}

// precede removes what no prerequisite can come before.
func (p *prover) precede() {
	for again := true; again; {
		n := len(p.cols)
		all := slices.Clone(p.cols)
		p.cols = slices.DeleteFunc(p.cols, func(x column) bool {
			begins := p.c.first(x.session)
			return slices.ContainsFunc(x.pre, func(q int32) bool {
				return !slices.ContainsFunc(all, func(y column) bool {
					return y.offering == q && (begins < 0 || p.c.last(y.session) <= begins)
				})
			})
		})
		again = len(p.cols) < n
	}
}

// limits adds the rows.
func (p *prover) limits(i int32) {
	in := p.c.in
	row := func(rhs float64, coef func(x *column) float64) {
		r := len(p.rows)
		for n := range p.cols {
			if a := coef(&p.cols[n]); a != 0 {
				p.cols[n].rows, p.cols[n].coef = append(p.cols[n].rows, r), append(p.cols[n].coef, a)
			}
		}
		p.rows = append(p.rows, rhs)
	}
	room := math.Max(float64(in.People.Hours[i]), 1e-3)
	p.hours = room
	row(1, func(x *column) float64 { return math.Max(x.hours, 1e-9) / room }) // the first row of every column
	var offerings, days, starts []int32
	for _, x := range p.cols {
		offerings = append(offerings, x.offering)
		for _, m := range in.Sessions[x.session].Meetings {
			days = append(days, m.Start/1440)
			starts = append(starts, m.Start)
		}
	}
	slices.Sort(offerings)
	slices.Sort(days)
	slices.Sort(starts)
	minutes := func(x *column, day int32) (sum float64) {
		for _, m := range in.Sessions[x.session].Meetings {
			if m.Start/1440 == day {
				sum += float64(m.End - m.Start)
			}
		}
		return sum
	}
	most := float64(in.People.Attention[i])
	p.cols = slices.DeleteFunc(p.cols, func(x column) bool {
		return slices.ContainsFunc(days, func(d int32) bool { return minutes(&x, d) > most })
	})
	for _, d := range slices.Compact(days) {
		row(1, func(x *column) float64 { return minutes(x, d) / math.Max(most, 1) })
		row(1, func(x *column) float64 { // of those longer than half a day's attention only one
			if 2*minutes(x, d) > most {
				return 1
			}
			return 0
		})
	}
	for _, s := range slices.Compact(starts) {
		row(1, func(x *column) float64 {
			if slices.ContainsFunc(in.Sessions[x.session].Meetings, func(m solve.Meeting) bool { return m.Start <= s && s < m.End }) {
				return 1
			}
			return 0
		})
	}
	for _, j := range slices.Compact(slices.Clone(offerings)) {
		for _, pre := range in.Offerings[j].Prerequisites {
			if p.c.holds(i, pre) {
				continue
			}
			row(0, func(x *column) float64 {
				switch x.offering {
				case j:
					return 1
				case pre:
					return -1
				}
				return 0
			})
		}
	}
}

// multipliers lowers the Lagrangean bound
//
//	Σ_s max_A [v_s(1−e^(−A)) − g_s·A] + Σ_r y_r·b_r + Σ_offerings max(0, max over its sessions of Σ_s g_s·a_s − price − Σ_r y_r·n_r)
//
// by subgradient steps aimed at the limit, and keeps the best. Whatever the
// slopes g and multipliers y ≥ 0, no bundle is worth more.
func (p *prover) multipliers() {
	k := len(p.room)
	at := make([]float64, k)
	slope, sum := make([]float64, k), make([]float64, k)
	y, load := make([]float64, len(p.rows)), make([]float64, len(p.rows))
	p.slope, p.mult = make([]float64, k), make([]float64, len(p.rows))
	p.group()
	best, since, pace := math.Inf(1), 0, 1.0
	y[0] = 0.5
	for round := range rounds {
		bound := 0.0
		for s, v := range p.room {
			slope[s] = v * math.Exp(-at[s])
			bound += v - slope[s] - slope[s]*at[s]
		}
		for r, x := range y {
			bound += x * p.rows[r]
			load[r] = -p.rows[r]
		}
		clear(sum)
		for _, g := range p.groups {
			top, pick := math.Inf(-1), -1
			for n := g.lo; n < g.hi; n++ {
				if w := p.reduced(&p.cols[n], slope, y); w > top {
					top, pick = w, n
				}
			}
			if top > 0 || g.must && pick >= 0 {
				bound += top
				x := &p.cols[pick]
				for s, a := range x.rate {
					sum[s] += a
				}
				for q, r := range x.rows {
					load[r] += x.coef[q]
				}
			}
		}
		if bound < best {
			if best-bound > 1e-5 {
				since = 0
			}
			best = bound
			copy(p.slope, slope)
			copy(p.mult, y)
			if best <= p.limit {
				return
			}
		}
		if since++; since > 8 {
			since, pace = 0, pace/2
			copy(y, p.mult)
		}
		norm := 0.0
		for r, d := range load {
			if d > 0 || y[r] > 0 {
				norm += d * d
			}
		}
		if norm > 0 {
			t := pace * math.Min(bound-p.limit, 0.1*math.Abs(bound)) / norm
			for r, d := range load {
				y[r] = max(0, y[r]+max(t, 0)*d)
			}
		}
		for s := range at {
			at[s] += 2 / float64(round+3) * (sum[s] - at[s])
		}
	}
}

// group gathers the columns of each offering, prerequisites before those that
// need them.
func (p *prover) group() {
	must := map[int32]bool{}
	for _, j := range p.forced {
		must[j] = true
	}
	slices.SortStableFunc(p.cols, func(a, b column) int {
		return cmp.Or(cmp.Compare(p.depth(a.offering, 0), p.depth(b.offering, 0)), cmp.Compare(a.offering, b.offering))
	})
	p.groups = p.groups[:0]
	for n := range p.cols {
		j := p.cols[n].offering
		if n == 0 || p.cols[n-1].offering != j {
			p.groups = append(p.groups, group{offering: j, lo: n, must: must[j], depth: p.depth(j, 0), hours: p.cols[n].hours})
		}
		p.groups[len(p.groups)-1].hi = n + 1
	}
}

func (p *prover) reduced(x *column, slope, y []float64) float64 {
	w := -x.price
	for s, a := range x.rate {
		w += slope[s] * a
	}
	for q, r := range x.rows {
		w -= y[r] * x.coef[q]
	}
	return w
}

// order sorts the offerings by how much a wrong decision costs, prerequisites
// before those that need them, and sums the bound from the end.
func (p *prover) order() {
	for n := range p.cols {
		p.cols[n].linear = p.reduced(&p.cols[n], p.slope, p.mult)
	}
	for n := range p.groups {
		g := &p.groups[n]
		slices.SortFunc(p.cols[g.lo:g.hi], func(a, b column) int { return cmp.Compare(b.linear, a.linear) })
		g.linear = p.cols[g.lo].linear
	}
	slices.SortFunc(p.groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), -cmp.Compare(math.Abs(a.linear), math.Abs(b.linear)), cmp.Compare(a.offering, b.offering))
	})
	p.base = 0
	for s, v := range p.room {
		if g := p.slope[s]; v > 0 {
			p.base += v - g - g*math.Log(v/g)
		}
	}
	for r, y := range p.mult {
		p.base += y * p.rows[r]
	}
	p.pack()
	p.suffix = make([]float64, len(p.groups)+1)
	for n := len(p.groups) - 1; n >= 0; n-- {
		p.suffix[n] = p.suffix[n+1] + p.groups[n].linear
		if !p.groups[n].must {
			p.suffix[n] = p.suffix[n+1] + max(0, p.groups[n].linear)
		}
	}
}

// pack bounds the rest by a knapsack in quarters of an hour, in place of the
// multiplier of hours: whole[n][q] is the most that offerings n and on can add
// in q quarters.
func (p *prover) pack() {
	y := p.mult[0]
	quarters := int(p.hours*4 + 1e-3)
	p.whole = make([][]float64, len(p.groups)+1)
	p.whole[len(p.groups)] = make([]float64, quarters+1)
	for n := len(p.groups) - 1; n >= 0; n-- {
		g := &p.groups[n]
		worth := g.linear + y*g.hours/p.hours
		need := int(g.hours*4 + 1e-3)
		row := slices.Clone(p.whole[n+1])
		for q := range row {
			with := math.Inf(-1)
			if q >= need {
				with = p.whole[n+1][q-need] + worth
			}
			if g.must {
				row[q] = with
			} else {
				row[q] = max(row[q], with)
			}
		}
		p.whole[n] = row
	}
}

// most is the most that offerings n and on can add to linear, where spent is the
// share of the hours that is taken.
func (p *prover) most(n int, linear, spent float64) float64 {
	y := p.mult[0]
	quarters := int((1-spent)*p.hours*4 + 1e-3)
	return min(linear+p.suffix[n], linear-y*(1-spent)+p.whole[n][max(quarters, 0)])
}

// depth is the longest chain of prerequisites below an offering; circles stop at 50.
func (p *prover) depth(j int32, above int) int {
	most := 0
	for _, q := range p.c.in.Offerings[j].Prerequisites {
		if above < 50 {
			most = max(most, 1+p.depth(q, above+1))
		}
	}
	return most
}

// search decides about offering n and on; value is what those taken are worth
// at the prices, linear the same at the multipliers, left the skills' value still
// to win.
func (p *prover) search(n int, value, linear float64, left []float64) {
	if p.beaten || p.most(n, linear, p.load[0]) <= p.limit {
		return
	}
	if p.nodes++; p.nodes > mostNodes {
		return
	}
	if value > p.limit && p.complete() {
		p.beaten, p.worth, p.proof = true, value, slices.Clone(p.taken)
		return
	}
	if n == len(p.groups) || p.hopeless(n, value, linear, left) {
		return
	}
	g := &p.groups[n]
	if !g.must && g.linear < 0 {
		p.search(n+1, value, linear, left)
	}
	for c := g.lo; c < g.hi; c++ {
		x := &p.cols[c]
		if p.load[0]+x.coef[0] <= 1+1e-6 && p.most(n+1, linear+x.linear, p.load[0]+x.coef[0]) <= p.limit {
			break // the others are worth less still
		}
		if !p.open(x) || !p.ready(x) {
			continue
		}
		next := make([]float64, len(left))
		gain := 0.0
		for s, v := range left {
			next[s] = v * math.Exp(-x.rate[s])
			gain += v - next[s]
		}
		for q, r := range x.rows {
			p.load[r] += x.coef[q]
		}
		p.taken = append(p.taken, c)
		p.search(n+1, value+gain-x.price, linear+x.linear, next)
		p.taken = p.taken[:len(p.taken)-1]
		for q, r := range x.rows {
			p.load[r] -= x.coef[q]
		}
	}
	if !g.must && g.linear >= 0 {
		p.search(n+1, value, linear, left)
	}
}

// hopeless tightens two bounds by what is no longer open: what the rest could
// add at the multipliers, and what it could add if each stood alone.
func (p *prover) hopeless(n int, value, linear float64, left []float64) bool {
	for ; n < len(p.groups); n++ {
		g := &p.groups[n]
		best, alone := math.Inf(-1), 0.0
		for c := g.lo; c < g.hi; c++ {
			x := &p.cols[c]
			if !p.open(x) {
				continue
			}
			best = max(best, x.linear)
			add := -x.price
			for s, v := range left {
				if x.rate[s] > 0 {
					add += v * -math.Expm1(-x.rate[s])
				}
			}
			alone = max(alone, add)
		}
		if g.must {
			linear += best
		} else {
			linear += max(0, best)
		}
		value += alone
	}
	return linear <= p.limit || value <= p.limit
}

// open reports whether a column still fits the rows other than prerequisites;
// one that does not will not do so further down either.
func (p *prover) open(x *column) bool {
	for q, r := range x.rows {
		if x.coef[q] > 0 && p.rows[r] > 0 && p.load[r]+x.coef[q] > p.rows[r]+1e-6 {
			return false
		}
	}
	return true
}

// ready reports whether a column's prerequisites are taken, and in time.
func (p *prover) ready(x *column) bool {
	for _, pre := range x.pre {
		n := slices.IndexFunc(p.taken, func(c int) bool { return p.cols[c].offering == pre })
		if n < 0 {
			return false
		}
		if begins := p.c.first(x.session); begins >= 0 && p.c.last(p.cols[p.taken[n]].session) > begins {
			return false
		}
	}
	return true
}

// complete reports whether everything required is taken.
func (p *prover) complete() bool {
	for _, j := range p.forced {
		if !slices.ContainsFunc(p.taken, func(c int) bool { return p.cols[c].offering == j }) {
			return false
		}
	}
	return true
}
