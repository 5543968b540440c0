package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"attune/internal/db"
	"attune/internal/testdb"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func TestMain(m *testing.M) {
	testscript.Main(whole{m}, helpers)
}

// helpers are programs that tests run by name.
var helpers = map[string]func(){"attune": main, "query": query}

// whole removes what the tests share, which testscript.Main leaves no room for.
type whole struct{ *testing.M }

func (w whole) Run() int {
	defer os.RemoveAll(shared())
	return w.M.Run()
}

// Each testdata/*.txt runs the program as a person would, in a folder of its own.
func TestScripts(t *testing.T) {
	all, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range all {
		if !strings.HasPrefix(filepath.Base(f), "postgres_") {
			files = append(files, f)
		}
	}
	runScripts(t, "", files)
}

// testdata/postgres_*.txt find an empty PostgreSQL schema at $POSTGRES.
func TestScriptsPostgres(t *testing.T) {
	files, err := filepath.Glob("testdata/postgres_*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		runScripts(t, testdb.PostgresURL(t), []string{f})
	}
}

func runScripts(t *testing.T, postgres string, files []string) {
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LC_ALL", "en_US.UTF-8")
			e.Setenv("ATTUNE_DB", filepath.Join(e.WorkDir, "attune.db"))
			e.Setenv("POSTGRES", postgres)
			nsw, err := os.ReadFile("../../internal/engine/effect/testdata/nsw.csv")
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "nsw.csv"), nsw, 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"encode": encode,
			"list":   list,
		},
	})
}

// encode CODE FROM TO writes a file of UTF-8 in another encoding.
func encode(ts *testscript.TestScript, _ bool, args []string) {
	e := map[string]encoding.Encoding{
		"gb18030":  simplifiedchinese.GB18030,
		"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	}[args[0]]
	out, err := e.NewEncoder().String(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(out), 0o644))
}

// list N FILE writes a good list of N employees.
func list(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), employees(n), 0o644))
}

func employees(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, "工号,姓名,部门,岗位,直属上级工号,入职日期,邮箱")
	for i := range n {
		boss := ""
		if i > 0 {
			boss = fmt.Sprintf("E%06d", (i-1)/12)
		}
		fmt.Fprintf(&b, "E%06d,员工%d,集团/大区%d/第%d店/客服%d组,客服专员%c,%s,2021-%02d-%02d,e%d@example.com\n",
			i, i, i%5, i%40, i%3, 'A'+rune(i%3), boss, 1+i%12, 1+i%28, i)
	}
	return b.Bytes()
}

// query SQL prints the rows of a query on $ATTUNE_DB, a line each.
func query() {
	err := func() error {
		ctx := context.Background()
		d, err := db.Open(ctx, os.Getenv("ATTUNE_DB"))
		if err != nil {
			return err
		}
		defer d.Close()
		return d.Read(ctx, func(t *db.Tx) error {
			rows, err := db.Rows(ctx, t, db.One[string], os.Args[1])
			if err == nil {
				_, err = io.WriteString(os.Stdout, strings.Join(rows, "\n")+"\n")
			}
			return err
		})
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
