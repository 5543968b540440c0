package auth

import (
	"strings"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/testdb"
)

const password = "correct horse"

func add(t *testing.T, d *db.DB, login string, roles ...Role) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		return AddAccount(t.Context(), tx, Account{ID: AccountID(login), Login: login, Person: "p-" + login, Roles: roles, Lang: locale.Zh}, password)
	}); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, d *db.DB, token string) (v Viewer, err error) {
	err = d.Read(t.Context(), func(tx *db.Tx) error { v, err = View(t.Context(), tx, token); return err })
	return v, err
}

func TestSessions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		now := testdb.Start
		d.Clock = func() time.Time { return now }
		add(t, d, "ann", Employee, TrainingManager)
		token, v, err := SignIn(t.Context(), d, " ANN ", password, "Browser", "127.0.0.1")
		if err != nil || !v.Is(Employee) || !v.Can(ManageLoop) || v.Can(Administer) {
			t.Fatalf("SignIn = %+v, %v", v, err)
		}
		if _, err := view(t, d, token); err != nil {
			t.Fatal(err)
		}
		if _, err := view(t, d, token+"x"); fault.Of(err) != fault.NotFound {
			t.Errorf("a made-up token: %v", err)
		}
		other, _, err := SignIn(t.Context(), d, "ann", password, "Phone", "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		if err := ChangePassword(t.Context(), d, v, password, "another horse"); err != nil {
			t.Fatal(err)
		}
		if _, err := view(t, d, other); fault.Of(err) != fault.NotFound {
			t.Errorf("a session outlived the password: %v", err)
		}
		if _, err := view(t, d, token); err != nil {
			t.Errorf("the session the password was changed in ended: %v", err)
		}
		now = now.Add(idle + time.Second)
		if _, err := view(t, d, token); fault.Of(err) != fault.NotFound {
			t.Errorf("an idle session is still open: %v", err)
		}
		// No token and no password is in the database.
		d.Read(t.Context(), func(tx *db.Tx) error {
			ids, _ := db.Rows(t.Context(), tx, db.One[string], `SELECT id FROM login_session`)
			hashes, _ := db.Rows(t.Context(), tx, db.One[string], `SELECT password FROM account`)
			all := strings.Join(append(ids, hashes...), " ")
			if strings.Contains(all, token) || strings.Contains(all, "horse") {
				t.Error("a secret is kept in the clear")
			}
			return nil
		})
	})
}

func TestThrottle(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		now := testdb.Start
		d.Clock = func() time.Time { return now }
		add(t, d, "ann", Employee)
		wrong := func() fault.Kind {
			_, _, err := SignIn(t.Context(), d, "ann", "wrong", "", "a")
			return fault.Of(err)
		}
		for range free {
			if got := wrong(); got != fault.Denied {
				t.Fatalf("a wrong password: %s", got)
			}
		}
		if got := wrong(); got != fault.TooMany {
			t.Errorf("after %d failures: %s, want too_many", free, got)
		}
		if _, _, err := SignIn(t.Context(), d, "ann", password, "", "b"); fault.Of(err) != fault.TooMany {
			t.Errorf("the right password while waiting: %v", err)
		}
		now = now.Add(2 * time.Second)
		if _, _, err := SignIn(t.Context(), d, "ann", password, "", "b"); err != nil {
			t.Errorf("the right password after waiting: %v", err)
		}
	})
}

func TestLastAdministrator(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		add(t, d, "root", Administrator)
		for name, do := range map[string]func(tx *db.Tx) error{
			"disabled": func(tx *db.Tx) error { return Disable(t.Context(), tx, "root") },
		} {
			if err := d.Write(t.Context(), do); fault.Of(err) != fault.Conflict {
				t.Errorf("the last administrator was %s: %v", name, err)
			}
		}
	})
}

func TestAccountsAreChecked(t *testing.T) {
	d := testdb.SQLite(t)
	for name, a := range map[string]struct {
		account  Account
		password string
	}{
		"short password": {Account{ID: "a", Login: "a", Roles: []Role{Employee}}, "short"},
		"no role":        {Account{ID: "a", Login: "a"}, password},
		"no such role":   {Account{ID: "a", Login: "a", Roles: []Role{"king"}}, password},
		"space in login": {Account{ID: "a", Login: "a b", Roles: []Role{Employee}}, password},
	} {
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return AddAccount(t.Context(), tx, a.account, a.password) }); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

// Whoever has a role may do what the role may, and no more.
func TestMay(t *testing.T) {
	for _, tt := range []struct {
		v    Viewer
		p    Permission
		want bool
	}{
		{Viewer{}, Anyone, true},
		{Viewer{}, SignedIn, false},
		{Viewer{Account: "a", Person: "p", Roles: []Role{Employee}}, Learn, true},
		{Viewer{Account: "a", Roles: []Role{Administrator}}, Learn, false},
		{Viewer{Account: "a", Person: "p", Roles: []Role{Employee}}, ReadLoop, false},
		{Viewer{Account: "a", Person: "p", Roles: []Role{TeamManager}}, ReadPeople, false},
		{Viewer{Account: "a", Person: "p", Roles: []Role{Trainer, Employee}}, Teach, true},
	} {
		if got := tt.v.Can(tt.p); got != tt.want {
			t.Errorf("%v can %s: %t, want %t", tt.v.Roles, tt.p, got, tt.want)
		}
	}
}
