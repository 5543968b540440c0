package evaluate

import (
	"context"

	"attune/internal/assess"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/org"
)

// keep writes an evaluation down, with everybody's effect and their abilities
// after as the joint model sees them.
func keep(ctx context.Context, t *db.Tx, s *study, r *Result, effects []PersonEffect) error {
	if _, err := t.Exec(ctx, `INSERT INTO evaluation (id, programme_id, at, result) VALUES ($1, $2, $3, $4)`,
		r.ID, r.Programme, db.Millis(r.At), db.JSON{V: r}); err != nil {
		return err
	}
	args := make([]any, 0, 7*len(effects))
	for _, e := range effects {
		args = append(args, r.ID, e.Person, e.Trained, e.E.Estimate, e.E.Low, e.E.High, db.JSON{V: e.Gains})
	}
	if err := t.Many(ctx, `INSERT INTO person_effect (evaluation_id, person_id, trained, e, low, high, gains)`, 7, args, ""); err != nil {
		return err
	}
	var after []assess.Ability
	for _, k := range s.skills {
		f := s.fits[k.ID]
		if f == nil {
			continue
		}
		for j, i := range f.who {
			p := s.people[i].person
			sheet, ok := s.after[k.ID][p.ID]
			if !ok {
				continue
			}
			l := f.gain.People[j].After
			after = append(after, assess.Ability{Person: p.ID, Skill: k.ID, At: t.Now, Theta: l.Theta, ThetaSE: l.ThetaSE, S: l.S, SSE: l.SE, Answers: len(sheet.Items), Test: r.After})
		}
	}
	return assess.Keep(ctx, t, after)
}

func scanResult(s db.Scanner) (*Result, error) {
	var r Result
	return &r, s.Scan(&db.JSON{V: &r})
}

// Find returns one evaluation.
func Find(ctx context.Context, t *db.Tx, id ID) (*Result, error) {
	return db.Row(ctx, t, scanResult, `SELECT result FROM evaluation WHERE id = $1`, id)
}

// Latest returns a programme's latest evaluation, or a NotFound fault.
func Latest(ctx context.Context, t *db.Tx, of delivery.ProgrammeID) (*Result, error) {
	return db.Row(ctx, t, scanResult, `SELECT result FROM evaluation WHERE programme_id = $1 ORDER BY at DESC LIMIT 1`, of)
}

func scanEffect(s db.Scanner) (e PersonEffect, err error) {
	return e, s.Scan(&e.Person, &e.Trained, &e.E.Estimate, &e.E.Low, &e.E.High, &db.JSON{V: &e.Gains})
}

// Effects returns everybody's effect in an evaluation, by employee number.
func Effects(ctx context.Context, t *db.Tx, id ID) ([]PersonEffect, error) {
	return db.Rows(ctx, t, scanEffect, `
		SELECT e.person_id, e.trained, e.e, e.low, e.high, e.gains
		FROM person_effect e JOIN person p ON p.id = e.person_id
		WHERE e.evaluation_id = $1 ORDER BY p.number`, id)
}

// EffectOf returns one person's effect in an evaluation.
func EffectOf(ctx context.Context, t *db.Tx, id ID, who org.PersonID) (PersonEffect, error) {
	return db.Row(ctx, t, scanEffect, `
		SELECT person_id, trained, e, low, high, gains FROM person_effect WHERE evaluation_id = $1 AND person_id = $2`, id, who)
}
