package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"attune/internal/fault"
)

// Backup writes everything to one file, as it stood at one moment, while
// others go on reading and writing. The file is a SQLite database whichever
// engine this one has, so that a backup also moves a company from one to the
// other. It takes its name only once it is whole and on the disk; an existing
// file is not overwritten.
func (d *DB) Backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fault.New(fault.Conflict, "backup.exists", path)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := d.backup(ctx, part)
	if err == nil {
		err = syncFile(part)
	}
	if err == nil {
		err = os.Link(part, path) // unlike a rename, fails when the name was taken meanwhile
	}
	if rerr := os.Remove(part); err == nil && rerr != nil {
		err = rerr
	}
	if err == nil {
		err = syncFile(filepath.Dir(path))
	}
	return err
}

func (d *DB) backup(ctx context.Context, part string) error {
	if d.Engine == SQLite {
		conn, err := d.pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.ExecContext(ctx, `VACUUM INTO $1`, part)
		return err
	}
	to, err := Open(ctx, part)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := to.Migrate(ctx); err != nil {
		return err
	}
	if err := d.Read(ctx, func(from *Tx) error {
		return to.Write(ctx, func(t *Tx) error { return copyTables(ctx, from, t) })
	}); err != nil {
		return err
	}
	// One file is the backup: no log beside it.
	_, err = to.write.conn.ExecContext(ctx, `PRAGMA journal_mode = DELETE`)
	return err
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Restore fills an empty database from a backup. A backup of an older version
// is brought up to date on the way; the file itself is not touched.
func (d *DB) Restore(ctx context.Context, path string) error {
	dir, err := os.MkdirTemp("", "attune-restore")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	local := filepath.Join(dir, "backup.db")
	if err := copyFile(path, local); err != nil {
		return err
	}
	from, err := Open(ctx, local)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "restore.not_a_backup", path)
	}
	defer from.Close()
	if err := from.Read(ctx, func(t *Tx) error {
		check, err := Row(ctx, t, One[string], `PRAGMA integrity_check(1)`)
		if err == nil && check != "ok" {
			err = errors.New(check)
		}
		if err == nil {
			_, err = Row(ctx, t, One[int], `SELECT count(*) FROM migration`)
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "restore.not_a_backup", path)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := from.Migrate(ctx); err != nil {
		return err
	}
	if err := d.Migrate(ctx); err != nil {
		return err
	}
	return from.Read(ctx, func(f *Tx) error {
		return d.Write(ctx, func(t *Tx) error {
			names, err := tables(ctx, f)
			if err != nil {
				return err
			}
			for _, name := range names {
				n, err := Row(ctx, t, One[int], `SELECT count(*) FROM (SELECT 1 FROM "`+name+`" LIMIT 1) AS x`)
				if err != nil {
					return err
				}
				if n > 0 {
					return fault.New(fault.Conflict, "restore.not_empty")
				}
			}
			return copyTables(ctx, f, t)
		})
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// tables lists the tables in the order they were made, so that a row comes
// after those it refers to; what refers to its own table is checked at commit.
func tables(ctx context.Context, t *Tx) ([]string, error) {
	all, err := steps(migrations, SQLite)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range all {
		for line := range strings.Lines(m.sql) {
			if rest, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
				name, _, _ := strings.Cut(rest, " ")
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// copyTables copies every row of every table.
func copyTables(ctx context.Context, from, to *Tx) error {
	names, err := tables(ctx, from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := copyTable(ctx, from, to, name); err != nil {
			return fmt.Errorf("db: copying %s: %w", name, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from, to *Tx, name string) error {
	rows, err := from.query(ctx, `SELECT * FROM "`+name+`"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	width := len(types)
	columns := make([]string, width)
	for i, c := range types {
		columns[i] = c.Name()
	}
	head := `INSERT INTO "` + name + `" ("` + strings.Join(columns, `", "`) + `")`
	row, into := make([]any, width), make([]any, width)
	for i := range row {
		into[i] = &row[i]
	}
	var args []any
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range row {
			switch x := v.(type) {
			case []byte:
				v = append([]byte(nil), x...) // the driver's own memory
			case int64:
				if types[i].DatabaseTypeName() == "BOOLEAN" { // which SQLite has not, and PostgreSQL insists on
					v = x != 0
				}
			}
			args = append(args, v)
		}
		if len(args)+width > maxParams {
			if err := to.Many(ctx, head, width, args, ""); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return to.Many(ctx, head, width, args, "")
}
