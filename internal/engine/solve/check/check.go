// Package check verifies a plan of package solve: that it keeps every rule,
// that its objective is what it says, and that its bound holds. It shares no
// code with the solver, only the types of the question and the answer.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"attune/internal/engine/solve"
)

// Report is what was found.
type Report struct {
	Violations []Violation `json:"violations"`
	Objective  float64     `json:"objective"` // computed afresh, by the exact φ
	Bound      float64     `json:"bound"`     // from the plan's prices and person bounds
	Gap        float64     `json:"gap"`       // (Bound−Objective)/Bound
	Proved     int         `json:"proved"`    // people whose bound was proved by a search of our own
	Open       int         `json:"open"`      // people whose search was given up: neither proved nor refuted
	Skipped    int         `json:"skipped"`   // people not searched, where there are too many
	People     int         `json:"people"`
}

// OK reports whether nothing speaks against the plan.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

// Violation is a rule that the plan breaks. Fields that do not apply are −1.
type Violation struct {
	Rule     solve.Rule `json:"rule"`
	Person   int32      `json:"person"`
	Offering int32      `json:"offering"`
	Session  int32      `json:"session"`
	Team     int32      `json:"team"`
	Unit     int32      `json:"unit"`
	Group    int32      `json:"group"`
	At       int32      `json:"at"`   // minute
	Need     float64    `json:"need"` // what the plan takes or claims
	Have     float64    `json:"have"` // what there is or it comes to
}

// Rules that only a checker can find broken.
const (
	RuleTwice     solve.Rule = "twice"     // an offering attended twice
	RuleAudience  solve.Rule = "audience"  // not open to the person's position
	RuleMandate   solve.Rule = "mandate"   // a mandate neither met nor reported
	RuleObjective solve.Rule = "objective" // the objective is not what the plan is worth
	RuleBound     solve.Rule = "bound"     // the bound is not what the prices give, or a person can beat it
	RulePinned    solve.Rule = "pinned"    // an earlier plan changed that was to stay
)

// ErrPlan says that a plan does not belong to the instance.
var ErrPlan = errors.New("check: the plan does not fit the instance")

const (
	hourSlack  = 1e-3 // hours: figures are held as float32
	moneySlack = 1e-3 // share of the amount in thousandths, and at least a thousandth of a unit
	valueSlack = 1e-6 // E per unit of E
	mostPeople = 2000
)

type checker struct {
	in   *solve.Instance
	plan *solve.Plan
	rep  Report

	away     [][]int32 // [team] minutes at which choices start or end, see cover
	rules    map[int32][]demand
	all      []demand // mandates for everyone
	excused  map[[2]int32]bool
	teamSize []int
}

// demand is what the rules say about one person and offering.
type demand struct {
	kind     string // "must", "not", "held", "prior"
	offering int32
	session  int32
	deadline int32
}

// Check verifies a plan. The bounds of up to 2,000 people, evenly spread, are
// proved by search; a violation of RuleBound names whoever can beat theirs.
func Check(in *solve.Instance, plan *solve.Plan) (Report, error) {
	n := in.People.Len()
	if len(plan.Gains) != n || len(plan.PersonUB) != n {
		return Report{}, fmt.Errorf("%w: %d people, gains of %d, bounds of %d", ErrPlan, n, len(plan.Gains), len(plan.PersonUB))
	}
	c := &checker{in: in, plan: plan, rules: map[int32][]demand{}, excused: map[[2]int32]bool{}}
	c.rep.People = n
	for _, x := range plan.Choices {
		if x.Person < 0 || int(x.Person) >= n || x.Session < 0 || int(x.Session) >= len(in.Sessions) ||
			in.Sessions[x.Session].Offering != x.Offering {
			return Report{}, fmt.Errorf("%w: choice %v", ErrPlan, x)
		}
	}
	if !slices.IsSortedFunc(plan.Choices, func(a, b solve.Choice) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Offering, b.Offering))
	}) {
		return Report{}, fmt.Errorf("%w: choices are not in order", ErrPlan)
	}
	c.demands()
	c.persons()
	c.seats()
	c.cover()
	c.money()
	c.worth()
	c.bound()
	return c.rep, nil
}

func (c *checker) report(v Violation) { c.rep.Violations = append(c.rep.Violations, v) }

func blank(rule solve.Rule) Violation { return Violation{rule, -1, -1, -1, -1, -1, -1, -1, 0, 0} }

func (c *checker) demands() {
	for _, m := range c.in.Mandates {
		d := demand{"must", m.Offering, -1, m.Deadline}
		if len(m.People) == 0 {
			c.all = append(c.all, d)
		}
		for _, i := range m.People {
			c.rules[i] = append(c.rules[i], d)
		}
	}
	for _, x := range c.in.Locked {
		c.rules[x.Person] = append(c.rules[x.Person], demand{"lock", x.Offering, x.Session, math.MaxInt32})
	}
	for _, x := range c.in.Forbidden {
		c.rules[x.Person] = append(c.rules[x.Person], demand{"not", x.Offering, x.Session, 0})
	}
	for _, x := range c.in.Held {
		c.rules[x.Person] = append(c.rules[x.Person], demand{"held", x.Offering, -1, 0})
	}
	for _, x := range c.in.Prior {
		c.rules[x.Person] = append(c.rules[x.Person], demand{"prior", x.Offering, x.Session, 0})
	}
	for _, i := range c.in.People.Unchanging {
		c.rules[i] = append(c.rules[i], demand{"stay", -1, -1, 0})
	}
	for _, u := range c.plan.Unplaced {
		c.excused[[2]int32{u.Person, u.Offering}] = true
	}
}

// holds reports whether a person has done an offering before.
func (c *checker) holds(i, offering int32) bool {
	return slices.ContainsFunc(c.rules[i], func(d demand) bool { return d.kind == "held" && d.offering == offering })
}

// last is the minute at which a session is over, first when it begins; −1
// without meetings.
func (c *checker) last(session int32) int32 {
	end := int32(-1)
	for _, m := range c.in.Sessions[session].Meetings {
		end = max(end, m.End)
	}
	return end
}

func (c *checker) first(session int32) int32 {
	start := int32(-1)
	for _, m := range c.in.Sessions[session].Meetings {
		if start < 0 || m.Start < start {
			start = m.Start
		}
	}
	return start
}

// persons verifies the rules that concern one person.
func (c *checker) persons() {
	in := c.in
	at := 0
	for i := range int32(in.People.Len()) {
		lo := at
		for at < len(c.plan.Choices) && c.plan.Choices[at].Person == i {
			at++
		}
		mine := c.plan.Choices[lo:at]
		hours := 0.0
		type span struct{ start, end int32 }
		var spans []span
		for n, x := range mine {
			se, of := &in.Sessions[x.Session], &in.Offerings[x.Offering]
			v := blank("")
			v.Person, v.Offering, v.Session = i, x.Offering, x.Session
			flag := func(rule solve.Rule) { v.Rule = rule; c.report(v) }
			if n > 0 && mine[n-1].Offering == x.Offering {
				flag(RuleTwice)
			}
			if se.Site >= 0 && se.Site != in.People.Site[i] {
				flag(solve.RuleSite)
			}
			if len(of.Positions) > 0 && !slices.Contains(of.Positions, in.People.Position[i]) {
				flag(RuleAudience)
			}
			hours += float64(of.Hours)
			for _, m := range se.Meetings {
				spans = append(spans, span{m.Start, m.End})
			}
			for _, pre := range of.Prerequisites {
				if c.holds(i, pre) {
					continue
				}
				p := slices.IndexFunc(mine, func(y solve.Choice) bool { return y.Offering == pre })
				if p < 0 || c.first(x.Session) >= 0 && c.last(mine[p].Session) > c.first(x.Session) {
					flag(solve.RulePrerequisite)
				}
			}
			for _, d := range c.rules[i] {
				if d.kind == "held" && d.offering == x.Offering || d.kind == "not" && d.offering == x.Offering && (d.session < 0 || d.session == x.Session) {
					flag(solve.RuleLocked)
				}
			}
		}
		if have := float64(in.People.Hours[i]); hours > have+hourSlack {
			v := blank(solve.RuleHours)
			v.Person, v.Need, v.Have = i, hours, have
			c.report(v)
		}
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
		day, sum := int32(-1), 0.0
		for n, s := range spans {
			if n > 0 && s.start < spans[n-1].end {
				v := blank(solve.RuleClash)
				v.Person, v.At = i, s.start
				c.report(v)
			}
			if s.start/1440 != day {
				day, sum = s.start/1440, 0
			}
			if sum += float64(s.end - s.start); sum > float64(in.People.Attention[i]) {
				v := blank(solve.RuleAttention)
				v.Person, v.At, v.Need, v.Have = i, day*1440, sum, float64(in.People.Attention[i])
				c.report(v)
			}
		}
		c.required(i, mine)
	}
}

// required verifies mandates, locks and earlier plans that must stay.
func (c *checker) required(i int32, mine []solve.Choice) {
	for _, list := range [2][]demand{c.all, c.rules[i]} {
		for _, d := range list {
			rule := RuleMandate
			switch d.kind {
			case "must":
				if c.holds(i, d.offering) {
					continue
				}
			case "lock":
				rule = solve.RuleLocked
			default:
				continue
			}
			if c.excused[[2]int32{i, d.offering}] {
				continue
			}
			if !slices.ContainsFunc(mine, func(x solve.Choice) bool {
				return x.Offering == d.offering && (d.session < 0 || x.Session == d.session) && c.last(x.Session) <= d.deadline
			}) {
				v := blank(rule)
				v.Person, v.Offering, v.Session = i, d.offering, d.session
				c.report(v)
			}
		}
	}
	if !slices.ContainsFunc(c.rules[i], func(d demand) bool { return d.kind == "stay" }) {
		return
	}
	prior := 0
	for _, d := range c.rules[i] {
		if d.kind != "prior" {
			continue
		}
		prior++
		if !c.excused[[2]int32{i, d.offering}] && !slices.ContainsFunc(mine, func(x solve.Choice) bool { return x.Session == d.session }) {
			v := blank(RulePinned)
			v.Person, v.Offering, v.Session = i, d.offering, d.session
			c.report(v)
		}
	}
	if len(mine) > prior {
		v := blank(RulePinned)
		v.Person = i
		c.report(v)
	}
}

func (c *checker) seats() {
	used := make([]int32, len(c.in.Sessions))
	for _, x := range c.plan.Choices {
		used[x.Session]++
	}
	for t, n := range used {
		if have := c.in.Sessions[t].Seats; have >= 0 && n > have {
			v := blank(solve.RuleSeats)
			v.Session, v.Offering, v.Need, v.Have = int32(t), c.in.Sessions[t].Offering, float64(n), float64(have)
			c.report(v)
		}
	}
}

// allowed is how many of a team may be away at a minute.
func (c *checker) allowed(team, minute int32) int {
	if c.teamSize == nil {
		c.teamSize = make([]int, len(c.in.Teams))
		for _, t := range c.in.People.Team {
			if t >= 0 {
				c.teamSize[t]++
			}
		}
	}
	people := func(share float32) int { return int(math.Floor(float64(share)*float64(c.teamSize[team]) + 1e-4)) }
	n := people(c.in.Teams[team].Away)
	if n == 0 && c.in.Teams[team].Away > 0 {
		n = 1
	}
	for _, w := range c.in.Cover {
		if (w.Team == -1 || w.Team == team) && minute >= w.Start && minute < w.End {
			n = min(n, people(w.Away))
		}
	}
	return n
}

// cover sweeps over each team's comings and goings.
func (c *checker) cover() {
	in := c.in
	type event struct {
		minute int32
		change int
	}
	events := make([][]event, len(in.Teams))
	for _, x := range c.plan.Choices {
		if t := in.People.Team[x.Person]; t >= 0 {
			for _, m := range in.Sessions[x.Session].Meetings {
				events[t] = append(events[t], event{m.Start, 1}, event{m.End, -1})
			}
		}
	}
	for t := range events {
		for _, w := range in.Cover { // a window may open while people are away
			if w.Team == -1 || int(w.Team) == t {
				events[t] = append(events[t], event{w.Start, 0})
			}
		}
		slices.SortFunc(events[t], func(a, b event) int { return cmp.Compare(a.minute, b.minute) })
		away := 0
		for n, e := range events[t] {
			away += e.change
			if n+1 < len(events[t]) && events[t][n+1].minute == e.minute {
				continue
			}
			if most := c.allowed(int32(t), e.minute); away > most {
				v := blank(solve.RuleCover)
				v.Team, v.At, v.Need, v.Have = int32(t), e.minute, float64(away), float64(most)
				c.report(v)
			}
		}
		events[t] = nil
	}
}

func (c *checker) money() {
	total := 0.0
	unit := make([]float64, len(c.in.Units))
	for _, x := range c.plan.Choices {
		cost := float64(c.in.Offerings[x.Offering].Cost)
		total += cost
		if u := c.in.People.Unit[x.Person]; u >= 0 {
			unit[u] += cost
		}
	}
	over := func(spent, have float64, u int32) {
		if have >= 0 && spent > have+moneySlack+1e-9*have {
			v := blank(solve.RuleMoney)
			v.Unit, v.Need, v.Have = u, spent, have
			c.report(v)
		}
	}
	over(total, c.in.Budget, -1)
	for u, spent := range unit {
		over(spent, c.in.Units[u].Budget, int32(u))
	}
}

// worth values the plan from scratch and verifies objective, gains and floors.
func (c *checker) worth() {
	in := c.in
	k := len(in.Skills)
	sum := make([]float64, k)
	group := make([]float64, len(in.Groups))
	total, changes := 0.0, 0
	at := 0
	for i := range in.People.Position {
		clear(sum)
		mine := 0
		lo := at
		for at < len(c.plan.Choices) && int(c.plan.Choices[at].Person) == i {
			of := &in.Offerings[c.plan.Choices[at].Offering]
			fit := float64(in.Fit[in.People.Profile[i]][of.Format])
			for s, r := range of.Rates {
				sum[s] += float64(r) * float64(of.Hours) * fit
			}
			at++
			mine++
		}
		gain := 0.0
		pos := &in.Positions[in.People.Position[i]]
		for s, a := range sum {
			left := float64(pos.Ceiling[s]) - float64(in.People.Proficiency[i*k+s])
			if left <= 0 || a == 0 {
				continue
			}
			points := left * (1 - math.Exp(-a))
			if int32(s) == in.Innovation {
				gain += in.Beta / in.SigmaI * points
			} else {
				gain += in.Alpha / in.SigmaS * float64(pos.Weights[s]) * points
			}
		}
		if math.Abs(gain-float64(c.plan.Gains[i])) > 1e-5*(1+gain) {
			v := blank(RuleObjective)
			v.Person, v.Need, v.Have = int32(i), float64(c.plan.Gains[i]), gain
			c.report(v)
		}
		total += gain
		if g := in.People.Group[i]; g >= 0 {
			group[g] += gain
		}
		if len(in.Prior) > 0 {
			kept, prior := 0, 0
			for _, d := range c.rules[int32(i)] {
				if d.kind == "prior" {
					prior++
					if slices.ContainsFunc(c.plan.Choices[lo:at], func(x solve.Choice) bool { return x.Session == d.session }) {
						kept++
					}
				}
			}
			changes += mine + prior - 2*kept
		}
	}
	c.rep.Objective = total - in.ChangePrice*float64(changes)
	if math.Abs(c.rep.Objective-c.plan.Objective) > valueSlack*(1+math.Abs(total)) {
		v := blank(RuleObjective)
		v.Need, v.Have = c.plan.Objective, c.rep.Objective
		c.report(v)
	}
	for g, x := range group {
		reported := slices.ContainsFunc(c.plan.Conflicts, func(f solve.Conflict) bool { return f.Rule == solve.RuleFloor && f.Group == int32(g) })
		if floor := in.Groups[g].Floor; floor > 0 && x < floor-1e-4*(1+floor) && !reported {
			v := blank(solve.RuleFloor)
			v.Group, v.Need, v.Have = int32(g), floor, x
			c.report(v)
		}
	}
}
