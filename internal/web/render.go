// Package web is the site: its frame, its parts, its pages.
//
// A page is a file in templates/, rendered with a Go value of its own type
// inside the frame of templates/parts/layout.html. docs/look.md says how to add one.
package web

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"attune/internal/locale"
)

//go:embed templates
var templateFiles embed.FS

// Options are what the pages take from the rest of the program.
type Options struct {
	Currency string // sign before an amount; "¥" if empty
	Search   string // where the search box of the frame asks; none if empty
}

// Renderer holds every page, parsed once for each language.
type Renderer struct {
	Assets *Assets
	opt    Options
	pages  map[locale.Lang]map[string]*template.Template // by page
	format map[locale.Lang]*Format
}

// NewRenderer parses the pages of the program.
func NewRenderer(o Options) (*Renderer, error) {
	if o.Currency == "" {
		o.Currency = "¥"
	}
	files, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	rd := &Renderer{opt: o, pages: map[locale.Lang]map[string]*template.Template{}, format: map[locale.Lang]*Format{}}
	if rd.Assets, err = LoadAssets(files); err != nil {
		return nil, err
	}
	for _, l := range locale.Langs {
		rd.format[l] = &Format{Lang: l, cash: o.Currency}
		if rd.pages[l], err = parsePages(templateFiles, rd.funcs(rd.format[l])); err != nil {
			return nil, err
		}
	}
	return rd, nil
}

// parsePages returns the pages of one language by name: one set for all, since a
// set for each would hold every part forty times over. What a page calls its
// "title" is therefore kept under titleOf its name.
func parsePages(files fs.FS, funcs template.FuncMap) (map[string]*template.Template, error) {
	set, err := template.New("pages").Funcs(funcs).ParseFS(files, "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{"": set}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(file), ".html")
		titled := strings.Replace(string(text), `{{define "title"}}`, `{{define "`+titleOf(name)+`"}}`, 1)
		if _, err := set.New(name + ".html").Parse(titled); err != nil {
			return nil, err
		}
		pages[name] = set
	}
	return pages, nil
}

func titleOf(page string) string { return "title of " + page }

// funcs are what a template may call, bound to one language.
func (rd *Renderer) funcs(f *Format) template.FuncMap {
	return template.FuncMap{
		"t": f.T, "num": f.Num, "signed": f.Signed, "pct": f.Pct, "money": f.Money,
		"interval": f.Interval, "range_": f.Range, "minutes": f.Minutes,
		"date": f.Date, "datetime": f.DateTime, "clock": f.Clock, "day": f.Day, "weekday": f.Weekday, "iso": ISO,
		"lang": func() locale.Lang { return f.Lang }, "asset": rd.Assets.URL, "icon": icon, "initial": initial,
		"heatcells": func(h HeatMap, cells []HeatCell) template.HTML { return h.cells(f, cells) },
		"xname":     func(c Curve, x float64) string { return c.Name(f, x) },
		"add":       func(a, b int) int { return a + b },
		"say": func(m Flash) string {
			args := make([]any, len(m.Args))
			for i, a := range m.Args {
				args[i] = a
			}
			return f.T(m.Key, args...)
		},
	}
}

// Format returns how a language writes numbers, dates and messages.
func (rd *Renderer) Format(l locale.Lang) *Format { return rd.format[l] }

// FormatOf is Format for the language of a request.
func (rd *Renderer) FormatOf(r *http.Request) *Format { return rd.format[locale.Of(r)] }

// themeOf returns "light" or "dark" as chosen, or "" to follow the system.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// Viewer is who looks, as far as the frame shows it.
type Viewer struct {
	ID        string // keeps one person's drafts apart from another's; empty before sign-in
	Name      string
	Unit      string
	Company   string
	Roles     []Role
	Simulated bool           // the company is simulated; said on every page
	Waiting   map[string]int // things waiting, by NavItem.Key
}

// Crumb is a step of the way to a page. The last has no Href.
type Crumb struct{ Label, Href string }

// Page is what one request shows.
type Page struct {
	Name   string // file in templates/, without .html
	Status int    // 200 if 0
	Viewer Viewer
	Active string // key of the place of the navigation it belongs to
	Crumbs []Crumb
	Bare   bool // no navigation, as on the page to sign in
	Narrow bool // a column to read or to answer in
	Data   any  // what templates/Name.html is rendered with
}

// frame is what the layout is rendered with.
type frame struct {
	Page
	Lang               locale.Lang
	Langs              []locale.Lang
	Theme, URL, Search string
	Title, Main        template.HTML
	Groups             []NavGroup
	Bar, More          []NavItem
	MoreActive         bool
	Flashes            []Flash
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render writes a page. Nothing is sent unless the whole page could be made.
func (rd *Renderer) Render(w http.ResponseWriter, r *http.Request, p Page) error {
	lang := locale.Of(r)
	set, ok := rd.pages[lang][p.Name]
	if !ok {
		return fmt.Errorf("web: there is no page %q", p.Name)
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := set.ExecuteTemplate(buf, p.Name+".html", p.Data); err != nil {
		return err
	}
	f := frame{Page: p, Lang: lang, Theme: themeOf(r), URL: r.URL.RequestURI(), Langs: locale.Langs,
		Main:   template.HTML(buf.String()), // made by html/template just now, so escaped already
		Groups: waiting(Nav(p.Viewer.Roles...), p.Viewer.Waiting)}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		f.URL = "/" // the answer to a POST cannot be asked for again
	}
	if p.Viewer.ID != "" {
		f.Search = rd.opt.Search
	}
	f.Bar, f.More = tabs(f.Groups)
	f.MoreActive = slices.ContainsFunc(f.More, func(i NavItem) bool { return i.Key == p.Active })
	f.Flashes = takeFlashes(w, r)
	if title := set.Lookup(titleOf(p.Name)); title != nil {
		buf.Reset()
		if err := title.Execute(buf, p.Data); err != nil {
			return err
		}
		f.Title = template.HTML(strings.TrimSpace(buf.String()))
	}
	buf.Reset()
	if err := set.ExecuteTemplate(buf, "layout.html", f); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // a page holds what only this person may see
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(max(p.Status, http.StatusOK))
	_, err := w.Write(buf.Bytes())
	return err
}

// csp lets a page load only what this site serves: no inline script, no inline
// style, no frame around it.
const csp = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

func waiting(groups []NavGroup, n map[string]int) []NavGroup {
	for _, g := range groups {
		for i := range g.Items {
			g.Items[i].Count = n[g.Items[i].Key]
		}
	}
	return groups
}

// Flash is a message that waits for the next page a person sees.
type Flash struct {
	Tone string   `json:"k,omitempty"` // good, gap, bad, primary
	Key  string   `json:"m"`           // message key
	Args []string `json:"a,omitempty"` // as written in the person's language
	Form string   `json:"f,omitempty"` // data-draft of the form that has been saved, whose draft may go
}

const flashCookie = "flash"

// AddFlash leaves messages for the next page, through a redirect. They travel as
// keys in a cookie, so that nobody can put words of their own into the site's mouth.
func AddFlash(w http.ResponseWriter, f ...Flash) {
	text, _ := json.Marshal(f) // strings always marshal
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: "/", MaxAge: 120, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func takeFlashes(w http.ResponseWriter, r *http.Request) (f []Flash) {
	c, err := r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1})
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(text, &f) != nil {
		return nil
	}
	return slices.DeleteFunc(f, func(f Flash) bool { return strings.Contains(f.Key, " ") })
}

// SetPreference answers POST /preferences: it keeps the language or the theme
// that was chosen in a cookie, so that the next page comes right at once, and
// goes back to the page "back".
func SetPreference(w http.ResponseWriter, r *http.Request) {
	keep := func(name, value string) {
		c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode}
		if value == "" {
			c.MaxAge = -1
		}
		http.SetCookie(w, c)
	}
	if l, ok := locale.Parse(r.FormValue("lang")); ok {
		keep("lang", string(l))
	}
	switch theme := r.FormValue("theme"); theme {
	case "light", "dark":
		keep("theme", theme)
	case "system":
		keep("theme", "")
	}
	back, err := url.Parse(r.FormValue("back"))
	// Only a path of this site: "//host" and "/\host" would lead elsewhere.
	if err != nil || back.Host != "" || back.Scheme != "" || !strings.HasPrefix(back.Path, "/") || strings.HasPrefix(back.Path, "//") || strings.Contains(back.Path, `\`) {
		back = &url.URL{Path: "/"}
	}
	http.Redirect(w, r, back.RequestURI(), http.StatusSeeOther)
}

// initial is the sign in a person's avatar: the last character of a Chinese
// name, as colleagues call each other, or the first letter of any other.
func initial(name string) string {
	r := []rune(strings.TrimSpace(name))
	switch {
	case len(r) == 0:
		return "·"
	case r[len(r)-1] >= 0x2E80:
		return string(r[len(r)-1])
	}
	return strings.ToUpper(string(r[0]))
}
