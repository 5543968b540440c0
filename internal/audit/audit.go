// Package audit keeps who did what: an append-only log in which each row's
// hash covers the row before, so that a row taken out or changed shows.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"attune/internal/db"
)

// Entry is one thing that someone did.
type Entry struct {
	Seq     int64
	At      time.Time
	Actor   string // account, or "system", or "command line"
	Action  string // business verb, such as "plan.approve"
	Subject string // what it was done to, "kind/id"
	Detail  json.RawMessage
	Hash    string
}

// Write adds an entry in the transaction of what it tells, so that neither is
// there without the other. detail is kept as JSON and must hold no secret.
func Write(ctx context.Context, t *db.Tx, actor, action, subject string, detail any) error {
	if detail == nil {
		detail = struct{}{}
	}
	body, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	if t.Engine == db.Postgres { // writers take turns, or two would follow the same row
		if _, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock(4177421)`); err != nil {
			return err
		}
	}
	last, err := db.Rows(ctx, t, scan, `SELECT `+columns+` FROM audit ORDER BY seq DESC LIMIT 1`)
	if err != nil {
		return err
	}
	e := Entry{Seq: 1, At: t.Now, Actor: actor, Action: action, Subject: subject, Detail: body}
	before := ""
	if len(last) > 0 {
		e.Seq, before = last[0].Seq+1, last[0].Hash
	}
	_, err = t.Exec(ctx, `INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.Seq, db.Millis(e.At), e.Actor, e.Action, e.Subject, string(e.Detail), e.sum(before))
	return err
}

// sum is the hash of an entry after the one whose hash is before.
func (e *Entry) sum(before string) string {
	h := sha256.New()
	for _, part := range []string{before, fmt.Sprint(e.Seq, e.At.UnixMilli()), e.Actor, e.Action, e.Subject, string(e.Detail)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

const columns = `seq, at, actor, action, subject, detail, hash`

func scan(s db.Scanner) (e Entry, err error) {
	var detail string
	err = s.Scan(&e.Seq, (*db.Ms)(&e.At), &e.Actor, &e.Action, &e.Subject, &detail, &e.Hash)
	e.Detail = json.RawMessage(detail)
	return e, err
}

// Query says which entries are wanted; empty fields want all.
type Query struct {
	Text   string // in actor, action or subject
	Before int64  // only entries before this Seq; 0: from the latest
	Limit  int
}

// Search returns entries, the latest first.
func Search(ctx context.Context, t *db.Tx, q Query) ([]Entry, error) {
	if q.Limit <= 0 || q.Limit > 500 {
		q.Limit = 100
	}
	if q.Before <= 0 {
		q.Before = 1 << 62
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q.Text)) + "%"
	return db.Rows(ctx, t, scan, `
		SELECT `+columns+` FROM audit
		WHERE seq < $1 AND (lower(actor) LIKE $2 ESCAPE '\' OR lower(action) LIKE $2 ESCAPE '\' OR lower(subject) LIKE $2 ESCAPE '\')
		ORDER BY seq DESC LIMIT $3`, q.Before, like, q.Limit)
}

// Verify walks the whole chain and returns the first entry that does not
// follow from the one before, or 0 when all do.
func Verify(ctx context.Context, t *db.Tx) (int64, error) {
	all, err := db.Rows(ctx, t, scan, `SELECT `+columns+` FROM audit ORDER BY seq`)
	if err != nil {
		return 0, err
	}
	before := ""
	for i, e := range all {
		if e.Seq != int64(i+1) || e.sum(before) != e.Hash {
			return int64(i + 1), nil
		}
		before = e.Hash
	}
	return 0, nil
}
