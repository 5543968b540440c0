package solve

import (
	"math"
	"slices"
)

// Reason answers why a person is, or is not, to attend an offering.
type Reason struct {
	Person   int32 `json:"person"`
	Offering int32 `json:"offering"`
	InPlan   bool  `json:"in_plan"`

	Conflict *Conflict `json:"conflict,omitempty"` // the rule that shuts the person out; then the rest is empty

	With        []Choice `json:"with"`         // the best the person could attend with it, at the plan's prices
	Without     []Choice `json:"without"`      // and without it
	GainWith    float64  `json:"gain_with"`    // E of With
	GainWithout float64  `json:"gain_without"` // E of Without
	Charges     []Charge `json:"charges"`      // what the offering takes from others, at the plan's prices
	Worth       float64  `json:"worth"`        // E by which With beats Without after both have paid; below 0, others gain more by what it takes
}

// Charge is one scarce thing that attending takes, and the E that it would
// bring the others.
type Charge struct {
	Rule    Rule    `json:"rule"`    // RuleSeats, RuleMoney or RuleCover
	Session int32   `json:"session"` // of RuleSeats, else −1
	Team    int32   `json:"team"`    // of RuleCover, else −1
	Unit    int32   `json:"unit"`    // of RuleMoney, if it is the unit's, else −1
	At      int32   `json:"at"`      // minute, of RuleCover
	Amount  float64 `json:"amount"`  // seats, money, people away
	Price   float64 `json:"price"`   // E for all of it
}

// Explain says why a person is to attend an offering, or not: what the person
// would gain, what it would take from the others, and what would be displaced.
func Explain(in *Instance, plan *Plan, person, offering int32) (*Reason, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	m := compile(in)
	m.waived = map[demand]bool{}
	for _, u := range plan.Unplaced {
		m.waived[demand{u.Person, u.Offering}] = true
	}
	r := &Reason{Person: person, Offering: offering}
	r.InPlan = slices.ContainsFunc(plan.Of(person), func(c Choice) bool { return c.Offering == offering })

	site := in.People.Site[person]
	b := newBlock(nil, m, &Options{Workers: 1}, []int32{site}, m.whole(), 0)
	b.adopt(plan.Prices.brief())
	w := b.workers[0]
	n := slices.IndexFunc(b.people, func(mb member) bool { return mb.id == person })
	mb := &b.people[n]
	bs := b.sites[0]
	pay := bs.pay[int(mb.class)*len(bs.options) : (int(mb.class)+1)*len(bs.options)]

	w.load(bs.site, person)
	required := w.hasMust[offering]
	if !required {
		if c, ok := w.shutOut(bs.site, person, offering); ok {
			r.Conflict = &c
			return r, nil
		}
	}
	best := func(with bool) (choices []Choice, gain, worth float64, at []uint16) {
		w.load(bs.site, person)
		if with {
			w.hasMust[offering] = true
		}
		q := ask{price: pay, theta: b.theta(mb.group), money: math.Inf(1), nodes: 2_000_000, slack: 1e-5, rounds: 30, floor: math.Inf(-1)}
		if !with {
			q.shut = make([]uint64, bs.words)
			for o := bs.start[offering]; o < bs.start[offering+1]; o++ {
				q.shut[o/64] |= 1 << (o % 64)
			}
		}
		a := w.solve(&q)
		at = slices.Clone(w.bestAt)
		slices.Sort(at)
		for _, o := range at {
			choices = append(choices, Choice{person, bs.options[o].offering, bs.options[o].session})
		}
		gain, _ = w.value(at)
		return choices, gain, a.worth, at
	}
	var with, without float64
	var at []uint16
	r.With, r.GainWith, with, at = best(true)
	if !required {
		r.Without, r.GainWithout, without, _ = best(false)
		r.Worth = with - without
	}
	for _, o := range at {
		if bs.options[o].offering == offering {
			r.Charges = b.charges(mb, o)
		}
	}
	return r, nil
}

// shutOut reports the rule that keeps a person from an offering whatever the
// others do: alone, or together with what the person must attend.
func (w *searcher) shutOut(s *site, i, j int32) (Conflict, bool) {
	require := func() bool { // as if it were required, beside what is
		w.load(s, i)
		w.hasMust[j] = true
		return w.attend(append(w.demands(), j))
	}
	if require() {
		return Conflict{}, false
	}
	w.only = []int32{}
	w.load(s, i)
	w.only = nil
	w.hasMust[j] = true
	if !w.attend([]int32{j}) {
		return w.impossible(s, i, j), true
	}
	w.load(s, i)
	return w.together(s, i, append(w.demands(), j)), true
}

// charges lists what one option takes.
func (b *block) charges(mb *member, o uint16) (list []Charge) {
	bs := b.sites[mb.site]
	op := &bs.options[o]
	cl := bs.classes[mb.class]
	add := func(c Charge) {
		if c.Price > 0 {
			list = append(list, c)
		}
	}
	if r := bs.seat[o]; r >= 0 {
		add(Charge{RuleSeats, op.session, -1, -1, -1, 1, b.price[r]})
	}
	if b.money >= 0 {
		add(Charge{RuleMoney, -1, -1, -1, -1, op.cost, op.cost * b.price[b.money] / b.res[b.money].scale})
	}
	if r, ok := b.units[cl.unit]; ok {
		add(Charge{RuleMoney, -1, -1, cl.unit, -1, op.cost, op.cost * b.price[r] / b.res[r].scale})
	}
	if base := bs.base[mb.class]; base >= 0 {
		for _, at := range op.instants {
			add(Charge{RuleCover, -1, cl.team, -1, bs.instants[at], 1, b.price[bs.cover[base+at]]})
		}
	}
	return list
}

// Revise is an instance in which each choice added to or dropped from a plan
// costs price, in E; change what has to change in it, and solve again.
func (in *Instance) Revise(plan *Plan, price float64) *Instance {
	next := *in
	next.Prior, next.ChangePrice = slices.Clone(plan.Choices), price
	return &next
}
