package assess_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

func TestForm(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 3, 10)
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(1, 2))
		s.test("t1", 5, 0)
		s.test("t2", 5, 0)
		s.test("t3", 5, 0)
		s.do(func(tx *db.Tx) error { return content.RetireItem(ctx, tx, "talk-09") })

		guide := s.start("t1", 2, rng)
		for _, id := range s.form(guide) {
			if strings.HasPrefix(string(id), "know") {
				t.Errorf("a guide is asked %s, which guides need not know", id)
			}
		}
		seen := map[content.ItemID]int{}
		for n, test := range []assess.TestID{"t1", "t2", "t3"} {
			form := s.form(s.start(test, 0, rng))
			if len(form) != 15 {
				t.Fatalf("%s asks %d items, want 5 of each of 3 skills", test, len(form))
			}
			again := 0
			for _, id := range form {
				if id == "talk-09" {
					t.Error("a retired item is asked")
				}
				if seen[id] > 0 {
					again++
				}
				seen[id]++
			}
			// 10 + 9 + 10 items hold 15, then 14 that are new; the third has none.
			if want := []int{0, 1, 15}[n]; again != want {
				t.Errorf("%s repeats %d items, want %d", test, again, want)
			}
			if n == 0 { // one from each fifth of the difficulties −2 … 2
				var b []int
				for _, id := range form {
					if i := slices.IndexFunc(s.bank["know"], func(it content.Item) bool { return it.ID == id }); i >= 0 {
						b = append(b, i/2)
					}
				}
				slices.Sort(b)
				if !slices.Equal(b, []int{0, 1, 2, 3, 4}) {
					t.Errorf("the fifths of the difficulties asked are %v, want one of each", b)
				}
			}
		}
	})
}

func TestAttempt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 2, 6)
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(3, 4))
		s.test("t", 2, 30)
		a := s.start("t", 0, rng)
		if b := s.start("t", 0, rng); b.ID != a.ID {
			t.Errorf("Start began %s though %s runs", b.ID, a.ID)
		}
		byID := map[content.ItemID]content.Item{}
		for _, bank := range s.bank {
			for _, it := range bank {
				byID[it.ID] = it
			}
		}
		me, other := s.people[0], s.people[1]
		give := func(who org.Person, place, choice int) func(*db.Tx) error {
			return func(tx *db.Tx) error { return assess.Give(ctx, tx, a.ID, who, place, choice) }
		}
		var n assess.Shown
		s.do(func(tx *db.Tx) (err error) { n, err = assess.Next(ctx, tx, a.ID, me.ID); return err })
		if want := a.StartedAt.Truncate(time.Millisecond).Add(30 * time.Minute); !n.Due.Equal(want) {
			t.Errorf("due %v, want %v", n.Due, want)
		}
		it := byID[n.Item]
		want := assess.Shown{Attempt: a.ID, Place: 1, Of: 6, Skill: it.Skill, Item: it.ID, Stem: it.Stem, Options: it.Options, Choice: -1, Due: n.Due}
		if diff := cmp.Diff(want, n); diff != "" {
			t.Error("first item: ", diff)
		}
		s.refused("test.choice.unknown", give(me, 1, 3))
		s.refused("test.choice.unknown", give(me, 1, -2))
		s.refused("not_found", give(other, 1, 0))
		s.refused("not_found", give(me, 7, 0))
		s.refused("not_found", func(tx *db.Tx) error { _, err := assess.Next(ctx, tx, a.ID, other.ID); return err })
		s.refused("not_found", func(tx *db.Tx) error { _, err := assess.At(ctx, tx, a.ID, other.ID, 1); return err })
		s.refused("not_found", func(tx *db.Tx) error { return assess.Finish(ctx, tx, a.ID, other) })

		wrong := (it.Answer + 1) % 3
		s.do(give(me, 1, wrong))
		s.do(give(me, 1, wrong)) // a second click
		s.refused("test.answered_already", give(me, 1, it.Answer))
		s.do(func(tx *db.Tx) (err error) { n, err = assess.At(ctx, tx, a.ID, me.ID, 1); return err })
		if n.Choice != wrong || n.Answered != 1 {
			t.Errorf("item 1 shows choice %d and %d answered, want %d and 1", n.Choice, n.Answered, wrong)
		}
		s.do(func(tx *db.Tx) (err error) { n, err = assess.Next(ctx, tx, a.ID, me.ID); return err })
		if n.Place != 2 {
			t.Errorf("next is %d, want 2", n.Place)
		}
		second := byID[n.Item]
		s.do(give(me, 2, second.Answer))

		// Every answer is a statement of the pseudonym.
		s.do(func(tx *db.Tx) error {
			all, err := record.InContext(ctx, tx, "attempt/"+string(a.ID), record.Page{})
			if err != nil {
				return err
			}
			right := map[string]bool{"item/" + string(it.ID): false, "item/" + string(second.ID): true}
			answers := 0
			for _, st := range all {
				if st.Actor != me.Pseudonym {
					t.Errorf("a statement of %s, want %s", st.Actor, me.Pseudonym)
				}
				if st.Verb != record.Answered {
					continue
				}
				answers++
				if r, ok := right[st.Object]; !ok || st.Success == nil || *st.Success != r {
					t.Errorf("statement on %s says %v", st.Object, st.Success)
				}
				n, err := db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM answer WHERE statement_id = $1`, st.ID)
				if err != nil {
					return err
				}
				if n != 1 {
					t.Errorf("%d answers rest on the statement about %s", n, st.Object)
				}
			}
			if answers != 2 {
				t.Errorf("%d statements of answers, want 2", answers)
			}
			return nil
		})

		// The limit and half a minute for the way are up, and not a moment before.
		s.now = a.StartedAt.Add(30*time.Minute + 29*time.Second)
		s.do(give(me, 3, 0))
		s.now = a.StartedAt.Add(30*time.Minute + 31*time.Second)
		s.refused("test.time_up", give(me, 4, 0))

		finish := func(tx *db.Tx) error { return assess.Finish(ctx, tx, a.ID, me) }
		s.do(finish)
		s.do(finish)
		s.refused("test.finished", give(me, 4, 0))
		s.refused("test.already_taken", func(tx *db.Tx) error { _, err := assess.Start(ctx, tx, "t", me, rng); return err })
		form := s.form(a)
		s.do(func(tx *db.Tx) error {
			done, err := record.Select(ctx, tx, record.Query{Actor: me.Pseudonym, Verb: record.Completed}, record.Page{})
			if err != nil {
				return err
			}
			third := 0.0
			if byID[form[2]].Answer == 0 {
				third = 1
			}
			if len(done) != 1 || done[0].Score == nil || *done[0].Score != (1+third)/6 {
				t.Errorf("completed: %v, want one with the share right of all six", done)
			}
			got, err := assess.Results(ctx, tx, a.ID, me.ID)
			if err != nil {
				return err
			}
			asked, answered := 0, 0
			for _, r := range got {
				asked, answered = asked+r.Asked, answered+r.Answered
			}
			if len(got) != 3 || asked != 6 || answered != 3 {
				t.Errorf("results %v, want 3 skills, 6 asked, 3 answered", got)
			}
			return nil
		})
	})
}

func TestTestsOpenAndClose(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 3, 4)
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(5, 6))
		opens := s.now.AddDate(0, 0, 1)
		add := func(ts assess.Test) func(*db.Tx) error {
			return func(tx *db.Tx) error { return assess.AddTest(ctx, tx, ts) }
		}
		ts := assess.Test{ID: "t", Purpose: assess.After, OpensAt: opens, ClosesAt: opens.AddDate(0, 0, -2)}
		s.refused("test.skills.none", add(ts))
		ts.Skills = []assess.TestSkill{{Skill: "know", Items: 3}}
		s.refused("test.closes_before_opens", add(ts))
		ts.ClosesAt = opens.AddDate(0, 0, 2)
		ts.Skills[0].Items = 0
		s.refused("test.items.none", add(ts))
		ts.Skills[0].Items = 3
		s.do(add(ts))
		begin := func(i int) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := assess.Start(ctx, tx, "t", s.people[i], rng); return err }
		}
		open := func(i int) (n int) {
			s.do(func(tx *db.Tx) error {
				all, err := assess.OpenTests(ctx, tx, s.people[i].ID)
				n = len(all)
				return err
			})
			return n
		}
		s.refused("test.not_open", begin(0))
		if open(0) != 0 {
			t.Error("a test is offered before it opens")
		}
		s.now = opens
		s.refused("test.no_items", begin(2)) // nothing that a guide needs
		if open(0) != 1 || open(2) != 0 {
			t.Errorf("offered to clerk and guide: %d and %d, want 1 and 0", open(0), open(2))
		}
		s.do(begin(0))
		a := s.start("t", 0, rng)
		s.now = ts.ClosesAt.Add(29 * time.Second)
		s.do(func(tx *db.Tx) error { return assess.Give(ctx, tx, a.ID, s.people[0], 1, 0) })
		s.now = ts.ClosesAt.Add(time.Minute)
		s.refused("test.time_up", func(tx *db.Tx) error { return assess.Give(ctx, tx, a.ID, s.people[0], 2, 0) })
		s.refused("test.not_open", begin(1))
		if open(1) != 0 || open(0) != 1 {
			t.Error("a closed test is offered to who began it and to nobody else")
		}
	})
}

func TestSheets(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 4, 5)
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(7, 8))
		s.test("t", 2, 0)
		for _, i := range []int{3, 0, 2} { // not in order of number
			a := s.start("t", i, rng)
			for place := range s.form(a) {
				if place == 0 {
					continue // left out
				}
				s.do(func(tx *db.Tx) error { return assess.Give(ctx, tx, a.ID, s.people[i], place+1, place%3) })
			}
		}
		var sheets []assess.Sheet
		s.do(func(tx *db.Tx) (err error) { sheets, err = assess.Sheets(ctx, tx, "t"); return err })
		type key struct {
			Person org.PersonID
			Skill  org.SkillID
			N      int
		}
		var got []key
		for _, sh := range sheets {
			if len(sh.Items) != len(sh.Correct) {
				t.Errorf("%d items, %d marks", len(sh.Items), len(sh.Correct))
			}
			got = append(got, key{sh.Person, sh.Skill, len(sh.Items)})
		}
		// p0002 is a guide; a form begins with "know", or else with "talk".
		want := []key{{"p0000", "know", 1}, {"p0000", "new", 2}, {"p0000", "talk", 2}, {"p0002", "new", 2}, {"p0002", "talk", 1}, {"p0003", "know", 1}, {"p0003", "new", 2}, {"p0003", "talk", 2}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Nobody is told half of it: an answer whose transaction fails is not there,
// and neither is its statement.
func TestAnswerIsWholeOrNotAtAll(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 1, 4)
		ctx := t.Context()
		s.test("t", 2, 0)
		a := s.start("t", 0, rand.New(rand.NewPCG(1, 1)))
		broken := errors.New("broken")
		if err := d.Write(ctx, func(tx *db.Tx) error {
			if err := assess.Give(ctx, tx, a.ID, s.people[0], 1, 0); err != nil {
				return err
			}
			return broken
		}); !errors.Is(err, broken) || fault.Of(err) != fault.Internal {
			t.Fatal(err)
		}
		s.do(func(tx *db.Tx) error {
			n, err := record.Count(ctx, tx, record.Query{Verb: record.Answered})
			if err != nil {
				return err
			}
			first, err := assess.Next(ctx, tx, a.ID, s.people[0].ID)
			if n != 0 || first.Place != 1 {
				t.Errorf("%d statements, next item %d; want none and 1", n, first.Place)
			}
			return err
		})
	})
}
