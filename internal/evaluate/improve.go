package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
)

// Improve is something that the next cycle should do better.
type Improve struct {
	Skill   org.SkillID      `json:"skill"`
	Reason  string           `json:"reason"`  // message key: improve.not_mastered, improve.below_plan
	Left    Interval         `json:"left"`    // R − S after, points
	Closed  float64          `json:"closed"`  // share of the gap before that was closed; negative where it grew
	Part    locale.Text      `json:"part"`    // the point of the skill that fewest got right
	Propose []content.Method `json:"propose"` // ways of teaching to add, best first
}

// improve lists the skills whose gap stays open for certain (the whole 95 %
// interval above 2 points, less than which no test here can tell), the least
// closed first, with what to add. Practice is proposed where what was given was
// mostly told and not done.
func (s *study) improve(r *Result) {
	for _, g := range r.Skills {
		if g.Required == 0 || g.Left.Low < 2 {
			continue
		}
		before := g.Required - g.Before
		im := Improve{Skill: g.Skill, Reason: "improve.not_mastered", Left: g.Left}
		if before > 0 {
			im.Closed = (before - g.Left.Estimate) / before
		}
		for _, p := range r.Parts {
			if p.Skill == g.Skill {
				im.Part = p.Part
				break
			}
		}
		done := map[content.Method]bool{}
		for _, o := range s.offerings {
			if !s.teaches(o, g.Skill) {
				continue
			}
			for _, a := range s.acts[o.Course] {
				done[a.Method] = true
			}
		}
		var kind string
		for _, k := range s.skills {
			if k.ID == g.Skill {
				kind = k.Kind
			}
		}
		im.Propose = content.Practice(kind, done)
		r.Improve = append(r.Improve, im)
	}
	slices.SortStableFunc(r.Improve, func(a, b Improve) int {
		// what is left, weighted by how little of it training moved
		return cmp.Compare(b.Left.Estimate*(1-math.Max(0, b.Closed)), a.Left.Estimate*(1-math.Max(0, a.Closed)))
	})
}

// OpenNext opens the next cycle from improvements of an evaluation.
func OpenNext(ctx context.Context, t *db.Tx, id ID, skills []org.SkillID, name locale.Text) (delivery.Programme, error) {
	r, err := Find(ctx, t, id)
	if err != nil {
		return delivery.Programme{}, err
	}
	if len(skills) == 0 {
		return delivery.Programme{}, fault.New(fault.Invalid, "evaluate.improve.none")
	}
	for _, k := range skills {
		if !slices.ContainsFunc(r.Improve, func(im Improve) bool { return im.Skill == k }) {
			return delivery.Programme{}, fault.New(fault.Invalid, "evaluate.improve.unknown")
		}
	}
	last, err := delivery.FindProgramme(ctx, t, r.Programme)
	if err != nil {
		return delivery.Programme{}, err
	}
	next := delivery.Programme{
		ID: delivery.ProgrammeID(org.NewID()), Name: name, Cycle: last.Cycle + 1, Previous: last.ID, Stage: delivery.StageNeed,
		Because: delivery.Because{Evaluation: string(id), Skills: skills, Reason: "improve.not_mastered"},
		Days:    last.Days, Hours: last.Hours, Money: last.Money,
	}
	if err := delivery.Advance(ctx, t, last.ID, delivery.StageClosed); err != nil {
		return next, err
	}
	return next, delivery.Open(ctx, t, next)
}
