// Package demo builds the sample company and lives the known case with it: a
// retailer's service staff, their needs, a programme, its effect, and the
// cycle that follows from what was not understood.
//
// Everybody in it has a hidden truth (ability, learning, attention, forgetting)
// that drives only what they do, through the same functions that real people's
// clicks call. No estimator reads the truth; Hold holds the estimates against
// it afterwards. The company is marked as simulated, and every page says so.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/demo/retail"
	"attune/internal/evaluate"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/plan"
)

// Options say how large the sample company is and what happens to it.
type Options struct {
	People   int
	Days     int     // training days of a programme
	Hours    float64 // a training day
	Seed     uint64
	Now      time.Time                       // the present of the story's end
	Progress func(step string, done float64) // message key and share of the whole; may be nil
}

// Validate reports the first thing wrong with the options.
func (o *Options) Validate() error {
	switch {
	case o.People < 50 || o.People > 200_000:
		return fault.New(fault.Invalid, "demo.people.range")
	case o.Days < 1 || o.Days > 20:
		return fault.New(fault.Invalid, "demo.days.range")
	case o.Hours < 1 || o.Hours > 8:
		return fault.New(fault.Invalid, "demo.hours.range")
	}
	return nil
}

// story is the sample company while it is being lived.
type story struct {
	Options
	d      *db.DB
	sample *retail.Sample
	zone   *time.Location
	rng    *rand.Rand // of the events; the truth has its own

	mu    sync.Mutex
	clock time.Time

	skills    []org.Skill
	skillID   map[string]org.SkillID // by retail key
	positions map[string]org.PositionID
	people    []org.Person
	items     []content.Item // of the tests
	courses   map[string]content.CourseID
	acts      map[content.CourseID][]content.Activity
	truth     *truth
	out       Outcome
}

// Outcome is what the story came to.
type Outcome struct {
	Company    org.Company
	Programmes [2]delivery.ProgrammeID
	Plans      [2]plan.Plan
	Results    [2]*evaluate.Result
	Truth      Truth
	Practised  org.SkillID // the skill of the second cycle; empty when nothing called for one
}

// Run founds the sample company in an empty database and lives two cycles.
func Run(ctx context.Context, d *db.DB, o Options) (*Outcome, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, err
	}
	s := &story{Options: o, d: d, sample: retail.Load(), zone: zone, rng: rand.New(rand.NewPCG(o.Seed, 1))}
	// The story begins on a Monday so long ago that it has just ended.
	now := o.Now.In(zone)
	monday := now.AddDate(0, 0, -int(now.Weekday()+6)%7-7*15)
	s.at(time.Date(monday.Year(), monday.Month(), monday.Day(), 9, 0, 0, 0, zone))
	was := d.Clock
	d.Clock = s.tick
	defer func() { d.Clock = was }()
	for i, step := range []struct {
		key string
		do  func(context.Context) error
	}{
		{"demo.step.found", s.found},
		{"demo.step.items", s.calibrate},
		{"demo.step.panel", s.panels},
		{"demo.step.needs", s.needs},
		{"demo.step.before", func(ctx context.Context) error { return s.test(ctx, 0) }},
		{"demo.step.find", s.find},
		{"demo.step.plan", func(ctx context.Context) error { return s.plan(ctx, 0) }},
		{"demo.step.train", func(ctx context.Context) error { return s.train(ctx, 0) }},
		{"demo.step.after", func(ctx context.Context) error { return s.test(ctx, 1) }},
		{"demo.step.evaluate", func(ctx context.Context) error { return s.evaluate(ctx, 0) }},
		{"demo.step.improve", s.improve},
		{"demo.step.plan2", func(ctx context.Context) error { return s.plan(ctx, 1) }},
		{"demo.step.train2", func(ctx context.Context) error { return s.train(ctx, 1) }},
		{"demo.step.after2", func(ctx context.Context) error { return s.test(ctx, 2) }},
		{"demo.step.evaluate2", func(ctx context.Context) error { return s.evaluate(ctx, 1) }},
		{"demo.step.today", s.today},
	} {
		if s.Progress != nil {
			s.Progress(step.key, float64(i)/16)
		}
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", step.key, err)
		}
	}
	return &s.out, nil
}

// at moves the story's clock.
func (s *story) at(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = t
}

// tick is the clock that the database reads. It moves a little at each
// reading, so that no two transactions share a moment.
func (s *story) tick() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Millisecond)
	return s.clock
}

// later moves the clock on by days, to the hour of that day.
func (s *story) later(days int, hour float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.clock.In(s.zone).AddDate(0, 0, days)
	s.clock = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, s.zone).Add(time.Duration(hour * float64(time.Hour)))
}

// batch is how many people act in one transaction. Each acts through the
// functions that a click would call; only the waiting for the disk is shared.
const batch = 40

// each lets everybody act, some in one transaction.
func (s *story) each(ctx context.Context, do func(t *db.Tx, i int) error) error {
	for lo := 0; lo < len(s.people); lo += batch {
		if err := s.d.Write(ctx, func(t *db.Tx) error {
			start := t.Now
			for i := lo; i < min(lo+batch, len(s.people)); i++ {
				t.Now = start
				if err := do(t, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// coin is true with probability p.
func (s *story) coin(p float64) bool { return s.rng.Float64() < p }
