package org_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"
)

// killEnv makes TestImportKilled, run as a program of its own, the import that
// is killed; it names the database.
const killEnv = "ATTUNE_TEST_KILL"

// An import that is killed when every row is written but not committed leaves
// nothing behind, and nothing in the way of the next.
func TestImportKilled(t *testing.T) {
	var text bytes.Buffer
	list(&text, 2000)
	if url := os.Getenv(killEnv); url != "" {
		d, err := db.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = org.ImportPeople(t.Context(), d, "f", text.Bytes(), org.ImportOptions{Then: func(_ context.Context, _ *db.Tx, r org.ImportResult) error {
			fmt.Println("written", r.Joined)
			select {} // until killed
		}})
		t.Fatal("not killed", err)
	}
	for _, tt := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return testdb.SQLite(t).Path }},
		{"postgres", func(t *testing.T) string { return testdb.PostgresURL(t) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.url(t)
			d, err := db.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImportKilled$")
			c.Env = append(os.Environ(), killEnv+"="+url)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil || line != "written 2000\n" {
				t.Errorf("the import said %q, %v", line, err)
			}
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			c.Wait() // says that it was killed
			if left := dump(t, d); len(left) != 0 {
				t.Errorf("%d rows were left behind, such as %s", len(left), left[0])
			}
			r, err := org.ImportPeople(t.Context(), d, "f", text.Bytes(), org.ImportOptions{Lang: locale.En})
			if err != nil || r.Joined != 2000 || !r.Written {
				t.Errorf("afterwards: %v %+v", err, r.ImportResult)
			}
		})
	}
}
