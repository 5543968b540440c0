package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/testdb"
)

func TestTransactions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		add := func(tx *db.Tx, key string) error {
			_, err := tx.Exec(ctx, `INSERT INTO throttle (key, failures, until) VALUES ($1, 0, $2)`, key, db.Millis(tx.Now))
			return err
		}
		count := func() (n int) {
			if err := d.Read(ctx, func(tx *db.Tx) (err error) {
				n, err = db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM throttle`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}

		broke := errors.New("broke")
		if err := d.Write(ctx, func(tx *db.Tx) error { add(tx, "a"); return broke }); !errors.Is(err, broke) {
			t.Fatalf("Write = %v, want the function's error", err)
		}
		if n := count(); n != 0 {
			t.Fatalf("%d rows after a rollback, want 0", n)
		}
		func() {
			defer func() { recover() }()
			d.Write(ctx, func(tx *db.Tx) error { add(tx, "a"); panic("broke") })
		}()
		if n := count(); n != 0 {
			t.Fatalf("%d rows after a panic, want 0", n)
		}
		cancelled, cancel := context.WithCancel(ctx)
		if err := d.Write(cancelled, func(tx *db.Tx) error { cancel(); return add(tx, "a") }); err != nil && count() != 0 {
			t.Fatalf("%d rows after a cancelled transaction failed", count())
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return add(tx, "b") }); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return add(tx, "b") }); fault.Of(err) != fault.Conflict {
			t.Errorf("the same key twice: %v, want a conflict", err)
		}
		if err := d.Read(ctx, func(tx *db.Tx) error { return add(tx, "c") }); err == nil {
			t.Error("a reading transaction wrote")
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			_, err := db.Row(ctx, tx, db.One[string], `SELECT key FROM throttle WHERE key = $1`, "?")
			return err
		})
		if fault.Of(err) != fault.NotFound {
			t.Errorf("no row: %v, want not found", err)
		}
	})
}

func TestManyRows(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const rows = 10_001
		var args []any
		for i := range rows {
			args = append(args, fmt.Sprint(i), i, int64(i))
		}
		if err := d.Write(ctx, func(tx *db.Tx) error {
			return tx.Many(ctx, "INSERT INTO throttle (key, failures, until)", 3, args, "ON CONFLICT DO NOTHING")
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Read(ctx, func(tx *db.Tx) error {
			sum, err := db.Row(ctx, tx, db.One[int], `SELECT sum(failures) FROM throttle`)
			if want := rows * (rows - 1) / 2; sum != want {
				t.Errorf("sum = %d, want %d", sum, want)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// Writers wait for each other and lose nothing.
func TestConcurrentWriters(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO throttle (key, failures, until) VALUES ('k', 0, 0)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 25 {
					if err := d.Write(ctx, func(tx *db.Tx) error {
						_, err := tx.Exec(ctx, `UPDATE throttle SET failures = failures + 1 WHERE key = 'k'`)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		d.Read(ctx, func(tx *db.Tx) error {
			got, err := db.Row(ctx, tx, db.One[int], `SELECT failures FROM throttle`)
			if got != 200 {
				t.Errorf("%d increments kept, want 200 (%v)", got, err)
			}
			return err
		})
	})
}

func TestTimesAndNulls(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		at := time.UnixMilli(1_700_000_000_123)
		if err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO job (id, kind, args, run_at, done_at) VALUES ('j', 'k', $1, $2, $3)`,
				db.JSON{V: []int{1, 2}}, db.Millis(at), db.Millis(time.Time{}))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		type row struct {
			args      []int
			run, done time.Time
			failure   string
		}
		var got row
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			got, err = db.Row(ctx, tx, func(s db.Scanner) (r row, err error) {
				return r, s.Scan(&db.JSON{V: &r.args}, (*db.Ms)(&r.run), (*db.Ms)(&r.done), db.Null(&r.failure))
			}, `SELECT args, run_at, done_at, error FROM job`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !got.run.Equal(at) || !got.done.IsZero() || len(got.args) != 2 || got.failure != "" {
			t.Errorf("got %+v", got)
		}
	})
}

// Facts cannot be changed, by any SQL.
func TestFactsAreNeverChanged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO statement (id, actor, verb, object, context, at, stored) VALUES ('s', 'p', 'answered', 'item/1', '', 1, 1)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{`UPDATE statement SET success = true`, `DELETE FROM statement`} {
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, q); return err }); err == nil {
				t.Errorf("%s was carried out", q)
			}
		}
	})
}

func TestMigrate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Migrate(ctx); err != nil {
			t.Errorf("migrating twice: %v", err)
		}
		for _, tt := range []struct {
			name string
			fs   fstest.MapFS
		}{
			{"an edited step", fstest.MapFS{"migrations/0001_ground.sql": {Data: []byte("CREATE TABLE x (y TEXT)")}}},
			{"a database from the future", fstest.MapFS{}},
		} {
			if err := db.MigrateFrom(d, ctx, tt.fs); err == nil {
				t.Errorf("%s was accepted", tt.name)
			}
		}
	})
}
