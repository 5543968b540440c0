package assess

import (
	"context"

	"attune/internal/db"
	"attune/internal/org"
	"attune/internal/record"
)

// Standing is how a person employed stands at a skill that their position
// requires.
type Standing struct {
	Person    org.PersonID
	Pseudonym org.Pseudonym
	Number    string
	Name      string
	Unit      org.UnitID
	Position  org.PositionID
	Skill     org.SkillID
	S, SSE    float64 // proficiency at the last estimate, points, and its standard error
	Required  float64 // R, points
	Answers   int     // how many the estimate rests on
}

const standings = `
	SELECT p.id, p.pseudonym, p.number, p.name, p.unit_id, p.position_id, a.skill_id, a.s, a.s_se, r.level, a.answers
	FROM person p
	JOIN requirement r ON r.position_id = p.position_id AND r.level IS NOT NULL
	JOIN ability a ON a.person_id = p.id AND a.skill_id = r.skill_id
		AND a.at = (SELECT max(b.at) FROM ability b WHERE b.person_id = a.person_id AND b.skill_id = a.skill_id)
	WHERE p.left_at IS NULL AND `

func scanStanding(s db.Scanner) (x Standing, err error) {
	return x, s.Scan(&x.Person, &x.Pseudonym, &x.Number, &x.Name, &x.Unit, &x.Position, &x.Skill, &x.S, &x.SSE, &x.Required, &x.Answers)
}

// StandingsAt returns how the people of a unit stand at a skill, by number:
// those who sit in the unit itself, as in need.HeatMap.
func StandingsAt(ctx context.Context, t *db.Tx, unit org.UnitID, skill org.SkillID) ([]Standing, error) {
	return db.Rows(ctx, t, scanStanding, standings+`p.unit_id = $1 AND a.skill_id = $2 ORDER BY p.number`, unit, skill)
}

// StandingsOf returns how the people who report to a manager directly stand at
// every skill, by number and skill.
func StandingsOf(ctx context.Context, t *db.Tx, manager org.PersonID) ([]Standing, error) {
	return db.Rows(ctx, t, scanStanding, standings+`p.manager_id = $1 ORDER BY p.number, a.skill_id`, manager)
}

// Behind says whose answers are wanted; empty fields ask for all.
type Behind struct {
	Test   TestID
	Skill  org.SkillID
	Unit   org.UnitID // people who sit in it
	Person org.Pseudonym
	Item   string // content.ItemID
}

const behind = `
	FROM answer w
	JOIN attempt a ON a.id = w.attempt_id
	JOIN item i ON i.id = w.item_id
	JOIN person p ON p.id = a.person_id
	WHERE w.statement_id IS NOT NULL
		AND (CAST($1 AS TEXT) = '' OR a.test_id = $1) AND (CAST($2 AS TEXT) = '' OR i.skill_id = $2) AND (CAST($3 AS TEXT) = '' OR p.unit_id = $3) AND (CAST($4 AS TEXT) = '' OR p.pseudonym = $4) AND (CAST($5 AS TEXT) = '' OR i.id = $5)`

// Statements returns the statements of answers to tests that an estimate rests
// on, latest first, and how many there are.
func Statements(ctx context.Context, t *db.Tx, b Behind, skip, limit int) ([]record.StatementID, int, error) {
	n, err := db.Row(ctx, t, db.One[int], `SELECT count(*) `+behind, b.Test, b.Skill, b.Unit, b.Person, b.Item)
	if err != nil {
		return nil, 0, err
	}
	ids, err := db.Rows(ctx, t, db.One[record.StatementID], `SELECT w.statement_id `+behind+` ORDER BY w.answered_at DESC, w.statement_id LIMIT $6 OFFSET $7`,
		b.Test, b.Skill, b.Unit, b.Person, b.Item, limit, skip)
	return ids, n, err
}

// HistoryOf returns every estimate of one person, by skill and oldest first.
func HistoryOf(ctx context.Context, t *db.Tx, who org.PersonID) ([]Ability, error) {
	return db.Rows(ctx, t, scanAbility, `SELECT person_id, skill_id, at, theta, theta_se, s, s_se, answers, test_id FROM ability WHERE person_id = $1 ORDER BY skill_id, at`, who)
}

// FindAttempt returns one attempt of one person.
func FindAttempt(ctx context.Context, t *db.Tx, id AttemptID, who org.PersonID) (Attempt, error) {
	return db.Row(ctx, t, scanAttempt, `
		SELECT id, test_id, person_id, number, started_at, finished_at FROM attempt WHERE id = $1 AND person_id = $2`, id, who)
}
