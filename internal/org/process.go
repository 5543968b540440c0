package org

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// Process is a piece of the company's work from beginning to end, such as
// handling a complaint.
type Process struct {
	ID    ProcessID
	Name  locale.Text
	About locale.Text
	Steps []Step // in order
}

// Step is a part of a process: who does it, and which skills it takes.
type Step struct {
	ID         StepID
	Process    ProcessID
	Place      int // order in the process, from 1; 0 when adding: last
	Name       locale.Text
	Difficulty int          // 1 (easy) – 5
	Importance int          // 1 (little depends on it) – 5
	Frequency  int          // 1 (seldom) – 5
	Positions  []PositionID // who does it
	Skills     []SkillID    // which skills it takes
}

// DIF is the product of difficulty, importance and frequency, 1–125.
func (s *Step) DIF() int { return s.Difficulty * s.Importance * s.Frequency }

func (s *Step) validate() error {
	if strings.TrimSpace(s.Name.In(locale.Zh)) == "" {
		return fault.New(fault.Invalid, "step.name.empty")
	}
	for _, v := range []int{s.Difficulty, s.Importance, s.Frequency} {
		if v < 1 || v > 5 {
			return fault.New(fault.Invalid, "step.dif")
		}
	}
	return nil
}

// AddProcess adds a process with its steps, in the order given, and returns it
// with its IDs.
func AddProcess(ctx context.Context, t *db.Tx, p Process) (Process, error) {
	if strings.TrimSpace(p.Name.In(locale.Zh)) == "" {
		return p, fault.New(fault.Invalid, "process.name.empty")
	}
	if p.ID == "" {
		p.ID = ProcessID(NewID())
	}
	if _, err := t.Exec(ctx, `INSERT INTO process (id, name, about) VALUES ($1, $2, $3)`, p.ID, p.Name, p.About); err != nil {
		return p, err
	}
	steps := slices.Clone(p.Steps)
	for i := range steps {
		steps[i].Process, steps[i].Place = p.ID, i+1
		s, err := AddStep(ctx, t, steps[i])
		if err != nil {
			return p, err
		}
		steps[i] = s
	}
	p.Steps = steps
	return p, nil
}

// AddStep adds a step to a process, and returns it with its ID. Steps from its
// place on move down by one.
func AddStep(ctx context.Context, t *db.Tx, s Step) (Step, error) {
	if err := s.validate(); err != nil {
		return s, err
	}
	if s.ID == "" {
		s.ID = StepID(NewID())
	}
	last, err := db.Row(ctx, t, db.One[int], `SELECT coalesce(max(place), 0) FROM step WHERE process_id = $1`, s.Process)
	if err != nil {
		return s, err
	}
	if s.Place < 1 || s.Place > last+1 {
		s.Place = last + 1
	}
	if _, err := t.Exec(ctx, `UPDATE step SET place = place + 1 WHERE process_id = $1 AND place >= $2`, s.Process, s.Place); err != nil {
		return s, err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO step (id, process_id, place, name, difficulty, importance, frequency)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, s.Process, s.Place, s.Name, s.Difficulty, s.Importance, s.Frequency)
	if err != nil {
		return s, err
	}
	return s, linkStep(ctx, t, s)
}

// ChangeStep changes a step in its place.
func ChangeStep(ctx context.Context, t *db.Tx, s Step) error {
	if err := s.validate(); err != nil {
		return err
	}
	err := found(t.Exec(ctx, `UPDATE step SET name = $2, difficulty = $3, importance = $4, frequency = $5 WHERE id = $1`,
		s.ID, s.Name, s.Difficulty, s.Importance, s.Frequency))
	if err != nil {
		return err
	}
	for _, table := range []string{"step_position", "step_skill"} {
		if _, err := t.Exec(ctx, `DELETE FROM `+table+` WHERE step_id = $1`, s.ID); err != nil {
			return err
		}
	}
	return linkStep(ctx, t, s)
}

// RemoveStep takes a step out; those after it move up.
func RemoveStep(ctx context.Context, t *db.Tx, id StepID) error {
	if _, err := t.Exec(ctx, `
		UPDATE step SET place = place - 1
		WHERE process_id = (SELECT process_id FROM step WHERE id = $1) AND place > (SELECT place FROM step WHERE id = $1)`, id); err != nil {
		return err
	}
	return found(t.Exec(ctx, `DELETE FROM step WHERE id = $1`, id))
}

func linkStep(ctx context.Context, t *db.Tx, s Step) error {
	var who, what []any
	for _, p := range s.Positions {
		who = append(who, s.ID, p)
	}
	for _, k := range s.Skills {
		what = append(what, s.ID, k)
	}
	if err := t.Many(ctx, `INSERT INTO step_position (step_id, position_id)`, 2, who, `ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	return t.Many(ctx, `INSERT INTO step_skill (step_id, skill_id)`, 2, what, `ON CONFLICT DO NOTHING`)
}

// ListProcesses returns every process with its steps.
func ListProcesses(ctx context.Context, t *db.Tx) ([]Process, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (p Process, err error) {
		return p, s.Scan(&p.ID, &p.Name, &p.About)
	}, `SELECT id, name, about FROM process ORDER BY name, id`)
	if err != nil {
		return nil, err
	}
	steps, err := listSteps(ctx, t)
	if err != nil {
		return nil, err
	}
	for i := range all {
		for _, s := range steps {
			if s.Process == all[i].ID {
				all[i].Steps = append(all[i].Steps, s)
			}
		}
	}
	return all, nil
}

func listSteps(ctx context.Context, t *db.Tx) ([]Step, error) {
	steps, err := db.Rows(ctx, t, func(s db.Scanner) (x Step, err error) {
		return x, s.Scan(&x.ID, &x.Process, &x.Place, &x.Name, &x.Difficulty, &x.Importance, &x.Frequency)
	}, `SELECT id, process_id, place, name, difficulty, importance, frequency FROM step ORDER BY process_id, place, id`)
	if err != nil {
		return nil, err
	}
	at := make(map[StepID]*Step, len(steps))
	for i := range steps {
		at[steps[i].ID] = &steps[i]
	}
	type link struct {
		step StepID
		to   string
	}
	links := func(query string) ([]link, error) {
		return db.Rows(ctx, t, func(s db.Scanner) (l link, err error) { return l, s.Scan(&l.step, &l.to) }, query)
	}
	who, err := links(`SELECT step_id, position_id FROM step_position ORDER BY step_id, position_id`)
	if err != nil {
		return nil, err
	}
	what, err := links(`SELECT step_id, skill_id FROM step_skill ORDER BY step_id, skill_id`)
	if err != nil {
		return nil, err
	}
	for _, l := range who {
		at[l.step].Positions = append(at[l.step].Positions, PositionID(l.to))
	}
	for _, l := range what {
		at[l.step].Skills = append(at[l.step].Skills, SkillID(l.to))
	}
	return steps, nil
}

// StepLoad is what the steps of the business processes say about a skill for a
// position.
type StepLoad struct {
	Position   PositionID
	Skill      SkillID
	Steps      []Step  // that people of the position do and that take the skill
	Load       float64 // sum of difficulty × importance × frequency of Steps
	Share      float64 // 0–1: Load over that of all steps the position does; a step counts whole for each skill it takes
	Importance float64 // 0–100: 25·(i − 1), i the mean importance of Steps, each weighted by its difficulty × frequency
}

// StepEvidence returns what the business processes say each position's people
// need, by position and falling load. It rests on difficulty–importance–
// frequency analysis: work that is hard, matters and is done often asks most
// for training.
func StepEvidence(ctx context.Context, t *db.Tx) ([]StepLoad, error) {
	steps, err := listSteps(ctx, t)
	if err != nil {
		return nil, err
	}
	return stepLoads(steps), nil
}

func stepLoads(steps []Step) []StepLoad {
	type key struct {
		position PositionID
		skill    SkillID
	}
	at := map[key]*StepLoad{}
	total := map[PositionID]float64{}
	for _, s := range steps {
		for _, p := range s.Positions {
			total[p] += float64(s.DIF())
			for _, k := range s.Skills {
				l := at[key{p, k}]
				if l == nil {
					l = &StepLoad{Position: p, Skill: k}
					at[key{p, k}] = l
				}
				l.Steps = append(l.Steps, s)
				l.Load += float64(s.DIF())
			}
		}
	}
	all := make([]StepLoad, 0, len(at))
	for l := range maps.Values(at) {
		var weight, importance float64
		for _, s := range l.Steps {
			w := float64(s.Difficulty * s.Frequency)
			weight += w
			importance += w * float64(s.Importance)
		}
		l.Importance = 25 * (importance/weight - 1)
		l.Share = l.Load / total[l.Position]
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b StepLoad) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(b.Load, a.Load), cmp.Compare(a.Skill, b.Skill))
	})
	return all
}

// RequireFromProcess makes the skills that the steps of a process take
// requirements of the positions that do them, and returns the requirements
// that are new. Their levels are open until set. A skill that a position
// requires already keeps its figures, and says that the process asks for it
// too.
func RequireFromProcess(ctx context.Context, t *db.Tx, id ProcessID) ([]Requirement, error) {
	steps, err := listSteps(ctx, t)
	if err != nil {
		return nil, err
	}
	steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Process != id })
	if len(steps) == 0 {
		return nil, fault.New(fault.NotFound, "not_found")
	}
	have, err := Requirements(ctx, t)
	if err != nil {
		return nil, err
	}
	var added []Requirement
	byPosition := map[PositionID][]Requirement{}
	for _, l := range stepLoads(steps) {
		from := Origin{Kind: FromProcess, Ref: string(id), Note: fmt.Sprintf("%.0f", l.Load), At: t.Now}
		i := slices.IndexFunc(have, func(h Requirement) bool { return h.Position == l.Position && h.Skill == l.Skill })
		if i >= 0 {
			r := have[i]
			if r.Origin = joinOrigins(r.Origin, []Origin{from}); !slices.Equal(r.Origin, have[i].Origin) {
				if err := writeRequirements(ctx, t, []Requirement{r}); err != nil {
					return nil, err
				}
			}
			continue
		}
		r := Requirement{Position: l.Position, Skill: l.Skill, Importance: l.Importance, Provisional: true, Origin: []Origin{from}}
		byPosition[l.Position] = append(byPosition[l.Position], r)
		added = append(added, r)
	}
	for position, add := range byPosition {
		if err := requireAll(ctx, t, position, add); err != nil {
			return nil, err
		}
	}
	for i, r := range added {
		if added[i], err = findRequirement(ctx, t, r.Position, r.Skill); err != nil {
			return nil, err
		}
	}
	return added, nil
}
