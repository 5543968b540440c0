// Package need finds what people need to learn: what a position requires less
// what its people are able at, with its error, beside what people, managers,
// processes and interviews say; ranked by weights that are stated.
package need

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/org"
)

// Fewest is the smallest group whose figures are shown; a smaller one would
// tell of persons.
const Fewest = 5

// Weights say how much each kind of evidence counts in the ranking. They need
// not sum to 1. Evidence that is lacking is left out and the rest counts more.
type Weights struct {
	Gap        float64 `json:"gap"`        // measured: R − S
	Importance float64 `json:"importance"` // of the skill to the position
	Self       float64 `json:"self"`       // Borich's weighted discrepancy of self-ratings
	Manager    float64 `json:"manager"`    // the same of manager ratings
	Process    float64 `json:"process"`    // difficulty × importance × frequency of the work it serves
	Interest   float64 `json:"interest"`   // people asking to learn it
	Interview  float64 `json:"interview"`  // notes filed to it
}

// DefaultWeights trust what was measured most, and what people say of
// themselves least (self-ratings agree with tests at about .3, Zell & Krizan 2014).
var DefaultWeights = Weights{Gap: 0.4, Importance: 0.15, Self: 0.1, Manager: 0.15, Process: 0.1, Interest: 0.05, Interview: 0.05}

func (w Weights) list() [7]float64 {
	return [7]float64{w.Gap, w.Importance, w.Self, w.Manager, w.Process, w.Interest, w.Interview}
}

func (w Weights) valid() bool {
	sum := 0.0
	for _, x := range w.list() {
		if !(x >= 0) {
			return false
		}
		sum += x
	}
	return sum > 0 && !math.IsInf(sum, 0)
}

// Evidence is what speaks for a need. A pointer is nil where nothing was asked.
type Evidence struct {
	Required   float64  `json:"required"`    // R, points
	RequiredSE float64  `json:"required_se"` // of the panel
	Measured   float64  `json:"measured"`    // mean S, points
	MeasuredSE float64  `json:"measured_se"`
	Tested     int      `json:"tested"`     // people measured
	Below      float64  `json:"below"`      // share of them whose S lies under R
	Importance float64  `json:"importance"` // 0–100
	Self       *Judged  `json:"self,omitempty"`
	Manager    *Judged  `json:"manager,omitempty"`
	Quadrant   string   `json:"quadrant,omitempty"` // importance–performance: concentrate, keep_up, low_priority, overkill
	Class      string   `json:"class,omitempty"`    // difficulty–importance–frequency: overtrain, train, no_training
	Load       float64  `json:"load"`               // difficulty × importance × frequency of the steps it serves
	Steps      []string `json:"steps,omitempty"`    // org.StepID
	Interest   *float64 `json:"interest,omitempty"` // mean of 1–5
	Interviews int      `json:"interviews"`
}

// Judged is what ratings say of a skill in a position.
type Judged struct {
	People    int     `json:"people"`
	Able      float64 `json:"able"`      // mean, 1–5
	Important float64 `json:"important"` // mean, 1–5
	Borich    float64 `json:"borich"`    // mean (important − able) × mean important: −20 to 20 (Borich 1980)
	Ranked    float64 `json:"ranked"`    // ranked discrepancy score, −100 to 100: below 0 more people judge able under important than over (Narine & Harder 2021)
}

// Need is a skill that a position lacks.
type Need struct {
	Skill    org.SkillID    `json:"skill"`
	Position org.PositionID `json:"position"`
	People   int            `json:"people"`
	Gap      float64        `json:"gap"` // R − S, points
	GapSE    float64        `json:"gap_se"`
	Score    float64        `json:"score"` // 0–100
	Place    int            `json:"place"` // 1 is the greatest need
	// Best and Worst are the places it takes as each weight in turn is halved
	// and doubled: how much the ranking owes to the weights.
	Best       int       `json:"best"`
	Worst      int       `json:"worst"`
	Evidence   Evidence  `json:"evidence"`
	Weights    Weights   `json:"-"`
	FoundAt    time.Time `json:"-"`
	ApprovedAt time.Time `json:"-"`
	ApprovedBy string    `json:"-"`
	Comment    string    `json:"-"`
}

// Find works out the needs of a programme from everything known and keeps
// them in place of what was found before; approvals of pairs that are still
// needs stay. Positions of fewer than five people are left out.
func Find(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, w Weights) ([]Need, error) {
	if !w.valid() {
		return nil, fault.New(fault.Invalid, "need.weights")
	}
	all, err := weigh(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "need.nothing_required", Fewest)
	}
	Rank(all, w)
	was, err := Needs(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	if _, err := t.Exec(ctx, `DELETE FROM need WHERE programme_id = $1`, programme); err != nil {
		return nil, err
	}
	args := make([]any, 0, 14*len(all))
	for i := range all {
		n := &all[i]
		n.Weights, n.FoundAt = w, t.Now
		for _, o := range was {
			if o.Skill == n.Skill && o.Position == n.Position {
				n.ApprovedAt, n.ApprovedBy, n.Comment = o.ApprovedAt, o.ApprovedBy, o.Comment
			}
		}
		args = append(args, programme, n.Skill, n.Position, n.People, n.Gap, n.GapSE, n.Score, n.Place, db.JSON{V: n.stored()}, db.JSON{V: w},
			db.Millis(t.Now), db.Millis(n.ApprovedAt), db.OrNull(n.ApprovedBy), n.Comment)
	}
	return all, t.Many(ctx, `INSERT INTO need (programme_id, skill_id, position_id, people, gap, gap_se, score, place, evidence, weights, found_at, approved_at, approved_by, comment)`, 14, args, "")
}

// stored is what the evidence column holds.
type stored struct {
	Evidence
	Best  int `json:"best"`
	Worst int `json:"worst"`
}

func (n *Need) stored() stored { return stored{n.Evidence, n.Best, n.Worst} }

// Needs returns what was found in a programme, the greatest need first.
func Needs(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) ([]Need, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (n Need, err error) {
		var e stored
		err = s.Scan(&n.Skill, &n.Position, &n.People, &n.Gap, &n.GapSE, &n.Score, &n.Place, &db.JSON{V: &e}, &db.JSON{V: &n.Weights},
			(*db.Ms)(&n.FoundAt), (*db.Ms)(&n.ApprovedAt), db.Null(&n.ApprovedBy), &n.Comment)
		n.Evidence, n.Best, n.Worst = e.Evidence, e.Best, e.Worst
		return n, err
	}, `
		SELECT skill_id, position_id, people, gap, gap_se, score, place, evidence, weights, found_at, approved_at, approved_by, comment
		FROM need WHERE programme_id = $1 ORDER BY place`, programme)
}

// Approve takes a need up into the programme, with a comment.
func Approve(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, skill org.SkillID, position org.PositionID, by, comment string) error {
	n, err := t.Exec(ctx, `
		UPDATE need SET approved_at = $4, approved_by = $5, comment = $6
		WHERE programme_id = $1 AND skill_id = $2 AND position_id = $3`, programme, skill, position, db.Millis(t.Now), by, strings.TrimSpace(comment))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	return err
}

// Rank scores needs by the weights and puts them in order. Each kind of
// evidence is brought to 0–1 over the needs at hand; a need's score is 100
// times the weighted mean of what is known of it.
func Rank(all []Need, w Weights) {
	parts := normalised(all)
	score := func(w Weights) []float64 {
		weights := w.list()
		out := make([]float64, len(all))
		for i := range all {
			var sum, of float64
			for k, x := range parts[i] {
				if !math.IsNaN(x) {
					sum += weights[k] * x
					of += weights[k]
				}
			}
			if of > 0 {
				out[i] = 100 * sum / of
			}
		}
		return out
	}
	places := func(score []float64) []int {
		order := make([]int, len(all))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(all[a].Skill, all[b].Skill), cmp.Compare(all[a].Position, all[b].Position))
		})
		place := make([]int, len(all))
		for p, i := range order {
			place[i] = p + 1
		}
		return place
	}
	now := score(w)
	place := places(now)
	for i := range all {
		all[i].Score, all[i].Place, all[i].Best, all[i].Worst = now[i], place[i], place[i], place[i]
	}
	for k := range w.list() {
		for _, by := range []float64{0.5, 2} {
			for i, p := range places(score(w.scaled(k, by))) {
				all[i].Best, all[i].Worst = min(all[i].Best, p), max(all[i].Worst, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b Need) int { return cmp.Compare(a.Place, b.Place) })
}

// scaled returns the weights with the k-th of list multiplied.
func (w Weights) scaled(k int, by float64) Weights {
	p := []*float64{&w.Gap, &w.Importance, &w.Self, &w.Manager, &w.Process, &w.Interest, &w.Interview}
	*p[k] *= by
	return w
}

// normalised returns every need's evidence on 0–1, NaN where there is none.
// A gap counts from 0, so that a skill that nobody lacks gets nothing for it.
func normalised(all []Need) [][7]float64 {
	raw := make([][7]float64, len(all))
	for i, n := range all {
		e := n.Evidence
		row := [7]float64{math.Max(0, n.Gap), e.Importance, math.NaN(), math.NaN(), e.Load, math.NaN(), float64(e.Interviews)}
		if e.Self != nil {
			row[2] = math.Max(0, e.Self.Borich)
		}
		if e.Manager != nil {
			row[3] = math.Max(0, e.Manager.Borich)
		}
		if e.Interest != nil {
			row[5] = *e.Interest - 1
		}
		if e.Tested == 0 {
			row[0] = math.NaN()
		}
		raw[i] = row
	}
	for k := range 7 {
		top := 0.0
		for _, r := range raw {
			if r[k] > top {
				top = r[k]
			}
		}
		for i := range raw {
			if top > 0 {
				raw[i][k] /= top
			}
		}
	}
	return raw
}

// BySkill folds needs over positions: the mean gap over the people of the
// positions that require the skill, and its place.
type BySkill struct {
	Skill  org.SkillID `json:"skill"`
	People int         `json:"people"`
	Gap    float64     `json:"gap"` // points
	SE     float64     `json:"se"`
	Score  float64     `json:"score"`
	Place  int         `json:"rank"`
}

// Fold sums up needs by skill, the greatest first. The positions' errors are
// independent: each rests on its own people and its own panel.
func Fold(all []Need) []BySkill {
	at := map[org.SkillID]*BySkill{}
	var out []*BySkill
	for _, n := range all {
		b := at[n.Skill]
		if b == nil {
			b = &BySkill{Skill: n.Skill}
			at[n.Skill] = b
			out = append(out, b)
		}
		p := float64(n.People)
		b.People += n.People
		b.Gap += p * n.Gap
		b.SE += p * p * n.GapSE * n.GapSE
		b.Score += p * n.Score
	}
	folded := make([]BySkill, 0, len(out))
	for _, b := range out {
		p := float64(b.People)
		b.Gap, b.SE, b.Score = b.Gap/p, math.Sqrt(b.SE)/p, b.Score/p
		folded = append(folded, *b)
	}
	slices.SortStableFunc(folded, func(a, b BySkill) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Skill, b.Skill)) })
	for i := range folded {
		folded[i].Place = i + 1
	}
	return folded
}

// mean of x with the standard error of the group's mean: the estimates' own
// spread divided by their reliability, which is what a latent regression on the
// group gives (see irt.Population.Functional).
func groupMean(s, se []float64) (mean, wide float64) {
	n := float64(len(s))
	var noise, sq float64
	for i := range s {
		mean += s[i] / n
		noise += se[i] * se[i] / n
	}
	for i := range s {
		sq += (s[i] - mean) * (s[i] - mean) / math.Max(1, n-1)
	}
	if sq <= 0 {
		return mean, math.Sqrt(noise / n)
	}
	return mean, (sq + noise) / math.Sqrt(sq*n)
}
