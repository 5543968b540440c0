// Command attune is enterprise training that closes the loop: it finds what
// people need to learn, plans the training that gains most, delivers it, and
// shows what it changed and how sure that is.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the company's time zone must be known on any machine

	"attune/internal/db"
	"attune/internal/fault"

	"github.com/alecthomas/kong"
)

// cli is the command line, the environment and the help, in one place.
type cli struct {
	DB   string `help:"SQLite file, or postgres:// URL." default:"attune.db" env:"ATTUNE_DB" placeholder:"URL"`
	Lang string `help:"Language of messages (zh-CN, en); that of the terminal if not given." enum:"zh-CN,en," default:"" env:"ATTUNE_LANG"`

	Serve   serveCmd   `cmd:"" help:"Serve the site and run its jobs."`
	Demo    demoCmd    `cmd:"" help:"Build the sample company, live two training cycles with it, and serve its site."`
	Import  importCmd  `cmd:"" help:"Bring in lists from elsewhere."`
	Account accountCmd `cmd:"" help:"Manage sign-ins."`
	Migrate migrateCmd `cmd:"" help:"Bring the schema up to date, then exit."`
	Backup  backupCmd  `cmd:"" help:"Write everything to one file, while the site runs."`
	Restore restoreCmd `cmd:"" help:"Fill an empty database from a backup."`
	Lab     labCmd     `cmd:"" help:"Statistics and planning on your own files; no database needed."`
}

// open opens the database and brings its schema up to date.
func (c *cli) open(ctx context.Context) (*db.DB, error) {
	d, err := db.Open(ctx, c.DB)
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// exit is a status to end with after everything was already said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run is the whole program, and returns its exit status.
func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("attune"),
		kong.Description("Enterprise training that closes the loop."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&c))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "attune:", err)
		return 2
	}
	langAsked = c.Lang
	err = k.Run()
	var status exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	if e, ok := fault.As(err); ok {
		fmt.Fprintln(os.Stderr, "attune:", terminalLang().T(e.Key, e.Args...))
		if e.Err != nil {
			slog.Debug("cause", "err", e.Err)
		}
	} else {
		fmt.Fprintln(os.Stderr, "attune:", err)
	}
	return 1
}

type migrateCmd struct{}

// Run migrates.
func (*migrateCmd) Run(ctx context.Context, c *cli) error {
	d, err := c.open(ctx)
	if err != nil {
		return err
	}
	return d.Close()
}
