package attention

import (
	"context"

	"attune/internal/db"
	"attune/internal/org"
)

// Asked reports whether a person's visits may be measured, and whether they
// were ever asked: consent is asked for once, and not again after a withdrawal.
func Asked(ctx context.Context, t *db.Tx, who org.PersonID) (agreed, asked bool, err error) {
	agreed, err = Consented(ctx, t, who)
	if err != nil || agreed {
		return agreed, agreed, err
	}
	n, err := db.Row(ctx, t, db.One[int], `SELECT count(*) FROM consent WHERE person_id = $1`, who)
	return false, n > 0, err
}
