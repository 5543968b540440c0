package solve

import (
	"cmp"
	"math"
	"slices"
)

// result writes the best draft down.
func (s *search) result() *SiteResult {
	b := s.b
	s.fallback()
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

// fallback gives a search that was stopped before its first bound a plain one:
// everything that there is to learn, and no price on anything of its own.
func (s *search) fallback() {
	b := s.b
	if !math.IsInf(s.bound, 1) {
		return
	}
	for r := range b.price {
		s.price[r] = 0
		if b.fixed[r] {
			s.price[r] = b.price[r]
		}
	}
	copy(b.price, s.price)
	w := b.workers[0]
	for n := range b.people {
		mb := &b.people[n]
		w.load(b.sites[mb.site].site, mb.id)
		sum := 0.0
		for _, v := range w.v {
			sum += v
		}
		s.ub[n] = up((1 + b.theta(mb.group)) * sum)
	}
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
