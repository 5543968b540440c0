package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"attune/internal/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Tx is a transaction.
type Tx struct {
	Engine Engine
	Now    time.Time // when the transaction began; the only clock its functions read

	s  *session
	pg *sql.Tx
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if t.pg != nil {
		res, err = t.pg.ExecContext(ctx, query, args...)
	} else {
		var st *sql.Stmt
		if st, err = t.s.prepare(ctx, query); err == nil {
			res, err = st.ExecContext(ctx, args...)
		}
	}
	if err != nil {
		return 0, explain(err)
	}
	n, err := res.RowsAffected()
	return n, err
}

func (t *Tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.pg != nil {
		return t.pg.QueryContext(ctx, query, args...)
	}
	st, err := t.s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// maxParams is what both engines take in one statement (SQLite 32,766,
// PostgreSQL 65,535), rounded down so that one statement stays small.
const maxParams = 9000

// Many runs one INSERT for many rows, in as few statements as the engines
// allow. head ends before VALUES and tail follows the rows:
//
//	t.Many(ctx, "INSERT INTO a (x, y)", 2, args, "ON CONFLICT DO NOTHING")
//
// args holds the rows one after another, width values each.
func (t *Tx) Many(ctx context.Context, head string, width int, args []any, tail string) error {
	per := maxParams / width * width
	for len(args) > 0 {
		n := min(per, len(args))
		var q strings.Builder
		q.WriteString(head)
		q.WriteString(" VALUES ")
		for i := range n {
			switch {
			case i%width != 0:
				q.WriteString(", ")
			case i > 0:
				q.WriteString("), (")
			default:
				q.WriteString("(")
			}
			if t.pg == nil {
				q.WriteString("?") // the driver looks each $n up in a list, which takes n² for many
				continue
			}
			q.WriteString("$")
			q.WriteString(strconv.Itoa(i + 1))
		}
		q.WriteString(") ")
		q.WriteString(tail)
		if _, err := t.Exec(ctx, q.String(), args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// Scanner is a row being read.
type Scanner interface{ Scan(into ...any) error }

// Rows returns what scan makes of every row of the query.
func Rows[T any](ctx context.Context, t *Tx, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.query(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, explain(rows.Err())
}

// Row returns the first row of the query, or a NotFound fault.
func Row[T any](ctx context.Context, t *Tx, scan func(Scanner) (T, error), query string, args ...any) (T, error) {
	var zero T
	rows, err := t.query(ctx, query, args...)
	if err != nil {
		return zero, explain(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, explain(err)
		}
		return zero, explain(sql.ErrNoRows)
	}
	return scan(rows)
}

// One scans a single column, for Rows and Row.
func One[T any](s Scanner) (v T, err error) { return v, s.Scan(&v) }

// SkipLocked is the clause that lets several workers claim different rows. On
// SQLite there is only ever one writer, and so nothing to skip.
func (t *Tx) SkipLocked() string {
	if t.Engine == Postgres {
		return "FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// ForUpdate is the clause that locks the rows read until the transaction ends.
func (t *Tx) ForUpdate() string {
	if t.Engine == Postgres {
		return "FOR UPDATE"
	}
	return ""
}

// explain gives driver errors that a caller can act on their kind.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return &fault.Error{Kind: fault.NotFound, Key: "not_found", Err: err}
	}
	var unique, other bool // a constraint that failed
	var full bool          // the disk took no more
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		unique, other = e.Code() == 1555 || e.Code() == 2067, e.Code()&0xff == 19
		full = e.Code() == 13 || e.Code() == 778 // FULL; IOERR_WRITE, which is what a quota gives
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		unique, other = e.Code == "23505", strings.HasPrefix(e.Code, "23")
		full = e.Code == "53100"
	}
	switch {
	case full:
		return &fault.Error{Kind: fault.Internal, Key: "disk_full", Err: err}
	case unique:
		return &fault.Error{Kind: fault.Conflict, Key: "conflict", Err: err}
	case other:
		return &fault.Error{Kind: fault.Invalid, Key: "constraint", Err: err}
	}
	return err
}

// Millis is how a time is stored: milliseconds since 1970, NULL for the zero
// time.
func Millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// Ms scans what Millis stored: (*db.Ms)(&t).
type Ms time.Time

// Scan implements sql.Scanner.
func (m *Ms) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m = Ms{}
	case int64:
		*m = Ms(time.UnixMilli(v))
	default:
		return fmt.Errorf("db: cannot scan %T as a time", v)
	}
	return nil
}

// Null stores the empty string as NULL and reads NULL as empty, for optional
// references: db.Null(&id) to scan, db.OrNull(id) to store.
func Null[S ~string](into *S) sql.Scanner { return nullable[S]{into} }

type nullable[S ~string] struct{ into *S }

func (n nullable[S]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.into = ""
	case string:
		*n.into = S(v)
	case []byte:
		*n.into = S(v)
	default:
		return fmt.Errorf("db: cannot scan %T as text", v)
	}
	return nil
}

// OrNull is s, or NULL where it is empty.
func OrNull[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// JSON stores V as JSON text, and scans it: db.JSON{V: x}, &db.JSON{V: &x}.
type JSON struct{ V any }

// Value implements driver.Valuer.
func (j JSON) Value() (driver.Value, error) {
	b, err := json.Marshal(j.V)
	return string(b), err
}

// Scan implements sql.Scanner.
func (j *JSON) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), j.V)
	case []byte:
		return json.Unmarshal(v, j.V)
	}
	return fmt.Errorf("db: cannot scan %T as JSON", v)
}
