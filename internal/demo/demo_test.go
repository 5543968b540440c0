package demo

import (
	"testing"
	"time"

	"attune/internal/testdb"
)

func TestStory(t *testing.T) {
	d := testdb.SQLite(t)
	last, was := "", time.Now()
	_, err := Run(t.Context(), d, Options{People: 1000, Days: 3, Hours: 6, Seed: 1, Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Progress: func(key string, _ float64) {
		t.Logf("%-20s %v", last, time.Since(was).Round(time.Millisecond))
		last, was = key, time.Now()
	}})
	t.Logf("%-20s %v", last, time.Since(was).Round(time.Millisecond))
	t.Log(err)
}
