// Package record is the learning-record store: everything that happened, as
// immutable xAPI statements about pseudonyms.
//
// A fact is appended in the transaction that acknowledges it, so that nothing
// is acknowledged before it is durable. All else (ability, memory, attention,
// effect) is a projection that can be thrown away and rebuilt from here.
package record

import (
	"context"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"

	"github.com/google/uuid"
)

// StatementID names a statement: a UUIDv7, so that order of writing is kept.
type StatementID string

// Verb is the short name of an xAPI verb.
type Verb string

const (
	Answered    Verb = "answered"    // an item of a test, a survey
	Rated       Verb = "rated"       // a person's skill, by self or manager
	Registered  Verb = "registered"  // enrolled in an offering
	Attended    Verb = "attended"    // a session
	Missed      Verb = "missed"      // a session they were enrolled in
	Launched    Verb = "launched"    // opened an activity for the first time
	Experienced Verb = "experienced" // one visit to an activity; duration is focused time
	Completed   Verb = "completed"   // an activity, a test
	Started     Verb = "started"     // an attempt at a test
	Left        Verb = "left"        // an offering they were registered for
	Waived      Verb = "waived"      // an offering, which they need not take
)

// Statement is one thing that one person did.
type Statement struct {
	ID       StatementID
	Actor    org.Pseudonym
	Verb     Verb
	Object   string         // "kind/id", such as "item/…", "activity/…", "session/…"
	Context  string         // within what, such as "attempt/…", "programme/…"; may be empty
	Success  *bool          // nil where there is no right or wrong
	Score    *float64       // scaled, −1 to 1; nil where there is none
	Duration time.Duration  // 0: not stated
	Response string         // what they answered
	Extra    map[string]any // xAPI extensions; nil for none
	At       time.Time      // when it happened
	Stored   time.Time      // when it was written
}

// NewStatementID returns an identifier later than all before it.
func NewStatementID() (StatementID, error) {
	id, err := uuid.NewV7()
	return StatementID(id.String()), err
}

// Append writes one statement and returns its identifier. At is now unless
// stated.
func Append(ctx context.Context, t *db.Tx, s Statement) (StatementID, error) {
	args, err := row(t, &s)
	if err != nil {
		return "", err
	}
	_, err = t.Exec(ctx, insert+` VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, args...)
	return s.ID, err
}

// AppendAll is Append for many statements at once. It returns their
// identifiers in the order given.
func AppendAll(ctx context.Context, t *db.Tx, all []Statement) ([]StatementID, error) {
	ids := make([]StatementID, len(all))
	args := make([]any, 0, width*len(all))
	for i := range all {
		s := all[i]
		values, err := row(t, &s)
		if err != nil {
			return nil, err
		}
		ids[i], args = s.ID, append(args, values...)
	}
	return ids, t.Many(ctx, insert, width, args, "")
}

const (
	insert = `INSERT INTO statement (id, actor, verb, object, context, success, score, duration, response, extra, at, stored)`
	width  = 12
)

// row returns the columns of s, and fills in what it left to us.
func row(t *db.Tx, s *Statement) ([]any, error) {
	switch {
	case s.Actor == "" || s.Verb == "" || s.Object == "":
		return nil, fault.New(fault.Invalid, "record.incomplete")
	case s.Score != nil && !(*s.Score >= -1 && *s.Score <= 1):
		return nil, fault.New(fault.Invalid, "record.score")
	}
	if s.ID == "" {
		id, err := NewStatementID()
		if err != nil {
			return nil, err
		}
		s.ID = id
	}
	if s.At.IsZero() {
		s.At = t.Now
	}
	var extra, duration any
	if s.Extra != nil {
		extra = db.JSON{V: s.Extra}
	}
	if s.Duration > 0 {
		duration = s.Duration.Milliseconds()
	}
	return []any{s.ID, s.Actor, s.Verb, s.Object, s.Context, s.Success, s.Score, duration, db.OrNull(s.Response), extra,
		db.Millis(s.At), db.Millis(t.Now)}, nil
}
