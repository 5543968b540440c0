package lab

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/locale"
)

// ids are the headings under which files keep whose row it is.
var ids = []string{"id", "person", "person_id", "user", "user_id", "learner_id", "employee_id", "rownames", "rowname", "number", "name", "工号", "姓名", "员工编号"}

// idColumn is the place of the column that names people: the one asked for, or
// the one that is called as such columns are; −1 if there is none.
func (t *Table) idColumn(asked string) (int, error) {
	if asked != "" {
		at, err := t.Find(asked)
		if err != nil {
			return -1, err
		}
		return at[0], nil
	}
	for i, c := range t.Columns {
		if c == "" || slices.Contains(ids, strings.ToLower(c)) {
			return i, nil
		}
	}
	return -1, nil
}

// ResponseOptions say how a table of answers is read: a row per person, a
// column per item, empty where the item was not shown.
type ResponseOptions struct {
	ID      string   // column that names people; "" to tell by its heading
	Group   string   // column of their group; "" for none
	Count   string   // column that says how many people answered so; "" for one
	Items   []string // columns of items; empty: all others
	SkipBad bool

	known map[string]int32 // items of a bank: other columns are not items
	top   int8             // best score
}

// responses are answers as the engine takes them.
type responses struct {
	items  []string
	dense  [][]int8         // one of dense and sparse is nil
	sparse [][]irt.Response // where there are many items, of which each person sees few
	who    []string         // by row, if asked for
	group  []int
	groups []string
	bad    BadRows
}

// wide is from how many items on answers are kept as lists.
const wide = 200

func readResponses(path string, o ResponseOptions, names bool) (*responses, error) {
	t, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	at, err := t.Find(o.Group, o.Count)
	if err != nil {
		return nil, err
	}
	group, count := at[0], at[1]
	id, err := t.idColumn(o.ID)
	if err != nil {
		return nil, err
	}
	r := &responses{}
	var columns []int
	if len(o.Items) > 0 {
		if columns, err = t.Find(o.Items...); err != nil {
			return nil, err
		}
	} else {
		for i, c := range t.Columns {
			_, known := o.known[c]
			if i != id && i != group && i != count && (known || o.known == nil) {
				columns = append(columns, i)
			}
		}
	}
	for _, c := range columns {
		r.items = append(r.items, t.Columns[c])
	}
	if len(columns) == 0 {
		return nil, fault.New(fault.Invalid, "lab.irt.no_items", path)
	}
	codes := map[string]int{}
	row := make([]int8, len(columns))
	var flat []int8 // rows are cut from blocks, which costs less than one by one
rows:
	for t.Next() {
		for j, c := range columns {
			score, ok := parseScore(t.Text(c), o.top)
			if !ok {
				t.Reject(c, "lab.bad.score", string(t.Text(c)), int(o.top))
				continue rows
			}
			row[j] = score
		}
		times := 1
		if count >= 0 {
			n, err := strconv.Atoi(string(t.Text(count)))
			if err != nil || n < 0 || n > 100_000_000 {
				t.Reject(count, "lab.bad.count", string(t.Text(count)))
				continue
			}
			times = n
		}
		if group >= 0 {
			if empty(t.Text(group)) {
				t.Reject(group, "lab.bad.empty")
				continue
			}
			g, ok := codes[string(t.Text(group))]
			if !ok {
				g = len(codes)
				codes[string(t.Text(group))] = g
				r.groups = append(r.groups, string(t.Text(group)))
			}
			for range times {
				r.group = append(r.group, g)
			}
		}
		if names {
			who := strconv.Itoa(t.Line)
			if id >= 0 {
				who = string(t.Text(id))
			}
			for range times {
				r.who = append(r.who, who)
			}
		}
		if len(columns) > wide {
			var list []irt.Response
			for j, s := range row {
				if s >= 0 {
					list = append(list, irt.Response{Item: int32(j), Score: s})
				}
			}
			for range times {
				r.sparse = append(r.sparse, list)
			}
			continue
		}
		if len(flat) < len(row) {
			flat = make([]int8, len(row)*1024)
		}
		kept := flat[:len(row):len(row)]
		flat = flat[len(row):]
		copy(kept, row)
		for range times {
			r.dense = append(r.dense, kept)
		}
	}
	if err := t.Done(o.SkipBad); err != nil {
		return nil, err
	}
	r.bad = t.Bad
	r.sortGroups()
	return r, nil
}

// parseScore reads 0, 1, … up to top; nothing is −1.
func parseScore(field []byte, top int8) (int8, bool) {
	if len(field) == 1 && field[0] >= '0' && field[0] <= '9' {
		s := int8(field[0] - '0')
		return s, s <= top
	}
	if empty(field) {
		return -1, true
	}
	x, err := strconv.ParseFloat(string(field), 64)
	if err != nil || x != math.Trunc(x) || x < 0 || x > float64(top) {
		return 0, false
	}
	return int8(x), true
}

// sortGroups gives the groups their codes in order of name, so that the
// reference does not hang on the order of rows.
func (r *responses) sortGroups() {
	sorted := sortedLevels(r.groups)
	code := make([]int, len(sorted))
	for i, g := range r.groups {
		code[i] = slices.Index(sorted, g)
	}
	for i, g := range r.group {
		r.group[i] = code[g]
	}
	r.groups = sorted
}

// sortedLevels sorts names: as numbers if all are.
func sortedLevels(names []string) []string {
	out := slices.Clone(names)
	number := func(s string) (float64, bool) {
		x, err := strconv.ParseFloat(s, 64)
		return x, err == nil && !math.IsNaN(x)
	}
	slices.SortFunc(out, func(a, b string) int {
		x, ok := number(a)
		y, ok2 := number(b)
		if ok && ok2 {
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
	return out
}

// IRTFitOptions say how a calibration is made.
type IRTFitOptions struct {
	ResponseOptions
	Model   irt.Model
	NoDIF   bool   // between two groups
	Anchors string // bank whose items keep their parameters
	Shrink  bool
}

// IRTFit is a calibration.
type IRTFit struct {
	Model         irt.Model  `json:"model"`
	Persons       int        `json:"persons"`
	Answers       int        `json:"answers"`
	Items         []IRTItem  `json:"items"`
	LogLikelihood float64    `json:"log_likelihood"`
	Parameters    int        `json:"parameters"`
	AIC           float64    `json:"aic"`
	BIC           float64    `json:"bic"`
	Iterations    int        `json:"iterations"`
	Converged     bool       `json:"converged"`
	Reliability   float64    `json:"reliability"` // marginal, of EAP estimates
	Groups        []IRTGroup `json:"groups"`
	Noted

	who       []string
	theta, se []float64
}

// IRTItem is a calibrated item.
type IRTItem struct {
	Item    string    `json:"item"`
	A       float64   `json:"a"` // per logit
	B       float64   `json:"b"` // logits
	C       float64   `json:"c"`
	Steps   []float64 `json:"steps,omitempty"` // logits
	SEA     float64   `json:"se_a"`
	SEB     float64   `json:"se_b"`
	SEC     float64   `json:"se_c"`
	SESteps []float64 `json:"se_steps,omitempty"`
	N       int       `json:"n"`
	Mean    float64   `json:"mean"` // as a share of the top score
	Infit   float64   `json:"infit"`
	Outfit  float64   `json:"outfit"`
	FitTest string    `json:"fit_test"`
	ChiSq   float64   `json:"chi_sq"`
	DF      float64   `json:"df"`
	P       float64   `json:"p"`
	DIF     *IRTDIF   `json:"dif,omitempty"`
	Fixed   bool      `json:"fixed,omitzero"`
}

// IRTDIF tests whether an item works alike in both groups.
type IRTDIF struct {
	ChiSq      float64 `json:"chi_sq"`
	DF         float64 `json:"df"`
	P          float64 `json:"p"`
	Difference float64 `json:"difference"` // of the expected score, as a share; over 0 favours the second group
	Class      string  `json:"class"`
}

// IRTGroup is a population on the items' scale.
type IRTGroup struct {
	Group string  `json:"group"`
	Mean  float64 `json:"mean"` // logits
	SD    float64 `json:"sd"`
}

// itemWarning is irt.ItemWarning with the items' names.
type itemWarning struct {
	code  string
	items []string
}

func (w *itemWarning) Error() string { return w.code + ": " + strings.Join(w.items, ", ") }

// named puts the items' names to warnings about items.
func named(warnings []error, items []string) []error {
	codes := map[string]string{
		irt.Constant: "irt.constant", irt.Unused: "irt.unused", irt.Reversed: "irt.reversed",
		irt.Extreme: "irt.extreme", irt.Collapsed: "irt.collapsed",
	}
	out := make([]error, len(warnings))
	for i, err := range warnings {
		out[i] = err
		if w, ok := err.(*irt.ItemWarning); ok {
			n := &itemWarning{code: codes[w.What]}
			for _, k := range w.Items {
				n.items = append(n.items, items[k])
			}
			out[i] = n
		}
	}
	return out
}

// FitIRT calibrates the items of a table of answers.
func FitIRT(path string, o IRTFitOptions, people bool) (*IRTFit, error) {
	o.top = 1
	if o.Model == irt.GPCM || o.Model == irt.Rasch {
		o.top = 100
	}
	r, err := readResponses(path, o.ResponseOptions, people)
	if err != nil {
		return nil, err
	}
	opt := irt.Options{Model: o.Model, Group: r.group, DIF: len(r.groups) == 2 && !o.NoDIF, Shrink: o.Shrink}
	if o.Anchors != "" {
		bank, err := readBank(o.Anchors, o.SkipBad)
		if err != nil {
			return nil, err
		}
		opt.Anchors = map[int]irt.Item{}
		for j, name := range r.items {
			if k, ok := bank.place[name]; ok {
				opt.Anchors[j] = bank.items[k]
			}
		}
		r.bad = append(r.bad, bank.bad...)
	}
	var c *irt.Calibration
	if r.sparse != nil {
		c, err = irt.FitSparse(r.sparse, len(r.items), opt)
	} else {
		c, err = irt.Fit(r.dense, opt)
	}
	if err != nil {
		return nil, Explain(err)
	}
	out := &IRTFit{
		Model: c.Model, Persons: c.Persons, Answers: c.Answers, LogLikelihood: c.LogLikelihood, Parameters: c.Parameters,
		AIC: c.AIC, BIC: c.BIC, Iterations: c.Iterations, Converged: c.Converged, Reliability: c.Reliability,
		Noted: Noted{named(c.Warnings, r.items), r.bad}, who: r.who, theta: c.Theta, se: c.SE,
	}
	for j, f := range c.Items {
		it := IRTItem{
			Item: r.items[j], A: f.A, B: f.B, C: f.C, Steps: f.Steps, SEA: f.SEA, SEB: f.SEB, SEC: f.SEC, SESteps: f.SESteps,
			N: f.N, Mean: f.Mean, Infit: f.Infit, Outfit: f.Outfit, FitTest: f.FitTest, ChiSq: f.ChiSq, DF: f.DF, P: f.PValue, Fixed: f.Fixed,
		}
		if d := f.DIF; d != nil {
			it.DIF = &IRTDIF{d.ChiSq, d.DF, d.PValue, d.Difference, d.Class}
		}
		out.Items = append(out.Items, it)
	}
	for g, n := range c.Groups {
		name := ""
		if g < len(r.groups) {
			name = r.groups[g]
		}
		out.Groups = append(out.Groups, IRTGroup{name, n.Mean, n.SD})
	}
	return out, nil
}

// Sections lays the calibration out.
func (f *IRTFit) Sections(l locale.Lang) []Section {
	sum := Section{Rows: pairs(l,
		"model", string(f.Model), "persons", l.Number(float64(f.Persons), 0), "answers", l.Number(float64(f.Answers), 0),
		"log_likelihood", l.Number(f.LogLikelihood, 3), "aic", l.Number(f.AIC, 2), "bic", l.Number(f.BIC, 2),
		"iterations", l.Number(float64(f.Iterations), 0), "reliability", l.Number(f.Reliability, 3))}
	items := Section{Title: l.T("lab.title.items"), Head: heads(l, "item", "a", "se", "b", "se", "c", "n", "mean", "infit", "outfit", "fit_p")}
	dif := Section{Title: l.T("lab.title.dif"), Head: heads(l, "item", "chi_sq", "df", "p", "difference", "class")}
	for _, it := range f.Items {
		items.Rows = append(items.Rows, []string{it.Item, l.Number(it.A, 3), l.Number(it.SEA, 3), l.Number(it.B, 3), l.Number(it.SEB, 3),
			l.Number(it.C, 3), l.Number(float64(it.N), 0), l.Number(it.Mean, 3), l.Number(it.Infit, 2), l.Number(it.Outfit, 2), small(l, it.P)})
		if d := it.DIF; d != nil {
			dif.Rows = append(dif.Rows, []string{it.Item, l.Number(d.ChiSq, 2), l.Number(d.DF, 0), small(l, d.P), l.Number(d.Difference, 3), d.Class})
		}
	}
	groups := Section{Title: l.T("lab.title.populations"), Head: heads(l, "group", "mean", "sd")}
	for _, g := range f.Groups {
		groups.Rows = append(groups.Rows, []string{cmp.Or(g.Group, "–"), l.Number(g.Mean, 3), l.Number(g.SD, 3)})
	}
	return []Section{sum, items, dif, groups}
}

// WriteBank keeps the items as a bank.
func (f *IRTFit) WriteBank(path string) error {
	return writeTable(path, []string{"item", "a", "b", "c", "se_a", "se_b", "steps"}, func(put func(...any)) {
		for _, it := range f.Items {
			steps := make([]string, len(it.Steps))
			for i, s := range it.Steps {
				steps[i] = strconv.FormatFloat(s, 'g', -1, 64)
			}
			put(it.Item, it.A, it.B, it.C, it.SEA, it.SEB, strings.Join(steps, " "))
		}
	})
}

// WriteScores keeps the people's abilities under the calibration.
func (f *IRTFit) WriteScores(path string) error {
	return writeTable(path, []string{"person", "theta", "se"}, func(put func(...any)) {
		for i, who := range f.who {
			put(who, f.theta[i], f.se[i])
		}
	})
}

// bank is a table of items: item, a, b, and perhaps c and area.
type bank struct {
	names []string
	items []irt.Item
	place map[string]int32
	area  []int // −1 where it has none; nil if there is no such column
	areas []string
	bad   BadRows
}

func readBank(path string, skipBad bool) (*bank, error) {
	t, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	column := func(names ...string) int {
		for _, n := range names {
			if i := slices.IndexFunc(t.Columns, func(c string) bool { return strings.EqualFold(c, n) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	name, a, b := column("item", "item_id", "id", "rownames", ""), column("a", "discrimination"), column("b", "difficulty")
	c, area, steps := column("c", "guessing"), column("area", "content", "skill"), column("steps")
	if b < 0 {
		return nil, fault.New(fault.Invalid, "lab.column.none", path, "b", strings.Join(t.Columns, ", "))
	}
	k := &bank{place: map[string]int32{}}
	codes := map[string]int{}
rows:
	for t.Next() {
		if steps >= 0 && bytesFields(t.Text(steps)) > 1 {
			t.Reject(steps, "lab.bad.steps")
			continue
		}
		it := irt.Item{A: 1}
		for _, p := range []struct {
			at    int
			value *float64
		}{{a, &it.A}, {b, &it.B}, {c, &it.C}} {
			if p.at < 0 || p.at == c && empty(t.Text(p.at)) {
				continue
			}
			x, err := strconv.ParseFloat(string(t.Text(p.at)), 64)
			if err != nil {
				t.Reject(p.at, "lab.bad.number", string(t.Text(p.at)))
				continue rows
			}
			*p.value = x
		}
		if !it.Valid() {
			t.Reject(-1, "lab.bad.item")
			continue
		}
		n := strconv.Itoa(len(k.items) + 1)
		if name >= 0 {
			n = string(t.Text(name))
		}
		if _, ok := k.place[n]; ok {
			t.Reject(max(name, 0), "lab.bad.twice", n)
			continue
		}
		k.place[n] = int32(len(k.items))
		k.names, k.items = append(k.names, n), append(k.items, it)
		if area >= 0 {
			code := -1
			if s := string(t.Text(area)); s != "" {
				var ok bool
				if code, ok = codes[s]; !ok {
					code = len(codes)
					codes[s] = code
					k.areas = append(k.areas, s)
				}
			}
			k.area = append(k.area, code)
		}
	}
	if err := t.Done(skipBad); err != nil {
		return nil, err
	}
	k.bad = t.Bad
	if len(k.items) == 0 {
		return nil, fault.New(fault.Invalid, "lab.file.empty", path)
	}
	return k, nil
}

func bytesFields(b []byte) int { return len(strings.Fields(string(b))) }

// answers are a row's, to items of the bank.
func (k *bank) answers(r *responses, row int) []irt.Answer {
	var out []irt.Answer
	add := func(item int, score int8) {
		out = append(out, irt.Answer{Item: k.items[k.place[r.items[item]]], Correct: score > 0})
	}
	if r.sparse != nil {
		for _, s := range r.sparse[row] {
			add(int(s.Item), s.Score)
		}
		return out
	}
	for j, s := range r.dense[row] {
		if s >= 0 {
			add(j, s)
		}
	}
	return out
}

func (r *responses) len() int { return max(len(r.dense), len(r.sparse)) }

// IRTScores are people's abilities.
type IRTScores struct {
	Persons int        `json:"persons"`
	Mean    float64    `json:"mean"` // of theta
	SD      float64    `json:"sd"`
	Scores  []IRTScore `json:"scores"`
	Noted
}

// IRTScore is one person's.
type IRTScore struct {
	Person  string  `json:"person"`
	Theta   float64 `json:"theta"` // logits, EAP
	SE      float64 `json:"se"`    // posterior standard deviation
	S       float64 `json:"s"`     // expected percentage correct on the whole bank
	SSE     float64 `json:"s_se"`
	Answers int     `json:"answers"`
	Lz      float64 `json:"lz"`   // person fit
	LzP     float64 `json:"lz_p"` // of an lz this low
}

// ScoreIRT estimates the abilities of people who answered items of a bank.
func ScoreIRT(path, bankPath string, o ResponseOptions, prior irt.Normal) (*IRTScores, error) {
	k, err := readBank(bankPath, o.SkipBad)
	if err != nil {
		return nil, err
	}
	o.known, o.top = k.place, 1
	r, err := readResponses(path, o, true)
	if err != nil {
		return nil, err
	}
	scale := irt.NewScale(k.items)
	out := &IRTScores{Persons: r.len(), Scores: make([]IRTScore, r.len()), Noted: Noted{BadRows: append(k.bad, r.bad...)}}
	warned := make([][]error, r.len())
	each(r.len(), func(i int) {
		a := k.answers(r, i)
		e := irt.Estimate(a, prior)
		s, sse := scale.Proficiency(a, prior)
		fit := irt.FitPerson(a, prior)
		out.Scores[i] = IRTScore{r.who[i], e.Theta, e.SE, s, sse, len(a), fit.Lz, fit.PValue}
		warned[i] = e.Warnings
	})
	for i, s := range out.Scores {
		out.Mean += s.Theta / float64(len(out.Scores))
		for _, w := range warned[i] {
			if !irt.Warned(out.Warnings, w) {
				out.Warnings = append(out.Warnings, w)
			}
		}
	}
	for _, s := range out.Scores {
		out.SD += (s.Theta - out.Mean) * (s.Theta - out.Mean) / float64(max(len(out.Scores)-1, 1))
	}
	out.SD = math.Sqrt(out.SD)
	return out, nil
}

// each calls do for every i below n, on all cores.
func each(n int, do func(i int)) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for w := range workers {
		wait.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				do(i)
			}
		})
	}
	wait.Wait()
}

// Sections lays the scores out.
func (s *IRTScores) Sections(l locale.Lang) []Section {
	rows := Section{Head: heads(l, "person", "theta", "se", "s", "s_se", "answers", "lz", "lz_p")}
	for _, p := range s.Scores {
		rows.Rows = append(rows.Rows, []string{p.Person, l.Number(p.Theta, 3), l.Number(p.SE, 3), l.Number(p.S, 1), l.Number(p.SSE, 1),
			l.Number(float64(p.Answers), 0), l.Number(p.Lz, 2), small(l, p.LzP)})
	}
	return []Section{rows, {Rows: pairs(l, "persons", l.Number(float64(s.Persons), 0), "mean", l.Number(s.Mean, 3), "sd", l.Number(s.SD, 3))}}
}

// Write keeps the scores.
func (s *IRTScores) Write(path string) error {
	return writeTable(path, []string{"person", "theta", "se", "s", "s_se", "answers", "lz", "lz_p"}, func(put func(...any)) {
		for _, p := range s.Scores {
			put(p.Person, p.Theta, p.SE, p.S, p.SSE, p.Answers, p.Lz, p.LzP)
		}
	})
}

// CATOptions say how simulated adaptive tests run.
type CATOptions struct {
	irt.CATOptions
	Shares  map[string]float64 // wanted of each content area; nil: as the bank has them, if it has areas
	Seed    uint64
	SkipBad bool
}

// CAT sums up simulated adaptive tests.
type CAT struct {
	People    int           `json:"people"`
	BankItems int           `json:"bank_items"`
	MeanItems float64       `json:"mean_items"`
	RMSE      float64       `json:"rmse"`     // logits
	Bias      float64       `json:"bias"`     // logits
	Coverage  float64       `json:"coverage"` // of 95 % intervals
	Reached   float64       `json:"reached"`  // share of tests that reached the precision
	Exposure  []CATExposure `json:"exposure"`
	Areas     []CATArea     `json:"areas,omitempty"`
	Noted

	people []irt.CATPerson
	bank   *bank
}

// CATExposure is how often an item was shown.
type CATExposure struct {
	Item  string  `json:"item"`
	Share float64 `json:"share"` // of the people
}

// CATArea is how much of the tests came from a content area.
type CATArea struct {
	Area   string  `json:"area"`
	Wanted float64 `json:"wanted"`
	Shown  float64 `json:"shown"`
}

// SimulateCAT gives adaptive tests from a bank to people of known abilities.
func SimulateCAT(ctx context.Context, bankPath, thetaPath string, o CATOptions) (*CAT, error) {
	k, err := readBank(bankPath, o.SkipBad)
	if err != nil {
		return nil, err
	}
	f, err := readFrame(thetaPath, []Want{{Name: "theta", Kind: Number}}, o.SkipBad)
	if err != nil {
		return nil, err
	}
	thetas := f.Numbers(0)
	out := &CAT{People: len(thetas), BankItems: len(k.items), bank: k, Noted: Noted{BadRows: append(k.bad, f.Bad...)}}
	if k.area != nil {
		o.Next.Content, o.Next.Shares = k.area, make([]float64, len(k.areas))
		for a, name := range k.areas {
			if o.Shares != nil {
				o.Next.Shares[a] = o.Shares[name]
				continue
			}
			n := 0
			for _, b := range k.area {
				if b == a {
					n++
				}
			}
			o.Next.Shares[a] = float64(n) / float64(len(k.area))
		}
	}
	for name := range o.Shares {
		if !slices.Contains(k.areas, name) {
			return nil, fault.New(fault.Invalid, "lab.irt.no_area", name, strings.Join(k.areas, ", "))
		}
	}
	r := irt.SimulateCAT(k.items, thetas, o.CATOptions, rand.New(rand.NewPCG(o.Seed, 0)))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out.MeanItems, out.RMSE, out.Bias, out.Coverage, out.Reached, out.people = r.MeanItems, r.RMSE, r.Bias, r.Coverage, r.Reached, r.People
	out.Warnings = r.Warnings
	shown := make([]float64, len(k.areas))
	total := 0.0
	for i, e := range r.Exposure {
		out.Exposure = append(out.Exposure, CATExposure{k.names[i], e})
		total += e
		if k.area != nil && k.area[i] >= 0 {
			shown[k.area[i]] += e
		}
	}
	for a, name := range k.areas {
		out.Areas = append(out.Areas, CATArea{name, o.Next.Shares[a], shown[a] / total})
	}
	return out, nil
}

// Sections lays the simulation out.
func (c *CAT) Sections(l locale.Lang) []Section {
	most, unseen := CATExposure{}, 0
	for _, e := range c.Exposure {
		if e.Share > most.Share {
			most = e
		}
		if e.Share == 0 {
			unseen++
		}
	}
	sum := Section{Rows: pairs(l,
		"people", l.Number(float64(c.People), 0), "bank_items", l.Number(float64(c.BankItems), 0),
		"mean_items", l.Number(c.MeanItems, 2), "rmse", l.Number(c.RMSE, 3), "bias", l.Number(c.Bias, 3),
		"coverage", l.Percent(c.Coverage, 1), "reached", l.Percent(c.Reached, 1),
		"most_exposed", fmt.Sprintf("%s %s", most.Item, l.Percent(most.Share, 1)), "never_shown", l.Number(float64(unseen), 0))}
	areas := Section{Title: l.T("lab.title.areas"), Head: heads(l, "area", "wanted", "shown")}
	for _, a := range c.Areas {
		areas.Rows = append(areas.Rows, []string{a.Area, l.Percent(a.Wanted, 1), l.Percent(a.Shown, 1)})
	}
	return []Section{sum, areas}
}

// Write keeps each simulated test.
func (c *CAT) Write(path string) error {
	return writeTable(path, []string{"truth", "theta", "se", "items"}, func(put func(...any)) {
		for _, p := range c.people {
			names := make([]string, len(p.Items))
			for i, k := range p.Items {
				names[i] = c.bank.names[k]
			}
			put(p.Truth, p.Theta, p.SE, strings.Join(names, " "))
		}
	})
}
