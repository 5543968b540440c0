package content

import (
	"context"

	"attune/internal/db"
)

// Outline returns every activity with what it teaches, by course and place, but
// without its body and spec, which are most of it: for lists.
func Outline(ctx context.Context, t *db.Tx) ([]Activity, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (a Activity, err error) {
		return a, s.Scan(&a.ID, &a.Course, &a.Place, &a.Kind, &a.Method, &a.Title, &a.Minutes)
	}, `SELECT id, course_id, place, kind, method, title, minutes FROM activity ORDER BY course_id, place, id`)
	if err != nil {
		return nil, err
	}
	return all, teach(ctx, t, all, `SELECT `+teachesColumns+` FROM activity_skill k ORDER BY k.activity_id, k.share DESC, k.skill_id`)
}
