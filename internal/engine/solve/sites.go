package solve

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Shared is what sites share: prices, or amounts.
type Shared struct {
	Money float64           `json:"money"`           // price in E per unit of currency, or an amount of it; −1 for no limit
	Floor []float64         `json:"floor"`           // by group: price, or E
	Unit  map[int32]float64 `json:"unit,omitempty"`  // of units with a budget that have people on several sites
	Seat  map[int32]float64 `json:"seat,omitempty"`  // of sessions open to all sites that have a limit of seats
	Rough bool              `json:"rough,omitempty"` // the prices of Unit and Seat are the site's own, still to be averaged
}

// Task is one site's part of a solve. Tasks of one phase do not depend on each
// other: any node may do any of them, and a task done again gives the same result.
type Task struct {
	Site    int32       `json:"site"`
	Prices  Shared      `json:"prices"`
	Share   Shared      `json:"share"`             // what the site may use
	Warm    *SitePrices `json:"warm,omitempty"`    // of the site's own things, from its first task
	Plan    bool        `json:"plan"`              // make a plan; without it, only find the prices
	Gap     float64     `json:"gap"`               // as in Options, for the site alone
	Work    int64       `json:"work"`              //
	Seed    uint64      `json:"seed"`              //
	Bundles []uint16    `json:"bundles,omitempty"` // from its first task
	Sites   []int32     `json:"sites,omitempty"`   // of a pilot: several sites planned together, whose shared prices are sought
}

// SitePrices are the prices of a site that are not 0.
type SitePrices struct {
	Money float64      `json:"money"`
	Floor []Price      `json:"floor,omitempty"` // by group
	Unit  []Price      `json:"unit,omitempty"`
	Seat  []Price      `json:"seat,omitempty"` // by session
	Cover []CoverPrice `json:"cover,omitempty"`
}

// priceOf returns the price of an index, 0 if it is not listed.
func priceOf(list []Price, index int32) float64 {
	for _, p := range list {
		if p.Index == index {
			return p.Price
		}
	}
	return 0
}

// Price is that of one thing, by index.
type Price struct {
	Index int32   `json:"index"`
	Price float64 `json:"price"`
}

// SiteResult is what came of a Task.
type SiteResult struct {
	Site      int32      `json:"site"`
	Prices    SitePrices `json:"prices"`
	Share     Shared     `json:"share"`               // as in the task
	Use       Shared     `json:"use"`                 // of what is shared, at the prices, before rounding to a plan
	Bundles   []uint16   `json:"bundles,omitempty"`   // worth coming back to: of each person how many, then of each its length and options
	Slope     float64    `json:"slope,omitempty"`     // of a pilot: money less per 1 % on its price
	Choices   []Choice   `json:"choices,omitempty"`   //
	Gains     []float32  `json:"gains,omitempty"`     // of the site's people in order of index
	PersonUB  []float32  `json:"person_ub,omitempty"` // the same
	Charge    float64    `json:"charge,omitempty"`    // E charged for changes
	Value     float64    `json:"value"`               // Σ gains − Charge
	Unplaced  []Unplaced `json:"unplaced,omitempty"`  // with Conflicts
	Conflicts []Conflict `json:"conflicts,omitempty"`
	Warnings  []Warning  `json:"warnings,omitempty"`
	Work      int64      `json:"work"`
}

// SolveSite does one task.
func (pr *Problem) SolveSite(ctx context.Context, t Task, workers int) (*SiteResult, error) {
	o := Options{Gap: t.Gap, Work: t.Work, Seed: t.Seed, Workers: workers}
	al := allotment{money: t.Share.Money, floor: t.Share.Floor, unit: t.Share.Unit, cross: map[int32]int32{}}
	for k, x := range t.Share.Seat {
		al.cross[k] = int32(x)
	}
	sites := t.Sites
	if len(sites) == 0 {
		sites = []int32{t.Site}
	}
	b := newBlock(ctx, pr.m, &o, sites, al, t.Seed^uint64(t.Site)<<20)
	if t.Warm != nil {
		b.adopt(*t.Warm)
		b.unpack(t.Bundles)
	}
	if len(t.Sites) == 0 {
		b.fix(&t.Prices)
	}
	s := newSearch(b)
	switch {
	case len(t.Sites) > 0:
		s.settle(12, 0)
		s.settle(4, 1)
	case !t.Plan:
		s.settle(9, 0)
	default:
		s.refine()
	}
	r := &SiteResult{Site: t.Site, Share: t.Share, Work: b.work.Load()}
	if !t.Plan {
		copy(s.price, b.price)
		r.Prices = s.prices()
		r.Use, r.Slope = s.demand()
		if len(t.Sites) == 0 {
			r.Bundles = b.pack(4)
		}
		return r, nil
	}
	r = s.result()
	r.Site = t.Site
	return r, nil
}

// fix sets the prices of what sites share.
func (b *block) fix(p *Shared) {
	for r := range b.res {
		res := &b.res[r]
		switch res.kind {
		case forMoney:
			b.price[r], b.fixed[r] = p.Money*res.scale, true
		case forFloor:
			b.price[r], b.fixed[r] = p.Floor[res.index], true
		case forUnit:
			if x, ok := p.Unit[res.index]; ok && !p.Rough {
				b.price[r], b.fixed[r] = x*res.scale, true
			}
		case forCross:
			if x, ok := p.Seat[res.index]; ok && !p.Rough {
				b.price[r], b.fixed[r] = x, true
			}
		}
	}
}

// pack writes down the best bundles of each member, at the present prices.
func (b *block) pack(most int) (out []uint16) {
	for n := range b.people {
		mb := &b.people[n]
		bs := b.sites[mb.site]
		th := 1 + b.theta(mb.group)
		worth := func(bu *bundle) float64 { return th*bu.gain - bu.charge - bs.cost(mb.class, bu.options) }
		slices.SortStableFunc(mb.pool, func(x, y bundle) int { return cmp.Compare(worth(&y), worth(&x)) })
		pool := mb.pool[:min(most, len(mb.pool))]
		out = append(out, uint16(len(pool)))
		for _, bu := range pool {
			out = append(append(out, uint16(len(bu.options))), bu.options...)
		}
	}
	return out
}

// unpack puts bundles that were written down into the members' pools.
func (b *block) unpack(in []uint16) {
	if len(in) == 0 {
		return
	}
	w := b.workers[0]
	for n := range b.people {
		mb := &b.people[n]
		w.load(b.sites[mb.site].site, mb.id)
		pool := in[0]
		in = in[1:]
		for range pool {
			options := slices.Clone(in[1 : 1+in[0]])
			in = in[1+in[0]:]
			gain, charge := w.value(options)
			b.add(mb, bundle{options, gain, charge})
		}
	}
}

// refine is run with prices that are nearly right from the start.
func (s *search) refine() {
	s.settle(3, 1)
	s.certify(0)
	for cycle := 0; cycle < 3; cycle++ {
		if cycle == 0 {
			s.attempt(0)
		} else {
			s.settle(3, 1+cycle)
			s.certify(cycle)
		}
		s.polish(15 + 15*cycle)
		if s.over() {
			break
		}
	}
	if len(s.shortOf()) > 0 {
		s.warn = append(s.warn, WarnFloor)
	}
	if s.b.stopped() {
		s.warn = append(s.warn, WarnCancelled)
	} else if s.spent {
		s.warn = append(s.warn, WarnStopped)
	}
}

// demand is how much of what sites share the members would use at the present
// prices, spread over bundles of nearly the same worth, and by how much less
// money if it were 1 % dearer.
func (s *search) demand() (use Shared, slope float64) {
	b, a := s.b, s.a
	a.temper = 0.004
	b.choose(a)
	use = Shared{Money: -1, Floor: make([]float64, len(b.m.in.Groups)), Unit: map[int32]float64{}, Seat: map[int32]float64{}}
	for r := range b.res {
		res := &b.res[r]
		switch res.kind {
		case forMoney:
			use.Money = a.use[r] * res.scale
		case forFloor:
			use.Floor[res.index] = -a.use[r]
		case forUnit:
			use.Unit[res.index] = a.use[r] * res.scale
		case forCross:
			use.Seat[res.index] = a.use[r]
		}
	}
	if b.money >= 0 && b.price[b.money] > 0 {
		was := b.price[b.money]
		b.price[b.money] = 1.02 * was
		b.choose(a)
		slope = (use.Money - a.use[b.money]*b.res[b.money].scale) / 2
		b.price[b.money] = was
		b.reprice()
	}
	return use, slope
}

// bySite solves a problem site by site: a pilot of a few sites finds the prices
// of what is shared; each site its own prices under them, and how much it would
// use; the shared prices are then corrected once, the amounts dealt out in
// proportion to use, and each site is planned.
func (pr *Problem) bySite(ctx context.Context, o Options) (*Plan, error) {
	c := newCoordinator(pr, o)
	tasks := c.pilot()
	for len(tasks) > 0 {
		results, err := c.do(ctx, tasks)
		if err != nil {
			return nil, err
		}
		tasks = c.Next(results)
	}
	return c.Plan(), nil
}

// Coordinator hands out the tasks of a solve by site, phase by phase, and puts
// the results together. It keeps no clock and asks nothing of anyone: whoever
// drives it may do the tasks of a phase in any order, on any node.
type Coordinator struct {
	pr     *Problem
	o      Options
	phase  int
	sizes  []int
	people int
	shared Shared // prices
	whole  Shared // amounts there are
	slope  float64
	plan   *Plan
	work   int64
}

// NewCoordinator begins a solve by site; Pilot gives its first task.
func NewCoordinator(pr *Problem, o Options) (*Coordinator, []Task) {
	c := newCoordinator(pr, o)
	return c, c.pilot()
}

func newCoordinator(pr *Problem, o Options) *Coordinator {
	in := pr.m.in
	c := &Coordinator{pr: pr, o: o, people: in.People.Len()}
	for s := range pr.m.sites {
		c.sizes = append(c.sizes, len(pr.m.sites[s].people))
	}
	c.whole = Shared{Money: in.Budget, Floor: make([]float64, len(in.Groups)), Unit: map[int32]float64{}, Seat: map[int32]float64{}}
	for g := range in.Groups {
		c.whole.Floor[g] = pr.m.floor[g]
	}
	home := make([]int32, len(in.Units))
	for u := range home {
		home[u] = -1
	}
	for i, u := range in.People.Unit {
		if u < 0 || in.Units[u].Budget < 0 {
			continue
		}
		if s := in.People.Site[i]; home[u] >= 0 && home[u] != s {
			c.whole.Unit[u] = in.Units[u].Budget
		} else {
			home[u] = s
		}
	}
	for t, se := range in.Sessions {
		if se.Site < 0 && se.Seats >= 0 {
			c.whole.Seat[int32(t)] = float64(se.Seats)
		}
	}
	return c
}

// part is a share of everything that is shared.
func (c *Coordinator) part(f float64) Shared {
	s := Shared{Money: c.whole.Money, Floor: slices.Clone(c.whole.Floor), Unit: map[int32]float64{}, Seat: map[int32]float64{}}
	if s.Money > 0 {
		s.Money *= f
	}
	for g := range s.Floor {
		s.Floor[g] *= f
	}
	for u, x := range c.whole.Unit {
		s.Unit[u] = x * f
	}
	for t, x := range c.whole.Seat {
		s.Seat[t] = math.Floor(x * f)
	}
	return s
}

// pilot plans some sites, evenly spread, of some 6,000 people in all, together.
func (c *Coordinator) pilot() []Task {
	n := max(1, min(len(c.sizes), 6000*len(c.sizes)/c.people))
	var sites []int32
	people := 0
	for x := range n {
		s := int32(x * len(c.sizes) / n)
		if c.sizes[s] > 0 {
			sites = append(sites, s)
			people += c.sizes[s]
		}
	}
	return []Task{{Site: -1, Sites: sites, Share: c.part(float64(people) / float64(c.people)), Seed: c.o.Seed}}
}

// Next takes the results of a phase, in any order, and gives the tasks of the
// next; none when the plan is done.
func (c *Coordinator) Next(results []*SiteResult) []Task {
	slices.SortFunc(results, func(a, b *SiteResult) int { return cmp.Compare(a.Site, b.Site) })
	for _, r := range results {
		c.work += r.Work
	}
	if c.phase == 0 {
		var short []int32
		for g, x := range results[0].Use.Floor {
			if c.whole.Floor[g] > 0 && x < 0.98*results[0].Share.Floor[g] {
				short = append(short, int32(g))
			}
		}
		if len(short) > 0 && c.pr.lower(context.Background(), short, c.o.Workers) {
			copy(c.whole.Floor, c.pr.m.floor)
			return c.pilot()
		}
	}
	c.phase++
	switch c.phase {
	case 1:
		p := &results[0].Prices
		c.shared = Shared{Money: p.Money, Floor: make([]float64, len(c.whole.Floor)), Unit: map[int32]float64{}, Seat: map[int32]float64{}, Rough: true}
		for _, x := range p.Floor {
			c.shared.Floor[x.Index] = x.Price
		}
		c.slope = results[0].Slope / max(results[0].Use.Money, 1)
		var tasks []Task
		for s, n := range c.sizes {
			if n > 0 {
				tasks = append(tasks, Task{Site: int32(s), Prices: c.shared, Share: c.part(float64(n) / float64(c.people)), Seed: c.o.Seed})
			}
		}
		return tasks
	case 2:
		return c.deal(results)
	}
	c.plan = c.pr.m.assemble(results, c.o.Seed)
	c.plan.Prices.Money, c.plan.Prices.Floor = c.shared.Money, c.shared.Floor
	c.plan.Bound = c.plan.bound(c.pr.m.in)
	c.plan.Gap = (c.plan.Bound - c.plan.Objective) / math.Max(math.Abs(c.plan.Bound), 1e-9)
	c.plan.Work = c.work
	c.plan.Warnings = slices.DeleteFunc(c.plan.Warnings, func(w Warning) bool { return w == WarnFloor })
	sum := make([]float64, len(c.whole.Floor))
	for i, g := range c.pr.m.in.People.Group {
		if g >= 0 {
			sum[g] += float64(c.plan.Gains[i])
		}
	}
	for g, x := range c.whole.Floor {
		if sum[g] < x*(1-1e-6) {
			c.plan.Warnings = append(c.plan.Warnings, WarnFloor)
			break
		}
	}
	return nil
}

// deal corrects the shared prices by what all sites together would use, and
// deals the amounts out in proportion to each site's use.
func (c *Coordinator) deal(results []*SiteResult) []Task {
	sum := Shared{Floor: make([]float64, len(c.whole.Floor)), Unit: map[int32]float64{}, Seat: map[int32]float64{}}
	price := Shared{Unit: map[int32]float64{}, Seat: map[int32]float64{}}
	for _, r := range results {
		sum.Money += r.Use.Money
		for g, x := range r.Use.Floor {
			sum.Floor[g] += x
		}
		for u := range c.whole.Unit {
			sum.Unit[u] += r.Use.Unit[u]
			price.Unit[u] += r.Use.Unit[u] * priceOf(r.Prices.Unit, u)
		}
		for t := range c.whole.Seat {
			sum.Seat[t] += r.Use.Seat[t]
			price.Seat[t] += r.Use.Seat[t] * priceOf(r.Prices.Seat, t)
		}
	}
	c.shared.Rough = false
	for u, x := range price.Unit {
		c.shared.Unit[u] = x / max(sum.Unit[u], 1e-9)
	}
	for t, x := range price.Seat {
		c.shared.Seat[t] = x / max(sum.Seat[t], 1e-9)
	}
	if c.whole.Money > 0 && c.shared.Money > 0 && c.slope > 0 {
		percent := (sum.Money/c.whole.Money - 1) / c.slope
		c.shared.Money *= 1 + 0.01*max(-20, min(percent, 20))
	}
	seats := map[int32]float64{} // dealt so far, before rounding
	given := map[int32]float64{}
	var tasks []Task
	for _, r := range results {
		f := float64(c.sizes[r.Site]) / float64(c.people)
		portion := func(use, all float64) float64 {
			if all <= 0 {
				return f
			}
			return use / all
		}
		share := Shared{Money: c.whole.Money, Floor: make([]float64, len(c.whole.Floor)), Unit: map[int32]float64{}, Seat: map[int32]float64{}}
		if share.Money > 0 {
			share.Money *= portion(r.Use.Money, sum.Money)
		}
		for g, x := range c.whole.Floor {
			share.Floor[g] = x * portion(r.Use.Floor[g], sum.Floor[g])
		}
		for u, x := range c.whole.Unit {
			share.Unit[u] = x * portion(r.Use.Unit[u], sum.Unit[u])
		}
		for t, x := range c.whole.Seat {
			seats[t] += x * portion(r.Use.Seat[t], sum.Seat[t])
			share.Seat[t] = math.Floor(seats[t]+1e-6) - given[t]
			given[t] += share.Seat[t]
		}
		task := Task{Site: r.Site, Prices: c.shared, Share: share, Warm: &r.Prices, Bundles: r.Bundles, Plan: true, Gap: c.o.Gap, Seed: c.o.Seed}
		if c.o.Work > 0 {
			task.Work = max(1, int64(float64(c.o.Work-c.work)*f))
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// Plan is the plan, once Next has given no more tasks.
func (c *Coordinator) Plan() *Plan { return c.plan }

// do does a phase's tasks on this machine.
func (c *Coordinator) do(ctx context.Context, tasks []Task) ([]*SiteResult, error) {
	workers := c.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	inner := max(1, workers/len(tasks))
	results := make([]*SiteResult, len(tasks))
	errs := make([]error, len(tasks))
	var next atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	work, value, people := c.work, 0.0, 0
	for range min(workers, len(tasks)) {
		all.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(tasks) {
					return
				}
				at, stop := c.within(ctx, len(tasks)-n, min(workers, len(tasks)))
				results[n], errs[n] = c.pr.SolveSite(at, tasks[n], inner)
				stop()
				if errs[n] != nil || c.o.Progress == nil {
					continue
				}
				mu.Lock()
				work += results[n].Work
				value += results[n].Value
				if tasks[n].Site >= 0 {
					people += c.sizes[tasks[n].Site]
				}
				c.o.Progress(Progress{Phase: [3]string{"prices", "prices", "plan"}[c.phase], Work: work, Best: value, Gap: 1, Done: float64(people) / float64(c.people)})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// within limits one task to its part of the time that is left.
func (c *Coordinator) within(ctx context.Context, left, workers int) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok || c.o.Time == 0 {
		return ctx, func() {}
	}
	part := 1.0 // of the time that is left, for this phase
	switch c.phase {
	case 0:
		part = 0.15
	case 1:
		part = 0.4
	}
	rounds := (left + workers - 1) / workers
	return context.WithTimeout(ctx, time.Duration(part*float64(time.Until(end))/float64(rounds)))
}
