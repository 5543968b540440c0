package main

import (
	"context"
	"fmt"
	"os"

	"attune/internal/audit"
	"attune/internal/db"
	"attune/internal/fault"
)

type backupCmd struct {
	File string `arg:"" help:"File to write; it must not exist yet."`
}

// Run writes the backup.
func (b *backupCmd) Run(ctx context.Context, c *cli) error {
	if db.IsFile(c.DB) {
		if _, err := os.Stat(c.DB); err != nil {
			return fault.New(fault.NotFound, "backup.no_database", c.DB)
		}
	}
	d, err := db.Open(ctx, c.DB)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Backup(ctx, b.File); err != nil {
		return err
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return err
	}
	fmt.Println(terminalLang().T("backup.done", b.File, info.Size()>>10))
	return d.Write(ctx, func(t *db.Tx) error {
		return audit.Write(ctx, t, "command line", "backup", "file/"+b.File, map[string]int64{"bytes": info.Size()})
	})
}

type restoreCmd struct {
	File string `arg:"" help:"Backup to restore from." type:"existingfile"`
}

// Run restores into the database that --db names, which must be empty.
func (r *restoreCmd) Run(ctx context.Context, c *cli) error {
	d, err := db.Open(ctx, c.DB)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Restore(ctx, r.File); err != nil {
		return err
	}
	fmt.Println(terminalLang().T("restore.done", c.DB))
	return d.Write(ctx, func(t *db.Tx) error {
		return audit.Write(ctx, t, "command line", "restore", "file/"+r.File, nil)
	})
}
