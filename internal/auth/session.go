package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
)

const (
	idle    = 7 * 24 * time.Hour  // a session not used so long has ended
	longest = 30 * 24 * time.Hour // and none outlives this

	free = 5 // failures per login before waiting begins; ten times that per address
)

// Session is one sign-in on one device.
type Session struct {
	ID        string // hash of the token; not the token
	Account   AccountID
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	Device    string
	Address   string
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// SignIn checks a password and opens a session. The token goes into the
// cookie and is kept nowhere. It takes the database and not a transaction,
// because hashing takes tens of milliseconds that no other writer should wait.
//
// After five failures in a row a login waits, twice as long each time, up to a
// quarter of an hour; so does an address after fifty. The message is the same
// whether the login or the password is wrong.
func SignIn(ctx context.Context, d *db.DB, login, password, device, address string) (token string, v Viewer, err error) {
	login = strings.ToLower(strings.TrimSpace(login))
	keys := []string{"login:" + login, "address:" + address}
	var id AccountID
	hash := nobody
	if err := d.Read(ctx, func(t *db.Tx) error {
		until, err := db.Rows(ctx, t, db.One[int64], `SELECT until FROM throttle WHERE key IN ($1, $2)`, keys[0], keys[1])
		if err != nil {
			return err
		}
		for _, u := range until {
			if wait := time.UnixMilli(u).Sub(t.Now); wait > 0 {
				return fault.New(fault.TooMany, "signin.wait", int(math.Ceil(wait.Seconds())))
			}
		}
		type row struct {
			id   AccountID
			hash string
		}
		r, err := db.Row(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.id, &r.hash) },
			`SELECT id, password FROM account WHERE login = $1 AND disabled_at IS NULL`, login)
		if fault.Of(err) == fault.NotFound {
			return nil
		}
		if err == nil {
			id, hash = r.id, r.hash
		}
		return err
	}); err != nil {
		return "", v, err
	}
	if !verify(hash, password) || id == "" {
		return "", v, failed(ctx, d, keys)
	}
	token = rand.Text() + rand.Text()
	err = d.Write(ctx, func(t *db.Tx) error {
		if _, err := t.Exec(ctx, `DELETE FROM throttle WHERE key = $1`, keys[0]); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `INSERT INTO login_session (id, account_id, created_at, seen_at, expires_at, device, address) VALUES ($1, $2, $3, $3, $4, $5, $6)`,
			hashToken(token), id, db.Millis(t.Now), db.Millis(t.Now.Add(longest)), clip(device, 300), clip(address, 100)); err != nil {
			return err
		}
		v, err = View(ctx, t, token)
		return err
	})
	return token, v, err
}

func clip(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// failed counts a failure and says so.
func failed(ctx context.Context, d *db.DB, keys []string) error {
	err := d.Write(ctx, func(t *db.Tx) error {
		for i, key := range keys {
			allowed := []int{free, 10 * free}[i]
			n, err := db.Row(ctx, t, db.One[int], `
				INSERT INTO throttle (key, failures, until) VALUES ($1, 1, 0)
				ON CONFLICT (key) DO UPDATE SET failures = throttle.failures + 1
				RETURNING failures`, key)
			if err != nil {
				return err
			}
			if n < allowed {
				continue
			}
			wait := min(15*time.Minute, time.Second<<min(20, n-allowed))
			if _, err := t.Exec(ctx, `UPDATE throttle SET until = $2 WHERE key = $1`, key, db.Millis(t.Now.Add(wait))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Denied, "signin.failed")
}

// View returns who a token stands for, or a NotFound fault: ended, revoked,
// disabled, or never there.
func View(ctx context.Context, t *db.Tx, token string) (Viewer, error) {
	id := hashToken(token)
	type row struct {
		v    Viewer
		role Role
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.v.Account, &r.v.Login, db.Null(&r.v.Person), &r.v.Lang, db.Null(&r.role))
	}, `
		SELECT a.id, a.login, a.person_id, a.lang, r.role
		FROM login_session s
		JOIN account a ON a.id = s.account_id AND a.disabled_at IS NULL
		LEFT JOIN account_role r ON r.account_id = a.id
		WHERE s.id = $1 AND s.expires_at > $2 AND s.seen_at > $3`,
		id, db.Millis(t.Now), db.Millis(t.Now.Add(-idle)))
	if err != nil {
		return Viewer{}, err
	}
	if len(rows) == 0 {
		return Viewer{}, fault.New(fault.NotFound, "not_found")
	}
	v := rows[0].v
	v.Session = id
	for _, role := range Roles {
		for _, r := range rows {
			if r.role == role {
				v.Roles = append(v.Roles, role)
			}
		}
	}
	return v, nil
}

// Seen keeps a session alive. It writes at most once an hour.
func Seen(ctx context.Context, t *db.Tx, session string) error {
	_, err := t.Exec(ctx, `UPDATE login_session SET seen_at = $2 WHERE id = $1 AND seen_at < $3`, session, db.Millis(t.Now), db.Millis(t.Now.Add(-time.Hour)))
	return err
}

// Sessions returns an account's open sessions, the latest used first.
func Sessions(ctx context.Context, t *db.Tx, account AccountID) ([]Session, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (x Session, err error) {
		return x, s.Scan(&x.ID, &x.Account, (*db.Ms)(&x.CreatedAt), (*db.Ms)(&x.SeenAt), (*db.Ms)(&x.ExpiresAt), &x.Device, &x.Address)
	}, `SELECT id, account_id, created_at, seen_at, expires_at, device, address
		FROM login_session WHERE account_id = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id`,
		account, db.Millis(t.Now), db.Millis(t.Now.Add(-idle)))
}

// Revoke ends one of an account's sessions.
func Revoke(ctx context.Context, t *db.Tx, account AccountID, session string) error {
	n, err := t.Exec(ctx, `DELETE FROM login_session WHERE id = $1 AND account_id = $2`, session, account)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	return err
}

// ChangePassword sets a new password and ends every session but the one it was
// changed in. It takes the database for the reason SignIn does.
func ChangePassword(ctx context.Context, d *db.DB, v Viewer, old, new string) error {
	var hash string
	if err := d.Read(ctx, func(t *db.Tx) (err error) {
		hash, err = db.Row(ctx, t, db.One[string], `SELECT password FROM account WHERE id = $1`, v.Account)
		return err
	}); err != nil {
		return err
	}
	if !verify(hash, old) {
		return fault.New(fault.Invalid, "account.password.wrong")
	}
	fresh, err := hashPassword(new)
	if err != nil {
		return err
	}
	return d.Write(ctx, func(t *db.Tx) error {
		n, err := t.Exec(ctx, `UPDATE account SET password = $2 WHERE id = $1 AND password = $3`, v.Account, fresh, hash)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "conflict")
		}
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `DELETE FROM login_session WHERE account_id = $1 AND id <> $2`, v.Account, v.Session)
		return err
	})
}

// SetLang keeps the language an account reads.
func SetLang(ctx context.Context, t *db.Tx, v Viewer, lang string) error {
	_, err := t.Exec(ctx, `UPDATE account SET lang = $2 WHERE id = $1`, v.Account, lang)
	return err
}
