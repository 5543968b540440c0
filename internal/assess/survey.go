package assess

import (
	"context"
	"unicode/utf8"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
)

// AddSurvey writes a questionnaire down.
func AddSurvey(ctx context.Context, t *db.Tx, s Survey) error {
	if len(s.Questions) == 0 {
		return fault.New(fault.Invalid, "survey.questions.none")
	}
	if !s.ClosesAt.IsZero() && s.ClosesAt.Before(s.OpensAt) {
		return fault.New(fault.Invalid, "survey.closes_before_opens")
	}
	if err := content.ValidateQuestions(s.Questions); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `
		INSERT INTO survey (id, programme_id, purpose, name, questions, opens_at, closes_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, db.OrNull(s.Programme), s.Purpose, s.Name, db.JSON{V: s.Questions}, db.Millis(s.OpensAt), db.Millis(s.ClosesAt))
	return err
}

func scanSurvey(s db.Scanner) (v Survey, err error) {
	return v, s.Scan(&v.ID, db.Null(&v.Programme), &v.Purpose, &v.Name, &db.JSON{V: &v.Questions}, (*db.Ms)(&v.OpensAt), (*db.Ms)(&v.ClosesAt))
}

const surveyColumns = `id, programme_id, purpose, name, questions, opens_at, closes_at`

// FindSurvey returns one survey.
func FindSurvey(ctx context.Context, t *db.Tx, id SurveyID) (Survey, error) {
	return db.Row(ctx, t, scanSurvey, `SELECT `+surveyColumns+` FROM survey WHERE id = $1`, id)
}

// Surveys returns a programme's surveys in the order they open.
func Surveys(ctx context.Context, t *db.Tx, of delivery.ProgrammeID) ([]Survey, error) {
	return db.Rows(ctx, t, scanSurvey, `SELECT `+surveyColumns+` FROM survey WHERE programme_id = $1 ORDER BY opens_at, id`, of)
}

// OpenSurveys returns the surveys that a person can still answer.
func OpenSurveys(ctx context.Context, t *db.Tx, who org.PersonID) ([]Survey, error) {
	return db.Rows(ctx, t, scanSurvey, `
		SELECT `+surveyColumns+` FROM survey s
		WHERE opens_at <= $2 AND (closes_at IS NULL OR closes_at > $2)
			AND NOT EXISTS (SELECT 1 FROM survey_response r WHERE r.survey_id = s.id AND r.person_id = $1)
		ORDER BY opens_at, id`, who, db.Millis(t.Now))
}

// Reply is what someone answered to one question: Value of a Likert question
// (1–5), Order of a ranking (option indices, best first), Choice of a choice,
// Text of a free one.
type Reply struct {
	Question string `json:"question"`
	Value    int    `json:"value,omitempty"`
	Order    []int  `json:"order,omitempty"`
	Choice   int    `json:"choice,omitempty"`
	Text     string `json:"text,omitempty"`
}

// Respond records a person's answers, once.
func Respond(ctx context.Context, t *db.Tx, survey SurveyID, who org.Person, replies []Reply) error {
	s, err := FindSurvey(ctx, t, survey)
	if err != nil {
		return err
	}
	switch {
	case t.Now.Before(s.OpensAt):
		return fault.New(fault.Invalid, "survey.not_open")
	case !s.ClosesAt.IsZero() && t.Now.After(s.ClosesAt):
		return fault.New(fault.Invalid, "survey.closed")
	}
	if err := valid(s.Questions, replies); err != nil {
		return err
	}
	id, err := record.Append(ctx, t, record.Statement{
		Actor: who.Pseudonym, Verb: record.Answered, Object: "survey/" + string(survey), Extra: map[string]any{"replies": replies},
	})
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO survey_response (survey_id, person_id, answers, at, statement_id) VALUES ($1, $2, $3, $4, $5)`,
		survey, who.ID, db.JSON{V: replies}, db.Millis(t.Now), id)
	if fault.Of(err) == fault.Conflict {
		return fault.Wrap(err, fault.Conflict, "survey.answered_already")
	}
	return err
}

// maxText is how many characters a free answer may have.
const maxText = 10_000

func valid(questions []content.Question, replies []Reply) error {
	of := map[string]content.Question{}
	for _, q := range questions {
		of[q.ID] = q
	}
	answered := map[string]bool{}
	for _, r := range replies {
		q, ok := of[r.Question]
		switch {
		case !ok:
			return fault.New(fault.Invalid, "survey.question.unknown")
		case answered[r.Question]: // it would count twice in every mean
			return fault.New(fault.Invalid, "survey.question.twice", q.Text)
		}
		answered[r.Question] = true
		switch q.Kind {
		case "likert":
			if r.Value < 1 || r.Value > 5 {
				return fault.New(fault.Invalid, "survey.likert.range", q.Text)
			}
		case "choice":
			if r.Choice < 0 || r.Choice >= len(q.Options) {
				return fault.New(fault.Invalid, "survey.choice.unknown", q.Text)
			}
		case "ranking":
			seen := make([]bool, len(q.Options))
			for _, o := range r.Order {
				if o < 0 || o >= len(seen) || seen[o] {
					return fault.New(fault.Invalid, "survey.ranking.invalid", q.Text)
				}
				seen[o] = true
			}
		case "text":
			if utf8.RuneCountInString(r.Text) > maxText {
				return fault.New(fault.Invalid, "survey.text.long", q.Text, maxText)
			}
		}
	}
	return nil
}

// Response is one person's answers.
type Response struct {
	Person  org.PersonID
	Replies []Reply
}

// Responses returns every answer to a survey, by employee number.
func Responses(ctx context.Context, t *db.Tx, survey SurveyID) ([]Response, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (r Response, err error) {
		return r, s.Scan(&r.Person, &db.JSON{V: &r.Replies})
	}, `
		SELECT r.person_id, r.answers FROM survey_response r JOIN person p ON p.id = r.person_id
		WHERE r.survey_id = $1 ORDER BY p.number`, survey)
}
