package delivery

import (
	"context"

	"attune/internal/db"
)

// Turnout is how many people came to a session.
type Turnout struct{ Present, Late, Absent int }

// Turnouts returns how many people came to each session of a programme; a
// session whose sheet is empty is left out.
func Turnouts(ctx context.Context, t *db.Tx, programme ProgrammeID) (map[SessionID]Turnout, error) {
	type row struct {
		id SessionID
		Turnout
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.id, &r.Present, &r.Late, &r.Absent) }, `
		SELECT a.session_id, count(CASE WHEN a.status = 'present' THEN 1 END), count(CASE WHEN a.status = 'late' THEN 1 END), count(CASE WHEN a.status = 'absent' THEN 1 END)
		FROM offering o
		JOIN session s ON s.offering_id = o.id
		JOIN attendance a ON a.session_id = s.id
		WHERE o.programme_id = $1
		GROUP BY a.session_id`, programme)
	if err != nil {
		return nil, err
	}
	all := map[SessionID]Turnout{}
	for _, r := range rows {
		all[r.id] = r.Turnout
	}
	return all, nil
}
