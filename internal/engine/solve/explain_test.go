package solve

import (
	"math"
	"slices"
	"testing"
)

// Where a workshop's seats are short, whoever gains least by it is left out, and
// is told what the seat is worth to others.
func TestWhyNotMe(t *testing.T) {
	in := office(12)
	in.Sessions[1].Seats, in.Sessions[2].Seats = 3, 3
	for i := range in.People.Proficiency {
		in.People.Proficiency[i] = float32(30 + 4*i)
	}
	in.Forbidden = []Choice{{5, 1, -1}}
	p, err := Solve(t.Context(), in, Options{Gap: 1e-4, Work: 300_000, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int32(12) {
		r, err := Explain(in, p, i, 1)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i == 5:
			if r.Conflict == nil || r.Conflict.Rule != RuleLocked {
				t.Errorf("person 5: %+v", r)
			}
			continue
		case i <= 6 != r.InPlan: // six seats, less the one who may not
			t.Errorf("person %d in plan: %v", i, r.InPlan)
		case r.InPlan && r.Worth < -1e-3, !r.InPlan && r.Worth > 1e-3:
			t.Errorf("person %d: worth %.4f though in plan: %v", i, r.Worth, r.InPlan)
		case len(r.Charges) == 0 || r.Charges[0].Rule != RuleSeats || r.Charges[0].Price <= 0:
			t.Errorf("person %d: charges %+v", i, r.Charges)
		}
		// 3 hours at 0.1 beside 2: A = 0.5 in place of 0.2.
		want := 0.07 * (95 - float64(in.People.Proficiency[i])) * (math.Exp(-0.2) - math.Exp(-0.5))
		if math.Abs(r.GainWith-r.GainWithout-want) > 1e-6 {
			t.Errorf("person %d: gains %.5f, want %.5f", i, r.GainWith-r.GainWithout, want)
		}
	}
}

// A price on change keeps a new plan near the old one.
func TestReviseChangesLittle(t *testing.T) {
	in := Generate(150, 2, GenerateOptions{})
	o := Options{Gap: 0.005, Work: 1_000_000, Seed: 1}
	first, err := Solve(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	full := first.Choices[slices.IndexFunc(first.Choices, func(c Choice) bool { return in.Sessions[c.Session].Seats > 1 })].Session
	changes := func(price float64) (int, *Plan) {
		next := in.Revise(first, price)
		next.Sessions = slices.Clone(in.Sessions)
		next.Sessions[full].Seats-- // somebody has to go
		p, err := Solve(t.Context(), next, o)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, list := range [2][2][]Choice{{first.Choices, p.Choices}, {p.Choices, first.Choices}} {
			for _, c := range list[0] {
				if !slices.Contains(list[1], c) {
					n++
				}
			}
		}
		if price > 0 && (p.Changes != n || math.Abs(p.ChangeCost-price*float64(n)) > 1e-9) {
			t.Errorf("%d changes reported at %.3f, %d made", p.Changes, p.ChangeCost, n)
		}
		return n, p
	}
	free, _ := changes(0)
	dear, p := changes(0.05)
	if dear > 20 || dear >= free {
		t.Errorf("%d changes when each costs 0.05 E, %d when none does", dear, free)
	}
	t.Logf("%d changes when free; %d at 0.05 E, gap %.3f %%", free, dear, 100*p.Gap)
}
