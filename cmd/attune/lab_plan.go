package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"attune/internal/engine/solve"
	"attune/internal/lab"
)

type labPlanCmd struct {
	Generate labPlanGenerateCmd `cmd:"" help:"Make an instance up; the same arguments give the same on every machine."`
	Solve    labPlanSolveCmd    `cmd:"" help:"Decide who attends what, with a bound that no plan can beat."`
	Check    labPlanCheckCmd    `cmd:"" help:"Verify a plan, its objective and its bound, by code that the solver does not share."`
}

type labPlanGenerateCmd struct {
	People    int    `required:"" help:"How many people." placeholder:"N"`
	Seed      uint64 `help:"Seed of what is drawn." default:"1"`
	Industry  string `help:"retail, finance, education or health." default:"retail"`
	Loose     bool   `help:"Seats, money and cover for nearly everyone, in place of about half."`
	Offerings int    `help:"Courses." default:"60"`
	Skills    int    `help:"The last is innovation." default:"8"`
	TeamSize  int    `help:"People per team." default:"25"`
	SiteSize  int    `help:"People per site." default:"1000"`
}

// Run writes the instance to standard output.
func (c *labPlanGenerateCmd) Run() error {
	return lab.GeneratePlan(os.Stdout, c.People, c.Seed, solve.GenerateOptions{
		Industry: c.Industry, Loose: c.Loose, Offerings: c.Offerings, Skills: c.Skills, TeamSize: c.TeamSize, SiteSize: c.SiteSize,
	})
}

type labPlanSolveCmd struct {
	File     string        `arg:"" help:"Instance, JSON; - for standard input."`
	Gap      float64       `help:"Stop at a gap to the bound below this: 0.005 is 0.5 %." default:"0.001"`
	Time     time.Duration `help:"Stop after this long; 0 for no limit." default:"0s"`
	Work     int64         `help:"Stop after so many units of work: with this in place of --time the plan depends on the seed alone, on any number of cores." default:"0"`
	Seed     uint64        `help:"Seed of the search." default:"1"`
	Workers  int           `help:"Cores to use; 0 for all." default:"0"`
	Out      string        `help:"Write the plan with its proof." placeholder:"FILE"`
	Progress bool          `help:"Say on standard error how far it has come."`
	JSON     bool          `name:"json" help:"Print one JSON object in place of tables."`
}

// Run solves. Without a limit of time or work it stops at the gap, or after a minute.
func (c *labPlanSolveCmd) Run(ctx context.Context) error {
	o := solve.Options{Gap: c.Gap, Time: c.Time, Work: c.Work, Seed: c.Seed, Workers: c.Workers}
	if o.Time == 0 && o.Work == 0 {
		o.Time = time.Minute
	}
	if c.Progress {
		lang := terminalLang()
		o.Progress = func(p solve.Progress) { fmt.Fprintln(os.Stderr, lab.PlanProgress(lang, p)) }
	}
	r, err := lab.SolvePlan(ctx, c.File, o, usage)
	r, err = keep(r, err, c.Out, (*lab.Solved).WritePlan)
	f := labFlags{JSON: c.JSON}
	if err := f.print(r, err); err != nil {
		return err
	}
	if r.Violations > 0 {
		return exit(1)
	}
	return nil
}

type labPlanCheckCmd struct {
	Instance string `arg:"" help:"Instance, JSON."`
	Plan     string `arg:"" help:"Plan, JSON."`
	JSON     bool   `name:"json" help:"Print one JSON object in place of tables."`
}

// Run checks, and fails if something speaks against the plan.
func (c *labPlanCheckCmd) Run() error {
	r, err := lab.CheckPlan(c.Instance, c.Plan)
	f := labFlags{JSON: c.JSON}
	if err := f.print(r, err); err != nil {
		return err
	}
	if !r.OK() {
		return exit(1)
	}
	return nil
}
