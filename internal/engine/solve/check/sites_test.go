package check

import (
	"testing"

	"attune/internal/engine/solve"
)

// Plans put together from sites hold too, where sites share money, floors, a
// unit's budget and the seats of an online course.
func TestPlansBySiteHold(t *testing.T) {
	in := solve.Generate(200, 4, solve.GenerateOptions{SiteSize: 50})
	for i := range in.People.Unit {
		in.People.Unit[i] = 0
	}
	in.Units = in.Units[:1]
	in.Units[0].Budget = 0.8 * in.Budget
	shared := -1
	for s, se := range in.Sessions {
		if se.Site < 0 && se.Offering != in.Mandates[0].Offering && len(in.Offerings[se.Offering].Positions) == 0 {
			shared = s
			in.Sessions[s].Seats = 40
			break
		}
	}
	pr, err := solve.Prepare(in, 2)
	if err != nil {
		t.Fatal(err)
	}
	c, tasks := solve.NewCoordinator(pr, solve.Options{Gap: 0.003, Work: 3_000_000, Seed: 1})
	for len(tasks) > 0 {
		var results []*solve.SiteResult
		for _, task := range tasks {
			r, err := pr.SolveSite(t.Context(), task, 2)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		tasks = c.Next(results)
	}
	p := c.Plan()
	r, err := Check(in, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("%+v", v)
	}
	if r.Gap > 0.03 {
		t.Errorf("gap %.3f %%", 100*r.Gap)
	}
	t.Logf("gap %.3f %%, unit's price %g, price of the shared session %g, proved %d, unplaced %d", 100*r.Gap, p.Prices.Unit[0], p.Prices.Seat[shared], r.Proved, len(p.Unplaced))
}

// A plan revised around an earlier one holds, its price on change included.
func TestRevisedPlanHolds(t *testing.T) {
	in, p := solved(t, 60, solve.GenerateOptions{})
	next := in.Revise(p, 0.02)
	next.People.Hours = append([]float32(nil), in.People.Hours...)
	for i := range next.People.Hours {
		next.People.Hours[i] *= 0.9
	}
	next.People.Unchanging = []int32{}
	again, err := solve.Solve(t.Context(), next, solve.Options{Gap: 0.004, Work: 1_000_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(next, again)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("%+v", v)
	}
	t.Logf("%d changes, gap %.3f %%, proved %d of %d", again.Changes, 100*r.Gap, r.Proved, r.People)
}
