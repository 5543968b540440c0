package solve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// ErrInstance is wrapped by the errors of an instance that is not well formed.
var ErrInstance = errors.New("solve: the instance is not well formed")

// ErrNoPlan says that a solve was stopped before it had a first plan.
var ErrNoPlan = errors.New("solve: stopped before the first plan")

// Solve finds a plan and a bound. It fails only on an instance that is not well
// formed. What cannot be met is named in Plan.Unplaced and Plan.Conflicts; the
// plan meets all the rest. When ctx ends, the best plan so far is returned, or
// ErrNoPlan.
func Solve(ctx context.Context, in *Instance, o Options) (*Plan, error) {
	if o.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Time)
		defer cancel()
	}
	pr, err := Prepare(in, o.Workers)
	if err != nil {
		return nil, err
	}
	var p *Plan
	if in.People.Len() > mostJoint && len(in.Sites) > 1 {
		p, err = pr.bySite(ctx, o)
	} else {
		p, err = pr.jointly(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	pr.explain(p)
	return p, nil
}

// mostJoint is how many people are planned as one block; beyond it, sites are
// planned one by one, given the prices of what they share.
const mostJoint = 12000

// Problem is an instance made ready: rules sorted, demands reconciled.
type Problem struct {
	m         *model
	conflicts []Conflict
	unplaced  []Unplaced
}

// Prepare makes an instance ready for SolveSite. It is the same on every node.
func Prepare(in *Instance, workers int) (*Problem, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	pr := &Problem{m: compile(in)}
	pr.conflicts, pr.unplaced = pr.m.reconcile(workers)
	return pr, nil
}

// explain puts the conflicts found before the search in front of a plan's own.
func (pr *Problem) explain(p *Plan) {
	for n := range p.Unplaced {
		p.Unplaced[n].Conflict += int32(len(pr.conflicts))
	}
	p.Conflicts = append(slices.Clone(pr.conflicts), p.Conflicts...)
	p.Unplaced = append(slices.Clone(pr.unplaced), p.Unplaced...)
}

// whole is the allotment of everything there is.
func (m *model) whole() allotment {
	return allotment{money: m.in.Budget, floor: slices.Clone(m.floor)}
}

// jointly solves all sites as one block.
func (pr *Problem) jointly(ctx context.Context, o Options) (*Plan, error) {
	var sites []int32
	for s := range pr.m.sites {
		sites = append(sites, int32(s))
	}
	s := newSearch(newBlock(ctx, pr.m, &o, sites, pr.m.whole(), o.Seed))
	s.run(func(missed []int32) bool { return pr.lower(ctx, missed, o.Workers) })
	for s.again { // without floors that cannot be reached
		spent := s.b.work.Load()
		s = newSearch(newBlock(ctx, pr.m, &o, sites, pr.m.whole(), o.Seed))
		s.b.work.Add(spent)
		s.run(func(missed []int32) bool { return pr.lower(ctx, missed, o.Workers) })
	}
	if s.best == nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPlan, context.Cause(ctx))
	}
	r := s.result()
	r.Site = -1
	return pr.m.assemble([]*SiteResult{r}, o.Seed), nil
}

// stopped reports whether the search must end.
func (b *block) stopped() bool { return b.ctx.Err() != nil }

// search is the course of one block's solution.
type search struct {
	b     *block
	a     *ascent
	caps  []float64
	rng   *rand.Rand
	mean  []float64
	best  *draft
	bound float64
	price []float64 // those of bound
	ub    []float32 // [member] of bound
	warn  []Warning
	spent bool // the work budget ran out
	again bool // to be run again, with other floors
}

func newSearch(b *block) *search {
	n := len(b.res)
	s := &search{
		b: b, a: &ascent{use: make([]float64, n), cover: make([]float64, n), square: make([]float64, n)},
		caps: make([]float64, n), mean: make([]float64, n), bound: math.Inf(1),
		rng: rand.New(rand.NewPCG(b.seed, 0x9e3779b97f4a7c15)),
		ub:  make([]float32, len(b.people)), price: make([]float64, n),
	}
	for r := range s.caps {
		s.caps[r] = b.res[r].cap
	}
	return s
}

// over reports whether a limit was reached.
func (s *search) over() bool {
	o := s.b.opt
	if o.Work > 0 && s.b.work.Load() >= o.Work {
		s.spent = true
	}
	return s.spent || s.b.stopped() || s.best != nil && s.gap() <= max(o.Gap, 1e-9)
}

func (s *search) gap() float64 {
	if s.best == nil || math.IsInf(s.bound, 1) {
		return 1
	}
	return (s.bound - s.best.value) / math.Max(math.Abs(s.bound), 1e-9)
}

func (s *search) tell(phase string) {
	if s.b.opt.Progress == nil {
		return
	}
	p := Progress{Phase: phase, Work: s.b.work.Load(), Gap: s.gap()}
	if s.best != nil {
		p.Best = s.best.value
	}
	if !math.IsInf(s.bound, 1) {
		p.Bound = s.bound
	}
	s.b.opt.Progress(p)
}

// lower waives those of some floors that no plan reaches, even one for the
// group alone, and reports whether there were any.
func (pr *Problem) lower(ctx context.Context, groups []int32, workers int) (any bool) {
	m := pr.m
	for _, g := range groups {
		o := Options{Workers: workers}
		var sites []int32
		most := 0.0
		if joint := m.in.People.Len() <= mostJoint; joint {
			for s := range m.sites {
				sites = append(sites, int32(s))
			}
			most = m.mostFor(ctx, &o, sites, g)
		} else {
			for s := range m.sites { // what a site can do with all the money
				most += m.mostFor(ctx, &o, []int32{int32(s)}, g)
			}
		}
		if ctx.Err() != nil || most >= m.floor[g] {
			continue
		}
		pr.conflicts = append(pr.conflicts, Conflict{Rule: RuleFloor, Team: -1, Unit: -1, Group: g, At: -1, Need: m.floor[g], Have: most})
		m.floor[g], any = 0, true
	}
	return any
}

// mostFor bounds the summed gain of a group's people.
func (m *model) mostFor(ctx context.Context, o *Options, sites []int32, g int32) float64 {
	al := m.whole()
	clear(al.floor)
	al.only = &g
	b := newBlock(ctx, m, o, sites, al, 0)
	if len(b.people) == 0 {
		return 0
	}
	s := newSearch(b)
	s.settle(12, 0)
	s.certify(0)
	return s.bound
}

// run alternates between prices and plans until a limit is reached, or three
// cycles in a row have brought next to nothing. If the first plan misses floors,
// it asks whether they were found to be out of reach; then it must be run again.
func (s *search) run(lower func(missed []int32) bool) {
	idle := 0
	for cycle := 0; ; cycle++ {
		before := s.gap()
		if cycle == 0 {
			s.settle(12, cycle)
		} else {
			s.settle(6, cycle)
		}
		s.certify(cycle)
		if cycle%4 == 0 {
			s.attempt(cycle)
		}
		if missed := s.shortOf(); cycle == 0 && len(missed) > 0 && !s.b.stopped() && lower(missed) {
			s.again = true
			return
		}
		s.polish(30 + 20*cycle)
		if s.over() {
			break
		}
		if s.gap() < 0.97*before {
			idle = 0
		} else if idle++; idle == 3 {
			break
		}
	}
	if len(s.shortOf()) > 0 {
		s.warn = append(s.warn, WarnFloor)
	}
	if s.b.stopped() {
		s.warn = append(s.warn, WarnCancelled)
	} else if s.gap() > max(s.b.opt.Gap, 1e-9) {
		s.warn = append(s.warn, WarnStopped)
	}
}

// shortOf lists the groups whose floor the best draft misses.
func (s *search) shortOf() (groups []int32) {
	for g, r := range s.b.floor {
		if r >= 0 && s.best != nil && s.best.left[r] < -loose {
			groups = append(groups, int32(g))
		}
	}
	return groups
}

// polish takes their bundles from a twentieth of the members, mostly those who
// fall furthest short of what they could have at the prices of the bound, and
// dives for them again; the new draft stays if it is better (ruin and recreate,
// Schrimpf et al. 2000).
func (s *search) polish(times int) {
	b := s.b
	key := make([]float64, len(b.people))
	which := b.everyone()
	for range times {
		if s.over() {
			break
		}
		copy(b.price, s.price)
		b.reprice()
		for n, x := range s.best.regrets(s.ub) {
			key[n] = (max(x, 0) + 0.0005) * s.rng.ExpFloat64()
		}
		slices.SortFunc(which, func(x, y int32) int { return cmp.Or(cmp.Compare(key[y], key[x]), cmp.Compare(x, y)) })
		d := s.best.copyOf()
		d.dive(slices.Clone(which[:min(len(which), max(len(which)/20, 30))]), s.a, 8, 15, 0.006, 0.006, s.rng)
		if !b.stopped() && d.better(s.best) {
			s.best = d
		}
	}
	copy(b.price, s.price)
	b.reprice()
	s.tell("improve")
}

// settle moves the prices: some rounds of exact searches, which add bundles to
// the pools, each followed by many cheap steps on the pools alone. The prices
// that leave a round are the mean over its steps.
func (s *search) settle(rounds, cycle int) {
	b, a := s.b, s.a
	eta, decay, steps, more := 0.05, 0.85, 5, 10
	if cycle > 0 {
		eta, decay, steps, more = 0.01/float64(cycle), 0.9, 120, 0
	}
	for range rounds {
		if b.stopped() || s.over() && s.best != nil {
			return
		}
		s.record(b.exact(100, 0.002, a.use, a.cover))
		a.temper = 0
		clear(s.mean)
		clear(a.square)
		for step := range steps {
			if step > 0 {
				b.choose(a)
			}
			b.step(a, s.caps, eta)
			if step < steps/2 {
				continue
			}
			for r, p := range b.price {
				s.mean[r] += p
			}
		}
		for r := range s.mean {
			b.price[r] = s.mean[r] / float64(steps-steps/2)
		}
		eta *= decay
		steps += more
		s.tell("prices")
	}
}

// record keeps a bound if it is the best.
func (s *search) record(bound float64) {
	if s.b.stopped() || bound >= s.bound {
		return
	}
	s.bound = bound
	copy(s.price, s.b.price)
	for n := range s.b.people {
		s.ub[n] = up(s.b.people[n].ub)
	}
}

// up rounds to a float32 that is not less.
func up(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, math.MaxFloat32)
	}
	return f
}

// certify searches everybody thoroughly at the present prices, for the bound.
func (s *search) certify(cycle int) {
	if s.b.stopped() {
		return
	}
	slack := min(max(0.0002, 0.1*s.b.opt.Gap), 0.001) / float64(1+cycle) // E a person
	s.record(s.b.exact(60000<<min(2*cycle, 8), slack, s.a.use, s.a.cover))
	s.tell("bound")
}

// attempt makes a plan at the present prices, and keeps it if it is the best.
func (s *search) attempt(cycle int) {
	b := s.b
	prices := slices.Clone(b.price)
	d := b.empty()
	d.dive(b.everyone(), s.a, 12+4*cycle, 15+5*cycle, 0.006, 0.006, s.rng)
	d.lift(s.rng)
	if s.best == nil && (!b.stopped() || d.waiting() == 0) || s.best != nil && d.better(s.best) {
		s.best = d
	}
	copy(b.price, prices)
	b.reprice()
	s.tell("plan")
}

// better prefers meeting the floors, then placing everybody, then value.
func (d *draft) better(e *draft) bool {
	if x, y := d.missed(), e.missed(); math.Abs(x-y) > loose {
		return x < y
	}
	if x, y := d.waiting(), e.waiting(); x != y {
		return x < y
	}
	return d.value > e.value
}

// missed is by how much the draft misses floors in all.
func (d *draft) missed() (sum float64) {
	for _, r := range d.b.floor {
		if r >= 0 {
			sum += max(0, -d.left[r])
		}
	}
	return sum
}

// waiting counts members who have nothing although something is required.
func (d *draft) waiting() (n int) {
	for x := range d.b.people {
		if d.b.people[x].must != nothing && len(d.at[x].options) == 0 {
			n++
		}
	}
	return n
}

// result writes the best draft down.
func (s *search) result() *SiteResult {
	b := s.b
	r := &SiteResult{Prices: s.prices(), Warnings: s.warn, Work: b.work.Load()}
	order := b.everyone() // by index of person
	slices.SortFunc(order, func(x, y int32) int { return cmp.Compare(b.people[x].id, b.people[y].id) })
	for _, n := range order {
		mb := &b.people[n]
		bu := &s.best.at[n]
		lo := len(r.Choices)
		for _, o := range bu.options {
			op := &b.sites[mb.site].options[o]
			r.Choices = append(r.Choices, Choice{mb.id, op.offering, op.session})
		}
		slices.SortFunc(r.Choices[lo:], func(x, y Choice) int { return cmp.Compare(x.Offering, y.Offering) })
		r.Gains = append(r.Gains, float32(bu.gain))
		r.PersonUB = append(r.PersonUB, s.ub[n])
		r.Value += bu.gain - bu.charge
		r.Charge += bu.charge
	}
	r.unplaced(s.best)
	return r
}

// assemble puts the results of all sites, or of all together, into one plan.
func (m *model) assemble(results []*SiteResult, seed uint64) *Plan {
	in := m.in
	n := in.People.Len()
	p := &Plan{Gains: make([]float32, n), PersonUB: make([]float32, n), Seed: seed,
		Prices: Prices{Unit: make([]float64, len(in.Units)), Seat: make([]float64, len(in.Sessions)), Floor: make([]float64, len(in.Groups))}}
	choices := 0
	for _, r := range results {
		choices += len(r.Choices)
	}
	p.Choices = make([]Choice, 0, choices)
	for _, r := range results {
		people := m.sites[max(r.Site, 0)].people
		if r.Site < 0 {
			people = nil
			for i := range n {
				people = append(people, int32(i))
			}
		} else {
			people = slices.Sorted(slices.Values(people))
		}
		for x, i := range people {
			p.Gains[i], p.PersonUB[i] = r.Gains[x], r.PersonUB[x]
		}
		p.Choices = append(p.Choices, r.Choices...)
		p.Objective += r.Value
		p.ChangeCost += r.Charge
		p.Work += r.Work
		p.Prices.Money = max(p.Prices.Money, r.Prices.Money) // the same everywhere
		for _, x := range r.Prices.Floor {
			p.Prices.Floor[x.Index] = x.Price
		}
		for _, x := range r.Prices.Unit {
			p.Prices.Unit[x.Index] = x.Price
		}
		for _, x := range r.Prices.Seat {
			p.Prices.Seat[x.Index] = x.Price
		}
		p.Prices.Cover = append(p.Prices.Cover, r.Prices.Cover...)
		for _, u := range r.Unplaced {
			u.Conflict += int32(len(p.Conflicts))
			p.Unplaced = append(p.Unplaced, u)
		}
		p.Conflicts = append(p.Conflicts, r.Conflicts...)
		for _, w := range r.Warnings {
			if !slices.Contains(p.Warnings, w) {
				p.Warnings = append(p.Warnings, w)
			}
		}
		r.Choices, r.Gains, r.PersonUB = nil, nil, nil
	}
	slices.SortFunc(p.Choices, func(x, y Choice) int {
		return cmp.Or(cmp.Compare(x.Person, y.Person), cmp.Compare(x.Offering, y.Offering))
	})
	if m.changing() {
		p.Changes = int(math.Round(p.ChangeCost / in.ChangePrice))
	}
	p.Bound = p.bound(in)
	p.Gap = (p.Bound - p.Objective) / math.Max(math.Abs(p.Bound), 1e-9)
	return p
}

// unplaced reports demands for which the draft found no room, although neither
// flow nor money rules them out.
func (p *SiteResult) unplaced(d *draft) {
	b := d.b
	w := b.workers[0]
	for n := range b.people {
		mb := &b.people[n]
		if mb.must == nothing || len(d.at[n].options) > 0 {
			continue
		}
		bs := b.sites[mb.site]
		w.load(bs.site, mb.id)
		shut := d.shut(n, nil)
		for _, j := range w.demands() {
			c := conflict(RuleMoney, mb.id, j)
			c.Have = d.purse(mb)
			c.Need = float64(b.m.in.Offerings[j].Cost)
			for o := bs.start[j]; o < bs.start[j+1]; o++ {
				if shut[o/64]>>(o%64)&1 != 0 {
					c.Rule, c.Need, c.Have = RuleSeats, 1, 0
					c.Sessions = append(c.Sessions, bs.options[o].session)
				}
			}
			p.Unplaced = append(p.Unplaced, Unplaced{mb.id, j, int32(len(p.Conflicts))})
			p.Conflicts = append(p.Conflicts, c)
		}
	}
	if len(p.Unplaced) > 0 {
		p.Warnings = append(p.Warnings, WarnUnplaced)
	}
}

// bound is Σ PersonUB + Σ price·capacity.
func (p *Plan) bound(in *Instance) float64 {
	sum := 0.0
	for _, u := range p.PersonUB {
		sum += float64(u)
	}
	if in.Budget >= 0 {
		sum += p.Prices.Money * in.Budget
	}
	for u, x := range p.Prices.Unit {
		if x > 0 {
			sum += x * in.Units[u].Budget
		}
	}
	for t, x := range p.Prices.Seat {
		if x > 0 {
			sum += x * float64(in.Sessions[t].Seats)
		}
	}
	size := make([]int32, len(in.Teams))
	for _, t := range in.People.Team {
		if t >= 0 {
			size[t]++
		}
	}
	for _, c := range p.Prices.Cover {
		sum += c.Price * float64(mayBeAway(in, c.Team, c.At, size[c.Team]))
	}
	for g, x := range p.Prices.Floor {
		sum -= x * in.Groups[g].Floor
	}
	return sum
}

// prices lists those of the bound that are not 0.
func (s *search) prices() (p SitePrices) {
	b := s.b
	minute := map[int32][]int32{}
	for _, bs := range b.sites {
		for _, t := range bs.teams {
			minute[t] = bs.instants
		}
	}
	for r, x := range s.price {
		if x <= 0 {
			continue
		}
		switch res := &b.res[r]; res.kind {
		case forMoney:
			p.Money = x / res.scale
		case forUnit:
			p.Unit = append(p.Unit, Price{res.index, x / res.scale})
		case forFloor:
			p.Floor = append(p.Floor, Price{res.index, x})
		case forSeat, forCross:
			p.Seat = append(p.Seat, Price{res.index, x})
		case forCover:
			p.Cover = append(p.Cover, CoverPrice{res.index, minute[res.index][res.at], x})
		}
	}
	return p
}

// Validate reports the first thing wrong with an instance's form: a column too
// short, an index out of range, a quantity that cannot be.
func (in *Instance) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInstance, fmt.Sprintf(format, args...))
	}
	n, k := in.People.Len(), len(in.Skills)
	p := &in.People
	switch {
	case n == 0:
		return bad("no people")
	case k == 0:
		return bad("no skills")
	case in.SigmaS <= 0 || in.Innovation >= 0 && in.SigmaI <= 0:
		return bad("sigma must be positive")
	case int(in.Innovation) >= k:
		return bad("innovation is skill %d of %d", in.Innovation, k)
	case in.Alpha < 0 || in.Beta < 0:
		return bad("alpha and beta must not be negative")
	case in.ChangePrice < 0:
		return bad("the price on change must not be negative")
	case len(p.ID) != 0 && len(p.ID) != n, len(p.Site) != n, len(p.Team) != n, len(p.Unit) != n, len(p.Group) != n, len(p.Profile) != n,
		len(p.Hours) != n, len(p.Attention) != n, len(p.Proficiency) != n*k, len(p.Stratum) != 0 && len(p.Stratum) != n:
		return bad("a column of people has another length than position, %d", n)
	}
	for f, row := range in.Fit {
		if len(row) != len(in.Formats) {
			return bad("fit %d has %d formats of %d", f, len(row), len(in.Formats))
		}
	}
	for x, pos := range in.Positions {
		if len(pos.Weights) != k || len(pos.Ceiling) != k {
			return bad("position %d lacks a skill", x)
		}
		for _, w := range pos.Weights {
			if !(w >= 0) {
				return bad("position %d has a negative weight", x)
			}
		}
	}
	home := make([]int32, len(in.Teams))
	for x := range home {
		home[x] = -1
	}
	for i := range n {
		switch {
		case out(p.Position[i], 0, len(in.Positions)), out(p.Site[i], 0, len(in.Sites)), out(p.Team[i], -1, len(in.Teams)),
			out(p.Unit[i], -1, len(in.Units)), out(p.Group[i], -1, len(in.Groups)), out(p.Profile[i], 0, len(in.Fit)):
			return bad("person %d refers to what is not there", i)
		case !(p.Hours[i] >= 0) || !(p.Attention[i] >= 0):
			return bad("person %d has negative time", i)
		}
		if t := p.Team[i]; t >= 0 {
			if home[t] >= 0 && home[t] != p.Site[i] {
				return bad("team %d is on two sites", t)
			}
			home[t] = p.Site[i]
		}
	}
	for j, of := range in.Offerings {
		if len(of.Rates) != k || out(of.Format, 0, len(in.Formats)) || !(of.Hours >= 0) || !(of.Cost >= 0) {
			return bad("offering %d", j)
		}
		for _, r := range of.Rates {
			if !(r >= 0) {
				return bad("offering %d has a negative rate", j)
			}
		}
		for _, x := range of.Prerequisites {
			if out(x, 0, len(in.Offerings)) {
				return bad("offering %d needs one that is not there", j)
			}
		}
		for _, x := range of.Positions {
			if out(x, 0, len(in.Positions)) {
				return bad("offering %d is for a position that is not there", j)
			}
		}
	}
	for t, se := range in.Sessions {
		if out(se.Offering, 0, len(in.Offerings)) || out(se.Site, -1, len(in.Sites)) || se.Seats < -1 {
			return bad("session %d", t)
		}
		for a, mt := range se.Meetings {
			if mt.Start < 0 || mt.End <= mt.Start || (mt.End-1)/1440 != mt.Start/1440 {
				return bad("session %d has a meeting that is empty or passes midnight", t)
			}
			for _, other := range se.Meetings[:a] {
				if mt.Start < other.End && other.Start < mt.End {
					return bad("session %d meets twice at once", t)
				}
			}
		}
	}
	for x, c := range in.Cover {
		if out(c.Team, -1, len(in.Teams)) || c.End <= c.Start {
			return bad("cover %d", x)
		}
	}
	for x, md := range in.Mandates {
		if out(md.Offering, 0, len(in.Offerings)) {
			return bad("mandate %d", x)
		}
		for _, i := range md.People {
			if out(i, 0, n) {
				return bad("mandate %d is for a person who is not there", x)
			}
		}
	}
	for _, list := range [][]Choice{in.Locked, in.Forbidden, in.Held, in.Prior} {
		for _, c := range list {
			if out(c.Person, 0, n) || out(c.Offering, 0, len(in.Offerings)) || out(c.Session, -1, len(in.Sessions)) ||
				c.Session >= 0 && in.Sessions[c.Session].Offering != c.Offering {
				return bad("a choice of person %d: offering %d, session %d", c.Person, c.Offering, c.Session)
			}
		}
	}
	for _, i := range p.Unchanging {
		if out(i, 0, n) {
			return bad("an unchanging person who is not there")
		}
	}
	return nil
}

func out(x int32, lo, hi int) bool { return int(x) < lo || int(x) >= hi }
