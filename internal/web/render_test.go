package web

import (
	"compress/gzip"
	"html/template"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jba/templatecheck"

	"attune/internal/locale"
)

// pageData is the type each page of templates/ is rendered with.
var pageData = map[string]any{
	"components":   componentsPage{},
	"error":        ErrorPage{},
	"account":      accountData{},
	"accounts":     accountsData{},
	"admin":        adminData{},
	"attend":       attendData{},
	"audit":        auditData{},
	"course":       courseData{},
	"courses":      coursesData{},
	"delivery":     deliveryData{},
	"effect":       effectData{},
	"effectpeople": effectPeopleData{},
	"empty":        emptyData{},
	"evidence":     evidenceData{},
	"import":       importData{},
	"item":         itemData{},
	"items":        itemsData{},
	"learn":        learnData{},
	"learncourse":  learnCourseData{},
	"me":           meData{},
	"need":         needDetailData{},
	"needcell":     needCellData{},
	"needs":        needsData{},
	"overview":     overviewData{},
	"people":       peopleData{},
	"person":       personData{},
	"plan":         planData{},
	"play":         playData{},
	"pool":         poolData{},
	"result":       resultData{},
	"search":       searchData{},
	"session":      sessionData{},
	"setup":        setupData{},
	"signin":       signInData{},
	"solving":      solvingData{},
	"statement":    statementData{},
	"survey":       surveyData{},
	"team":         teamData{},
	"test":         testData{},
	"today":        todayData{},
}

// partData is the type each shared part is called with by pages.
var partData = map[string]any{
	"layout.html": frame{},
	"action":      Action{}, "pagehead": PageHead{}, "pill": Pill{}, "notice": Notice{}, "empty": Empty{},
	"tabs": []Tab{}, "stepper": []Step{}, "timeline": []Event{}, "progress": Progress{}, "confirm": Confirm{},
	"field": Field{}, "table": Table{}, "errorbar": ErrorBar{}, "figure": Figure{}, "heatmap": HeatMap{},
	"loop": Loop{}, "bars": Bars{}, "curve": Curve{}, "dots": Dots{}, "histogram": Histogram{}, "gauge": Gauge{},
	"quadrant": Quadrant{}, "calendar": Calendar{},
	"task": task{}, "questions": []surveyQuestion{}, "options": []answerOption{}, "gains": []Dots{}, "curves": []Curve{},
}

func renderer(t testing.TB) *Renderer {
	t.Helper()
	rd, err := NewRenderer(Options{Search: "/search"})
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

// A page that names a field its data lacks fails here, not in front of someone.
// The pages are parsed afresh: html/template rewrites those it has executed.
func TestPagesFitTheirData(t *testing.T) {
	rd := renderer(t)
	for _, lang := range locale.Langs {
		pages, err := parsePages(templateFiles, rd.funcs(rd.Format(lang)))
		if err != nil {
			t.Fatal(err)
		}
		for name, set := range pages {
			if name == "" {
				for part, data := range partData {
					fits(t, set, part, data)
				}
				continue
			}
			data, ok := pageData[name]
			if !ok {
				t.Errorf("%s: say in pageData what it is rendered with", name)
				continue
			}
			fits(t, set, name+".html", data)
			if set.Lookup(titleOf(name)) != nil {
				fits(t, set, titleOf(name), data)
			}
		}
	}
}

func fits(t *testing.T, set *template.Template, name string, data any) {
	t.Helper()
	page := set.Lookup(name)
	if page == nil {
		t.Errorf("%s: there is no such template", name)
	} else if err := templatecheck.CheckHTML(page, data); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

var viewer = Viewer{ID: "p1", Name: "林静", Unit: "培训部", Company: "云合零售", Roles: []Role{RoleTraining, RoleLearner}, Simulated: true, Waiting: map[string]int{"needs": 3}}

// finish ends what /running follows.
var finish = make(chan bool, 1)

// site serves the components page and its assets, as the program does.
func site(t testing.TB) http.Handler {
	rd := renderer(t)
	mux := http.NewServeMux()
	mux.Handle("GET /static/", rd.Assets)
	mux.HandleFunc("POST /preferences", SetPreference)
	mux.HandleFunc("GET /_components", func(w http.ResponseWriter, r *http.Request) {
		p := ComponentsPage(rd.FormatOf(r))
		p.Viewer = viewer
		if r.FormValue("as") == "learner" {
			p.Viewer.Roles, p.Active = []Role{RoleLearner}, "today"
		}
		if err := rd.Render(w, r, p); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /lost", func(w http.ResponseWriter, r *http.Request) {
		f := rd.FormatOf(r)
		p := Page{Name: "error", Status: http.StatusNotFound, Bare: true, Narrow: true,
			Data: ErrorPage{Code: 404, Title: f.T("look.sample.error.title"), Text: f.T("look.sample.error.text"), Again: "/_components", Reference: "a1b2"}}
		if err := rd.Render(w, r, p); err != nil {
			t.Error(err)
		}
	})
	// Something long that is under way: forty of a hundred, then done.
	mux.HandleFunc("GET /running", func(w http.ResponseWriter, r *http.Request) {
		js, _ := rd.Assets.URL("attune.js")
		io.WriteString(w, `<!doctype html><title>r</title><link rel="icon" href="data:,"><div id="say" data-lost="lost"></div>`)
		if err := rd.pages[locale.En]["error"].ExecuteTemplate(w, "progress", Progress{Label: "Solving", Max: 100, Stream: "/stream"}); err != nil {
			t.Error(err)
		}
		io.WriteString(w, `<script type="module" src="`+js+`"></script>`)
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "event: progress\ndata: {\"value\": 40, \"max\": 100, \"text\": \"round 2\"}\n\n")
		http.NewResponseController(w).Flush()
		select {
		case <-finish:
			io.WriteString(w, "event: done\ndata: {\"href\": \"/lost\"}\n\n")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /_components", func(w http.ResponseWriter, r *http.Request) {
		AddFlash(w, Flash{Key: "look.sample.notice.good", Form: "sample"})
		http.Redirect(w, r, "/_components", http.StatusSeeOther)
	})
	return mux
}

func get(t *testing.T, h http.Handler, target string, cookies ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	for _, c := range cookies {
		name, value, _ := strings.Cut(c, "=")
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Message keys that a page shows as they are were never written.
var bareKey = regexp.MustCompile(`look\.[a-z]+[\w.]*`)

func TestComponentsPage(t *testing.T) {
	h := site(t)
	for lang, want := range map[string]string{"zh-CN": "模拟公司", "en": "Simulated company"} {
		w := get(t, h, "/_components", "lang="+lang, "theme=dark")
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, want) || !strings.Contains(body, `<html lang="`+lang+`" data-theme="dark">`) {
			t.Errorf("%s: status %d, %d bytes", lang, w.Code, len(body))
		}
		for _, bad := range []string{"<no value>", "%!", "ZgotmplZ", "NaN", " style=", "<script>", "javascript:"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: the page holds %q", lang, bad)
			}
		}
		if m := bareKey.FindString(body); m != "" {
			t.Errorf("%s: no message for %s", lang, m)
		}
		if got := strings.Count(body, `aria-current="page"`); got < 2 {
			t.Errorf("%s: the place in the navigation is not marked", lang)
		}
	}
}

// A page for nobody yet: no navigation, its own status, and a way on.
func TestBarePage(t *testing.T) {
	w := get(t, site(t), "/lost", "lang=en")
	body := w.Body.String()
	if w.Code != http.StatusNotFound || strings.Contains(body, `class="side"`) || !strings.Contains(body, "<title>There is no such page · Attune</title>") {
		t.Errorf("status %d: %s", w.Code, body)
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") || strings.Contains(got, "unsafe") {
		t.Errorf("policy %q", got)
	}
}

func TestEveryRoleHasAWay(t *testing.T) {
	for _, role := range []Role{RoleTraining, RoleTrainer, RoleManager, RoleAgent, RoleBrand, RoleAdmin, RoleLearner} {
		groups := Nav(role)
		if len(groups) == 0 {
			t.Errorf("%s sees nothing", role)
		}
		for _, g := range groups {
			for _, i := range g.Items {
				if _, err := icon(i.Icon); err != nil {
					t.Error(err)
				}
				if !locale.Has("look.nav."+i.Key) || !locale.Has("look.navgroup."+g.Key) {
					t.Errorf("%s: no name for %s in %s", role, i.Key, g.Key)
				}
			}
		}
	}
	press := map[string]string{}
	for _, g := range Nav(RoleTraining, RoleTrainer, RoleManager, RoleAgent, RoleBrand, RoleAdmin, RoleLearner) {
		for _, i := range g.Items {
			if was, ok := press[i.Press]; ok {
				t.Errorf("g %s leads to %s and to %s", i.Press, was, i.Key)
			}
			press[i.Press] = i.Key
		}
	}
	bar, more := tabs(Nav(RoleTraining, RoleLearner))
	if len(bar) != 4 || len(more) != 8 {
		t.Errorf("bar of %d, more of %d; want 4 and 8", len(bar), len(more))
	}
}

func TestFormat(t *testing.T) {
	rd := renderer(t)
	zh, en := rd.Format(locale.Zh), rd.Format(locale.En)
	s := func(v string, err error) string {
		if err != nil {
			t.Error(err)
		}
		return v
	}
	for _, tt := range []struct{ got, want string }{
		{en.Interval(1, 6.2, 4.1, 8.3), "6.2 (4.1–8.3)"},
		{en.Interval(1, -0.4, -1.2, 0.5), "−0.4 (−1.2 to 0.5)"},
		{zh.Interval(1, -0.4, -1.2, 0.5), "−0.4 (−1.2 至 0.5)"},
		{s(en.Num(0, 12345)), "12,345"},
		{s(en.Num(1, -0.04)), "0.0"},
		{s(en.Num(1, math.NaN())), "–"},
		{s(en.Signed(1, 2.34)), "+2.3"},
		{s(en.Signed(1, -2.34)), "−2.3"},
		{s(en.Signed(1, 0.01)), "0.0"},
		{s(zh.Pct(1, 0.934)), "93.4%"},
		{s(zh.Money(120000)), "¥120,000"},
		{s(zh.Money(-5)), "−¥5"},
		{s(en.Minutes(80)), "1 h 20 min"},
		{zh.Day(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)), "11月3日"},
		{en.Day(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)), "3 Nov"},
		{en.Weekday(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)), "Mon"},
		{initial("陈思远"), "远"}, {initial(" emily Carter"), "E"}, {initial(""), "·"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if _, err := en.Num(1, "x"); err == nil {
		t.Error("a word passed as a number")
	}
}

func TestFlashIsSeenOnce(t *testing.T) {
	h := site(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/_components", nil))
	c := w.Result().Cookies()[0]
	first := get(t, h, "/_components", "lang=en", c.Name+"="+c.Value)
	if !strings.Contains(first.Body.String(), `data-saved="sample"`) {
		t.Error("the message is not shown")
	}
	if gone := first.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("the message stays: %v", gone)
	}
	if w := get(t, h, "/_components", "flash=!!!"); w.Code != http.StatusOK {
		t.Error("a broken cookie breaks the page")
	}
}

func TestPreferences(t *testing.T) {
	for _, tt := range []struct{ form, to, cookie string }{
		{"theme=dark&back=/needs?x=1", "/needs?x=1", "theme=dark"},
		{"theme=system&back=/needs", "/needs", "theme="},
		{"lang=en&back=//evil.example/", "/", "lang=en"},
		{"lang=en&back=https://evil.example/", "/", "lang=en"},
		{`lang=en&back=/\evil.example`, "/", "lang=en"},
		{"lang=xx&theme=pink&back=/a", "/a", ""},
	} {
		r := httptest.NewRequest("POST", "/preferences", strings.NewReader(tt.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		SetPreference(w, r)
		if got := w.Header().Get("Location"); got != tt.to {
			t.Errorf("%s: goes to %s, want %s", tt.form, got, tt.to)
		}
		if got := w.Header().Get("Set-Cookie"); !strings.HasPrefix(got, tt.cookie) || tt.cookie == "" && got != "" {
			t.Errorf("%s: cookie %q, want %q", tt.form, got, tt.cookie)
		}
	}
}

func TestAssets(t *testing.T) {
	rd := renderer(t)
	h := site(t)
	u, err := rd.Assets.URL("app.css")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rd.Assets.URL("no.css"); err == nil {
		t.Error("a file that is not there has an address")
	}
	r := httptest.NewRequest("GET", u, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("headers %v", w.Header())
	}
	t.Logf("app.css: %d bytes zipped", w.Body.Len())
	if w.Body.Len() > 40_000 {
		t.Errorf("app.css is %d bytes zipped; keep it under 40,000", w.Body.Len())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(z)
	want, _ := fs.ReadFile(staticFiles, "static/app.css")
	if string(got) != string(want) {
		t.Error("what is served is not the file")
	}
	if w := get(t, h, "/static/app.css"); w.Code != http.StatusNotFound {
		t.Errorf("without its hash: status %d", w.Code)
	}

	js, err := rd.Assets.URL("attune.js")
	if err != nil {
		t.Fatal(err)
	}
	body := get(t, h, js).Body.String()
	for _, m := range imported.FindAllStringSubmatch(body, -1) {
		t.Errorf("import of %s is not by its hashed name", m[2])
	}
	for _, m := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		if w := get(t, h, m[1]); w.Code != http.StatusOK {
			t.Errorf("%s: status %d", m[1], w.Code)
		}
	}
	_, err = LoadAssets(fstest.MapFS{"a.js": {Data: []byte(`import "./b.js";`)}, "b.js": {Data: []byte(`import "./a.js";`)}})
	if err == nil {
		t.Error("a circle of imports was let through")
	}
}

func TestHeatClass(t *testing.T) {
	gap := HeatMap{Scale: HeatGap, Max: 24}
	amount := HeatMap{Scale: HeatAmount, Max: 1}
	for _, tt := range []struct {
		h    HeatMap
		c    HeatCell
		want string
	}{
		{gap, HeatCell{Value: 30}, "c-gap3"},
		{gap, HeatCell{Value: 9}, "c-gap2"},
		{gap, HeatCell{Value: 3}, "c-gap1"},
		{gap, HeatCell{Value: 1}, "c-zero"},
		{gap, HeatCell{Value: -9}, "c-good2"},
		{gap, HeatCell{Value: -99}, "c-good3"},
		{gap, HeatCell{Value: 9, Few: true}, "none"},
		{gap, HeatCell{Value: math.NaN()}, "none"},
		{amount, HeatCell{Value: 0}, "c-seq1"},
		{amount, HeatCell{Value: 0.5}, "c-seq3"},
		{amount, HeatCell{Value: 1}, "c-seq5"},
	} {
		if got := tt.h.Class(tt.c); got != tt.want {
			t.Errorf("%s %v: %s, want %s", tt.h.Scale, tt.c, got, tt.want)
		}
	}
}

// The cells are written without a template, so that escaping is ours to test.
func TestHeatCells(t *testing.T) {
	f := renderer(t).Format(locale.En)
	h := HeatMap{Scale: HeatGap, Max: 24, Digits: 1}
	for _, tt := range []struct {
		c    HeatCell
		want string
	}{
		{HeatCell{Value: 9.04, Href: "/a?b=1&c=\"<"}, `<td class="c-gap2"><a href="/a?b=1&amp;c=&#34;&lt;">+9.0</a></td>`},
		{HeatCell{Value: -9, Href: "javascript:alert(1)"}, `<td class="c-good2"><span>−9.0</span></td>`},
		{HeatCell{Value: -9, Href: "//evil.example"}, `<td class="c-good2"><span>−9.0</span></td>`},
		{HeatCell{Value: 9, Few: true}, `<td class="none"><span title="Fewer than 5 people: not shown">under 5</span></td>`},
		{HeatCell{Blank: true}, `<td class="none"><span role="img" aria-label="no data">·</span></td>`},
	} {
		if got := string(h.cells(f, []HeatCell{tt.c})); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.c, got, tt.want)
		}
	}
}

func TestCalendarPlaces(t *testing.T) {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	item := func(from, to float64) CalItem {
		return CalItem{Start: day.Add(time.Duration(from * float64(time.Hour))), End: day.Add(time.Duration(to * float64(time.Hour)))}
	}
	c := Calendar{From: 9, To: 18, Days: make([]CalDay, 3)} // three days: three lanes
	d := CalDay{Date: day, Items: []CalItem{item(10, 11), item(9, 10.5), item(9, 12), item(9.5, 10), item(10.5, 11), item(7, 8), item(10.5, 11.5), item(14, 16)}}
	slots := c.Slots(d)
	var got []string
	for _, s := range slots {
		got = append(got, s.Class)
	}
	want := []string{
		"row-start-1 row-span-6 col-start-1 col-span-2",  // 9–12, the longest first
		"row-start-1 row-span-3 col-start-3 col-span-2",  // 9–10:30
		"row-start-2 row-span-1 col-start-5 col-span-2",  // 9:30–10
		"row-start-3 row-span-2 col-start-5 col-span-2",  // 10–11, where 9:30–10 has ended
		"row-start-4 row-span-2 col-start-3 col-span-2",  // 10:30–11:30; for 10:30–11 no lane is left
		"row-start-11 row-span-4 col-start-1 col-span-6", // 14–16, alone
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("placed %q, want %q", got, want)
	}
	if more := c.More(d); more != 2 {
		t.Errorf("%d found no place, want 2: a fourth at once, and one before the day begins", more)
	}
}

func TestTableLinks(t *testing.T) {
	tb := Table{URL: url.URL{Path: "/people", RawQuery: "q=li&page=4&sort=-gain"}, Sort: "gain", Desc: true, Page: 4, PerPage: 20, Total: 193}
	for _, tt := range []struct{ got, want string }{
		{tb.SortHref(Column{Key: "gain"}), "/people?q=li&sort=gain"},
		{tb.SortHref(Column{Key: "name"}), "/people?q=li&sort=name"},
		{tb.PageHref(5), "/people?page=5&q=li&sort=-gain"},
		{tb.Sorted(Column{Key: "gain"}), "descending"},
		{tb.Sorted(Column{Key: "name"}), "none"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	if got := tb.Near(); len(got) != 7 || tb.Pages() != 10 || got[1] != 0 || got[5] != 0 {
		t.Errorf("pages %v of %d", got, tb.Pages())
	}
	if tb.First() != 61 || tb.Last() != 80 {
		t.Errorf("rows %d–%d, want 61–80", tb.First(), tb.Last())
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		a    Axis
		want []float64
	}{
		{Axis{0, 100, 0}, []float64{0, 20, 40, 60, 80, 100}},
		{Axis{-10, 30, 0}, []float64{-10, 0, 10, 20, 30}},
		{Axis{0, 0, 0}, nil},
	} {
		got := tt.a.Ticks()
		if len(got) != len(tt.want) {
			t.Errorf("%v: %v, want %v", tt.a, got, tt.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-9 {
				t.Errorf("%v: %v, want %v", tt.a, got, tt.want)
			}
		}
	}
}

// Built files and their sources must not drift apart unseen: every class that
// a part names and that styles define as a part of ours is in the built file.
func TestBuiltCSSHasOurClasses(t *testing.T) {
	built, err := fs.ReadFile(staticFiles, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	class := regexp.MustCompile(`\.([a-z][\w-]*)`)
	for _, name := range []string{"base", "frame", "parts", "charts", "daisy"} {
		src, err := os.ReadFile("styles/" + name + ".css")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(src), "\n") {
			sel, _, ok := strings.Cut(line, "{")
			if !ok || strings.Contains(sel, "@") {
				continue
			}
			for _, m := range class.FindAllStringSubmatch(sel, -1) {
				if !strings.Contains(string(built), "."+m[1]) {
					t.Errorf("styles/%s.css has .%s; run npm run build in internal/web/styles", name, m[1])
				}
			}
		}
	}
}

func BenchmarkComponentsPage(b *testing.B) {
	h := site(b)
	r := httptest.NewRequest("GET", "/_components", nil)
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// The widest page there is: every team by every skill.
func BenchmarkHeatMap(b *testing.B) {
	rd := renderer(b)
	h := HeatMap{Caption: "c", Scale: HeatGap, Max: 24}
	for range 20 {
		h.Cols = append(h.Cols, HeatHead{Label: "skill"})
	}
	for i := range 40 {
		r := HeatRow{HeatHead: HeatHead{Label: "team", Href: "/team/1"}}
		for k := range 20 {
			r.Cells = append(r.Cells, HeatCell{Value: float64(i - k), Href: "/needs/evidence?team=1&skill=2"})
		}
		h.Rows = append(h.Rows, r)
	}
	set := rd.pages[locale.En]["error"]
	for b.Loop() {
		if err := set.ExecuteTemplate(io.Discard, "heatmap", h); err != nil {
			b.Fatal(err)
		}
	}
}
