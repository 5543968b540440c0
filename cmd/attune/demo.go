package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"attune/internal/db"
	"attune/internal/demo"
	"attune/internal/locale"

	"golang.org/x/term"
)

type demoCmd struct {
	People int     `help:"How many people the sample company has." default:"1000"`
	Days   int     `help:"Training days of a programme." default:"3"`
	Hours  float64 `help:"Hours of a training day." default:"6"`
	Seed   uint64  `help:"Another seed is another company with the same names for things." default:"1"`
	Exit   bool    `help:"Do not serve the site afterwards."`
	JSON   bool    `name:"json" help:"Print one JSON object in place of the summary."`
	Listen string  `help:"Address to serve the site on." default:"127.0.0.1:8080" env:"ATTUNE_LISTEN"`
}

// Run builds the sample company in a database of its own, which is thrown away
// unless --db names one.
func (c *demoCmd) Run(ctx context.Context, app *cli) error {
	url := app.DB
	if url == "attune.db" { // the default belongs to the company, not to the sample
		dir, err := os.MkdirTemp("", "attune-demo")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		url = filepath.Join(dir, "demo.db")
	}
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Migrate(ctx); err != nil {
		return err
	}
	lang := terminalLang()
	bar := newProgress(lang, c.JSON)
	started := time.Now()
	out, err := demo.Run(ctx, d, demo.Options{
		People: c.People, Days: c.Days, Hours: c.Hours, Seed: c.Seed, Now: started, Progress: bar.step,
	})
	bar.end()
	if err != nil {
		return err
	}
	sum, err := demo.Summarise(ctx, d, out)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(sum); err != nil {
			return err
		}
	} else {
		fmt.Print(sum.Text(lang))
		fmt.Println(lang.T("demo.took", time.Since(started).Round(time.Second).String()))
	}
	if c.Exit {
		return nil
	}
	fmt.Println(lang.T("demo.signins", "http://"+c.Listen))
	for _, s := range demo.SignIns {
		fmt.Printf("  %-18s %-14s %s\n", lang.T("role."+string(s.Role)), s.Login, demo.Password)
	}
	// What two simulated cycles needed, in Go and in SQLite, is not needed to
	// serve: the site starts on a database opened anew.
	if err := d.Close(); err != nil {
		return err
	}
	if d, err = db.Open(ctx, url); err != nil {
		return err
	}
	defer d.Close()
	debug.FreeOSMemory()
	return serve(ctx, d, c.Listen, 2)
}

// progress is a bar on a terminal, and lines elsewhere.
type progress struct {
	lang  locale.Lang
	tty   bool
	quiet bool
}

func newProgress(lang locale.Lang, quiet bool) *progress {
	return &progress{lang, term.IsTerminal(int(os.Stderr.Fd())), quiet && !term.IsTerminal(int(os.Stderr.Fd()))}
}

func (p *progress) step(key string, done float64) {
	if p.quiet {
		return
	}
	if !p.tty {
		fmt.Fprintf(os.Stderr, "%3.0f%% %s\n", 100*done, p.lang.T(key))
		return
	}
	const width = 30
	n := int(done * width)
	fmt.Fprintf(os.Stderr, "\r\033[K%s%s %3.0f%% %s", strings.Repeat("█", n), strings.Repeat("░", width-n), 100*done, p.lang.T(key))
}

func (p *progress) end() {
	if p.tty && !p.quiet {
		fmt.Fprint(os.Stderr, "\r\033[K")
	}
}
