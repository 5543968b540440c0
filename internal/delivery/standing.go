package delivery

import (
	"context"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
)

// Standing is how far the people of an offering are.
type Standing struct {
	Offering OfferingID
	Course   content.CourseID
	Title    locale.Text
	Dated    bool
	Enrolled int
	Begun    int // of those enrolled: opened an activity, or came
	Done     int
	Missed   int // of those enrolled in a session: did not come
	Waiting  int
	Exempt   int
}

// Standings returns how far the people of each of a programme's offerings are.
func Standings(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Standing, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (x Standing, err error) {
		return x, s.Scan(&x.Offering, &x.Course, &x.Title, &x.Dated, &x.Enrolled, &x.Begun, &x.Done, &x.Missed, &x.Waiting, &x.Exempt)
	}, `SELECT o.id, c.id, c.title, o.dated, coalesce(n.enrolled, 0), coalesce(n.begun, 0), coalesce(n.done, 0), coalesce(m.missed, 0), coalesce(n.waiting, 0), coalesce(n.exempt, 0)
		FROM offering o
		JOIN course c ON c.id = o.course_id
		LEFT JOIN (
			SELECT e.offering_id,
				count(*) FILTER (WHERE e.status = 'enrolled') AS enrolled,
				count(e.begun_at) FILTER (WHERE e.status = 'enrolled') AS begun,
				count(e.done_at) FILTER (WHERE e.status = 'enrolled') AS done,
				count(*) FILTER (WHERE e.status = 'waiting') AS waiting,
				count(*) FILTER (WHERE e.status = 'exempt') AS exempt
			FROM enrolment e WHERE e.offering_id IN (SELECT id FROM offering WHERE programme_id = $1)
			GROUP BY e.offering_id
		) AS n ON n.offering_id = o.id
		LEFT JOIN (
			SELECT s.offering_id, count(*) AS missed
			FROM session s
			JOIN attendance a ON a.session_id = s.id AND a.status = 'absent'
			JOIN enrolment e ON e.person_id = a.person_id AND e.offering_id = s.offering_id AND e.session_id = s.id AND e.status = 'enrolled'
			WHERE s.offering_id IN (SELECT id FROM offering WHERE programme_id = $1)
			GROUP BY s.offering_id
		) AS m ON m.offering_id = o.id
		WHERE o.programme_id = $1 ORDER BY o.id`, programme)
}

// Participation is how far the people of a unit are in a programme.
type Participation struct {
	Unit     org.UnitID
	People   int // enrolled in anything of the programme
	Took     int // of them: opened an activity, or came to a session
	Places   int // enrolments
	Finished int // of them
}

// Participations returns how far the people of each unit are, 参训率 being
// Took/People and 完成率 Finished/Places.
func Participations(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Participation, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (p Participation, err error) {
		return p, s.Scan(&p.Unit, &p.People, &p.Took, &p.Places, &p.Finished)
	}, `SELECT p.unit_id, count(DISTINCT e.person_id), count(DISTINCT CASE WHEN e.begun_at IS NOT NULL THEN e.person_id END), count(*), count(e.done_at)
		FROM offering o
		JOIN enrolment e ON e.offering_id = o.id AND e.status = 'enrolled'
		JOIN person p ON p.id = e.person_id
		WHERE o.programme_id = $1
		GROUP BY p.unit_id ORDER BY p.unit_id`, programme)
}

// Entry is a line of a person's training record.
type Entry struct {
	Programme ProgrammeID
	Name      locale.Text // of the programme
	Offering  OfferingID
	Course    content.CourseID
	Title     locale.Text
	Dated     bool
	Status    EnrolmentStatus
	Reason    string
	At        time.Time
	DoneAt    time.Time
	Minutes   int           // learning time: of the session attended, or nominal of the activities completed
	Focused   time.Duration // measured focus on its activities; 0 where there was no consent
}

// Record returns the training record of a person, latest first, with the time
// that stands behind each line.
func Record(ctx context.Context, t *db.Tx, who org.PersonID) ([]Entry, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (e Entry, err error) {
		var ms int64
		err = s.Scan(&e.Programme, &e.Name, &e.Offering, &e.Course, &e.Title, &e.Dated, &e.Status, &e.Reason, (*db.Ms)(&e.At), (*db.Ms)(&e.DoneAt), &e.Minutes, &ms)
		e.Focused = time.Duration(ms) * time.Millisecond
		return e, err
	}, `SELECT o.programme_id, g.name, o.id, c.id, c.title, o.dated, e.status, e.reason, e.at, e.done_at,
			CASE WHEN o.dated
				THEN CASE WHEN e.done_at IS NULL THEN 0 ELSE coalesce((SELECT (s.ends_at - s.starts_at) / 60000 FROM session s WHERE s.id = e.session_id), 0) END
				ELSE coalesce((SELECT sum(a.minutes) FROM activity a JOIN progress p ON p.activity_id = a.id AND p.person_id = e.person_id
					WHERE a.course_id = c.id AND p.done_at >= e.at), 0) END,
			coalesce((SELECT CAST(sum(v.focused_ms) AS BIGINT) FROM activity a JOIN visit v ON v.activity_id = a.id AND v.person_id = e.person_id
				WHERE a.course_id = c.id AND v.started_at >= e.at), 0)
		FROM enrolment e
		JOIN offering o ON o.id = e.offering_id
		JOIN programme g ON g.id = o.programme_id
		JOIN course c ON c.id = o.course_id
		WHERE e.person_id = $1 ORDER BY e.at DESC, o.id`, who)
}
