package delivery

import (
	"context"
	"strconv"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
)

// Meeting is a session as a calendar shows it.
type Meeting struct {
	Session
	Programme ProgrammeID
	Course    content.CourseID
	Title     locale.Text
	Enrolled  int
	Waiting   int
	Away      int // people of the unit or the person asked about who are enrolled; 0 where neither was
}

// Whose says whose calendar is wanted; empty fields ask for everybody's.
type Whose struct {
	Programme ProgrammeID
	Person    org.PersonID // sessions they are enrolled in
	Unit      org.UnitID   // sessions people of the unit, or of one below it, are enrolled in
	Trainer   string
	Room      string
	Site      org.UnitID
}

// Calendar returns the sessions of a time, [from, to), that are not cancelled,
// in order.
func Calendar(ctx context.Context, t *db.Tx, whose Whose, from, to time.Time) ([]Meeting, error) {
	args := []any{db.Millis(from), db.Millis(to)}
	cond, away := "", "0"
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if whose.Programme != "" {
		cond += ` AND o.programme_id = ` + arg(whose.Programme)
	}
	if whose.Trainer != "" {
		cond += ` AND s.trainer = ` + arg(whose.Trainer)
	}
	if whose.Room != "" {
		cond += ` AND s.room = ` + arg(whose.Room)
	}
	if whose.Site != "" {
		cond += ` AND s.site_id = ` + arg(whose.Site)
	}
	count := `(SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND e.status = 'enrolled'`
	if whose.Person != "" {
		away = count + ` AND e.person_id = ` + arg(whose.Person) + `)`
		cond += ` AND ` + away + ` > 0`
	}
	if whose.Unit != "" {
		away = count + ` AND e.person_id IN (
			SELECT p.id FROM person p JOIN unit u ON u.id = p.unit_id JOIN unit top ON top.id = ` + arg(whose.Unit) + `
			WHERE u.id = top.id OR substr(u.path, 1, length(top.path) + 1) = top.path || '/'))`
		cond += ` AND ` + away + ` > 0`
	}
	return db.Rows(ctx, t, func(s db.Scanner) (m Meeting, err error) {
		return m, s.Scan(&m.ID, &m.Offering, (*db.Ms)(&m.StartsAt), (*db.Ms)(&m.EndsAt), &m.Seats, db.Null(&m.Site), &m.Room, &m.Trainer, (*db.Ms)(&m.CancelledAt),
			&m.Programme, &m.Course, &m.Title, &m.Enrolled, &m.Waiting, &m.Away)
	}, `SELECT `+sessionColumns+`, o.programme_id, c.id, c.title,
			`+count+`),
			(SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND e.status = 'waiting'),
			`+away+`
		FROM session s JOIN offering o ON o.id = s.offering_id JOIN course c ON c.id = o.course_id
		WHERE s.starts_at < $2 AND s.ends_at > $1 AND s.cancelled_at IS NULL`+cond+`
		ORDER BY s.starts_at, s.id`, args...)
}
