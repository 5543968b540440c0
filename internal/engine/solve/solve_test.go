package solve

import (
	"context"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"
)

// The same seed and work give the same plan on any number of cores.
func TestSameOnAnyNumberOfCores(t *testing.T) {
	in := Generate(120, 3, GenerateOptions{SiteSize: 60})
	var first *Plan
	for _, workers := range []int{1, 2, 5} {
		p, err := Solve(t.Context(), in, Options{Work: 400_000, Seed: 7, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = p
		} else if !reflect.DeepEqual(p, first) {
			t.Errorf("with %d workers: %v of %v, with one %v of %v", workers, p.Objective, p.Bound, first.Objective, first.Bound)
		}
	}
}

// A cancelled solve hands over what it has.
func TestCancelled(t *testing.T) {
	in := Generate(200, 1, GenerateOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Solve(ctx, in, Options{Progress: func(p Progress) {
		if p.Phase == "plan" {
			cancel()
		}
	}})
	if err != nil || p.Objective <= 0 || p.Bound < p.Objective || len(p.Warnings) != 1 || p.Warnings[0] != WarnCancelled {
		t.Errorf("%v of %v, %v, %v", p.Objective, p.Bound, p.Warnings, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	// Even one that never began places those who must attend something.
	p, err = Solve(ctx, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := in.Mandates[0].Offering
	for i := range int32(in.People.Len()) {
		if !slices.ContainsFunc(p.Of(i), func(c Choice) bool { return c.Offering == m }) &&
			!slices.ContainsFunc(in.Held, func(c Choice) bool { return c.Person == i && c.Offering == m }) {
			t.Errorf("person %d misses the mandate", i)
		}
	}
}

// A thousand people are planned to within 0.5 % in a few seconds.
func TestThousand(t *testing.T) {
	if os.Getenv("ATTUNE_LONG") == "" {
		t.Skip("set ATTUNE_LONG=1")
	}
	for seed := range uint64(3) {
		for _, o := range []GenerateOptions{{}, {Loose: true}} {
			in := Generate(1000, seed+1, o)
			begin := time.Now()
			var last Progress
			p, err := Solve(t.Context(), in, Options{Gap: 0.0015, Work: 6_000_000, Seed: 1, Progress: func(p Progress) { last = p }})
			if err != nil {
				t.Fatal(err)
			}
			if p.Gap > 0.005 {
				t.Errorf("gap %.3f %%", 100*p.Gap)
			}
			t.Logf("%s loose=%v: %.3f of %.3f, gap %.3f %%, %d choices, work %d, %.1f s, %v %v", in.Name, o.Loose, p.Objective, p.Bound, 100*p.Gap, len(p.Choices), p.Work, time.Since(begin).Seconds(), p.Warnings, last.Phase)
		}
	}
}
