package assess_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"
)

// school is a small company with item banks: clerks, who need talk, know and
// innovation, and guides, who need talk and innovation.
type school struct {
	t      testing.TB
	d      *db.DB
	now    time.Time
	people []org.Person // every third a guide
	bank   map[org.SkillID][]content.Item
}

var skills = []org.SkillID{"know", "talk", "new"} // as org.Skills orders them, innovation last

func found(t testing.TB, d *db.DB, people, items int) *school {
	t.Helper()
	s := &school{t: t, d: d, now: testdb.Start, bank: map[org.SkillID][]content.Item{}}
	d.Clock = func() time.Time { s.now = s.now.Add(time.Millisecond); return s.now }
	ctx := t.Context()
	s.do(func(tx *db.Tx) error {
		if err := org.Found(ctx, tx, org.Company{Name: locale.Both("校", "School"), Alpha: 0.7, Beta: 0.3, AttentionDay: 45, Zone: time.UTC}); err != nil {
			return err
		}
		if _, err := org.AddUnit(ctx, tx, org.Unit{ID: "u", Name: locale.Both("部", "Unit"), Site: true}); err != nil {
			return err
		}
		for _, k := range skills {
			kind := map[org.SkillID]string{"talk": org.KindSkill, "know": org.KindKnowledge, "new": org.KindStyle}[k]
			if _, err := org.AddSkill(ctx, tx, org.Skill{ID: k, Name: locale.Both(string(k), string(k)), Kind: kind, Innovation: k == "new"}); err != nil {
				return err
			}
		}
		for _, p := range []org.PositionID{"clerk", "guide"} {
			if _, err := org.AddPosition(ctx, tx, org.Position{ID: p, Name: locale.Both(string(p), string(p))}); err != nil {
				return err
			}
		}
		for _, r := range []org.Requirement{
			{Position: "clerk", Skill: "talk", Importance: 60}, {Position: "clerk", Skill: "know", Importance: 40}, {Position: "clerk", Skill: "new", Importance: 50},
			{Position: "guide", Skill: "talk", Importance: 80}, {Position: "guide", Skill: "new", Importance: 50},
		} {
			r.Origin = []org.Origin{{Kind: "person"}}
			if err := org.Require(ctx, tx, r); err != nil {
				return err
			}
		}
		for i := range people {
			at := org.PositionID("clerk")
			if i%3 == 2 {
				at = "guide"
			}
			s.people = append(s.people, org.Person{ID: org.PersonID(fmt.Sprintf("p%04d", i)), Number: fmt.Sprintf("%04d", i), Pseudonym: org.Pseudonym(fmt.Sprintf("x%04d", i)), Name: "王", Unit: "u", Position: at})
		}
		var err error
		s.people, err = org.HireAll(ctx, tx, s.people)
		if err != nil {
			return err
		}
		for _, k := range skills {
			for i := range items {
				a, b := 0.8+0.2*float64(i%5), -2+4*float64(i)/float64(max(1, items-1))
				s.bank[k] = append(s.bank[k], content.Item{
					ID: content.ItemID(fmt.Sprintf("%s-%02d", k, i)), Skill: k, Part: locale.Both("点", "Point"), Stem: locale.Both("问", "Ask"), Answer: i % 3, A: &a, B: &b,
					Options: []locale.Text{locale.Both("甲", "A"), locale.Both("乙", "B"), locale.Both("丙", "C")},
				})
			}
			if err := content.AddItems(ctx, tx, s.bank[k]); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func (s *school) do(do func(*db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(s.t.Context(), do); err != nil {
		s.t.Fatal(err)
	}
}

// refused checks that do fails with the message, and that the message has a text.
func (s *school) refused(key string, do func(*db.Tx) error) {
	s.t.Helper()
	err := s.d.Write(s.t.Context(), do)
	if e, ok := fault.As(err); !ok || e.Key != key {
		s.t.Errorf("%v, want %s", err, key)
	}
	if !locale.Has(key) {
		s.t.Errorf("%s has no text", key)
	}
}

// test adds a test of so many items of every skill, open for a week.
func (s *school) test(id assess.TestID, items, minutes int) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		ts := assess.Test{ID: id, Purpose: assess.Before, Name: locale.Both("测", "Test"), Minutes: minutes, OpensAt: tx.Now, ClosesAt: tx.Now.AddDate(0, 0, 7)}
		for _, k := range skills {
			ts.Skills = append(ts.Skills, assess.TestSkill{Skill: k, Items: items})
		}
		return assess.AddTest(s.t.Context(), tx, ts)
	})
}

func (s *school) start(test assess.TestID, i int, rng *rand.Rand) (a assess.Attempt) {
	s.t.Helper()
	s.do(func(tx *db.Tx) (err error) {
		a, err = assess.Start(s.t.Context(), tx, test, s.people[i], rng)
		return err
	})
	return a
}

func (s *school) form(a assess.Attempt) (form []content.ItemID) {
	s.t.Helper()
	s.do(func(tx *db.Tx) (err error) { form, err = assess.Form(s.t.Context(), tx, a.ID); return err })
	return form
}

// sit writes down how everybody answers so many items of each skill of the
// position, at abilities theta, as Start and Give would.
func (s *school) sit(test assess.TestID, items int, theta func(i int, k org.SkillID) float64, rng *rand.Rand) {
	s.t.Helper()
	var attempts, answers []any
	at := db.Millis(s.now)
	for i, p := range s.people {
		id := fmt.Sprintf("%s-%d", test, i)
		attempts = append(attempts, id, test, p.ID, 1, at)
		place := 0
		for _, k := range skills {
			if k == "know" && p.Position == "guide" {
				continue
			}
			bank := s.bank[k]
			for _, j := range rng.Perm(len(bank))[:items] {
				it, _ := bank[j].IRT()
				right := rng.Float64() < it.P(theta(i, k))
				choice := bank[j].Answer
				if !right {
					choice = (choice + 1) % 3
				}
				place++
				answers = append(answers, id, place, bank[j].ID, choice, right, at, at)
			}
		}
	}
	s.do(func(tx *db.Tx) error {
		if err := tx.Many(s.t.Context(), `INSERT INTO attempt (id, test_id, person_id, number, started_at)`, 5, attempts, ""); err != nil {
			return err
		}
		return tx.Many(s.t.Context(), `INSERT INTO answer (attempt_id, place, item_id, choice, correct, shown_at, answered_at)`, 7, answers, "")
	})
}

// s returns the true proficiency at theta: percentage of the whole bank.
func (s *school) s(k org.SkillID, theta float64) float64 {
	var items []irt.Item
	for i := range s.bank[k] {
		it, _ := s.bank[k][i].IRT()
		items = append(items, it)
	}
	return irt.TCC(items, theta)
}
