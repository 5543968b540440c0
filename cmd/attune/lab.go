package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"attune/internal/engine/effect"
	"attune/internal/engine/irt"
	"attune/internal/engine/memory"
	"attune/internal/engine/trace"
	"attune/internal/lab"
)

// labCmd puts the engines to anybody's files; none of it needs a database.
type labCmd struct {
	IRT     labIRTCmd     `cmd:"" name:"irt" help:"Item response theory: calibrate items, score people, simulate adaptive tests, estimate gains."`
	Memory  labMemoryCmd  `cmd:"" help:"Spaced repetition (FSRS-6): schedule reviews, fit and evaluate a model of forgetting."`
	Trace   labTraceCmd   `cmd:"" help:"Knowledge tracing: foretell the next answer from those so far."`
	Effect  labEffectCmd  `cmd:"" help:"Effects: what a treatment changed, and how sure that is."`
	Mediate labMediateCmd `cmd:"" help:"A path model: what of an effect passes through which mediators."`
	Risk    labRiskCmd    `cmd:"" help:"Who will drop out or fail."`
	Plan    labPlanCmd    `cmd:"" help:"The planner: who attends what and when, with a proof of how good that is."`
	Text    labTextCmd    `cmd:"" help:"Texts in Chinese and English: classify them, find them."`
}

// labFlags are those of every command that reads tables.
type labFlags struct {
	JSON    bool `name:"json" help:"Print one JSON object in place of tables."`
	SkipBad bool `help:"Leave bad rows out; without this they are listed and the command fails."`
}

// print shows r in the terminal's language, or as JSON. Bad rows and warnings
// follow on standard error, but for JSON, which holds them.
func (f *labFlags) print(r lab.Result, err error) error {
	lang := terminalLang()
	var bad lab.BadRows
	if errors.As(err, &bad) {
		if f.JSON {
			if err := lab.WriteJSON(os.Stdout, lang, map[string]any{"bad_rows": bad}); err != nil {
				return err
			}
		}
		printBadRows(os.Stderr, bad)
		fmt.Fprintln(os.Stderr, "attune:", lang.T("lab.bad.fails", len(bad)))
		return exit(1)
	}
	if err != nil {
		return lab.Explain(err)
	}
	if f.JSON {
		return lab.WriteJSON(os.Stdout, lang, r)
	}
	var b strings.Builder
	for _, s := range r.Sections(lang) {
		if len(s.Rows) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if s.Title != "" {
			b.WriteString(s.Title + "\n")
		}
		rows := s.Rows
		if s.Head != nil {
			rows = append([][]string{s.Head}, rows...)
		}
		table(&b, rows)
	}
	warnings, left := r.Remarks()
	for _, w := range warnings {
		fmt.Fprintln(&b, "! "+lab.Say(lang, w))
	}
	if _, err := io.WriteString(os.Stdout, b.String()); err != nil {
		return err
	}
	if len(left) > 0 {
		printBadRows(os.Stderr, left)
		fmt.Fprintln(os.Stderr, "attune:", lang.T("lab.bad.skipped", len(left)))
	}
	return nil
}

func printBadRows(w io.Writer, bad lab.BadRows) {
	lang := terminalLang()
	rows := [][]string{{lang.T("lab.head.file"), lang.T("lab.head.line"), lang.T("lab.head.column"), lang.T("lab.head.fault")}}
	for _, r := range bad {
		rows = append(rows, []string{r.File, strconv.Itoa(r.Line), r.Column, r.Message(lang)})
	}
	var b strings.Builder
	table(&b, rows)
	io.WriteString(w, b.String())
}

// keep writes a result to the file asked for, if any.
func keep[R any](r R, err error, path string, write func(R, string) error) (R, error) {
	if err == nil && path != "" {
		err = write(r, path)
	}
	return r, err
}

type labIRTCmd struct {
	Fit   labIRTFitCmd   `cmd:"" help:"Calibrate the items of a table of answers: a row per person, a column per item, empty where not shown."`
	Score labIRTScoreCmd `cmd:"" help:"Estimate abilities (EAP) of people who answered items of a bank."`
	Cat   labIRTCatCmd   `cmd:"" help:"Simulate adaptive tests from a bank for people of known abilities."`
	Gain  labIRTGainCmd  `cmd:"" help:"Estimate what people gained between two tests, under the joint model of both."`
}

// labResponses say how a table of answers is read.
type labResponses struct {
	labFlags
	ID    string   `name:"id" help:"Column that names people; told by its heading if not given." placeholder:"COLUMN"`
	Items []string `help:"Columns that are items; all others if not given." placeholder:"COLUMNS"`
}

type labIRTFitCmd struct {
	File string `arg:"" help:"CSV of answers: 0 and 1, or categories 0, 1, 2, …"`
	labResponses
	Model   string `help:"rasch, 1pl, 2pl, 3pl or gpcm." enum:"rasch,1pl,2pl,3pl,gpcm" default:"2pl"`
	Group   string `help:"Column of the person's group; two groups are tested for DIF." placeholder:"COLUMN"`
	Count   string `help:"Column that says how many people answered so." placeholder:"COLUMN"`
	DIF     bool   `name:"dif" help:"Test for differential functioning between two groups." default:"true" negatable:""`
	Anchors string `help:"Bank whose items keep their parameters." placeholder:"FILE"`
	Shrink  bool   `help:"Draw items towards their mean, for small samples (empirical Bayes)."`
	Out     string `help:"Write the items as a bank." placeholder:"FILE"`
	Scores  string `help:"Write each person's ability." placeholder:"FILE"`
}

// Run calibrates.
func (c *labIRTFitCmd) Run() error {
	r, err := lab.FitIRT(c.File, lab.IRTFitOptions{
		ResponseOptions: lab.ResponseOptions{ID: c.ID, Items: c.Items, Group: c.Group, Count: c.Count, SkipBad: c.SkipBad},
		Model:           irt.Model(c.Model), NoDIF: !c.DIF, Anchors: c.Anchors, Shrink: c.Shrink,
	}, c.Scores != "")
	r, err = keep(r, err, c.Out, (*lab.IRTFit).WriteBank)
	r, err = keep(r, err, c.Scores, (*lab.IRTFit).WriteScores)
	return c.print(r, err)
}

type labIRTScoreCmd struct {
	File string `arg:"" help:"CSV of answers."`
	labResponses
	Bank string  `required:"" help:"CSV of items: item, a, b, and perhaps c." placeholder:"FILE"`
	Mean float64 `help:"Mean of the population's ability, logits." default:"0"`
	SD   float64 `name:"sd" help:"Its standard deviation." default:"1"`
	Out  string  `help:"Write the scores as CSV." placeholder:"FILE"`
}

// Run scores.
func (c *labIRTScoreCmd) Run() error {
	r, err := lab.ScoreIRT(c.File, c.Bank, lab.ResponseOptions{ID: c.ID, Items: c.Items, SkipBad: c.SkipBad}, irt.Normal{Mean: c.Mean, SD: c.SD})
	r, err = keep(r, err, c.Out, (*lab.IRTScores).Write)
	return c.print(r, err)
}

type labIRTCatCmd struct {
	labFlags
	Bank   string             `required:"" help:"CSV of items: item, a, b, and perhaps c and area." placeholder:"FILE"`
	Theta  string             `required:"" help:"CSV with a column theta: the abilities to simulate, logits." placeholder:"FILE"`
	SE     float64            `name:"se" help:"Stop below this standard error, logits." default:"0.4"`
	Min    int                `help:"Items at least." default:"0"`
	Max    int                `help:"Items at most; 0 for the whole bank." default:"0"`
	Best   int                `help:"Exposure control: draw from that many most informative items." default:"1"`
	Shares map[string]float64 `help:"Content balance: share of each area of the bank, as AREA=SHARE;…; as in the bank if not given."`
	Random bool               `help:"Show items at random, for comparison."`
	Mean   float64            `help:"Mean of the prior, logits." default:"0"`
	SD     float64            `name:"sd" help:"Its standard deviation." default:"1"`
	Seed   uint64             `help:"Seed of the simulation." default:"1"`
	Out    string             `help:"Write each simulated test as CSV." placeholder:"FILE"`
}

// Run simulates.
func (c *labIRTCatCmd) Run(ctx context.Context) error {
	o := lab.CATOptions{Shares: c.Shares, Seed: c.Seed, SkipBad: c.SkipBad}
	o.SE, o.Min, o.Max, o.Random, o.Prior = c.SE, c.Min, c.Max, c.Random, irt.Normal{Mean: c.Mean, SD: c.SD}
	o.Next.Best = c.Best
	r, err := lab.SimulateCAT(ctx, c.Bank, c.Theta, o)
	r, err = keep(r, err, c.Out, (*lab.CAT).Write)
	return c.print(r, err)
}

type labIRTGainCmd struct {
	labResponses
	Before     string  `required:"" help:"CSV of the answers before." placeholder:"FILE"`
	After      string  `required:"" help:"CSV of the answers after." placeholder:"FILE"`
	Bank       string  `required:"" help:"CSV of items: item, a, b, and perhaps c." placeholder:"FILE"`
	Group      string  `help:"Column of the person's group, in either file." placeholder:"COLUMN"`
	Reference  string  `help:"Group that the others are compared with; the first in order if not given." placeholder:"GROUP"`
	Confidence float64 `help:"Of the intervals." default:"0.95"`
	Out        string  `help:"Write each person's gain as CSV." placeholder:"FILE"`
}

// Run estimates gains.
func (c *labIRTGainCmd) Run() error {
	r, err := lab.FitGain(c.Before, c.After, c.Bank, lab.GainOptions{
		ResponseOptions: lab.ResponseOptions{ID: c.ID, Items: c.Items, Group: c.Group, SkipBad: c.SkipBad},
		Reference:       c.Reference, Confidence: c.Confidence,
	})
	r, err = keep(r, err, c.Out, (*lab.Gain).Write)
	return c.print(r, err)
}

type labMemoryCmd struct {
	Schedule labMemoryScheduleCmd `cmd:"" help:"Schedule one card through a sequence of ratings."`
	Fit      labMemoryFitCmd      `cmd:"" help:"Fit the 21 weights to a review log."`
	Evaluate labMemoryEvaluateCmd `cmd:"" help:"Fit and foretell over five expanding splits by time; the defaults beside."`
}

type labMemoryScheduleCmd struct {
	labFlags
	Ratings         []int    `required:"" help:"1 again, 2 hard, 3 good, 4 easy." placeholder:"3,3,1"`
	Start           string   `required:"" help:"Time of the first review: RFC 3339, or ms since 1970." placeholder:"TIME"`
	Times           []string `help:"Time of each review; when it is due if not given." placeholder:"TIMES"`
	Weights         string   `help:"21 weights separated by commas, or a file of them." placeholder:"WEIGHTS"`
	Retention       float64  `help:"Probability of recall wanted when due." default:"0.9"`
	MaxInterval     int      `help:"Days." default:"36500"`
	LearningSteps   []string `help:"The first steps, as 1m, 2h, 1d." default:"1m,10m"`
	RelearningSteps []string `help:"The steps after forgetting." default:"10m"`
	LongTermOnly    bool     `help:"No steps within a day."`
}

// Run schedules.
func (c *labMemoryScheduleCmd) Run() error {
	start, err := lab.ParseTime(c.Start)
	if err != nil {
		return err
	}
	var times []time.Time
	for _, s := range c.Times {
		t, err := lab.ParseTime(s)
		if err != nil {
			return err
		}
		times = append(times, t)
	}
	o := memory.DefaultOptions()
	o.Retention, o.MaxInterval, o.LongTermOnly = c.Retention, c.MaxInterval, c.LongTermOnly
	if o.LearningSteps, err = durations(c.LearningSteps); err != nil {
		return err
	}
	if o.RelearningSteps, err = durations(c.RelearningSteps); err != nil {
		return err
	}
	if c.Weights != "" {
		if o.Weights, err = lab.ParseWeights(c.Weights); err != nil {
			return err
		}
	}
	r, err := lab.ScheduleCard(c.Ratings, start, times, o)
	return c.print(r, err)
}

// durations reads "1m", "2h", "1d".
func durations(texts []string) (out []time.Duration, err error) {
	for _, s := range texts {
		if s == "" { // no steps
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(s, "d")); err == nil && strings.HasSuffix(s, "d") {
			s = strconv.Itoa(24*n) + "h"
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

type labMemoryLog struct {
	labFlags
	File     string        `arg:"" help:"CSV of reviews: card_id, review_time (ms), review_rating, and perhaps review_state."`
	DayStart time.Duration `help:"When a day of review begins, after midnight UTC; -4h is 4:00 in UTC+8." default:"4h"`
}

type labMemoryFitCmd struct {
	labMemoryLog
	Out string `help:"Write the weights as JSON." placeholder:"FILE"`
}

// Run fits.
func (c *labMemoryFitCmd) Run() error {
	o := memory.DefaultFitOptions()
	o.DayStart = c.DayStart
	r, err := lab.FitMemory(c.File, o, c.SkipBad)
	r, err = keep(r, err, c.Out, (*lab.MemoryFit).WriteWeights)
	return c.print(r, err)
}

type labMemoryEvaluateCmd struct{ labMemoryLog }

// Run evaluates.
func (c *labMemoryEvaluateCmd) Run() error {
	o := memory.DefaultFitOptions()
	o.DayStart = c.DayStart
	r, err := lab.EvaluateMemory(c.File, o, c.SkipBad)
	return c.print(r, err)
}

type labTraceCmd struct {
	Fit      labTraceFitCmd      `cmd:"" help:"Fit a model, and say how well it does on its own rows or on a test file."`
	Evaluate labTraceEvaluateCmd `cmd:"" help:"Foretell a test file, or folds of users not fitted to."`
}

type labTrace struct {
	labFlags
	Train string `required:"" help:"CSV: user_id, item_id, correct, and perhaps timestamp and skill_id." placeholder:"FILE"`
	Test  string `help:"CSV of the same form, to foretell." placeholder:"FILE"`
	Model string `help:"pfa, best-lr, das3h, bkt or boosted." enum:"pfa,best-lr,das3h,bkt,boosted" default:"boosted"`
	Seed  uint64 `help:"Seed of the fit and of the folds." default:"1"`
	Out   string `help:"Write each prediction as CSV." placeholder:"FILE"`
}

func (c *labTrace) run(folds int) error {
	r, err := lab.RunTrace(lab.TraceOptions{Train: c.Train, Test: c.Test, Folds: folds, Model: trace.Kind(c.Model), Seed: c.Seed, SkipBad: c.SkipBad})
	r, err = keep(r, err, c.Out, (*lab.Trace).Write)
	return c.print(r, err)
}

type labTraceFitCmd struct{ labTrace }

// Run fits.
func (c *labTraceFitCmd) Run() error { return c.run(0) }

type labTraceEvaluateCmd struct {
	labTrace
	Folds int `help:"Of users, where there is no test file." default:"5"`
}

// Run evaluates.
func (c *labTraceEvaluateCmd) Run() error { return c.run(max(c.Folds, 2)) }

type labEffectCmd struct {
	Difference labDifferenceCmd `cmd:"" help:"Difference of the arms' means."`
	Ancova     labAncovaCmd     `cmd:"" help:"At equal covariates, by one regression."`
	Cuped      labCupedCmd      `cmd:"" help:"Outcomes less what covariates foretell (Deng et al. 2013)."`
	Lin        labLinCmd        `cmd:"" help:"Regression with slopes of their own for each arm (Lin 2013)."`
	DID        labDIDCmd        `cmd:"" name:"did" help:"Difference in differences."`
	FE         labFECmd         `cmd:"" name:"fe" help:"Effects of unit and period; the treatment may be a dose."`
	IPW        labIPWCmd        `cmd:"" name:"ipw" help:"Weighting by the inverse of the propensity."`
	Match      labMatchCmd      `cmd:"" help:"Matching on the propensity or on covariates (Abadie & Imbens 2006)."`
}

// labEffect are the columns and options that all methods share.
type labEffect struct {
	labFlags
	File       string   `arg:"" help:"CSV, a row per observation."`
	Outcome    string   `required:"" help:"Column of what came out." placeholder:"COLUMN"`
	Treatment  string   `required:"" help:"Column: 1 treated, 0 not." placeholder:"COLUMN"`
	Covariates []string `help:"Columns; text becomes indicators." placeholder:"COLUMNS"`
	Cluster    string   `help:"Column of what was drawn or serves together." placeholder:"COLUMN"`
	Unit       string   `help:"Column of who is observed again and again." placeholder:"COLUMN"`
	Time       string   `help:"Column of the period: a whole number, or text in order such as a date." placeholder:"COLUMN"`
	SE         string   `name:"se" help:"Standard error: classical, hc2 or cr2. Left out: cr2 with --cluster, else classical." enum:"classical,hc2,cr2," default:""`
	Confidence float64  `help:"Of the interval." default:"0.95"`
}

func (c *labEffect) run(method string, more func(*lab.EffectOptions)) error {
	o := lab.EffectOptions{
		Outcome: c.Outcome, Treatment: c.Treatment, Covariates: c.Covariates, Cluster: c.Cluster, Unit: c.Unit, Time: c.Time, SkipBad: c.SkipBad,
		Options: effect.Options{SE: effect.SE(c.SE), Confidence: c.Confidence},
	}
	if more != nil {
		more(&o)
	}
	r, err := lab.EstimateEffect(c.File, method, o)
	return c.print(r, err)
}

type labDifferenceCmd struct{ labEffect }

// Run estimates.
func (c *labDifferenceCmd) Run() error { return c.run("difference", nil) }

type labAncovaCmd struct{ labEffect }

// Run estimates.
func (c *labAncovaCmd) Run() error { return c.run("ancova", nil) }

type labCupedCmd struct{ labEffect }

// Run estimates.
func (c *labCupedCmd) Run() error { return c.run("cuped", nil) }

type labLinCmd struct{ labEffect }

// Run estimates.
func (c *labLinCmd) Run() error { return c.run("lin", nil) }

type labFECmd struct{ labEffect }

// Run estimates.
func (c *labFECmd) Run() error { return c.run("fe", nil) }

type labDIDCmd struct {
	labEffect
	Start string `help:"First period under treatment, where --treatment names the group." placeholder:"PERIOD"`
}

// Run estimates.
func (c *labDIDCmd) Run() error {
	return c.run("did", func(o *lab.EffectOptions) { o.Start = c.Start })
}

type labIPWCmd struct {
	labEffect
	Estimand string  `help:"ate (everybody) or att (the treated)." enum:"ate,att" default:"ate"`
	Trim     float64 `help:"Leave out propensities under this or over 1 less this; 0.1 is usual." default:"0"`
}

// Run estimates.
func (c *labIPWCmd) Run() error {
	return c.run("ipw", func(o *lab.EffectOptions) { o.Estimand, o.Trim = effect.Estimand(c.Estimand), c.Trim })
}

type labMatchCmd struct {
	labEffect
	Estimand   string  `help:"att (the treated) or ate (everybody)." enum:"ate,att" default:"att"`
	Distance   string  `help:"propensity or mahalanobis." enum:"propensity,mahalanobis" default:"propensity"`
	Neighbours int     `help:"Matches per person." default:"1"`
	Caliper    float64 `help:"Greatest distance, in standard deviations; 0 for any." default:"0"`
	Adjust     bool    `help:"Take out by regression what distance is left within a match."`
}

// Run estimates.
func (c *labMatchCmd) Run() error {
	return c.run("match", func(o *lab.EffectOptions) {
		o.Estimand, o.Distance = effect.Estimand(c.Estimand), effect.Distance(c.Distance)
		o.Neighbours, o.Caliper, o.Adjust = c.Neighbours, c.Caliper, c.Adjust
	})
}

type labMediateCmd struct {
	labFlags
	File       string   `arg:"" help:"CSV, a row per person, or per team and month."`
	Treatment  string   `required:"" help:"Column: 0 or 1, or a dose." placeholder:"COLUMN"`
	Mediators  string   `required:"" help:"Columns; a comma between those side by side, > before those that follow on them." placeholder:"M1,M2>M3"`
	Outcome    string   `required:"" help:"Column of what came out." placeholder:"COLUMN"`
	Covariates []string `help:"Columns of common causes; text becomes indicators." placeholder:"COLUMNS"`
	Cluster    string   `help:"Column of what the bootstrap draws whole." placeholder:"COLUMN"`
	Draws      int      `help:"Of the bootstrap." default:"2000"`
	Seed       uint64   `help:"Seed of the bootstrap." default:"1"`
	Confidence float64  `help:"Of the intervals." default:"0.95"`
}

// Run fits the path model.
func (c *labMediateCmd) Run() error {
	r, err := lab.Mediate(c.File, lab.MediateOptions{
		Treatment: c.Treatment, Mediators: c.Mediators, Outcome: c.Outcome, Covariates: c.Covariates, Cluster: c.Cluster, SkipBad: c.SkipBad,
		MediateOptions: effect.MediateOptions{Confidence: c.Confidence, Draws: c.Draws, Seed: c.Seed},
	})
	return c.print(r, err)
}

type labRiskCmd struct {
	Fit      labRiskFitCmd      `cmd:"" help:"Learn a risk from weekly activity and scores."`
	Evaluate labRiskEvaluateCmd `cmd:"" help:"Score a learned risk on a file, or folds of people by week."`
}

type labRisk struct {
	labFlags
	File    string   `arg:"" help:"CSV, a row per person, or per person and week; empty where not known."`
	Outcome string   `required:"" help:"Column: 1 dropped out or failed, 0 not." placeholder:"COLUMN"`
	Person  string   `help:"Column that names people; their rows are kept together." placeholder:"COLUMN"`
	Week    string   `help:"Column of the week; it is not foretold from." placeholder:"COLUMN"`
	Columns []string `help:"Columns to foretell from; all others if not given." placeholder:"COLUMNS"`
	Method  string   `help:"trees or logistic." enum:"trees,logistic" default:"trees"`
	Plain   bool     `help:"Logistic without products of columns."`
	Seed    uint64   `help:"Seed of the fit and of the folds." default:"1"`
	Out     string   `help:"Write the model (fit, JSON) or each risk (evaluate, CSV)." placeholder:"FILE"`
}

func (c *labRisk) options() lab.RiskOptions {
	return lab.RiskOptions{
		Outcome: c.Outcome, Person: c.Person, Week: c.Week, Columns: c.Columns, SkipBad: c.SkipBad,
		RiskOptions: effect.RiskOptions{Method: effect.Method(c.Method), Plain: c.Plain, Seed: c.Seed},
	}
}

type labRiskFitCmd struct{ labRisk }

// Run learns.
func (c *labRiskFitCmd) Run() error {
	r, err := lab.FitRisk(c.File, c.options())
	r, err = keep(r, err, c.Out, (*lab.Risk).WriteModel)
	return c.print(r, err)
}

type labRiskEvaluateCmd struct {
	labRisk
	Model string `help:"Model that fit wrote; without one, folds of people are foretold from the others." placeholder:"FILE"`
	Folds int    `help:"Of people, where there is no model." default:"5"`
}

// Run evaluates.
func (c *labRiskEvaluateCmd) Run() error {
	o := c.options()
	o.Model, o.Folds = c.Model, max(c.Folds, 2)
	r, err := lab.EvaluateRisk(c.File, o)
	r, err = keep(r, err, c.Out, (*lab.RiskEvaluation).Write)
	return c.print(r, err)
}
