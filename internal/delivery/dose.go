package delivery

import (
	"context"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/org"
)

// Dose is how long a person attended to an activity of a programme.
type Dose struct {
	Person   org.PersonID
	Activity content.ActivityID
	Hours    float64 // focused
}

// Doses returns what everybody took of a programme's activities that are done
// alone: the focused time of their visits since they were enrolled. What is
// done in sessions is in Attendances.
func Doses(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Dose, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (d Dose, err error) {
		return d, s.Scan(&d.Person, &d.Activity, &d.Hours)
	}, `
		SELECT v.person_id, v.activity_id, sum(v.focused_ms) / 3600000.0
		FROM visit v
		JOIN person p ON p.id = v.person_id
		JOIN activity a ON a.id = v.activity_id
		JOIN offering o ON o.course_id = a.course_id AND o.programme_id = $1
		JOIN enrolment e ON e.offering_id = o.id AND e.person_id = v.person_id AND e.at <= v.started_at
		WHERE v.focused_ms > 0
		GROUP BY p.number, v.person_id, v.activity_id
		ORDER BY p.number, v.activity_id`, programme)
}
