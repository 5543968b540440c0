package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/solve"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/plan"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

// shop is sixty people in four teams on two sites, measured, and a programme of
// a mandatory page, a page and a workshop that comes after it.
type shop struct {
	t   testing.TB
	d   *db.DB
	now time.Time
}

var day1 = time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)

func both(s string) locale.Text { return locale.Both(s, s) }

func open(t testing.TB, d *db.DB, seats int) *shop {
	t.Helper()
	s := &shop{t, d, testdb.Start}
	d.Clock = func() time.Time { s.now = s.now.Add(time.Millisecond); return s.now }
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(1, 60))
	s.do(func(tx *db.Tx) error {
		if err := org.Found(ctx, tx, org.Company{Name: both("店"), Alpha: 0.7, Beta: 0.3, AttentionDay: 240, Zone: time.UTC}); err != nil {
			return err
		}
		for _, u := range []org.Unit{{ID: "north", Site: true}, {ID: "south", Site: true}, {ID: "n1", Parent: "north"}, {ID: "n2", Parent: "north"}, {ID: "s1", Parent: "south"}, {ID: "s2", Parent: "south"}} {
			u.Name = both(string(u.ID))
			if _, err := org.AddUnit(ctx, tx, u); err != nil {
				return err
			}
		}
		for _, k := range []org.Skill{{ID: "know", Kind: org.KindKnowledge}, {ID: "new", Kind: org.KindStyle, Innovation: true}, {ID: "talk", Kind: org.KindSkill}} {
			k.Name = both(string(k.ID))
			if _, err := org.AddSkill(ctx, tx, k); err != nil {
				return err
			}
		}
		for _, p := range []org.PositionID{"clerk", "guide"} {
			if _, err := org.AddPosition(ctx, tx, org.Position{ID: p, Name: both(string(p))}); err != nil {
				return err
			}
		}
		for _, r := range []org.Requirement{
			{Position: "clerk", Skill: "talk", Importance: 60, Ceiling: 90}, {Position: "clerk", Skill: "know", Importance: 40}, {Position: "clerk", Skill: "new", Importance: 50},
			{Position: "guide", Skill: "talk", Importance: 80}, {Position: "guide", Skill: "new", Importance: 50},
		} {
			r.Origin = []org.Origin{{Kind: "person"}}
			if err := org.Require(ctx, tx, r); err != nil {
				return err
			}
		}
		var people []org.Person
		var levels []assess.Ability
		for i := range 60 {
			p := org.Person{ID: org.PersonID(fmt.Sprintf("p%02d", i)), Number: fmt.Sprintf("%02d", i), Name: "王", Unit: []org.UnitID{"n1", "n2", "s1", "s2"}[i%4], Position: "clerk"}
			if i%3 == 2 {
				p.Position = "guide"
			}
			people = append(people, p)
			for _, k := range []org.SkillID{"know", "new", "talk"} {
				if i == 0 && k == "talk" || k == "know" && p.Position == "guide" {
					continue // p00 missed that part
				}
				levels = append(levels, assess.Ability{Person: p.ID, Skill: k, At: tx.Now, ThetaSE: 0.3, S: 40 + 25*rng.Float64(), SSE: 5, Answers: 8})
			}
		}
		if _, err := org.HireAll(ctx, tx, people); err != nil {
			return err
		}
		if err := assess.Keep(ctx, tx, levels); err != nil {
			return err
		}
		for _, c := range []content.CourseID{"rules", "page", "meet"} {
			if err := content.AddCourse(ctx, tx, content.Course{ID: c, Title: both(string(c))}); err != nil {
				return err
			}
		}
		rate, se := 0.4, 0.1
		for _, a := range []content.Activity{
			{ID: "rules", Course: "rules", Kind: content.Page, Method: content.ByReading, Minutes: 30},
			{ID: "page", Course: "page", Kind: content.Page, Method: content.ByReading, Minutes: 30, Teaches: []content.Teaches{{Skill: "know", Share: 0.5, Rate: &rate, RateSE: &se}}},
			{ID: "quiz", Course: "page", Kind: content.Exercise, Method: content.ByReading, Minutes: 30, Teaches: []content.Teaches{{Skill: "talk", Share: 1, Rate: &rate, RateSE: &se}}},
			{ID: "meet", Course: "meet", Kind: content.Workshop, Method: content.ByWorkshop, Minutes: 180, Teaches: []content.Teaches{{Skill: "talk", Share: 0.5, Rate: &rate, RateSE: &se}, {Skill: "new", Share: 0.5, Rate: &rate, RateSE: &se}}},
		} {
			a.Title = both(string(a.ID))
			if err := content.AddActivity(ctx, tx, a); err != nil {
				return err
			}
		}
		if err := delivery.Open(ctx, tx, delivery.Programme{ID: "g", Name: both("一"), Days: 3, Hours: 6, Money: 20_000}); err != nil {
			return err
		}
		return delivery.AddOfferings(ctx, tx, []delivery.Offering{
			{ID: "1-rules", Programme: "g", Course: "rules", Mandatory: true, Due: day1.AddDate(0, 0, 2)},
			{ID: "2-page", Programme: "g", Course: "page", Cost: 5},
			{ID: "3-meet", Programme: "g", Course: "meet", Dated: true, Cost: 200, After: "2-page"},
		})
	})
	s.refused("plan.no_baseline", s.draft)
	s.do(func(tx *db.Tx) error { _, err := org.FreezeScale(ctx, tx, 12, 10); return err })
	s.refused("plan.no_date", s.draft)
	s.do(func(tx *db.Tx) error {
		if err := delivery.Revise(ctx, tx, delivery.Programme{ID: "g", Name: both("一"), StartsOn: day1.Add(9 * time.Hour), Days: 3, Hours: 6, Money: 20_000}); err != nil {
			return err
		}
		at := func(day, hour int) time.Time {
			return day1.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
		}
		return delivery.AddSessions(ctx, tx, []delivery.Session{
			{ID: "s-n", Offering: "3-meet", StartsAt: at(1, 9), EndsAt: at(1, 12), Seats: seats, Site: "north"},
			{ID: "s-s", Offering: "3-meet", StartsAt: at(1, 13), EndsAt: at(1, 16), Seats: seats, Site: "south"},
			{ID: "s-x", Offering: "3-meet", StartsAt: at(2, 9), EndsAt: at(2, 12), Seats: 50, Site: "north"},
		})
	})
	s.do(func(tx *db.Tx) error { _, err := delivery.CancelSession(ctx, tx, "s-x"); return err })
	return s
}

func (s *shop) do(do func(*db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(s.t.Context(), do); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) refused(key string, do func(*db.Tx) error) {
	s.t.Helper()
	err := s.d.Write(s.t.Context(), do)
	if e, ok := fault.As(err); !ok || e.Key != key {
		s.t.Errorf("%v, want %s", err, key)
	}
	if !locale.Has(key) {
		s.t.Errorf("%s has no text", key)
	}
}

func options() plan.Options {
	o := plan.DefaultOptions(7)
	o.Work, o.Away, o.Detect = 2_000_000, 0.5, 0.8
	return o
}

func (s *shop) draft(tx *db.Tx) error {
	_, err := plan.Draft(s.t.Context(), tx, "g", options())
	return err
}

// keep drafts, solves and keeps a plan.
func (s *shop) keep(name string) (*plan.Solution, plan.Plan) {
	s.t.Helper()
	ctx := s.t.Context()
	var q *plan.Problem
	s.do(func(tx *db.Tx) (err error) { q, err = plan.Draft(ctx, tx, "g", options()); return err })
	sol, err := q.Solve(ctx, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var p plan.Plan
	s.do(func(tx *db.Tx) (err error) { p, err = sol.Keep(ctx, tx, name); return err })
	return sol, p
}

func approve(s *shop, id plan.ID) func(*db.Tx) error {
	return func(tx *db.Tx) error { _, err := plan.Approve(s.t.Context(), tx, id, "m"); return err }
}

func TestDraft(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := t.Context()
		var q *plan.Problem
		s.do(func(tx *db.Tx) (err error) { q, err = plan.Draft(ctx, tx, "g", options()); return err })
		in := q.Instance
		if diff := cmp.Diff([]string{"know", "talk", "new"}, in.Skills); diff != "" || in.Innovation != 2 {
			t.Error("skills: ", diff, in.Innovation)
		}
		if diff := cmp.Diff([]solve.Position{
			{ID: "clerk", Weights: []float32{0.4, 0.6, 0}, Ceiling: []float32{95, 90, 95}},
			{ID: "guide", Weights: []float32{0, 1, 0}, Ceiling: []float32{0, 95, 95}},
		}, in.Positions); diff != "" {
			t.Error("positions: ", diff)
		}
		if in.Alpha != 0.7 || in.Beta != 0.3 || in.SigmaS != 12 || in.SigmaI != 10 || in.Budget != 20_000 {
			t.Errorf("α %v β %v σ %v %v money %v", in.Alpha, in.Beta, in.SigmaS, in.SigmaI, in.Budget)
		}
		// Three days of six hours; of attention 240 minutes a day.
		if p := in.People; p.Len() != 60 || p.Hours[0] != 18 || p.Attention[0] != 240 {
			t.Errorf("%d people, %v hours, attention %v", p.Len(), p.Hours[0], p.Attention[0])
		}
		if len(in.Sites) != 2 || len(in.Teams) != 4 || in.Teams[0].Away != 0.5 || in.People.Site[0] != in.People.Site[1] || in.People.Site[0] == in.People.Site[2] || in.People.Team[0] == in.People.Team[1] {
			t.Errorf("sites %v, teams %v", in.Sites, in.Teams)
		}
		// p00 was not tested at talk: the company's mean stands in.
		sum := 0.0
		for i := 1; i < 60; i++ {
			sum += float64(in.People.Proficiency[3*i+1])
		}
		if got := float64(in.People.Proficiency[1]); math.Abs(got-sum/59) > 1e-3 {
			t.Errorf("p00 at talk: %.3f, want the mean %.3f", got, sum/59)
		}
		thirds := map[int32]int{}
		for i, x := range in.People.Stratum {
			thirds[x]++
			if x/3 != in.People.Position[i] {
				t.Errorf("person %d of position %d in stratum %d", i, in.People.Position[i], x)
			}
		}
		if len(thirds) != 6 || thirds[0] < 13 || thirds[0] > 14 {
			t.Errorf("strata %v, want thirds of 40 and of 20", thirds)
		}
		// λ an hour: the page gives know 0.4·½·½, talk 0.4·½; the workshop 0.2 of both.
		type off struct {
			Hours, Cost float32
			Rates       []float32
			After       []int32
		}
		var got []off
		for _, o := range in.Offerings {
			got = append(got, off{o.Hours, o.Cost, o.Rates, o.Prerequisites})
		}
		want := []off{{0.5, 0, []float32{0, 0, 0}, nil}, {1, 5, []float32{0.1, 0.2, 0}, nil}, {3, 200, []float32{0, 0.2, 0.2}, []int32{1}}}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-5 })); diff != "" {
			t.Error("offerings: ", diff)
		}
		// Half reading (0.75 held), half exercise (0.85); workshop 0.9.
		for i, want := range []float64{0.75, 0.8, 0.9} {
			if got := in.Fit[0][in.Offerings[i].Format]; math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("offering %d holds %.3f of attention, want %.3f", i, got, want)
			}
		}
		if diff := cmp.Diff([]solve.Mandate{{Offering: 0, Deadline: 2 * 24 * 60}}, in.Mandates); diff != "" {
			t.Error("mandates: ", diff)
		}
		// Two self-paced "sessions" without limit, two dated; the cancelled is not there.
		var sessions []solve.Session
		for _, x := range in.Sessions {
			x.ID = ""
			sessions = append(sessions, x)
		}
		site := func(name string) int32 { return int32(slices.Index(in.Sites, name)) }
		if diff := cmp.Diff([]solve.Session{
			{Offering: 0, Site: -1, Seats: -1}, {Offering: 1, Site: -1, Seats: -1},
			{Offering: 2, Site: site("north"), Seats: 8, Meetings: []solve.Meeting{{Start: (24 + 9) * 60, End: (24 + 12) * 60}}},
			{Offering: 2, Site: site("south"), Seats: 8, Meetings: []solve.Meeting{{Start: (24 + 13) * 60, End: (24 + 16) * 60}}},
		}, sessions); diff != "" {
			t.Error("sessions: ", diff)
		}
		s.do(func(tx *db.Tx) error {
			if err := content.AddCourse(ctx, tx, content.Course{ID: "void", Title: both("空")}); err != nil {
				return err
			}
			return delivery.AddOfferings(ctx, tx, []delivery.Offering{{ID: "4-void", Programme: "g", Course: "void"}})
		})
		s.refused("plan.offering.empty", s.draft)
		s.do(func(tx *db.Tx) error {
			return delivery.Open(ctx, tx, delivery.Programme{ID: "g2", Name: both("二"), Days: 1, Hours: 1, StartsOn: day1})
		})
		s.refused("plan.no_offerings", func(tx *db.Tx) error { _, err := plan.Draft(ctx, tx, "g2", options()); return err })
	})
}

func TestPlan(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := t.Context()
		sol, a := s.keep("A")
		r := a.Result
		if a.Status != plan.Solved || !(r.Gap >= 0 && r.Gap <= 0.01) || r.Violations != 0 || math.Abs(r.Gap-(r.Bound-r.Objective)/r.Objective) > 1e-12 {
			t.Fatalf("%s, gap %.4f, violations %d", a.Status, r.Gap, r.Violations)
		}
		if diff := cmp.Diff([]string{"plan.warn.unmeasured"}, r.Warnings); diff != "" {
			t.Error(diff)
		}
		if r.Offerings[0].People != 60 || r.Offerings[0].Seats != -1 || r.Offerings[2].People != 16 || r.Offerings[2].Seats != 16 {
			t.Errorf("use %+v: all take what they must, and every scarce seat is taken", r.Offerings)
		}
		if !slices.ContainsFunc(r.Prices, func(p plan.Price) bool { return p.What == "seat" && p.E > 0 }) {
			t.Errorf("scarce seats have no price: %+v", r.Prices)
		}
		if len(r.Pools) != 1 || r.Pools[0].Offering != "3-meet" {
			t.Fatalf("pools %+v", r.Pools)
		}
		_, b := s.keep("B")
		var current plan.Plan
		s.do(func(tx *db.Tx) (err error) { current, err = plan.Current(ctx, tx, "g"); return err })
		if current.ID != b.ID {
			t.Error("before an approval the latest plan is the current one")
		}

		s.do(approve(s, a.ID))
		s.do(approve(s, a.ID)) // a second click
		s.refused("plan.approve.superseded", approve(s, b.ID))
		_, c := s.keep("C") // solved after the approval
		s.refused("plan.approve.another", approve(s, c.ID))
		s.refused("not_found", approve(s, "?"))

		var choices []plan.Choice
		var enrolled []delivery.Enrolment
		var draws []delivery.Draw
		s.do(func(tx *db.Tx) (err error) {
			if choices, err = plan.Choices(ctx, tx, a.ID); err != nil {
				return err
			}
			if enrolled, err = delivery.Enrolments(ctx, tx, "g"); err != nil {
				return err
			}
			if draws, err = delivery.Draws(ctx, tx, "g"); err != nil {
				return err
			}
			current, err = plan.Current(ctx, tx, "g")
			if current.ID != a.ID || current.Status != plan.Approved || current.ApprovedBy != "m" {
				t.Errorf("current: %s %s by %q", current.Name, current.Status, current.ApprovedBy)
			}
			g, err2 := delivery.FindProgramme(ctx, tx, "g")
			if g.Stage != delivery.StageDelivery || err2 != nil {
				t.Errorf("the programme is at %s", g.Stage)
			}
			return err
		})
		if len(choices) != r.Enrolments || len(choices) != len(sol.Plan.Choices) || len(draws) != 1 {
			t.Fatalf("%d choices, %d draws", len(choices), len(draws))
		}
		type place struct {
			Person   org.PersonID
			Offering delivery.OfferingID
			Session  delivery.SessionID
			Status   delivery.EnrolmentStatus
		}
		var want, got []place
		for _, c := range choices {
			if !c.Drawn {
				want = append(want, place{c.Person, c.Offering, c.Session, delivery.Enrolled})
			}
		}
		draw, pool := draws[0], r.Pools[0]
		won, holds := 0, 0
		for _, l := range pool.Lots {
			i := slices.IndexFunc(draw.Entries, func(e delivery.DrawEntry) bool { return e.Person == l.Person })
			e := draw.Entries[i]
			if diff := cmp.Diff(delivery.DrawEntry{Person: l.Person, Session: l.Session, Stratum: l.Stratum, Probability: l.Probability, Drawn: e.Drawn}, e); diff != "" {
				t.Error(diff)
			}
			p := place{e.Person, "3-meet", e.Session, delivery.Waiting}
			if e.Drawn {
				won++
				p.Status = delivery.Enrolled
			}
			if l.Holds {
				holds++
			}
			want = append(want, p)
		}
		if won != pool.Seats || holds != pool.Seats || len(draw.Entries) != len(pool.Lots) || won == len(pool.Lots) {
			t.Errorf("%d won, %d held of %d seats; %d stood", won, holds, pool.Seats, len(pool.Lots))
		}
		for _, e := range enrolled {
			got = append(got, place{e.Person, e.Offering, e.Session, e.Status})
		}
		order := func(a, b place) int {
			if a.Person != b.Person {
				return map[bool]int{true: -1, false: 1}[a.Person < b.Person]
			}
			return map[bool]int{true: -1, false: 1}[a.Offering < b.Offering]
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("enrolments are not the choices and the draw: ", diff)
		}
		// The same draw again, from what is recorded.
		if draw.Plan != string(a.ID) || draw.Seed != 7 || draw.Band != pool.Band || draw.Cost != pool.Cost {
			t.Errorf("recorded: %+v", draw)
		}
		again, _ := plan.DrawLots(current, pool, uint64(draw.Seed))
		other, _ := plan.DrawLots(current, pool, uint64(draw.Seed)+1)
		same, differs := true, false
		for i, l := range pool.Lots {
			j := slices.IndexFunc(draw.Entries, func(e delivery.DrawEntry) bool { return e.Person == l.Person })
			same = same && again.Entries[i].Drawn == draw.Entries[j].Drawn
			differs = differs || other.Entries[i].Drawn != draw.Entries[j].Drawn
		}
		if !same || !differs {
			t.Errorf("the recorded seed gives the recorded draw: %t; another gives another: %t", same, differs)
		}
	})
}

// Over many seeds everybody wins as often as their probability says.
func TestDrawProbabilities(t *testing.T) {
	s := open(t, testdb.SQLite(t), 8)
	_, p := s.keep("A")
	pool := p.Result.Pools[0]
	const draws = 4000
	won := make([]int, len(pool.Lots))
	for seed := range uint64(draws) {
		d, _ := plan.DrawLots(p, pool, seed)
		for i, e := range d.Entries {
			if e.Drawn {
				won[i]++
			}
		}
	}
	for i, l := range pool.Lots {
		se := math.Sqrt(l.Probability * (1 - l.Probability) / draws)
		if share := float64(won[i]) / draws; math.Abs(share-l.Probability) > 4*se {
			t.Errorf("%s won %.3f of the draws at a probability of %.3f", l.Person, share, l.Probability)
		}
	}
}

// An approval that fails in its second half leaves nothing behind.
func TestApprovalIsWholeOrNotAtAll(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := t.Context()
		_, p := s.keep("A")
		s.do(func(tx *db.Tx) error { _, err := delivery.CancelSession(ctx, tx, "s-s"); return err })
		s.refused("delivery.session.cancelled", approve(s, p.ID))
		s.do(func(tx *db.Tx) error {
			now, err := plan.Find(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			draws, err := delivery.Draws(ctx, tx, "g")
			if err != nil {
				return err
			}
			enrolled, err := delivery.Enrolments(ctx, tx, "g")
			if err != nil {
				return err
			}
			g, err := delivery.FindProgramme(ctx, tx, "g")
			if now.Status != plan.Solved || len(draws) != 0 || len(enrolled) != 0 || g.Stage != delivery.StageNeed {
				t.Errorf("after a failed approval: %s, %d draws, %d enrolments, stage %s", now.Status, len(draws), len(enrolled), g.Stage)
			}
			return err
		})
	})
}

func TestInfeasible(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := t.Context()
		s.do(func(tx *db.Tx) error { // sixteen seats for sixty who must
			_, err := tx.Exec(ctx, `UPDATE offering SET mandatory = $1 WHERE id = '3-meet'`, true)
			return err
		})
		_, p := s.keep("A")
		if p.Status != plan.Infeasible || len(p.Result.Conflicts) == 0 || len(p.Result.Conflicts[0].Offerings) == 0 {
			t.Fatalf("%s, conflicts %+v", p.Status, p.Result.Conflicts)
		}
		s.refused("plan.approve.infeasible", approve(s, p.ID))
	})
}
