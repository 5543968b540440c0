package delivery

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
)

// MaxState is how many bytes the player may keep of an activity.
const MaxState = 256 << 10

// Progress is where a person is in an activity: what the player resumes from.
type Progress struct {
	Person    org.PersonID
	Activity  content.ActivityID
	State     json.RawMessage // by kind of activity; {} at first
	Version   int64           // raised at each save
	StartedAt time.Time
	SavedAt   time.Time
	DoneAt    time.Time // zero until completed
}

// way is by which enrolment a person comes to an activity.
type way struct {
	offering  OfferingID
	programme ProgrammeID
	course    content.CourseID
	dated     bool
	since     time.Time // when they enrolled
	free      bool      // what must come before is done, or nothing must
	as        org.Pseudonym
	doneAt    time.Time // of the activity; zero: not, or never opened
	version   int64     // of the progress; 0: never opened
}

// findWay returns the newest enrolment by which a person may open an activity,
// or a Denied fault.
func findWay(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID) (way, error) {
	ways, err := db.Rows(ctx, t, func(s db.Scanner) (w way, err error) {
		var version *int64
		err = s.Scan(&w.offering, &w.programme, &w.course, &w.dated, (*db.Ms)(&w.since), &w.free, &w.as, (*db.Ms)(&w.doneAt), &version)
		if version != nil {
			w.version = *version
		}
		return w, err
	}, `SELECT o.id, o.programme_id, o.course_id, o.dated, e.at,
			o.after_id IS NULL OR EXISTS (
				SELECT 1 FROM enrolment b WHERE b.person_id = e.person_id AND b.offering_id = o.after_id AND (b.done_at IS NOT NULL OR b.status = 'exempt')),
			p.pseudonym, g.done_at, g.version
		FROM activity a
		JOIN offering o ON o.course_id = a.course_id
		JOIN enrolment e ON e.offering_id = o.id AND e.person_id = $1 AND e.status = 'enrolled'
		JOIN person p ON p.id = e.person_id
		LEFT JOIN progress g ON g.person_id = e.person_id AND g.activity_id = a.id
		WHERE a.id = $2 ORDER BY e.at DESC, o.id LIMIT 1`, who, activity)
	switch {
	case err != nil:
		return way{}, err
	case len(ways) == 0:
		return way{}, fault.New(fault.Denied, "delivery.not_enrolled")
	case !ways[0].free:
		return way{}, fault.New(fault.Denied, "delivery.after_first")
	}
	return ways[0], nil
}

// fresh reports whether the person has yet to open the activity under this
// enrolment: never did, or finished it in an earlier cycle and takes it again.
func (w *way) fresh() bool {
	return w.version == 0 || !w.doneAt.IsZero() && w.doneAt.Before(w.since)
}

// Launch opens an activity for a person, and returns where they left it.
func Launch(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID) (Progress, error) {
	w, err := findWay(ctx, t, who, activity)
	if err != nil {
		return Progress{}, err
	}
	if !w.fresh() {
		return At(ctx, t, who, activity)
	}
	return begin(ctx, t, who, activity, w)
}

// begin starts an activity from its beginning.
func begin(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID, w way) (Progress, error) {
	p := Progress{Person: who, Activity: activity, State: json.RawMessage("{}"), Version: w.version + 1, StartedAt: t.Now, SavedAt: t.Now}
	if _, err := t.Exec(ctx, `
		INSERT INTO progress (person_id, activity_id, state, version, started_at, saved_at) VALUES ($1, $2, '{}', $3, $4, $4)
		ON CONFLICT (person_id, activity_id) DO UPDATE SET state = '{}', version = excluded.version, started_at = excluded.started_at, saved_at = excluded.saved_at, done_at = NULL`,
		who, activity, p.Version, db.Millis(t.Now)); err != nil {
		return Progress{}, err
	}
	if _, err := t.Exec(ctx, `UPDATE enrolment SET begun_at = $3 WHERE person_id = $1 AND offering_id = $2 AND begun_at IS NULL`,
		who, w.offering, db.Millis(t.Now)); err != nil {
		return Progress{}, err
	}
	_, err := record.Append(ctx, t, record.Statement{
		Actor: w.as, Verb: record.Launched, Object: "activity/" + string(activity), Context: "programme/" + string(w.programme),
	})
	return p, err
}

const progressColumns = `g.person_id, g.activity_id, g.state, g.version, g.started_at, g.saved_at, g.done_at`

func scanProgress(s db.Scanner) (p Progress, err error) {
	var state string
	err = s.Scan(&p.Person, &p.Activity, &state, &p.Version, (*db.Ms)(&p.StartedAt), (*db.Ms)(&p.SavedAt), (*db.Ms)(&p.DoneAt))
	p.State = json.RawMessage(state)
	return p, err
}

// At returns where a person is in an activity, or a NotFound fault before they
// opened it.
func At(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID) (Progress, error) {
	return db.Row(ctx, t, scanProgress, `SELECT `+progressColumns+` FROM progress g WHERE g.person_id = $1 AND g.activity_id = $2`, who, activity)
}

// ProgressOf returns where a person is in every activity of a course that they
// opened, in the course's order.
func ProgressOf(ctx context.Context, t *db.Tx, who org.PersonID, course content.CourseID) ([]Progress, error) {
	return db.Rows(ctx, t, scanProgress, `
		SELECT `+progressColumns+` FROM progress g JOIN activity a ON a.id = g.activity_id
		WHERE g.person_id = $1 AND a.course_id = $2 ORDER BY a.place, a.id`, who, course)
}

// Save keeps the player's state, which is JSON, if nobody saved since version
// was read, and returns the new version. A stale save is a Conflict fault: the
// person went on in another tab or on another device, and the player must load
// that first. A save that was kept but whose answer was lost may be sent again.
func Save(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID, state json.RawMessage, version int64) (int64, error) {
	if len(state) > MaxState || !json.Valid(state) {
		return 0, fault.New(fault.Invalid, "delivery.save.state")
	}
	n, err := t.Exec(ctx, `UPDATE progress SET state = $3, version = version + 1, saved_at = $5 WHERE person_id = $1 AND activity_id = $2 AND version = $4`,
		who, activity, string(state), version, db.Millis(t.Now))
	if err != nil || n == 1 {
		return version + 1, err
	}
	now, err := At(ctx, t, who, activity)
	if err != nil {
		return 0, err
	}
	if now.Version == version+1 && string(now.State) == string(state) {
		return now.Version, nil
	}
	return 0, fault.New(fault.Conflict, "delivery.save.stale")
}

// Complete records that a person finished an activity, and with the last one
// of a self-paced course that they finished the course. Completing twice is
// completing once.
func Complete(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID) error {
	return complete(ctx, t, who, activity, nil)
}

// CompleteScored is Complete with a score in [0, 1], of a quiz or a scene.
func CompleteScored(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID, score float64) error {
	return complete(ctx, t, who, activity, &score)
}

func complete(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID, score *float64) error {
	w, err := findWay(ctx, t, who, activity)
	if err != nil {
		return err
	}
	if w.fresh() {
		if _, err := begin(ctx, t, who, activity, w); err != nil {
			return err
		}
	} else if !w.doneAt.IsZero() {
		return nil
	}
	if _, err := t.Exec(ctx, `UPDATE progress SET done_at = $3 WHERE person_id = $1 AND activity_id = $2`, who, activity, db.Millis(t.Now)); err != nil {
		return err
	}
	within := "programme/" + string(w.programme)
	if _, err := record.Append(ctx, t, record.Statement{
		Actor: w.as, Verb: record.Completed, Object: "activity/" + string(activity), Context: within, Score: score,
	}); err != nil {
		return err
	}
	if w.dated {
		return nil // its session, attended, is what finishes it
	}
	n, err := t.Exec(ctx, `
		UPDATE enrolment SET done_at = $3
		WHERE person_id = $1 AND offering_id = $2 AND done_at IS NULL AND NOT EXISTS (
			SELECT 1 FROM activity a
			LEFT JOIN progress g ON g.person_id = $1 AND g.activity_id = a.id AND g.done_at >= enrolment.at
			WHERE a.course_id = $4 AND g.activity_id IS NULL)`,
		who, w.offering, db.Millis(t.Now), w.course)
	if err != nil || n == 0 {
		return err
	}
	_, err = record.Append(ctx, t, record.Statement{
		Actor: w.as, Verb: record.Completed, Object: "course/" + string(w.course), Context: within,
	})
	return err
}

// Feedback is what a person is told after answering an item of a quiz.
type Feedback struct {
	Correct bool
	Answer  int // index of the right option
}

// Answer records a person's answer to an item of a quiz within a course. Such
// answers are practice: they are evidence, but no test rests on them.
func Answer(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID, item content.ItemID, choice int) (Feedback, error) {
	w, err := findWay(ctx, t, who, activity)
	if err != nil {
		return Feedback{}, err
	}
	spec, err := db.Row(ctx, t, func(s db.Scanner) (spec content.Spec, err error) { return spec, s.Scan(&db.JSON{V: &spec}) },
		`SELECT spec FROM activity WHERE id = $1`, activity)
	if err != nil {
		return Feedback{}, err
	}
	if !slices.Contains(spec.Items, item) {
		return Feedback{}, fault.New(fault.NotFound, "not_found")
	}
	items, err := content.FindItems(ctx, t, item)
	if err != nil {
		return Feedback{}, err
	}
	if len(items) == 0 || choice < 0 || choice >= len(items[0].Options) {
		return Feedback{}, fault.New(fault.Invalid, "delivery.answer.choice")
	}
	f := Feedback{Correct: choice == items[0].Answer, Answer: items[0].Answer}
	_, err = record.Append(ctx, t, record.Statement{
		Actor: w.as, Verb: record.Answered, Object: "item/" + string(item), Context: "activity/" + string(activity),
		Success: &f.Correct, Response: string(rune('A' + choice)),
	})
	return f, err
}
