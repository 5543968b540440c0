package delivery_test

import (
	"testing"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
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
