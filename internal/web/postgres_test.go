package web

import (
	"strings"
	"testing"
	"time"

	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/demo"
	"attune/internal/testdb"
)

// The same links lead somewhere when the company lives in PostgreSQL.
func TestEveryLinkOnPostgres(t *testing.T) {
	testdb.Long(t)
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine != db.Postgres {
			return // TestEveryLinkLeadsSomewhere
		}
		if _, err := demo.Run(t.Context(), d, demo.Options{People: 80, Days: 3, Hours: 6, Seed: 1, Now: time.Now()}); err != nil {
			t.Fatal(err)
		}
		s, err := New(d)
		if err != nil {
			t.Fatal(err)
		}
		h := s.Handler()
		for _, x := range demo.SignIns {
			token, _, err := auth.SignIn(t.Context(), d, x.Login, demo.Password, "test", "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			seen, shape, next := map[string]bool{}, map[string]int{}, []string{"/"}
			for len(next) > 0 {
				at := next[0]
				next = next[1:]
				got := ask(h, "GET", at, token, nil)
				if to := got.Header().Get("Location"); to != "" && !seen[to] {
					seen[to] = true
					next = append(next, to)
				}
				if got.Code >= 400 {
					t.Errorf("%s: %s gives %d", x.Login, at, got.Code)
				}
				for _, m := range links.FindAllStringSubmatch(got.Body.String(), -1) {
					to := strings.ReplaceAll(m[1], "&amp;", "&")
					kind := kindOf(to)
					if seen[to] || strings.HasPrefix(to, "/static/") || shape[kind] > 1 {
						continue
					}
					shape[kind]++
					seen[to] = true
					next = append(next, to)
				}
			}
			if len(seen) < 5 {
				t.Errorf("%s: only %d pages were found", x.Login, len(seen))
			}
		}
	})
}
