package evaluate

import (
	"context"

	"attune/internal/db"
)

// Estimates returns E of everybody trained in an evaluation, from the lowest,
// without saying whose it is.
func Estimates(ctx context.Context, t *db.Tx, id ID) ([]float64, error) {
	return db.Rows(ctx, t, db.One[float64], `SELECT e FROM person_effect WHERE evaluation_id = $1 AND trained ORDER BY e`, id)
}
