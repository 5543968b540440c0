package lab

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"attune/internal/engine/text"
	"attune/internal/fault"
	"attune/internal/locale"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TextOptions say which texts of a file are read.
type TextOptions struct {
	File    string
	Text    string // column or field
	Label   string // column or field; "" for texts without
	SkipBad bool
}

// readTexts reads texts and labels from a CSV file; from a file whose name ends
// in .tsv, where quotation marks are text; or from one that ends in .jsonl, an
// object a line. An empty text is a text.
func readTexts(o TextOptions) (texts, labels []string, bad BadRows, err error) {
	known := names{}
	name := strings.TrimSuffix(o.File, ".gz")
	if strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ndjson") {
		bad, err = readObjects(o.File, o.SkipBad, func(row map[string]jsontext.Value) (string, string) {
			s, ok := plainText(row[o.Text])
			if !ok {
				return o.Text, "lab.bad.text"
			}
			label, ok := plainText(row[o.Label])
			if o.Label != "" && (!ok || label == "") {
				return o.Label, "lab.bad.empty"
			}
			texts, labels = append(texts, s), append(labels, known.one([]byte(label)))
			return "", ""
		})
		if err == nil && len(texts) == 0 {
			err = fault.New(fault.Invalid, "lab.file.empty", o.File)
		}
		return texts, labels, bad, err
	}
	t, err := (&Table{Name: o.File, plain: strings.HasSuffix(name, ".tsv")}).open()
	if err != nil {
		return nil, nil, nil, err
	}
	defer t.Close()
	at, err := t.Find(o.Text, o.Label)
	if err != nil {
		return nil, nil, nil, err
	}
	for t.Next() {
		label := ""
		if at[1] >= 0 {
			if len(t.Text(at[1])) == 0 {
				t.Reject(at[1], "lab.bad.empty")
				continue
			}
			label = known.one(t.Text(at[1]))
		}
		texts, labels = append(texts, string(t.Text(at[0]))), append(labels, label)
	}
	if err := t.Done(o.SkipBad); err != nil {
		return nil, nil, nil, err
	}
	if len(texts) == 0 {
		return nil, nil, nil, fault.New(fault.Invalid, "lab.file.empty", o.File)
	}
	return texts, labels, t.Bad, nil
}

// readObjects reads a file of one JSON object a line, gzipped or not; take
// names the field that is wrong and what is wrong with it, if anything.
func readObjects(path string, skipBad bool, take func(map[string]jsontext.Value) (field, key string)) (bad BadRows, err error) {
	data, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	line := 0
	for row := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line++
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		var o map[string]jsontext.Value
		if err := json.Unmarshal(row, &o); err != nil || o == nil {
			bad = append(bad, BadRow{File: path, Line: line, Key: "lab.bad.object"})
			continue
		}
		if field, key := take(o); key != "" {
			bad = append(bad, BadRow{File: path, Line: line, Column: field, Key: key})
		}
	}
	if len(bad) > 0 && !skipBad {
		return nil, bad
	}
	return bad, nil
}

func readWhole(path string) ([]byte, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fault.Wrap(err, fault.NotFound, "lab.file.none", path)
	case err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return data, err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "lab.file.spoilt", path, 1)
	}
	return data, nil
}

// plainText is a JSON string, or a number or truth value as it is written.
func plainText(v jsontext.Value) (string, bool) {
	switch v.Kind() {
	case '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err == nil
	case '0', 't', 'f':
		return string(v), true
	}
	return "", false
}

// stopwatch measures the processor time that work took, or the time on the
// wall where the system does not tell.
type stopwatch struct {
	usage func() Usage
	cpu   time.Duration
	wall  time.Time
}

func watch(usage func() Usage) stopwatch { return stopwatch{usage, usage().CPU, time.Now()} }

func (w stopwatch) seconds() float64 {
	if used := w.usage().CPU - w.cpu; used > 0 {
		return used.Seconds()
	}
	return time.Since(w.wall).Seconds()
}

// TextModel is a classifier just trained.
type TextModel struct {
	Labels  int       `json:"labels"`
	Card    text.Card `json:"card"`
	Seconds float64   `json:"cpu_seconds"`
	Bytes   int64     `json:"bytes"` // of the file
	Noted

	model *text.Linear
}

// TrainText trains a classifier.
func TrainText(o TextOptions, r text.Recipe, usage func() Usage) (*TextModel, error) {
	texts, labels, bad, err := readTexts(o)
	if err != nil {
		return nil, err
	}
	w := watch(usage)
	m, err := text.Train(texts, labels, r)
	if err != nil {
		return nil, err
	}
	return &TextModel{Labels: len(m.Labels), Card: m.Card, Seconds: w.seconds(), Noted: Noted{m.Warnings, bad}, model: m}, nil
}

// Write keeps the classifier.
func (r *TextModel) Write(path string) error {
	var b bytes.Buffer
	if err := r.model.Write(&b); err != nil {
		return err
	}
	r.Bytes = int64(b.Len())
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// Sections lays the card out.
func (r *TextModel) Sections(l locale.Lang) []Section {
	c := r.Card
	return []Section{{Rows: pairs(l, "texts", l.Number(float64(c.Texts), 0), "labels", l.Number(float64(r.Labels), 0), "grams", l.Number(float64(c.Grams), 0),
		"held_out", l.Number(float64(c.HeldOut), 0), "accuracy", l.Percent(c.Accuracy, 2), "macro_f1", l.Number(c.MacroF1, 4),
		"temperature", l.Number(c.Temperature, 3), "calibration", l.Number(c.ECE, 4), "cpu_seconds", l.Number(r.Seconds, 1),
		"bytes", l.Number(float64(r.Bytes), 0), "data_hash", c.DataHash)}}
}

func readModel(path string) (*text.Linear, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "lab.file.none", path)
	} else if err != nil {
		return nil, err
	}
	m, err := text.ReadLinear(bytes.NewReader(data))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "lab.text.model", path)
	}
	return m, nil
}

// TextScores say how well a classifier does on texts it has not seen.
type TextScores struct {
	Texts    int      `json:"texts"` // in scope
	Accuracy float64  `json:"accuracy"`
	Low      float64  `json:"accuracy_low"`  // 95 % interval (Wilson 1927)
	High     float64  `json:"accuracy_high"` //
	MacroF1  float64  `json:"macro_f1"`
	ECE      float64  `json:"calibration_error"`
	Speed    float64  `json:"docs_per_second"` // of one processor
	OOS      int      `json:"oos_texts,omitzero"`
	AUROC    *float64 `json:"auroc_oos,omitzero"`
	Noted

	rows [][]any
}

// TestText puts a classifier to a file. Texts labelled oos are out of scope:
// they count in AUROC alone.
func TestText(model string, o TextOptions, oos string, usage func() Usage) (*TextScores, error) {
	m, err := readModel(model)
	if err != nil {
		return nil, err
	}
	texts, labels, bad, err := readTexts(o)
	if err != nil {
		return nil, err
	}
	r := m.NewReader()
	out := &TextScores{Noted: Noted{BadRows: bad}}
	var want, got []string
	var probability, strange []float64
	var right, outside []bool
	unknown := 0
	learned := slices.Index(m.Labels, oos) // −1 unless examples of what is out of scope were
	for i, s := range texts {
		p := r.Classify(s)
		label := m.Labels[p.Label]
		if oos != "" && learned >= 0 { // either is reason enough
			q := p.Probability[learned]
			p.OutOfScope = q + (1-q)*p.OutOfScope
		}
		out.rows = append(out.rows, []any{s, labels[i], label, p.Probability[p.Label], p.OutOfScope})
		strange, outside = append(strange, p.OutOfScope), append(outside, labels[i] == oos)
		if oos != "" && labels[i] == oos {
			out.OOS++
			continue
		}
		if _, ok := slices.BinarySearch(m.Labels, labels[i]); !ok {
			unknown++
		}
		want, got = append(want, labels[i]), append(got, label)
		probability, right = append(probability, p.Probability[p.Label]), append(right, label == labels[i])
	}
	out.Texts, out.Accuracy, out.MacroF1 = len(want), text.Accuracy(want, got), text.MacroF1(want, got)
	out.ECE = text.CalibrationError(probability, right)
	out.Low, out.High = wilson(out.Accuracy, len(want))
	if oos != "" {
		a := text.AUROC(strange, outside)
		out.AUROC = &a
	}
	if unknown > 0 {
		out.Warnings = append(out.Warnings, fault.New(fault.Invalid, "lab.warn.text.unlearned", unknown))
	}
	// A short file is read again until the clock has something to measure.
	w, read := watch(usage), 0
	for read == 0 || w.seconds() < 0.2 {
		for _, s := range texts {
			r.Label(s)
		}
		read += len(texts)
	}
	out.Speed = float64(read) / w.seconds()
	return out, nil
}

// wilson is the 95 % interval of a share (Wilson 1927).
func wilson(p float64, n int) (low, high float64) {
	const z = 1.959964
	k := float64(n)
	mid, half := p+z*z/(2*k), z*math.Sqrt(p*(1-p)/k+z*z/(4*k*k))
	return (mid - half) / (1 + z*z/k), (mid + half) / (1 + z*z/k)
}

// Sections lays the scores out.
func (r *TextScores) Sections(l locale.Lang) []Section {
	s := Section{Rows: pairs(l, "texts", l.Number(float64(r.Texts), 0), "accuracy", l.Percent(r.Accuracy, 2),
		"interval", l.Percent(r.Low, 2)+" – "+l.Percent(r.High, 2), "macro_f1", l.Number(r.MacroF1, 4),
		"calibration", l.Number(r.ECE, 4), "docs_per_second", l.Number(r.Speed, 0))}
	if r.AUROC != nil {
		s.Rows = append(s.Rows, pairs(l, "oos_texts", l.Number(float64(r.OOS), 0), "auroc_oos", l.Number(*r.AUROC, 4))...)
	}
	return []Section{s}
}

// Write keeps each prediction beside the label.
func (r *TextScores) Write(path string) error {
	return writeTable(path, []string{"text", "label", "predicted", "probability", "out_of_scope"}, func(put func(...any)) {
		for _, row := range r.rows {
			put(row...)
		}
	})
}

// Classified are texts with what a classifier says of them.
type Classified struct {
	Texts []ClassifiedText `json:"texts"`
	Noted
}

// ClassifiedText is a text, its likeliest label, and why.
type ClassifiedText struct {
	Text        string       `json:"text"`
	Label       string       `json:"label"`
	Probability float64      `json:"probability"`
	OutOfScope  float64      `json:"out_of_scope"`
	Reasons     []TextReason `json:"reasons"`
}

// TextReason is a stretch of the text and what it adds to the label's score.
type TextReason struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

// ClassifyText classifies a file's texts; without a column each line is one.
func ClassifyText(model string, o TextOptions, reasons int) (*Classified, error) {
	m, err := readModel(model)
	if err != nil {
		return nil, err
	}
	out := new(Classified)
	var texts []string
	if o.Text == "" {
		data, err := readWhole(o.File)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				texts = append(texts, string(line))
			}
		}
	} else if texts, _, out.BadRows, err = readTexts(o); err != nil {
		return nil, err
	}
	r := m.NewReader()
	for _, s := range texts {
		p := r.Classify(s)
		c := ClassifiedText{s, m.Labels[p.Label], p.Probability[p.Label], p.OutOfScope, nil}
		for _, why := range r.Reasons(s, p.Label, reasons) {
			c.Reasons = append(c.Reasons, TextReason{why.Of(s), why.Weight})
		}
		out.Texts = append(out.Texts, c)
	}
	return out, nil
}

// Sections lays the texts out.
func (r *Classified) Sections(l locale.Lang) []Section {
	s := Section{Head: heads(l, "label", "probability", "out_of_scope", "text", "reasons")}
	for _, c := range r.Texts {
		var why []string
		for _, w := range c.Reasons {
			why = append(why, strings.Join(strings.Fields(w.Text), " ")+" "+l.Number(w.Weight, 1))
		}
		short := []rune(strings.Join(strings.Fields(c.Text), " "))
		if len(short) > 40 {
			short = append(short[:39], '…')
		}
		s.Rows = append(s.Rows, []string{c.Label, l.Number(c.Probability, 3), l.Number(c.OutOfScope, 2), string(short), strings.Join(why, " · ")})
	}
	return []Section{s}
}

// Write keeps each text with its label.
func (r *Classified) Write(path string) error {
	return writeTable(path, []string{"text", "label", "probability", "out_of_scope"}, func(put func(...any)) {
		for _, c := range r.Texts {
			put(c.Text, c.Label, c.Probability, c.OutOfScope)
		}
	})
}

// TextSearch says how well passages are found.
type TextSearch struct {
	Passages int     `json:"passages"`
	Queries  int     `json:"queries"`
	Recall1  float64 `json:"recall_at_1"`
	Recall10 float64 `json:"recall_at_10"`
	MRR      float64 `json:"mrr"` // over the first 100 found
	Millis   float64 `json:"ms_per_query"`
	Noted

	rows [][]any
}

// SearchText puts queries to passages, each an object a line, {"id", "text"}
// and {"text", "relevant": [id, …]}.
func SearchText(corpus, queries string, top int, skipBad bool, usage func() Usage) (*TextSearch, error) {
	var x text.Index
	out := new(TextSearch)
	bad, err := readObjects(corpus, skipBad, func(o map[string]jsontext.Value) (string, string) {
		id, ok := plainText(o["id"])
		if !ok || id == "" {
			return "id", "lab.bad.empty"
		}
		s, ok := plainText(o["text"])
		if !ok {
			return "text", "lab.bad.text"
		}
		if x.Has(id) {
			return "id", "lab.bad.again"
		}
		x.Add(id, s)
		return "", ""
	})
	if err != nil {
		return nil, err
	}
	out.BadRows = bad
	type query struct {
		text     string
		relevant []string
	}
	var asked []query
	missing := 0
	bad, err = readObjects(queries, skipBad, func(o map[string]jsontext.Value) (string, string) {
		s, ok := plainText(o["text"])
		if !ok {
			return "text", "lab.bad.text"
		}
		var ids []jsontext.Value
		if json.Unmarshal(o["relevant"], &ids) != nil || len(ids) == 0 {
			return "relevant", "lab.bad.empty"
		}
		q := query{text: s}
		for _, v := range ids {
			id, _ := plainText(v)
			if !x.Has(id) {
				missing++
			}
			q.relevant = append(q.relevant, id)
		}
		asked = append(asked, q)
		return "", ""
	})
	if err != nil {
		return nil, err
	}
	out.BadRows = append(out.BadRows, bad...)
	if out.Passages, out.Queries = x.Len(), len(asked); len(asked) == 0 || x.Len() == 0 {
		return nil, fault.New(fault.Invalid, "lab.file.empty", cmp.Or(map[bool]string{true: corpus}[x.Len() == 0], queries))
	}
	if missing > 0 {
		out.Warnings = append(out.Warnings, fault.New(fault.Invalid, "lab.warn.text.missing", missing))
	}
	w := watch(usage)
	found := make([][]text.Hit, len(asked))
	for i, q := range asked {
		found[i] = x.Search(q.text, max(top, 100))
	}
	out.Millis = w.seconds() * 1000 / float64(len(asked))
	n := float64(len(asked))
	for i, q := range asked {
		ids := make([]string, len(found[i]))
		for k, h := range found[i] {
			ids[k] = h.ID
			if k < top {
				out.rows = append(out.rows, []any{q.text, strconv.Itoa(k + 1), h.ID, h.Score})
			}
		}
		out.Recall1 += text.Recall(ids, q.relevant, 1) / n
		out.Recall10 += text.Recall(ids, q.relevant, 10) / n
		out.MRR += text.ReciprocalRank(ids, q.relevant) / n
	}
	return out, nil
}

// Sections lays the figures out.
func (r *TextSearch) Sections(l locale.Lang) []Section {
	return []Section{{Rows: pairs(l, "passages", l.Number(float64(r.Passages), 0), "queries", l.Number(float64(r.Queries), 0),
		"recall_at_1", l.Number(r.Recall1, 4), "recall_at_10", l.Number(r.Recall10, 4), "mrr", l.Number(r.MRR, 4),
		"ms_per_query", l.Number(r.Millis, 3))}}
}

// Write keeps what was found.
func (r *TextSearch) Write(path string) error {
	return writeTable(path, []string{"query", "rank", "id", "score"}, func(put func(...any)) {
		for _, row := range r.rows {
			put(row...)
		}
	})
}
