// Package e2e holds browser stories on the whole program, in both languages.
package e2e

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"attune/internal/db"
	"attune/internal/demo"
	"attune/internal/testdb"
	"attune/internal/web"
)

// company is the sample company and its site, lived once for all stories.
var company = sync.OnceValues(func() (*httptest.Server, error) {
	dir, err := os.MkdirTemp("", "attune-e2e")
	if err != nil {
		return nil, err
	}
	folder = dir
	ctx := context.Background()
	d, err := db.Open(ctx, filepath.Join(dir, "e2e.db"))
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	if _, err := demo.Run(ctx, d, demo.Options{People: 120, Days: 3, Hours: 6, Seed: 1, Now: time.Now()}); err != nil {
		return nil, err
	}
	site, err := web.New(d)
	if err != nil {
		return nil, err
	}
	go site.Jobs.Run(ctx)
	return httptest.NewServer(site.Handler()), nil
})

var folder string

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		os.RemoveAll(folder)
	}
	os.Exit(code)
}

// person is somebody at a browser of their own.
type person struct {
	t     *testing.T
	ctx   context.Context
	base  string
	name  string
	shots int
	close func()
}

// browser opens a browser with a fresh profile, which may ask nobody but the site.
func browser(t *testing.T, name, lang string, width int64) *person {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	bin, err := exec.LookPath("chromium")
	if err != nil {
		testdb.Missing(t, "chromium")
	}
	srv, err := company()
	if err != nil {
		t.Fatal(err)
	}
	home, _ := url.Parse(srv.URL)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true))
	ctx, stop1 := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stop2 := chromedp.NewContext(ctx)
	ctx, stop3 := context.WithTimeout(ctx, 90*time.Second)
	p := &person{t: t, ctx: ctx, base: srv.URL, name: name + "-" + lang, close: func() { stop3(); stop2(); stop1() }}
	t.Cleanup(func() { p.close() })
	if err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(ev.Request.URL); err != nil || u.Host != home.Host && u.Scheme != "data" {
				t.Errorf("%s: request to %s", p.name, ev.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("%s: exception: %s %s", p.name, ev.ExceptionDetails.Text, ev.ExceptionDetails.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "lang", Value: lang, URL: srv.URL}); err != nil {
		t.Fatal(err)
	}
	size := []chromedp.EmulateViewportOption{}
	if width < 500 {
		size = append(size, chromedp.EmulateMobile)
	}
	p.do(chromedp.EmulateViewport(width, 844, size...))
	return p
}

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatalf("%s at %s: %v", p.name, p.at(), err)
	}
}

func (p *person) at() string {
	at, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	if err != nil {
		return err.Error()
	}
	return at
}

func (p *person) goTo(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.base + path))
}

// eval runs a script of the story in the page.
func eval[T any](p *person, js string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s at %s: %s: %v", p.name, p.at(), js, err)
	}
	return v
}

// click clicks what css finds and waits until the next page is there.
func (p *person) click(css string) {
	p.t.Helper()
	eval[int](p, fmt.Sprintf(`(() => { const el = document.querySelector(%q); if (!el) throw new Error("nothing matches"); window.__leaving = true; el.click(); return 0; })()`, css))
	p.until(`window.__leaving === undefined && document.readyState === "complete"`)
}

// until waits for something to become true in the page.
func (p *person) until(js string) {
	p.t.Helper()
	for range 100 {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](js))
		if err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("%s at %s: never: %s", p.name, p.at(), js)
}

// sees fails unless the page says what is wanted.
func (p *person) sees(want ...string) {
	p.t.Helper()
	text := eval[string](p, `document.querySelector("main").innerText`)
	for _, w := range want {
		if !strings.Contains(text, w) {
			p.t.Errorf("%s at %s: does not say %q", p.name, p.at(), w)
		}
	}
}

// picture keeps a picture where ATTUNE_SHOTS names a folder, and in any case
// looks whether something is wider than the window.
func (p *person) picture(what string) {
	p.t.Helper()
	if wide := eval[string](p, `(() => { const w = window.visualViewport ? Math.round(window.screen.width < 500 ? window.screen.width : innerWidth) : innerWidth;
		return document.documentElement.scrollWidth > w + 1 ? [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest(".table-wrap, .stepper, .tabs-line")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join("\n") : ""; })()`); wide != "" {
		p.t.Errorf("%s at %s: wider than the window:\n%s", p.name, p.at(), wide)
	}
	dir := os.Getenv("ATTUNE_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	p.shots++
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", p.name, p.shots, what)), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) signIn(login string) {
	p.t.Helper()
	p.goTo("/sign-in")
	eval[int](p, fmt.Sprintf(`document.querySelector("[name=login]").value = %q; document.querySelector("[name=password]").value = %q; 0`, login, demo.Password))
	p.click(`form[action="/sign-in"] button`)
}
