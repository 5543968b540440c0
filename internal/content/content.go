// Package content is what people learn from: courses of activities, and the
// banks of items that measure them.
package content

import (
	"time"

	"attune/internal/engine/irt"
	"attune/internal/locale"
	"attune/internal/org"
)

// IDs of their own type.
type (
	CourseID   string
	ActivityID string
	ItemID     string
)

// Status is where a course or item is in its life.
type Status string

const (
	Draft     Status = "draft"
	Published Status = "published" // of a course
	Active    Status = "active"    // of an item
	Retired   Status = "retired"
)

// Course is a sequence of activities with an owner and a review date.
type Course struct {
	ID        CourseID
	Title     locale.Text
	About     locale.Text
	Owner     org.PersonID
	Status    Status
	ReviewDue time.Time // after this day the course is stale, and says so
	CreatedAt time.Time
}

// Kind is what a person does in an activity.
type Kind string

const (
	Page     Kind = "page"      // reads
	Video    Kind = "video"     // watches
	Quiz     Kind = "quiz"      // answers, and is told why
	Scene    Kind = "scene"     // chooses in a branching scene
	Survey   Kind = "survey"    // says what they think
	Workshop Kind = "workshop"  // works with others and a trainer
	RolePlay Kind = "role_play" // plays a customer and is played one
	Exercise Kind = "exercise"  // practises with feedback
	Coaching Kind = "coaching"  // is coached at work
)

// Activity is one thing to do in a course.
type Activity struct {
	ID      ActivityID
	Course  CourseID
	Place   int // order in the course, from 1
	Kind    Kind
	Method  Method // whose prior its rate starts from
	Title   locale.Text
	Body    locale.Text // Markdown
	Minutes int
	Spec    Spec
	Teaches []Teaches
}

// Teaches says what an activity teaches, and how fast it is believed to.
type Teaches struct {
	Skill  org.SkillID
	Share  float64  // of its minutes, (0, 1]
	Rate   *float64 // λ per focused hour, re-estimated; nil: the method's prior
	RateSE *float64
	From   string // evaluation it was estimated in
}

// Spec is what an activity needs beside its text, by kind.
type Spec struct {
	Items     []ItemID   `json:"items,omitempty"`     // of a quiz
	Nodes     []Node     `json:"nodes,omitempty"`     // of a branching scene; the first is where it begins
	Questions []Question `json:"questions,omitempty"` // of a survey
	Blob      string     `json:"blob,omitempty"`      // of a video: hash of its file
}

// Node is a moment of a branching scene.
type Node struct {
	ID      string      `json:"id"`
	Says    locale.Text `json:"says"`              // what the customer says or does
	Choices []Choice    `json:"choices,omitempty"` // none: the scene ends here
	Score   float64     `json:"score"`             // 0–1, of an ending
}

// Choice is one way to answer at a Node.
type Choice struct {
	Says locale.Text `json:"says"`
	Next string      `json:"next"` // Node.ID
	Why  locale.Text `json:"why"`  // said after it was chosen
}

// Question is one question of a survey.
type Question struct {
	ID      string        `json:"id"`
	Kind    string        `json:"kind"` // likert (1–5), ranking, choice, text
	Text    locale.Text   `json:"text"`
	Options []locale.Text `json:"options,omitempty"` // of ranking and choice
	Aspect  string        `json:"aspect,omitempty"`  // of a reaction: trainer, content, pace, venue, use
}

// Item is a question of a test with one right option.
type Item struct {
	ID       ItemID
	Skill    org.SkillID
	Part     locale.Text // the point of the skill it asks about
	Stem     locale.Text
	Options  []locale.Text
	Answer   int      // index of the right option
	A, B     *float64 // discrimination per logit, difficulty in logits; nil until calibrated
	SEA, SEB *float64
	Status   Status
}

// IRT returns the calibrated item, and whether it has been calibrated.
func (it *Item) IRT() (irt.Item, bool) {
	if it.A == nil || it.B == nil {
		return irt.Item{}, false
	}
	return irt.Item{A: *it.A, B: *it.B}, true
}
