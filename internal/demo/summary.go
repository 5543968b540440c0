package demo

import (
	"context"
	"fmt"
	"strings"

	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/need"
	"attune/internal/org"
)

// Summary is what the story came to, as printed.
type Summary struct {
	Simulated bool          `json:"simulated"` // always true: nobody here is real
	People    int           `json:"people"`
	Needs     []NeedLine    `json:"needs"`
	Plan      PlanLine      `json:"plan"`
	Effect    EffectLine    `json:"effect"`
	Truth     Truth         `json:"truth"`
	Improve   []ImproveLine `json:"improvements"`
	Second    *SecondLine   `json:"second_cycle"` // null when nothing called for one
	names     map[org.SkillID]locale.Text
}

// NeedLine is a skill that is lacked.
type NeedLine struct {
	Skill org.SkillID `json:"skill"`
	Gap   float64     `json:"gap"` // R − S, points, mean over the people of the positions that require it
	SE    float64     `json:"se"`
	Rank  int         `json:"rank"`
}

// PlanLine is the first cycle's plan and its proof.
type PlanLine struct {
	Objective  float64 `json:"objective"`
	Bound      float64 `json:"bound"`
	Gap        float64 `json:"gap"` // (bound − objective)/objective
	Enrolments int     `json:"enrolments"`
	Hours      float64 `json:"hours"`
	Cost       float64 `json:"cost"`
}

// EffectLine is the first cycle's effect.
type EffectLine struct {
	Mean   float64     `json:"mean"` // E over the people trained
	Low    float64     `json:"low"`
	High   float64     `json:"high"`
	Versus *VersusLine `json:"versus_waitlist"`
}

// VersusLine is the effect that the draws show.
type VersusLine struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Treated  int     `json:"treated"`
	Waiting  int     `json:"waiting"`
}

// ImproveLine is something to do better.
type ImproveLine struct {
	Skill  org.SkillID `json:"skill"`
	Reason string      `json:"reason"`
	Left   float64     `json:"left"` // points
	Low    float64     `json:"low"`
	High   float64     `json:"high"`
}

// SecondLine is what the second cycle changed at the skill it practised.
type SecondLine struct {
	Skill  org.SkillID `json:"skill"`
	Before float64     `json:"before"` // mean S, points
	After  float64     `json:"after"`
	Change float64     `json:"change"`
	Low    float64     `json:"low"`
	High   float64     `json:"high"`
}

// Summarise reads the story's results out of the database.
func Summarise(ctx context.Context, d *db.DB, out *Outcome) (*Summary, error) {
	s := &Summary{Simulated: true, Truth: out.Truth, names: map[org.SkillID]locale.Text{}}
	err := d.Read(ctx, func(t *db.Tx) error {
		people, err := org.People(ctx, t)
		if err != nil {
			return err
		}
		s.People = len(people)
		skills, err := org.Skills(ctx, t)
		if err != nil {
			return err
		}
		for _, k := range skills {
			s.names[k.ID] = k.Name
		}
		needs, err := need.Needs(ctx, t, out.Programmes[0])
		if err != nil {
			return err
		}
		for _, n := range need.Fold(needs) {
			s.Needs = append(s.Needs, NeedLine{n.Skill, n.Gap, n.SE, n.Place})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p := out.Plans[0].Result
	s.Plan = PlanLine{p.Objective, p.Bound, p.Gap, p.Enrolments, p.Hours, p.Cost}
	r := out.Results[0]
	s.Effect = EffectLine{Mean: r.Effect.Estimate, Low: r.Effect.Low, High: r.Effect.High}
	if v := r.Versus; v != nil {
		s.Effect.Versus = &VersusLine{v.Estimate, v.Low, v.High, v.Treated, v.Waiting}
	}
	s.Improve = []ImproveLine{}
	for _, im := range r.Improve {
		s.Improve = append(s.Improve, ImproveLine{im.Skill, im.Reason, im.Left.Estimate, im.Left.Low, im.Left.High})
	}
	if second := out.Results[1]; second != nil {
		for _, g := range second.Skills {
			if g.Skill == out.Practised {
				s.Second = &SecondLine{g.Skill, g.Before, g.After, g.Change.Estimate, g.Change.Low, g.Change.High}
			}
		}
	}
	return s, nil
}

// Text says the summary to a person.
func (s *Summary) Text(l locale.Lang) string {
	var b strings.Builder
	line := func(key string, args ...any) { fmt.Fprintln(&b, l.T(key, args...)) }
	name := func(k org.SkillID) string { return s.names[k].In(l) }
	line("demo.sum.simulated", s.People)
	line("demo.sum.needs")
	for _, n := range s.Needs {
		line("demo.sum.need", n.Rank, name(n.Skill), l.Number(n.Gap, 1), l.Number(1.96*n.SE, 1))
	}
	line("demo.sum.plan", s.Plan.Enrolments, l.Number(s.Plan.Hours, 0), l.Number(s.Plan.Cost, 0))
	line("demo.sum.proof", l.Number(s.Plan.Objective, 1), l.Number(s.Plan.Bound, 1), l.Percent(s.Plan.Gap, 2))
	line("demo.sum.effect", l.Interval(s.Effect.Mean, s.Effect.Low, s.Effect.High, 2))
	if v := s.Effect.Versus; v != nil {
		line("demo.sum.versus", l.Interval(v.Estimate, v.Low, v.High, 2), v.Treated, v.Waiting)
	} else {
		line("demo.sum.no_versus")
	}
	line("demo.sum.truth", l.Number(s.Truth.MeanEffect, 2), l.Number(s.Truth.WaitlistEffect, 2), l.Percent(s.Truth.Coverage, 1), l.Number(s.Truth.RankCorrelation, 2))
	for _, im := range s.Improve {
		line("demo.sum.improve", name(im.Skill), l.Interval(im.Left, im.Low, im.High, 1))
	}
	if x := s.Second; x != nil {
		line("demo.sum.second", name(x.Skill), l.Number(x.Before, 1), l.Number(x.After, 1), l.Interval(x.Change, x.Low, x.High, 1))
	}
	return b.String()
}
