package web

import (
	"context"
	"sync"
	"time"

	"attune/internal/db"
)

// memo keeps sums over a whole company that pages show again and again, for as
// long as nothing has happened. Whatever people do leaves a statement, and
// whatever is decided leaves an entry in the audit log, so the last of each is
// a stamp that is cheap to read. Scoring a test leaves neither: nothing is kept
// for longer than half a minute.
type memo struct {
	mu sync.Mutex
	by map[string]kept
}

type kept struct {
	stamp string
	at    time.Time
	value any
}

const longestKept = 30 * time.Second

// recall returns what read returned last, if nothing has happened since, and
// reads otherwise. Callers must not change what they are given.
func recall[T any](ctx context.Context, t *db.Tx, m *memo, key string, read func() (T, error)) (T, error) {
	stamp, err := db.Row(ctx, t, db.One[string], `
		SELECT coalesce((SELECT max(id) FROM statement), '') || ' ' || coalesce(CAST((SELECT max(seq) FROM audit) AS TEXT), '')`)
	if err != nil {
		var none T
		return none, err
	}
	now := time.Now()
	m.mu.Lock()
	k, ok := m.by[key]
	m.mu.Unlock()
	if ok && k.stamp == stamp && now.Sub(k.at) < longestKept {
		return k.value.(T), nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil || len(m.by) > 200 {
		m.by = map[string]kept{}
	}
	m.by[key] = kept{stamp, now, v}
	return v, nil
}
