package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"attune/internal/audit"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/locale"
	"attune/internal/org"

	"golang.org/x/text/width"
)

// importCmd brings in what a company keeps elsewhere.
type importCmd struct {
	People importPeopleCmd `cmd:"" help:"Import a list of employees from CSV or XLSX: number, name, unit, position, manager, dates."`
}

type importPeopleCmd struct {
	File     string `arg:"" help:"CSV or XLSX file, with Chinese or English headings; - for standard input."`
	DryRun   bool   `help:"Check the file and say what would change; write nothing."`
	JSON     bool   `name:"json" help:"Print one JSON object."`
	Complete bool   `help:"The file holds every employee: those who are not in it leave."`
}

// Run imports the file, or says everything that is wrong with it and fails.
func (c *importPeopleCmd) Run(ctx context.Context, app *cli) error {
	lang := terminalLang() // also of people of whom the file does not say
	data, err := readLimited(c.File)
	if err != nil {
		return err
	}
	d, err := app.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := org.ImportPeople(ctx, d, filepath.Base(c.File), data, org.ImportOptions{
		Lang: lang, Complete: c.Complete, DryRun: c.DryRun, Then: c.finish,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = printImportJSON(os.Stdout, r, lang)
	} else {
		err = printImport(os.Stdout, r, lang)
	}
	return cmp.Or(err, r.Failed())
}

// finish frees the seats of those who left and leaves a trace, in the
// transaction of the import; of a file that changed nothing there is none.
func (c *importPeopleCmd) finish(ctx context.Context, t *db.Tx, r org.ImportResult) error {
	if r.Joined+r.Changed+r.Left == 0 {
		return nil
	}
	if _, err := delivery.Release(ctx, t, r.Leavers); err != nil {
		return err
	}
	return audit.Write(ctx, t, "command line", "people.import", filepath.Base(c.File), r)
}

// readLimited reads a file or standard input, and not more than one byte past
// what an import takes.
func readLimited(path string) ([]byte, error) {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	return io.ReadAll(io.LimitReader(f, org.MaxImportBytes+1))
}

// langAsked is the language of --lang, set once the command line is read.
var langAsked string

// terminalLang is the language asked for, or that of the terminal.
func terminalLang() locale.Lang {
	for _, s := range []string{langAsked, os.Getenv("ATTUNE_LANG"), os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")} {
		switch {
		case strings.HasPrefix(s, "zh"):
			return locale.Zh
		case strings.HasPrefix(s, "en"):
			return locale.En
		}
	}
	return locale.Langs[0]
}

func printImportJSON(w io.Writer, r *org.ImportReport, lang locale.Lang) error {
	type faultJSON struct {
		Row     int    `json:"row"`
		Column  string `json:"column"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	out := struct {
		org.ImportResult
		Written bool        `json:"written"`
		Faults  []faultJSON `json:"faults"`
		Notes   []string    `json:"notes"`
	}{r.ImportResult, r.Written, []faultJSON{}, []string{}}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, faultJSON{f.Row, f.Column, f.Code, f.Message(lang)})
	}
	if r.Plan != nil {
		for _, n := range r.Plan.Notes {
			out.Notes = append(out.Notes, n.Message(lang))
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

func printImport(w io.Writer, r *org.ImportReport, lang locale.Lang) error {
	var b strings.Builder
	if len(r.Faults) > 0 {
		rows := [][]string{{lang.T("import.result.row"), lang.T("import.result.column"), lang.T("import.result.fault")}}
		for _, f := range r.Faults {
			row := ""
			if f.Row > 0 {
				row = strconv.Itoa(f.Row)
			}
			rows = append(rows, []string{row, f.Column, f.Message(lang)})
		}
		table(&b, rows)
		_, err := io.WriteString(w, b.String())
		return err
	}
	var rows [][]string
	for _, line := range []struct {
		key string
		n   int
	}{
		{"people", r.People}, {"joined", r.Joined}, {"changed", r.Changed}, {"moved", r.Moved}, {"left", r.Left},
		{"unchanged", r.Unchanged}, {"units", r.Units}, {"positions", r.Positions},
	} {
		rows = append(rows, []string{lang.T("import.result." + line.key), lang.Number(float64(line.n), 0)})
	}
	table(&b, rows)
	for _, n := range r.Plan.Notes {
		fmt.Fprintln(&b, n.Message(lang))
	}
	for _, p := range r.Plan.Positions {
		var titles []string
		for _, h := range p.Suggest {
			titles = append(titles, h.Occupation.Code+" "+h.Occupation.Name(string(lang)))
		}
		if len(titles) > 0 {
			fmt.Fprintln(&b, lang.T("import.result.suggest", p.Name.In(lang), lang.List(titles)))
		}
	}
	if r.Written {
		fmt.Fprintln(&b, lang.T("import.result.written"))
	} else {
		fmt.Fprintln(&b, lang.T("import.result.dry"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes rows with their columns aligned. A Chinese character takes two
// places of a terminal, which text/tabwriter does not know.
func table(b *strings.Builder, rows [][]string) {
	var wide []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], columnsOf(c))
		}
	}
	for _, row := range rows {
		for i, c := range row {
			b.WriteString(c)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", wide[i]-columnsOf(c)+2))
			}
		}
		b.WriteByte('\n')
	}
}

func columnsOf(s string) (n int) {
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
