package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/demo"
	"attune/internal/locale"
)

// sample is a small sample company, lived once for all tests of the package.
var sample = sync.OnceValues(func() (*db.DB, error) {
	dir, err := os.MkdirTemp("", "attune-web")
	if err != nil {
		return nil, err
	}
	sampleDir = dir
	return lived(filepath.Join(dir, "sample.db"), 80)
})

var sampleDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if sampleDir != "" {
		os.RemoveAll(sampleDir)
	}
	os.Exit(code)
}

func lived(path string, people int) (*db.DB, error) {
	ctx := context.Background()
	d, err := db.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	_, err = demo.Run(ctx, d, demo.Options{People: people, Days: 3, Hours: 6, Seed: 1, Now: time.Now()})
	return d, err
}

func sampleSite(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("lives the sample company")
	}
	d, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tokens signs every role in, once.
var tokens = sync.OnceValue(func() map[auth.Role]string {
	d, err := sample()
	if err != nil {
		panic(err)
	}
	out := map[auth.Role]string{}
	for _, x := range demo.SignIns {
		token, _, err := auth.SignIn(context.Background(), d, x.Login, demo.Password, "test", "127.0.0.1")
		if err != nil {
			panic(err)
		}
		out[x.Role] = token
	}
	return out
})

func ask(h http.Handler, method, target, token string, form url.Values, header ...string) *httptest.ResponseRecorder {
	var r *http.Request
	if form != nil {
		r = httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequest(method, target, nil)
	}
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "lang", Value: "en"})
	if token != "" {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var pathVar = regexp.MustCompile(`\{[^}]*\}`)

// target is an address that a pattern matches.
func target(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, pathVar.ReplaceAllStringFunc(path, func(v string) string {
		if v == "{$}" {
			return ""
		}
		return "x"
	})
}

// Every route lets in exactly those whose role has the permission it states,
// and a request from another site is refused whoever it seems to come from.
func TestEveryRouteWithEveryRole(t *testing.T) {
	s := sampleSite(t)
	routes := s.routes()
	for i := range routes {
		routes[i].handle = func(w http.ResponseWriter, r *http.Request, a *Asker) error {
			w.WriteHeader(http.StatusTeapot)
			return nil
		}
	}
	h := s.serve(routes)
	may := func(role auth.Role, p auth.Permission) bool {
		v := auth.Viewer{Account: "a", Person: "p", Roles: []auth.Role{role}}
		return v.Can(p)
	}
	for _, rt := range routes {
		method, path := target(rt.pattern)
		if !slices.Contains(auth.Permissions, rt.needs) {
			t.Errorf("%s needs %q, which is no permission", rt.pattern, rt.needs)
		}
		got := ask(h, method, path, "", nil)
		switch {
		case rt.needs == auth.Anyone && got.Code != http.StatusTeapot:
			t.Errorf("%s: nobody gets %d, want in", rt.pattern, got.Code)
		case rt.needs != auth.Anyone && (got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/sign-in")):
			t.Errorf("%s: nobody gets %d %s, want to be asked to sign in", rt.pattern, got.Code, got.Header().Get("Location"))
		}
		for role, token := range tokens() {
			want := http.StatusForbidden
			if may(role, rt.needs) {
				want = http.StatusTeapot
			}
			if got := ask(h, method, path, token, nil); got.Code != want {
				t.Errorf("%s: %s gets %d, want %d", rt.pattern, role, got.Code, want)
			}
			if method == "POST" {
				for _, other := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://elsewhere.example"}} {
					if got := ask(h, method, path, token, url.Values{}, other...); got.Code != http.StatusForbidden {
						t.Errorf("%s: %s from another site (%v) gets %d, want 403", rt.pattern, role, other, got.Code)
					}
				}
			}
		}
	}
	for _, role := range auth.Roles {
		if tokens()[role] == "" {
			t.Errorf("no sign-in of role %s was tried", role)
		}
	}
}

// links are the addresses on a page that lead on within the site.
var links = regexp.MustCompile(`href="(/[^"#]*)`)

// Whoever follows every link from their first page on finds no page that
// fails, none that lacks its words, and nothing of a person they may not see.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	s := sampleSite(t)
	h := s.Handler()
	unsaid := regexp.MustCompile(`>\s*((web|look|need|plan|evaluate|improve|delivery|content|record|test|role|import)\.[a-z_.]+)\s*<`)
	for role, token := range tokens() {
		seen := map[string]bool{}
		shape := map[string]int{} // how many of the same kind were followed
		next := []string{"/"}
		for len(next) > 0 && len(seen) < 260 {
			at := next[0]
			next = next[1:]
			got := ask(h, "GET", at, token, nil)
			if loc := got.Header().Get("Location"); got.Code == http.StatusSeeOther {
				if !seen[loc] {
					seen[loc] = true
					next = append(next, loc)
				}
				continue
			}
			if got.Code != http.StatusOK {
				t.Errorf("%s: %s gives %d: %s", role, at, got.Code, strings.TrimSpace(tags.ReplaceAllString(got.Body.String(), " "))[:min(300, got.Body.Len())])
				continue
			}
			body := got.Body.String()
			if m := unsaid.FindStringSubmatch(body); m != nil {
				t.Errorf("%s: %s says %q", role, at, m[1])
			}
			if !strings.Contains(got.Header().Get("Content-Type"), "html") {
				continue
			}
			if !strings.Contains(body, "Simulated company") {
				t.Errorf("%s: %s does not say that the company is simulated", role, at)
			}
			for _, m := range links.FindAllStringSubmatch(body, -1) {
				to := strings.ReplaceAll(m[1], "&amp;", "&")
				if seen[to] || strings.HasPrefix(to, "/static/") {
					continue
				}
				kind := kindOf(to)
				if shape[kind]++; shape[kind] > 4 {
					continue
				}
				seen[to] = true
				next = append(next, to)
			}
		}
		if len(seen) < 5 {
			t.Errorf("%s: only %d pages were found", role, len(seen))
		}
	}
}

var tags = regexp.MustCompile(`(?s)<(script|style|nav|header|footer).*?</(script|style|nav|header|footer)>|<[^>]*>|\s+`)

// kindOf is an address without its identifiers.
func kindOf(to string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	parts := strings.Split(u.Path, "/")
	for i, p := range parts {
		if len(p) > 14 || strings.ContainsAny(p, "0123456789-") {
			parts[i] = "*"
		}
	}
	var keys []string
	for k, v := range u.Query() {
		if k == "about" {
			kind, _, _ := strings.Cut(v[0], "/")
			k += kind
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(parts, "/") + "?" + strings.Join(keys, "&")
}

// Every message that the code or a page names is there in both languages.
func TestEveryMessageIsSaid(t *testing.T) {
	key := regexp.MustCompile(`(?:T\(|\{t |\(t |Key: |fault\.New\([a-zA-Z.]+, |, fault\.[A-Z][A-Za-z]+, )"([a-z_]+\.[a-z_.]*[a-z_0-9])"`)
	err := filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range key.FindAllStringSubmatch(string(body), -1) {
			if !locale.Has(m[1]) {
				t.Errorf("%s: there is no message %q", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An employee sees nothing of another: not their page, their statements, their test.
func TestOthersAreNotSeen(t *testing.T) {
	s := sampleSite(t)
	h := s.Handler()
	var other struct{ id, pseudonym string }
	err := s.DB.Read(t.Context(), func(tx *db.Tx) error {
		p, err := db.Row(t.Context(), tx, func(sc db.Scanner) (o struct{ id, pseudonym string }, err error) {
			return o, sc.Scan(&o.id, &o.pseudonym)
		}, `SELECT id, pseudonym FROM person WHERE id NOT IN (SELECT person_id FROM account WHERE person_id IS NOT NULL) AND manager_id IS NOT NULL
			AND coalesce(manager_id, '') NOT IN (SELECT person_id FROM account WHERE login = 'lead') ORDER BY number DESC LIMIT 1`)
		other = p
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		role auth.Role
		path string
		want int
	}{
		{auth.Employee, "/people/" + other.id, 403},
		{auth.Employee, "/team/" + other.id, 403},
		{auth.Employee, "/evidence?about=person/" + other.pseudonym, 404},
		{auth.Employee, "/evidence.json?about=person/" + other.pseudonym, 404},
		{auth.Employee, "/evidence?about=skill/x&who=" + other.pseudonym, 404},
		{auth.Employee, "/evidence?about=test/x", 403},
		{auth.TeamManager, "/team/" + other.id, 404},
		{auth.TeamManager, "/evidence?about=person/" + other.pseudonym, 404},
		{auth.Trainer, "/evidence?about=person/" + other.pseudonym, 404},
		{auth.TrainingManager, "/people/" + other.id, 200},
		{auth.TrainingManager, "/evidence?about=person/" + other.pseudonym, 200},
	} {
		if got := ask(h, "GET", tt.path, tokens()[tt.role], nil); got.Code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.role, tt.path, got.Code, tt.want)
		}
	}
}

// Signing in: what is wrong is said, the login stays, the page asked for comes
// after, and the cookie is one that scripts cannot read.
func TestSignIn(t *testing.T) {
	h := sampleSite(t).Handler()
	got := ask(h, "POST", "/sign-in", "", url.Values{"login": {"manager"}, "password": {"wrong"}, "next": {"/needs"}})
	if got.Code != 403 || !strings.Contains(got.Body.String(), `value="manager"`) || !strings.Contains(got.Body.String(), "is wrong") {
		t.Errorf("wrong password: %d", got.Code)
	}
	got = ask(h, "POST", "/sign-in", "", url.Values{"login": {"manager"}, "password": {demo.Password}, "next": {"/needs"}})
	if got.Code != 303 || got.Header().Get("Location") != "/needs" {
		t.Errorf("right password: %d to %s", got.Code, got.Header().Get("Location"))
	}
	cookie := got.Header().Get("Set-Cookie")
	for _, want := range []string{"session=", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	got = ask(h, "POST", "/sign-in", "", url.Values{"login": {"manager"}, "password": {demo.Password}, "next": {"https://elsewhere.example/"}}, "X-Forwarded-Proto", "https")
	if got.Header().Get("Location") != "/" || !strings.Contains(got.Header().Get("Set-Cookie"), "Secure") {
		t.Errorf("elsewhere: to %s, cookie %s", got.Header().Get("Location"), got.Header().Get("Set-Cookie"))
	}
	if got := ask(h, "POST", "/learn/activities/x/state", "", nil, "Accept", "application/json"); got.Code != 401 {
		t.Errorf("a script that is signed out gets %d, want 401", got.Code)
	}
}

// pagesMeasured are the pages of each role that the benchmark asks for.
var pagesMeasured = map[auth.Role][]string{
	auth.TrainingManager: {"/overview", "/needs", "/content", "/content/items", "/plan", "/delivery", "/effect", "/people"},
	auth.Employee:        {"/today", "/learn", "/me", "/review"},
	auth.TeamManager:     {"/team"},
	auth.Administrator:   {"/admin", "/admin/audit"},
}
