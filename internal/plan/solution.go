package plan

import (
	"cmp"
	"context"
	"slices"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/solve"
	"attune/internal/engine/solve/check"
	"attune/internal/fault"
	"attune/internal/org"
)

// Solution is an answer that has not been kept yet.
type Solution struct {
	*Problem
	Plan   *solve.Plan
	Result Result
	pooled map[[2]int32]bool // person, offering: drawn by lot
}

// Solve finds the plan. It runs outside any transaction and may take seconds;
// progress is told now and then. The plan is then verified by a checker that
// shares no code with the solver; a plan that it faults is an error, not a
// result.
func (p *Problem) Solve(ctx context.Context, progress func(solve.Progress)) (*Solution, error) {
	found, err := solve.Solve(ctx, p.Instance, solve.Options{Gap: p.Options.Gap, Work: p.Options.Work, Seed: p.Options.Seed, Progress: progress})
	if err != nil {
		return nil, err
	}
	report, err := check.Check(p.Instance, found)
	if err != nil {
		return nil, err
	}
	if len(report.Violations) > 0 {
		return nil, fault.New(fault.Internal, "internal")
	}
	s := &Solution{Problem: p, Plan: found, pooled: map[[2]int32]bool{}}
	in := p.Instance
	r := &s.Result
	r.Objective, r.Bound, r.Work = found.Objective, found.Bound, found.Work
	if r.Objective > 0 {
		r.Gap = (r.Bound - r.Objective) / r.Objective
	}
	use := make([]int, len(in.Offerings))
	last := int32(-1)
	for _, c := range found.Choices {
		o := in.Offerings[c.Offering]
		r.Enrolments++
		r.Hours += float64(o.Hours)
		r.Cost += float64(o.Cost)
		use[c.Offering]++
		if c.Person != last {
			r.People++
			last = c.Person
		}
	}
	seats := make([]int, len(in.Offerings))
	for _, x := range in.Sessions {
		switch o := x.Offering; {
		case x.Seats < 0:
			seats[o] = -1
		case seats[o] >= 0:
			seats[o] += int(x.Seats)
		}
	}
	for i, o := range p.offerings {
		r.Offerings = append(r.Offerings, OfferingUse{o.ID, use[i], seats[i]})
	}
	p.prices(found, r)
	for _, c := range found.Conflicts {
		r.Conflicts = append(r.Conflicts, p.conflict(c))
	}
	r.Warnings = slices.Clone(p.warnings)
	if p.Options.Draw {
		if err := s.draw(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// prices lists what is scarce, dearest first.
func (p *Problem) prices(found *solve.Plan, r *Result) {
	if found.Prices.Money > 0 {
		r.Prices = append(r.Prices, Price{What: "money", E: 1000 * found.Prices.Money})
	}
	for i, e := range found.Prices.Seat {
		if e > 0 && p.sessions[i] != "" {
			r.Prices = append(r.Prices, Price{What: "seat", Session: p.sessions[i], E: e})
		}
	}
	for _, c := range found.Prices.Cover {
		if c.Price > 0 {
			r.Prices = append(r.Prices, Price{What: "away", Team: p.teams[c.Team], At: p.at(c.At), E: c.Price})
		}
	}
	slices.SortStableFunc(r.Prices, func(a, b Price) int { return cmp.Compare(b.E, a.E) })
}

func (p *Problem) conflict(c solve.Conflict) Conflict {
	out := Conflict{Rule: c.Rule, Need: c.Need, Have: c.Have}
	for _, i := range c.People {
		out.People = append(out.People, p.people[i].ID)
	}
	for _, j := range c.Offerings {
		out.Offerings = append(out.Offerings, p.offerings[j].ID)
	}
	for _, t := range c.Sessions {
		out.Sessions = append(out.Sessions, p.sessions[t])
	}
	return out
}

// draw forms the pools. Nobody is drawn yet: that is done on approval.
func (s *Solution) draw() error {
	pools, err := solve.Pools(s.Instance, s.Plan, solve.PoolOptions{Detect: s.Options.Detect})
	if err != nil {
		return err
	}
	for _, pool := range pools {
		out := Pool{Offering: s.offerings[pool.Offering].ID, Band: pool.Band, Cost: pool.Cost, Detectable: pool.Detectable}
		for _, l := range pool.Members {
			s.pooled[[2]int32{l.Person, pool.Offering}] = true
			if l.Holds {
				out.Seats++
			}
			out.Lots = append(out.Lots, Lot{
				Person: s.people[l.Person].ID, Session: s.sessions[l.Session], Stratum: s.stratumName(l.Stratum), Probability: l.Probability, Holds: l.Holds,
			})
		}
		s.Result.Pools = append(s.Result.Pools, out)
	}
	return nil
}

// Keep writes a solution down as a plan of its programme.
func (s *Solution) Keep(ctx context.Context, t *db.Tx, name string) (Plan, error) {
	p := Plan{ID: ID(org.NewID()), Programme: s.Programme.ID, Name: name, Status: Solved, Options: s.Options, Result: s.Result, CreatedAt: t.Now}
	if len(s.Result.Conflicts) > 0 {
		p.Status = Infeasible
	}
	if _, err := t.Exec(ctx, `
		INSERT INTO plan (id, programme_id, name, status, options, result, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.ID, p.Programme, p.Name, p.Status, db.JSON{V: p.Options}, db.JSON{V: p.Result}, db.Millis(t.Now)); err != nil {
		return p, err
	}
	args := make([]any, 0, 5*len(s.Plan.Choices))
	hours, cost := make([]float64, len(s.people)), make([]float64, len(s.people))
	for _, c := range s.Plan.Choices {
		o := s.Instance.Offerings[c.Offering]
		hours[c.Person] += float64(o.Hours)
		cost[c.Person] += float64(o.Cost)
		args = append(args, p.ID, s.people[c.Person].ID, s.offerings[c.Offering].ID, db.OrNull(s.sessions[c.Session]), s.pooled[[2]int32{c.Person, c.Offering}])
	}
	if err := t.Many(ctx, `INSERT INTO plan_choice (plan_id, person_id, offering_id, session_id, drawn)`, 5, args, ""); err != nil {
		return p, err
	}
	args = args[:0]
	for i, e := range s.Plan.Gains {
		args = append(args, p.ID, s.people[i].ID, float64(e), hours[i], cost[i])
	}
	return p, t.Many(ctx, `INSERT INTO plan_gain (plan_id, person_id, e, hours, cost)`, 5, args, "")
}

// Approve makes a plan the programme's: lots are drawn and recorded, everybody
// is enrolled, and the programme goes on to delivery. It happens whole or not
// at all. An infeasible plan cannot be approved.
func Approve(ctx context.Context, t *db.Tx, id ID, by string) (Plan, error) {
	p, err := Find(ctx, t, id)
	if err != nil {
		return p, err
	}
	switch p.Status {
	case Approved:
		return p, nil // a second click
	case Infeasible:
		return p, fault.New(fault.Invalid, "plan.approve.infeasible")
	case Superseded:
		return p, fault.New(fault.Conflict, "plan.approve.superseded")
	}
	n, err := t.Exec(ctx, `UPDATE plan SET status = 'approved', approved_at = $2, approved_by = $3
		WHERE id = $1 AND status = 'solved'
			AND NOT EXISTS (SELECT 1 FROM plan o WHERE o.programme_id = $4 AND o.status = 'approved')`, id, db.Millis(t.Now), by, p.Programme)
	if err != nil {
		return p, err
	}
	if n == 0 {
		return p, fault.New(fault.Conflict, "plan.approve.another")
	}
	if _, err := t.Exec(ctx, `UPDATE plan SET status = 'superseded' WHERE programme_id = $1 AND status IN ('solved', 'infeasible')`, p.Programme); err != nil {
		return p, err
	}
	choices, err := Choices(ctx, t, id)
	if err != nil {
		return p, err
	}
	var enrol []delivery.Enrolment
	for _, c := range choices {
		if !c.Drawn {
			enrol = append(enrol, delivery.Enrolment{Person: c.Person, Offering: c.Offering, Session: c.Session, Status: delivery.Enrolled, Source: "plan"})
		}
	}
	for i, pool := range p.Result.Pools {
		d, places := drawLots(p, pool, p.Options.Seed+uint64(i))
		if err := delivery.RecordDraw(ctx, t, d); err != nil {
			return p, err
		}
		enrol = append(enrol, places...)
	}
	if err := delivery.Enrol(ctx, t, enrol); err != nil {
		return p, err
	}
	p.Status, p.ApprovedAt, p.ApprovedBy = Approved, t.Now, by
	return p, delivery.Advance(ctx, t, p.Programme, delivery.StageDelivery)
}

// drawLots draws one pool. The same plan gives the same draw: the seed is the
// plan's, and both are recorded.
func drawLots(p Plan, pool Pool, seed uint64) (delivery.Draw, []delivery.Enrolment) {
	sessions, strata := []delivery.SessionID{}, []string{}
	q := solve.Pool{Band: pool.Band, Cost: pool.Cost}
	index := func(of *[]string, s string) int32 {
		i := slices.Index(*of, s)
		if i < 0 {
			*of = append(*of, s)
			i = len(*of) - 1
		}
		return int32(i)
	}
	for i, l := range pool.Lots {
		at := slices.Index(sessions, l.Session)
		if at < 0 {
			sessions = append(sessions, l.Session)
			at = len(sessions) - 1
		}
		q.Members = append(q.Members, solve.Lot{Person: int32(i), Session: int32(at), Stratum: index(&strata, l.Stratum), Probability: l.Probability, Holds: l.Holds})
	}
	won := map[int32]bool{}
	for _, c := range solve.Draw(q, seed).Seats {
		won[c.Person] = true
	}
	d := delivery.Draw{ID: delivery.DrawID(org.NewID()), Plan: string(p.ID), Offering: pool.Offering, Seed: int64(seed), Seats: pool.Seats, Band: pool.Band, Cost: pool.Cost}
	var places []delivery.Enrolment
	for i, l := range pool.Lots {
		e := delivery.Enrolment{Person: l.Person, Offering: pool.Offering, Session: l.Session, Status: delivery.Waiting, Source: "draw"}
		if won[int32(i)] {
			e.Status = delivery.Enrolled
		}
		places = append(places, e)
		d.Entries = append(d.Entries, delivery.DrawEntry{Person: l.Person, Session: l.Session, Stratum: l.Stratum, Probability: l.Probability, Drawn: won[int32(i)]})
	}
	return d, places
}
