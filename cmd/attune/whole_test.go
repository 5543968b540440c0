package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"attune/internal/testdb"
)

// shared is the folder of what several tests use; it is gone after the last.
var shared = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "attune-whole")
	if err != nil {
		panic(err)
	}
	return dir
})

// program is the built binary: what a company runs, without the test's own code.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared(), "attune")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func built(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		testdb.Missing(t, "the go command")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// sample is the sample company of 80 people in a file, and what its demo
// printed.
var sample = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared(), "demo.db")
	bin, err := program()
	if err != nil {
		return "", err
	}
	c := exec.Command(bin, "--db", path, "demo", "--people", "80", "--exit", "--json")
	c.Stderr = new(bytes.Buffer)
	printed, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, c.Stderr)
	}
	return path, os.WriteFile(path+".json", printed, 0o600)
})

// company copies the sample company to a file of the test's own.
func company(t testing.TB) string {
	t.Helper()
	built(t)
	from, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	return copied(t, from)
}

func copied(t testing.TB, from string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "company.db")
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// paths lists the fields of a JSON value, such as needs[].gap.
func paths(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			paths(strings.TrimPrefix(at+"."+k, "."), x, into)
		}
	case []any:
		for _, x := range v {
			paths(at+"[]", x, into)
		}
	default:
		into[at] = true
	}
}

// What demo --json prints is a contract: these fields, no others, and figures
// that agree with each other.
func TestDemoJSON(t *testing.T) {
	company(t)
	printed, err := os.ReadFile(filepath.Join(shared(), "demo.db.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(printed, &all); err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	paths("", all, fields)
	var got []string
	for f := range fields {
		got = append(got, f)
	}
	slices.Sort(got)
	want := strings.Fields(`
		effect.high effect.low effect.mean
		effect.versus_waitlist.estimate effect.versus_waitlist.high effect.versus_waitlist.low
		effect.versus_waitlist.treated effect.versus_waitlist.waiting
		improvements[].high improvements[].left improvements[].low improvements[].reason improvements[].skill
		needs[].gap needs[].rank needs[].se needs[].skill
		people
		plan.bound plan.cost plan.enrolments plan.gap plan.hours plan.objective
		second_cycle.after second_cycle.before second_cycle.change second_cycle.high second_cycle.low second_cycle.skill
		simulated
		truth.coverage truth.mean_effect truth.rank_correlation truth.waitlist_effect`)
	if !slices.Equal(got, want) {
		t.Errorf("fields\n%q, want\n%q", got, want)
	}

	type interval struct{ Low, High float64 }
	var d struct {
		People int
		Needs  []struct {
			Skill   string
			Gap, SE float64
			Rank    int
		}
		Plan   struct{ Objective, Bound, Gap, Hours, Cost, Enrolments float64 }
		Effect struct {
			Mean float64
			interval
			Versus struct {
				Estimate float64
				interval
				Treated, Waiting int
			} `json:"versus_waitlist"`
		}
		Truth  struct{ Coverage float64 }
		Second struct {
			Skill                 string
			Before, After, Change float64
			interval
		} `json:"second_cycle"`
	}
	if err := json.Unmarshal(printed, &d); err != nil {
		t.Fatal(err)
	}
	var wrong error
	say := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = errors.Join(wrong, fmt.Errorf(format, args...))
		}
	}
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-9*math.Max(1, math.Abs(y)) }
	say(d.People == 80, "people = %d", d.People)
	for i, n := range d.Needs {
		say(n.Skill != "" && n.Rank == i+1 && n.SE > 0 && math.Abs(n.Gap) <= 100, "needs[%d] = %+v", i, n)
	}
	p := d.Plan
	say(near(p.Gap, (p.Bound-p.Objective)/p.Objective) && p.Gap >= 0 && p.Gap <= 0.01, "plan = %+v", p)
	say(p.Objective > 0 && p.Enrolments > 0 && p.Hours > 0 && p.Hours <= 80*3*6 && p.Cost > 0, "plan = %+v", p)
	e, v := d.Effect, d.Effect.Versus
	say(e.Low < e.Mean && e.Mean < e.High, "effect = %+v", e)
	say(v.Low < v.Estimate && v.Estimate < v.High && v.Treated > 0 && v.Waiting > 0, "versus_waitlist = %+v", v)
	say(d.Truth.Coverage > 0.7 && d.Truth.Coverage <= 1, "coverage = %v", d.Truth.Coverage)
	s := d.Second
	say(s.Low < s.Change && s.Change < s.High && near(s.Change, s.After-s.Before), "second_cycle = %+v", s)
	if wrong != nil {
		t.Error(wrong)
	}
}
