package org

import (
	"context"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

const (
	maxName   = 100 // runes
	maxNumber = 40  // runes
	maxEmail  = 254 // bytes, of RFC 5321
)

// Validate reports the first thing wrong with p.
func (p *Person) Validate() error {
	switch {
	case strings.TrimSpace(p.Number) == "":
		return fault.New(fault.Invalid, "person.number.empty")
	case len([]rune(p.Number)) > maxNumber:
		return fault.New(fault.Invalid, "person.number.long", maxNumber)
	case strings.TrimSpace(p.Name) == "":
		return fault.New(fault.Invalid, "person.name.empty")
	case len([]rune(p.Name)) > maxName:
		return fault.New(fault.Invalid, "person.name.long", maxName)
	case strings.ContainsFunc(p.Name+p.Number, unseen):
		return fault.New(fault.Invalid, "person.control")
	case markup(p.Name) || markup(p.Number):
		return fault.New(fault.Invalid, "person.markup")
	case p.Email != "" && !emailLike(p.Email):
		return fault.New(fault.Invalid, "person.email")
	case p.Manager != "" && p.Manager == p.ID:
		return fault.New(fault.Invalid, "person.manager.self")
	case !p.LeftAt.IsZero() && p.LeftAt.Before(p.HiredAt):
		return fault.New(fault.Invalid, "person.left.before_hired")
	}
	return nil
}

// unseen reports characters that a name does not show: control and format
// characters, which hide text or turn its direction, and the replacement
// character that a wrong decoding leaves.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029'
}

// markup reports what only HTML has in it. Pages escape names all the same;
// but names go out to calendars, letters and spreadsheets as well.
func markup(s string) bool {
	if strings.ContainsAny(s, "<>") {
		return true
	}
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return false
	}
	entity, _, ok := strings.Cut(s[i+1:], ";")
	return ok && entity != "" && !strings.ContainsFunc(entity, func(r rune) bool {
		return !(r == '#' || r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)))
	})
}

func emailLike(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= maxEmail && !strings.ContainsFunc(s, unseen)
}

// Hire adds a person, and returns them with their ID and pseudonym.
func Hire(ctx context.Context, t *db.Tx, p Person) (Person, error) {
	all, err := HireAll(ctx, t, []Person{p})
	if err != nil {
		return p, err
	}
	return all[0], nil
}

// HireAll adds people, whose managers may be among them, and returns them with
// their IDs and pseudonyms, which are given where they are empty.
func HireAll(ctx context.Context, t *db.Tx, people []Person) ([]Person, error) {
	all := make([]Person, len(people))
	leads := make(map[PersonID]PersonID, len(people))
	for i, p := range people {
		if p.ID == "" {
			p.ID = PersonID(NewID())
		}
		if p.Pseudonym == "" {
			p.Pseudonym = Pseudonym(NewID())
		}
		if p.Lang == "" {
			p.Lang = locale.Langs[0]
		}
		if err := p.Validate(); err != nil {
			return nil, err
		}
		all[i], leads[p.ID] = p, p.Manager
	}
	// Nobody employed before can report to somebody new, so a cycle would lie
	// among the new ones.
	if circle := cycles(leads); len(circle) > 0 {
		return nil, fault.New(fault.Invalid, "person.manager.cycle")
	}
	return all, insertPeople(ctx, t, all, "")
}

func insertPeople(ctx context.Context, t *db.Tx, people []Person, tail string) error {
	const width = 11
	// In small parts: the SQLite driver looks up the name of each parameter by
	// walking those before it, so that a long statement costs its square. All
	// but the last part share one prepared statement.
	for part := range slices.Chunk(people, 80) {
		args := make([]any, 0, width*len(part))
		for _, p := range part {
			args = append(args, p.ID, p.Number, p.Pseudonym, p.Name, p.Email, p.Unit, p.Position, db.OrNull(p.Manager), p.Lang, db.Millis(p.HiredAt), db.Millis(p.LeftAt))
		}
		if err := t.Many(ctx, `INSERT INTO person (`+personColumns+`)`, width, args, tail); err != nil {
			return taken(err, "person.number.taken")
		}
	}
	return nil
}

// cycles returns the circles of a map from each to the one above, each circle
// once, every member before the one it reports to.
func cycles[K comparable](above map[K]K) [][]K {
	const walking, done = 1, 2
	state := make(map[K]int, len(above))
	var zero K
	var all [][]K
	for k := range above {
		var walk []K
		for state[k] == 0 && k != zero {
			state[k] = walking
			walk = append(walk, k)
			k = above[k]
		}
		if k != zero && state[k] == walking {
			i := len(walk) - 1
			for walk[i] != k {
				i--
			}
			all = append(all, append([]K(nil), walk[i:]...))
		}
		for _, w := range walk {
			state[w] = done
		}
	}
	return all
}

// Amend corrects a person's number, name, address and language. Move and Leave
// change the rest.
func Amend(ctx context.Context, t *db.Tx, p Person) error {
	if err := p.Validate(); err != nil {
		return err
	}
	err := found(t.Exec(ctx, `UPDATE person SET number = $2, name = $3, email = $4, lang = $5 WHERE id = $1`,
		p.ID, p.Number, p.Name, p.Email, p.Lang))
	return taken(err, "person.number.taken")
}

// Move gives a person another unit, position and manager; the manager is empty
// at the top.
func Move(ctx context.Context, t *db.Tx, who PersonID, unit UnitID, position PositionID, manager PersonID) error {
	if manager != "" {
		circle, err := db.Row(ctx, t, db.One[bool], `
			WITH RECURSIVE above (id) AS (
				SELECT CAST($1 AS TEXT)
				UNION
				SELECT person.manager_id FROM above JOIN person ON person.id = above.id WHERE person.manager_id IS NOT NULL
			)
			SELECT count(*) > 0 FROM above WHERE id = $2`, manager, who)
		if err != nil {
			return err
		}
		if circle {
			return fault.New(fault.Invalid, "person.manager.cycle")
		}
	}
	return found(t.Exec(ctx, `UPDATE person SET unit_id = $2, position_id = $3, manager_id = $4 WHERE id = $1`,
		who, unit, position, db.OrNull(manager)))
}

// Leave ends the employment of people who are employed, and returns those it
// ended, so that the caller can free their seats. What they did is kept.
func Leave(ctx context.Context, t *db.Tx, at time.Time, who ...PersonID) ([]PersonID, error) {
	var left []PersonID
	for part := range slices.Chunk(who, 1000) {
		args := []any{db.Millis(at)}
		for _, id := range part {
			args = append(args, id)
		}
		gone, err := db.Rows(ctx, t, db.One[PersonID], `
			UPDATE person SET left_at = $1 WHERE left_at IS NULL AND id IN (`+places(2, len(part))+`) RETURNING id`, args...)
		if err != nil {
			return nil, err
		}
		left = append(left, gone...)
	}
	return left, nil
}

// places lists n placeholders from $from on.
func places(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(from+i))
	}
	return b.String()
}

// FindByNumber returns the person of an employee number, employed or not.
func FindByNumber(ctx context.Context, t *db.Tx, number string) (Person, error) {
	return db.Row(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE number = $1`, number)
}

// FindByPseudonym returns whom statements about a pseudonym speak of.
func FindByPseudonym(ctx context.Context, t *db.Tx, who Pseudonym) (Person, error) {
	return db.Row(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE pseudonym = $1`, who)
}

// Staff returns the people employed in a unit and in all units below it, by
// number.
func Staff(ctx context.Context, t *db.Tx, unit UnitID) ([]Person, error) {
	return db.Rows(ctx, t, scanPerson, `
		SELECT `+personColumns+` FROM person
		WHERE left_at IS NULL AND unit_id IN (`+within+`)
		ORDER BY number`, unit)
}

// within are the IDs of unit $1 and of all units below it.
const within = `
	SELECT unit.id FROM unit
	JOIN unit AS root ON unit.id = root.id OR substr(unit.path, 1, length(root.path) + 1) = root.path || '/'
	WHERE root.id = $1`

// Managed returns the people employed who report to a manager, directly or
// through others, by number. Those whose Manager is manager do so directly.
func Managed(ctx context.Context, t *db.Tx, manager PersonID) ([]Person, error) {
	return db.Rows(ctx, t, scanPerson, `
		WITH RECURSIVE below (id) AS (
			SELECT id FROM person WHERE manager_id = $1
			UNION
			SELECT person.id FROM below JOIN person ON person.manager_id = below.id
		)
		SELECT person.id, number, pseudonym, name, email, unit_id, position_id, manager_id, lang, hired_at, left_at
		FROM below JOIN person ON person.id = below.id
		WHERE left_at IS NULL AND person.id <> $1
		ORDER BY number`, manager)
}

// Query says which people to look for.
type Query struct {
	Text   string // in the name or the number, in any case; empty: everybody
	Unit   UnitID // with all below it; empty: everywhere
	Gone   bool   // also those who have left
	After  string // number of the last person of the page before
	Number int    // people on a page; at most 500
}

// Search returns a page of the people asked for, by number. A page shorter
// than asked is the last.
func Search(ctx context.Context, t *db.Tx, q Query) ([]Person, error) {
	// Only the conditions asked for: neither engine plans well around "or not
	// asked".
	where, args := []string{"TRUE"}, []any{}
	bind := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if q.Unit != "" {
		where = append(where, "unit_id IN ("+within+")")
		bind(q.Unit) // $1, as within has it
	}
	if !q.Gone {
		where = append(where, "left_at IS NULL")
	}
	if q.After != "" {
		where = append(where, "number > "+bind(q.After))
	}
	if text := strings.ToLower(strings.TrimSpace(q.Text)); text != "" {
		like := bind("%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%")
		where = append(where, `(lower(name) LIKE `+like+` ESCAPE '\' OR lower(number) LIKE `+like+` ESCAPE '\')`)
	}
	return db.Rows(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person WHERE `+strings.Join(where, " AND ")+`
		ORDER BY number LIMIT `+bind(min(max(1, q.Number), 500)), args...)
}
