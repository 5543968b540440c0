package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/org"
	"attune/internal/testdb"
)

// BenchmarkComplete is an activity opened, saved and completed by a person.
func BenchmarkComplete(b *testing.B) {
	s := open(b, testdb.SQLite(b), 20_000)
	ctx := s.ctx()
	var all []delivery.Enrolment
	for i := range 20_000 {
		all = append(all, online(i))
	}
	s.enrol(all...)
	activities := []content.ActivityID{"page1", "page2", "quiz"}
	s.do(func(tx *db.Tx) error {
		i := 0
		for b.Loop() {
			who, a := p(i/3%20_000), activities[i%3]
			g, err := delivery.Launch(ctx, tx, who, a)
			if err != nil {
				return err
			}
			if g.DoneAt.IsZero() {
				if _, err := delivery.Save(ctx, tx, who, a, []byte(`{"at":3}`), g.Version); err != nil {
					return err
				}
			}
			if err := delivery.Complete(ctx, tx, who, a); err != nil {
				return err
			}
			i++
		}
		return nil
	})
	b.ReportMetric(3, "calls/op")
}

// BenchmarkMarkAttendance is one person marked on the sheet of a session of 20.
func BenchmarkMarkAttendance(b *testing.B) {
	const sessions, seats = 500, 20
	s := open(b, testdb.SQLite(b), sessions*seats)
	ctx := s.ctx()
	var dates []delivery.Session
	var all []delivery.Enrolment
	for i := range sessions {
		id := delivery.SessionID(fmt.Sprint("m", i))
		dates = append(dates, delivery.Session{ID: id, Offering: "of-workshop", StartsAt: testdb.Start, EndsAt: testdb.Start.Add(time.Hour), Seats: seats})
		for k := range seats {
			all = append(all, workshop(i*seats+k, id, ""))
		}
	}
	s.do(func(tx *db.Tx) error { return delivery.AddSessions(ctx, tx, dates) })
	for len(all) > 0 {
		s.enrol(all[:40]...)
		all = all[40:]
	}
	s.do(func(tx *db.Tx) error {
		i := 0
		for b.Loop() {
			n := i % (sessions * seats)
			mark := delivery.MarkAttendance
			if i/(sessions*seats)%2 == 1 {
				mark = delivery.MarkAbsent // so that each time there is something to write
			}
			if err := mark(ctx, tx, dates[n/seats].ID, []org.PersonID{p(n)}); err != nil {
				return err
			}
			i++
		}
		return nil
	})
}

// BenchmarkEnrol is one place given; a plan gives them by the thousand.
func BenchmarkEnrol(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := open(b, testdb.SQLite(b), 1000)
		var all []delivery.Enrolment
		for i := range 1000 {
			all = append(all, online(i))
		}
		b.StartTimer()
		s.enrol(all...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/place")
}

// BenchmarkStandings is the progress board of 20,000 people.
func BenchmarkStandings(b *testing.B) {
	s := open(b, testdb.SQLite(b), 20_000)
	var all []delivery.Enrolment
	for i := range 20_000 {
		all = append(all, online(i))
	}
	s.enrol(all...)
	for b.Loop() {
		s.do(func(tx *db.Tx) error { _, err := delivery.Standings(s.ctx(), tx, "g"); return err })
	}
}
