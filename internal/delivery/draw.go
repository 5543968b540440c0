package delivery

import (
	"context"

	"attune/internal/db"
	"attune/internal/fault"
)

// RecordDraw writes a lot down: its seed, its band, and for each person of the
// pool the probability and the outcome. It cannot be changed afterwards.
func RecordDraw(ctx context.Context, t *db.Tx, d Draw) error {
	if d.ID == "" || d.Plan == "" || len(d.Entries) == 0 {
		return fault.New(fault.Invalid, "delivery.draw.empty")
	}
	drawn := 0
	args := make([]any, 0, 6*len(d.Entries))
	for _, e := range d.Entries {
		if !(e.Probability > 0 && e.Probability < 1) {
			return fault.New(fault.Invalid, "delivery.draw.probability")
		}
		if e.Drawn {
			drawn++
		}
		args = append(args, d.ID, e.Person, e.Session, e.Stratum, e.Probability, e.Drawn)
	}
	if drawn > d.Seats {
		return fault.New(fault.Invalid, "delivery.draw.seats")
	}
	if d.At.IsZero() {
		d.At = t.Now
	}
	if _, err := t.Exec(ctx, `
		INSERT INTO draw (id, plan_id, offering_id, seed, seats, band, cost, drawn_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		d.ID, d.Plan, d.Offering, d.Seed, d.Seats, d.Band, d.Cost, db.Millis(d.At)); err != nil {
		return err
	}
	return t.Many(ctx, `INSERT INTO draw_entry (draw_id, person_id, session_id, stratum, probability, drawn)`, 6, args, "")
}

// Draws returns the lots of a programme with their entries, in the order drawn.
func Draws(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Draw, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (d Draw, err error) {
		return d, s.Scan(&d.ID, &d.Plan, &d.Offering, &d.Seed, &d.Seats, &d.Band, &d.Cost, (*db.Ms)(&d.At))
	}, `SELECT d.id, d.plan_id, d.offering_id, d.seed, d.seats, d.band, d.cost, d.drawn_at
		FROM draw d JOIN offering o ON o.id = d.offering_id
		WHERE o.programme_id = $1 ORDER BY d.drawn_at, d.id`, programme)
	if err != nil {
		return nil, err
	}
	at := make(map[DrawID]int, len(all))
	for i, d := range all {
		at[d.ID] = i
	}
	type row struct {
		draw DrawID
		DrawEntry
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.draw, &r.Person, &r.Session, &r.Stratum, &r.Probability, &r.Drawn)
	}, `SELECT e.draw_id, e.person_id, e.session_id, e.stratum, e.probability, e.drawn
		FROM draw_entry e JOIN draw d ON d.id = e.draw_id JOIN offering o ON o.id = d.offering_id
		WHERE o.programme_id = $1 ORDER BY e.draw_id, e.stratum, e.person_id`, programme)
	for _, r := range rows {
		d := &all[at[r.draw]]
		d.Entries = append(d.Entries, r.DrawEntry)
	}
	return all, err
}
