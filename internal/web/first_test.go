package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"attune/internal/db"
	"attune/internal/org"
	"attune/internal/testdb"
)

// A new company: nothing but the first page can be reached, only from the
// machine itself, once; then people come in from a file, whose faults are all
// said before anything is written.
func TestFirstRun(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s, err := New(d)
		if err != nil {
			t.Fatal(err)
		}
		h := s.Handler()
		for _, path := range []string{"/", "/needs", "/sign-in"} {
			if got := ask(h, "GET", path, "", nil); got.Header().Get("Location") != "/setup" {
				t.Errorf("%s leads to %q, want /setup", path, got.Header().Get("Location"))
			}
		}
		far := httptest.NewRequest("GET", "/setup", nil)
		far.RemoteAddr = "192.0.2.7:999"
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, far); w.Code != http.StatusForbidden {
			t.Errorf("setting up from elsewhere: %d, want 403", w.Code)
		}
		form := url.Values{"name": {"Northwind"}, "zone": {"Nowhere/Land"}, "login": {"boss"}, "password": {"long enough"}}
		if got := ask(h, "POST", "/setup", "", form); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `value="Northwind"`) {
			t.Errorf("an unknown zone: %d; what was typed must come back", got.Code)
		}
		form.Set("zone", "Asia/Shanghai")
		got := ask(h, "POST", "/setup", "", form)
		if got.Header().Get("Location") != "/people/import" {
			t.Fatalf("set up: %d to %q", got.Code, got.Header().Get("Location"))
		}
		token := got.Result().Cookies()[0].Value
		if got := ask(h, "POST", "/setup", "", form); got.Code != http.StatusNotFound {
			t.Errorf("setting up twice: %d, want 404", got.Code)
		}

		bad := upload(h, token, "number,name,unit,position,manager\n1,Ann,Service/One,Agent,\n2,Bo,Service/One,Agent,9\n3,,Service/One,Agent,1\n")
		if bad.Code != http.StatusUnprocessableEntity || !strings.Contains(bad.Body.String(), "nothing was written") || strings.Count(bad.Body.String(), "<tr>") < 3 {
			t.Errorf("a broken file: %d", bad.Code)
		}
		good := upload(h, token, "number,name,unit,position,manager\n1,Ann,Service/One,Agent,\n2,<b>Bo,Service/One,Agent,1\n")
		if strings.Contains(good.Body.String(), "<b>Bo") {
			t.Error("a name is taken for HTML")
		}
		good = upload(h, token, "number,name,unit,position,manager\n1,Ann,Service/One,Agent,\n2,Bo,Service/One,Agent,1\n")
		held := regexp.MustCompile(`name="held" value="([^"]+)"`).FindStringSubmatch(good.Body.String())
		if good.Code != 200 || held == nil {
			t.Fatalf("a good file: %d", good.Code)
		}
		count := func() (n int) {
			if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = org.Count(t.Context(), tx); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 0 {
			t.Errorf("%d people after looking at a file, want 0", n)
		}
		if got := ask(h, "POST", "/people/import", token, url.Values{"held": {held[1]}}); got.Header().Get("Location") != "/people" {
			t.Fatalf("confirmed: %d", got.Code)
		}
		if n := count(); n != 2 {
			t.Errorf("%d people, want 2", n)
		}
		if got := ask(h, "POST", "/people/import", token, url.Values{"held": {held[1]}}); got.Code != http.StatusConflict {
			t.Errorf("confirmed twice: %d, want 409", got.Code)
		}
		for _, path := range []string{"/overview", "/needs", "/plan", "/delivery", "/effect", "/content", "/content/items", "/people", "/admin", "/admin/audit?verify=1", "/account"} {
			if got := ask(h, "GET", path, token, nil); got.Code != 200 {
				t.Errorf("%s of a new company: %d", path, got.Code)
			}
		}
	})
}

func upload(h http.Handler, token, csv string) *httptest.ResponseRecorder {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, _ := m.CreateFormFile("file", "people.csv") // writing to memory does not fail
	part.Write([]byte(csv))
	m.Close()
	r := httptest.NewRequest("POST", "/people/import", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
	r.AddCookie(&http.Cookie{Name: "lang", Value: "en"})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
