// Package assess measures: tests drawn from item banks, attempts and answers,
// abilities on one scale; surveys; and the levels that expert panels set.
package assess

import (
	"time"

	"attune/internal/content"
	"attune/internal/delivery"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/record"
)

// IDs of their own type.
type (
	TestID    string
	AttemptID string
	SurveyID  string
	PanelID   string
)

// Purpose is what a test is for.
type Purpose string

const (
	Before   Purpose = "before"   // pre-test (baseline)
	After    Purpose = "after"    // post-test
	Practice Purpose = "practice" // not counted
)

// Test asks so many items of each of some skills.
type Test struct {
	ID        TestID
	Programme delivery.ProgrammeID // empty: none
	Purpose   Purpose
	Name      locale.Text
	Minutes   int // time limit; 0: none
	OpensAt   time.Time
	ClosesAt  time.Time // zero: open
	Skills    []TestSkill
}

// TestSkill is how many items a test asks of a skill.
type TestSkill struct {
	Skill org.SkillID
	Items int
}

// Attempt is one sitting of a test by one person.
type Attempt struct {
	ID         AttemptID
	Test       TestID
	Person     org.PersonID
	Number     int // 1; 2 and on are retakes
	StartedAt  time.Time
	FinishedAt time.Time // zero while running
}

// Answer is an item that a person was shown; Choice is −1 until answered.
type Answer struct {
	Attempt    AttemptID
	Place      int // order shown, from 1
	Item       content.ItemID
	Choice     int
	Correct    bool
	ShownAt    time.Time
	AnsweredAt time.Time
	Statement  record.StatementID
}

// Ability is how able a person was at a skill when it was last estimated.
//
// Theta is on the scale of the item bank's calibration. S is the expected
// percentage correct on the skill's whole bank, so that before and after
// compare across forms.
type Ability struct {
	Person  org.PersonID
	Skill   org.SkillID
	At      time.Time
	Theta   float64 // logits
	ThetaSE float64 // posterior standard deviation, logits
	S       float64 // proficiency, 0–100
	SSE     float64 // posterior standard deviation of S, points
	Answers int     // how many answers it rests on
	Test    TestID  // empty: from several
}

// Survey is a questionnaire.
type Survey struct {
	ID        SurveyID
	Programme delivery.ProgrammeID
	Purpose   string // needs, reaction, other
	Name      locale.Text
	Questions []content.Question
	OpensAt   time.Time
	ClosesAt  time.Time
}
