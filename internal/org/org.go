// Package org is the company: its people, units, positions, business
// processes and skills, and what each position requires.
//
// The name of a person is known here only. Statements speak of a Pseudonym,
// and every other table of a PersonID, which tells nothing by itself.
package org

import (
	"context"
	"crypto/rand"
	"time"

	"attune/internal/db"
	"attune/internal/locale"
)

// IDs are types of their own, so that one cannot be passed for another.
type (
	PersonID   string
	UnitID     string
	PositionID string
	SkillID    string
	ProcessID  string
	StepID     string
	Pseudonym  string // whom statements speak of
)

// NewID returns a new opaque identifier: 130 random bits.
func NewID() string { return rand.Text() }

// Company is whom this installation belongs to.
type Company struct {
	Name         locale.Text
	Simulated    bool           // every page says so
	Alpha        float64        // weight of skill in E
	Beta         float64        // weight of innovation in E
	SigmaS       float64        // standard deviation of S at the first baseline, points; 0 until measured, then frozen
	SigmaI       float64        // of innovation, likewise
	AttentionDay int            // minutes of focus a person may be asked for in a day
	Zone         *time.Location // days are counted in it
}

// Measured reports whether the first baseline has frozen the scale of E.
func (c *Company) Measured() bool { return c.SigmaS > 0 && c.SigmaI > 0 }

// FindCompany returns the company, or a NotFound fault before it was founded.
func FindCompany(ctx context.Context, t *db.Tx) (*Company, error) {
	return db.Row(ctx, t, func(s db.Scanner) (*Company, error) {
		var c Company
		var sigmaS, sigmaI *float64
		var zone string
		if err := s.Scan(&c.Name, &c.Simulated, &c.Alpha, &c.Beta, &sigmaS, &sigmaI, &c.AttentionDay, &zone); err != nil {
			return nil, err
		}
		if sigmaS != nil && sigmaI != nil {
			c.SigmaS, c.SigmaI = *sigmaS, *sigmaI
		}
		loc, err := time.LoadLocation(zone)
		c.Zone = loc
		return &c, err
	}, `SELECT name, simulated, alpha, beta, sigma_s, sigma_i, attention_a_day, zone FROM company WHERE id = 1`)
}

// Found writes the company down. It can be done once.
func Found(ctx context.Context, t *db.Tx, c Company) error {
	_, err := t.Exec(ctx, `
		INSERT INTO company (id, name, simulated, alpha, beta, attention_a_day, zone)
		VALUES (1, $1, $2, $3, $4, $5, $6)`,
		c.Name, c.Simulated, c.Alpha, c.Beta, c.AttentionDay, c.Zone.String())
	return err
}

// FreezeScale sets the standard deviations that E is counted in, once: at the
// first baseline. A later call changes nothing and returns false.
func FreezeScale(ctx context.Context, t *db.Tx, sigmaS, sigmaI float64) (bool, error) {
	n, err := t.Exec(ctx, `UPDATE company SET sigma_s = $1, sigma_i = $2 WHERE id = 1 AND sigma_s IS NULL`, sigmaS, sigmaI)
	return n == 1, err
}

// Person is someone the company trains.
type Person struct {
	ID        PersonID
	Number    string // the company's employee number
	Pseudonym Pseudonym
	Name      string // as the person writes it; never transliterated
	Email     string
	Unit      UnitID
	Position  PositionID
	Manager   PersonID // empty at the top
	Lang      locale.Lang
	HiredAt   time.Time
	LeftAt    time.Time // zero while employed
}

const personColumns = `id, number, pseudonym, name, email, unit_id, position_id, manager_id, lang, hired_at, left_at`

func scanPerson(s db.Scanner) (p Person, err error) {
	return p, s.Scan(&p.ID, &p.Number, &p.Pseudonym, &p.Name, &p.Email, &p.Unit, &p.Position, db.Null(&p.Manager), &p.Lang, (*db.Ms)(&p.HiredAt), (*db.Ms)(&p.LeftAt))
}

// People returns everybody employed, by number.
func People(ctx context.Context, t *db.Tx) ([]Person, error) {
	return db.Rows(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE left_at IS NULL ORDER BY number`)
}

// FindPerson returns one person, employed or not.
func FindPerson(ctx context.Context, t *db.Tx, id PersonID) (Person, error) {
	return db.Row(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, id)
}

// Unit is a part of the company; people sit in its leaves, called teams.
type Unit struct {
	ID     UnitID
	Parent UnitID // empty at the root
	Path   string // names from the root, joined by "/"
	Name   locale.Text
	Site   bool // its people can meet without travel
}

// Units returns every open unit, parents before children.
func Units(ctx context.Context, t *db.Tx) ([]Unit, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (u Unit, err error) {
		return u, s.Scan(&u.ID, db.Null(&u.Parent), &u.Path, &u.Name, &u.Site)
	}, `SELECT id, parent_id, path, name, site FROM unit WHERE closed_at IS NULL ORDER BY path`)
}

// Position is a job in the company.
type Position struct {
	ID         PositionID
	Name       locale.Text
	Occupation string // O*NET-SOC code it was adopted from; may be empty
}

// Positions returns every position.
func Positions(ctx context.Context, t *db.Tx) ([]Position, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (p Position, err error) {
		return p, s.Scan(&p.ID, &p.Name, db.Null(&p.Occupation))
	}, `SELECT id, name, occupation FROM position ORDER BY created_at, id`)
}

// Skill is something people can be more or less able at.
type Skill struct {
	ID         SkillID
	Name       locale.Text
	About      locale.Text
	Kind       string // skill, knowledge or style
	Element    string // O*NET element it comes from; may be empty
	Innovation bool   // the I of E = αΔS + βΔI
}

// Skills returns the company's catalogue, innovation last.
func Skills(ctx context.Context, t *db.Tx) ([]Skill, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (k Skill, err error) {
		return k, s.Scan(&k.ID, &k.Name, &k.About, &k.Kind, db.Null(&k.Element), &k.Innovation)
	}, `SELECT id, name, about, kind, element, innovation FROM skill ORDER BY innovation, id`)
}

// Requirement is what a position asks for at a skill.
type Requirement struct {
	Position    PositionID
	Skill       SkillID
	Importance  float64  // 0–100
	Weight      float64  // in S of the position; 0 for innovation, else they sum to 1
	Level       *float64 // R, points of S; nil until set
	LevelSE     *float64 // of a panel, points
	Provisional bool     // no panel has set it yet
	Ceiling     float64  // C, points of S
	Origin      []Origin // where it came from, oldest first
}

// Origin is one thing a requirement came from.
type Origin struct {
	Kind string    `json:"kind"` // onet, process, panel, person
	Ref  string    `json:"ref"`  // its identifier there
	Note string    `json:"note"` // a figure or word to show
	At   time.Time `json:"at"`
}

const requirementColumns = `position_id, skill_id, importance, weight, level, level_se, provisional, ceiling, origin`

func scanRequirement(s db.Scanner) (r Requirement, err error) {
	return r, s.Scan(&r.Position, &r.Skill, &r.Importance, &r.Weight, &r.Level, &r.LevelSE, &r.Provisional, &r.Ceiling, &db.JSON{V: &r.Origin})
}

// Requirements returns what every position asks for, by position and falling
// importance.
func Requirements(ctx context.Context, t *db.Tx) ([]Requirement, error) {
	return db.Rows(ctx, t, scanRequirement, `
		SELECT `+requirementColumns+` FROM requirement ORDER BY position_id, importance DESC, skill_id`)
}
