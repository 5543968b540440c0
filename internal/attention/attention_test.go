package attention_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"attune/internal/attention"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"
)

// at is a sample of so many seconds; the letters say visible, focused, active.
func at(seconds int64, state string) attention.Sample {
	s := attention.Sample{At: 1000 * seconds}
	for _, r := range state {
		s.Visible, s.Focused, s.Active = s.Visible || r == 'v', s.Focused || r == 'f', s.Active || r == 'a'
	}
	return s
}

// beats are samples every 15 s over [from, to].
func beats(from, to int64, state string) (all []attention.Sample) {
	for s := from; s <= to; s += 15 {
		all = append(all, at(s, state))
	}
	return all
}

func TestSegments(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples []attention.Sample
		want    float64 // focused seconds
	}{
		{"nothing", nil, 0},
		{"ten minutes at work", beats(0, 600, "vfa"), 600},
		{"hidden", beats(0, 600, "fa"), 0},
		{"another window", beats(0, 600, "va"), 0},
		{"never active", beats(0, 600, "vf"), 0},
		{"gone after a first touch", slices.Concat(beats(0, 0, "vfa"), beats(15, 600, "vf")), 90},
		{"a slow reader scrolls every minute", slices.Concat(beats(0, 0, "vfa"), beats(15, 45, "vf"), beats(60, 60, "vfa"), beats(75, 120, "vf")), 120},
		{"away in the middle", slices.Concat(beats(0, 60, "vfa"), beats(75, 120, ""), beats(135, 180, "vfa")), 75 + 45},
		{"the device sleeps for an hour", []attention.Sample{at(0, "vfa"), at(15, "vfa"), at(3615, "vfa"), at(3630, "vfa")}, 15 + 30 + 15},
		{"the clock is set back an hour", []attention.Sample{at(3600, "vfa"), at(3615, "vfa"), at(0, "vfa"), at(15, "vfa")}, 15 + 15},
		{"the clock is set back, and nobody is there", []attention.Sample{at(3600, "vfa"), at(0, "vf"), at(15, "vf")}, 0},
	} {
		got := attention.Total(attention.Clean(attention.Segments(tt.samples), 2*time.Hour)).Seconds()
		if got != tt.want {
			t.Errorf("%s: %v s focused, want %v", tt.name, got, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"overlaps and neighbours merge", "[[5 9] [0 3] [3 6]]", "[[0 9]]"},
		{"one within another", "[[0 5] [2 3] [7 8]]", "[[0 5] [7 8]]"},
		{"outside the visit", "[[-5 2] [8 99] [50 60]]", "[[0 2] [8 10]]"},
		{"empty and backwards", "[[4 4] [7 5]]", "[]"},
	} {
		var in []attention.Segment
		for _, f := range splitPairs(tt.in) {
			in = append(in, f)
		}
		if got := fmt.Sprint(attention.Clean(in, 10*time.Millisecond)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func splitPairs(s string) (all []attention.Segment) {
	var a, b int64
	for len(s) > 1 {
		if _, err := fmt.Sscanf(s[1:], "[%d %d]", &a, &b); err != nil {
			break
		}
		all = append(all, attention.Segment{a, b})
		for s = s[1:]; len(s) > 0 && s[0] != ']'; {
			s = s[1:]
		}
		s = s[1:]
	}
	return all
}

// seed makes a company, people and an activity of 20 minutes.
func seed(t testing.TB, d *db.DB, people int) {
	t.Helper()
	ctx := t.Context()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(ctx, func(tx *db.Tx) error {
		if err := org.Found(ctx, tx, org.Company{Name: locale.Both("店", "Shop"), Alpha: 0.7, Beta: 0.3, AttentionDay: 45, Zone: shanghai}); err != nil {
			return err
		}
		for _, q := range []string{
			`INSERT INTO unit (id, path, name, site) VALUES ('u', 'u', '{}', 1 = 1)`,
			`INSERT INTO position (id, name, created_at) VALUES ('o', '{}', 0)`,
		} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		for i := range people {
			if _, err := tx.Exec(ctx, `
				INSERT INTO person (id, number, pseudonym, name, email, unit_id, position_id, lang)
				VALUES ($1, $1, $2, '李雷', '', 'u', 'o', 'zh-CN')`, fmt.Sprint("p", i), fmt.Sprint("x", i)); err != nil {
				return err
			}
		}
		if err := content.AddCourse(ctx, tx, content.Course{ID: "c", Title: locale.Both("课", "C")}); err != nil {
			return err
		}
		return content.AddActivity(ctx, tx, content.Activity{ID: "a", Course: "c", Kind: content.Page, Method: content.ByReading, Title: locale.Both("读", "R"), Minutes: 20})
	}); err != nil {
		t.Fatal(err)
	}
}

func visit(t *testing.T, d *db.DB, who int, started time.Time, open time.Duration, segments ...attention.Segment) (v attention.Visit, err error) {
	t.Helper()
	err = d.Write(t.Context(), func(tx *db.Tx) error {
		v, err = attention.RecordVisit(t.Context(), tx, org.PersonID(fmt.Sprint("p", who)), org.Pseudonym(fmt.Sprint("x", who)), "a", "programme/g", started, open, segments)
		return err
	})
	return v, err
}

const minute = 60_000 // ms

func TestNoVisitWithoutConsent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d, 1)
		ctx := t.Context()
		past := testdb.Start.Add(-time.Hour)
		count := func() (n int) {
			if err := d.Read(ctx, func(tx *db.Tx) (err error) { n, err = record.Count(ctx, tx, record.Query{}); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if _, err := visit(t, d, 0, past, time.Minute); fault.Of(err) != fault.Denied || count() != 0 {
			t.Errorf("before consent: %v, %d statements", err, count())
		}
		for range 2 { // twice is once
			if err := d.Write(ctx, func(tx *db.Tx) error { return attention.Consent(ctx, tx, "p0") }); err != nil {
				t.Fatal(err)
			}
		}
		v, err := visit(t, d, 0, past, 10*time.Minute, attention.Segment{0, 4 * minute}, attention.Segment{3 * minute, 99 * minute})
		if err != nil || v.Focused != 10*time.Minute || count() != 1 {
			t.Errorf("under consent: %v focused, %v, %d statements; want 10 minutes and 1", v.Focused, err, count())
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return attention.Withdraw(ctx, tx, "p0") }); err != nil {
			t.Fatal(err)
		}
		if _, err := visit(t, d, 0, past, time.Minute); fault.Of(err) != fault.Denied || count() != 1 {
			t.Errorf("after withdrawing: %v, %d statements", err, count())
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return attention.ConsentAll(ctx, tx, []org.PersonID{"p0", "p0"}) }); err != nil {
			t.Errorf("giving it again: %v", err)
		}
	})
}

func TestVisitsOfADay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d, 2)
		ctx := t.Context()
		if err := d.Write(ctx, func(tx *db.Tx) error { return attention.ConsentAll(ctx, tx, []org.PersonID{"p0", "p1"}) }); err != nil {
			t.Fatal(err)
		}
		// The clock of the test begins at 17:00 of 2 March in Shanghai.
		midnight := time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)
		for _, v := range []struct {
			who     int
			started time.Time
			open    time.Duration
			s       attention.Segment
		}{
			{0, midnight.Add(-10 * time.Minute), 20 * time.Minute, attention.Segment{0, 20 * minute}}, // half of it the evening before
			{0, midnight.Add(9 * time.Hour), 15 * time.Minute, attention.Segment{0, 15 * minute}},
			{0, midnight.Add(9*time.Hour + 10*time.Minute), 15 * time.Minute, attention.Segment{0, 15 * minute}}, // on the phone beside it
			{1, midnight.Add(9 * time.Hour), 15 * time.Minute, attention.Segment{0, minute}},
		} {
			if _, err := visit(t, d, v.who, v.started, v.open, v.s); err != nil {
				t.Fatal(err)
			}
		}
		v, err := visit(t, d, 1, testdb.Start.AddDate(1, 0, 0), 5*time.Minute, attention.Segment{0, 5 * minute})
		if err != nil || v.StartedAt.After(testdb.Start) {
			t.Errorf("a clock a year ahead: began %v, %v", v.StartedAt, err)
		}
		if err := d.Read(ctx, func(tx *db.Tx) error {
			day, err := attention.Spent(ctx, tx, "p0", tx.Now)
			// 10 minutes after midnight, and from 9:00 to 9:25.
			if math.Abs(day.Spent-35) > 0.01 || day.Budget != 45 || math.Abs(day.Left()-10) > 0.01 {
				t.Errorf("day %+v, want 35 of 45 minutes", day)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhereAttentionEnds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d, 4)
		ctx := t.Context()
		if err := d.Write(ctx, func(tx *db.Tx) error {
			return attention.ConsentAll(ctx, tx, []org.PersonID{"p0", "p1", "p2", "p3"})
		}); err != nil {
			t.Fatal(err)
		}
		past := testdb.Start.Add(-24 * time.Hour)
		// Two read all 20 minutes, one of them in two visits; two stop at 10 but leave it open.
		for _, v := range []struct {
			who  int
			at   time.Duration
			open time.Duration
			s    attention.Segment
		}{
			{0, 0, 20 * time.Minute, attention.Segment{0, 20 * minute}},
			{1, 0, 10 * time.Minute, attention.Segment{0, 10 * minute}},
			{1, time.Hour, 10 * time.Minute, attention.Segment{0, 10 * minute}},
			{2, 0, 20 * time.Minute, attention.Segment{0, 10 * minute}},
			{3, 0, 20 * time.Minute, attention.Segment{0, 8 * minute}},
		} {
			if _, err := visit(t, d, v.who, past.Add(v.at), v.open, v.s); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Read(ctx, func(tx *db.Tx) error {
			held, err := attention.Held(ctx, tx)
			if err != nil {
				return err
			}
			if len(held) != 1 || held[0].People != 4 || held[0].Visits != 5 || math.Abs(held[0].Share()-58.0/80) > 1e-9 {
				t.Errorf("held %+v, want 58 of 80 minutes of 4 people", held)
			}
			drop, err := attention.DropOff(ctx, tx, "a", 10)
			if err != nil {
				return err
			}
			if got := fmt.Sprint(drop.Share); drop.People != 4 || got != "[1 1 1 1 0.75 0.5 0.5 0.5 0.5 0.5]" {
				t.Errorf("drop-off of %d people: %s", drop.People, got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestEnd(t *testing.T) {
	d := attention.Drop{Step: 2, Share: []float64{1, 0.9, 0.3, 0.8, 0.4, 0.1}}
	if got := d.End(); got != 8 {
		t.Errorf("attention ends at %v, want minute 8: it comes back after the first dip", got)
	}
}

func BenchmarkRecordVisit(b *testing.B) {
	d := testdb.SQLite(b)
	seed(b, d, 1000)
	ctx := b.Context()
	var people []org.PersonID
	for i := range 1000 {
		people = append(people, org.PersonID(fmt.Sprint("p", i)))
	}
	segments := []attention.Segment{{0, 5 * minute}, {6 * minute, 11 * minute}, {12 * minute, 19 * minute}}
	if err := d.Write(ctx, func(tx *db.Tx) error {
		if err := attention.ConsentAll(ctx, tx, people); err != nil {
			return err
		}
		i := 0
		for b.Loop() {
			if _, err := attention.RecordVisit(ctx, tx, people[i%1000], "x", "a", "programme/g", testdb.Start.Add(-time.Hour), 20*time.Minute, segments); err != nil {
				return err
			}
			i++
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
