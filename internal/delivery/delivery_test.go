package delivery_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

// The values of RFC 6238, appendix B, SHA-256, the last six of their digits.
func TestCodeIsTOTP(t *testing.T) {
	const secret = "12345678901234567890123456789012"
	for at, want := range map[int64]string{59: "119246", 1111111109: "084774", 1111111111: "062674", 1234567890: "819424", 2000000000: "698825", 20000000000: "737706"} {
		if got := delivery.CodeAt(secret, time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestProgrammeTurns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 0)
		ctx := s.ctx()
		s.do(func(tx *db.Tx) error {
			for _, to := range []delivery.Stage{delivery.StagePlan, delivery.StagePlan, delivery.StageDelivery} {
				if err := delivery.Advance(ctx, tx, "g", to); err != nil {
					return err
				}
			}
			return nil
		})
		s.refused("delivery.stage.back", func(tx *db.Tx) error { return delivery.Advance(ctx, tx, "g", delivery.StageNeed) })
		s.refused("delivery.stage.unknown", func(tx *db.Tx) error { return delivery.Advance(ctx, tx, "g", "party") })
		s.refused("delivery.programme.under_way", func(tx *db.Tx) error {
			return delivery.Revise(ctx, tx, delivery.Programme{ID: "g", Name: locale.Both("二", "Two"), Days: 1, Hours: 1})
		})
		next := delivery.Programme{ID: "g2", Name: locale.Both("二", "Two"), Previous: "g", Days: 1, Hours: 2.5, Money: 10, StartsOn: testdb.Start.AddDate(0, 1, 0),
			Because: delivery.Because{Evaluation: "e", Skills: []org.SkillID{"talk"}, Reason: "evaluate.improve.practice"}}
		s.do(func(tx *db.Tx) error {
			if err := delivery.Advance(ctx, tx, "g", delivery.StageClosed); err != nil {
				return err
			}
			if now, err := delivery.Current(ctx, tx); err != nil || now.ID != "g" || now.ClosedAt.IsZero() {
				t.Errorf("with none open the last is current: %+v, %v", now, err)
			}
			return delivery.Open(ctx, tx, next)
		})
		s.do(func(tx *db.Tx) error {
			now, err := delivery.Current(ctx, tx)
			if err != nil {
				return err
			}
			next.Cycle, next.Stage, next.CreatedAt, next.StartsOn = 2, delivery.StageNeed, now.CreatedAt, next.StartsOn.Local()
			now.StartsOn = now.StartsOn.Local()
			if diff := cmp.Diff(next, now); diff != "" {
				t.Error(diff)
			}
			all, err := delivery.Programmes(ctx, tx)
			if len(all) != 2 || all[0].ID != "g2" {
				t.Errorf("programmes %v, newest first is wanted", all)
			}
			return err
		})
	})
}

func TestEnrolment(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := s.ctx()
		s.enrol(online(0), online(1), workshop(0, "s1", ""), workshop(1, "s1", ""), workshop(2, "s1", delivery.Waiting), workshop(3, "s1", delivery.Waiting))
		registered := record.Query{Verb: record.Registered}
		if n := s.count(registered); n != 6 {
			t.Errorf("%d statements for 6 enrolments", n)
		}
		s.enrol(online(0), workshop(2, "s1", delivery.Waiting))
		if n := s.count(registered); n != 6 {
			t.Errorf("enrolling again wrote %d statements", n-6)
		}
		full := func(tx *db.Tx) error {
			return delivery.Enrol(ctx, tx, []delivery.Enrolment{online(4), workshop(4, "s1", "")})
		}
		s.refused("delivery.session.full", full)
		if e := s.place(4, "of-online"); e.Person != "" || s.count(registered) != 6 {
			t.Errorf("a refused enrolment left %+v", e)
		}
		for key, e := range map[string]delivery.Enrolment{
			"delivery.enrol.no_session": {Person: p(5), Offering: "of-workshop"},
			"delivery.session.unknown":  {Person: p(5), Offering: "of-online", Session: "s1"},
			"delivery.offering.unknown": {Person: p(5), Offering: "?"},
			"delivery.person.unknown":   {Person: "?", Offering: "of-online"},
			"delivery.enrol.status":     {Person: p(5), Offering: "of-online", Status: delivery.Exempt},
		} {
			s.refused(key, func(tx *db.Tx) error { return delivery.Enrol(ctx, tx, []delivery.Enrolment{e}) })
		}
		s.refused("delivery.enrol.twice", func(tx *db.Tx) error { return delivery.Enrol(ctx, tx, []delivery.Enrolment{online(5), online(5)}) })

		// Who changes session keeps the day they enrolled.
		at := s.place(1, "of-workshop").At
		s.enrol(workshop(1, "s2", ""))
		if e := s.place(1, "of-workshop"); e.Session != "s2" || !e.At.Equal(at) {
			t.Errorf("after changing session: %+v, enrolled %v", e, at)
		}
	})
}

func TestLeaversFreeTheirSeats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 8)
		ctx := s.ctx()
		s.enrol(online(0), workshop(0, "s1", ""), workshop(1, "s1", ""), workshop(7, "s2", ""))
		// 5 waited first, but has left; then 3, who is elsewhere at the time; then 2 and 4.
		for _, i := range []int{5, 3, 2, 4} {
			s.enrol(workshop(i, "s1", delivery.Waiting))
		}
		s.do(func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE person SET left_at = 1 WHERE id = $1`, p(5)); err != nil {
				return err
			}
			if err := delivery.AddOfferings(ctx, tx, []delivery.Offering{{ID: "other", Programme: "g", Course: "workshop", Dated: true}}); err != nil {
				return err
			}
			if err := delivery.AddSessions(ctx, tx, []delivery.Session{{ID: "s3", Offering: "other", Seats: 9,
				StartsAt: firstSession.Add(2 * time.Hour), EndsAt: firstSession.Add(5 * time.Hour)}}); err != nil {
				return err
			}
			return delivery.Enrol(ctx, tx, []delivery.Enrolment{{Person: p(3), Offering: "other", Session: "s3"}})
		})
		s.do(func(tx *db.Tx) error {
			moved, err := delivery.Release(ctx, tx, []org.PersonID{p(0)})
			if len(moved) != 1 || moved[0].Person != p(2) {
				t.Errorf("moved up: %+v, want the third in line, who can come", moved)
			}
			return err
		})
		if e := s.place(0, "of-online"); e.Status != delivery.Cancelled || e.Reason != "left" {
			t.Errorf("the leaver's course: %+v", e)
		}
		if n := s.count(record.Query{Verb: record.Left}); n != 2 {
			t.Errorf("%d statements that the leaver left, want one for each course", n)
		}
		if e := s.place(2, "of-workshop"); e.Status != delivery.Enrolled || e.Session != "s1" || e.Source != delivery.ByDraw {
			t.Errorf("who moved up: %+v", e)
		}
		s.do(func(tx *db.Tx) error {
			moved, err := delivery.Cancel(ctx, tx, p(1), "of-workshop", "ill")
			if len(moved) != 1 || moved[0].Person != p(4) {
				t.Errorf("after a cancellation moved up: %+v", moved)
			}
			return err
		})
		s.refused("delivery.exempt.reason", func(tx *db.Tx) error {
			_, err := delivery.Excuse(ctx, tx, p(6), "of-online", delivery.ByManager, "")
			return err
		})
		s.do(func(tx *db.Tx) error {
			_, err := delivery.Excuse(ctx, tx, p(6), "of-online", delivery.ByManager, "持有证书")
			return err
		})
		if e := s.place(6, "of-online"); e.Status != delivery.Exempt || e.Reason != "持有证书" || s.count(record.Query{Verb: record.Waived}) != 1 {
			t.Errorf("exemption: %+v", e)
		}

		// s1 is called off: its people wait for s2, where one seat is free.
		s.do(func(tx *db.Tx) error {
			moved, err := delivery.CancelSession(ctx, tx, "s1")
			if len(moved) != 1 || moved[0].Session != "s2" || moved[0].Person != p(3) {
				t.Errorf("after calling s1 off: %+v, want the first in line in s2", moved)
			}
			return err
		})
		s.refused("delivery.session.cancelled", func(tx *db.Tx) error { return delivery.Enrol(ctx, tx, []delivery.Enrolment{workshop(6, "s1", "")}) })
	})
}

// A seat is given once, however many ask for it at one time.
func TestLastSeat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 12)
		var mu sync.Mutex
		now := s.now
		d.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(time.Millisecond); return now }
		var all sync.WaitGroup
		errs := make([]error, 12)
		for i := range 12 {
			all.Go(func() {
				errs[i] = d.Write(t.Context(), func(tx *db.Tx) error {
					return delivery.Enrol(t.Context(), tx, []delivery.Enrolment{workshop(i, "s1", "")})
				})
			})
		}
		all.Wait()
		got := 0
		for _, err := range errs {
			if err == nil {
				got++
			} else if fault.Of(err) != fault.Conflict {
				t.Error(err)
			}
		}
		if got != 2 {
			t.Errorf("%d people got the 2 seats", got)
		}
	})
}

func TestDraws(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 4)
		ctx := s.ctx()
		draw := delivery.Draw{ID: "d", Plan: "plan", Offering: "of-workshop", Seed: -7, Seats: 2, Band: 0.1, Cost: 0.05, At: time.UnixMilli(testdb.Start.UnixMilli())}
		for i := range 4 {
			draw.Entries = append(draw.Entries, delivery.DrawEntry{Person: p(i), Session: "s1", Stratum: "a", Probability: 0.5, Drawn: i < 2})
		}
		s.do(func(tx *db.Tx) error { return delivery.RecordDraw(ctx, tx, draw) })
		s.do(func(tx *db.Tx) error {
			all, err := delivery.Draws(ctx, tx, "g")
			if diff := cmp.Diff([]delivery.Draw{draw}, all); diff != "" {
				t.Error(diff)
			}
			return err
		})
		draw.ID, draw.Seats = "d2", 1
		s.refused("delivery.draw.seats", func(tx *db.Tx) error { return delivery.RecordDraw(ctx, tx, draw) })
		draw.Seats, draw.Entries[0].Probability = 2, 1
		s.refused("delivery.draw.probability", func(tx *db.Tx) error { return delivery.RecordDraw(ctx, tx, draw) })
	})
}

func TestAttendance(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 4)
		ctx := s.ctx()
		s.enrol(workshop(0, "s1", ""), workshop(1, "s1", ""), workshop(2, "s2", ""))
		sign := func(i int, code string) (how delivery.Presence, err error) {
			err = d.Write(ctx, func(tx *db.Tx) error { how, err = delivery.SignIn(ctx, tx, "s1", p(i), code); return err })
			return how, err
		}
		shown := func() (c string) {
			s.do(func(tx *db.Tx) (err error) { c, _, err = delivery.Code(ctx, tx, "s1"); return err })
			return c
		}
		if _, err := sign(0, shown()); fault.Of(err) != fault.Conflict {
			t.Errorf("a day early: %v", err)
		}
		s.refused("delivery.session.not_over", func(tx *db.Tx) error { _, err := delivery.CloseSheet(ctx, tx, "s1"); return err })
		start := firstSession
		s.now = start.Add(-time.Minute)
		code := shown()
		s.now = s.now.Add(delivery.CodeStep)
		if how, err := sign(0, code); err != nil || how != delivery.Present {
			t.Errorf("the code before: %s, %v", how, err)
		}
		if how, err := sign(0, code); err != nil || how != delivery.Present || s.count(record.Query{Verb: record.Attended}) != 1 {
			t.Errorf("signing in twice: %s, %v, %d statements", how, err, s.count(record.Query{Verb: record.Attended}))
		}
		s.now = start.Add(15 * time.Minute)
		if _, err := sign(1, code); fault.Of(err) != fault.Invalid {
			t.Errorf("an old code: %v", err)
		}
		if how, err := sign(1, shown()); err != nil || how != delivery.Late {
			t.Errorf("15 minutes late: %s, %v", how, err)
		}
		if _, err := sign(2, shown()); fault.Of(err) != fault.Denied {
			t.Errorf("somebody of another session: %v", err)
		}
		if e := s.place(0, "of-workshop"); e.DoneAt.IsZero() {
			t.Error("who came has not finished")
		}

		// The sheet of the second session: absent at first, corrected afterwards.
		s.now = start.AddDate(0, 0, 1).Add(4 * time.Hour)
		s.do(func(tx *db.Tx) error {
			n, err := delivery.CloseSheet(ctx, tx, "s2")
			if n != 1 {
				t.Errorf("%d absent, want 1", n)
			}
			return err
		})
		if e := s.place(2, "of-workshop"); !e.DoneAt.IsZero() {
			t.Error("who was absent has finished")
		}
		for range 2 {
			s.do(func(tx *db.Tx) error { return delivery.MarkAttendance(ctx, tx, "s2", []org.PersonID{p(2), p(2)}) })
		}
		if e := s.place(2, "of-workshop"); e.DoneAt.IsZero() || s.count(record.Query{Object: "session/s2"}) != 2 {
			t.Errorf("corrected: %+v, %d statements, want both facts", e, s.count(record.Query{Object: "session/s2"}))
		}
		s.do(func(tx *db.Tx) error { return delivery.MarkAbsent(ctx, tx, "s1", []org.PersonID{p(1)}) })
		s.do(func(tx *db.Tx) error {
			sheet, err := delivery.Sheet(ctx, tx, "s1")
			if len(sheet) != 2 || sheet[0].Presence != delivery.Present || sheet[0].By != "code" || sheet[1].Presence != delivery.Absent || sheet[1].By != "sheet" {
				t.Errorf("sheet %+v", sheet)
			}
			if err != nil {
				return err
			}
			all, err := delivery.Attendances(ctx, tx, "g")
			if len(all) != 3 {
				t.Errorf("%d attendances, want 3", len(all))
			}
			return err
		})
	})
}

func TestPlayer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 2)
		ctx := s.ctx()
		s.refused("delivery.not_enrolled", func(tx *db.Tx) error { _, err := delivery.Launch(ctx, tx, p(0), "page1"); return err })
		s.enrol(online(0), workshop(0, "s1", ""))
		s.refused("delivery.after_first", func(tx *db.Tx) error { _, err := delivery.Launch(ctx, tx, p(0), "meet"); return err })
		launch := func(a content.ActivityID) (g delivery.Progress) {
			s.do(func(tx *db.Tx) (err error) { g, err = delivery.Launch(ctx, tx, p(0), a); return err })
			return g
		}
		save := func(state string, version int64) (v int64, err error) {
			err = d.Write(ctx, func(tx *db.Tx) error {
				v, err = delivery.Save(ctx, tx, p(0), "page1", json.RawMessage(state), version)
				return err
			})
			return v, err
		}
		g := launch("page1")
		v, err := save(`{"at":1}`, g.Version)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := save(`{"at":1}`, g.Version); err != nil || again != v {
			t.Errorf("sent again after the answer was lost: %d, %v; want %d", again, err, v)
		}
		if _, err := save(`{"at":9}`, g.Version); fault.Of(err) != fault.Conflict {
			t.Errorf("a stale save: %v", err)
		}
		if _, err := save(`{"at"`, v); fault.Of(err) != fault.Invalid {
			t.Errorf("half a state: %v", err)
		}
		if _, err := save(`"`+strings.Repeat("x", delivery.MaxState)+`"`, v); fault.Of(err) != fault.Invalid {
			t.Errorf("a huge state: %v", err)
		}
		if g := launch("page1"); string(g.State) != `{"at":1}` || g.Version != v || s.count(record.Query{Verb: record.Launched}) != 1 {
			t.Errorf("resumed at %s, version %d, with %d statements", g.State, g.Version, s.count(record.Query{Verb: record.Launched}))
		}

		s.do(func(tx *db.Tx) error {
			f, err := delivery.Answer(ctx, tx, p(0), "quiz", "i1", 0)
			if f.Correct || f.Answer != 1 {
				t.Errorf("feedback %+v", f)
			}
			return err
		})
		s.refused("delivery.answer.choice", func(tx *db.Tx) error { _, err := delivery.Answer(ctx, tx, p(0), "quiz", "i1", 2); return err })
		s.refused("not_found", func(tx *db.Tx) error { _, err := delivery.Answer(ctx, tx, p(0), "page1", "i1", 0); return err })

		s.complete(0, "page1", "page1", "page2")
		if e := s.place(0, "of-online"); !e.DoneAt.IsZero() {
			t.Error("finished with the quiz still to do")
		}
		s.do(func(tx *db.Tx) error { return delivery.CompleteScored(ctx, tx, p(0), "quiz", 0.5) })
		if e := s.place(0, "of-online"); e.DoneAt.IsZero() {
			t.Error("not finished with all activities done")
		}
		if n := s.count(record.Query{Verb: record.Completed}); n != 4 {
			t.Errorf("%d statements of completion, want three activities and the course", n)
		}
		launch("meet") // what came before it is done

		// The next cycle offers the course again: it is done anew.
		s.now = s.now.AddDate(0, 1, 0)
		s.do(func(tx *db.Tx) error {
			if err := delivery.Open(ctx, tx, delivery.Programme{ID: "g2", Name: locale.Both("二", "Two"), Previous: "g", Days: 1, Hours: 6}); err != nil {
				return err
			}
			if err := delivery.AddOfferings(ctx, tx, []delivery.Offering{{ID: "again", Programme: "g2", Course: "online"}}); err != nil {
				return err
			}
			return delivery.Enrol(ctx, tx, []delivery.Enrolment{{Person: p(0), Offering: "again"}})
		})
		s.complete(0, "page1")
		if e := s.place(0, "again"); !e.DoneAt.IsZero() {
			t.Error("one activity finished a course taken again")
		}
		if g := launch("page2"); string(g.State) != "{}" || !g.DoneAt.IsZero() {
			t.Errorf("taken again, the activity begins at %s", g.State)
		}
		s.complete(0, "page2", "quiz")
		if e := s.place(0, "again"); e.DoneAt.IsZero() || s.count(record.Query{Context: "programme/g2", Verb: record.Completed}) != 4 {
			t.Errorf("taken again and done: %+v", e)
		}
	})
}

func TestCalendarAndToday(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 6)
		ctx := s.ctx()
		s.enrol(online(0), workshop(0, "s1", ""), workshop(1, "s1", ""), workshop(2, "s2", ""), workshop(4, "s1", delivery.Waiting))
		s.complete(0, "page1")
		s.now = s.now.Add(30 * time.Minute)
		s.visit(0, "page1", 8)
		from, to := testdb.Start, testdb.Start.AddDate(0, 0, 7)
		for _, tt := range []struct {
			name  string
			whose delivery.Whose
			want  string
		}{
			{"everybody's", delivery.Whose{Programme: "g"}, "s1 2+1 of 2 away 0; s2 1+0 of 2 away 0"},
			{"a person's", delivery.Whose{Person: p(2)}, "s2 1+0 of 2 away 1"},
			{"a team's", delivery.Whose{Unit: "u1"}, "s1 2+1 of 2 away 1; s2 1+0 of 2 away 1"},
			{"the whole company's", delivery.Whose{Unit: "u"}, "s1 2+1 of 2 away 2; s2 1+0 of 2 away 1"},
			{"another team's", delivery.Whose{Unit: "u2"}, "s1 2+1 of 2 away 1"},
			{"the trainer's", delivery.Whose{Trainer: "王"}, "s1 2+1 of 2 away 0; s2 1+0 of 2 away 0"},
			{"a room's", delivery.Whose{Room: "302"}, "s2 1+0 of 2 away 0"},
			{"nobody's", delivery.Whose{Room: "999"}, ""},
		} {
			s.do(func(tx *db.Tx) error {
				all, err := delivery.Calendar(ctx, tx, tt.whose, from, to)
				var said []string
				for _, m := range all {
					said = append(said, fmt.Sprintf("%s %d+%d of %d away %d", m.ID, m.Enrolled, m.Waiting, m.Seats, m.Away))
				}
				if got := strings.Join(said, "; "); got != tt.want {
					t.Errorf("%s calendar: %s; want %s", tt.name, got, tt.want)
				}
				return err
			})
		}
		today := func() (all []delivery.Due) {
			s.do(func(tx *db.Tx) (err error) { all, err = delivery.Today(ctx, tx, p(0)); return err })
			return all
		}
		due := today()
		if len(due) != 2 || due[0].Offering != "of-online" || due[0].Done != 1 || due[0].Of != 3 || due[0].Minutes != 20 || due[0].Next != "page2" || due[0].Late {
			t.Errorf("today %+v: the online course first, its second page next", due)
		}
		if len(due) == 2 && !due[1].Blocked {
			t.Error("the workshop comes after the course, which is not done")
		}
		s.now = testdb.Start.Add(12 * time.Hour)
		if due := today(); due[0].Session != "s1" {
			t.Errorf("the evening before, the session is first: %+v", due)
		}
		s.now = testdb.Start.AddDate(0, 0, 15)
		if due := today(); len(due) != 1 || !due[0].Late {
			t.Errorf("after the deadline the course is late, and the session past: %+v", due)
		}
		s.do(func(tx *db.Tx) error {
			standings, err := delivery.Standings(ctx, tx, "g")
			if err != nil {
				return err
			}
			want := []delivery.Standing{
				{Offering: "of-online", Course: "online", Title: locale.Both("课 online", "online"), Enrolled: 1, Begun: 1},
				{Offering: "of-workshop", Course: "workshop", Title: locale.Both("课 workshop", "workshop"), Dated: true, Enrolled: 3, Waiting: 1},
			}
			if diff := cmp.Diff(want, standings); diff != "" {
				t.Error(diff)
			}
			if err := delivery.MarkAttendance(ctx, tx, "s1", []org.PersonID{p(0)}); err != nil {
				return err
			}
			if err := delivery.MarkAbsent(ctx, tx, "s1", []org.PersonID{p(1)}); err != nil {
				return err
			}
			standings, err = delivery.Standings(ctx, tx, "g")
			if w := standings[1]; w.Begun != 1 || w.Done != 1 || w.Missed != 1 {
				t.Errorf("one came and one did not: %+v", w)
			}
			if err != nil {
				return err
			}
			units, err := delivery.Participations(ctx, tx, "g")
			wantUnits := []delivery.Participation{{Unit: "u1", People: 2, Took: 1, Places: 3, Finished: 1}, {Unit: "u2", People: 1, Took: 0, Places: 1, Finished: 0}}
			if diff := cmp.Diff(wantUnits, units); diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return err
			}
			lines, err := delivery.Record(ctx, tx, p(0))
			if len(lines) != 2 || lines[0].Minutes != 10 || lines[0].Focused != 8*time.Minute || lines[1].Minutes != 180 {
				t.Errorf("training record %+v: 10 minutes completed with 8 focused, and 180 attended", lines)
			}
			return err
		})
	})
}

// No name stands anywhere but in the table of people, whatever happened.
func TestNamesStayInOrg(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 6)
		ctx := s.ctx()
		s.enrol(online(0), workshop(0, "s1", ""), workshop(1, "s1", ""), workshop(2, "s1", delivery.Waiting))
		s.complete(0, "page1", "page2", "quiz")
		s.visit(0, "page1", 5)
		s.do(func(tx *db.Tx) error { _, err := delivery.Answer(ctx, tx, p(0), "quiz", "i1", 1); return err })
		s.do(func(tx *db.Tx) error { _, err := delivery.Release(ctx, tx, []org.PersonID{p(1)}); return err })
		s.now = firstSession
		s.do(func(tx *db.Tx) error { return delivery.MarkAttendance(ctx, tx, "s1", []org.PersonID{p(0), p(2)}) })
		tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
		columns := `SELECT name FROM pragma_table_info($1)`
		if d.Engine == db.Postgres {
			tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
			columns = `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1`
		}
		s.do(func(tx *db.Tx) error {
			names, err := db.Rows(ctx, tx, db.One[string], tables)
			if err != nil {
				return err
			}
			if !slices.Contains(names, "statement") || s.d == nil {
				t.Errorf("tables %v", names)
			}
			found := map[string]bool{}
			for _, table := range names {
				cols, err := db.Rows(ctx, tx, db.One[string], columns, table)
				if err != nil {
					return err
				}
				for _, col := range cols {
					n, err := db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM "`+table+`" WHERE CAST("`+col+`" AS TEXT) LIKE $1`, "%"+theName+"%")
					if err != nil {
						return fmt.Errorf("%s.%s: %w", table, col, err)
					}
					if n > 0 {
						found[table+"."+col] = true
					}
				}
			}
			if diff := cmp.Diff(map[string]bool{"person.name": true}, found); diff != "" {
				t.Error("a name stands in: ", diff)
			}
			ids, err := db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM statement s JOIN person p ON s.actor = p.id OR s.actor = p.number`)
			if ids != 0 {
				t.Errorf("%d statements speak of a person by identifier or number", ids)
			}
			strangers, err2 := db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM statement s WHERE s.actor NOT IN (SELECT pseudonym FROM person)`)
			if strangers != 0 {
				t.Errorf("%d statements speak of nobody's pseudonym", strangers)
			}
			if err == nil {
				err = err2
			}
			return err
		})
	})
}
