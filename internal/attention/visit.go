package attention

import (
	"context"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
)

// VisitID names a visit.
type VisitID string

// Visit is one opening of an activity, until it was left.
type Visit struct {
	ID        VisitID
	Person    org.PersonID
	Activity  content.ActivityID
	StartedAt time.Time
	Open      time.Duration // from opening to leaving
	Focused   time.Duration // visible, focused and active
	Segments  []Segment
	Statement record.StatementID
}

// what names this use of data in the table of consents.
const what = "attention"

// Consent lets a person's visits be measured from now on.
func Consent(ctx context.Context, t *db.Tx, who org.PersonID) error {
	_, err := t.Exec(ctx, `
		INSERT INTO consent (person_id, what, given_at)
		SELECT $1, $2, $3
		WHERE NOT EXISTS (SELECT 1 FROM consent WHERE person_id = $1 AND what = $2 AND withdrawn_at IS NULL)`,
		who, what, db.Millis(t.Now))
	return err
}

// ConsentAll is Consent for many people at once.
func ConsentAll(ctx context.Context, t *db.Tx, people []org.PersonID) error {
	given, err := db.Rows(ctx, t, db.One[org.PersonID], `SELECT person_id FROM consent WHERE what = $1 AND withdrawn_at IS NULL`, what)
	if err != nil {
		return err
	}
	had := make(map[org.PersonID]bool, len(given))
	for _, p := range given {
		had[p] = true
	}
	var args []any
	for _, p := range people {
		if !had[p] {
			had[p] = true
			args = append(args, p, what, db.Millis(t.Now))
		}
	}
	return t.Many(ctx, `INSERT INTO consent (person_id, what, given_at)`, 3, args, "")
}

// Withdraw ends a person's consent. What was measured under it stays.
func Withdraw(ctx context.Context, t *db.Tx, who org.PersonID) error {
	_, err := t.Exec(ctx, `UPDATE consent SET withdrawn_at = $3 WHERE person_id = $1 AND what = $2 AND withdrawn_at IS NULL`,
		who, what, db.Millis(t.Now))
	return err
}

// Consented reports whether a person's visits may be measured.
func Consented(ctx context.Context, t *db.Tx, who org.PersonID) (bool, error) {
	n, err := db.Row(ctx, t, db.One[int], `SELECT count(*) FROM consent WHERE person_id = $1 AND what = $2 AND withdrawn_at IS NULL`, who, what)
	return n > 0, err
}

// RecordVisit writes a visit down, as one statement that carries its segments
// and a row to count from. within is what the visit was part of, such as
// "programme/…". Without the person's consent it is refused.
//
// A device whose clock runs ahead cannot have visits in the future: the visit
// is moved back so that it ends now.
func RecordVisit(ctx context.Context, t *db.Tx, who org.PersonID, as org.Pseudonym, activity content.ActivityID, within string, started time.Time, open time.Duration, segments []Segment) (Visit, error) {
	if open < 0 || started.IsZero() {
		return Visit{}, fault.New(fault.Invalid, "attention.visit.time")
	}
	ok, err := Consented(ctx, t, who)
	if err != nil {
		return Visit{}, err
	}
	if !ok {
		return Visit{}, fault.New(fault.Denied, "attention.no_consent")
	}
	open = min(open, MaxVisit)
	if started.Add(open).After(t.Now) {
		started = t.Now.Add(-open)
	}
	v := Visit{Person: who, Activity: activity, StartedAt: started, Open: open, Segments: Clean(segments, open)}
	v.Focused = Total(v.Segments)
	v.Statement, err = record.Append(ctx, t, record.Statement{
		Actor: as, Verb: record.Experienced, Object: "activity/" + string(activity), Context: within,
		Duration: v.Focused, At: started,
		Extra: map[string]any{"open": open.Milliseconds(), "segments": v.Segments},
	})
	if err != nil {
		return Visit{}, err
	}
	v.ID = VisitID(v.Statement) // one statement per visit, so one name for both
	_, err = t.Exec(ctx, `
		INSERT INTO visit (id, person_id, activity_id, started_at, open_ms, focused_ms, segments, statement_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.ID, who, activity, db.Millis(started), open.Milliseconds(), v.Focused.Milliseconds(), db.JSON{V: v.Segments}, v.Statement)
	return v, err
}

func scanVisit(s db.Scanner) (v Visit, err error) {
	var open, focused int64
	err = s.Scan(&v.ID, &v.Person, &v.Activity, (*db.Ms)(&v.StartedAt), &open, &focused, &db.JSON{V: &v.Segments}, &v.Statement)
	v.Open, v.Focused = time.Duration(open)*time.Millisecond, time.Duration(focused)*time.Millisecond
	return v, err
}

const visitColumns = `id, person_id, activity_id, started_at, open_ms, focused_ms, segments, statement_id`

// Visits returns a person's visits of a time, [from, to), in order.
func Visits(ctx context.Context, t *db.Tx, who org.PersonID, from, to time.Time) ([]Visit, error) {
	return db.Rows(ctx, t, scanVisit, `
		SELECT `+visitColumns+` FROM visit
		WHERE person_id = $1 AND started_at >= $2 AND started_at < $3 ORDER BY started_at, id`,
		who, db.Millis(from), db.Millis(to))
}

// Day is what a person's attention was asked for on one day, in minutes.
type Day struct {
	Spent  float64 // focused; two devices at once count once
	Budget float64 // what the company asks for at most
}

// Left returns the minutes of the budget that are left.
func (d Day) Left() float64 { return max(0, d.Budget-d.Spent) }

// Spent returns the focused minutes of a person on the day of at, in the
// company's time zone, beside the budget of a day.
func Spent(ctx context.Context, t *db.Tx, who org.PersonID, at time.Time) (Day, error) {
	c, err := org.FindCompany(ctx, t)
	if err != nil {
		return Day{}, err
	}
	y, m, d := at.In(c.Zone).Date()
	from := time.Date(y, m, d, 0, 0, 0, 0, c.Zone)
	to := time.Date(y, m, d+1, 0, 0, 0, 0, c.Zone)
	// A visit that began the evening before may reach into the day.
	visits, err := Visits(ctx, t, who, from.Add(-MaxVisit), to)
	if err != nil {
		return Day{}, err
	}
	var all []Segment
	for _, v := range visits {
		off := v.StartedAt.Sub(from).Milliseconds()
		for _, s := range v.Segments {
			all = append(all, Segment{off + s[0], off + s[1]})
		}
	}
	return Day{Spent: Total(Clean(all, to.Sub(from))).Minutes(), Budget: float64(c.AttentionDay)}, nil
}
