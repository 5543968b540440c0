package solve

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Solve finds a plan and a bound. It fails only on an instance that is not well
// formed. What cannot be met is named in Plan.Unplaced and Plan.Conflicts; the
// plan meets all the rest. When ctx ends, the best plan so far is returned: at the
// least one in which everybody attends what they must.
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
	if _, ok := s.b.ctx.Deadline(); ok {
		s.sketch()
	}
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

// sketch is a first plan for those in a hurry: one after the other, in an order
// drawn from the seed, everybody takes the best that is left.
func (s *search) sketch() {
	b := s.b
	b.reprice()
	d := b.empty()
	d.reserve(b.everyone())
	d.improve(1, 300, 0.005, s.rng, b.everyone())
	s.best = d
	s.tell("plan")
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
	if s.best == nil || d.better(s.best) {
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
