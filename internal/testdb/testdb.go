// Package testdb gives every test a database of its own, on both engines.
package testdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/internal/db"
)

// PostgresEnv names the variable with the URL of a PostgreSQL server on which
// tests may create schemas. scripts/postgres starts one.
const PostgresEnv = "ATTUNE_TEST_POSTGRES"

// Missing skips a test that needs something this machine lacks. Under make
// test, which installs everything, the lack is a failure.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("ATTUNE_TEST_ALL") != "" {
		t.Fatalf("%s is missing, and this run must not skip", what)
	}
	t.Skipf("%s is missing", what)
}

// Long skips a test that takes long, unless ATTUNE_LONG is set.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv("ATTUNE_LONG") == "" {
		t.Skip("takes long: runs under make test-long")
	}
}

// Each runs do with an empty, migrated database on SQLite and on PostgreSQL.
func Each(t *testing.T, do func(t *testing.T, d *db.DB)) {
	t.Run("sqlite", func(t *testing.T) { do(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { do(t, Postgres(t)) })
}

// Start is when the clock of a test database begins: a Monday.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// clock is a time that moves one millisecond at each reading, so that the
// order of events is known.
func clock() func() time.Time {
	var mu sync.Mutex
	at := Start
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Millisecond)
		return at
	}
}

var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "attune-testdb")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "t.db")
	d, err := db.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(context.Background()); err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil { // the last one out folds the WAL into the file
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLite returns an empty, migrated SQLite database.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	b, err := template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// Postgres returns an empty, migrated schema of the server PostgresEnv names.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	d := open(t, PostgresURL(t))
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// PostgresURL returns the URL of an empty schema, dropped when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresEnv)
	if server == "" {
		Missing(t, "a PostgreSQL server ("+PostgresEnv+")")
	}
	pool, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "t_" + strings.ToLower(rand.Text())
	if _, err := pool.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pool.Exec("DROP SCHEMA " + schema + " CASCADE")
		pool.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	d.Clock = clock()
	t.Cleanup(func() { d.Close() })
	return d
}
