package org

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org/onet"

	"golang.org/x/text/unicode/norm"
)

// ImportPlan is what an import would change. It holds in the transaction that
// made it.
type ImportPlan struct {
	People    int      // rows of the file
	Joiners   []Person // new, or back
	Changed   []Change // somebody employed before and after
	Leavers   []Person
	Unchanged int
	Former    int // rows about people who have left and whom Attune never knew: not taken in
	Units     []Unit
	Positions []NewPosition
	Notes     []Note
}

// Change is a person before and after an import.
type Change struct{ Before, After Person }

// Moved reports whether the unit, the position or the manager changed.
func (c *Change) Moved() bool {
	return c.Before.Unit != c.After.Unit || c.Before.Position != c.After.Position || c.Before.Manager != c.After.Manager
}

// NewPosition is a position that the file names and the company does not have.
type NewPosition struct {
	Position
	People  int        // rows that name it
	Suggest []onet.Hit // occupations it may be adopted from, best first
}

// planner is a Preview in the making.
type planner struct {
	file     *PeopleFile
	now      time.Time
	complete bool

	row    map[string]*PersonRow // by number
	person map[string]*Person    // by number
	near   map[string]*Person    // by number, loosely
	byID   map[PersonID]*Person
	unit   map[string]UnitID // by path, in either language
	post   map[string]PositionID

	plan   ImportPlan
	faults []Fault
}

// Preview says what importing the file would change, and what in it does not
// fit the company. People who are not in the file leave only if it is
// complete; those whose leaving date has come or whose status says so leave in
// any case. The plan is nil while there is a fault; faults that ParsePeople
// found are not repeated.
func Preview(ctx context.Context, t *db.Tx, f *PeopleFile, complete bool) (*ImportPlan, []Fault, error) {
	p := planner{file: f, now: t.Now, complete: complete, plan: ImportPlan{People: len(f.Rows)}}
	if err := p.load(ctx, t); err != nil {
		return nil, nil, err
	}
	p.check()
	if len(p.faults) > 0 {
		return nil, sortFaults(p.faults), nil
	}
	p.places()
	p.people()
	p.notes()
	return &p.plan, nil, nil
}

// loosePath compares paths and names: case, width and spaces do not count.
func loosePath(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(s)), " "))
}

func (p *planner) load(ctx context.Context, t *db.Tx) error {
	// The first import may come before the company is founded.
	if c, err := FindCompany(ctx, t); err == nil {
		p.now = p.now.In(c.Zone) // whose today it is
	} else if fault.Of(err) != fault.NotFound {
		return err
	}
	people, err := db.Rows(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person`)
	if err != nil {
		return err
	}
	units, err := Units(ctx, t)
	if err != nil {
		return err
	}
	positions, err := Positions(ctx, t)
	if err != nil {
		return err
	}
	p.person = make(map[string]*Person, len(people))
	p.near = make(map[string]*Person, len(people))
	p.byID = make(map[PersonID]*Person, len(people))
	for i := range people {
		who := &people[i]
		p.person[who.Number], p.near[loosely(who.Number)], p.byID[who.ID] = who, who, who
	}
	p.unit = make(map[string]UnitID, 2*len(units))
	english := map[UnitID]string{}
	for _, u := range units { // parents come first
		en := u.Name.In(locale.En)
		if up := english[u.Parent]; up != "" {
			en = up + "/" + en
		}
		english[u.ID] = en
		p.unit[loosePath(en)] = u.ID
	}
	for _, u := range units { // the stored path wins
		p.unit[loosePath(u.Path)] = u.ID
	}
	p.post = make(map[string]PositionID, 2*len(positions))
	for _, pos := range slices.Backward(positions) { // the older of two wins
		for _, n := range []string{pos.Name.En, pos.Name.Zh} {
			if n != "" {
				p.post[loosePath(n)] = pos.ID
			}
		}
	}
	p.row = make(map[string]*PersonRow, len(p.file.Rows))
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		if p.row[r.Number] == nil {
			p.row[r.Number] = r
		}
	}
	return nil
}

// gone reports that a row is about somebody who has left by now. A leaving
// date still to come is for the import after it.
func (p *planner) gone(r *PersonRow) bool {
	return r.Gone || !r.LeftAt.IsZero() && r.LeftAt.Format(time.DateOnly) <= p.now.Format(time.DateOnly)
}

// leaves reports that a person will not be employed after the import.
func (p *planner) leaves(who *Person) bool {
	if r := p.row[who.Number]; r != nil {
		return p.gone(r)
	}
	return !who.LeftAt.IsZero() || p.complete
}

func (p *planner) check() {
	above := map[string]string{}
	for number, who := range p.person {
		if boss := p.byID[who.Manager]; boss != nil && p.row[number] == nil && !p.leaves(who) {
			above[number] = boss.Number
		}
	}
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		old := p.person[r.Number]
		if like := p.near[loosely(r.Number)]; old == nil && like != nil {
			p.faults = append(p.faults, p.file.fault(r, ColNumber, "number_known", clip(r.Number), clip(like.Number), clip(like.Name)))
		}
		if p.gone(r) {
			if old != nil && !r.LeftAt.IsZero() && r.HiredAt.IsZero() && !old.HiredAt.IsZero() && r.LeftAt.Before(old.HiredAt) {
				p.faults = append(p.faults, p.file.fault(r, ColLeft, "left_before_hired", r.LeftAt.Format(time.DateOnly), old.HiredAt.Format(time.DateOnly)))
			}
			continue
		}
		if r.Manager == "" || r.Manager == r.Number {
			continue
		}
		bossRow, boss := p.row[r.Manager], p.person[r.Manager]
		switch {
		case bossRow == nil && boss == nil:
			code, args := "manager_unknown", []any{clip(r.Manager)}
			if like := p.likeNumber(r.Manager); like != "" {
				code, args = "manager_variant", []any{clip(r.Manager), clip(like)}
			}
			p.faults = append(p.faults, p.file.fault(r, ColManager, code, args...))
		case bossRow != nil && p.gone(bossRow), bossRow == nil && p.leaves(boss):
			p.faults = append(p.faults, p.file.fault(r, ColManager, "manager_left", clip(r.Manager)))
		default:
			above[r.Number] = r.Manager
		}
	}
	p.faults = append(p.faults, circles(p.file, above, p.row, func(circle []string) bool {
		// Those that the file holds alone were reported when it was read.
		return slices.ContainsFunc(circle, func(n string) bool { return p.row[n] == nil || p.row[n].leaving() })
	})...)
}

// likeNumber returns a known number that differs from n in case, spaces or
// leading zeros only.
func (p *planner) likeNumber(n string) string {
	if who := p.near[loosely(n)]; who != nil {
		return who.Number
	}
	for i := range p.file.Rows {
		if number := p.file.Rows[i].Number; loosely(number) == loosely(n) {
			return number
		}
	}
	return ""
}

// written is a name in the language it is written in.
func written(s string) locale.Text {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return locale.Both(s, "")
	}
	return locale.Both("", s)
}

// places plans the units and positions that the file names and the company
// lacks.
func (p *planner) places() {
	fresh := map[PositionID]int{} // place in plan.Positions
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		if p.gone(r) {
			continue
		}
		var parent UnitID
		for depth := range r.Unit {
			path := strings.Join(r.Unit[:depth+1], "/")
			id, ok := p.unit[loosePath(path)]
			if !ok {
				id = UnitID(NewID())
				p.unit[loosePath(path)] = id
				p.plan.Units = append(p.plan.Units, Unit{ID: id, Parent: parent, Path: path, Name: written(r.Unit[depth]), Site: r.Sites[depth]})
			}
			parent = id
		}
		id, ok := p.post[loosePath(r.Position)]
		if !ok {
			id = PositionID(NewID())
			p.post[loosePath(r.Position)] = id
			fresh[id] = len(p.plan.Positions)
			p.plan.Positions = append(p.plan.Positions, NewPosition{
				Position: Position{ID: id, Name: written(r.Position)},
				Suggest:  onet.Search(r.Position, string(p.file.Lang), 3),
			})
		}
		if at, ok := fresh[id]; ok {
			p.plan.Positions[at].People++
		}
	}
}

// people plans who joins, changes and leaves.
func (p *planner) people() {
	id := map[string]PersonID{} // of those who are new
	for i := range p.file.Rows {
		if r := &p.file.Rows[i]; p.person[r.Number] == nil && !p.gone(r) {
			id[r.Number] = PersonID(NewID())
		}
	}
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		old := p.person[r.Number]
		if p.gone(r) {
			p.goes(r, old)
			continue
		}
		after := Person{ID: id[r.Number], Number: r.Number, Lang: p.file.Lang}
		if old != nil {
			after = *old
			after.LeftAt = time.Time{}
		} else {
			after.Pseudonym = Pseudonym(NewID())
		}
		after.Name = r.Name
		after.Unit = p.unit[loosePath(strings.Join(r.Unit, "/"))]
		after.Position = p.post[loosePath(r.Position)]
		if p.file.Has(ColManager) {
			after.Manager = ""
			if boss := p.person[r.Manager]; boss != nil {
				after.Manager = boss.ID
			} else if r.Manager != "" {
				after.Manager = id[r.Manager]
			}
		}
		if p.file.Has(ColEmail) {
			after.Email = r.Email
		}
		if r.Lang != "" {
			after.Lang = r.Lang
		}
		// An empty date is one not known, not one to forget.
		if !r.HiredAt.IsZero() && !sameDay(r.HiredAt, after.HiredAt) {
			after.HiredAt = r.HiredAt
		}
		switch {
		case old == nil || !old.LeftAt.IsZero():
			p.plan.Joiners = append(p.plan.Joiners, after)
		case same(*old, after):
			p.plan.Unchanged++
		default:
			p.plan.Changed = append(p.plan.Changed, Change{*old, after})
		}
	}
	if !p.complete {
		return
	}
	for number, who := range p.person {
		if p.row[number] == nil && who.LeftAt.IsZero() {
			gone := *who
			gone.LeftAt = p.now
			p.plan.Leavers = append(p.plan.Leavers, gone)
		}
	}
	slices.SortFunc(p.plan.Leavers, func(a, b Person) int { return strings.Compare(a.Number, b.Number) })
}

// goes plans for a row about somebody who has left.
func (p *planner) goes(r *PersonRow, old *Person) {
	if old == nil {
		p.plan.Former++
		return
	}
	after := *old
	if !r.LeftAt.IsZero() && !sameDay(r.LeftAt, old.LeftAt) {
		after.LeftAt = r.LeftAt
	}
	switch {
	case old.LeftAt.IsZero():
		if after.LeftAt.IsZero() {
			after.LeftAt = p.now
		}
		p.plan.Leavers = append(p.plan.Leavers, after)
	case same(*old, after):
		p.plan.Unchanged++
	default:
		p.plan.Changed = append(p.plan.Changed, Change{*old, after})
	}
}

func sameDay(a, b time.Time) bool {
	return !b.IsZero() && a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}

func same(a, b Person) bool {
	if !a.HiredAt.Equal(b.HiredAt) || !a.LeftAt.Equal(b.LeftAt) {
		return false
	}
	a.HiredAt, a.LeftAt = b.HiredAt, b.LeftAt // equal moments may differ in location
	return a == b
}

// notes says what else the person importing should know.
func (p *planner) notes() {
	note := func(code string, args ...any) { p.plan.Notes = append(p.plan.Notes, Note{code, args}) }
	if n := len(p.file.Ignored); n > 0 {
		note("ignored", p.file.Ignored)
	}
	later := 0
	for i := range p.file.Rows {
		if r := &p.file.Rows[i]; !r.LeftAt.IsZero() && !p.gone(r) {
			later++
		}
	}
	if later > 0 {
		note("leaves_later", later)
	}
	if p.plan.Former > 0 {
		note("former", p.plan.Former)
	}
	orphans := 0
	leaving := make(map[PersonID]bool, len(p.plan.Leavers))
	for _, l := range p.plan.Leavers {
		leaving[l.ID] = true
	}
	for number, who := range p.person {
		if p.row[number] == nil && who.LeftAt.IsZero() && !leaving[who.ID] && leaving[who.Manager] {
			orphans++
		}
	}
	if orphans > 0 {
		note("orphans", orphans)
	}
	employed := 0
	for _, who := range p.person {
		if who.LeftAt.IsZero() {
			employed++
		}
	}
	if n := len(p.plan.Leavers); employed >= 20 && 5*n > employed {
		note("many_leave", n, employed)
	}
}

// ImportResult is what an import changed.
type ImportResult struct {
	People    int `json:"people"` // rows of the file
	Joined    int `json:"joined"`
	Changed   int `json:"changed"`
	Moved     int `json:"moved"` // of Changed: another unit, position or manager
	Left      int `json:"left"`
	Unchanged int `json:"unchanged"`
	Former    int `json:"former"` // left before Attune knew them: not taken in
	Units     int `json:"units"`  // made
	Positions int `json:"positions"`

	Leavers []PersonID `json:"-"` // whose seats the caller frees
}

// Result counts what the plan would change.
func (p *ImportPlan) Result() ImportResult {
	r := ImportResult{
		People: p.People, Joined: len(p.Joiners), Changed: len(p.Changed), Left: len(p.Leavers),
		Unchanged: p.Unchanged, Former: p.Former, Units: len(p.Units), Positions: len(p.Positions),
	}
	for _, c := range p.Changed {
		if c.Moved() {
			r.Moved++
		}
	}
	for _, l := range p.Leavers {
		r.Leavers = append(r.Leavers, l.ID)
	}
	return r
}

// Apply does what the plan says. It must run in the transaction that made the
// plan; the caller frees the seats of those who leave, and audits.
func Apply(ctx context.Context, t *db.Tx, p *ImportPlan) (ImportResult, error) {
	if err := insertUnits(ctx, t, p.Units); err != nil {
		return ImportResult{}, err
	}
	var positions []any
	for _, pos := range p.Positions {
		positions = append(positions, pos.ID, pos.Name, db.OrNull(pos.Occupation), db.Millis(t.Now))
	}
	if err := t.Many(ctx, `INSERT INTO position (id, name, occupation, created_at)`, 4, positions, ""); err != nil {
		return ImportResult{}, err
	}
	people := slices.Concat(p.Joiners, p.Leavers)
	for _, c := range p.Changed {
		people = append(people, c.After)
	}
	for i := range people {
		if err := people[i].Validate(); err != nil {
			return ImportResult{}, err
		}
	}
	err := insertPeople(ctx, t, people, `
		ON CONFLICT (id) DO UPDATE SET
			name = excluded.name, email = excluded.email, unit_id = excluded.unit_id, position_id = excluded.position_id,
			manager_id = excluded.manager_id, lang = excluded.lang, hired_at = excluded.hired_at, left_at = excluded.left_at`)
	if err == nil && len(people) >= 1000 {
		// Both engines plan by what they last counted; PostgreSQL would walk all
		// people for the reports of one until it next counts by itself.
		_, err = t.Exec(ctx, `ANALYZE person`)
	}
	if err != nil {
		return ImportResult{}, err
	}
	return p.Result(), nil
}

// insertUnits adds units, parents before children. Their paths are made from
// those of the parents that stand, which a file may write otherwise.
func insertUnits(ctx context.Context, t *db.Tx, units []Unit) error {
	if len(units) == 0 {
		return nil
	}
	standing, err := Units(ctx, t)
	if err != nil {
		return err
	}
	path := make(map[UnitID]string, len(standing)+len(units))
	for _, u := range standing {
		path[u.ID] = u.Path
	}
	args := make([]any, 0, 5*len(units))
	for _, u := range units {
		if err := u.validate(); err != nil {
			return err
		}
		path[u.ID] = pathName(u.Name)
		if up := path[u.Parent]; up != "" {
			path[u.ID] = up + "/" + path[u.ID]
		}
		args = append(args, u.ID, db.OrNull(u.Parent), path[u.ID], u.Name, u.Site)
	}
	return t.Many(ctx, `INSERT INTO unit (id, parent_id, path, name, site)`, 5, args, "")
}

// ImportOptions say how to import.
type ImportOptions struct {
	Lang     locale.Lang // of people of whom the file does not say
	Complete bool        // people who are not in the file leave
	DryRun   bool        // write nothing

	// Then runs in the transaction of the import, after it: to free the seats
	// of those who left, and to audit. It may be nil.
	Then func(ctx context.Context, t *db.Tx, r ImportResult) error
}

// ImportReport is what came of an import.
type ImportReport struct {
	ImportResult
	Written bool
	Faults  []Fault
	Plan    *ImportPlan // nil while there are faults
}

// ImportPeople imports a list of employees: all of it, or nothing while there
// is a fault in it.
func ImportPeople(ctx context.Context, d *db.DB, name string, data []byte, o ImportOptions) (*ImportReport, error) {
	file, faults := ParsePeople(name, data, o.Lang)
	r := &ImportReport{Faults: faults}
	if file == nil {
		return r, nil
	}
	r.People = len(file.Rows)
	preview := func(t *db.Tx) error {
		plan, more, err := Preview(ctx, t, file, o.Complete)
		if err != nil {
			return err
		}
		if r.Faults = sortFaults(append(r.Faults, more...)); len(r.Faults) == 0 {
			r.Plan, r.ImportResult = plan, plan.Result()
		}
		return nil
	}
	if o.DryRun || len(faults) > 0 {
		return r, d.Read(ctx, preview)
	}
	err := d.Write(ctx, func(t *db.Tx) error {
		if err := preview(t); err != nil || len(r.Faults) > 0 {
			return err
		}
		result, err := Apply(ctx, t, r.Plan)
		if err != nil || o.Then == nil {
			return err
		}
		return o.Then(ctx, t, result)
	})
	r.Written = err == nil && len(r.Faults) == 0
	return r, err
}

// Failed is the fault of an import whose file has faults.
func (r *ImportReport) Failed() error {
	if len(r.Faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "import.failed", len(r.Faults))
}
