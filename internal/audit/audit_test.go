package audit

import (
	"fmt"
	"testing"

	"attune/internal/db"
	"attune/internal/testdb"
)

func TestChain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for i := range 5 {
			if err := d.Write(ctx, func(tx *db.Tx) error {
				return Write(ctx, tx, "a", fmt.Sprintf("thing.%d", i), "x/1", map[string]int{"n": i})
			}); err != nil {
				t.Fatal(err)
			}
		}
		d.Read(ctx, func(tx *db.Tx) error {
			if bad, err := Verify(ctx, tx); bad != 0 || err != nil {
				t.Errorf("Verify = %d, %v", bad, err)
			}
			found, err := Search(ctx, tx, Query{Text: "THING.3"})
			if err != nil || len(found) != 1 || found[0].Seq != 4 {
				t.Errorf("Search = %+v, %v", found, err)
			}
			if found, _ := Search(ctx, tx, Query{Text: "%"}); len(found) != 0 {
				t.Errorf("a percent sign was taken as a pattern: %d found", len(found))
			}
			return nil
		})
		// Somebody with the database's own tools takes the guard off and edits.
		for _, q := range map[db.Engine][]string{
			db.SQLite:   {`DROP TRIGGER audit_no_update`, `UPDATE audit SET actor = 'b' WHERE seq = 3`},
			db.Postgres: {`DROP TRIGGER audit_immutable ON audit`, `UPDATE audit SET actor = 'b' WHERE seq = 3`},
		}[d.Engine] {
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, q); return err }); err != nil {
				t.Fatal(err)
			}
		}
		d.Read(ctx, func(tx *db.Tx) error {
			if bad, _ := Verify(ctx, tx); bad != 3 {
				t.Errorf("Verify after the edit = %d, want 3", bad)
			}
			return nil
		})
	})
}
