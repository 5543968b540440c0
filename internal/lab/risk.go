package lab

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"attune/internal/engine/effect"
	"attune/internal/fault"
	"attune/internal/locale"

	stdjson "encoding/json"
)

// RiskOptions say what is foretold from what.
type RiskOptions struct {
	Outcome string   // 1: dropped out, or failed
	Person  string   // column; a person's rows are kept on one side of a fold
	Week    string   // column; whole numbers
	Columns []string // to foretell from; empty: all others
	Model   string   // file of a fitted risk, to evaluate; "" to fit
	Folds   int      // of people, to evaluate without a model
	effect.RiskOptions
	SkipBad bool
}

// Risk is a fitted risk.
type Risk struct {
	Method  effect.Method     `json:"method"`
	N       int               `json:"n"`
	Columns []string          `json:"columns"`
	Held    effect.Evaluation `json:"held"` // on rows not fitted to
	Noted

	model *effect.Risk
}

// riskData is a table of what was known and what came.
type riskData struct {
	effect.RiskData
	week   []int
	person []string
	bad    BadRows
}

// readRisk reads the columns that a risk is foretold from: empty is not known.
// Given a model's columns, it makes those.
func readRisk(path string, o RiskOptions, model []string) (*riskData, error) {
	columns := o.Columns
	if model != nil { // an indicator is named "column=level"
		columns = nil
		for _, c := range model {
			if name, _, ok := strings.Cut(c, "="); ok {
				if has, err := hasColumn(path, c); err != nil {
					return nil, err
				} else if !has {
					c = name
				}
			}
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	} else if len(columns) == 0 {
		t, err := Open(path)
		if err != nil {
			return nil, err
		}
		t.Close()
		for _, c := range t.Columns {
			if c != "" && c != o.Outcome && c != o.Person && c != o.Week {
				columns = append(columns, c)
			}
		}
	}
	wants := []Want{{Name: o.Outcome}, {Name: o.Person, Kind: Code}, {Name: o.Week, Kind: Period}}
	for _, c := range columns {
		wants = append(wants, Want{Name: c, Kind: Mixed, Gaps: true})
	}
	f, err := readFrame(path, wants, o.SkipBad)
	if err != nil {
		return nil, err
	}
	d := &riskData{bad: f.Bad, week: f.Codes(2)}
	d.Outcome, d.Person = f.Numbers(0), f.Codes(1)
	if d.Person != nil {
		d.person = make([]string, f.Rows())
		for r := range d.person {
			d.person[r] = f.Level(1, r)
		}
	}
	for i := range columns {
		c, err := f.Covariates(3 + i)
		if err != nil {
			return nil, err
		}
		d.Columns = append(d.Columns, c...)
	}
	if model == nil {
		return d, nil
	}
	made := d.Columns
	d.Columns = nil
	for _, name := range model {
		at := slices.IndexFunc(made, func(c effect.Covariate) bool { return c.Name == name })
		if at >= 0 {
			d.Columns = append(d.Columns, made[at])
			continue
		}
		// A level that nobody in this file has, or the first one, which here
		// stands before another.
		base, level, _ := strings.Cut(name, "=")
		i := slices.Index(columns, base)
		if i < 0 {
			return nil, fault.New(fault.Invalid, "lab.column.none", path, name, strings.Join(columns, ", "))
		}
		values := make([]float64, f.Rows())
		for r := range values {
			switch s, ok := f.cols[3+i].strays[int32(r)]; {
			case !ok:
				values[r] = math.NaN()
			case s == level:
				values[r] = 1
			}
		}
		d.Columns = append(d.Columns, effect.Covariate{Name: name, Values: values})
	}
	return d, nil
}

// FitRisk learns a risk from a table.
func FitRisk(path string, o RiskOptions) (*Risk, error) {
	d, err := readRisk(path, o, nil)
	if err != nil {
		return nil, err
	}
	r, err := effect.FitRisk(d.RiskData, o.RiskOptions)
	if err != nil {
		return nil, Explain(err)
	}
	return &Risk{r.Method, len(d.Outcome), r.Columns, r.Held, Noted{r.Warnings, d.bad}, r}, nil
}

// WriteModel keeps the risk for evaluate.
func (r *Risk) WriteModel(path string) error {
	text, err := stdjson.Marshal(r.model)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Sections lays the risk out.
func (r *Risk) Sections(l locale.Lang) []Section {
	out := []Section{{Rows: pairs(l, "method", string(r.Method), "n", l.Number(float64(r.N), 0), "columns", l.List(r.Columns))}}
	return append(out, scoreSections(l, l.T("lab.title.held"), r.Held)...)
}

func scoreSections(l locale.Lang, title string, e effect.Evaluation) []Section {
	sum := Section{Title: title, Rows: pairs(l, "rate", l.Percent(e.Rate, 1), "auroc", l.Number(e.AUROC, 3)+" ± "+l.Number(e.SE, 3),
		"brier", l.Number(e.Brier, 4), "skill", l.Percent(e.Skill, 1), "log_loss", l.Number(e.LogLoss, 4),
		"slope", l.Number(e.Slope, 2), "intercept", l.Number(e.Intercept, 2), "calibration", l.Number(e.Error, 3))}
	curve := Section{Title: l.T("lab.title.reliability"), Head: heads(l, "predicted", "observed", "low", "high", "n")}
	for _, b := range e.Reliability {
		curve.Rows = append(curve.Rows, []string{l.Percent(b.Predicted, 1), l.Percent(b.Observed, 1), l.Percent(b.Low, 1), l.Percent(b.High, 1), l.Number(float64(b.N), 0)})
	}
	weeks := Section{Title: l.T("lab.title.weeks"), Head: heads(l, "week", "n", "rate", "auroc", "se", "calibration")}
	for _, w := range e.ByWeek {
		weeks.Rows = append(weeks.Rows, []string{l.Number(float64(w.Week), 0), l.Number(float64(w.N), 0), l.Percent(w.Rate, 1), l.Number(w.AUROC, 3), l.Number(w.SE, 3), l.Number(w.Error, 3)})
	}
	return []Section{sum, weeks, curve}
}

// RiskEvaluation says how good foretold risks proved.
type RiskEvaluation struct {
	Method effect.Method `json:"method"`
	On     string        `json:"on"` // file (a kept model) or folds (of people)
	effect.Evaluation
	Noted

	person  []string
	week    []int
	outcome []float64
	p       []float64
}

// EvaluateRisk scores a kept risk on a table, or without one foretells each
// fold of people from the others.
func EvaluateRisk(path string, o RiskOptions) (*RiskEvaluation, error) {
	var kept *effect.Risk
	if o.Model != "" {
		text, err := os.ReadFile(o.Model)
		if err != nil {
			return nil, err
		}
		kept = &effect.Risk{}
		if err := stdjson.Unmarshal(text, kept); err != nil || len(kept.Columns) == 0 {
			return nil, fault.Wrap(err, fault.Invalid, "lab.risk.model", o.Model)
		}
		d, err := readRisk(path, o, kept.Columns)
		if err != nil {
			return nil, err
		}
		out := &RiskEvaluation{Method: kept.Method, On: "file", Noted: Noted{BadRows: d.bad}, p: make([]float64, len(d.Outcome))}
		if err := predict(kept, d.Columns, out.p, nil); err != nil {
			return nil, Explain(err)
		}
		return out, out.score(d)
	}
	d, err := readRisk(path, o, nil)
	if err != nil {
		return nil, err
	}
	method := o.Method
	if method == "" {
		method = effect.Trees
	}
	out := &RiskEvaluation{Method: method, On: "folds", Noted: Noted{BadRows: d.bad}, p: make([]float64, len(d.Outcome))}
	of := foldsOf(d, o.Folds, o.Seed)
	for k := range o.Folds {
		var train effect.RiskData
		var test []int
		keep := make([]bool, len(of))
		for i, f := range of {
			if keep[i] = f != k; !keep[i] {
				test = append(test, i)
			}
		}
		train.Outcome = kept1(d.Outcome, keep)
		if d.Person != nil {
			train.Person = kept1(d.Person, keep)
		}
		for _, c := range d.Columns {
			train.Columns = append(train.Columns, effect.Covariate{Name: c.Name, Values: kept1(c.Values, keep)})
		}
		r, err := effect.FitRisk(train, o.RiskOptions)
		if err != nil {
			return nil, Explain(err)
		}
		out.Warnings = append(out.Warnings, r.Warnings...)
		if err := predict(r, d.Columns, out.p, test); err != nil {
			return nil, Explain(err)
		}
	}
	return out, out.score(d)
}

func kept1[T any](xs []T, keep []bool) (out []T) {
	for i, x := range xs {
		if keep[i] {
			out = append(out, x)
		}
	}
	return out
}

// foldsOf puts each person, or each row, in a fold.
func foldsOf(d *riskData, folds int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 2))
	of := make([]int, len(d.Outcome))
	byPerson := map[int]int{}
	order := rng.Perm(len(of))
	for n, i := range order {
		if d.Person == nil {
			of[i] = n % folds
			continue
		}
		f, ok := byPerson[d.Person[i]]
		if !ok {
			f = len(byPerson) % folds
			byPerson[d.Person[i]] = f
		}
		of[i] = f
	}
	return of
}

// predict fills in the risks of rows; nil is all.
func predict(r *effect.Risk, columns []effect.Covariate, p []float64, rows []int) error {
	row := make([]float64, len(columns))
	if rows == nil {
		rows = make([]int, len(p))
		for i := range rows {
			rows[i] = i
		}
	}
	for _, i := range rows {
		for j, c := range columns {
			row[j] = c.Values[i]
		}
		var err error
		if p[i], err = r.Probability(row); err != nil {
			return err
		}
	}
	return nil
}

func (e *RiskEvaluation) score(d *riskData) (err error) {
	e.person, e.week, e.outcome = d.person, d.week, d.Outcome
	e.Warnings = once(e.Warnings)
	e.Evaluation, err = effect.Evaluate(e.p, d.Outcome, d.week)
	return Explain(err)
}

// Sections lays the scores out.
func (e *RiskEvaluation) Sections(l locale.Lang) []Section {
	out := []Section{{Rows: pairs(l, "method", string(e.Method), "on", l.T("lab.risk.on."+e.On), "n", l.Number(float64(e.N), 0))}}
	return append(out, scoreSections(l, "", e.Evaluation)...)
}

// Write keeps each risk beside what came.
func (e *RiskEvaluation) Write(path string) error {
	return writeTable(path, []string{"person", "week", "outcome", "risk"}, func(put func(...any)) {
		for i, p := range e.p {
			person, week := any(i+1), any("")
			if e.person != nil {
				person = e.person[i]
			}
			if e.week != nil {
				week = e.week[i]
			}
			put(person, week, e.outcome[i], p)
		}
	})
}
