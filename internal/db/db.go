// Package db keeps everything in SQLite or PostgreSQL behind one Tx.
//
// One SQL text serves both: placeholders are $1, $2 …; times are BIGINT
// milliseconds since 1970 in UTC; truth is BOOLEAN. What differs between the
// engines is a named method of Tx, so that it can be found.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	_ "modernc.org/sqlite"             // registers "sqlite"
)

// Engine is the kind of database.
type Engine string

const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database.
type DB struct {
	Engine Engine
	Path   string // the SQLite file; empty for PostgreSQL

	// Clock tells Tx.Now. It is time.Now unless a test or the sample company,
	// which lives through months in a minute, sets it before first use.
	Clock func() time.Time

	pool    *sql.DB
	write   *session   // SQLite's one writer
	writing sync.Mutex // held while write is in a transaction
	read    chan *session
	closing sync.Once
}

// Open opens the database that url names: a postgres:// URL, or the path of a
// SQLite file, which is created when absent.
func Open(ctx context.Context, url string) (*DB, error) {
	d := &DB{Clock: time.Now}
	var err error
	if !IsFile(url) {
		d.Engine = Postgres
		if d.pool, err = sql.Open("pgx", url); err != nil {
			return nil, err
		}
		d.pool.SetMaxOpenConns(16)
		d.pool.SetMaxIdleConns(8)
		if err := d.pool.PingContext(ctx); err != nil {
			return nil, fmt.Errorf("db: cannot reach PostgreSQL: %w", err)
		}
		return d, nil
	}
	d.Engine = SQLite
	if d.Path, err = filepath.Abs(url); err != nil {
		return nil, err
	}
	if d.pool, err = sql.Open("sqlite", sqliteURL(d.Path)); err != nil {
		return nil, err
	}
	readers := max(4, runtime.NumCPU())
	d.pool.SetMaxOpenConns(readers + 1)
	if d.write, err = newSession(ctx, d.pool); err != nil {
		return nil, fmt.Errorf("db: cannot open %s: %w", d.Path, err)
	}
	// The writer walks indexes in all places; readers have the system's cache.
	if err := d.write.exec(ctx, "PRAGMA cache_size = -16000"); err != nil {
		return nil, err
	}
	d.read = make(chan *session, readers)
	for range readers {
		d.read <- &session{pool: d.pool} // connects when first used
	}
	return d, nil
}

// IsFile reports whether a database URL names a SQLite file.
func IsFile(url string) bool {
	return !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://")
}

// sqliteURL sets what every connection needs. synchronous=FULL is the price of
// "nothing is acknowledged before it is durable": with WAL, NORMAL could lose
// the last transactions to a power cut.
func sqliteURL(path string) string {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-2000)", "temp_store(2)"} {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Close closes every connection, after transactions that still run have ended.
// Closing twice is closing once.
func (d *DB) Close() (err error) {
	d.closing.Do(func() {
		if d.write != nil {
			d.writing.Lock()
			defer d.writing.Unlock()
			d.write.close()
			for range cap(d.read) {
				(<-d.read).close()
			}
		}
		err = d.pool.Close()
	})
	return err
}

// session is a SQLite connection with its prepared statements. They are kept
// by us because database/sql throws a transaction's statements away at its
// end, and compiling costs more than running them.
type session struct {
	pool  *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newSession(ctx context.Context, pool *sql.DB) (*session, error) {
	s := &session{pool: pool}
	return s, s.connect(ctx)
}

func (s *session) connect(ctx context.Context) (err error) {
	if s.conn == nil {
		s.stmts = map[string]*sql.Stmt{}
		s.conn, err = s.pool.Conn(ctx)
	}
	return err
}

func (s *session) close() {
	if s.conn == nil {
		return
	}
	for _, st := range s.stmts {
		st.Close()
	}
	s.conn.Close()
	s.conn = nil
}

// maxStmts bounds the statements kept by one connection; bulk inserts of odd
// lengths would otherwise grow it for ever.
const maxStmts = 400

func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.stmts) >= maxStmts {
		for q, old := range s.stmts {
			old.Close()
			delete(s.stmts, q)
			break
		}
	}
	s.stmts[query] = st
	return st, nil
}

// Write runs do in a transaction that may write, and commits if it returns
// nil. On SQLite one writer runs at a time; others wait.
func (d *DB) Write(ctx context.Context, do func(*Tx) error) error {
	if d.Engine == Postgres {
		return d.postgres(ctx, nil, do)
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	return d.sqlite(ctx, d.write, "BEGIN IMMEDIATE", do)
}

// Read runs do in a transaction that sees one state of the database throughout
// and must not write.
func (d *DB) Read(ctx context.Context, do func(*Tx) error) error {
	if d.Engine == Postgres {
		return d.postgres(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, do)
	}
	var s *session
	select {
	case s = <-d.read:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.read <- s }()
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return err
		}
		if _, err := s.conn.ExecContext(ctx, "PRAGMA query_only = 1"); err != nil {
			return err
		}
	}
	return d.sqlite(ctx, s, "BEGIN", do)
}

func (d *DB) sqlite(ctx context.Context, s *session, begin string, do func(*Tx) error) (err error) {
	if err := s.exec(ctx, begin); err != nil {
		return explain(err)
	}
	defer func() {
		if p := recover(); p != nil {
			s.exec(context.WithoutCancel(ctx), "ROLLBACK")
			panic(p)
		}
	}()
	if err = do(&Tx{Engine: SQLite, Now: d.Clock(), s: s}); err == nil {
		if err = explain(s.exec(ctx, "COMMIT")); err == nil {
			return nil
		}
	}
	// The context may be the reason; the rollback must happen all the same.
	if rerr := s.exec(context.WithoutCancel(ctx), "ROLLBACK"); rerr != nil && !strings.Contains(rerr.Error(), "no transaction is active") {
		s.close() // a connection in an unknown state is thrown away
		if cerr := s.connect(context.WithoutCancel(ctx)); cerr != nil {
			return fmt.Errorf("%w (and reconnecting: %w)", err, cerr)
		}
	}
	return err
}

func (s *session) exec(ctx context.Context, query string) error {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx)
	return err
}

func (d *DB) postgres(ctx context.Context, opts *sql.TxOptions, do func(*Tx) error) error {
	tx, err := d.pool.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := do(&Tx{Engine: Postgres, Now: d.Clock(), pg: tx}); err != nil {
		return err
	}
	return explain(tx.Commit())
}
