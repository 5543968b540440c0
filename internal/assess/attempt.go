package assess

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
)

// grace is how long after the time limit an answer is still taken, for the way
// from the browser to here.
const grace = 30 * time.Second

// Start begins an attempt and draws its form, or returns the one that runs.
// rng draws the items: of each skill that the person's position requires, as
// many as the test asks, spread over the bank's difficulty, and none that the
// person has seen in another test while there are unseen ones.
func Start(ctx context.Context, t *db.Tx, test TestID, who org.Person, rng *rand.Rand) (Attempt, error) {
	last, err := db.Row(ctx, t, scanAttempt, `
		SELECT id, test_id, person_id, number, started_at, finished_at
		FROM attempt WHERE test_id = $1 AND person_id = $2 ORDER BY number DESC LIMIT 1`, test, who.ID)
	switch {
	case err == nil && last.FinishedAt.IsZero():
		return last, nil
	case err == nil:
		return last, fault.New(fault.Conflict, "test.already_taken")
	case fault.Of(err) != fault.NotFound:
		return last, err
	}
	ts, err := FindTest(ctx, t, test)
	if err != nil {
		return Attempt{}, err
	}
	if t.Now.Before(ts.OpensAt) || !ts.ClosesAt.IsZero() && t.Now.After(ts.ClosesAt) {
		return Attempt{}, fault.New(fault.Invalid, "test.not_open")
	}
	form, err := drawForm(ctx, t, ts, who, rng)
	if err != nil {
		return Attempt{}, err
	}
	a := Attempt{ID: AttemptID(org.NewID()), Test: test, Person: who.ID, Number: 1, StartedAt: t.Now}
	if _, err := t.Exec(ctx, `INSERT INTO attempt (id, test_id, person_id, number, started_at) VALUES ($1, $2, $3, $4, $5)`,
		a.ID, a.Test, a.Person, a.Number, db.Millis(a.StartedAt)); err != nil {
		return a, err
	}
	args := make([]any, 0, 4*len(form))
	for i, it := range form {
		args = append(args, a.ID, i+1, it, db.Millis(t.Now))
	}
	if err := t.Many(ctx, `INSERT INTO answer (attempt_id, place, item_id, shown_at)`, 4, args, ""); err != nil {
		return a, err
	}
	_, err = record.Append(ctx, t, record.Statement{
		Actor: who.Pseudonym, Verb: record.Started, Object: "test/" + string(test), Context: "attempt/" + string(a.ID),
	})
	return a, err
}

func scanAttempt(s db.Scanner) (a Attempt, err error) {
	return a, s.Scan(&a.ID, &a.Test, &a.Person, &a.Number, (*db.Ms)(&a.StartedAt), (*db.Ms)(&a.FinishedAt))
}

// candidate is an item that a form may use.
type candidate struct {
	id    content.ItemID
	skill org.SkillID
	b     float64
	seen  bool
}

// drawForm chooses the items of one attempt, grouped by skill.
func drawForm(ctx context.Context, t *db.Tx, ts Test, who org.Person, rng *rand.Rand) ([]content.ItemID, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (c candidate, err error) {
		return c, s.Scan(&c.id, &c.skill, &c.b, &c.seen)
	}, `
		SELECT i.id, i.skill_id, coalesce(i.b, 0),
			i.id IN (SELECT w.item_id FROM answer w JOIN attempt a ON a.id = w.attempt_id WHERE a.person_id = $2)
		FROM item i
		WHERE i.status = 'active'
			AND i.skill_id IN (SELECT ts.skill_id FROM test_skill ts
				JOIN requirement r ON r.skill_id = ts.skill_id AND r.position_id = $3
				WHERE ts.test_id = $1)
		ORDER BY i.skill_id, coalesce(i.b, 0), i.id`, ts.ID, who.ID, who.Position)
	if err != nil {
		return nil, err
	}
	var form []content.ItemID
	for _, k := range ts.Skills {
		var fresh, seen []candidate
		for _, c := range all {
			switch {
			case c.skill != k.Skill:
			case c.seen:
				seen = append(seen, c)
			default:
				fresh = append(fresh, c)
			}
		}
		if len(fresh)+len(seen) == 0 {
			continue // not required of this position
		}
		if len(fresh) < k.Items { // the bank is used up: repeat what was seen
			rng.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
			fresh = append(fresh, seen[:min(len(seen), k.Items-len(fresh))]...)
		}
		drawn := spread(fresh, k.Items, rng)
		rng.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
		form = append(form, drawn...)
	}
	if len(form) == 0 {
		return nil, fault.New(fault.Invalid, "test.no_items")
	}
	return form, nil
}

// spread draws n of the candidates, which lie in order of difficulty, one from
// each of n equal stretches of that order.
func spread(from []candidate, n int, rng *rand.Rand) []content.ItemID {
	n = min(n, len(from))
	drawn := make([]content.ItemID, 0, n)
	for i := range n {
		lo, hi := i*len(from)/n, (i+1)*len(from)/n
		drawn = append(drawn, from[lo+rng.IntN(hi-lo)].id)
	}
	return drawn
}

// Shown is an item as the person sees it: without its answer.
type Shown struct {
	Attempt  AttemptID
	Place    int // from 1
	Of       int // items in the form
	Answered int
	Skill    org.SkillID
	Item     content.ItemID
	Stem     locale.Text
	Options  []locale.Text
	Choice   int       // −1 until answered
	Due      time.Time // when the time is up; zero: no limit
}

// Next returns the first unanswered item of a running attempt. When all are
// answered it returns a NotFound fault.
func Next(ctx context.Context, t *db.Tx, attempt AttemptID, who org.PersonID) (Shown, error) {
	return shown(ctx, t, attempt, who, `w.choice IS NULL ORDER BY w.place LIMIT 1`)
}

// At returns one item of an attempt, answered or not.
func At(ctx context.Context, t *db.Tx, attempt AttemptID, who org.PersonID, place int) (Shown, error) {
	return shown(ctx, t, attempt, who, `w.place = `+strconv.Itoa(place))
}

func shown(ctx context.Context, t *db.Tx, attempt AttemptID, who org.PersonID, which string) (Shown, error) {
	return db.Row(ctx, t, func(s db.Scanner) (n Shown, err error) {
		var started, closes time.Time
		var minutes int
		err = s.Scan(&n.Attempt, &n.Place, &n.Of, &n.Answered, &n.Skill, &n.Item, &n.Stem, &db.JSON{V: &n.Options}, &n.Choice, (*db.Ms)(&started), &minutes, (*db.Ms)(&closes))
		n.Due = due(started, minutes, closes)
		return n, err
	}, `
		SELECT w.attempt_id, w.place,
			(SELECT count(*) FROM answer c WHERE c.attempt_id = w.attempt_id),
			(SELECT count(*) FROM answer c WHERE c.attempt_id = w.attempt_id AND c.choice IS NOT NULL),
			i.skill_id, i.id, i.stem, i.options, coalesce(w.choice, -1), a.started_at, coalesce(ts.minutes, 0), ts.closes_at
		FROM answer w
		JOIN attempt a ON a.id = w.attempt_id
		JOIN test ts ON ts.id = a.test_id
		JOIN item i ON i.id = w.item_id
		WHERE a.id = $1 AND a.person_id = $2 AND `+which, attempt, who)
}

// due is when an attempt's time is up: its minutes are over, or the test
// closes. Zero is never.
func due(started time.Time, minutes int, closes time.Time) time.Time {
	limit := started.Add(time.Duration(minutes) * time.Minute)
	if minutes > 0 && (closes.IsZero() || limit.Before(closes)) {
		return limit
	}
	return closes
}

// Give records an answer. When it returns nil the answer is durable once the
// transaction commits. The same answer given twice (a double click, a second
// try after a lost connection) changes nothing; another answer to an item that
// has one is a Conflict.
func Give(ctx context.Context, t *db.Tx, attempt AttemptID, who org.Person, place, choice int) error {
	type row struct {
		item              content.ItemID
		answer, had, many int
		finished, due     time.Time
	}
	r, err := db.Row(ctx, t, func(s db.Scanner) (r row, err error) {
		var options []locale.Text
		var started, closes time.Time
		var minutes int
		err = s.Scan(&r.item, &r.answer, &db.JSON{V: &options}, &r.had, &minutes, (*db.Ms)(&started), (*db.Ms)(&r.finished), (*db.Ms)(&closes))
		r.many, r.due = len(options), due(started, minutes, closes)
		return r, err
	}, `
		SELECT w.item_id, i.answer, i.options, coalesce(w.choice, -1), coalesce(ts.minutes, 0), a.started_at, a.finished_at, ts.closes_at
		FROM answer w
		JOIN attempt a ON a.id = w.attempt_id
		JOIN test ts ON ts.id = a.test_id
		JOIN item i ON i.id = w.item_id
		WHERE w.attempt_id = $1 AND w.place = $2 AND a.person_id = $3`, attempt, place, who.ID)
	switch {
	case err != nil:
		return err
	case r.had == choice:
		return nil
	case r.had >= 0:
		return fault.New(fault.Conflict, "test.answered_already")
	case choice < 0 || choice >= r.many:
		return fault.New(fault.Invalid, "test.choice.unknown")
	case !r.finished.IsZero():
		return fault.New(fault.Conflict, "test.finished")
	case !r.due.IsZero() && t.Now.After(r.due.Add(grace)):
		return fault.New(fault.Invalid, "test.time_up")
	}
	correct := choice == r.answer
	id, err := record.Append(ctx, t, record.Statement{
		Actor: who.Pseudonym, Verb: record.Answered, Object: "item/" + string(r.item), Context: "attempt/" + string(attempt),
		Success: &correct, Response: strconv.Itoa(choice),
	})
	if err != nil {
		return err
	}
	n, err := t.Exec(ctx, `
		UPDATE answer SET choice = $3, correct = $4, answered_at = $5, statement_id = $6
		WHERE attempt_id = $1 AND place = $2 AND choice IS NULL`,
		attempt, place, choice, correct, db.Millis(t.Now), id)
	if err == nil && n == 0 { // another tab was first
		return fault.New(fault.Conflict, "test.answered_already")
	}
	return err
}

// Finish ends an attempt; unanswered items stay unanswered. Finishing twice
// changes nothing.
func Finish(ctx context.Context, t *db.Tx, attempt AttemptID, who org.Person) error {
	a, err := db.Row(ctx, t, scanAttempt, `
		SELECT id, test_id, person_id, number, started_at, finished_at FROM attempt WHERE id = $1 AND person_id = $2`, attempt, who.ID)
	if err != nil || !a.FinishedAt.IsZero() {
		return err
	}
	right, err := db.Row(ctx, t, db.One[float64], `
		SELECT coalesce(avg(CASE WHEN correct THEN 1.0 ELSE 0.0 END), 0) FROM answer WHERE attempt_id = $1`, attempt)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `UPDATE attempt SET finished_at = $2 WHERE id = $1`, attempt, db.Millis(t.Now)); err != nil {
		return err
	}
	_, err = record.Append(ctx, t, record.Statement{
		Actor: who.Pseudonym, Verb: record.Completed, Object: "test/" + string(a.Test), Context: "attempt/" + string(attempt),
		Score: &right, Duration: t.Now.Sub(a.StartedAt),
	})
	return err
}

// Result is how one attempt went, by skill.
type Result struct {
	Skill    org.SkillID
	Asked    int
	Answered int
	Right    int
}

// Results returns a person's attempt by skill.
func Results(ctx context.Context, t *db.Tx, attempt AttemptID, who org.PersonID) ([]Result, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (r Result, err error) {
		return r, s.Scan(&r.Skill, &r.Asked, &r.Answered, &r.Right)
	}, `
		SELECT i.skill_id, count(*), count(w.choice), coalesce(sum(CASE WHEN w.correct THEN 1 ELSE 0 END), 0)
		FROM answer w JOIN item i ON i.id = w.item_id JOIN attempt a ON a.id = w.attempt_id
		WHERE a.id = $1 AND a.person_id = $2
		GROUP BY i.skill_id ORDER BY i.skill_id`, attempt, who)
}

// Sheet is what one person answered of one skill in a test.
type Sheet struct {
	Person  org.PersonID
	Skill   org.SkillID
	Items   []content.ItemID
	Correct []bool
}

// Sheets returns all answers given in a test, by person and skill in a stable
// order: the facts that estimators start from.
func Sheets(ctx context.Context, t *db.Tx, test TestID) ([]Sheet, error) {
	type row struct {
		person  org.PersonID
		skill   org.SkillID
		item    content.ItemID
		correct bool
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.person, &r.skill, &r.item, &r.correct)
	}, `
		SELECT a.person_id, i.skill_id, i.id, w.correct
		FROM attempt a
		JOIN person p ON p.id = a.person_id
		JOIN answer w ON w.attempt_id = a.id
		JOIN item i ON i.id = w.item_id
		WHERE a.test_id = $1 AND w.choice IS NOT NULL
		ORDER BY p.number, i.skill_id, w.place`, test)
	if err != nil {
		return nil, err
	}
	var all []Sheet
	for _, r := range rows {
		n := len(all)
		if n == 0 || all[n-1].Person != r.person || all[n-1].Skill != r.skill {
			all = append(all, Sheet{Person: r.person, Skill: r.skill})
			n++
		}
		s := &all[n-1]
		s.Items, s.Correct = append(s.Items, r.item), append(s.Correct, r.correct)
	}
	return slices.Clip(all), nil
}

// Form returns the items of an attempt in the order shown.
func Form(ctx context.Context, t *db.Tx, attempt AttemptID) ([]content.ItemID, error) {
	return db.Rows(ctx, t, db.One[content.ItemID], `SELECT item_id FROM answer WHERE attempt_id = $1 ORDER BY place`, attempt)
}
