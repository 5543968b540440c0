// Package trace says how likely a learner's next answer is right, from the
// answers so far: knowledge tracing.
//
// It holds the models of the field — performance factors analysis, Best-LR,
// DAS3H, Bayesian knowledge tracing — and a boosted model of its own that
// predicts better than they do. All are told of a question with several skills
// as one answer, never as one per skill: repeated, the answer would be known
// before it is asked.
package trace

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Row is one answer.
type Row struct {
	User    string
	Item    string
	Time    int64 // ms since 1970, UTC; all equal when unknown, and then the order of rows is time
	Correct bool
	Skills  []string // that the item asks for; may be empty
}

// Kind names a model.
type Kind string

// The models.
const (
	// PFA is performance factors analysis (Pavlik, Cen & Koedinger 2009): per
	// skill a difficulty, and a weight for successes and one for failures.
	PFA Kind = "pfa"
	// BestLR (Gervet, Koedinger, Schneider & Mitchell 2020) adds the item's
	// difficulty and the learner's counts over all skills, in logarithms.
	BestLR Kind = "best-lr"
	// DAS3H (Choffin, Popineau, Bourda & Vie 2019) counts wins and attempts
	// within the last hour, day, week, month and ever. Without timestamps it has
	// the last only.
	DAS3H Kind = "das3h"
	// BKT is Bayesian knowledge tracing (Corbett & Anderson 1995), four
	// probabilities per skill, fitted by EM.
	BKT Kind = "bkt"
	// Boosted is gradient-boosted trees over the history of the learner, the
	// skill and the item, that begin from Best-LR's prediction. Under some
	// 20,000 answers Best-LR itself may do as well or better.
	Boosted Kind = "boosted"
)

// Kinds lists the models.
var Kinds = []Kind{PFA, BestLR, DAS3H, BKT, Boosted}

// Errors and warnings.
var (
	ErrNoRows     = errors.New("trace: no answers")
	ErrOneOutcome = errors.New("trace: all answers alike; there is no AUC and little to fit")
	ErrNoTimes    = errors.New("trace: the answers have no times; the order of rows was taken for time")
	ErrUnseen     = errors.New("trace: items that were not fitted to were predicted by their skills")
	ErrKind       = errors.New("trace: no such model")
)

// Model is a fitted model.
type Model struct {
	Kind     Kind
	Rows     int // fitted to
	Warnings []error

	items, skills map[string]int32
	logistic      *logistic
	bkt           *bkt
	boosted       *boosted
}

// table is rows in columns, ordered by user and time.
type table struct {
	order  []int32 // place in the caller's rows
	first  []int32 // where each user begins, and at the end the number of rows
	item   []int32 // -1 if not known to the model
	at     []int64
	right  []bool
	skills []int32 // of all rows, one after another
	skill0 []int32 // where each row's skills begin, and at the end their number
	timed  bool
	unseen int
}

func (t *table) skillsOf(r int32) []int32 { return t.skills[t.skill0[r]:t.skill0[r+1]] }

// read orders rows. With learn it adds items and skills to the model's lists;
// without, those it does not know are -1, or left out.
func (m *Model) read(rows []Row, learn bool) *table {
	t := &table{order: make([]int32, len(rows))}
	users := map[string]int32{}
	user := make([]int32, len(rows))
	for i := range rows {
		u, ok := users[rows[i].User]
		if !ok {
			u = int32(len(users))
			users[rows[i].User] = u
		}
		user[i] = u
		t.order[i] = int32(i)
		t.timed = t.timed || rows[i].Time != rows[0].Time
	}
	slices.SortFunc(t.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(user[a], user[b]), cmp.Compare(rows[a].Time, rows[b].Time), cmp.Compare(a, b))
	})
	id := func(known map[string]int32, name string) int32 {
		n, ok := known[name]
		if !ok {
			if !learn {
				return -1
			}
			n = int32(len(known))
			known[name] = n
		}
		return n
	}
	for k, i := range t.order {
		r := &rows[i]
		if k == 0 || user[i] != user[t.order[k-1]] {
			t.first = append(t.first, int32(k))
		}
		it := id(m.items, r.Item)
		if it < 0 {
			t.unseen++
		}
		t.item = append(t.item, it)
		t.at = append(t.at, r.Time)
		t.right = append(t.right, r.Correct)
		t.skill0 = append(t.skill0, int32(len(t.skills)))
		for _, s := range r.Skills {
			if n := id(m.skills, s); n >= 0 && !slices.Contains(t.skillsFrom(k), n) {
				t.skills = append(t.skills, n)
			}
		}
	}
	t.first = append(t.first, int32(len(rows)))
	t.skill0 = append(t.skill0, int32(len(t.skills)))
	return t
}

func (t *table) skillsFrom(k int) []int32 { return t.skills[t.skill0[k]:] }

// Fit fits a model to answers. The same rows give the same model; seed moves
// the order in which the logistic models see them and the samples that trees
// are grown on.
func Fit(rows []Row, kind Kind, seed uint64) (*Model, error) {
	if len(rows) == 0 {
		return nil, ErrNoRows
	}
	m := &Model{Kind: kind, Rows: len(rows), items: map[string]int32{}, skills: map[string]int32{}}
	t := m.read(rows, true)
	if !slices.Contains(t.right, true) || !slices.Contains(t.right, false) {
		m.Warnings = append(m.Warnings, ErrOneOutcome)
	}
	if !t.timed {
		m.Warnings = append(m.Warnings, ErrNoTimes)
	}
	switch kind {
	case PFA, BestLR, DAS3H:
		m.logistic = fitLogistic(t, kind, len(m.items), len(m.skills), seed, -1)
	case BKT:
		m.bkt = fitBKT(t, len(m.skills))
	case Boosted:
		m.boosted = fitBoosted(t, len(m.items), len(m.skills), seed)
	default:
		return nil, fmt.Errorf("%w: %q", ErrKind, kind)
	}
	return m, nil
}

// Predict returns the probability that each answer is right, in the order of
// rows, each from the same user's answers before it in rows. The users may be
// new; what they did in the rows fitted to is not remembered.
func (m *Model) Predict(rows []Row) []float64 {
	out := make([]float64, len(rows))
	if len(rows) == 0 {
		return out
	}
	p, t := m.predict(rows)
	for k, i := range t.order {
		out[i] = p[k]
	}
	return out
}

func (m *Model) predict(rows []Row) ([]float64, *table) {
	t := m.read(rows, false)
	switch {
	case m.logistic != nil:
		return m.logistic.predict(t), t
	case m.bkt != nil:
		return m.bkt.predict(t), t
	}
	return m.boosted.predict(t), t
}

// Evaluation says how well answers were predicted.
type Evaluation struct {
	Rows        int
	AUC         float64   // chance that a right answer was given the higher probability; NaN if all are alike
	LogLoss     float64   // nats per answer; lower is better
	Accuracy    float64   // share on the right side of one half
	Predictions []float64 // probability of a right answer, in the order of the rows
	Warnings    []error
}

// Evaluate predicts rows and compares.
func (m *Model) Evaluate(rows []Row) (Evaluation, error) {
	if len(rows) == 0 {
		return Evaluation{}, ErrNoRows
	}
	p, t := m.predict(rows)
	e := Evaluation{Rows: len(rows), AUC: auc(p, t.right), Predictions: make([]float64, len(rows))}
	for k, i := range t.order {
		e.Predictions[i] = p[k]
		q := math.Min(math.Max(p[k], 1e-9), 1-1e-9)
		if t.right[k] {
			e.LogLoss -= math.Log(q)
		} else {
			e.LogLoss -= math.Log1p(-q)
		}
		if (p[k] >= 0.5) == t.right[k] {
			e.Accuracy++
		}
	}
	e.LogLoss /= float64(len(rows))
	e.Accuracy /= float64(len(rows))
	if math.IsNaN(e.AUC) {
		e.Warnings = append(e.Warnings, ErrOneOutcome)
	}
	if !t.timed {
		e.Warnings = append(e.Warnings, ErrNoTimes)
	}
	if t.unseen > 0 {
		e.Warnings = append(e.Warnings, fmt.Errorf("%w: %d answers", ErrUnseen, t.unseen))
	}
	return e, nil
}

// auc is the area under the receiver operating characteristic, ties counting
// half.
func auc(p []float64, y []bool) float64 {
	order := make([]int32, len(p))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(p[a], p[b]) })
	var right, wrong, won float64
	for i := 0; i < len(order); {
		j := i
		var r, w float64
		for ; j < len(order) && p[order[j]] == p[order[i]]; j++ {
			if y[order[j]] {
				r++
			} else {
				w++
			}
		}
		won += r * (wrong + w/2)
		right, wrong = right+r, wrong+w
		i = j
	}
	return won / (right * wrong)
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
func logit(p float64) float64   { return math.Log(p / (1 - p)) }
