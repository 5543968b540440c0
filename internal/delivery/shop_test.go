package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"attune/internal/attention"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"
)

// shop is a small company with a programme under way: an online course of two
// pages and a quiz, and a workshop of two sessions that comes after it.
type shop struct {
	t   testing.TB
	d   *db.DB
	now time.Time
}

// firstSession is when s1 begins; s2 is a day later.
var firstSession = testdb.Start.AddDate(0, 0, 1).Add(time.Hour)

const theName = "诸葛亮" // everybody's; it may stand in person alone

func open(t testing.TB, d *db.DB, people int) *shop {
	t.Helper()
	s := &shop{t, d, testdb.Start}
	d.Clock = func() time.Time { s.now = s.now.Add(time.Millisecond); return s.now }
	ctx := t.Context()
	s.do(func(tx *db.Tx) error {
		if err := org.Found(ctx, tx, org.Company{Name: locale.Both("店", "Shop"), Alpha: 0.7, Beta: 0.3, AttentionDay: 45, Zone: time.UTC}); err != nil {
			return err
		}
		for _, q := range []string{
			`INSERT INTO unit (id, path, name, site) VALUES ('u', 'u', '{}', 1 = 1)`,
			`INSERT INTO unit (id, parent_id, path, name, site) VALUES ('u1', 'u', 'u/1', '{}', 1 = 1), ('u2', 'u', 'u/2', '{}', 1 = 1)`,
			`INSERT INTO position (id, name, created_at) VALUES ('o', '{}', 0)`,
			`INSERT INTO skill (id, name, about, kind, innovation) VALUES ('talk', '{}', '{}', 'skill', 1 = 0)`,
		} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		var args []any
		for i := range people {
			args = append(args, fmt.Sprintf("p%04d", i), fmt.Sprintf("%04d", i), fmt.Sprint("x", i), theName, "", fmt.Sprint("u", 1+i%2), "o", "zh-CN")
		}
		if err := tx.Many(ctx, `INSERT INTO person (id, number, pseudonym, name, email, unit_id, position_id, lang)`, 8, args, ""); err != nil {
			return err
		}
		for _, c := range []content.CourseID{"online", "workshop"} {
			if err := content.AddCourse(ctx, tx, content.Course{ID: c, Title: locale.Both("课 "+string(c), string(c))}); err != nil {
				return err
			}
		}
		options := []locale.Text{locale.Both("对", "Yes"), locale.Both("错", "No")}
		if err := content.AddItems(ctx, tx, []content.Item{{ID: "i1", Skill: "talk", Stem: locale.Both("问", "Q"), Options: options, Answer: 1}}); err != nil {
			return err
		}
		for _, a := range []content.Activity{
			{ID: "page1", Course: "online", Kind: content.Page, Method: content.ByReading, Minutes: 10},
			{ID: "page2", Course: "online", Kind: content.Page, Method: content.ByReading, Minutes: 15},
			{ID: "quiz", Course: "online", Kind: content.Quiz, Method: content.ByRetrieval, Minutes: 5, Spec: content.Spec{Items: []content.ItemID{"i1"}}},
			{ID: "meet", Course: "workshop", Kind: content.Workshop, Method: content.ByWorkshop, Minutes: 180},
		} {
			a.Title = locale.Both(string(a.ID), string(a.ID))
			if err := content.AddActivity(ctx, tx, a); err != nil {
				return err
			}
		}
		if err := delivery.Open(ctx, tx, delivery.Programme{ID: "g", Name: locale.Both("一", "One"), Days: 3, Hours: 6, Money: 1e5}); err != nil {
			return err
		}
		if err := delivery.AddOfferings(ctx, tx, []delivery.Offering{
			{ID: "of-online", Programme: "g", Course: "online", Due: testdb.Start.AddDate(0, 0, 14), Mandatory: true},
			{ID: "of-workshop", Programme: "g", Course: "workshop", Dated: true, Cost: 200, After: "of-online"},
		}); err != nil {
			return err
		}
		return delivery.AddSessions(ctx, tx, []delivery.Session{
			{ID: "s1", Offering: "of-workshop", StartsAt: firstSession, EndsAt: firstSession.Add(3 * time.Hour), Seats: 2, Room: "301", Trainer: "王"},
			{ID: "s2", Offering: "of-workshop", StartsAt: firstSession.AddDate(0, 0, 1), EndsAt: firstSession.AddDate(0, 0, 1).Add(3 * time.Hour), Seats: 2, Room: "302", Trainer: "王"},
		})
	})
	return s
}

func (s *shop) do(do func(*db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(s.t.Context(), do); err != nil {
		s.t.Fatal(err)
	}
}

// refused checks that do fails with the message.
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

func (s *shop) ctx() context.Context { return s.t.Context() }

func p(i int) org.PersonID { return org.PersonID(fmt.Sprintf("p%04d", i)) }

func online(i int) delivery.Enrolment {
	return delivery.Enrolment{Person: p(i), Offering: "of-online", Source: delivery.ByPlan}
}

func workshop(i int, session delivery.SessionID, status delivery.EnrolmentStatus) delivery.Enrolment {
	return delivery.Enrolment{Person: p(i), Offering: "of-workshop", Session: session, Status: status, Source: delivery.ByDraw}
}

func (s *shop) enrol(all ...delivery.Enrolment) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error { return delivery.Enrol(s.ctx(), tx, all) })
}

func (s *shop) place(i int, offering delivery.OfferingID) (e delivery.Enrolment) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		all, err := delivery.EnrolmentsOf(s.ctx(), tx, p(i))
		for _, x := range all {
			if x.Offering == offering {
				e = x
			}
		}
		return err
	})
	return e
}

func (s *shop) count(q record.Query) (n int) {
	s.t.Helper()
	s.do(func(tx *db.Tx) (err error) { n, err = record.Count(s.ctx(), tx, q); return err })
	return n
}

func (s *shop) complete(i int, activities ...content.ActivityID) {
	s.t.Helper()
	for _, a := range activities {
		s.do(func(tx *db.Tx) error { return delivery.Complete(s.ctx(), tx, p(i), a) })
	}
}

func (s *shop) visit(i int, a content.ActivityID, minutes int64) {
	s.t.Helper()
	s.do(func(tx *db.Tx) error {
		if err := attention.Consent(s.ctx(), tx, p(i)); err != nil {
			return err
		}
		_, err := attention.RecordVisit(s.ctx(), tx, p(i), org.Pseudonym(fmt.Sprint("x", i)), a, "programme/g", tx.Now.Add(-time.Duration(minutes)*time.Minute),
			time.Duration(minutes)*time.Minute, []attention.Segment{{0, minutes * 60_000}})
		return err
	})
}
