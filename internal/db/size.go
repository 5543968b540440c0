package db

import "context"

// Size returns how many bytes the database takes.
func (t *Tx) Size(ctx context.Context) (int64, error) {
	if t.Engine == Postgres {
		return Row(ctx, t, One[int64], `SELECT pg_database_size(current_database())`)
	}
	return Row(ctx, t, One[int64], `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`)
}
