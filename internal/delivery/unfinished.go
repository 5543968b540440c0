package delivery

import (
	"context"
	"time"

	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
)

// Unfinished is a place that somebody has and has not finished.
type Unfinished struct {
	Person   org.PersonID
	Number   string
	Name     string
	Offering OfferingID
	Title    locale.Text // of the course
	Due      time.Time   // zero: none
	Done, Of int         // activities
}

// UnfinishedOf returns what the people who report to a manager directly have
// still to do in programmes that are not closed, what is due first.
func UnfinishedOf(ctx context.Context, t *db.Tx, manager org.PersonID) ([]Unfinished, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (u Unfinished, err error) {
		return u, s.Scan(&u.Person, &u.Number, &u.Name, &u.Offering, &u.Title, (*db.Ms)(&u.Due), &u.Done, &u.Of)
	}, `
		SELECT p.id, p.number, p.name, o.id, c.title, o.due, count(g.done_at), count(a.id)
		FROM person p
		JOIN enrolment e ON e.person_id = p.id AND e.status = 'enrolled' AND e.done_at IS NULL
		JOIN offering o ON o.id = e.offering_id
		JOIN programme m ON m.id = o.programme_id AND m.stage <> 'closed'
		JOIN course c ON c.id = o.course_id
		JOIN activity a ON a.course_id = c.id
		LEFT JOIN progress g ON g.person_id = p.id AND g.activity_id = a.id
		WHERE p.manager_id = $1 AND p.left_at IS NULL
		GROUP BY p.id, p.number, p.name, o.id, c.title, o.due
		ORDER BY coalesce(o.due, 9000000000000000), p.number, o.id
		LIMIT 200`, manager)
}
