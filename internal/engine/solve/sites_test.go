package solve

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Sites may be solved on any node, in any order, and again after a node is lost:
// the plan is the same.
func TestSitesOnAnyNode(t *testing.T) {
	in := Generate(200, 5, GenerateOptions{SiteSize: 50})
	o := Options{Gap: 0.004, Work: 2_000_000, Seed: 3, Workers: 2}
	pr, err := Prepare(in, 2)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pr.bySite(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	pr.explain(want)

	other, err := Prepare(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, tasks := NewCoordinator(pr, o)
	rng := rand.New(rand.NewPCG(1, 1))
	for len(tasks) > 0 {
		rng.Shuffle(len(tasks), func(x, y int) { tasks[x], tasks[y] = tasks[y], tasks[x] })
		var results []*SiteResult
		for n, task := range tasks {
			text, err := json.Marshal(task)
			if err != nil {
				t.Fatal(err)
			}
			var sent Task
			if err := json.Unmarshal(text, &sent); err != nil {
				t.Fatal(err)
			}
			if n == 0 { // a node that is lost
				if _, err := pr.SolveSite(t.Context(), sent, 1); err != nil {
					t.Fatal(err)
				}
			}
			node := [2]*Problem{pr, other}[n%2]
			r, err := node.SolveSite(t.Context(), sent, 1+n%2)
			if err != nil {
				t.Fatal(err)
			}
			text, err = json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			back := &SiteResult{}
			if err := json.Unmarshal(text, back); err != nil {
				t.Fatal(err)
			}
			results = append(results, back)
		}
		tasks = c.Next(results)
	}
	got := c.Plan()
	pr.explain(got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v of %v on two nodes, %v of %v on one", got.Objective, got.Bound, want.Objective, want.Bound)
	}
	if got.Bound < got.Objective || got.Gap > 0.02 {
		t.Errorf("%v of %v", got.Objective, got.Bound)
	}
	t.Logf("gap %.3f %%", 100*got.Gap)

	// One that is stopped at once still has everybody attend what they must.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, err := pr.bySite(ctx, o)
	if err != nil || p.Bound < p.Objective || len(p.Choices) == 0 {
		t.Errorf("%v of %v: %v", p.Objective, p.Bound, err)
	}
}
