package org

import (
	"context"
	"strconv"
	"strings"

	"attune/internal/db"
)

// FindByPseudonyms returns whom statements about pseudonyms speak of, in no
// order; at most a page's worth, up to 500, may be asked for.
func FindByPseudonyms(ctx context.Context, t *db.Tx, who []Pseudonym) ([]Person, error) {
	if len(who) == 0 {
		return nil, nil
	}
	who = who[:min(500, len(who))]
	marks, args := make([]string, len(who)), make([]any, len(who))
	for i, p := range who {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), p
	}
	return db.Rows(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE pseudonym IN (`+strings.Join(marks, ", ")+`)`, args...)
}

// Count returns how many people are employed.
func Count(ctx context.Context, t *db.Tx) (int, error) {
	return db.Row(ctx, t, db.One[int], `SELECT count(*) FROM person WHERE left_at IS NULL`)
}
