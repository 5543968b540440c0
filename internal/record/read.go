package record

import (
	"context"
	"strconv"
	"time"

	"attune/internal/db"
	"attune/internal/org"
)

// Page is which part of a long list is wanted: Limit statements after After,
// the last one of the page before. The zero Page is the first 100.
type Page struct {
	After StatementID
	Limit int // at most 1000
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 100
	}
	return min(p.Limit, 1000)
}

const columns = `id, actor, verb, object, context, success, score, duration, response, extra, at, stored`

func scan(r db.Scanner) (s Statement, err error) {
	var ms *int64
	if err = r.Scan(&s.ID, &s.Actor, &s.Verb, &s.Object, &s.Context, &s.Success, &s.Score, &ms, db.Null(&s.Response),
		&db.JSON{V: &s.Extra}, (*db.Ms)(&s.At), (*db.Ms)(&s.Stored)); err != nil {
		return s, err
	}
	if ms != nil {
		s.Duration = time.Duration(*ms) * time.Millisecond
	}
	return s, nil
}

// Find returns one statement.
func Find(ctx context.Context, t *db.Tx, id StatementID) (Statement, error) {
	return db.Row(ctx, t, scan, `SELECT `+columns+` FROM statement WHERE id = $1`, id)
}

// Query says which statements are wanted; an empty field asks for all.
type Query struct {
	Actor   org.Pseudonym
	Verb    Verb
	Object  string
	Context string
	Since   time.Time // at this time or after
	Until   time.Time // before this time
}

// where returns the condition and its arguments.
func (q Query) where() (cond string, args []any) {
	cond = "1 = 1"
	add := func(column, op string, v any) {
		args = append(args, v)
		cond += " AND " + column + " " + op + " $" + strconv.Itoa(len(args))
	}
	if q.Actor != "" {
		add("actor", "=", q.Actor)
	}
	if q.Verb != "" {
		add("verb", "=", q.Verb)
	}
	if q.Object != "" {
		add("object", "=", q.Object)
	}
	if q.Context != "" {
		// Said twice so that the engines may use the index, which leaves out the empty.
		cond += " AND context <> ''"
		add("context", "=", q.Context)
	}
	if !q.Since.IsZero() {
		add("at", ">=", db.Millis(q.Since))
	}
	if !q.Until.IsZero() {
		add("at", "<", db.Millis(q.Until))
	}
	return cond, args
}

// Select returns the statements a query asks for, latest first.
func Select(ctx context.Context, t *db.Tx, q Query, p Page) ([]Statement, error) {
	cond, args := q.where()
	if p.After != "" {
		args = append(args, p.After)
		cond += " AND (at, id) < (SELECT at, id FROM statement WHERE id = $" + strconv.Itoa(len(args)) + ")"
	}
	args = append(args, p.limit())
	return db.Rows(ctx, t, scan, `SELECT `+columns+` FROM statement WHERE `+cond+` ORDER BY at DESC, id DESC LIMIT $`+strconv.Itoa(len(args)), args...)
}

// Count returns how many statements a query asks for.
func Count(ctx context.Context, t *db.Tx, q Query) (int, error) {
	cond, args := q.where()
	return db.Row(ctx, t, db.One[int], `SELECT count(*) FROM statement WHERE `+cond, args...)
}

// Of returns what one person did, latest first.
func Of(ctx context.Context, t *db.Tx, who org.Pseudonym, p Page) ([]Statement, error) {
	return Select(ctx, t, Query{Actor: who}, p)
}

// InContext returns what happened within an attempt, a programme and the like,
// latest first.
func InContext(ctx context.Context, t *db.Tx, within string, p Page) ([]Statement, error) {
	return Select(ctx, t, Query{Context: within}, p)
}

// About returns what was done to an object, latest first.
func About(ctx context.Context, t *db.Tx, object string, p Page) ([]Statement, error) {
	return Select(ctx, t, Query{Object: object}, p)
}
