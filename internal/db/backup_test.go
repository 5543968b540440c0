package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/testdb"
)

// A backup taken while others write holds one moment, and restores on either
// engine.
func TestBackupAndRestore(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		insert := func(i int) error {
			return d.Write(ctx, func(tx *db.Tx) error {
				// two rows that belong together
				for _, half := range []string{"a", "b"} {
					if _, err := tx.Exec(ctx, `INSERT INTO throttle (key, failures, until) VALUES ($1, $2, 7)`, fmt.Sprint(i, half), i); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := d.Write(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO unit (id, parent_id, path, name, site) VALUES ('child', 'root', 'r/c', '{}', true), ('root', NULL, 'r', '{}', false)`); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO blob (hash, type, size, bytes) VALUES ('h', 't', 3, $1)`, []byte{0, 255, 1}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO statement (id, actor, verb, object, context, success, score, at, stored) VALUES ('s', 'p', 'v', 'o', '', true, 0.1, 1, 2)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var writer sync.WaitGroup
		stop := make(chan struct{})
		writer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := insert(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
		path := filepath.Join(t.TempDir(), "backup.db")
		err := d.Backup(ctx, path)
		close(stop)
		writer.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Backup(ctx, path); fault.Of(err) != fault.Conflict {
			t.Errorf("an existing backup was overwritten: %v", err)
		}
		if err := d.Restore(ctx, path); fault.Of(err) != fault.Conflict {
			t.Errorf("restored over data: %v", err)
		}
		for _, to := range []func(testing.TB) *db.DB{testdb.SQLite, testdb.Postgres} {
			fresh := to(t)
			if err := fresh.Restore(ctx, path); err != nil {
				t.Fatal(err)
			}
			if err := fresh.Read(ctx, func(tx *db.Tx) error {
				odd, err := db.Row(ctx, tx, db.One[int], `SELECT count(*) FROM throttle`)
				if err != nil || odd%2 != 0 {
					t.Errorf("%d rows: half a transaction was kept (%v)", odd, err)
				}
				site, err := db.Row(ctx, tx, db.One[bool], `SELECT u.site FROM unit u JOIN unit r ON r.id = u.parent_id`)
				if err != nil || !site {
					t.Errorf("unit.site = %t, %v", site, err)
				}
				b, err := db.Row(ctx, tx, db.One[[]byte], `SELECT bytes FROM blob`)
				if err != nil || len(b) != 3 || b[1] != 255 {
					t.Errorf("bytes = %v, %v", b, err)
				}
				score, err := db.Row(ctx, tx, db.One[float64], `SELECT score FROM statement WHERE success`)
				if err != nil || score != 0.1 {
					t.Errorf("score = %v, %v", score, err)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRestoreRefusesOtherFiles(t *testing.T) {
	d := testdb.SQLite(t)
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("not a database, but long enough to be read as one by a careless program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Restore(t.Context(), path); err == nil {
		t.Error("a text file was restored")
	}
}
