package need

import (
	"context"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
)

// Rater is who judges.
type Rater string

const (
	Self    Rater = "self"
	Manager Rater = "manager"
)

// Rating is how someone judged a person at a skill, 1 to 5.
type Rating struct {
	Person    org.PersonID
	Skill     org.SkillID
	Rater     Rater
	Able      int // 1 cannot, 5 could teach it
	Important int // 1 never matters in this work, 5 decides it
}

// Rate records a judgement. by is who judges: the person, or the manager. A
// second judgement in the same programme takes the place of the first in what
// is counted; both stay as statements.
func Rate(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, r Rating, by org.Person) error {
	if r.Able < 1 || r.Able > 5 || r.Important < 1 || r.Important > 5 {
		return fault.New(fault.Invalid, "need.rating.range")
	}
	if r.Rater == Self && by.ID != r.Person {
		return fault.New(fault.Denied, "denied")
	}
	id, err := record.Append(ctx, t, record.Statement{
		Actor: by.Pseudonym, Verb: record.Rated, Object: "skill/" + string(r.Skill), Context: "programme/" + string(programme),
		Extra: map[string]any{"rater": r.Rater, "able": r.Able, "important": r.Important},
	})
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO rating (programme_id, person_id, skill_id, rater, rater_id, able, important, statement_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (programme_id, person_id, skill_id, rater) DO UPDATE
		SET rater_id = excluded.rater_id, able = excluded.able, important = excluded.important, statement_id = excluded.statement_id, at = excluded.at`,
		programme, r.Person, r.Skill, r.Rater, by.ID, r.Able, r.Important, id, db.Millis(t.Now))
	return err
}

// RatingsOf returns how a person was judged in a programme.
func RatingsOf(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, who org.PersonID) ([]Rating, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (r Rating, err error) {
		return r, s.Scan(&r.Person, &r.Skill, &r.Rater, &r.Able, &r.Important)
	}, `SELECT person_id, skill_id, rater, able, important FROM rating WHERE programme_id = $1 AND person_id = $2 ORDER BY skill_id, rater`, programme, who)
}

// Interview is a note of what someone said, filed to a skill.
type Interview struct {
	ID       string
	Skill    org.SkillID
	Position org.PositionID // empty: all
	Who      string         // in general words: "a shop manager"
	Note     locale.Text
}

// AddInterview files a note.
func AddInterview(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, n Interview) error {
	if n.Note.Empty() {
		return fault.New(fault.Invalid, "need.interview.empty")
	}
	if n.ID == "" {
		n.ID = org.NewID()
	}
	_, err := t.Exec(ctx, `INSERT INTO interview (id, programme_id, skill_id, position_id, who, note, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		n.ID, programme, n.Skill, db.OrNull(n.Position), n.Who, n.Note, db.Millis(t.Now))
	return err
}

// Interviews returns a programme's notes, by skill.
func Interviews(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) ([]Interview, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (n Interview, err error) {
		return n, s.Scan(&n.ID, &n.Skill, db.Null(&n.Position), &n.Who, &n.Note)
	}, `SELECT id, skill_id, position_id, who, note FROM interview WHERE programme_id = $1 ORDER BY skill_id, at, id`, programme)
}
