package lab

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"

	"attune/internal/engine/trace"
	"attune/internal/fault"
	"attune/internal/locale"
)

// TraceOptions say how answers are foretold.
type TraceOptions struct {
	Train   string // file to fit to
	Test    string // file to foretell; "" for folds of the train file's users, or that file itself
	Folds   int    // of users
	Model   trace.Kind
	Seed    uint64
	SkipBad bool
}

// Trace says how well answers were foretold.
type Trace struct {
	Model     trace.Kind `json:"model"`
	On        string     `json:"on"` // test, folds (users not fitted to) or train (fitted to)
	Rows      int        `json:"rows"`
	Users     int        `json:"users"`
	TrainRows int        `json:"train_rows"`
	Correct   float64    `json:"correct"` // share
	AUC       float64    `json:"auc"`
	LogLoss   float64    `json:"log_loss"` // nats
	Accuracy  float64    `json:"accuracy"`
	Folds     []float64  `json:"fold_auc,omitempty"`
	Noted

	rows        []trace.Row
	predictions []float64
}

// expanded warns of one answer given as several rows, one per skill: all but
// the first row of such an answer are foretold from itself.
var expanded = fault.New(fault.Invalid, "lab.warn.trace.expanded")

func readAnswers(path string, skipBad bool) ([]trace.Row, []error, BadRows, error) {
	t, err := Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	defer t.Close()
	at, err := t.Find("user_id", "item_id", "correct")
	if err != nil {
		return nil, nil, nil, err
	}
	when, skill := slices.Index(t.Columns, "timestamp"), slices.Index(t.Columns, "skill_id")
	var rows []trace.Row
	known, sets := names{}, map[string][]string{}
	again, seconds := 0, true
	var lastSkills string
rows:
	for t.Next() {
		for _, c := range at[:2] {
			if empty(t.Text(c)) {
				t.Reject(c, "lab.bad.empty")
				continue rows
			}
		}
		r := trace.Row{User: known.one(t.Text(at[0])), Item: known.one(t.Text(at[1]))}
		x, ok := parseNumber(t.Text(at[2]))
		if !ok || x != 0 && x != 1 {
			t.Reject(at[2], "lab.bad.correct", string(t.Text(at[2])))
			continue
		}
		r.Correct = x == 1
		if when >= 0 {
			if r.Time, ok = parseMillis(t.Text(when)); !ok {
				moment, err := ParseTime(string(t.Text(when)))
				if err != nil {
					t.Reject(when, "lab.bad.time", string(t.Text(when)))
					continue
				}
				r.Time, seconds = moment.UnixMilli(), false
			}
			seconds = seconds && r.Time > 1e8 && r.Time < 1e11
		}
		var skills string
		if skill >= 0 {
			set, ok := sets[string(t.Text(skill))]
			if !ok {
				for _, s := range splitSkills(t.Text(skill)) {
					set = append(set, known.one(s))
				}
				sets[string(t.Text(skill))] = set
			}
			r.Skills = set
			skills = strings.Join(set, "\x00")
		}
		if n := len(rows); n > 0 && rows[n-1].User == r.User && rows[n-1].Item == r.Item && rows[n-1].Time == r.Time &&
			rows[n-1].Correct == r.Correct && skills != lastSkills {
			again++
		}
		lastSkills = skills
		rows = append(rows, r)
	}
	if err := t.Done(skipBad); err != nil {
		return nil, nil, nil, err
	}
	if len(rows) == 0 {
		return nil, nil, nil, fault.New(fault.Invalid, "lab.file.empty", path)
	}
	if seconds { // since 1970, between 1973 and 5138; in ms they would all lie before 1973
		for i := range rows {
			rows[i].Time *= 1000
		}
	}
	var warnings []error
	if again > 0 {
		warnings = append(warnings, fault.New(expanded.Kind, expanded.Key, again))
	}
	return rows, warnings, t.Bad, nil
}

// splitSkills cuts "3~12", "3;12", "3|12" and "3,12" into skills, and "3_12"
// where all parts are numbers: names may have an underscore in them.
func splitSkills(field []byte) [][]byte {
	if empty(field) {
		return nil
	}
	number := bytes.ContainsRune(field, '_') && len(bytes.Trim(field, "0123456789_")) == 0
	return bytes.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune("~;|,", r) || number && r == '_' })
}

func users(rows []trace.Row) []string {
	seen := map[string]bool{}
	var out []string
	for i := range rows {
		if u := rows[i].User; !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	return out
}

// RunTrace fits a model and foretells: the test file's answers if there is one;
// with folds, those of each fold of users from the others; else the train
// file's own.
func RunTrace(o TraceOptions) (*Trace, error) {
	train, warnings, bad, err := readAnswers(o.Train, o.SkipBad)
	if err != nil {
		return nil, err
	}
	out := &Trace{Model: o.Model, TrainRows: len(train), Noted: Noted{warnings, bad}}
	switch {
	case o.Test != "":
		out.On = "test"
		var more []error
		if out.rows, more, bad, err = readAnswers(o.Test, o.SkipBad); err != nil {
			return nil, err
		}
		out.Warnings, out.BadRows = append(out.Warnings, more...), append(out.BadRows, bad...)
		m, err := trace.Fit(train, o.Model, o.Seed)
		if err != nil {
			return nil, Explain(err)
		}
		return out, out.take(m)
	case o.Folds > 1:
		out.On = "folds"
		return out, out.fold(train, o)
	}
	out.On, out.rows = "train", train
	m, err := trace.Fit(train, o.Model, o.Seed)
	if err != nil {
		return nil, Explain(err)
	}
	return out, out.take(m)
}

// take foretells the rows with the model, and scores that.
func (r *Trace) take(m *trace.Model) error {
	e, err := m.Evaluate(r.rows)
	if err != nil {
		return Explain(err)
	}
	r.Warnings = append(append(r.Warnings, m.Warnings...), e.Warnings...)
	r.AUC, r.LogLoss, r.Accuracy, r.predictions = e.AUC, e.LogLoss, e.Accuracy, e.Predictions
	r.count()
	return nil
}

func (r *Trace) count() {
	r.Rows, r.Users = len(r.rows), len(users(r.rows))
	for i := range r.rows {
		if r.rows[i].Correct {
			r.Correct += 1 / float64(len(r.rows))
		}
	}
	r.Warnings = once(r.Warnings)
}

// fold foretells each fold of users from the answers of the others. The
// figures are means over the folds, weighted by rows.
func (r *Trace) fold(rows []trace.Row, o TraceOptions) error {
	all := users(rows)
	if len(all) < o.Folds {
		return fault.New(fault.Invalid, "lab.trace.few_users", len(all), o.Folds)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	of := map[string]int{}
	for i, u := range all {
		of[u] = i % o.Folds
	}
	r.rows, r.predictions = rows, make([]float64, len(rows))
	for k := range o.Folds {
		var train, test []trace.Row
		var place []int
		for i := range rows {
			if of[rows[i].User] == k {
				test, place = append(test, rows[i]), append(place, i)
			} else {
				train = append(train, rows[i])
			}
		}
		m, err := trace.Fit(train, o.Model, o.Seed)
		if err != nil {
			return Explain(err)
		}
		e, err := m.Evaluate(test)
		if err != nil {
			return Explain(err)
		}
		w := float64(len(test)) / float64(len(rows))
		r.AUC, r.LogLoss, r.Accuracy = r.AUC+w*e.AUC, r.LogLoss+w*e.LogLoss, r.Accuracy+w*e.Accuracy
		r.Folds = append(r.Folds, e.AUC)
		r.Warnings = append(append(r.Warnings, m.Warnings...), e.Warnings...)
		for j, i := range place {
			r.predictions[i] = e.Predictions[j]
		}
	}
	r.count()
	return nil
}

// Sections lays the figures out.
func (r *Trace) Sections(l locale.Lang) []Section {
	s := Section{Rows: pairs(l, "model", string(r.Model), "on", l.T("lab.trace.on."+r.On), "train_rows", l.Number(float64(r.TrainRows), 0),
		"rows", l.Number(float64(r.Rows), 0), "users", l.Number(float64(r.Users), 0), "correct", l.Percent(r.Correct, 1),
		"auc", l.Number(r.AUC, 4), "log_loss", l.Number(r.LogLoss, 4), "accuracy", l.Percent(r.Accuracy, 2))}
	if len(r.Folds) > 0 {
		var each []string
		for _, a := range r.Folds {
			each = append(each, l.Number(a, 4))
		}
		s.Rows = append(s.Rows, pairs(l, "fold_auc", strings.Join(each, " "))...)
	}
	return []Section{s}
}

// Write keeps each prediction beside the answer.
func (r *Trace) Write(path string) error {
	return writeTable(path, []string{"user_id", "item_id", "timestamp", "correct", "prediction"}, func(put func(...any)) {
		for i := range r.rows {
			row, right := &r.rows[i], 0
			if row.Correct {
				right = 1
			}
			put(row.User, row.Item, row.Time, right, r.predictions[i])
		}
	})
}
