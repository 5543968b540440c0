// Package plan decides who attends what and when in a programme: it turns what
// the company knows into one question for engine/solve, keeps the answer with
// its proof, and on approval draws the lots and enrols people.
package plan

import (
	"context"
	"time"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/solve"
	"attune/internal/org"
)

// ID names a plan.
type ID string

// Status is where a plan is in its life.
type Status string

const (
	Solved     Status = "solved"
	Infeasible Status = "infeasible" // something that must be cannot be; Result.Conflicts says what
	Approved   Status = "approved"
	Superseded Status = "superseded" // another plan of the programme was approved
)

// Plan is a solved question.
type Plan struct {
	ID         ID
	Programme  delivery.ProgrammeID
	Name       string
	Status     Status
	Options    Options
	Result     Result
	CreatedAt  time.Time
	ApprovedAt time.Time
	ApprovedBy string
}

// Options is what the planner is asked, beside what the programme says.
type Options struct {
	Seed   uint64  `json:"seed"`
	Gap    float64 `json:"gap"`    // stop when the plan is proved this near the best; share
	Work   int64   `json:"work"`   // or after so many units of work (about microseconds of one core); 0: no limit
	Away   float64 `json:"away"`   // largest share of a team away at once
	Draw   bool    `json:"draw"`   // whether scarce seats near their price are drawn by lot
	Detect float64 `json:"detect"` // effect that the draw should be able to show, baseline standard deviations of E
}

// DefaultOptions are what the page starts from.
func DefaultOptions(seed uint64) Options {
	return Options{Seed: seed, Gap: 0.005, Work: 15_000_000, Away: 0.4, Draw: true, Detect: 0.25}
}

// Result is the answer and its proof.
type Result struct {
	Objective  float64       `json:"objective"` // Σ E_i
	Bound      float64       `json:"bound"`     // no plan can beat this
	Gap        float64       `json:"gap"`       // (Bound − Objective) / Objective
	Work       int64         `json:"work"`
	People     int           `json:"people"`     // who attend something
	Enrolments int           `json:"enrolments"` // choices, seats to be drawn among them
	Hours      float64       `json:"hours"`
	Cost       float64       `json:"cost"`
	Violations int           `json:"violations"` // that the independent checker found; 0 or the plan is not kept
	Prices     []Price       `json:"prices"`     // of what is scarce, dearest first
	Pools      []Pool        `json:"pools"`
	Conflicts  []Conflict    `json:"conflicts"`
	Offerings  []OfferingUse `json:"offerings"`
	Warnings   []string      `json:"warnings"` // message keys
}

// Price says what one more of something scarce would bring.
type Price struct {
	What    string             `json:"what"` // money (1,000 of it), seat, away (one more person)
	Session delivery.SessionID `json:"session,omitempty"`
	Team    org.UnitID         `json:"team,omitempty"`
	At      time.Time          `json:"at,omitzero"` // of away
	E       float64            `json:"e"`           // summed E that one more would bring
}

// Pool is people among whom the seats of one offering are drawn.
type Pool struct {
	Offering   delivery.OfferingID `json:"offering"`
	Seats      int                 `json:"seats"`
	Band       float64             `json:"band"`       // E
	Cost       float64             `json:"cost"`       // summed E that drawing is expected to lose
	Detectable float64             `json:"detectable"` // smallest effect seen with a power of 0.8, standard deviations
	Lots       []Lot               `json:"lots"`
}

// Lot is one person's stake.
type Lot struct {
	Person      org.PersonID       `json:"person"`
	Session     delivery.SessionID `json:"session"`
	Stratum     string             `json:"stratum"`
	Probability float64            `json:"probability"`
	Holds       bool               `json:"holds"` // has the seat in the plan that is drawn over
}

// Conflict is a smallest set of demands that cannot be met together.
type Conflict struct {
	Rule      solve.Rule            `json:"rule"`
	People    []org.PersonID        `json:"people"`
	Offerings []delivery.OfferingID `json:"offerings"`
	Sessions  []delivery.SessionID  `json:"sessions"`
	Need      float64               `json:"need"`
	Have      float64               `json:"have"`
}

// OfferingUse is how much of an offering the plan uses.
type OfferingUse struct {
	Offering delivery.OfferingID `json:"offering"`
	People   int                 `json:"people"`
	Seats    int                 `json:"seats"` // −1: no limit
}

// Choice is a person in a session of an offering.
type Choice struct {
	Person   org.PersonID
	Offering delivery.OfferingID
	Session  delivery.SessionID // empty for a self-paced one
	Drawn    bool               // the seat is drawn by lot
}

const planColumns = `id, programme_id, name, status, options, result, created_at, approved_at, approved_by`

func scanPlan(s db.Scanner) (p Plan, err error) {
	return p, s.Scan(&p.ID, &p.Programme, &p.Name, &p.Status, &db.JSON{V: &p.Options}, &db.JSON{V: &p.Result},
		(*db.Ms)(&p.CreatedAt), (*db.Ms)(&p.ApprovedAt), db.Null(&p.ApprovedBy))
}

// Find returns one plan.
func Find(ctx context.Context, t *db.Tx, id ID) (Plan, error) {
	return db.Row(ctx, t, scanPlan, `SELECT `+planColumns+` FROM plan WHERE id = $1`, id)
}

// Plans returns a programme's plans, the latest first.
func Plans(ctx context.Context, t *db.Tx, of delivery.ProgrammeID) ([]Plan, error) {
	return db.Rows(ctx, t, scanPlan, `SELECT `+planColumns+` FROM plan WHERE programme_id = $1 ORDER BY created_at DESC, id`, of)
}

// Current returns a programme's approved plan, or else its latest; a NotFound
// fault where there is none.
func Current(ctx context.Context, t *db.Tx, of delivery.ProgrammeID) (Plan, error) {
	return db.Row(ctx, t, scanPlan, `
		SELECT `+planColumns+` FROM plan WHERE programme_id = $1
		ORDER BY CASE status WHEN 'approved' THEN 0 ELSE 1 END, created_at DESC, id LIMIT 1`, of)
}

// Choices returns who attends what in a plan, by employee number.
func Choices(ctx context.Context, t *db.Tx, id ID) ([]Choice, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (c Choice, err error) {
		return c, s.Scan(&c.Person, &c.Offering, db.Null(&c.Session), &c.Drawn)
	}, `
		SELECT c.person_id, c.offering_id, c.session_id, c.drawn
		FROM plan_choice c JOIN person p ON p.id = c.person_id
		WHERE c.plan_id = $1 ORDER BY p.number, c.offering_id`, id)
}
