package lab

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"attune/internal/engine/solve"
	"attune/internal/engine/solve/check"
	"attune/internal/fault"
	"attune/internal/locale"

	"github.com/go-json-experiment/json"
)

// readJSON reads a file, compressed or not; - is standard input.
func readJSON(path string, v any) error {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return fault.Wrap(err, fault.NotFound, "lab.file.none", path)
			}
			return err
		}
		defer f.Close()
	}
	in := bufio.NewReaderSize(f, 1<<16)
	var r io.Reader = in
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "lab.plan.file", path, err.Error())
		}
		defer z.Close()
		r = z
	}
	if err := json.UnmarshalRead(r, v); err != nil {
		return fault.Wrap(err, fault.Invalid, "lab.plan.file", path, err.Error())
	}
	return nil
}

func writeJSON(path string, v any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err := json.MarshalWrite(w, v); err != nil {
		f.Close()
		return err
	}
	w.WriteByte('\n') // its error is kept until Flush
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// GeneratePlan writes a made-up instance.
func GeneratePlan(w io.Writer, people int, seed uint64, o solve.GenerateOptions) error {
	switch o.Industry {
	case "", "retail", "finance", "education", "health":
	default:
		return fault.New(fault.Invalid, "lab.plan.industry", o.Industry)
	}
	if people < 1 {
		return fault.New(fault.Invalid, "lab.plan.people")
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if err := json.MarshalWrite(b, solve.Generate(people, seed, o)); err != nil {
		return err
	}
	b.WriteByte('\n')
	return b.Flush()
}

// readInstance reads a planning question and sees to its form.
func readInstance(path string) (*solve.Instance, error) {
	in := &solve.Instance{}
	if err := readJSON(path, in); err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "lab.plan.file", path, err.Error())
	}
	return in, nil
}

// Usage is what a process has used so far.
type Usage struct {
	CPU  time.Duration // 0 where the system does not say
	Peak int64         // bytes of memory held at most; 0 where it does not say
}

// Solved is a plan and its proof, summed up.
type Solved struct {
	People     int              `json:"people"`
	Choices    int              `json:"choices"`
	Objective  float64          `json:"objective"` // E, baseline standard deviations
	Bound      float64          `json:"bound"`     // no plan can beat it
	Gap        float64          `json:"gap"`       // (bound − objective) / bound
	Seconds    float64          `json:"seconds"`
	CPUSeconds float64          `json:"cpu_seconds"`
	PeakBytes  int64            `json:"peak_bytes"`
	Work       int64            `json:"work"`
	Seed       uint64           `json:"seed"`
	Violations int              `json:"violations"` // that the independent checker found
	Unplaced   []Unplaced       `json:"unplaced"`
	Conflicts  []solve.Conflict `json:"conflicts"`
	Noted

	in    *solve.Instance
	plan  *solve.Plan
	broke []check.Violation
}

// Unplaced is somebody who cannot attend what is asked, and the rule in the way.
type Unplaced struct {
	Person   string     `json:"person"`
	Offering string     `json:"offering"`
	Rule     solve.Rule `json:"rule"`
	Conflict int32      `json:"conflict"`
}

func personName(in *solve.Instance, i int32) string {
	if int(i) < len(in.People.ID) && i >= 0 {
		return in.People.ID[i]
	}
	return strconv.Itoa(int(i))
}

// SolvePlan plans an instance, and has the plan checked by the checker.
func SolvePlan(ctx context.Context, path string, o solve.Options, usage func() Usage) (*Solved, error) {
	in, err := readInstance(path)
	if err != nil {
		return nil, err
	}
	before, started := usage(), time.Now()
	p, err := solve.Solve(ctx, in, o)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "lab.plan.file", path, err.Error())
	}
	after := usage()
	out := &Solved{
		People: in.People.Len(), Choices: len(p.Choices), Objective: p.Objective, Bound: p.Bound, Gap: p.Gap,
		Seconds: time.Since(started).Seconds(), CPUSeconds: (after.CPU - before.CPU).Seconds(), PeakBytes: after.Peak,
		Work: p.Work, Seed: p.Seed, Conflicts: p.Conflicts, in: in, plan: p,
	}
	for _, w := range p.Warnings {
		out.Warnings = append(out.Warnings, w)
	}
	for _, u := range p.Unplaced {
		v := Unplaced{Person: personName(in, u.Person), Offering: in.Offerings[u.Offering].ID, Conflict: u.Conflict}
		if u.Conflict >= 0 && int(u.Conflict) < len(p.Conflicts) {
			v.Rule = p.Conflicts[u.Conflict].Rule
		}
		out.Unplaced = append(out.Unplaced, v)
	}
	r, err := check.Check(in, p)
	if err != nil {
		return nil, err
	}
	out.Violations, out.broke = len(r.Violations), r.Violations
	return out, nil
}

// WritePlan keeps the plan with its proof, as check reads it.
func (s *Solved) WritePlan(path string) error { return writeJSON(path, s.plan) }

// Sections lays the plan's figures out.
func (s *Solved) Sections(l locale.Lang) []Section {
	sum := Section{Rows: pairs(l,
		"persons", l.Number(float64(s.People), 0), "choices", l.Number(float64(s.Choices), 0),
		"objective", l.Number(s.Objective, 4), "bound", l.Number(s.Bound, 4), "gap", l.Percent(s.Gap, 3),
		"seconds", l.Number(s.Seconds, 2), "cpu_seconds", l.Number(s.CPUSeconds, 2), "peak", l.Number(float64(s.PeakBytes)/(1<<20), 0)+" MiB",
		"violations", l.Number(float64(s.Violations), 0), "unplaced", l.Number(float64(len(s.Unplaced)), 0))}
	why := Section{Title: l.T("lab.title.conflicts"), Head: heads(l, "rule", "persons", "offerings", "sessions", "need", "have")}
	for _, c := range s.Conflicts {
		var people, offerings, sessions []string
		for _, i := range c.People {
			people = append(people, personName(s.in, i))
		}
		for _, j := range c.Offerings {
			offerings = append(offerings, s.in.Offerings[j].ID)
		}
		for _, t := range c.Sessions {
			sessions = append(sessions, s.in.Sessions[t].ID)
		}
		why.Rows = append(why.Rows, []string{l.T("lab.plan.rule." + string(c.Rule)), some(l, people), some(l, offerings), some(l, sessions), figure(l, c.Need), figure(l, c.Have)})
	}
	return []Section{sum, why, broken(l, s.in, s.broke)}
}

// some lists the first few of many names.
func some(l locale.Lang, names []string) string {
	const few = 5
	if len(names) <= few {
		return l.List(names)
	}
	return l.T("lab.plan.and_more", l.List(names[:few]), len(names)-few)
}

// Checked is what the checker found of a plan.
type Checked struct {
	check.Report
	Noted

	in *solve.Instance
}

// CheckPlan verifies a plan with code that the solver does not share.
func CheckPlan(instance, plan string) (*Checked, error) {
	in, err := readInstance(instance)
	if err != nil {
		return nil, err
	}
	p := &solve.Plan{}
	if err := readJSON(plan, p); err != nil {
		return nil, err
	}
	r, err := check.Check(in, p)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "lab.plan.file", plan, err.Error())
	}
	return &Checked{Report: r, in: in}, nil
}

// Sections lays out what was found.
func (c *Checked) Sections(l locale.Lang) []Section {
	sum := Section{Rows: pairs(l,
		"persons", l.Number(float64(c.People), 0), "objective", l.Number(c.Objective, 4), "bound", l.Number(c.Bound, 4), "gap", l.Percent(c.Gap, 3),
		"proved", l.Number(float64(c.Proved), 0), "open", l.Number(float64(c.Open), 0), "skipped", l.Number(float64(c.Skipped), 0),
		"violations", l.Number(float64(len(c.Violations)), 0))}
	return []Section{sum, broken(l, c.in, c.Violations)}
}

func broken(l locale.Lang, in *solve.Instance, all []check.Violation) Section {
	out := Section{Title: l.T("lab.title.violations"), Head: heads(l, "rule", "person", "offering", "session", "need", "have")}
	for _, v := range all {
		row := []string{l.T("lab.plan.rule." + string(v.Rule)), "", "", "", figure(l, v.Need), figure(l, v.Have)}
		if v.Person >= 0 {
			row[1] = personName(in, v.Person)
		}
		if v.Offering >= 0 && int(v.Offering) < len(in.Offerings) {
			row[2] = in.Offerings[v.Offering].ID
		}
		if v.Session >= 0 && int(v.Session) < len(in.Sessions) {
			row[3] = in.Sessions[v.Session].ID
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// PlanProgress says how far a solve has come, on one line.
func PlanProgress(l locale.Lang, p solve.Progress) string {
	return fmt.Sprintf("%s  %s %s  %s %s  %s %s", l.T("lab.plan.phase."+p.Phase),
		l.T("lab.head.objective"), l.Number(p.Best, 4), l.T("lab.head.bound"), l.Number(p.Bound, 4), l.T("lab.head.gap"), l.Percent(p.Gap, 3))
}
