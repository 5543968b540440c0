package org

import (
	"context"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

const (
	maxUnitName = 60 // runes
	maxDepth    = 10 // units from the root to a team
)

// pathName is the name of a unit in its path: Chinese, or English where there is
// no Chinese one, so that a path does not depend on who looks.
func pathName(name locale.Text) string { return name.In(locale.Zh) }

// FindUnit returns a unit, open or closed.
func FindUnit(ctx context.Context, t *db.Tx, id UnitID) (Unit, error) {
	return db.Row(ctx, t, func(s db.Scanner) (u Unit, err error) {
		return u, s.Scan(&u.ID, db.Null(&u.Parent), &u.Path, &u.Name, &u.Site)
	}, `SELECT id, parent_id, path, name, site FROM unit WHERE id = $1`, id)
}

// AddUnit adds a unit below its parent, or at the root, and returns it with
// its path; an ID is given where u has none.
func AddUnit(ctx context.Context, t *db.Tx, u Unit) (Unit, error) {
	if err := u.validate(); err != nil {
		return u, err
	}
	if u.ID == "" {
		u.ID = UnitID(NewID())
	}
	u.Path = pathName(u.Name)
	if u.Parent != "" {
		parent, err := FindUnit(ctx, t, u.Parent)
		if err != nil {
			return u, err
		}
		u.Path = parent.Path + "/" + u.Path
	}
	if strings.Count(u.Path, "/") >= maxDepth {
		return u, fault.New(fault.Invalid, "unit.depth", maxDepth)
	}
	_, err := t.Exec(ctx, `INSERT INTO unit (id, parent_id, path, name, site) VALUES ($1, $2, $3, $4, $5)`,
		u.ID, db.OrNull(u.Parent), u.Path, u.Name, u.Site)
	return u, taken(err, "unit.taken", u.Path)
}

func (u *Unit) validate() error {
	for _, name := range []string{u.Name.Zh, u.Name.En} {
		switch {
		case strings.Contains(name, "/"):
			return fault.New(fault.Invalid, "unit.slash")
		case len([]rune(name)) > maxUnitName:
			return fault.New(fault.Invalid, "unit.long", maxUnitName)
		}
	}
	if strings.TrimSpace(pathName(u.Name)) == "" {
		return fault.New(fault.Invalid, "unit.name.empty")
	}
	return nil
}

// taken says which name was taken, where err is the conflict of a unique one.
func taken(err error, key string, args ...any) error {
	if fault.Of(err) == fault.Conflict {
		return fault.Wrap(err, fault.Conflict, key, args...)
	}
	return err
}

// RenameUnit gives a unit another name; the paths below it follow.
func RenameUnit(ctx context.Context, t *db.Tx, id UnitID, name locale.Text) error {
	u, err := FindUnit(ctx, t, id)
	if err != nil {
		return err
	}
	u.Name = name
	if err := u.validate(); err != nil {
		return err
	}
	path := pathName(name)
	if i := strings.LastIndex(u.Path, "/"); i >= 0 {
		path = u.Path[:i+1] + path
	}
	if _, err := t.Exec(ctx, `UPDATE unit SET name = $2 WHERE id = $1`, id, name); err != nil {
		return err
	}
	return repath(ctx, t, u.Path, path)
}

// MoveUnit puts a unit, with all below it, under another parent, or at the
// root where parent is empty; paths follow.
func MoveUnit(ctx context.Context, t *db.Tx, id, parent UnitID) error {
	u, err := FindUnit(ctx, t, id)
	if err != nil {
		return err
	}
	path := pathName(u.Name)
	if parent != "" {
		p, err := FindUnit(ctx, t, parent)
		if err != nil {
			return err
		}
		if p.ID == u.ID || strings.HasPrefix(p.Path, u.Path+"/") {
			return fault.New(fault.Invalid, "unit.into_itself")
		}
		path = p.Path + "/" + path
	}
	below, err := db.Row(ctx, t, db.One[int], `
		SELECT coalesce(max(length(path) - length(replace(path, '/', ''))), 0) FROM unit
		WHERE substr(path, 1, length(CAST($1 AS TEXT))) = $1`, u.Path+"/")
	if err != nil {
		return err
	}
	if deeper := max(0, below-strings.Count(u.Path, "/")); strings.Count(path, "/")+deeper >= maxDepth {
		return fault.New(fault.Invalid, "unit.depth", maxDepth)
	}
	if _, err := t.Exec(ctx, `UPDATE unit SET parent_id = $2 WHERE id = $1`, id, db.OrNull(parent)); err != nil {
		return err
	}
	return repath(ctx, t, u.Path, path)
}

// repath moves the paths of a unit and of all below it.
func repath(ctx context.Context, t *db.Tx, from, to string) error {
	if from == to {
		return nil
	}
	_, err := t.Exec(ctx, `
		UPDATE unit SET path = CAST($2 AS TEXT) || substr(path, length(CAST($1 AS TEXT)) + 1)
		WHERE path = $1 OR substr(path, 1, length(CAST($1 AS TEXT)) + 1) = CAST($1 AS TEXT) || '/'`, from, to)
	return taken(err, "unit.taken", to)
}

// SetSite says whether the people of a unit can meet without travel.
func SetSite(ctx context.Context, t *db.Tx, id UnitID, site bool) error {
	return found(t.Exec(ctx, `UPDATE unit SET site = $2 WHERE id = $1`, id, site))
}

// CloseUnit closes a unit in which nobody works any more, nor in a unit below
// it. It keeps its people of the past. Its name becomes free: the path of a
// closed unit ends in its ID.
func CloseUnit(ctx context.Context, t *db.Tx, id UnitID) error {
	u, err := FindUnit(ctx, t, id)
	if err != nil {
		return err
	}
	n, err := db.Row(ctx, t, db.One[int], `
		SELECT count(*) FROM person
		JOIN unit ON unit.id = person.unit_id
		WHERE person.left_at IS NULL AND (unit.id = $1 OR substr(unit.path, 1, length(CAST($2 AS TEXT))) = $2)`,
		id, u.Path+"/")
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.Conflict, "unit.not_empty", n)
	}
	_, err = t.Exec(ctx, `
		UPDATE unit SET closed_at = $3, path = path || '#' || id
		WHERE closed_at IS NULL AND (id = $1 OR substr(path, 1, length(CAST($2 AS TEXT))) = $2)`,
		id, u.Path+"/", db.Millis(t.Now))
	return err
}

// Branch is a unit with the units below it.
type Branch struct {
	Unit
	Staff int // people employed in it and in all below it
	Below []*Branch
}

// Tree returns the open units as a tree, siblings by path.
func Tree(ctx context.Context, t *db.Tx) ([]*Branch, error) {
	units, err := Units(ctx, t)
	if err != nil {
		return nil, err
	}
	type staffed struct {
		unit UnitID
		n    int
	}
	counts, err := db.Rows(ctx, t, func(s db.Scanner) (c staffed, err error) {
		return c, s.Scan(&c.unit, &c.n)
	}, `SELECT unit_id, count(*) FROM person WHERE left_at IS NULL GROUP BY unit_id`)
	if err != nil {
		return nil, err
	}
	at := make(map[UnitID]*Branch, len(units))
	for _, u := range units {
		at[u.ID] = &Branch{Unit: u}
	}
	var roots []*Branch
	for _, u := range units {
		if up := at[u.Parent]; up != nil {
			up.Below = append(up.Below, at[u.ID])
		} else {
			roots = append(roots, at[u.ID])
		}
	}
	for _, c := range counts {
		for b := at[c.unit]; b != nil; b = at[b.Parent] {
			b.Staff += c.n
		}
	}
	return roots, nil
}
