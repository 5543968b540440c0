package org

import (
	"context"
	"math"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// Rename gives the company another name.
func Rename(ctx context.Context, t *db.Tx, name locale.Text) error {
	if name.Empty() {
		return fault.New(fault.Invalid, "company.name.empty")
	}
	return found(t.Exec(ctx, `UPDATE company SET name = $1 WHERE id = 1`, name))
}

// SetWeights sets the weights of skill and of innovation in E. They need not
// add up to 1, but E is what they say: doubling both doubles every E.
func SetWeights(ctx context.Context, t *db.Tx, alpha, beta float64) error {
	if !(alpha >= 0 && beta >= 0 && alpha+beta > 0) || math.IsInf(alpha+beta, 0) {
		return fault.New(fault.Invalid, "company.weights")
	}
	return found(t.Exec(ctx, `UPDATE company SET alpha = $1, beta = $2 WHERE id = 1`, alpha, beta))
}

// SetAttention sets how many minutes of focus a person may be asked for in a day.
func SetAttention(ctx context.Context, t *db.Tx, minutes int) error {
	if minutes < 1 || minutes > 24*60 {
		return fault.New(fault.Invalid, "company.attention")
	}
	return found(t.Exec(ctx, `UPDATE company SET attention_a_day = $1 WHERE id = 1`, minutes))
}

// SetZone sets the time zone that days are counted in.
func SetZone(ctx context.Context, t *db.Tx, zone *time.Location) error {
	return found(t.Exec(ctx, `UPDATE company SET zone = $1 WHERE id = 1`, zone.String()))
}

// found turns "no row was changed" into a NotFound fault.
func found(n int64, err error) error {
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	return err
}
