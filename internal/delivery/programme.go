package delivery

import (
	"context"
	"slices"

	"attune/internal/db"
	"attune/internal/fault"
)

// Validate reports the first thing wrong with p.
func (p *Programme) Validate() error {
	switch {
	case p.ID == "":
		return fault.New(fault.Invalid, "delivery.id.empty")
	case p.Name.Empty():
		return fault.New(fault.Invalid, "delivery.programme.name")
	case p.Days < 1 || p.Days > 366:
		return fault.New(fault.Invalid, "delivery.programme.days")
	case !(p.Hours > 0 && p.Hours <= 24):
		return fault.New(fault.Invalid, "delivery.programme.hours")
	case !(p.Money >= 0):
		return fault.New(fault.Invalid, "delivery.programme.money")
	}
	return nil
}

// Open opens a programme: at the stage of needs, one cycle after the previous
// one, created now, unless it says otherwise.
func Open(ctx context.Context, t *db.Tx, p Programme) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Cycle == 0 {
		p.Cycle = 1
		if p.Previous != "" {
			before, err := FindProgramme(ctx, t, p.Previous)
			if err != nil {
				return err
			}
			p.Cycle = before.Cycle + 1
		}
	}
	if p.Stage == "" {
		p.Stage = StageNeed
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = t.Now
	}
	_, err := t.Exec(ctx, `
		INSERT INTO programme (id, name, cycle, previous_id, stage, because, starts_on, days, hours, money, created_at, closed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		p.ID, p.Name, p.Cycle, db.OrNull(p.Previous), p.Stage, db.JSON{V: p.Because}, db.Millis(p.StartsOn), p.Days, p.Hours, p.Money,
		db.Millis(p.CreatedAt), db.Millis(p.ClosedAt))
	return err
}

// Revise changes a programme's name, first day, days, hours and money, as long
// as it is not being delivered.
func Revise(ctx context.Context, t *db.Tx, p Programme) error {
	if err := p.Validate(); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `
		UPDATE programme SET name = $2, starts_on = $3, days = $4, hours = $5, money = $6
		WHERE id = $1 AND stage IN ('need', 'content', 'plan')`,
		p.ID, p.Name, db.Millis(p.StartsOn), p.Days, p.Hours, p.Money)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "delivery.programme.under_way")
	}
	return err
}

// Advance moves a programme on to a later stage. To be there already is fine;
// to go back is not: what was decided stays decided, and a new cycle is opened.
func Advance(ctx context.Context, t *db.Tx, id ProgrammeID, to Stage) error {
	now, err := db.Row(ctx, t, db.One[Stage], `SELECT stage FROM programme WHERE id = $1 `+t.ForUpdate(), id)
	if err != nil {
		return err
	}
	from, next := slices.Index(Stages, now), slices.Index(Stages, to)
	switch {
	case next < 0:
		return fault.New(fault.Invalid, "delivery.stage.unknown", string(to))
	case next < from:
		return fault.New(fault.Conflict, "delivery.stage.back")
	case next == from:
		return nil
	}
	var closed any
	if to == StageClosed {
		closed = db.Millis(t.Now)
	}
	_, err = t.Exec(ctx, `UPDATE programme SET stage = $2, closed_at = $3 WHERE id = $1`, id, to, closed)
	return err
}

const programmeColumns = `id, name, cycle, previous_id, stage, because, starts_on, days, hours, money, created_at, closed_at`

func scanProgramme(s db.Scanner) (p Programme, err error) {
	return p, s.Scan(&p.ID, &p.Name, &p.Cycle, db.Null(&p.Previous), &p.Stage, &db.JSON{V: &p.Because}, (*db.Ms)(&p.StartsOn), &p.Days, &p.Hours, &p.Money,
		(*db.Ms)(&p.CreatedAt), (*db.Ms)(&p.ClosedAt))
}

// Programmes returns every programme, newest first.
func Programmes(ctx context.Context, t *db.Tx) ([]Programme, error) {
	return db.Rows(ctx, t, scanProgramme, `SELECT `+programmeColumns+` FROM programme ORDER BY created_at DESC, cycle DESC, id`)
}

// FindProgramme returns one programme.
func FindProgramme(ctx context.Context, t *db.Tx, id ProgrammeID) (Programme, error) {
	return db.Row(ctx, t, scanProgramme, `SELECT `+programmeColumns+` FROM programme WHERE id = $1`, id)
}

// Current returns the newest programme that is not closed, or else the newest
// one, or a NotFound fault before the first.
func Current(ctx context.Context, t *db.Tx) (Programme, error) {
	return db.Row(ctx, t, scanProgramme, `
		SELECT `+programmeColumns+` FROM programme
		ORDER BY CASE WHEN stage = 'closed' THEN 1 ELSE 0 END, created_at DESC, cycle DESC, id LIMIT 1`)
}
