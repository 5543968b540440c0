package org

import (
	"context"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// AddPosition adds a position, and returns it with its ID.
func AddPosition(ctx context.Context, t *db.Tx, p Position) (Position, error) {
	if strings.TrimSpace(p.Name.In(locale.Zh)) == "" {
		return p, fault.New(fault.Invalid, "position.name.empty")
	}
	if p.ID == "" {
		p.ID = PositionID(NewID())
	}
	_, err := t.Exec(ctx, `INSERT INTO position (id, name, occupation, created_at) VALUES ($1, $2, $3, $4)`,
		p.ID, p.Name, db.OrNull(p.Occupation), db.Millis(t.Now))
	return p, err
}

// FindPosition returns one position.
func FindPosition(ctx context.Context, t *db.Tx, id PositionID) (Position, error) {
	return db.Row(ctx, t, func(s db.Scanner) (p Position, err error) {
		return p, s.Scan(&p.ID, &p.Name, db.Null(&p.Occupation))
	}, `SELECT id, name, occupation FROM position WHERE id = $1`, id)
}

// RenamePosition gives a position another name.
func RenamePosition(ctx context.Context, t *db.Tx, id PositionID, name locale.Text) error {
	if strings.TrimSpace(name.In(locale.Zh)) == "" {
		return fault.New(fault.Invalid, "position.name.empty")
	}
	return found(t.Exec(ctx, `UPDATE position SET name = $2 WHERE id = $1`, id, name))
}
