// Package job does things later, once: a queue in the database, filled in the
// transaction that needs the work done.
package job

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
)

// Job is a queued piece of work.
type Job struct {
	ID       string
	Kind     string
	Args     json.RawMessage
	Tries    int
	Error    string
	DoneAt   time.Time
	Progress json.RawMessage
}

const (
	lease    = 2 * time.Minute // how long a claimed job is left to its worker before another may take it; renewed while it runs
	maxTries = 5
)

// Add queues a job of a kind, to be run not before at, and returns its
// identifier.
func Add(ctx context.Context, t *db.Tx, kind string, args any, at time.Time) (string, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	id := rand.Text()
	_, err = t.Exec(ctx, `INSERT INTO job (id, kind, args, run_at) VALUES ($1, $2, $3, $4)`, id, kind, string(text), db.Millis(at))
	return id, err
}

func scan(s db.Scanner) (j Job, err error) {
	var args string
	var progress string
	err = s.Scan(&j.ID, &j.Kind, &args, &j.Tries, db.Null(&j.Error), (*db.Ms)(&j.DoneAt), db.Null(&progress))
	j.Args, j.Progress = json.RawMessage(args), json.RawMessage(progress)
	return j, err
}

const columns = `id, kind, args, tries, error, done_at, progress`

// Find returns a job, done or not.
func Find(ctx context.Context, t *db.Tx, id string) (Job, error) {
	return db.Row(ctx, t, scan, `SELECT `+columns+` FROM job WHERE id = $1`, id)
}

// Failed reports whether a job was given up.
func (j *Job) Failed() bool { return j.DoneAt.IsZero() && j.Tries >= maxTries }

// Do carries out a job. tell keeps progress that watchers can read; what it is
// given must marshal to JSON. A job may run twice, when a worker dies after
// the work and before saying so: Do must bear that.
type Do func(ctx context.Context, args json.RawMessage, tell func(progress any)) error

// Runner runs jobs.
type Runner struct {
	DB    *db.DB
	Kinds map[string]Do

	once sync.Once
	wake chan struct{}
}

func (r *Runner) init() { r.once.Do(func() { r.wake = make(chan struct{}, 1) }) }

// Wake makes a waiting worker of this process look at once.
func (r *Runner) Wake() {
	r.init()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run runs jobs until ctx ends. A job in hand is finished first.
func (r *Runner) Run(ctx context.Context) {
	r.init()
	for {
		busy, err := r.one(ctx)
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "jobs", "err", err)
		}
		if busy {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-time.After(time.Second):
		}
	}
}

// one claims a job and runs it.
func (r *Runner) one(ctx context.Context) (busy bool, err error) {
	if ctx.Err() != nil {
		return false, nil
	}
	var j Job
	err = r.DB.Write(ctx, func(t *db.Tx) (err error) {
		j, err = db.Row(ctx, t, scan, `
			UPDATE job SET run_at = $2, tries = tries + 1
			WHERE id = (SELECT id FROM job WHERE run_at <= $1 AND tries < $3 AND done_at IS NULL ORDER BY run_at LIMIT 1 `+t.SkipLocked()+`)
			RETURNING `+columns,
			db.Millis(t.Now), db.Millis(t.Now.Add(lease)), maxTries)
		return err
	})
	if fault.Of(err) == fault.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// Work in hand is finished even as the program stops.
	work := context.WithoutCancel(ctx)
	stop := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(lease / 4):
				r.set(work, `UPDATE job SET run_at = $2 WHERE id = $1`, j.ID, func(t *db.Tx) any { return db.Millis(t.Now.Add(lease)) })
			}
		}
	})
	err = r.do(work, j)
	close(stop)
	renewing.Wait()
	if err != nil {
		slog.WarnContext(ctx, "job failed", "kind", j.Kind, "id", j.ID, "try", j.Tries, "err", err)
		wait := time.Duration(j.Tries*j.Tries) * 10 * time.Second
		return true, r.DB.Write(work, func(t *db.Tx) error {
			_, werr := t.Exec(work, `UPDATE job SET error = $2, run_at = $3 WHERE id = $1`, j.ID, err.Error(), db.Millis(t.Now.Add(wait)))
			return werr
		})
	}
	return true, r.set(work, `UPDATE job SET done_at = $2, error = NULL WHERE id = $1`, j.ID, func(t *db.Tx) any { return db.Millis(t.Now) })
}

func (r *Runner) set(ctx context.Context, query, id string, value func(*db.Tx) any) error {
	return r.DB.Write(ctx, func(t *db.Tx) error {
		_, err := t.Exec(ctx, query, id, value(t))
		return err
	})
}

func (r *Runner) do(ctx context.Context, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	do, ok := r.Kinds[j.Kind]
	if !ok {
		return errors.New("no such kind of job")
	}
	return do(ctx, j.Args, func(progress any) {
		b, err := json.Marshal(progress)
		if err == nil {
			err = r.set(ctx, `UPDATE job SET progress = $2 WHERE id = $1`, j.ID, func(*db.Tx) any { return string(b) })
		}
		if err != nil {
			slog.WarnContext(ctx, "progress not kept", "job", j.ID, "err", err)
		}
	})
}
