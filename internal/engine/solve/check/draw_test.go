package check

import (
	"math"
	"testing"

	"attune/internal/engine/solve"
)

// Whatever the lot decides, the plan keeps every rule; over many draws each
// person wins as often as the pool says, and the cost is what it says.
func TestDraws(t *testing.T) {
	in := solve.Generate(300, 2, solve.GenerateOptions{})
	plan, err := solve.Solve(t.Context(), in, solve.Options{Gap: 0.01, Work: 2_000_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	pools, err := solve.Pools(in, plan, solve.PoolOptions{Band: 0.03, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(pools) < 3 {
		t.Fatalf("%d pools", len(pools))
	}
	const draws = 400
	wins := map[solve.Choice]float64{}
	cost, said, most := 0.0, 0.0, 0.0
	for _, p := range pools {
		said += p.Cost
		most += p.CostAtMost
	}
	for seed := range uint64(draws) {
		var drawn []solve.Drawn
		for _, p := range pools {
			d := solve.Draw(p, seed)
			for _, c := range d.Seats {
				wins[c]++
			}
			drawn = append(drawn, d)
		}
		after := plan.After(in, drawn...)
		cost += (plan.Objective - after.Objective) / draws
		if seed < 25 {
			c := &checker{in: in, plan: after, rules: map[int32][]demand{}, excused: map[[2]int32]bool{}}
			c.demands()
			c.persons()
			c.seats()
			c.cover()
			c.money()
			c.worth()
			for _, v := range c.rep.Violations {
				t.Fatalf("seed %d: %+v", seed, v)
			}
			if loss := plan.Objective - after.Objective; loss > most+1e-6 {
				t.Errorf("seed %d costs %.4f, at most %.4f was said", seed, loss, most)
			}
		}
	}
	people := map[int32]bool{}
	for _, p := range pools {
		seats := map[int32]float64{}
		for _, l := range p.Members {
			if people[l.Person] {
				t.Errorf("person %d is in two pools", l.Person)
			}
			people[l.Person] = true
			if math.Abs(l.Value-plan.Prices.Seat[l.Session]) > p.Band+1e-9 {
				t.Errorf("person %d is %.4f from the price, band %.4f", l.Person, l.Value-plan.Prices.Seat[l.Session], p.Band)
			}
			n := wins[solve.Choice{Person: l.Person, Offering: p.Offering, Session: l.Session}]
			if sd := math.Sqrt(l.Probability * (1 - l.Probability) / draws); math.Abs(n/draws-l.Probability) > 4.5*sd {
				t.Errorf("person %d wins %.3f of the draws, probability %.3f", l.Person, n/draws, l.Probability)
			}
			seats[l.Session] += l.Probability
			if l.Holds {
				seats[l.Session]--
			}
		}
		for s, x := range seats {
			if math.Abs(x) > 1e-9 {
				t.Errorf("session %d: probabilities exceed its seats by %g", s, x)
			}
		}
	}
	if math.Abs(cost-said) > 0.05*said+0.01 {
		t.Errorf("draws cost %.4f on average, %.4f was said", cost, said)
	}
	t.Logf("%d pools of %d people, cost %.4f of %.2f (said %.4f, at most %.4f)", len(pools), len(people), cost, plan.Objective, said, most)
}

// The band is as narrow as the effect that is to be seen allows.
func TestBandIsSized(t *testing.T) {
	in := solve.Generate(500, 1, solve.GenerateOptions{})
	plan, err := solve.Solve(t.Context(), in, solve.Options{Gap: 0.02, Work: 400_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for _, detect := range []float64{2, 1.5, 1} {
		pools, err := solve.Pools(in, plan, solve.PoolOptions{Detect: detect, Explained: 0.5, Exchange: true})
		if err != nil {
			t.Fatal(err)
		}
		p := pools[0]
		if p.Detectable > detect {
			t.Errorf("sees %.3f, asked for %.3f", p.Detectable, detect)
		}
		if p.Band < last {
			t.Errorf("band %.4f to see %.1f, though %.4f is needed to see more", p.Band, detect, last)
		}
		last = p.Band
		t.Logf("to see %.1f: band %.4f, %d people, sees %.3f, costs %.4f", detect, p.Band, len(p.Members), p.Detectable, p.Cost)
	}
	// 2·(1.959964+0.841621)/√100, with half of 100 people treated.
	if d := solve.Detectable(25, 0.8, 0.05, 0); math.Abs(d-0.560317) > 1e-5 {
		t.Errorf("Detectable = %.6f", d)
	}
}
