package record

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"attune/internal/db"
)

// Skip returns statements a query asks for, latest first, leaving out the
// first skip of them: for pages that have numbers.
func Skip(ctx context.Context, t *db.Tx, q Query, skip, limit int) ([]Statement, error) {
	cond, args := q.where()
	args = append(args, limit, skip)
	return db.Rows(ctx, t, scan, fmt.Sprintf(`SELECT `+columns+` FROM statement WHERE `+cond+` ORDER BY at DESC, id DESC LIMIT $%d OFFSET $%d`, len(args)-1, len(args)), args...)
}

// FindAll returns the statements of those identifiers, in the order given.
// Unknown ones are left out.
func FindAll(ctx context.Context, t *db.Tx, ids []StatementID) ([]Statement, error) {
	at := make(map[StatementID]Statement, len(ids))
	for lo := 0; lo < len(ids); lo += 500 {
		part := ids[lo:min(lo+500, len(ids))]
		marks, args := make([]string, len(part)), make([]any, len(part))
		for i, id := range part {
			marks[i], args[i] = "$"+strconv.Itoa(i+1), id
		}
		found, err := db.Rows(ctx, t, scan, `SELECT `+columns+` FROM statement WHERE id IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			at[s.ID] = s
		}
	}
	out := make([]Statement, 0, len(ids))
	for _, id := range ids {
		if s, ok := at[id]; ok {
			out = append(out, s)
		}
	}
	return out, nil
}
