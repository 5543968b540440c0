package org

import (
	"context"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// The kinds of skill. Innovation is a style.
const (
	KindSkill     = "skill"
	KindKnowledge = "knowledge"
	KindStyle     = "style"
)

// AddSkill adds a skill to the catalogue, and returns it with its ID. Of
// innovation there is one, and one skill of each O*NET element.
func AddSkill(ctx context.Context, t *db.Tx, k Skill) (Skill, error) {
	switch {
	case strings.TrimSpace(k.Name.In(locale.Zh)) == "":
		return k, fault.New(fault.Invalid, "skill.name.empty")
	case k.Kind != KindSkill && k.Kind != KindKnowledge && k.Kind != KindStyle:
		return k, fault.New(fault.Invalid, "skill.kind")
	}
	if k.ID == "" {
		k.ID = SkillID(NewID())
	}
	_, err := t.Exec(ctx, `INSERT INTO skill (id, name, about, kind, element, innovation) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Name, k.About, k.Kind, db.OrNull(k.Element), k.Innovation)
	return k, taken(err, "skill.taken")
}

// RenameSkill changes what a skill is called and how it is described.
func RenameSkill(ctx context.Context, t *db.Tx, id SkillID, name, about locale.Text) error {
	if strings.TrimSpace(name.In(locale.Zh)) == "" {
		return fault.New(fault.Invalid, "skill.name.empty")
	}
	return found(t.Exec(ctx, `UPDATE skill SET name = $2, about = $3 WHERE id = $1`, id, name, about))
}
