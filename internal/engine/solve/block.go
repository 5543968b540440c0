package solve

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// block is people who are planned together: those of one site, or of several.
// Its resources are the scarce things its people compete for.
type block struct {
	m     *model
	opt   *Options
	ctx   context.Context
	sites []*blockSite
	res   []resource
	price []float64 // by resource
	fixed []bool    // [resource] its price comes from outside: only a dive moves it
	money int       // index of the budget in res, or −1
	units map[int32]int
	floor []int // [group] index in res, or −1
	cross map[int32]int

	people  []member
	chunks  []chunk
	workers []*searcher
	work    atomic.Int64
	cuts    atomic.Int64 // searches cut short in the last exact pass
	seed    uint64
	diving  bool
}

type resourceKind uint8

const (
	forMoney resourceKind = iota
	forUnit
	forFloor
	forCross // seats of a session open to all sites
	forSeat
	forCover
)

// resource is something scarce. Its price is in E per scale of it, so that all
// prices are of like size; a floor is a need of −cap.
type resource struct {
	kind  resourceKind
	index int32 // unit, group, session; team of forCover
	at    int32 // instant of forCover
	cap   float64
	scale float64
}

// blockSite is a site within a block.
type blockSite struct {
	*site
	seat  []int32   // [option] resource, or −1
	cover []int32   // [team·instants+instant] resource
	pay   []float64 // [class·options+option] price
	base  []int32   // [class] where the team's resources begin in cover, or −1
}

// member is a person of a block.
type member struct {
	id    int32
	class int32
	group int32
	site  int32 // index in block.sites
	pool  []bundle
	now   int // the bundle that is best at the present prices, or the plan's
	warm  []float32
	ub    float64
	must  requirement
	none  bool    // nothing the rules allow is possible
	fixed bool    // has a place in the draft; asks for nothing more
	sure  float32 // share of the best bundle when last spread
}

// requirement is how much a member must attend.
type requirement uint8

const (
	nothing requirement = iota
	plenty              // something that there is enough of for all
	scarce              // something that others want too
)

// chunk is a run of members of one site, whole teams where there are any; one
// worker handles it at a time. Sums are kept by chunk and added in order, so
// that they do not depend on who worked when.
type chunk struct {
	lo, hi int
	site   int32
	class0 int32
	use    []float64 // [option] people
	spent  []float64 // [class−class0] money
	gain   []float64 // [group]
	dual   float64
}

const chunkSize = 64

// allotment is what a block may use of what all sites share.
type allotment struct {
	money float64
	floor []float64
	unit  map[int32]float64
	cross map[int32]int32
	only  *int32 // if not nil, plan for the people of this group alone
}

// newBlock gathers the people of some sites.
func newBlock(ctx context.Context, m *model, opt *Options, sites []int32, al allotment, seed uint64) *block {
	in := m.in
	b := &block{ctx: ctx, m: m, opt: opt, money: -1, units: map[int32]int{}, cross: map[int32]int{}, seed: seed}
	paid, n := 0.0, 0
	for _, of := range in.Offerings {
		if of.Cost > 0 {
			paid, n = paid+float64(of.Cost), n+1
		}
	}
	scale := 1.0
	if n > 0 {
		scale = paid / float64(n)
	}
	if al.money >= 0 {
		b.money = len(b.res)
		b.res = append(b.res, resource{forMoney, 0, 0, al.money / scale, scale})
	}
	b.floor = make([]int, len(in.Groups))
	for g := range in.Groups {
		b.floor[g] = -1
		if al.floor[g] > 0 {
			b.floor[g] = len(b.res)
			b.res = append(b.res, resource{forFloor, int32(g), 0, -al.floor[g], 1})
		}
	}
	for _, s := range sites {
		bs := &blockSite{site: m.site(s)}
		at := int32(len(b.sites))
		b.sites = append(b.sites, bs)
		for n, i := range bs.people {
			if al.only != nil && in.People.Group[i] != *al.only {
				continue
			}
			mb := member{id: i, class: bs.class[n], group: in.People.Group[i], site: at, now: -1}
			b.people = append(b.people, mb)
		}
		for _, c := range bs.classes {
			if c.unit < 0 {
				continue
			}
			if _, ok := b.units[c.unit]; ok {
				continue
			}
			limit := in.Units[c.unit].Budget
			if part, ok := al.unit[c.unit]; ok {
				limit = part
			}
			if limit >= 0 {
				b.units[c.unit] = len(b.res)
				b.res = append(b.res, resource{forUnit, c.unit, 0, limit / scale, scale})
			}
		}
		bs.seat = make([]int32, len(bs.options))
		for o := range bs.options {
			op := &bs.options[o]
			bs.seat[o] = -1
			if op.seats < 0 {
				continue
			}
			if in.Sessions[op.session].Site < 0 {
				r, ok := b.cross[op.session]
				if !ok {
					seats := op.seats
					if part, ok := al.cross[op.session]; ok {
						seats = part
					}
					r = len(b.res)
					b.cross[op.session] = r
					b.res = append(b.res, resource{forCross, op.session, 0, float64(seats), 1})
				}
				bs.seat[o] = int32(r)
				continue
			}
			bs.seat[o] = int32(len(b.res))
			b.res = append(b.res, resource{forSeat, op.session, 0, float64(op.seats), 1})
		}
		bs.cover = make([]int32, len(bs.cap))
		for g, team := range bs.teams {
			for at := range bs.instants {
				x := g*len(bs.instants) + at
				bs.cover[x] = int32(len(b.res))
				b.res = append(b.res, resource{forCover, team, int32(at), float64(bs.cap[x]), 1})
			}
		}
		bs.base = make([]int32, len(bs.classes))
		for c, cl := range bs.classes {
			bs.base[c] = -1
			if cl.team >= 0 {
				bs.base[c] = bs.teamAt[cl.team] * int32(len(bs.instants))
			}
		}
		bs.pay = make([]float64, len(bs.classes)*len(bs.options))
	}
	b.price, b.fixed = make([]float64, len(b.res)), make([]bool, len(b.res))
	b.cut()
	for range max(1, or(opt.Workers, runtime.GOMAXPROCS(0))) {
		b.workers = append(b.workers, newSearcher(m))
	}
	b.parallel(len(b.people), func(w *searcher, n int) {
		mb := &b.people[n]
		bs := b.sites[mb.site]
		w.load(bs.site, mb.id)
		mb.must = nothing
		for j, must := range w.hasMust {
			if !must {
				continue
			}
			mb.must = max(mb.must, plenty)
			for o := bs.start[j]; o < bs.start[j+1]; o++ {
				if op := &bs.options[o]; op.seats >= 0 || len(op.instants) > 0 {
					mb.must = scarce
				}
			}
		}
		if mb.must == nothing {
			_, charge := w.value(nil)
			mb.pool = append(mb.pool, bundle{nil, 0, charge})
		}
	})
	return b
}

// cut divides the members into chunks.
func (b *block) cut() {
	for lo := 0; lo < len(b.people); {
		hi := lo + 1
		first := &b.people[lo]
		for hi < len(b.people) && b.people[hi].site == first.site {
			classes := b.sites[first.site].classes
			a, c := classes[b.people[hi-1].class], classes[b.people[hi].class]
			if hi-lo >= chunkSize && (a.team != c.team || c.team < 0) {
				break
			}
			hi++
		}
		bs := b.sites[first.site]
		b.chunks = append(b.chunks, chunk{
			lo: lo, hi: hi, site: first.site, class0: first.class,
			use:   make([]float64, len(bs.options)),
			spent: make([]float64, b.people[hi-1].class-first.class+1),
			gain:  make([]float64, len(b.m.in.Groups)),
		})
		lo = hi
	}
}

// each runs do on every chunk, on all workers at once.
func (b *block) each(do func(w *searcher, c *chunk)) {
	b.parallel(len(b.chunks), func(w *searcher, n int) { do(w, &b.chunks[n]) })
}

// parallel runs do for 0 to n−1 on all workers at once.
func (b *block) parallel(n int, do func(w *searcher, x int)) {
	if len(b.workers) == 1 || n == 1 {
		for x := range n {
			do(b.workers[0], x)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for _, w := range b.workers {
		all.Go(func() {
			for {
				x := int(next.Add(1)) - 1
				if x >= n {
					return
				}
				do(w, x)
			}
		})
	}
	all.Wait()
}

// reprice spreads the prices of resources over the options, as each class of
// people pays them.
func (b *block) reprice() {
	for _, bs := range b.sites {
		n := len(bs.options)
		for c, cl := range bs.classes {
			pay := bs.pay[c*n : (c+1)*n]
			money := 0.0
			if b.money >= 0 {
				money += b.price[b.money] / b.res[b.money].scale
			}
			if r, ok := b.units[cl.unit]; ok {
				money += b.price[r] / b.res[r].scale
			}
			var cover []int32
			if cl.team >= 0 {
				g := int(bs.teamAt[cl.team]) * len(bs.instants)
				cover = bs.cover[g : g+len(bs.instants)]
			}
			for o := range pay {
				op := &bs.options[o]
				p := money * op.cost
				if r := bs.seat[o]; r >= 0 {
					p += b.price[r]
				}
				if cover != nil {
					for _, at := range op.instants {
						p += b.price[cover[at]]
					}
				}
				pay[o] = p
			}
		}
	}
}

// theta is the price of a group's floor.
func (b *block) theta(group int32) float64 {
	if group >= 0 && b.floor[group] >= 0 {
		return b.price[b.floor[group]]
	}
	return 0
}

// begin clears a chunk's sums.
func (c *chunk) begin() {
	clear(c.use)
	clear(c.spent)
	clear(c.gain)
	c.dual = 0
}

// book adds a share of a bundle to a chunk's sums.
func (b *block) book(c *chunk, mb *member, bu *bundle, part float64) {
	options := b.sites[c.site].options
	for _, o := range bu.options {
		c.use[o] += part
		c.spent[mb.class-c.class0] += part * options[o].cost
	}
	if mb.group >= 0 {
		c.gain[mb.group] += part * bu.gain
	}
}

// total adds the chunks' sums into use, by resource, and returns Σ dual.
// Cover is counted apart, by chunk: coverUse adds it.
func (b *block) total(use []float64) (dual float64) {
	clear(use)
	for n := range b.chunks {
		c := &b.chunks[n]
		bs := b.sites[c.site]
		dual += c.dual
		for o, u := range c.use {
			if r := bs.seat[o]; r >= 0 && u != 0 {
				use[r] += u
			}
		}
		for d, x := range c.spent {
			if b.money >= 0 {
				use[b.money] += x / b.res[b.money].scale
			}
			if r, ok := b.units[bs.classes[int(c.class0)+d].unit]; ok {
				use[r] += x / b.res[r].scale
			}
		}
		for g, x := range c.gain {
			if r := b.floor[g]; r >= 0 {
				use[r] -= x
			}
		}
	}
	return dual
}

// bookCover adds a share of a bundle to the cover resources of the member's
// team, which no other chunk touches.
func (b *block) bookCover(use []float64, mb *member, bu *bundle, part float64) {
	bs := b.sites[mb.site]
	base := bs.base[mb.class]
	if base < 0 {
		return
	}
	for _, o := range bu.options {
		for _, at := range bs.options[o].instants {
			use[bs.cover[base+at]] += part
		}
	}
}

// cost is what a bundle costs a member at the present prices.
func (bs *blockSite) cost(class int32, options []uint16) float64 {
	pay := bs.pay[int(class)*len(bs.options):]
	sum := 0.0
	for _, o := range options {
		sum += pay[o]
	}
	return sum
}

// capDual is Σ price·cap: the part of the bound that is not people's.
func (b *block) capDual() float64 {
	d := 0.0
	for r := range b.res {
		d += b.price[r] * b.res[r].cap
	}
	return d
}

const poolSize = 8

// add puts a bundle in a member's pool unless it is there, dropping the one
// worth least at the present prices when the pool is full. It returns its index.
func (b *block) add(mb *member, bu bundle) int {
	for n := range mb.pool {
		if slices.Equal(mb.pool[n].options, bu.options) {
			return n
		}
	}
	if len(mb.pool) < poolSize {
		mb.pool = append(mb.pool, bu)
		return len(mb.pool) - 1
	}
	worst, at := math.Inf(1), 0
	bs, th := b.sites[mb.site], 1+b.theta(mb.group)
	for n := range mb.pool {
		if n == mb.now {
			continue
		}
		if v := th*mb.pool[n].gain - mb.pool[n].charge - bs.cost(mb.class, mb.pool[n].options); v < worst {
			worst, at = v, n
		}
	}
	mb.pool[at] = bu
	return at
}

// exact searches every member's best bundle at the present prices, adds it to
// the pool, books it in use, and returns the bound Σ ub + Σ price·cap.
func (b *block) exact(nodes int, slack float64, use []float64, cover []float64) float64 {
	b.reprice()
	b.cuts.Store(0)
	clear(cover)
	b.each(func(w *searcher, c *chunk) {
		c.begin()
		bs := b.sites[c.site]
		spent := int64(0)
		for n := c.lo; n < c.hi; n++ {
			mb := &b.people[n]
			if mb.none || mb.fixed {
				continue
			}
			b.ask(w, bs, mb, nodes, slack)
			spent += int64(20 + w.nodes/8)
			c.dual += mb.ub
			if mb.now >= 0 {
				b.book(c, mb, &mb.pool[mb.now], 1)
				b.bookCover(cover, mb, &mb.pool[mb.now], 1)
			}
		}
		b.work.Add(spent)
	})
	dual := b.total(use) + b.capDual()
	for r := range use {
		use[r] += cover[r]
	}
	return dual
}

// prefer makes the best bundle of a member's pool the present one.
func (b *block) prefer(bs *blockSite, mb *member) (best float64) {
	th := 1 + b.theta(mb.group)
	best, mb.now = math.Inf(-1), -1
	for x := range mb.pool {
		bu := &mb.pool[x]
		if v := th*bu.gain - bu.charge - bs.cost(mb.class, bu.options); v > best {
			best, mb.now = v, x
		}
	}
	return best
}

// ask finds one member's best bundle at the present prices and keeps it.
func (b *block) ask(w *searcher, bs *blockSite, mb *member, nodes int, slack float64) {
	w.load(bs.site, mb.id)
	n := len(bs.options)
	if mb.warm == nil {
		mb.warm = make([]float32, b.m.k+bs.rows)
		mb.warm[0] = -1 // says that there is nothing yet
	}
	rounds := 8 // enough beside a warm start, when prices have moved little
	if nodes > 1000 || mb.warm[0] < 0 {
		rounds = 16
	}
	th := b.theta(mb.group)
	q := ask{price: bs.pay[int(mb.class)*n : (int(mb.class)+1)*n], theta: th, money: math.Inf(1), nodes: nodes, slack: slack, rounds: rounds, warm: mb.warm, floor: math.Inf(-1)}
	if w.required() && len(mb.pool) == 0 {
		q.nodes = max(nodes, 20000) // the first must be found
	}
	q.floor = b.prefer(bs, mb)
	a := w.solve(&q)
	mb.ub = a.ub
	if !a.exact {
		b.cuts.Add(1)
		mb.ub = max(a.ub, q.floor)
	}
	if w.found {
		options := slices.Clone(w.bestAt)
		slices.Sort(options)
		gain, charge := w.value(options)
		mb.now = -1
		mb.now = b.add(mb, bundle{options, gain, charge})
	} else if mb.now < 0 {
		mb.none = true
		mb.ub = 0
	}
}
