package delivery

import (
	"cmp"
	"context"
	"slices"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
)

// Due is something a person is expected to do: to come to a session, or to go
// on with a self-paced course.
type Due struct {
	Programme ProgrammeID
	Offering  OfferingID
	Course    content.CourseID
	Title     locale.Text
	Mandatory bool
	By        time.Time // deadline; zero: none
	Late      bool      // the deadline has passed
	After     OfferingID
	Blocked   bool // After is not done yet

	Session  SessionID // empty for a self-paced course
	StartsAt time.Time
	EndsAt   time.Time
	Room     string

	Done, Of int // activities of a self-paced course
	Minutes  int // what is left of it
	Next     content.ActivityID
	NextName locale.Text
	NextKind content.Kind
	NextTime int  // minutes of the next activity
	Begun    bool // the next activity was opened already
}

// Today returns what a person is expected to do, the most pressing first:
// sessions of the next day, what is late, what is mandatory and what is due, by
// date; then the other sessions and courses.
func Today(ctx context.Context, t *db.Tx, who org.PersonID) ([]Due, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (d Due, err error) {
		return d, s.Scan(&d.Programme, &d.Offering, &d.Course, &d.Title, &d.Mandatory, (*db.Ms)(&d.By), db.Null(&d.After), &d.Blocked,
			db.Null(&d.Session), (*db.Ms)(&d.StartsAt), (*db.Ms)(&d.EndsAt), db.Null(&d.Room))
	}, `SELECT o.programme_id, o.id, c.id, c.title, o.mandatory, o.due, o.after_id,
			o.after_id IS NOT NULL AND NOT EXISTS (
				SELECT 1 FROM enrolment b WHERE b.person_id = e.person_id AND b.offering_id = o.after_id AND (b.done_at IS NOT NULL OR b.status = 'exempt')),
			s.id, s.starts_at, s.ends_at, s.room
		FROM enrolment e
		JOIN offering o ON o.id = e.offering_id
		JOIN programme g ON g.id = o.programme_id
		JOIN course c ON c.id = o.course_id
		LEFT JOIN session s ON s.id = e.session_id
		WHERE e.person_id = $1 AND e.status = 'enrolled' AND e.done_at IS NULL AND g.stage <> 'closed'
		  AND (NOT o.dated OR s.ends_at > $2 AND s.cancelled_at IS NULL)`, who, db.Millis(t.Now))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	type step struct {
		offering OfferingID
		id       content.ActivityID
		name     locale.Text
		kind     content.Kind
		minutes  int
		opened   bool
		done     bool
	}
	steps, err := db.Rows(ctx, t, func(s db.Scanner) (x step, err error) {
		return x, s.Scan(&x.offering, &x.id, &x.name, &x.kind, &x.minutes, &x.opened, &x.done)
	}, `SELECT o.id, a.id, a.title, a.kind, a.minutes, p.version IS NOT NULL, coalesce(p.done_at >= e.at, 1 = 0)
		FROM enrolment e
		JOIN offering o ON o.id = e.offering_id
		JOIN activity a ON a.course_id = o.course_id
		LEFT JOIN progress p ON p.person_id = e.person_id AND p.activity_id = a.id
		WHERE e.person_id = $1 AND e.status = 'enrolled' AND e.done_at IS NULL AND NOT o.dated
		ORDER BY o.id, a.place, a.id`, who)
	if err != nil {
		return nil, err
	}
	at := map[OfferingID]int{}
	for i := range all {
		d := &all[i]
		d.Late = !d.By.IsZero() && t.Now.After(d.By)
		at[d.Offering] = i
	}
	for _, x := range steps {
		i, ok := at[x.offering]
		if !ok {
			continue
		}
		d := &all[i]
		d.Of++
		if x.done {
			d.Done++
			continue
		}
		d.Minutes += x.minutes
		if d.Next == "" {
			d.Next, d.NextName, d.NextKind, d.NextTime, d.Begun = x.id, x.name, x.kind, x.minutes, x.opened
		}
	}
	slices.SortFunc(all, func(a, b Due) int {
		return cmp.Or(cmp.Compare(a.press(t.Now), b.press(t.Now)), a.when().Compare(b.when()), cmp.Compare(a.Offering, b.Offering))
	})
	return all, nil
}

// press is the class of urgency, 0 being the most pressing.
func (d *Due) press(now time.Time) int {
	switch {
	case d.Session != "" && d.StartsAt.Before(now.Add(24*time.Hour)):
		return 0
	case d.Blocked:
		return 6
	case d.Late:
		return 1
	case d.Mandatory:
		return 2
	case d.Session == "" && !d.By.IsZero():
		return 3
	case d.Session != "":
		return 4
	}
	return 5
}

func (d *Due) when() time.Time {
	if d.Session != "" {
		return d.StartsAt
	}
	return d.By
}
