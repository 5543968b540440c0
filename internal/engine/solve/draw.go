package solve

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Pools forms the pools of a plan's scarce offerings: those with a session whose
// seats have a price. A person belongs to at most one, the one that comes first
// by price; nearest the price are admitted first, as long as every outcome of all
// draws together keeps cover, unit budgets and floors. Who must attend, needs the
// offering for another, or is pinned keeps the seat and is in no pool.
func Pools(in *Instance, plan *Plan, o PoolOptions) ([]Pool, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	r := newRaffle(in, plan)
	if o.Band == 0 && o.Detect == 0 {
		o.Detect = 0.3
	}
	if o.Power == 0 {
		o.Power = 0.8
	}
	if o.Level == 0 {
		o.Level = 0.05
	}
	offerings := o.Offerings
	price := make([]float64, len(in.Offerings))
	for t, x := range plan.Prices.Seat {
		j := in.Sessions[t].Offering
		price[j] = max(price[j], x)
	}
	if len(offerings) == 0 {
		for j, x := range price {
			if x > 0 {
				offerings = append(offerings, int32(j))
			}
		}
	}
	offerings = slices.Clone(offerings)
	slices.SortStableFunc(offerings, func(a, b int32) int { return cmp.Compare(price[b], price[a]) })
	var pools []Pool
	for _, j := range offerings {
		if p, ok := r.pool(j, o); ok {
			pools = append(pools, p)
		}
	}
	return pools, nil
}

// Detectable is the smallest difference of means, in standard deviations of the
// outcome, that a two-sided test of that level sees with that power, when
// Σ p(1−p) over the people drawn for is comparisons and the baseline explains a
// share of the variance: (z_{1−level/2} + z_power)·√((1−explained)/Σp(1−p)). With
// half of N people treated this is the familiar 2(z+z)/√N (Bloom 1995).
func Detectable(comparisons, power, level, explained float64) float64 {
	z := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	return (z(1-level/2) + z(power)) * math.Sqrt((1-explained)/comparisons)
}

// raffle holds what the pools formed so far leave to the next.
type raffle struct {
	b    *block
	d    *draft
	w    *searcher
	used []bool // [member] already in a pool
}

func newRaffle(in *Instance, plan *Plan) *raffle {
	m := compile(in)
	m.waived = map[demand]bool{}
	for _, u := range plan.Unplaced {
		m.waived[demand{u.Person, u.Offering}] = true
	}
	var sites []int32
	al := m.whole()
	for s := range in.Sites {
		sites = append(sites, int32(s))
	}
	b := newBlock(context.Background(), m, &Options{}, sites, al, 0)
	b.adopt(plan.Prices.brief())
	return &raffle{b: b, d: b.redraft(plan), w: b.workers[0], used: make([]bool, len(b.people))}
}

// adopt takes over prices.
func (b *block) adopt(p SitePrices) {
	type key struct {
		kind      resourceKind
		index, at int32
	}
	price := map[key]float64{{forMoney, 0, 0}: p.Money}
	for _, x := range p.Unit {
		price[key{forUnit, x.Index, 0}] = x.Price
	}
	for _, x := range p.Floor {
		price[key{forFloor, x.Index, 0}] = x.Price
	}
	for _, x := range p.Seat {
		price[key{forSeat, x.Index, 0}] = x.Price
	}
	for _, x := range p.Cover {
		price[key{forCover, x.Team, x.At}] = x.Price
	}
	minute := map[int32][]int32{}
	for _, bs := range b.sites {
		for _, t := range bs.teams {
			minute[t] = bs.instants
		}
	}
	for r := range b.res {
		res := &b.res[r]
		k := key{res.kind, res.index, 0}
		switch res.kind {
		case forCross:
			k.kind = forSeat
		case forCover:
			k.at = minute[res.index][res.at]
		}
		b.price[r] = price[k]
		if res.kind == forMoney || res.kind == forUnit {
			b.price[r] *= res.scale
		}
	}
	b.reprice()
}

// brief lists the prices that are not 0.
func (p *Prices) brief() SitePrices {
	list := func(all []float64) (out []Price) {
		for n, x := range all {
			if x > 0 {
				out = append(out, Price{int32(n), x})
			}
		}
		return out
	}
	return SitePrices{p.Money, list(p.Floor), list(p.Unit), list(p.Seat), p.Cover}
}

// redraft is the draft that a plan was written from.
func (b *block) redraft(p *Plan) *draft {
	d := b.draft()
	w := b.workers[0]
	for n := range b.people {
		mb := &b.people[n]
		bs := b.sites[mb.site]
		w.load(bs.site, mb.id)
		var options []uint16
		for _, c := range p.Of(mb.id) {
			if o := bs.optionOf(c.Offering, c.Session); o >= 0 {
				options = append(options, uint16(o))
			}
		}
		slices.Sort(options)
		gain, charge := w.value(options)
		d.set(n, bundle{options, gain, charge})
	}
	return d
}

// stake is a candidate for a pool.
type stake struct {
	member int
	option uint16
	holds  bool
	value  float64 // E of the seat less the other prices, floors' prices included
	gain   float64 // E of the seat alone, less what the change is charged
	far    float64 // |value − price|
	with   []Choice
	none   []Choice // without
	money  float64  // cost of the dearer outcome less the plan's, the seat's own set aside where it is held
}

// pool forms the pool of one offering.
func (r *raffle) pool(j int32, o PoolOptions) (Pool, bool) {
	b := r.b
	var stakes []stake
	limit := o.Band
	if limit == 0 { // never beyond the price itself
		for _, bs := range b.sites {
			for x := bs.start[j]; x < bs.start[j+1]; x++ {
				if r := bs.seat[x]; r >= 0 {
					limit = max(limit, b.price[r])
				}
			}
		}
	}
	for n := range b.people {
		if r.used[n] {
			continue
		}
		if s, ok := r.stake(n, j, limit, o.Exchange); ok {
			stakes = append(stakes, s)
		}
	}
	slices.SortStableFunc(stakes, func(x, y stake) int { return cmp.Compare(x.far, y.far) })
	need := math.Inf(1)
	if o.Band == 0 {
		need = comparisons(o)
	}
	type count struct{ holders, waiters float64 }
	sessions := map[int32]*count{}
	sum := func() (s float64) {
		for _, c := range sessions {
			if c.holders > 0 && c.waiters > 0 {
				s += c.holders * c.waiters / (c.holders + c.waiters)
			}
		}
		return s
	}
	band := 0.0
	var in []stake
	for _, s := range stakes {
		if s.far > limit || sum() >= need {
			break
		}
		if !r.admit(&s) {
			continue
		}
		t := b.sites[b.people[s.member].site].options[s.option].session
		if sessions[t] == nil {
			sessions[t] = &count{}
		}
		if s.holds {
			sessions[t].holders++
		} else {
			sessions[t].waiters++
		}
		in = append(in, s)
		band = max(band, s.far)
	}
	if o.Band > 0 {
		band = o.Band
	}
	p := Pool{Offering: j, Band: band}
	for _, s := range in {
		mb := &b.people[s.member]
		t := b.sites[mb.site].options[s.option].session
		c := sessions[t]
		if c.holders == 0 || c.waiters == 0 {
			r.take(&s, -1) // nobody to be compared with
			continue
		}
		r.used[s.member] = true
		stratum := int32(0)
		if len(b.m.in.People.Stratum) > 0 {
			stratum = b.m.in.People.Stratum[mb.id]
		}
		p.Members = append(p.Members, Lot{mb.id, t, stratum, s.holds, s.value, s.gain, c.holders / (c.holders + c.waiters), s.with, s.none})
	}
	if len(p.Members) == 0 {
		return p, false
	}
	slices.SortFunc(p.Members, func(x, y Lot) int {
		return cmp.Or(cmp.Compare(x.Session, y.Session), cmp.Compare(x.Stratum, y.Stratum), cmp.Compare(x.Person, y.Person))
	})
	p.price(o)
	return p, true
}

// comparisons is the Σ p(1−p) from which the difference asked for can be seen.
func comparisons(o PoolOptions) float64 {
	d := Detectable(1, o.Power, o.Level, o.Explained) / o.Detect
	return d * d
}

// seatPrice is the price of an option's seat.
func (b *block) seatPrice(n int, o uint16) float64 {
	if r := b.sites[b.people[n].site].seat[o]; r >= 0 {
		return b.price[r]
	}
	return 0
}

// stake values the seat for one member: of the session attended, or of the one
// that could be, nearest its price.
func (r *raffle) stake(n int, j int32, limit float64, exchange bool) (stake, bool) {
	b, w := r.b, r.w
	mb := &b.people[n]
	bs := b.sites[mb.site]
	if bs.start[j] == bs.start[j+1] || !slices.Contains(b.m.audience[b.m.in.People.Position[mb.id]], j) {
		return stake{}, false
	}
	w.load(bs.site, mb.id)
	if w.hasMust[j] || w.has[j] || w.stay {
		return stake{}, false
	}
	have := &r.d.at[n]
	for x, o := range have.options {
		if bs.options[o].offering != j {
			continue
		}
		for _, other := range have.options { // another needs it
			if slices.Contains(b.m.in.Offerings[bs.options[other].offering].Prerequisites, j) {
				return stake{}, false
			}
		}
		rest := slices.Delete(slices.Clone(have.options), x, x+1)
		if exchange {
			rest = r.refill(n, rest, j)
		}
		gain, charge := w.value(rest)
		s := stake{member: n, option: o, holds: true}
		s.weigh(r, have, &bundle{rest, gain, charge})
		return s, true
	}
	best, found := stake{}, false
	for o := uint16(bs.start[j]); int32(o) < bs.start[j+1]; o++ {
		if bs.seat[o] < 0 || w.barred[o/64]>>(o%64)&1 != 0 {
			continue
		}
		with := append(slices.Clone(have.options), o)
		if exchange {
			if r.hopeless(n, o, limit) {
				continue
			}
			if with = r.refill(n, with, -1); with == nil {
				continue
			}
		} else if !r.joins(n, o) {
			continue
		}
		slices.Sort(with)
		gain, charge := w.value(with)
		s := stake{member: n, option: o}
		s.weigh(r, &bundle{with, gain, charge}, have)
		if !found || s.far < best.far {
			best, found = s, true
		}
	}
	return best, found
}

// hopeless reports that a seat cannot be worth as much as its price less limit:
// not even beside only those of the member's other options that must stay.
func (r *raffle) hopeless(n int, o uint16, limit float64) bool {
	b, w := r.b, r.w
	mb := &b.people[n]
	bs := b.sites[mb.site]
	var stay []uint16
	for _, x := range r.d.at[n].options {
		if bs.options[x].first >= 0 || bs.seat[x] >= 0 {
			stay = append(stay, x)
		}
	}
	without, _ := w.value(stay)
	with, _ := w.value(append(stay, o))
	pay := bs.pay[int(mb.class)*len(bs.options)+int(o)]
	return (1+b.theta(mb.group))*(with-without)+2*b.m.in.ChangePrice < pay-limit
}

// weigh compares having the seat with not having it.
func (s *stake) weigh(r *raffle, with, without *bundle) {
	b := r.b
	mb := &b.people[s.member]
	bs := b.sites[mb.site]
	pay := bs.pay[int(mb.class)*len(bs.options):]
	s.gain = with.gain - with.charge - without.gain + without.charge
	s.value = (1+b.theta(mb.group))*(with.gain-without.gain) - with.charge + without.charge + b.seatPrice(s.member, s.option)
	before, after := 0.0, 0.0
	for _, o := range with.options {
		s.value -= pay[o]
		if o == s.option {
			continue
		}
		after += bs.options[o].cost
		if !slices.Contains(without.options, o) {
			s.with = append(s.with, Choice{mb.id, bs.options[o].offering, bs.options[o].session})
		}
	}
	for _, o := range without.options {
		s.value += pay[o]
		before += bs.options[o].cost
		if !slices.Contains(with.options, o) {
			s.none = append(s.none, Choice{mb.id, bs.options[o].offering, bs.options[o].session})
		}
	}
	if s.holds {
		before, after = after, before
	}
	s.money = max(0, after-before)
	s.far = math.Abs(s.value - b.seatPrice(s.member, s.option))
}

// refill chooses anew, for the loaded member, what is attended at one's own pace
// beside the other options of a bundle, which stay; not is an offering that stays
// out. It returns nil if the rest leaves no room for what is required.
func (r *raffle) refill(n int, options []uint16, not int32) []uint16 {
	b, w := r.b, r.w
	mb := &b.people[n]
	bs := b.sites[mb.site]
	shut := make([]uint64, bs.words)
	musts := slices.Clone(w.hasMust)
	defer copy(w.hasMust, musts)
	for o := range bs.options {
		op := &bs.options[o]
		stays := slices.Contains(options, uint16(o))
		own := op.first < 0 && bs.seat[o] < 0
		if stays && !own {
			w.hasMust[op.offering] = true
		}
		if !stays && !own || op.offering == not {
			shut[o/64] |= 1 << (o % 64)
		}
	}
	k := len(bs.options)
	q := ask{price: bs.pay[int(mb.class)*k : (int(mb.class)+1)*k], theta: b.theta(mb.group), shut: shut, money: math.Inf(1), nodes: 20000, floor: math.Inf(-1), slack: 1e-4}
	if w.solve(&q); !w.found {
		return nil
	}
	out := slices.Clone(w.bestAt)
	slices.Sort(out)
	return out
}

// joins reports whether the loaded member could attend an option beside the
// present bundle, seats and others' rights aside.
func (r *raffle) joins(n int, o uint16) bool {
	b, w := r.b, r.w
	bs := b.sites[b.people[n].site]
	op := &bs.options[o]
	hours := float64(b.m.in.Offerings[op.offering].Hours)
	w.days = w.days[:0]
	for _, x := range r.d.at[n].options {
		hours += float64(b.m.in.Offerings[bs.options[x].offering].Hours)
		w.days = append(w.days, bs.options[x].days...)
		if bs.clash[int(o)*bs.words+int(x)/64]>>(x%64)&1 != 0 {
			return false
		}
	}
	for _, p := range b.m.in.Offerings[op.offering].Prerequisites { // their order is part of clash
		if !w.has[p] && !slices.ContainsFunc(r.d.at[n].options, func(x uint16) bool { return bs.options[x].offering == p }) {
			return false
		}
	}
	return hours <= w.room+1e-6 && w.dayFits(op)
}

// admit takes from what is left as if every waiting member won and every holder
// lost, and reports false, taking nothing, if that would break a rule.
func (r *raffle) admit(s *stake) bool {
	b, d := r.b, r.d
	mb := &b.people[s.member]
	bs := b.sites[mb.site]
	cl := bs.classes[mb.class]
	op := &bs.options[s.option]
	floor := r.floorOf(mb)
	unit, limited := b.units[cl.unit]
	fromUnit := s.money
	if !s.holds {
		fromUnit += op.cost // a winner of another unit may have paid for the seat before
	}
	loss := max(0, s.gain)
	if !s.holds {
		loss = max(0, -s.gain)
	}
	switch {
	case floor >= 0 && d.left[floor] < loss,
		limited && d.left[unit]*b.res[unit].scale < fromUnit,
		b.money >= 0 && s.money > 0 && d.left[b.money]*b.res[b.money].scale < s.money:
		return false
	}
	if !s.holds && cl.team >= 0 {
		g := int(bs.teamAt[cl.team]) * len(bs.instants)
		for _, at := range op.instants {
			if d.left[bs.cover[g+int(at)]] < 0.5 {
				return false
			}
		}
	}
	r.take(s, 1)
	return true
}

// take sets aside what a stake needs at worst, or with sign −1 gives it back.
func (r *raffle) take(s *stake, sign float64) {
	b, d := r.b, r.d
	mb := &b.people[s.member]
	bs := b.sites[mb.site]
	cl := bs.classes[mb.class]
	op := &bs.options[s.option]
	if floor := r.floorOf(mb); floor >= 0 {
		if s.holds {
			d.left[floor] -= sign * max(0, s.gain)
		} else {
			d.left[floor] -= sign * max(0, -s.gain)
		}
	}
	if b.money >= 0 {
		d.left[b.money] -= sign * s.money / b.res[b.money].scale
	}
	if unit, ok := b.units[cl.unit]; ok {
		d.left[unit] -= sign * s.money / b.res[unit].scale
		if !s.holds {
			d.left[unit] -= sign * op.cost / b.res[unit].scale
		}
	}
	if !s.holds && cl.team >= 0 {
		g := int(bs.teamAt[cl.team]) * len(bs.instants)
		for _, at := range op.instants {
			d.left[bs.cover[g+int(at)]] -= sign
		}
	}
}

func (r *raffle) floorOf(mb *member) int {
	if mb.group < 0 {
		return -1
	}
	return r.b.floor[mb.group]
}

// price fills in what the pool costs and what it can show.
func (p *Pool) price(o PoolOptions) {
	for lo := 0; lo < len(p.Members); {
		hi := lo
		seats, kept := 0, 0.0
		var gains []float64
		for hi < len(p.Members) && p.Members[hi].Session == p.Members[lo].Session {
			x := &p.Members[hi]
			if x.Holds {
				seats++
				kept += x.Gain
			}
			gains = append(gains, x.Gain)
			p.Cost -= x.Probability * x.Gain
			p.Comparisons += x.Probability * (1 - x.Probability)
			hi++
		}
		slices.Sort(gains)
		p.Cost += kept
		p.CostAtMost += kept
		for _, g := range gains[:seats] {
			p.CostAtMost -= g
		}
		lo = hi
	}
	p.Detectable = Detectable(p.Comparisons, o.Power, o.Level, o.Explained)
}

// Draw allots a pool's seats by lot. In each session everybody has the chance
// that the pool records, exactly: the members are put in line by stratum, in
// random order within it, and every so-manieth is drawn from a random start
// (systematic sampling, Madow 1949), so that each stratum gets its share of the
// seats to within one. The same pool and seed give the same seats.
func Draw(p Pool, seed uint64) Drawn {
	out := Drawn{Seed: seed}
	for lo := 0; lo < len(p.Members); {
		hi, seats := lo, 0
		for hi < len(p.Members) && p.Members[hi].Session == p.Members[lo].Session {
			if p.Members[hi].Holds {
				seats++
			}
			hi++
		}
		line := slices.Clone(p.Members[lo:hi])
		rng := rand.New(rand.NewPCG(seed, uint64(p.Offering)<<32|uint64(uint32(p.Members[lo].Session))))
		rng.Shuffle(len(line), func(x, y int) { line[x], line[y] = line[y], line[x] })
		slices.SortStableFunc(line, func(x, y Lot) int { return cmp.Compare(x.Stratum, y.Stratum) })
		// In units of 1/members of a place in line, so that nothing is rounded.
		start := rng.IntN(len(line))
		for x, l := range line {
			c := Choice{l.Person, p.Offering, l.Session}
			won := (start+(x+1)*seats)/len(line) > (start+x*seats)/len(line)
			if won {
				out.Seats = append(out.Seats, c)
			} else {
				out.Waiting = append(out.Waiting, c)
			}
			if won != l.Holds {
				add, drop := l.With, l.Without
				if !won {
					add, drop = drop, add
				}
				out.Added = append(out.Added, add...)
				out.Dropped = append(out.Dropped, drop...)
			}
		}
		lo = hi
	}
	return out
}

// After is the plan with the seats of some draws allotted. Its bound and prices
// are those of the plan before.
func (p *Plan) After(in *Instance, draws ...Drawn) *Plan {
	q := *p
	q.Choices = nil
	lost := map[Choice]bool{}
	for _, d := range draws {
		for _, c := range d.Waiting {
			lost[c] = true
		}
		for _, c := range d.Dropped {
			lost[c] = true
		}
	}
	have := map[Choice]bool{}
	for _, c := range p.Choices {
		if !lost[c] {
			q.Choices = append(q.Choices, c)
			have[c] = true
		}
	}
	for _, d := range draws {
		for _, c := range d.Seats {
			if !have[c] {
				q.Choices = append(q.Choices, c)
			}
		}
		q.Choices = append(q.Choices, d.Added...)
	}
	slices.SortFunc(q.Choices, func(x, y Choice) int {
		return cmp.Or(cmp.Compare(x.Person, y.Person), cmp.Compare(x.Offering, y.Offering))
	})
	q.value(in)
	return &q
}

// value works out gains, changes and objective from the choices.
func (p *Plan) value(in *Instance) {
	m := compile(in)
	w := newSearcher(m)
	p.Gains = make([]float32, in.People.Len())
	p.Objective, p.ChangeCost = 0, 0
	at := 0
	for i := range int32(in.People.Len()) {
		s := m.site(in.People.Site[i])
		w.load(s, i)
		var options []uint16
		for ; at < len(p.Choices) && p.Choices[at].Person == i; at++ {
			options = append(options, uint16(s.optionOf(p.Choices[at].Offering, p.Choices[at].Session)))
		}
		gain, charge := w.value(options)
		p.Gains[i] = float32(gain)
		p.Objective += gain - charge
		p.ChangeCost += charge
	}
	if m.changing() {
		p.Changes = int(math.Round(p.ChangeCost / in.ChangePrice))
	}
	p.Gap = (p.Bound - p.Objective) / math.Max(math.Abs(p.Bound), 1e-9)
}
