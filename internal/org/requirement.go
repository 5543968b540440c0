package org

import (
	"context"
	"math"
	"slices"

	"attune/internal/db"
	"attune/internal/fault"
)

// The kinds of origin.
const (
	FromONET    = "onet"    // Ref is the occupation's code
	FromProcess = "process" // Ref is the ProcessID
	FromPanel   = "panel"   // Ref is the panel's ID
	FromPerson  = "person"  // Ref is the PersonID or the account
)

// defaultCeiling is C in points of S, unless told.
const defaultCeiling = 95

// RequirementsOf returns what a position asks for, most important first.
func RequirementsOf(ctx context.Context, t *db.Tx, position PositionID) ([]Requirement, error) {
	return db.Rows(ctx, t, scanRequirement, `
		SELECT `+requirementColumns+` FROM requirement WHERE position_id = $1
		ORDER BY importance DESC, skill_id`, position)
}

// Require adds what a position asks for, or changes the importance, level,
// ceiling and origin of what it asks for already. A Ceiling of 0 means 95; a
// Level is provisional if r says so.
//
// Weights follow: the skill gets the share of the weight that its importance
// has among the position's skills other than innovation, and the others keep
// their proportions. Innovation weighs nothing in S; it is the I of E.
func Require(ctx context.Context, t *db.Tx, r Requirement) error {
	return requireAll(ctx, t, r.Position, []Requirement{r})
}

func requireAll(ctx context.Context, t *db.Tx, position PositionID, add []Requirement) error {
	if len(add) == 0 {
		return nil
	}
	have, err := RequirementsOf(ctx, t, position)
	if err != nil {
		return err
	}
	innovation, err := db.Rows(ctx, t, db.One[SkillID], `SELECT id FROM skill WHERE innovation`)
	if err != nil {
		return err
	}
	fresh := make(map[SkillID]bool, len(add))
	for _, r := range add {
		r.Position = position
		if r.Ceiling == 0 {
			r.Ceiling = defaultCeiling
		}
		if err := r.validate(); err != nil {
			return err
		}
		for i := range r.Origin {
			if r.Origin[i].At.IsZero() {
				r.Origin[i].At = t.Now
			}
		}
		fresh[r.Skill] = true
		if i := slices.IndexFunc(have, func(h Requirement) bool { return h.Skill == r.Skill }); i >= 0 {
			r.Origin = joinOrigins(have[i].Origin, r.Origin)
			have[i] = r
		} else {
			have = append(have, r)
		}
	}
	weigh(have, fresh, innovation)
	return writeRequirements(ctx, t, have)
}

func (r *Requirement) validate() error {
	switch {
	case !(r.Importance >= 0 && r.Importance <= 100):
		return fault.New(fault.Invalid, "requirement.importance")
	case r.Level != nil && !(*r.Level >= 0 && *r.Level <= 100):
		return fault.New(fault.Invalid, "requirement.level")
	case !(r.Ceiling > 0 && r.Ceiling <= 100):
		return fault.New(fault.Invalid, "requirement.ceiling")
	case len(r.Origin) == 0:
		return fault.New(fault.Invalid, "requirement.origin")
	}
	return nil
}

// weigh gives the fresh skills of a position the share of their importance and
// leaves the proportions of the others.
func weigh(all []Requirement, fresh map[SkillID]bool, innovation []SkillID) {
	var importance, old float64
	counted := 0
	for _, r := range all {
		if slices.Contains(innovation, r.Skill) {
			continue
		}
		counted++
		importance += r.Importance
		if !fresh[r.Skill] {
			old += r.Weight
		}
	}
	share := func(r Requirement) float64 {
		if importance == 0 {
			return 1 / float64(counted)
		}
		return r.Importance / importance
	}
	var taken float64
	for _, r := range all {
		// Without an old weight there are no proportions to keep.
		if !slices.Contains(innovation, r.Skill) && (fresh[r.Skill] || old == 0) {
			taken += share(r)
		}
	}
	for i, r := range all {
		switch {
		case slices.Contains(innovation, r.Skill):
			all[i].Weight = 0
		case fresh[r.Skill] || old == 0:
			all[i].Weight = share(r)
		default:
			all[i].Weight = r.Weight / old * (1 - taken)
		}
		all[i].Weight = min(1, max(0, all[i].Weight))
	}
}

// joinOrigins adds origins that are not there yet; one of the same kind and
// reference takes the place of the older.
func joinOrigins(have, add []Origin) []Origin {
	all := slices.Clone(have)
	for _, o := range add {
		if i := slices.IndexFunc(all, func(h Origin) bool { return h.Kind == o.Kind && h.Ref == o.Ref }); i >= 0 {
			if all[i].Note != o.Note {
				all[i] = o
			}
		} else {
			all = append(all, o)
		}
	}
	return all
}

func writeRequirements(ctx context.Context, t *db.Tx, all []Requirement) error {
	args := make([]any, 0, 9*len(all))
	for _, r := range all {
		args = append(args, r.Position, r.Skill, r.Importance, r.Weight, r.Level, r.LevelSE, r.Provisional, r.Ceiling, db.JSON{V: r.Origin})
	}
	return t.Many(ctx, `INSERT INTO requirement (`+requirementColumns+`)`, 9, args, `
		ON CONFLICT (position_id, skill_id) DO UPDATE SET
			importance = excluded.importance, weight = excluded.weight,
			level = excluded.level, level_se = excluded.level_se, provisional = excluded.provisional,
			ceiling = excluded.ceiling, origin = excluded.origin`)
}

// SetLevel sets the level R that a position asks for at a skill, in points of
// S, with the panel's standard error in points, or 0 where it has none. The
// level is no longer provisional.
func SetLevel(ctx context.Context, t *db.Tx, position PositionID, skill SkillID, level, se float64, from Origin) error {
	r, err := findRequirement(ctx, t, position, skill)
	if err != nil {
		return err
	}
	if !(se >= 0) || math.IsInf(se, 0) {
		return fault.New(fault.Invalid, "requirement.level")
	}
	r.Level, r.LevelSE, r.Provisional = &level, nil, false
	if se > 0 {
		r.LevelSE = &se
	}
	if from.At.IsZero() {
		from.At = t.Now
	}
	r.Origin = joinOrigins(r.Origin, []Origin{from})
	if err := r.validate(); err != nil {
		return err
	}
	return writeRequirements(ctx, t, []Requirement{r})
}

// SetCeiling sets C, the proficiency in points of S above which training at a
// skill gains a person of a position nothing.
func SetCeiling(ctx context.Context, t *db.Tx, position PositionID, skill SkillID, ceiling float64) error {
	if !(ceiling > 0 && ceiling <= 100) {
		return fault.New(fault.Invalid, "requirement.ceiling")
	}
	return found(t.Exec(ctx, `UPDATE requirement SET ceiling = $3 WHERE position_id = $1 AND skill_id = $2`, position, skill, ceiling))
}

// Reweigh sets the weights of a position's skills in S. Only their proportions
// matter: they are divided by their sum. Every skill the position requires,
// other than innovation, must be named.
func Reweigh(ctx context.Context, t *db.Tx, position PositionID, weights map[SkillID]float64) error {
	all, err := RequirementsOf(ctx, t, position)
	if err != nil {
		return err
	}
	innovation, err := db.Rows(ctx, t, db.One[SkillID], `SELECT id FROM skill WHERE innovation`)
	if err != nil {
		return err
	}
	var sum float64
	counted := 0
	for _, r := range all {
		if slices.Contains(innovation, r.Skill) {
			continue
		}
		w, ok := weights[r.Skill]
		if !ok || !(w >= 0) || math.IsInf(w, 0) {
			return fault.New(fault.Invalid, "requirement.weights")
		}
		counted++
		sum += w
	}
	if counted == 0 || counted != len(weights) || !(sum > 0) || math.IsInf(sum, 0) {
		return fault.New(fault.Invalid, "requirement.weights")
	}
	for i := range all {
		all[i].Weight = weights[all[i].Skill] / sum // innovation is not in weights: 0
	}
	return writeRequirements(ctx, t, all)
}

// Unrequire takes back what a position asked for; the others keep their
// proportions in S.
func Unrequire(ctx context.Context, t *db.Tx, position PositionID, skill SkillID) error {
	if err := found(t.Exec(ctx, `DELETE FROM requirement WHERE position_id = $1 AND skill_id = $2`, position, skill)); err != nil {
		return err
	}
	all, err := RequirementsOf(ctx, t, position)
	if err != nil {
		return err
	}
	innovation, err := db.Rows(ctx, t, db.One[SkillID], `SELECT id FROM skill WHERE innovation`)
	if err != nil {
		return err
	}
	weigh(all, nil, innovation)
	return writeRequirements(ctx, t, all)
}

func findRequirement(ctx context.Context, t *db.Tx, position PositionID, skill SkillID) (Requirement, error) {
	return db.Row(ctx, t, scanRequirement, `
		SELECT `+requirementColumns+` FROM requirement WHERE position_id = $1 AND skill_id = $2`, position, skill)
}
