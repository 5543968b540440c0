package delivery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
)

// Presence is how a person came to a session.
type Presence string

const (
	Present Presence = "present"
	Late    Presence = "late"
	Absent  Presence = "absent"
)

const (
	// CodeStep is how long a sign-in code is shown.
	CodeStep = 30 * time.Second
	// SignInEarly is how long before its start a session can be signed in to.
	SignInEarly = 30 * time.Minute
	// LateAfter is how long after the start a person counts as late.
	LateAfter = 10 * time.Minute
)

// code returns the sign-in code of a moment: six digits, the TOTP of RFC 6238
// with HMAC-SHA-256.
func code(secret string, at time.Time) string {
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(at.Unix())/uint64(CodeStep/time.Second))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(step[:])
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// Code returns the sign-in code that a session's trainer shows now, and until
// when.
func Code(ctx context.Context, t *db.Tx, session SessionID) (string, time.Time, error) {
	secret, err := db.Row(ctx, t, db.One[string], `SELECT secret FROM session WHERE id = $1`, session)
	return code(secret, t.Now), t.Now.Truncate(CodeStep).Add(CodeStep), err
}

// meeting is what recording a presence needs of a session.
type meeting struct {
	id           SessionID
	secret       string
	starts, ends time.Time
	cancelled    time.Time
	programme    ProgrammeID
	offering     OfferingID
}

func findMeeting(ctx context.Context, t *db.Tx, id SessionID) (meeting, error) {
	m, err := db.Row(ctx, t, func(s db.Scanner) (m meeting, err error) {
		return m, s.Scan(&m.secret, (*db.Ms)(&m.starts), (*db.Ms)(&m.ends), (*db.Ms)(&m.cancelled), &m.programme, &m.offering)
	}, `SELECT s.secret, s.starts_at, s.ends_at, s.cancelled_at, o.programme_id, s.offering_id
		FROM session s JOIN offering o ON o.id = s.offering_id WHERE s.id = $1`, id)
	m.id = id
	if err == nil && !m.cancelled.IsZero() {
		return m, fault.New(fault.Conflict, "delivery.session.cancelled")
	}
	return m, err
}

// on is a person on a session's list.
type on struct {
	person org.PersonID
	as     org.Pseudonym
	was    Presence // empty: not yet recorded
}

// expected returns the people enrolled in a session, or those of them named.
func expected(ctx context.Context, t *db.Tx, session SessionID, named []org.PersonID) (map[org.PersonID]on, error) {
	list := map[org.PersonID]on{}
	read := func(cond string, args ...any) error {
		rows, err := db.Rows(ctx, t, func(s db.Scanner) (o on, err error) {
			return o, s.Scan(&o.person, &o.as, db.Null(&o.was))
		}, `SELECT e.person_id, p.pseudonym, a.status
			FROM enrolment e JOIN person p ON p.id = e.person_id
			LEFT JOIN attendance a ON a.session_id = e.session_id AND a.person_id = e.person_id
			WHERE e.session_id = $1 AND e.status = 'enrolled'`+cond, append([]any{session}, args...)...)
		for _, r := range rows {
			list[r.person] = r
		}
		return err
	}
	if len(named) == 0 {
		return list, read("")
	}
	err := chunks(named, func(part []org.PersonID) error {
		marks, args := listed(2, part)
		return read(` AND e.person_id IN (`+marks+`)`, args...)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range named {
		if _, ok := list[p]; !ok {
			return nil, fault.New(fault.Denied, "delivery.attendance.not_enrolled")
		}
	}
	return list, nil
}

// SignIn records that a person came to a session, by the code shown there: the
// one of now, or its neighbour before or after, for whoever types slowly and
// for clocks that differ. Signing in twice is signing in once.
func SignIn(ctx context.Context, t *db.Tx, session SessionID, who org.PersonID, typed string) (Presence, error) {
	m, err := findMeeting(ctx, t, session)
	if err != nil {
		return "", err
	}
	if t.Now.Before(m.starts.Add(-SignInEarly)) || t.Now.After(m.ends) {
		return "", fault.New(fault.Conflict, "delivery.signin.closed")
	}
	ok := 0
	for _, step := range []time.Duration{-CodeStep, 0, CodeStep} {
		ok |= subtle.ConstantTimeCompare([]byte(typed), []byte(code(m.secret, t.Now.Add(step))))
	}
	if ok == 0 {
		return "", fault.New(fault.Invalid, "delivery.signin.code")
	}
	list, err := expected(ctx, t, session, []org.PersonID{who})
	if err != nil {
		return "", err
	}
	if was := list[who].was; was == Present || was == Late {
		return was, nil
	}
	how := Present
	if t.Now.After(m.starts.Add(LateAfter)) {
		how = Late
	}
	return how, attend(ctx, t, m, []on{list[who]}, how, "code", t.Now)
}

// MarkAttendance records from the sign-in sheet that people came.
func MarkAttendance(ctx context.Context, t *db.Tx, session SessionID, people []org.PersonID) error {
	return mark(ctx, t, session, people, Present)
}

// MarkLate records from the sign-in sheet that people came late.
func MarkLate(ctx context.Context, t *db.Tx, session SessionID, people []org.PersonID) error {
	return mark(ctx, t, session, people, Late)
}

// MarkAbsent records from the sign-in sheet that people did not come.
func MarkAbsent(ctx context.Context, t *db.Tx, session SessionID, people []org.PersonID) error {
	return mark(ctx, t, session, people, Absent)
}

// mark records how people came, where that is not what stands there already.
// A later sheet corrects an earlier one: both facts are kept, the later holds.
func mark(ctx context.Context, t *db.Tx, session SessionID, people []org.PersonID, how Presence) error {
	if len(people) == 0 {
		return nil
	}
	m, err := findMeeting(ctx, t, session)
	if err != nil {
		return err
	}
	if t.Now.Before(m.starts.Add(-SignInEarly)) {
		return fault.New(fault.Conflict, "delivery.signin.closed")
	}
	list, err := expected(ctx, t, session, people)
	if err != nil {
		return err
	}
	var news []on
	for _, p := range people {
		if o := list[p]; o.was != how {
			news = append(news, o)
			o.was = how
			list[p] = o
		}
	}
	return attend(ctx, t, m, news, how, "sheet", m.starts)
}

// CloseSheet records as absent everybody enrolled who has not come, once the
// session is over, and returns how many.
func CloseSheet(ctx context.Context, t *db.Tx, session SessionID) (int, error) {
	m, err := findMeeting(ctx, t, session)
	if err != nil {
		return 0, err
	}
	if t.Now.Before(m.ends) {
		return 0, fault.New(fault.Conflict, "delivery.session.not_over")
	}
	list, err := expected(ctx, t, session, nil)
	if err != nil {
		return 0, err
	}
	var missing []on
	for _, o := range list {
		if o.was == "" {
			missing = append(missing, o)
		}
	}
	return len(missing), attend(ctx, t, m, missing, Absent, "sheet", m.starts)
}

// attend writes presences with their statements. Who came has finished the
// offering.
func attend(ctx context.Context, t *db.Tx, m meeting, people []on, how Presence, by string, at time.Time) error {
	if len(people) == 0 {
		return nil
	}
	facts := make([]record.Statement, len(people))
	ids := make([]org.PersonID, len(people))
	for i, p := range people {
		ids[i] = p.person
		facts[i] = record.Statement{
			Actor: p.as, Verb: record.Attended, Object: "session/" + string(m.id), Context: "programme/" + string(m.programme),
			Duration: m.ends.Sub(m.starts), At: at, Extra: map[string]any{"by": by, "how": how},
		}
		if how == Absent {
			facts[i].Verb, facts[i].Duration = record.Missed, 0
		}
	}
	said, err := record.AppendAll(ctx, t, facts)
	if err != nil {
		return err
	}
	args := make([]any, 0, 6*len(people))
	for i, p := range people {
		args = append(args, m.id, p.person, how, by, said[i], db.Millis(at))
	}
	if err := t.Many(ctx, `INSERT INTO attendance (session_id, person_id, status, by, statement_id, at)`, 6, args, `
		ON CONFLICT (session_id, person_id) DO UPDATE SET status = excluded.status, by = excluded.by, statement_id = excluded.statement_id, at = excluded.at`); err != nil {
		return err
	}
	var done any
	if how != Absent {
		done = db.Millis(at)
	}
	return chunks(ids, func(part []org.PersonID) error {
		marks, args := listed(3, part)
		_, err := t.Exec(ctx, `UPDATE enrolment SET begun_at = $1, done_at = $1 WHERE offering_id = $2 AND person_id IN (`+marks+`)`,
			append([]any{done, m.offering}, args...)...)
		return err
	})
}

// Line is a person on a sign-in sheet.
type Line struct {
	Person   org.PersonID
	Number   string
	Name     string
	Unit     org.UnitID
	Presence Presence // empty: not yet recorded
	By       string   // code, sheet
	At       time.Time
}

// Sheet returns the sign-in sheet of a session, by employee number.
func Sheet(ctx context.Context, t *db.Tx, session SessionID) ([]Line, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (l Line, err error) {
		return l, s.Scan(&l.Person, &l.Number, &l.Name, &l.Unit, db.Null(&l.Presence), db.Null(&l.By), (*db.Ms)(&l.At))
	}, `SELECT p.id, p.number, p.name, p.unit_id, a.status, a.by, a.at
		FROM enrolment e JOIN person p ON p.id = e.person_id
		LEFT JOIN attendance a ON a.session_id = e.session_id AND a.person_id = e.person_id
		WHERE e.session_id = $1 AND e.status = 'enrolled' ORDER BY p.number`, session)
}

// Attendance is how one person came to one session.
type Attendance struct {
	Session   SessionID
	Person    org.PersonID
	Presence  Presence
	By        string // code, sheet
	Statement record.StatementID
	At        time.Time
}

// Attendances returns how people came to the sessions of a programme.
func Attendances(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Attendance, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (a Attendance, err error) {
		return a, s.Scan(&a.Session, &a.Person, &a.Presence, &a.By, &a.Statement, (*db.Ms)(&a.At))
	}, `SELECT a.session_id, a.person_id, a.status, a.by, a.statement_id, a.at
		FROM attendance a JOIN session s ON s.id = a.session_id JOIN offering o ON o.id = s.offering_id
		WHERE o.programme_id = $1 ORDER BY a.session_id, a.person_id`, programme)
}
