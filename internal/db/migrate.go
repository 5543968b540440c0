package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migration is one step of the schema, applied once and never changed after.
type migration struct {
	name string // such as "0001_org"
	sql  string
}

// steps returns the migrations for the engine, in order. NAME.sql serves both;
// where they must differ there is NAME.sqlite.sql and NAME.postgres.sql.
func steps(fsys fs.FS, e Engine) ([]migration, error) {
	files, err := fs.Glob(fsys, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".sql")
		if base, only, ok := strings.Cut(name, "."); ok {
			if only != string(e) {
				continue
			}
			name = base
		}
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{name, string(text)})
	}
	slices.SortFunc(all, func(a, b migration) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// Migrate brings the schema up to date. Each step is a transaction of its own;
// a step that was applied and has since been edited is an error, because two
// databases would then differ under one name.
func (d *DB) Migrate(ctx context.Context) error {
	return d.migrate(ctx, migrations)
}

func (d *DB) migrate(ctx context.Context, fsys fs.FS) error {
	all, err := steps(fsys, d.Engine)
	if err != nil {
		return err
	}
	return d.Write(ctx, func(t *Tx) error {
		if t.Engine == Postgres { // two nodes may start at once
			if _, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock(4177420)`); err != nil {
				return err
			}
		}
		if _, err := t.Exec(ctx, `CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, hash TEXT NOT NULL, at BIGINT NOT NULL)`); err != nil {
			return err
		}
		type done struct{ name, hash string }
		rows, err := Rows(ctx, t, func(s Scanner) (d done, err error) { return d, s.Scan(&d.name, &d.hash) }, `SELECT name, hash FROM migration`)
		if err != nil {
			return err
		}
		applied := map[string]string{}
		for _, r := range rows {
			applied[r.name] = r.hash
		}
		for _, m := range all {
			sum := sha256.Sum256([]byte(m.sql))
			hash := hex.EncodeToString(sum[:8])
			if was, ok := applied[m.name]; ok {
				if was != hash {
					return fmt.Errorf("db: migration %s was applied with another text", m.name)
				}
				delete(applied, m.name)
				continue
			}
			if err := t.script(ctx, m.sql); err != nil {
				return fmt.Errorf("db: migration %s: %w", m.name, err)
			}
			if _, err := t.Exec(ctx, `INSERT INTO migration (name, hash, at) VALUES ($1, $2, $3)`, m.name, hash, Millis(t.Now)); err != nil {
				return err
			}
		}
		for name := range applied {
			return fmt.Errorf("db: the database has migration %s, which this program does not know: it was made by a newer version", name)
		}
		return nil
	})
}

// script runs several statements at once.
func (t *Tx) script(ctx context.Context, text string) error {
	var err error
	if t.pg != nil {
		_, err = t.pg.ExecContext(ctx, text) // no arguments: the simple protocol takes many
	} else {
		_, err = t.s.conn.ExecContext(ctx, text)
	}
	return err
}
