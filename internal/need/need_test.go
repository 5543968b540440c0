package need_test

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
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/need"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"
)

// shop has twelve sellers in two teams of eight and four, four smiths in the
// second team too, and a programme.
type shop struct {
	t       testing.TB
	d       *db.DB
	now     time.Time
	people  []org.Person // sellers 0–11, smiths 12–15
	manager org.Person
}

var skills = []org.SkillID{"a", "b", "c"}

func open(t testing.TB, d *db.DB) *shop {
	t.Helper()
	s := &shop{t: t, d: d, now: testdb.Start}
	d.Clock = func() time.Time { s.now = s.now.Add(time.Millisecond); return s.now }
	ctx := t.Context()
	s.do(func(tx *db.Tx) error {
		for _, u := range []org.UnitID{"u1", "u2"} {
			if _, err := org.AddUnit(ctx, tx, org.Unit{ID: u, Name: locale.Both(string(u), string(u)), Site: true}); err != nil {
				return err
			}
		}
		for _, k := range skills {
			if _, err := org.AddSkill(ctx, tx, org.Skill{ID: k, Name: locale.Both(string(k), string(k)), Kind: org.KindSkill}); err != nil {
				return err
			}
		}
		for _, p := range []org.PositionID{"seller", "smith", "boss"} {
			if _, err := org.AddPosition(ctx, tx, org.Position{ID: p, Name: locale.Both(string(p), string(p))}); err != nil {
				return err
			}
		}
		for i := range 16 {
			p := org.Person{ID: org.PersonID(fmt.Sprintf("p%02d", i)), Number: fmt.Sprintf("%02d", i), Name: "王", Unit: "u1", Position: "seller"}
			if i >= 8 {
				p.Unit = "u2"
			}
			if i >= 12 {
				p.Position = "smith"
			}
			s.people = append(s.people, p)
		}
		all, err := org.HireAll(ctx, tx, append(s.people, org.Person{ID: "m", Number: "99", Name: "李", Unit: "u1", Position: "boss"}))
		if err != nil {
			return err
		}
		s.people, s.manager = all[:16], all[16]
		return delivery.Open(ctx, tx, delivery.Programme{ID: "g", Name: locale.Both("一", "One"), Days: 3, Hours: 6})
	})
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

func (s *shop) require(p org.PositionID, k org.SkillID, importance, level, se float64) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		r := org.Requirement{Position: p, Skill: k, Importance: importance, Level: &level, Origin: []org.Origin{{Kind: "person"}}}
		if se > 0 {
			r.LevelSE = &se
		}
		return org.Require(s.t.Context(), tx, r)
	})
}

// able keeps an estimate of people i of a skill, S ± se.
func (s *shop) able(k org.SkillID, se float64, levels map[int]float64) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		var all []assess.Ability
		for i, x := range levels {
			all = append(all, assess.Ability{Person: s.people[i].ID, Skill: k, At: tx.Now, ThetaSE: 0.3, S: x, SSE: se, Answers: 8})
		}
		return assess.Keep(s.t.Context(), tx, all)
	})
}

func (s *shop) rate(i int, k org.SkillID, by need.Rater, able, important int) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		who := s.people[i]
		if by == need.Manager {
			who = s.manager
		}
		return need.Rate(s.t.Context(), tx, "g", need.Rating{Person: s.people[i].ID, Skill: k, Rater: by, Able: able, Important: important}, who)
	})
}

func (s *shop) find(w need.Weights) (all []need.Need) {
	s.t.Helper()
	s.do(func(tx *db.Tx) (err error) { all, err = need.Find(s.t.Context(), tx, "g", w); return err })
	return all
}

func of(all []need.Need, k org.SkillID) need.Need {
	i := slices.IndexFunc(all, func(n need.Need) bool { return n.Skill == k && n.Position == "seller" })
	if i < 0 {
		return need.Need{}
	}
	return all[i]
}

func near(got, want, by float64) bool { return math.Abs(got-want) <= by }

func TestRatings(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		ctx := t.Context()
		for _, k := range skills {
			s.require("seller", k, 50, 70, 0)
		}
		// Skill a: able 2 2 3 4 2 (mean 2.6), important 4 5 4 4 4 (mean 4.2).
		// Borich's mean weighted discrepancy is (4.2 − 2.6)·4.2 = 6.72 (Borich
		// 1980: discrepancy times mean importance, meaned over people). Four judge
		// able under important, none over: ranked discrepancy
		// 100·(0 − 4)/5 = −80 (Narine & Harder 2021).
		for i, r := range [][2]int{{2, 4}, {2, 5}, {3, 4}, {4, 4}, {2, 4}} {
			s.rate(i, "a", need.Self, 5, 5) // thought again
			s.rate(i, "a", need.Self, r[0], r[1])
		}
		// Skill b, by managers: able 4 5 3 4 4 (4.0), important 3 3 3 3 4 (3.2):
		// Borich (3.2 − 4.0)·3.2 = −2.56; three over, none under: +60.
		for i, r := range [][2]int{{4, 3}, {5, 3}, {3, 3}, {4, 3}, {4, 4}} {
			s.rate(i, "b", need.Manager, r[0], r[1])
		}
		// Skill c: four people only.
		for i := range 4 {
			s.rate(i, "c", need.Self, 1, 5)
			s.rate(i, "c", need.Manager, 1, 5)
		}
		all := s.find(need.DefaultWeights)
		a, b, c := of(all, "a").Evidence, of(all, "b").Evidence, of(all, "c").Evidence
		if j := a.Self; j == nil || j.People != 5 || !near(j.Borich, 6.72, 1e-9) || !near(j.Ranked, -80, 1e-9) || a.Manager != nil {
			t.Errorf("a: self %+v, manager %+v", j, a.Manager)
		}
		if j := b.Manager; j == nil || !near(j.Borich, -2.56, 1e-9) || !near(j.Ranked, 60, 1e-9) || !near(j.Able, 4, 1e-9) || b.Self != nil {
			t.Errorf("b: manager %+v, self %+v", j, b.Self)
		}
		if c.Self != nil || c.Manager != nil || c.Quadrant != "" {
			t.Errorf("ratings of four people are shown: %+v", c)
		}
		// Over a and b important averages 3.7 and able 3.3.
		if a.Quadrant != "concentrate" || b.Quadrant != "overkill" {
			t.Errorf("quadrants %q, %q; want concentrate, overkill", a.Quadrant, b.Quadrant)
		}
		// A fifth rater makes c shown: able 1, important 5 on average 1.8 and 5.
		s.rate(4, "c", need.Manager, 5, 5)
		all = s.find(need.DefaultWeights)
		if c = of(all, "c").Evidence; c.Manager == nil || !near(c.Manager.Borich, (5-1.8)*5, 1e-9) || c.Quadrant != "concentrate" {
			t.Errorf("c: %+v, %q", c.Manager, c.Quadrant)
		}

		rate := func(r need.Rating, by org.Person) func(*db.Tx) error {
			return func(tx *db.Tx) error { return need.Rate(ctx, tx, "g", r, by) }
		}
		for _, v := range [][2]int{{0, 3}, {6, 3}, {3, 0}, {3, 6}} {
			s.refused("need.rating.range", rate(need.Rating{Person: "p00", Skill: "a", Rater: need.Self, Able: v[0], Important: v[1]}, s.people[0]))
		}
		s.refused("denied", rate(need.Rating{Person: "p00", Skill: "a", Rater: need.Self, Able: 3, Important: 3}, s.people[1]))
		s.do(func(tx *db.Tx) error {
			mine, err := need.RatingsOf(ctx, tx, "g", "p00")
			if err != nil {
				return err
			}
			n, err := record.Count(ctx, tx, record.Query{Verb: record.Rated, Object: "skill/a", Actor: s.people[0].Pseudonym})
			if len(mine) != 4 || n != 2 {
				t.Errorf("%d ratings and %d statements about a, want 4 and 2: both judgements", len(mine), n)
			}
			return err
		})
	})
}

func TestQuadrants(t *testing.T) {
	s := open(t, testdb.SQLite(t))
	for _, k := range skills {
		s.require("seller", k, 50, 70, 0)
	}
	s.do(func(tx *db.Tx) error {
		_, err := org.AddSkill(t.Context(), tx, org.Skill{ID: "d", Name: locale.Both("丁", "d"), Kind: org.KindSkill})
		return err
	})
	s.require("seller", "d", 50, 70, 0)
	for k, r := range map[org.SkillID][2]int{"a": {2, 5}, "b": {4, 5}, "c": {2, 2}, "d": {4, 2}} {
		for i := range 5 {
			s.rate(i, k, need.Self, r[0], r[1])
		}
	}
	all := s.find(need.DefaultWeights)
	for k, want := range map[org.SkillID]string{"a": "concentrate", "b": "keep_up", "c": "low_priority", "d": "overkill"} {
		if got := of(all, k).Evidence.Quadrant; got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
}

func TestClass(t *testing.T) {
	for _, tt := range []struct {
		dif  [3]int // difficulty, importance, frequency
		want string
	}{
		{[3]int{5, 5, 1}, "overtrain"},
		{[3]int{4, 3, 2}, "overtrain"},
		{[3]int{5, 5, 5}, "train"},
		{[3]int{4, 2, 3}, "train"},
		{[3]int{4, 2, 2}, "no_training"},
		{[3]int{3, 3, 3}, "train"},
		{[3]int{3, 5, 2}, "no_training"},
		{[3]int{1, 1, 5}, "no_training"},
	} {
		t.Run(fmt.Sprint(tt.dif), func(t *testing.T) {
			s := open(t, testdb.SQLite(t))
			s.require("seller", "a", 50, 70, 0)
			s.require("seller", "b", 50, 70, 0)
			s.do(func(tx *db.Tx) error {
				_, err := org.AddProcess(t.Context(), tx, org.Process{Name: locale.Both("流程", "Process"), Steps: []org.Step{
					{Name: locale.Both("一", "1"), Difficulty: tt.dif[0], Importance: tt.dif[1], Frequency: tt.dif[2], Positions: []org.PositionID{"seller"}, Skills: []org.SkillID{"a"}},
					{Name: locale.Both("二", "2"), Difficulty: 1, Importance: 1, Frequency: 1, Positions: []org.PositionID{"seller"}, Skills: []org.SkillID{"a"}},
				}})
				return err
			})
			all := s.find(need.DefaultWeights)
			a := of(all, "a").Evidence
			if a.Class != tt.want || len(a.Steps) != 2 || a.Load != float64(tt.dif[0]*tt.dif[1]*tt.dif[2]+1) {
				t.Errorf("%q, load %v of %d steps; want %q", a.Class, a.Load, len(a.Steps), tt.want)
			}
			if b := of(all, "b").Evidence; b.Class != "" || b.Load != 0 {
				t.Errorf("b serves no step and has %q, %v", b.Class, b.Load)
			}
		})
	}
}

func TestFewAreNotShown(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		ctx := t.Context()
		s.require("seller", "a", 50, 70, 2)
		s.require("seller", "b", 50, 70, 2)
		s.require("smith", "a", 50, 70, 2) // four smiths
		levels := map[int]float64{}
		for i := range 16 {
			levels[i] = 50 + float64(i)
		}
		s.able("a", 5, levels)
		s.able("b", 5, map[int]float64{0: 50, 1: 51, 2: 52, 3: 53})
		questions := []content.Question{
			{ID: "1", Kind: "likert", Text: locale.Both("想学", "Wish"), Aspect: "a"}, {ID: "2", Kind: "likert", Text: locale.Both("多学", "More"), Aspect: "a"},
			{ID: "3", Kind: "likert", Text: locale.Both("想学", "Wish"), Aspect: "b"},
		}
		s.do(func(tx *db.Tx) error {
			if err := assess.AddSurvey(ctx, tx, assess.Survey{ID: "v", Programme: "g", Purpose: "needs", Questions: questions, OpensAt: tx.Now}); err != nil {
				return err
			}
			for i := range 4 { // four people, eight answers about a
				if err := assess.Respond(ctx, tx, "v", s.people[i], []assess.Reply{{Question: "1", Value: 4}, {Question: "2", Value: 5}, {Question: "3", Value: 2}}); err != nil {
					return err
				}
			}
			return nil
		})
		all := s.find(need.DefaultWeights)
		for _, n := range all {
			if n.Position == "smith" {
				t.Errorf("the need of four smiths is shown: %+v", n)
			}
		}
		a, b := of(all, "a"), of(all, "b")
		if a.Evidence.Interest != nil || b.Evidence.Interest != nil {
			t.Errorf("what four people want is shown: %v, %v", a.Evidence.Interest, b.Evidence.Interest)
		}
		if a.Evidence.Tested != 12 || b.Evidence.Tested != 0 || b.Evidence.Measured != 0 || b.Gap != 0 {
			t.Errorf("a of 12: %+v; b of 4: %+v", a.Evidence, b.Evidence)
		}
		s.do(func(tx *db.Tx) error {
			if err := assess.Respond(ctx, tx, "v", s.people[4], []assess.Reply{{Question: "1", Value: 2}}); err != nil {
				return err
			}
			cells, err := need.HeatMap(ctx, tx)
			if err != nil {
				return err
			}
			// u1 has eight sellers at 50 … 57: R − S = 70 − 53.5. u2 has four
			// sellers and four smiths, who require a too: eight at 58 … 65.
			if len(cells) != 2 || cells[0].Unit != "u1" || cells[0].People != 8 || !near(cells[0].Gap, 16.5, 1e-9) || !near(cells[1].Gap, 8.5, 1e-9) {
				t.Errorf("heat map %+v", cells)
			}
			// Var of 0 … 7 is 5.25; with noise 25: √(30.25/8) = 1.9445
			if !near(cells[0].SE, 1.9445, 1e-3) {
				t.Errorf("SE %.4f, want 1.9445", cells[0].SE)
			}
			return nil
		})
		all = s.find(need.DefaultWeights)
		if i := of(all, "a").Evidence.Interest; i == nil || !near(*i, (4*9+2)/9.0, 1e-9) {
			t.Errorf("interest in a %v, want 38/9: nine answers of five people", i)
		}
	})
}

// The interval of a gap holds the true one about 95 times in 100.
func TestGapCoversTruth(t *testing.T) {
	s := open(t, testdb.SQLite(t))
	rng := rand.New(rand.NewPCG(5, 5))
	const reps, spread, noise, panel = 300, 9.0, 7.0, 2.0
	covered := 0
	for range reps {
		// EAP-like estimates: the truth's regression on a noisy measure.
		rel := spread * spread / (spread*spread + noise*noise)
		mean := 50.0 // of the population that these twelve come from
		levels := map[int]float64{}
		observed := make([]float64, 12)
		centre := 0.0
		for i := range 12 {
			observed[i] = mean + spread*rng.NormFloat64() + noise*rng.NormFloat64()
			centre += observed[i] / 12
		}
		for i := range 12 {
			levels[i] = centre + rel*(observed[i]-centre)
		}
		s.able("a", spread*math.Sqrt(1-rel), levels)
		s.require("seller", "a", 50, 70+panel*rng.NormFloat64(), panel) // the panel errs as well
		n := of(s.find(need.DefaultWeights), "a")
		if math.Abs(n.Gap-20) < 1.96*n.GapSE {
			covered++
		}
	}
	if share := float64(covered) / reps; share < 0.915 || share > 0.985 {
		t.Errorf("%.3f of the intervals hold the gap", share)
	}
}

func TestRank(t *testing.T) {
	mk := func(k org.SkillID, gap, importance float64, tested int) need.Need {
		return need.Need{Skill: k, Position: "p", People: 10, Gap: gap, Evidence: need.Evidence{Importance: importance, Tested: tested}}
	}
	// Gap and importance weigh 3 to 1. On 0–1: x (1, 0.5), y (0.5, 1), z (–, 0.8).
	all := []need.Need{mk("y", 10, 80, 9), mk("z", 0, 64, 0), mk("x", 20, 40, 9)}
	need.Rank(all, need.Weights{Gap: 3, Importance: 1})
	// x: (3·1 + 0.5)/4; z: importance alone, 0.8; y: (1.5 + 1)/4
	for i, want := range []struct {
		k           org.SkillID
		score       float64
		best, worst int
	}{
		// importance halved: x 0.929, z 0.8, y 0.571; doubled: x .8 = z .8, x first
		// by name. Gap halved: x 0.8 and z 0.8 again, y 0.7.
		{"x", 87.5, 1, 1}, {"z", 80, 2, 2}, {"y", 62.5, 3, 3},
	} {
		n := all[i]
		if n.Skill != want.k || !near(n.Score, want.score, 1e-9) || n.Place != i+1 || n.Best != want.best || n.Worst != want.worst {
			t.Errorf("place %d: %s %.2f (%d–%d), want %+v", n.Place, n.Skill, n.Score, n.Best, n.Worst, want)
		}
	}
	// Near weights the order hangs on them: 2 to 1.5 puts z over x.
	need.Rank(all, need.Weights{Gap: 2, Importance: 1.5})
	if all[0].Skill != "z" || all[0].Best != 1 || all[0].Worst != 2 || all[1].Skill != "x" || all[1].Best != 1 {
		t.Errorf("%s %d–%d, then %s %d–%d", all[0].Skill, all[0].Best, all[0].Worst, all[1].Skill, all[1].Best, all[1].Worst)
	}
	// Who lacks nothing gets nothing for it, and a surplus does not count against.
	all = []need.Need{mk("x", -30, 0, 9), mk("y", 10, 0, 9)}
	need.Rank(all, need.Weights{Gap: 1})
	if all[0].Skill != "y" || all[0].Score != 100 || all[1].Score != 0 {
		t.Errorf("%+v", all)
	}
}

func TestFold(t *testing.T) {
	got := need.Fold([]need.Need{
		{Skill: "a", Position: "p", People: 30, Gap: 10, GapSE: 1, Score: 50},
		{Skill: "b", Position: "p", People: 30, Gap: 5, GapSE: 2, Score: 60},
		{Skill: "a", Position: "q", People: 10, Gap: 2, GapSE: 3, Score: 10},
	})
	// a: (300 + 20)/40 = 8, SE √(30²·1 + 10²·9)/40 = √1800/40, score (1500 + 100)/40
	if len(got) != 2 || got[0].Skill != "b" || got[0].Place != 1 || got[1].People != 40 || got[1].Gap != 8 || got[1].Score != 40 || !near(got[1].SE, math.Sqrt(1800)/40, 1e-12) {
		t.Errorf("%+v", got)
	}
}

func TestFind(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		ctx := t.Context()
		find := func(w need.Weights) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := need.Find(ctx, tx, "g", w); return err }
		}
		s.refused("need.nothing_required", find(need.DefaultWeights))
		s.require("seller", "a", 50, 70, 2)
		s.require("seller", "b", 40, 70, 2)
		for _, w := range []need.Weights{{}, {Gap: 1, Self: -0.1}, {Gap: math.NaN()}, {Gap: math.Inf(1)}} {
			s.refused("need.weights", find(w))
		}
		note := func(n need.Interview) func(*db.Tx) error {
			return func(tx *db.Tx) error { return need.AddInterview(ctx, tx, "g", n) }
		}
		s.refused("need.interview.empty", note(need.Interview{Skill: "a", Who: "店长"}))
		for _, n := range []need.Interview{{Skill: "a"}, {Skill: "a", Position: "seller"}, {Skill: "a", Position: "smith"}} {
			n.Who, n.Note = "店长", locale.Both("需要", "Needed")
			s.do(note(n))
		}
		s.able("a", 4, map[int]float64{0: 50, 1: 52, 2: 54, 3: 56, 4: 58})
		first := s.find(need.DefaultWeights)
		if n := of(first, "a"); n.Evidence.Interviews != 2 || !near(n.Gap, 16, 1e-9) || !n.ApprovedAt.IsZero() {
			t.Errorf("%+v", n)
		}
		s.refused("not_found", func(tx *db.Tx) error { return need.Approve(ctx, tx, "g", "c", "seller", "m", "") })
		s.do(func(tx *db.Tx) error { return need.Approve(ctx, tx, "g", "a", "seller", "m", " 本季重点 ") })
		s.able("a", 4, map[int]float64{0: 60, 1: 62, 2: 64, 3: 66, 4: 68})
		s.find(need.Weights{Importance: 1})
		s.do(func(tx *db.Tx) error {
			kept, err := need.Needs(ctx, tx, "g")
			if err != nil {
				return err
			}
			a, b := of(kept, "a"), of(kept, "b")
			if len(kept) != 2 || !near(a.Gap, 6, 1e-9) || a.ApprovedBy != "m" || a.Comment != "本季重点" || a.ApprovedAt.IsZero() || a.Weights != (need.Weights{Importance: 1}) || a.Evidence.Interviews != 2 || a.Best != 1 || a.Place != 1 {
				t.Errorf("a: %+v", a)
			}
			if !b.ApprovedAt.IsZero() || b.Comment != "" {
				t.Errorf("b was never approved: %+v", b)
			}
			return nil
		})
	})
}
