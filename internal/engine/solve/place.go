package solve

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// draft is a feasible plan of a block under construction.
type draft struct {
	b     *block
	left  []float64 // [resource] capacity not used; of a floor, what the group has beyond it
	hold  []float64 // [resource] of what is taken, for members whose bundle is provisional
	at    []bundle  // [member]
	gain  []float64 // [group]
	value float64   // Σ gain − charge
}

const loose = 1e-6 // of money and hours, relative to sums of float32

func (b *block) draft() *draft {
	d := &draft{b: b, left: make([]float64, len(b.res)), hold: make([]float64, len(b.res)), at: make([]bundle, len(b.people)), gain: make([]float64, len(b.m.in.Groups))}
	for r := range b.res {
		d.left[r] = b.res[r].cap
	}
	return d
}

// move changes what a member's bundle takes from the resources: sign −1 takes, +1 gives back.
func (d *draft) move(n int, bu *bundle, sign float64) {
	d.charge(d.left, n, bu, sign)
	d.value -= sign * (bu.gain - bu.charge)
	if g := d.b.people[n].group; g >= 0 {
		d.gain[g] -= sign * bu.gain
	}
}

// charge adds a bundle's use of the resources to an account.
func (d *draft) charge(account []float64, n int, bu *bundle, sign float64) {
	b := d.b
	mb := &b.people[n]
	bs := b.sites[mb.site]
	cl := bs.classes[mb.class]
	g := -1
	if cl.team >= 0 {
		g = int(bs.teamAt[cl.team]) * len(bs.instants)
	}
	unit, hasUnit := b.units[cl.unit]
	for _, o := range bu.options {
		op := &bs.options[o]
		if r := bs.seat[o]; r >= 0 {
			account[r] += sign
		}
		if b.money >= 0 {
			account[b.money] += sign * op.cost / b.res[b.money].scale
		}
		if hasUnit {
			account[unit] += sign * op.cost / b.res[unit].scale
		}
		if g >= 0 {
			for _, at := range op.instants {
				account[bs.cover[g+int(at)]] += sign
			}
		}
	}
	if mb.group >= 0 {
		if r := b.floor[mb.group]; r >= 0 {
			account[r] -= sign * bu.gain
		}
	}
}

// set gives a member another bundle.
func (d *draft) set(n int, bu bundle) {
	d.move(n, &d.at[n], 1)
	d.at[n] = bu
	d.move(n, &bu, -1)
}

// fits reports whether a member could have a bundle in place of the present one.
func (d *draft) fits(n int, bu *bundle) bool {
	old := d.at[n]
	d.move(n, &old, 1)
	ok := d.roomFor(n, bu)
	d.move(n, &old, -1)
	return ok
}

func (d *draft) roomFor(n int, bu *bundle) bool {
	b := d.b
	mb := &b.people[n]
	bs := b.sites[mb.site]
	cl := bs.classes[mb.class]
	cost := 0.0
	for _, o := range bu.options {
		op := &bs.options[o]
		cost += op.cost
		if r := bs.seat[o]; r >= 0 && d.left[r] < 0.5 {
			return false
		}
		if cl.team >= 0 {
			g := int(bs.teamAt[cl.team]) * len(bs.instants)
			for _, at := range op.instants {
				if d.left[bs.cover[g+int(at)]] < 0.5 {
					return false
				}
			}
		}
	}
	return cost <= d.purse(mb)+loose
}

// purse is the money that is left for a member's choices.
func (d *draft) purse(mb *member) float64 {
	b := d.b
	most := math.Inf(1)
	if b.money >= 0 {
		most = d.left[b.money] * b.res[b.money].scale
	}
	if r, ok := b.units[b.sites[mb.site].classes[mb.class].unit]; ok {
		most = min(most, d.left[r]*b.res[r].scale)
	}
	return most
}

// shut marks in set the options that a member cannot have, given what is left
// and what the present bundle would give back.
func (d *draft) shut(n int, set []uint64) []uint64 {
	b := d.b
	mb := &b.people[n]
	bs := b.sites[mb.site]
	set = zeroed(set, bs.words)
	team := bs.classes[mb.class].team
	var cover []int32
	if team >= 0 {
		g := int(bs.teamAt[team]) * len(bs.instants)
		cover = bs.cover[g : g+len(bs.instants)]
	}
	for o := range bs.options {
		closed := bs.seat[o] >= 0 && d.left[bs.seat[o]] < 0.5 && !slices.Contains(d.at[n].options, uint16(o))
		if !closed && cover != nil {
			for _, at := range bs.options[o].instants {
				if d.left[cover[at]] < 0.5 && !d.away(n, bs, at) {
					closed = true
					break
				}
			}
		}
		if closed {
			set[o/64] |= 1 << (o % 64)
		}
	}
	return set
}

// away reports whether a member's present bundle counts against cover at an instant.
func (d *draft) away(n int, bs *blockSite, at int32) bool {
	for _, o := range d.at[n].options {
		if slices.Contains(bs.options[o].instants, at) {
			return true
		}
	}
	return false
}

// proposal is what a member would rather have.
type proposal struct {
	bundle
	better bool
}

// improve lets members, in an order drawn from the seed, choose again among
// what is left, at a share of the prices. Batches are searched at once against
// the same state; then each wish is granted if it still fits. The batches do not
// depend on the number of workers, so neither does the result.
func (d *draft) improve(part float64, nodes int, slack float64, rng *rand.Rand, which []int32) (moved int) {
	b := d.b
	rng.Shuffle(len(which), func(x, y int) { which[x], which[y] = which[y], which[x] })
	size := max(8, min(len(which)/40, 512))
	wishes := make([]proposal, size)
	for len(which) > 0 && !b.stopped() {
		batch := which[:min(size, len(which))]
		which = which[len(batch):]
		b.parallel(len(batch), func(w *searcher, x int) {
			wishes[x] = d.wish(w, int(batch[x]), part, nodes, slack)
		})
		for x, n := range batch {
			if wishes[x].better && d.fits(int(n), &wishes[x].bundle) {
				d.set(int(n), wishes[x].bundle)
				moved++
			}
		}
	}
	return moved
}

// wish searches what a member would choose now.
func (d *draft) wish(w *searcher, n int, part float64, nodes int, slack float64) proposal {
	b := d.b
	mb := &b.people[n]
	if mb.none {
		return proposal{}
	}
	bs := b.sites[mb.site]
	w.load(bs.site, mb.id)
	w.shut = d.shut(n, w.shut)
	k := len(bs.options)
	pay := bs.pay[int(mb.class)*k : (int(mb.class)+1)*k]
	w.scaled = slices.Grow(w.scaled[:0], k)[:k]
	for o, p := range pay {
		w.scaled[o] = part * p
	}
	th := b.theta(mb.group)
	have := &d.at[n]
	q := ask{price: w.scaled, theta: th, shut: w.shut, nodes: nodes, slack: slack, floor: (1+th)*have.gain - have.charge}
	spent := 0.0
	for _, o := range have.options {
		q.floor -= w.scaled[o]
		spent += bs.options[o].cost
	}
	if have.options == nil && w.required() {
		q.floor = math.Inf(-1) // nothing yet, and something is required
	}
	q.money = d.purse(mb) + spent + loose
	w.solve(&q)
	b.work.Add(int64(20 + w.nodes/8))
	if !w.found {
		return proposal{}
	}
	options := slices.Clone(w.bestAt)
	slices.Sort(options)
	gain, charge := w.value(options)
	return proposal{bundle{options, gain, charge}, true}
}

// dive gives some members new bundles by fixing them little by little: first
// whoever is surest, moving the prices after each round to what is left for the
// others. What they must attend is set aside for them from the beginning.
func (d *draft) dive(open []int32, a *ascent, rounds, steps int, eta, temper float64, rng *rand.Rand) {
	b := d.b
	for n := range b.people {
		b.people[n].fixed = true
	}
	open = slices.DeleteFunc(open, func(n int32) bool { return b.people[n].none })
	for _, n := range open {
		b.people[n].fixed = false
		d.set(int(n), d.nothing(int(n)))
	}
	all := slices.Clone(open)
	clear(a.square)
	clear(d.hold)
	a.temper = temper
	d.reserve(open)
	b.diving = true
	defer func() { b.diving = false }()
	free := make([]float64, len(b.res))
	for round := range rounds {
		for range steps {
			b.choose(a)
			for r := range free {
				free[r] = d.left[r] + d.hold[r]
			}
			b.step(a, free, eta)
		}
		a.temper = max(a.temper*0.8, 0.0005)
		if round%3 == 2 {
			b.exact(300, 0.002, a.use, a.cover)
		}
		b.choose(a)
		if b.stopped() {
			break
		}
		slices.SortStableFunc(open, func(x, y int32) int { return cmp.Compare(b.people[y].sure, b.people[x].sure) })
		share := len(open) / (rounds - round)
		rest := open[:0]
		for x, n := range open {
			mb := &b.people[n]
			if bu := mb.pool[mb.now]; (x < share || mb.sure > 0.99) && d.fits(int(n), &bu) {
				d.fix(int(n), bu)
			} else {
				rest = append(rest, n)
			}
		}
		open = rest
	}
	for n := range b.people {
		b.people[n].fixed = false
	}
	if d.improve(1, 3000, 0.0003, rng, open); !b.stopped() {
		d.improve(0, 3000, 0.0003, rng, all)
	}
}

// nothing is the empty bundle; it is charged for what it drops of an earlier plan.
func (d *draft) nothing(n int) bundle {
	b := d.b
	if !b.m.changing() {
		return bundle{}
	}
	w := b.workers[0]
	w.load(b.sites[b.people[n].site].site, b.people[n].id)
	_, charge := w.value(nil)
	return bundle{nil, 0, charge}
}

// copyOf is a draft that can be changed without changing the first.
func (d *draft) copyOf() *draft {
	e := *d
	e.left, e.hold = slices.Clone(d.left), slices.Clone(d.hold)
	e.at, e.gain = slices.Clone(d.at), slices.Clone(d.gain)
	return &e
}

// regrets is by how much each member falls short of ub at the block's prices.
func (d *draft) regrets(ub []float32) []float64 {
	b := d.b
	r := make([]float64, len(b.people))
	for n := range b.people {
		mb := &b.people[n]
		bu := &d.at[n]
		bs := b.sites[mb.site]
		r[n] = float64(ub[n]) - ((1+b.theta(mb.group))*bu.gain - bu.charge - bs.cost(mb.class, bu.options))
	}
	return r
}

// fix gives a member a bundle for good, in place of a provisional one.
func (d *draft) fix(n int, bu bundle) {
	d.charge(d.hold, n, &d.at[n], -1)
	d.set(n, bu)
	d.b.people[n].fixed = true
}

// reserve gives everyone with demands just what they must attend, for the time
// being: first those whose seats others want too, in the seats found by flow,
// then in any.
func (d *draft) reserve(open []int32) {
	b := d.b
	w := b.workers[0]
	var failed []int32
	try := func(n int32, reserved bool) {
		mb := &b.people[n]
		bs := b.sites[mb.site]
		w.load(bs.site, mb.id)
		w.shut = d.shut(int(n), w.shut)
		k := len(bs.options)
		bu, ok := w.least(bs.pay[int(mb.class)*k:(int(mb.class)+1)*k], d.purse(mb)+loose, reserved)
		if !ok {
			failed = append(failed, n)
			return
		}
		d.set(int(n), bu)
		d.charge(d.hold, int(n), &bu, 1)
	}
	for _, must := range []requirement{scarce, plenty} {
		for _, n := range open {
			if b.people[n].must == must {
				try(n, true)
			}
		}
		again := failed
		failed = nil
		for _, n := range again {
			try(n, false)
		}
		failed = nil
	}
}

// least is the cheapest bundle with all that the loaded person must attend,
// among the options that w.shut leaves; reserved keeps to the seats found by flow.
func (w *searcher) least(price []float64, money float64, reserved bool) (bundle, bool) {
	musts := w.demands()
	need := w.m.closure(musts)
	for o := range w.s.options {
		j := w.s.options[o].offering
		at, ok := w.m.reserved[demand{w.i, j}]
		if _, needed := slices.BinarySearch(need, j); !needed || reserved && ok && at != int32(o) {
			w.shut[o/64] |= 1 << (o % 64)
		}
	}
	q := ask{price: price, shut: w.shut, money: money, nodes: 20000, floor: math.Inf(-1)}
	if w.solve(&q); !w.found {
		return bundle{}, false
	}
	options := slices.Clone(w.bestAt)
	slices.Sort(options)
	gain, charge := w.value(options)
	return bundle{options, gain, charge}, true
}

// lift raises the prices of floors that the draft misses and lets members
// choose again, some times.
func (d *draft) lift(rng *rand.Rand) {
	b := d.b
	for try := range 12 {
		missed := false
		for _, r := range b.floor {
			if r >= 0 && d.left[r] < -loose {
				b.price[r] += 0.05 * float64(try+1)
				missed = true
			}
		}
		if !missed || b.stopped() {
			return
		}
		b.reprice()
		d.improve(1, 3000, 0.0003, rng, b.everyone())
	}
}

// empty is the draft in which nobody attends anything.
func (b *block) empty() *draft {
	d := b.draft()
	for n := range b.people {
		d.at[n] = d.nothing(n)
		d.value -= d.at[n].charge
	}
	return d
}

// everyone lists all members.
func (b *block) everyone() []int32 {
	all := make([]int32, len(b.people))
	for n := range all {
		all[n] = int32(n)
	}
	return all
}
