package job

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/testdb"
)

// Eight workers share 200 jobs, and each job is done once.
func TestEachJobOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		d.Clock = time.Now
		const jobs = 200
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			for i := range jobs {
				if _, err := Add(t.Context(), tx, "count", i, tx.Now); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		done := map[int]int{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := &Runner{DB: d, Kinds: map[string]Do{"count": func(_ context.Context, args json.RawMessage, _ func(any)) error {
			var i int
			if err := json.Unmarshal(args, &i); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if done[i]++; len(done) == jobs {
				cancel()
			}
			return nil
		}}}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { r.Run(ctx) })
		}
		all.Wait()
		if len(done) != jobs {
			t.Fatalf("%d jobs done, want %d", len(done), jobs)
		}
		for i, n := range done {
			if n != 1 {
				t.Errorf("job %d done %d times", i, n)
			}
		}
	})
}

// A job that fails or panics is tried again later, and given up in the end.
func TestFailures(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		now := testdb.Start
		d.Clock = func() time.Time { return now }
		ctx := t.Context()
		var id string
		if err := d.Write(ctx, func(tx *db.Tx) (err error) { id, err = Add(ctx, tx, "bad", nil, tx.Now); return err }); err != nil {
			t.Fatal(err)
		}
		tries := 0
		r := &Runner{DB: d, Kinds: map[string]Do{"bad": func(_ context.Context, _ json.RawMessage, tell func(any)) error {
			tell(map[string]int{"tries": tries})
			if tries++; tries == 2 {
				panic("broke")
			}
			return errors.New("no")
		}}}
		for range 20 {
			if _, err := r.one(ctx); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Hour)
		}
		if tries != maxTries {
			t.Errorf("tried %d times, want %d", tries, maxTries)
		}
		d.Read(ctx, func(tx *db.Tx) error {
			j, err := Find(ctx, tx, id)
			if err != nil || !j.Failed() || j.Error != "no" || string(j.Progress) != `{"tries":4}` {
				t.Errorf("job = %+v, %v", j, err)
			}
			return nil
		})
	})
}
