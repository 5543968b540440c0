package assess

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"attune/internal/db"
	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/org"
)

// ErrNotMeasured says that no test has been answered yet.
var ErrNotMeasured = errors.New("assess: nothing measured")

// Measured is what one test says of a skill, over those who sat it.
type Measured struct {
	Skill    org.SkillID
	People   []org.PersonID
	Levels   []irt.Level // of each of People
	Answers  []int       // how many each level rests on
	SD       float64     // standard deviation of S over People, latent: free of test error
	Warnings []error
}

// Measure scores a test: for every skill a latent regression on position, so
// that people are shrunk towards those who do the same work and not towards
// everybody (DESIGN: scored under the population's own mean and variance).
func Measure(ctx context.Context, t *db.Tx, test TestID) ([]Measured, error) {
	banks, err := Banks(ctx, t)
	if err != nil {
		return nil, err
	}
	sheets, err := Sheets(ctx, t, test)
	if err != nil {
		return nil, err
	}
	position, err := positions(ctx, t)
	if err != nil {
		return nil, err
	}
	of := map[org.SkillID][]Sheet{}
	for _, s := range sheets {
		of[s.Skill] = append(of[s.Skill], s)
	}
	var all []Measured
	for skill, sheets := range of {
		bank := banks[skill]
		if bank == nil {
			continue
		}
		m := Measured{Skill: skill}
		var answers [][]irt.Answer
		var at []org.PositionID
		for _, s := range sheets {
			a := bank.Answers(s)
			m.People, m.Answers = append(m.People, s.Person), append(m.Answers, len(a))
			answers, at = append(answers, a), append(at, position[s.Person])
		}
		x, names := Dummies(at)
		pop, err := irt.PopulationFit(answers, x, bank.Items, irt.FitOptions{Names: names})
		if err != nil {
			return nil, err
		}
		m.Levels, m.SD, m.Warnings = pop.People, pop.SSD, pop.Warnings
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Measured) int { return cmp.Compare(a.Skill, b.Skill) })
	return all, nil
}

func positions(ctx context.Context, t *db.Tx) (map[org.PersonID]org.PositionID, error) {
	type row struct {
		person   org.PersonID
		position org.PositionID
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.person, &r.position) }, `SELECT id, position_id FROM person`)
	if err != nil {
		return nil, err
	}
	at := make(map[org.PersonID]org.PositionID, len(rows))
	for _, r := range rows {
		at[r.person] = r.position
	}
	return at, nil
}

// Dummies returns an intercept and an indicator for every label but the first
// in order, with the columns' names.
func Dummies[L ~string](labels []L) (x [][]float64, names []string) {
	kinds := slices.Clone(labels)
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	names = []string{"1"}
	for _, k := range kinds[min(1, len(kinds)):] {
		names = append(names, string(k))
	}
	for _, l := range labels {
		row := make([]float64, max(1, len(kinds)))
		row[0] = 1
		if i := slices.Index(kinds, l); i > 0 {
			row[i] = 1
		}
		x = append(x, row)
	}
	return x, names
}

// Score measures a test and keeps what it says of each person.
func Score(ctx context.Context, t *db.Tx, test TestID) ([]Measured, error) {
	all, err := Measure(ctx, t, test)
	if err != nil {
		return nil, err
	}
	var keep []Ability
	for _, m := range all {
		for i, l := range m.Levels {
			keep = append(keep, Ability{Person: m.People[i], Skill: m.Skill, At: t.Now, Theta: l.Theta, ThetaSE: l.ThetaSE, S: l.S, SSE: l.SE, Answers: m.Answers[i], Test: test})
		}
	}
	return all, Keep(ctx, t, keep)
}

// Keep adds estimates. They are added, never overwritten: the history is
// evidence.
func Keep(ctx context.Context, t *db.Tx, all []Ability) error {
	args := make([]any, 0, 9*len(all))
	for _, a := range all {
		args = append(args, a.Person, a.Skill, db.Millis(a.At), a.Theta, a.ThetaSE, a.S, a.SSE, a.Answers, db.OrNull(a.Test))
	}
	return t.Many(ctx, `INSERT INTO ability (person_id, skill_id, at, theta, theta_se, s, s_se, answers, test_id)`, 9, args, "")
}

const latest = `
	SELECT person_id, skill_id, at, theta, theta_se, s, s_se, answers, test_id
	FROM (
		SELECT ability.*, row_number() OVER (PARTITION BY person_id, skill_id ORDER BY at DESC) AS age
		FROM ability`

func scanAbility(s db.Scanner) (a Ability, err error) {
	return a, s.Scan(&a.Person, &a.Skill, (*db.Ms)(&a.At), &a.Theta, &a.ThetaSE, &a.S, &a.SSE, &a.Answers, db.Null(&a.Test))
}

// Abilities returns the latest estimate of every skill of everybody employed.
func Abilities(ctx context.Context, t *db.Tx) ([]Ability, error) {
	return db.Rows(ctx, t, scanAbility, latest+`
		WHERE person_id IN (SELECT id FROM person WHERE left_at IS NULL)
	) AS ranked WHERE age = 1 ORDER BY person_id, skill_id`)
}

// AbilitiesOf returns the latest estimate of each skill of one person.
func AbilitiesOf(ctx context.Context, t *db.Tx, who org.PersonID) ([]Ability, error) {
	return db.Rows(ctx, t, scanAbility, latest+`
		WHERE person_id = $1
	) AS ranked WHERE age = 1 ORDER BY s DESC, skill_id`, who)
}

// History returns every estimate of one person at one skill, oldest first.
func History(ctx context.Context, t *db.Tx, who org.PersonID, skill org.SkillID) ([]Ability, error) {
	return db.Rows(ctx, t, scanAbility, `
		SELECT person_id, skill_id, at, theta, theta_se, s, s_se, answers, test_id
		FROM ability WHERE person_id = $1 AND skill_id = $2 ORDER BY at`, who, skill)
}

// Baseline scores the company's first test and freezes the scale of E: the
// standard deviations of the weighted skills and of innovation over those who
// sat it. On a later test it only scores.
//
// The deviation of a weighted sum needs the covariances of the skills. Those of
// the estimates are too small, each estimate being shrunk towards its mean, so
// they are divided by the two reliabilities (Spearman 1904).
func Baseline(ctx context.Context, t *db.Tx, test TestID) ([]Measured, error) {
	all, err := Score(ctx, t, test)
	if err != nil {
		return nil, err
	}
	company, err := org.FindCompany(ctx, t)
	if err != nil || company.Measured() {
		return all, err
	}
	requirements, err := org.Requirements(ctx, t)
	if err != nil {
		return nil, err
	}
	skills, err := org.Skills(ctx, t)
	if err != nil {
		return nil, err
	}
	position, err := positions(ctx, t)
	if err != nil {
		return nil, err
	}
	sigmaS, sigmaI := deviations(all, requirements, skills, position)
	if !(sigmaS > 0 && sigmaI > 0) {
		return nil, fault.New(fault.Invalid, "baseline.no_spread")
	}
	_, err = org.FreezeScale(ctx, t, sigmaS, sigmaI)
	return all, err
}

// deviations returns σ_S and σ_I, points of S.
func deviations(all []Measured, requirements []org.Requirement, skills []org.Skill, position map[org.PersonID]org.PositionID) (sigmaS, sigmaI float64) {
	innovation := map[org.SkillID]bool{}
	for _, k := range skills {
		innovation[k.ID] = k.Innovation
	}
	weight := map[org.PositionID]map[org.SkillID]float64{}
	for _, r := range requirements {
		if weight[r.Position] == nil {
			weight[r.Position] = map[org.SkillID]float64{}
		}
		weight[r.Position][r.Skill] = r.Weight
	}
	// per person the weighted mean estimate, and per skill its reliability
	reliability := make([]float64, len(all))
	level := make([]map[org.PersonID]float64, len(all))
	people := map[org.PersonID]bool{}
	for k, m := range all {
		if innovation[m.Skill] {
			sigmaI = m.SD
		}
		level[k] = make(map[org.PersonID]float64, len(m.People))
		var sum, sq, noise float64
		for i, l := range m.Levels {
			level[k][m.People[i]] = l.S
			people[m.People[i]] = true
			sum, sq, noise = sum+l.S, sq+l.S*l.S, noise+l.SE*l.SE
		}
		n := float64(len(m.Levels))
		between := sq/n - sum/n*sum/n
		reliability[k] = between / (between + noise/n)
	}
	var order []org.PersonID
	for p := range people {
		order = append(order, p)
	}
	slices.Sort(order) // sums in one order, so that the same data give the same σ
	// Var Σ_k w_k S_k = Var of the means over people of each pair, corrected.
	var n float64
	mean := 0.0
	for _, p := range order {
		for k, m := range all {
			mean += weight[position[p]][m.Skill] * level[k][p]
		}
		n++
	}
	if n < 2 {
		return 0, 0
	}
	mean /= n
	// The weights differ by position, so the variance is summed person by
	// person: the square of the weighted deviation, each product of two skills
	// divided by their reliabilities (by one of them for a skill with itself).
	var centre = make([]float64, len(all)) // mean of each skill over those who sat it
	for k := range all {
		for _, p := range order {
			if s, ok := level[k][p]; ok {
				centre[k] += s / float64(len(level[k]))
			}
		}
	}
	var within, between float64
	for _, p := range order {
		expected := -mean
		for k, m := range all {
			w := weight[position[p]][m.Skill]
			if _, ok := level[k][p]; !ok || w == 0 {
				continue
			}
			expected += w * centre[k]
			for j, o := range all {
				v := weight[position[p]][o.Skill]
				if _, ok := level[j][p]; !ok || v == 0 {
					continue
				}
				d := w * v * (level[k][p] - centre[k]) * (level[j][p] - centre[j])
				if j == k {
					within += d / reliability[k]
				} else {
					within += d / (reliability[k] * reliability[j])
				}
			}
		}
		between += expected * expected
	}
	return math.Sqrt((within + between) / n), sigmaI
}
