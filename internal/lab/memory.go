package lab

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"attune/internal/engine/memory"
	"attune/internal/fault"
	"attune/internal/locale"

	"github.com/go-json-experiment/json"
)

// Schedule is how one card is scheduled through a sequence of ratings.
type Schedule struct {
	Start   time.Time       `json:"start"`
	Weights memory.Weights  `json:"weights"`
	Reviews []ScheduledCard `json:"reviews"`
	Noted
}

// ScheduledCard is a review and the card after it.
type ScheduledCard struct {
	At         time.Time `json:"at"`
	Rating     int       `json:"rating"`
	Recall     float64   `json:"recall"` // probability just before the review; 0 at the first
	State      string    `json:"state"`  // new, learning, review, relearning
	Due        time.Time `json:"due"`
	Interval   int       `json:"interval"`   // whole days; 0 within the steps of minutes
	Stability  float64   `json:"stability"`  // days until recall falls to 0.9
	Difficulty float64   `json:"difficulty"` // 1–10
	Step       int       `json:"step"`
	Reviews    int       `json:"reps"`
	Lapses     int       `json:"lapses"`
}

var states = [...]string{memory.New: "new", memory.Learning: "learning", memory.InReview: "review", memory.Relearning: "relearning"}

// ScheduleCard reviews a new card with the ratings: the first at start, each
// other when it is due, or at the times given.
func ScheduleCard(ratings []int, start time.Time, times []time.Time, o memory.Options) (*Schedule, error) {
	s, err := memory.NewScheduler(o)
	if err != nil {
		return nil, Explain(err)
	}
	if times != nil && len(times) != len(ratings) {
		return nil, fault.New(fault.Invalid, "lab.memory.times", len(times), len(ratings))
	}
	c := memory.NewCard(start)
	out := &Schedule{Start: start, Weights: s.Weights()}
	for i, r := range ratings {
		at := c.Due
		if times != nil {
			at = times[i]
		}
		if r < 1 || r > 4 {
			return nil, Explain(memory.ErrRating)
		}
		recall := s.Recall(c, at)
		if c, err = s.Next(c, at, memory.Rating(r)); err != nil {
			return nil, Explain(err)
		}
		out.Reviews = append(out.Reviews, ScheduledCard{at, r, recall, states[c.State], c.Due, c.Interval, c.Stability, c.Difficulty, c.Step, c.Reviews, c.Lapses})
	}
	return out, nil
}

// Sections lays the schedule out.
func (s *Schedule) Sections(l locale.Lang) []Section {
	rows := Section{Head: heads(l, "at", "rating", "recall", "state", "due", "days", "stability", "difficulty")}
	for i, r := range s.Reviews {
		recall := "–"
		if i > 0 {
			recall = l.Percent(r.Recall, 1)
		}
		rows.Rows = append(rows.Rows, []string{l.DateTime(r.At), l.T("lab.rating." + strconv.Itoa(r.Rating)), recall, l.T("lab.state." + r.State),
			l.DateTime(r.Due), l.Number(float64(r.Interval), 0), l.Number(r.Stability, 3), l.Number(r.Difficulty, 3)})
	}
	return []Section{rows}
}

// ParseTime reads a time as people and logs write it: RFC 3339, or without
// seconds or zone (then UTC), or milliseconds since 1970.
func ParseTime(s string) (time.Time, error) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "lab.time", s)
}

// ParseWeights reads 21 weights: a list separated by commas, or a file with
// such a list or a JSON array or the JSON that a fit printed.
func ParseWeights(s string) (w memory.Weights, err error) {
	if text, err := os.ReadFile(s); err == nil {
		s = string(text)
		var fit struct {
			Weights []float64 `json:"weights"`
		}
		if json.Unmarshal(text, &fit) == nil && len(fit.Weights) == len(w) {
			return memory.Weights(fit.Weights), nil
		}
	}
	fields := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("[], \n\r\t", r) })
	if len(fields) != len(w) {
		return w, fault.New(fault.Invalid, "lab.memory.weights", len(fields))
	}
	for i, f := range fields {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return w, fault.New(fault.Invalid, "lab.memory.weight", f)
		}
		w[i] = x
	}
	if err := w.Validate(); err != nil {
		return w, fault.Wrap(err, fault.Invalid, "lab.memory.weight", s)
	}
	return w, nil
}

// readReviews reads a review log: card_id, review_time in ms since 1970,
// review_rating, and perhaps review_state.
func readReviews(path string, skipBad bool) ([]memory.Review, BadRows, error) {
	t, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer t.Close()
	at, err := t.Find("card_id", "review_time", "review_rating")
	if err != nil {
		return nil, nil, err
	}
	state := -1
	for i, c := range t.Columns {
		if c == "review_state" {
			state = i
		}
	}
	var log []memory.Review
	cards := names{}
	for t.Next() {
		if empty(t.Text(at[0])) {
			t.Reject(at[0], "lab.bad.empty")
			continue
		}
		r := memory.Review{Card: cards.one(t.Text(at[0]))}
		ms, ok := parseMillis(t.Text(at[1]))
		if !ok {
			t.Reject(at[1], "lab.bad.millis", string(t.Text(at[1])))
			continue
		}
		r.At = ms
		rating := t.Text(at[2])
		if len(rating) != 1 || rating[0] < '0' || rating[0] > '4' {
			t.Reject(at[2], "lab.bad.rating", string(rating))
			continue
		}
		r.Rating = memory.Rating(rating[0] - '0')
		if state >= 0 && !empty(t.Text(state)) {
			s := t.Text(state)
			if len(s) != 1 || s[0] < '0' || s[0] > '5' {
				t.Reject(state, "lab.bad.state", string(s))
				continue
			}
			r.State = s[0] - '0'
		}
		log = append(log, r)
	}
	if err := t.Done(skipBad); err != nil {
		return nil, nil, err
	}
	if len(log) == 0 {
		return nil, nil, fault.New(fault.Invalid, "lab.file.empty", path)
	}
	return log, t.Bad, nil
}

func parseMillis(field []byte) (int64, bool) {
	if ms, err := strconv.ParseInt(string(field), 10, 64); err == nil {
		return ms, true
	}
	if i := bytes.IndexByte(field, '.'); i > 0 && len(bytes.Trim(field[i+1:], "0")) == 0 { // a whole number as floating point columns write it
		ms, err := strconv.ParseInt(string(field[:i]), 10, 64)
		return ms, err == nil
	}
	return 0, false
}

// names keeps one copy of each name.
type names map[string]string

func (n names) one(field []byte) string {
	if s, ok := n[string(field)]; ok { // no copy is made to look up
		return s
	}
	s := string(field)
	n[s] = s
	return s
}

// MemoryFit is weights fitted to a review log.
type MemoryFit struct {
	Weights        memory.Weights `json:"weights"`
	Reviews        int            `json:"reviews"`  // fitted to
	LogLoss        float64        `json:"log_loss"` // on those reviews
	DefaultLogLoss float64        `json:"default_log_loss"`
	Iterations     int            `json:"iterations"`
	Noted
}

// FitMemory fits weights to a review log.
func FitMemory(path string, o memory.FitOptions, skipBad bool) (*MemoryFit, error) {
	log, bad, err := readReviews(path, skipBad)
	if err != nil {
		return nil, err
	}
	f, err := memory.FitWeights(log, o)
	if err != nil {
		return nil, Explain(err)
	}
	return &MemoryFit{f.Weights, f.Reviews, f.LogLoss, f.Default, f.Iterations, Noted{f.Warnings, bad}}, nil
}

// Sections lays the weights out.
func (f *MemoryFit) Sections(l locale.Lang) []Section {
	rows := Section{Title: l.T("lab.title.weights"), Head: heads(l, "weight", "fitted", "default")}
	for i, w := range f.Weights {
		rows.Rows = append(rows.Rows, []string{"w" + strconv.Itoa(i), l.Number(w, 4), l.Number(memory.Default[i], 4)})
	}
	return []Section{
		{Rows: pairs(l, "reviews", l.Number(float64(f.Reviews), 0), "log_loss", l.Number(f.LogLoss, 4), "default_log_loss", l.Number(f.DefaultLogLoss, 4))},
		rows,
	}
}

// WriteWeights keeps the weights as a JSON array.
func (f *MemoryFit) WriteWeights(path string) error {
	text, err := json.Marshal(f.Weights)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// MemoryMetrics say how well recall was foretold.
type MemoryMetrics struct {
	LogLoss  float64 `json:"log_loss"`
	RMSEBins float64 `json:"rmse_bins"`
	AUC      float64 `json:"auc"`
	Reviews  int     `json:"reviews"`
}

// MemoryEvaluation compares fitted weights with the defaults, or with others,
// on later reviews.
type MemoryEvaluation struct {
	MemoryMetrics
	Default MemoryMetrics    `json:"default"`
	Splits  []memory.Weights `json:"splits"` // the weights fitted before each split's test
	Noted
}

// EvaluateMemory fits and foretells over five expanding splits by time.
func EvaluateMemory(path string, o memory.FitOptions, skipBad bool) (*MemoryEvaluation, error) {
	log, bad, err := readReviews(path, skipBad)
	if err != nil {
		return nil, err
	}
	e, err := memory.Evaluate(log, o)
	if err != nil {
		return nil, Explain(err)
	}
	of := func(m memory.Metrics) MemoryMetrics { return MemoryMetrics{m.LogLoss, m.RMSEBins, m.AUC, m.Reviews} }
	return &MemoryEvaluation{of(e.Fitted), of(e.Default), e.Weights[:], Noted{e.Warnings, bad}}, nil
}

// Sections lays the comparison out.
func (e *MemoryEvaluation) Sections(l locale.Lang) []Section {
	cells := func(name string, m MemoryMetrics) []string {
		return []string{name, l.Number(m.LogLoss, 4), l.Number(m.RMSEBins, 4), l.Number(m.AUC, 4), l.Number(float64(m.Reviews), 0)}
	}
	return []Section{{Head: heads(l, "weights", "log_loss", "rmse_bins", "auc", "reviews"), Rows: [][]string{
		cells(l.T("lab.head.fitted"), e.MemoryMetrics), cells(l.T("lab.head.default"), e.Default),
	}}}
}
