// Package delivery is training as it is given: programmes, offerings and dated
// sessions; who is enrolled, drawn, present; where each person is in each
// activity. What happens is recorded as statements before it is acknowledged.
package delivery

import (
	"time"

	"attune/internal/content"
	"attune/internal/locale"
	"attune/internal/org"
)

// IDs of their own type.
type (
	ProgrammeID string
	OfferingID  string
	SessionID   string
	DrawID      string
)

// Stage is where a programme is in the loop.
type Stage string

const (
	StageNeed     Stage = "need"
	StageContent  Stage = "content"
	StagePlan     Stage = "plan"
	StageDelivery Stage = "delivery"
	StageEvaluate Stage = "evaluate"
	StageClosed   Stage = "closed"
)

// Stages lists them in order.
var Stages = []Stage{StageNeed, StageContent, StagePlan, StageDelivery, StageEvaluate, StageClosed}

// Programme is one turn of the loop: a training cycle.
type Programme struct {
	ID        ProgrammeID
	Name      locale.Text
	Cycle     int         // 1, 2, …
	Previous  ProgrammeID // empty for the first
	Stage     Stage
	Because   Because   // the improvement it came from
	StartsOn  time.Time // first training day; zero until set
	Days      int       // training days
	Hours     float64   // a day, at most, for a person
	Money     float64   // budget, in the company's currency
	CreatedAt time.Time
	ClosedAt  time.Time
}

// Because is why a later cycle was opened; zero for the first.
type Because struct {
	Evaluation string        `json:"evaluation,omitempty"`
	Skills     []org.SkillID `json:"skills,omitempty"`
	Reason     string        `json:"reason,omitempty"` // message key of the improvement
}

// Offering is a course offered in a programme: self-paced, or in sessions.
type Offering struct {
	ID        OfferingID
	Programme ProgrammeID
	Course    content.CourseID
	Dated     bool
	Cost      float64 // a seat
	Mandatory bool
	Due       time.Time  // of a mandatory or self-paced one; zero: none
	After     OfferingID // prerequisite; empty: none
}

// Session is a dated meeting of an offering.
type Session struct {
	ID          SessionID
	Offering    OfferingID
	StartsAt    time.Time
	EndsAt      time.Time
	Seats       int
	Site        org.UnitID // empty: online, for everybody
	Room        string
	Trainer     string
	CancelledAt time.Time
}

// Enrolment is a person's place in an offering.
type Enrolment struct {
	Person   org.PersonID
	Offering OfferingID
	Session  SessionID // empty for a self-paced one
	Status   EnrolmentStatus
	Source   string // plan, draw, person, manager, rule
	Reason   string // of an exemption or cancellation
	At       time.Time
	BegunAt  time.Time // zero until an activity is opened or the session attended
	DoneAt   time.Time // zero until every activity is completed or the session attended
}

// EnrolmentStatus says whether a person has the place.
type EnrolmentStatus string

const (
	Enrolled  EnrolmentStatus = "enrolled"
	Waiting   EnrolmentStatus = "waiting"
	Exempt    EnrolmentStatus = "exempt"
	Cancelled EnrolmentStatus = "cancelled"
)

// Draw is a lot drawn for scarce seats, so that an effect can be seen.
type Draw struct {
	ID       DrawID
	Plan     string // plan.ID, which stands below this package
	Offering OfferingID
	Seed     int64
	Seats    int
	Band     float64 // width of the pool about the seat's price, E
	Cost     float64 // what drawing rather than choosing is expected to lose, summed E
	At       time.Time
	Entries  []DrawEntry
}

// DrawEntry is a person of the pool.
type DrawEntry struct {
	Person      org.PersonID
	Session     SessionID // the seat that was drawn for
	Stratum     string
	Probability float64 // of being drawn, (0, 1)
	Drawn       bool    // false: waits
}
