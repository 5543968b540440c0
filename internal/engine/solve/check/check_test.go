package check

import (
	"slices"
	"testing"
	"time"

	"attune/internal/engine/solve"
)

// solved is a small instance and a plan of it.
func solved(t *testing.T, people int, o solve.GenerateOptions) (*solve.Instance, *solve.Plan) {
	t.Helper()
	in := solve.Generate(people, 1, o)
	p, err := solve.Solve(t.Context(), in, solve.Options{Gap: 0.004, Work: 3_000_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return in, p
}

func TestPlansHold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		people int
		o      solve.GenerateOptions
	}{
		{"tight", 120, solve.GenerateOptions{}},
		{"loose", 100, solve.GenerateOptions{Loose: true}},
		{"health", 80, solve.GenerateOptions{Industry: "health"}},
		{"two sites", 100, solve.GenerateOptions{SiteSize: 50}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, p := solved(t, tt.people, tt.o)
			r, err := Check(in, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations[:min(8, len(r.Violations))] {
				t.Errorf("%+v", v)
			}
			if r.Proved < tt.people*99/100 {
				t.Errorf("proved the bound of %d people of %d", r.Proved, tt.people)
			}
			t.Logf("%.2f of %.2f, gap %.3f%%, proved %d, open %d, violations %d, unplaced %d", r.Objective, r.Bound, 100*r.Gap, r.Proved, r.Open, len(r.Violations), len(p.Unplaced))
		})
	}
}

// A plan that had next to no time is poor, but holds.
func TestHurriedPlansHold(t *testing.T) {
	in := solve.Generate(200, 1, solve.GenerateOptions{SiteSize: 100})
	for _, hurry := range []time.Duration{1, 100 * time.Millisecond} {
		p, err := solve.Solve(t.Context(), in, solve.Options{Time: hurry, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Check(in, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Violations[:min(8, len(r.Violations))] {
			if v.Rule == solve.RuleFloor && slices.Contains(p.Warnings, solve.WarnFloor) {
				continue // it says so itself
			}
			t.Errorf("%v: %+v", hurry, v)
		}
		if len(p.Warnings) == 0 {
			t.Errorf("%v: no warning", hurry)
		}
		t.Logf("%v: %.2f of %.2f, gap %.3f%%", hurry, r.Objective, r.Bound, 100*r.Gap)
	}
}

// Whatever is done to a good plan must be found.
func TestWrongPlansAreFound(t *testing.T) {
	in, good := solved(t, 30, solve.GenerateOptions{})
	if r, err := Check(in, good); err != nil || !r.OK() {
		t.Fatalf("%v %+v", err, r.Violations)
	}
	firstDated := slices.IndexFunc(good.Choices, func(c solve.Choice) bool { return len(in.Sessions[c.Session].Meetings) > 0 })
	for _, tt := range []struct {
		name  string
		want  solve.Rule
		spoil func(in *solve.Instance, p *solve.Plan)
	}{
		{"a seat too few", solve.RuleSeats, func(in *solve.Instance, p *solve.Plan) {
			in.Sessions[p.Choices[firstDated].Session].Seats = 0
		}},
		{"no hours", solve.RuleHours, func(in *solve.Instance, p *solve.Plan) { in.People.Hours[p.Choices[0].Person] = 0.5 }},
		{"no attention", solve.RuleAttention, func(in *solve.Instance, p *solve.Plan) {
			in.People.Attention[p.Choices[firstDated].Person] = 10
		}},
		{"nobody may be away", solve.RuleCover, func(in *solve.Instance, p *solve.Plan) {
			in.Cover = append(in.Cover, solve.Cover{Team: -1, Start: 0, End: 100 * 1440, Away: 0})
		}},
		{"no money", solve.RuleMoney, func(in *solve.Instance, p *solve.Plan) { in.Budget = 100 }},
		{"forbidden", solve.RuleLocked, func(in *solve.Instance, p *solve.Plan) {
			in.Forbidden = append(in.Forbidden, solve.Choice{Person: p.Choices[0].Person, Offering: p.Choices[0].Offering, Session: -1})
		}},
		{"mandate missed", RuleMandate, func(in *solve.Instance, p *solve.Plan) {
			p.Choices = slices.DeleteFunc(p.Choices, func(c solve.Choice) bool { return c.Offering == in.Mandates[0].Offering })
		}},
		{"floor missed", solve.RuleFloor, func(in *solve.Instance, p *solve.Plan) { in.Groups[0].Floor *= 3 }},
		{"objective", RuleObjective, func(in *solve.Instance, p *solve.Plan) { p.Objective += 0.01 }},
		{"bound too low", RuleBound, func(in *solve.Instance, p *solve.Plan) { p.Bound -= 0.1 }},
		{"a person's bound too low", RuleBound, func(in *solve.Instance, p *solve.Plan) {
			for i := range p.PersonUB {
				p.PersonUB[i] -= 0.002
				p.Bound -= 0.002
			}
		}},
		{"a seat's price too low", RuleBound, func(in *solve.Instance, p *solve.Plan) {
			for t, x := range p.Prices.Seat {
				if x > 0.05 {
					p.Bound -= x * float64(in.Sessions[t].Seats)
					p.Prices.Seat[t] = 0
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in2, p := *in, *good
			in2.People.Hours = slices.Clone(in.People.Hours)
			in2.People.Attention = slices.Clone(in.People.Attention)
			in2.Sessions, in2.Groups = slices.Clone(in.Sessions), slices.Clone(in.Groups)
			p.Choices, p.PersonUB = slices.Clone(good.Choices), slices.Clone(good.PersonUB)
			p.Prices.Seat = slices.Clone(good.Prices.Seat)
			tt.spoil(&in2, &p)
			r, err := Check(&in2, &p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Rule == tt.want }) {
				t.Errorf("no violation of %q among %d", tt.want, len(r.Violations))
			}
		})
	}
}
