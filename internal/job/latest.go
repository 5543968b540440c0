package job

import (
	"context"

	"attune/internal/db"
)

// Latest returns the jobs queued last, done or not.
func Latest(ctx context.Context, t *db.Tx, limit int) ([]Job, error) {
	return db.Rows(ctx, t, scan, `SELECT `+columns+` FROM job ORDER BY run_at DESC, id LIMIT $1`, limit)
}
