package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"attune/internal/fault"
)

func queryEscape(s string) string { return url.QueryEscape(s) }

// pathOf is the path and query of an address, if it is one of this site's.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return "/"
	}
	return u.RequestURI()
}

// inside is a path to go on to, or "/" where it would lead off the site.
func inside(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return pathOf(raw)
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

// readJSON reads what a script of ours sent.
func readJSON(r *http.Request, into any) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return fault.New(fault.Invalid, "web.not_json")
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return fault.Wrap(err, fault.Invalid, "web.not_json")
	}
	return nil
}

// to goes on to another page after a form was taken in.
func to(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// wrong is the message of a fault that the person can correct, or "".
func wrong(a *Asker, err error) string {
	if e, ok := fault.As(err); ok && (e.Kind == fault.Invalid || e.Kind == fault.Conflict || e.Kind == fault.TooMany) {
		return a.fault(e)
	}
	return ""
}

// number reads a number of a form, or returns instead.
func number(r *http.Request, name string, instead float64) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(r.FormValue(name)), 64)
	if err != nil {
		return instead
	}
	return v
}

// pageOf reads which page of a list is asked for, from 1.
func pageOf(r *http.Request) int { return max(1, int(number(r, "page", 1))) }

// bytesOf writes a size.
func bytesOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// link is a path with a query, in the order given: link("/a", "b", "c") is "/a?b=c".
// Empty values are left out.
func link(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	sep := byte('?')
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
		sep = '&'
	}
	return b.String()
}

// matches reports whether every word of q is in one of the texts, in any case.
func matches(q string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for _, word := range strings.Fields(strings.ToLower(q)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
