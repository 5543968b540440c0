// Package auth knows who asks: accounts, sign-in, sessions, roles and what
// each role may do.
package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// AccountID names an account.
type AccountID string

// Role is what somebody does in the company's training.
type Role string

const (
	TrainingManager Role = "training_manager"
	Trainer         Role = "trainer"
	TeamManager     Role = "team_manager"
	Employee        Role = "employee"
	Agent           Role = "agent"
	BrandOfficer    Role = "brand_officer"
	Administrator   Role = "administrator"
)

// Roles lists them in the order their pages are offered.
var Roles = []Role{TrainingManager, Trainer, TeamManager, Employee, Agent, BrandOfficer, Administrator}

// Permission is something that may be asked of the program. Every route names
// the one it needs.
type Permission string

const (
	Anyone      Permission = "anyone"       // signed in or not
	SignedIn    Permission = "signed_in"    // whoever it is
	Learn       Permission = "learn"        // one's own courses, tests, record
	ReadLoop    Permission = "read_loop"    // overview, needs, plans, effects of the company
	ManageLoop  Permission = "manage_loop"  // programmes, needs, plans, evaluations
	Author      Permission = "author"       // courses and items
	Teach       Permission = "teach"        // sessions and sign-in sheets
	ReadTeam    Permission = "read_team"    // one's own team's figures
	ReadPeople  Permission = "read_people"  // persons by name, everywhere
	ImportStaff Permission = "import_staff" // people, units, positions
	Serve       Permission = "serve"        // the help desk
	ReadVoice   Permission = "read_voice"   // public opinion
	Administer  Permission = "administer"   // accounts, audit, health, backup
)

// Permissions lists all of them.
var Permissions = []Permission{Anyone, SignedIn, Learn, ReadLoop, ManageLoop, Author, Teach, ReadTeam, ReadPeople, ImportStaff, Serve, ReadVoice, Administer}

// may says what each role may do beside Anyone and SignedIn.
var may = map[Role][]Permission{
	TrainingManager: {Learn, ReadLoop, ManageLoop, Author, Teach, ReadPeople, ImportStaff, ReadVoice},
	Trainer:         {Learn, ReadLoop, Author, Teach},
	TeamManager:     {Learn, ReadTeam},
	Employee:        {Learn},
	Agent:           {Learn, Serve},
	BrandOfficer:    {Learn, ReadVoice},
	Administrator:   {Learn, ImportStaff, ReadPeople, Administer},
}

// Viewer is who asks. The zero Viewer is nobody, who may do what Anyone may.
type Viewer struct {
	Account AccountID
	Login   string
	Roles   []Role
	Person  string // org.PersonID; empty for a machine or an outside administrator
	Lang    locale.Lang
	Session string // of this sign-in; what a page's tokens are bound to
}

// Known reports whether somebody is signed in.
func (v *Viewer) Known() bool { return v.Account != "" }

// Can reports whether the viewer may do p. What needs a person of the company
// is denied to accounts that are none.
func (v *Viewer) Can(p Permission) bool {
	switch {
	case p == Anyone:
		return true
	case !v.Known():
		return false
	case p == SignedIn:
		return true
	case p == Learn && v.Person == "":
		return false
	}
	return slices.ContainsFunc(v.Roles, func(r Role) bool { return slices.Contains(may[r], p) })
}

// Is reports whether the viewer has the role.
func (v *Viewer) Is(r Role) bool { return slices.Contains(v.Roles, r) }

// Account is a sign-in.
type Account struct {
	ID         AccountID
	Login      string // lower case
	Person     string
	Roles      []Role
	Lang       locale.Lang
	CreatedAt  time.Time
	DisabledAt time.Time // zero while it may sign in
}

// AddAccount creates a sign-in. The password is kept as an argon2id hash only.
func AddAccount(ctx context.Context, t *db.Tx, a Account, password string) error {
	a.Login = strings.ToLower(strings.TrimSpace(a.Login))
	if a.Login == "" || len(a.Login) > 200 || strings.ContainsAny(a.Login, " \t\r\n") {
		return fault.New(fault.Invalid, "account.login.invalid")
	}
	if len(a.Roles) == 0 {
		return fault.New(fault.Invalid, "account.roles.none")
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `INSERT INTO account (id, login, password, person_id, lang, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.Login, hash, db.OrNull(a.Person), a.Lang, db.Millis(t.Now)); err != nil {
		if fault.Of(err) == fault.Conflict {
			return fault.New(fault.Conflict, "account.login.taken", a.Login)
		}
		return err
	}
	return SetRoles(ctx, t, a.ID, a.Roles)
}

// SetRoles replaces an account's roles. The last administrator cannot be taken
// away: nobody could give the role back.
func SetRoles(ctx context.Context, t *db.Tx, id AccountID, roles []Role) error {
	for _, r := range roles {
		if !slices.Contains(Roles, r) {
			return fault.New(fault.Invalid, "account.role.unknown", string(r))
		}
	}
	if _, err := t.Exec(ctx, `DELETE FROM account_role WHERE account_id = $1`, id); err != nil {
		return err
	}
	var args []any
	for _, r := range roles {
		args = append(args, id, r)
	}
	if err := t.Many(ctx, `INSERT INTO account_role (account_id, role)`, 2, args, `ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	return keepAdministrator(ctx, t)
}

// keepAdministrator refuses to leave accounts without one that can administer.
func keepAdministrator(ctx context.Context, t *db.Tx) error {
	type tally struct{ all, able int }
	n, err := db.Row(ctx, t, func(s db.Scanner) (n tally, err error) { return n, s.Scan(&n.all, &n.able) }, `
		SELECT (SELECT count(*) FROM account_role WHERE role = 'administrator'),
			(SELECT count(*) FROM account_role r JOIN account a ON a.id = r.account_id WHERE r.role = 'administrator' AND a.disabled_at IS NULL)`)
	if err == nil && n.all > 0 && n.able == 0 {
		return fault.New(fault.Conflict, "account.last_administrator")
	}
	return err
}

// Disable ends an account's sign-ins and lets it in no more.
func Disable(ctx context.Context, t *db.Tx, id AccountID) error {
	n, err := t.Exec(ctx, `UPDATE account SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL`, id, db.Millis(t.Now))
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	if _, err := t.Exec(ctx, `DELETE FROM login_session WHERE account_id = $1`, id); err != nil {
		return err
	}
	return keepAdministrator(ctx, t)
}

// Accounts returns every account, by login.
func Accounts(ctx context.Context, t *db.Tx) ([]Account, error) {
	all, err := db.Rows(ctx, t, func(s db.Scanner) (a Account, err error) {
		return a, s.Scan(&a.ID, &a.Login, db.Null(&a.Person), &a.Lang, (*db.Ms)(&a.CreatedAt), (*db.Ms)(&a.DisabledAt))
	}, `SELECT id, login, person_id, lang, created_at, disabled_at FROM account ORDER BY login`)
	if err != nil {
		return nil, err
	}
	type row struct {
		id   AccountID
		role Role
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.id, &r.role) }, `SELECT account_id, role FROM account_role ORDER BY role`)
	if err != nil {
		return nil, err
	}
	roles := map[AccountID][]Role{}
	for _, r := range rows {
		roles[r.id] = append(roles[r.id], r.role)
	}
	for i := range all {
		all[i].Roles = roles[all[i].ID]
	}
	return all, nil
}

// Any reports whether there is an account at all; a first run has none.
func Any(ctx context.Context, t *db.Tx) (bool, error) {
	n, err := db.Row(ctx, t, db.One[int], `SELECT count(*) FROM account`)
	return n > 0, err
}
