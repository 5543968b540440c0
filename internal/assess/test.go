package assess

import (
	"context"
	"time"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/org"
)

// AddTest writes a test down.
func AddTest(ctx context.Context, t *db.Tx, ts Test) error {
	if len(ts.Skills) == 0 {
		return fault.New(fault.Invalid, "test.skills.none")
	}
	if !ts.ClosesAt.IsZero() && ts.ClosesAt.Before(ts.OpensAt) {
		return fault.New(fault.Invalid, "test.closes_before_opens")
	}
	var minutes any
	if ts.Minutes > 0 {
		minutes = ts.Minutes
	}
	if _, err := t.Exec(ctx, `
		INSERT INTO test (id, programme_id, purpose, name, minutes, opens_at, closes_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		ts.ID, db.OrNull(ts.Programme), ts.Purpose, ts.Name, minutes, db.Millis(ts.OpensAt), db.Millis(ts.ClosesAt)); err != nil {
		return err
	}
	var args []any
	for _, k := range ts.Skills {
		if k.Items < 1 {
			return fault.New(fault.Invalid, "test.items.none")
		}
		args = append(args, ts.ID, k.Skill, k.Items)
	}
	return t.Many(ctx, `INSERT INTO test_skill (test_id, skill_id, items)`, 3, args, "")
}

const testColumns = `t.id, t.programme_id, t.purpose, t.name, coalesce(t.minutes, 0), t.opens_at, t.closes_at`

func scanTest(s db.Scanner) (ts Test, err error) {
	return ts, s.Scan(&ts.ID, db.Null(&ts.Programme), &ts.Purpose, &ts.Name, &ts.Minutes, (*db.Ms)(&ts.OpensAt), (*db.Ms)(&ts.ClosesAt))
}

// FindTest returns one test.
func FindTest(ctx context.Context, t *db.Tx, id TestID) (Test, error) {
	ts, err := db.Row(ctx, t, scanTest, `SELECT `+testColumns+` FROM test t WHERE t.id = $1`, id)
	if err != nil {
		return ts, err
	}
	all := []Test{ts}
	err = withSkills(ctx, t, all)
	return all[0], err
}

// Tests returns a programme's tests in the order they open.
func Tests(ctx context.Context, t *db.Tx, of delivery.ProgrammeID) ([]Test, error) {
	all, err := db.Rows(ctx, t, scanTest, `SELECT `+testColumns+` FROM test t WHERE t.programme_id = $1 ORDER BY t.opens_at, t.id`, of)
	if err != nil {
		return nil, err
	}
	return all, withSkills(ctx, t, all)
}

func withSkills(ctx context.Context, t *db.Tx, all []Test) error {
	type row struct {
		test TestID
		TestSkill
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.test, &r.Skill, &r.Items) }, `
		SELECT ts.test_id, ts.skill_id, ts.items
		FROM test_skill ts JOIN skill k ON k.id = ts.skill_id
		ORDER BY k.innovation, ts.skill_id`)
	if err != nil {
		return err
	}
	at := map[TestID]int{}
	for i := range all {
		at[all[i].ID] = i
	}
	for _, r := range rows {
		if i, ok := at[r.test]; ok {
			all[i].Skills = append(all[i].Skills, r.TestSkill)
		}
	}
	return nil
}

// OpenTests returns the tests that a person can sit now, because they are open
// and ask about a skill that the person's position requires, with the attempt
// they have begun or finished. A test of a programme's after is also offered to
// those who wait.
func OpenTests(ctx context.Context, t *db.Tx, who org.PersonID) ([]Sitting, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (o Sitting, err error) {
		return o, s.Scan(&o.Test.ID, db.Null(&o.Test.Programme), &o.Test.Purpose, &o.Test.Name, &o.Test.Minutes, (*db.Ms)(&o.Test.OpensAt), (*db.Ms)(&o.Test.ClosesAt),
			db.Null(&o.Attempt), (*db.Ms)(&o.StartedAt), (*db.Ms)(&o.FinishedAt), &o.Answered, &o.Items)
	}, `
		SELECT `+testColumns+`, a.id, a.started_at, a.finished_at,
			(SELECT count(*) FROM answer w WHERE w.attempt_id = a.id AND w.choice IS NOT NULL),
			(SELECT coalesce(sum(ts.items), 0) FROM test_skill ts JOIN requirement r ON r.skill_id = ts.skill_id AND r.position_id = p.position_id WHERE ts.test_id = t.id)
		FROM test t
		JOIN person p ON p.id = $1
		LEFT JOIN attempt a ON a.test_id = t.id AND a.person_id = p.id
			AND a.number = (SELECT max(number) FROM attempt l WHERE l.test_id = t.id AND l.person_id = p.id)
		WHERE t.opens_at <= $2 AND (t.closes_at IS NULL OR t.closes_at > $2 OR a.id IS NOT NULL)
		ORDER BY t.opens_at DESC, t.id`, who, db.Millis(t.Now))
	if err != nil {
		return nil, err
	}
	asked := all[:0]
	for _, o := range all {
		if o.Items > 0 {
			asked = append(asked, o)
		}
	}
	return asked, nil
}

// Sitting is a test as it stands for one person.
type Sitting struct {
	Test
	Attempt    AttemptID // empty: not begun
	StartedAt  time.Time
	FinishedAt time.Time
	Answered   int
	Items      int // asked of this person
}
