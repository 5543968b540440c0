package delivery

import (
	"context"
	"crypto/rand"

	"attune/internal/db"
	"attune/internal/fault"
)

// AddOfferings writes down what a programme offers. One that must come after
// another stands behind it in the list.
func AddOfferings(ctx context.Context, t *db.Tx, all []Offering) error {
	args := make([]any, 0, 8*len(all))
	for _, o := range all {
		switch {
		case o.ID == "" || o.Programme == "" || o.Course == "":
			return fault.New(fault.Invalid, "delivery.id.empty")
		case !(o.Cost >= 0):
			return fault.New(fault.Invalid, "delivery.offering.cost")
		case o.After == o.ID:
			return fault.New(fault.Invalid, "delivery.offering.after_itself")
		}
		args = append(args, o.ID, o.Programme, o.Course, o.Dated, o.Cost, o.Mandatory, db.Millis(o.Due), db.OrNull(o.After))
	}
	return t.Many(ctx, `INSERT INTO offering (id, programme_id, course_id, dated, cost, mandatory, due, after_id)`, 8, args, "")
}

const offeringColumns = `id, programme_id, course_id, dated, cost, mandatory, due, after_id`

func scanOffering(s db.Scanner) (o Offering, err error) {
	return o, s.Scan(&o.ID, &o.Programme, &o.Course, &o.Dated, &o.Cost, &o.Mandatory, (*db.Ms)(&o.Due), db.Null(&o.After))
}

// Offerings returns what a programme offers.
func Offerings(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Offering, error) {
	return db.Rows(ctx, t, scanOffering, `SELECT `+offeringColumns+` FROM offering WHERE programme_id = $1 ORDER BY id`, programme)
}

// FindOffering returns one offering.
func FindOffering(ctx context.Context, t *db.Tx, id OfferingID) (Offering, error) {
	return db.Row(ctx, t, scanOffering, `SELECT `+offeringColumns+` FROM offering WHERE id = $1`, id)
}

// AddSessions writes down when offerings meet. Each gets a secret of its own,
// from which its sign-in codes are made.
func AddSessions(ctx context.Context, t *db.Tx, all []Session) error {
	args := make([]any, 0, 10*len(all))
	for _, s := range all {
		if err := s.Validate(); err != nil {
			return err
		}
		args = append(args, s.ID, s.Offering, db.Millis(s.StartsAt), db.Millis(s.EndsAt), s.Seats, db.OrNull(s.Site), s.Room, s.Trainer, rand.Text(), db.Millis(s.CancelledAt))
	}
	return t.Many(ctx, `INSERT INTO session (id, offering_id, starts_at, ends_at, seats, site_id, room, trainer, secret, cancelled_at)`, 10, args, "")
}

// Validate reports the first thing wrong with s.
func (s *Session) Validate() error {
	switch {
	case s.ID == "" || s.Offering == "":
		return fault.New(fault.Invalid, "delivery.id.empty")
	case s.StartsAt.IsZero() || !s.EndsAt.After(s.StartsAt):
		return fault.New(fault.Invalid, "delivery.session.time")
	case s.Seats < 1:
		return fault.New(fault.Invalid, "delivery.session.seats")
	}
	return nil
}

// Reschedule changes a session's time, place, trainer or seats. It cannot
// have fewer seats than people enrolled.
func Reschedule(ctx context.Context, t *db.Tx, s Session) error {
	if err := s.Validate(); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `
		UPDATE session SET starts_at = $2, ends_at = $3, seats = $4, site_id = $5, room = $6, trainer = $7
		WHERE id = $1 AND cancelled_at IS NULL
		  AND $4 >= (SELECT count(*) FROM enrolment e WHERE e.session_id = session.id AND e.status = 'enrolled')`,
		s.ID, db.Millis(s.StartsAt), db.Millis(s.EndsAt), s.Seats, db.OrNull(s.Site), s.Room, s.Trainer)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "delivery.session.full")
	}
	return err
}

const sessionColumns = `s.id, s.offering_id, s.starts_at, s.ends_at, s.seats, s.site_id, s.room, s.trainer, s.cancelled_at`

func scanSession(s db.Scanner) (x Session, err error) {
	return x, s.Scan(&x.ID, &x.Offering, (*db.Ms)(&x.StartsAt), (*db.Ms)(&x.EndsAt), &x.Seats, db.Null(&x.Site), &x.Room, &x.Trainer, (*db.Ms)(&x.CancelledAt))
}

// Sessions returns the sessions of a programme, cancelled ones too, by time.
func Sessions(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Session, error) {
	return db.Rows(ctx, t, scanSession, `
		SELECT `+sessionColumns+` FROM session s JOIN offering o ON o.id = s.offering_id
		WHERE o.programme_id = $1 ORDER BY s.starts_at, s.id`, programme)
}

// FindSession returns one session.
func FindSession(ctx context.Context, t *db.Tx, id SessionID) (Session, error) {
	return db.Row(ctx, t, scanSession, `SELECT `+sessionColumns+` FROM session s WHERE s.id = $1`, id)
}
