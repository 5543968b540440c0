package org

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org/onet"
)

// innovationElement is O*NET's work style "Innovation".
const innovationElement = "1.C.7.a"

// Proposal returns how an occupation was rated on every skill, knowledge area
// and work style, most important first: what AdoptOccupation chooses from.
func Proposal(code string) ([]onet.Rating, error) {
	o, ok := onet.Find(code)
	if !ok {
		return nil, fault.New(fault.NotFound, "occupation.unknown", code)
	}
	all := slices.Concat(o.Skills(), o.Knowledge(), o.WorkStyles())
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "occupation.unrated", o.Code)
	}
	slices.SortStableFunc(all, func(a, b onet.Rating) int {
		return cmp.Compare(b.Importance.Value, a.Importance.Value)
	})
	return all, nil
}

// AdoptOccupation makes what an O*NET occupation asks for the requirements of
// a position. elements are the O*NET elements to take; the company's skill of
// an element is used, or made. A requirement's importance is O*NET's, its
// weight in S the share of that importance, and its level O*NET's 100·LV/7,
// provisional until a panel sets it; work styles have none. What is required
// already keeps a level that was set, its ceiling and its older origins.
func AdoptOccupation(ctx context.Context, t *db.Tx, position PositionID, code string, elements []string) error {
	ratings, err := Proposal(code)
	if err != nil {
		return err
	}
	o, _ := onet.Find(code)
	if err := found(t.Exec(ctx, `UPDATE position SET occupation = $2 WHERE id = $1`, position, o.Code)); err != nil {
		return err
	}
	skills, err := Skills(ctx, t)
	if err != nil {
		return err
	}
	have, err := RequirementsOf(ctx, t, position)
	if err != nil {
		return err
	}
	var add []Requirement
	for i, id := range elements {
		at := slices.IndexFunc(ratings, func(r onet.Rating) bool { return r.Element.ID == id })
		if at < 0 {
			return fault.New(fault.NotFound, "occupation.element", id)
		}
		if slices.Contains(elements[:i], id) {
			continue
		}
		rating := ratings[at]
		skill, err := skillOf(ctx, t, skills, rating.Element)
		if err != nil {
			return err
		}
		r := Requirement{
			Skill: skill, Importance: rating.Importance.Value, Provisional: true,
			Origin: []Origin{{Kind: FromONET, Ref: o.Code, Note: fmt.Sprintf("%.0f", rating.Importance.Value)}},
		}
		if l := rating.Level; l != nil && !l.NotRelevant {
			r.Level = &l.Value
		}
		if i := slices.IndexFunc(have, func(h Requirement) bool { return h.Skill == skill }); i >= 0 {
			r.Ceiling = have[i].Ceiling
			if !have[i].Provisional {
				r.Level, r.LevelSE, r.Provisional = have[i].Level, have[i].LevelSE, false
			}
		}
		add = append(add, r)
	}
	return requireAll(ctx, t, position, add)
}

// skillOf returns the company's skill of an O*NET element, made where there is
// none yet.
func skillOf(ctx context.Context, t *db.Tx, skills []Skill, e onet.Element) (SkillID, error) {
	for _, k := range skills {
		// A company may have named its own innovation skill.
		if k.Element == e.ID || k.Innovation && e.ID == innovationElement {
			return k.ID, nil
		}
	}
	kind := map[onet.Kind]string{onet.Skill: KindSkill, onet.Knowledge: KindKnowledge, onet.WorkStyle: KindStyle}[e.Kind]
	k, err := AddSkill(ctx, t, Skill{
		Name: locale.Both(e.NameZH, e.Name), About: locale.Both(e.DescriptionZH, e.Description),
		Kind: kind, Element: e.ID, Innovation: e.ID == innovationElement,
	})
	return k.ID, err
}
