package delivery

import (
	"context"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/org"
)

// Within returns the programme within which a person may open an activity, or
// a Denied fault.
func Within(ctx context.Context, t *db.Tx, who org.PersonID, activity content.ActivityID) (ProgrammeID, error) {
	w, err := findWay(ctx, t, who, activity)
	return w.programme, err
}
