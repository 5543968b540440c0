package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The components page in a browser: no error, no request to another host,
// nothing wider than the window, in both languages and themes, at a desk's and
// a phone's width.
//
// ATTUNE_AXE names a copy of axe.min.js (npm axe-core) to check the page with;
// ATTUNE_SHOTS names a folder that gets a picture of each.
func TestLookInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	var bin string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			bin = p
			break
		}
	}
	if bin == "" {
		t.Skip("no chromium on this machine")
	}
	srv := httptest.NewServer(site(t))
	defer srv.Close()
	base, _ := url.Parse(srv.URL)
	axe := ""
	if path := os.Getenv("ATTUNE_AXE"); path != "" {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		axe = string(body)
	}
	shots := os.Getenv("ATTUNE_SHOTS")

	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-first-run", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()

	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(ev.Request.URL); err != nil || u.Host != base.Host && u.Scheme != "data" {
				t.Errorf("request to %s", ev.Request.URL)
			}
		case *cdplog.EventEntryAdded:
			if strings.HasSuffix(ev.Entry.URL, "/lost") {
				return // asked for as a page that is not there
			}
			if ev.Entry.Level == cdplog.EntryLevelError || ev.Entry.Level == cdplog.EntryLevelWarning {
				t.Errorf("log: %s %s", ev.Entry.Text, ev.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("exception: %s %s", ev.ExceptionDetails.Text, ev.ExceptionDetails.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1280, 390} {
		for _, lang := range []string{"zh-CN", "en"} {
			for _, theme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%s-%d", lang, theme, width)
				page := srv.URL + "/_components"
				if width < 500 && lang == "en" {
					page += "?as=learner"
				}
				remember(t, ctx, srv.URL, "lang", lang)
				remember(t, ctx, srv.URL, "theme", theme)
				opts := []chromedp.EmulateViewportOption{}
				if width < 500 {
					opts = append(opts, chromedp.EmulateMobile)
				}
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900, opts...), chromedp.Navigate(page)); err != nil {
					t.Fatal(name, err)
				}
				// A phone's browser widens innerWidth to what sticks out, so the width is given.
				wide := eval[string](t, ctx, fmt.Sprintf(`document.documentElement.scrollWidth > %[1]d ? [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > %[1]d + 1 && !e.closest(".table-wrap, .stepper, .tabs-line, .tabbar")).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join("\n") || "something" : ""`, width))
				if wide != "" {
					t.Errorf("%s: wider than the window:\n%s", name, wide)
				}
				if axe != "" {
					checkAxe(t, ctx, name, axe)
				}
				if shots != "" {
					picture(t, ctx, filepath.Join(shots, name+".png"))
				}
				if axe != "" {
					// What opens is looked at as well: the menus, the keys and the dialog.
					eval[int](t, ctx, `document.querySelectorAll("details").forEach(d => { d.open = true; }); document.getElementById("withdraw").showPopover(); 0`)
					checkAxe(t, ctx, name+" opened", axe)
					do(t, ctx, chromedp.Navigate(srv.URL+"/lost"))
					checkAxe(t, ctx, name+" lost", axe)
				}
			}
		}
	}
	if shots != "" {
		do(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(srv.URL+"/lost"))
		picture(t, ctx, filepath.Join(shots, "lost.png"))
		do(t, ctx, chromedp.Navigate(srv.URL+"/_components"))
		eval[int](t, ctx, `document.querySelector(".top details:last-of-type").open = true; document.getElementById("withdraw").showPopover(); 0`)
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(shots, "open.png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("drafts", func(t *testing.T) { draftsComeBack(t, ctx, srv.URL) })
	t.Run("once", func(t *testing.T) { sentOnce(t, ctx, srv.URL) })
	t.Run("progress", func(t *testing.T) { progressComesIn(t, ctx, srv.URL) })
	t.Run("keys", func(t *testing.T) { keysLead(t, ctx, srv.URL) })
}

func picture(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remember(t *testing.T, ctx context.Context, base, name, value string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: base}); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func checkAxe(t *testing.T, ctx context.Context, name, axe string) {
	t.Helper()
	eval[int](t, ctx, axe+";0")
	list := eval[[]string](t, ctx, `axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + " | " + v.nodes.slice(0, 4).map(n => n.target + " " + (n.any[0]?.message ?? "")).join(" ; ")))`)
	for _, v := range list {
		t.Errorf("%s: axe: %s", name, v)
	}
}

// What was typed comes back after a reload, and goes once it is saved.
func draftsComeBack(t *testing.T, ctx context.Context, base string) {
	remember(t, ctx, base, "lang", "en")
	const want = chromedp.CSS("#f-want")
	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(base+"/_components"),
		chromedp.SendKeys(want, "And then? "), chromedp.Sleep(500*time.Millisecond),
		chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(".toast")))
	if got := eval[string](t, ctx, `document.querySelector("#f-want").value`); !strings.HasPrefix(got, "And then?") {
		t.Errorf("after a reload the field holds %q", got)
	}
	if got := eval[string](t, ctx, `document.querySelector(".toast").textContent`); !strings.Contains(got, "put back") {
		t.Errorf("toast %q", got)
	}
	eval[int](t, ctx, `document.querySelector("form[data-draft]").requestSubmit(); 0`)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("[data-saved]")), chromedp.Navigate(base+"/_components"))
	if got := eval[string](t, ctx, `document.querySelector("#f-want").value`); strings.HasPrefix(got, "And then?") {
		t.Error("the draft is still there after it was saved")
	}
}

// A form that is on its way is not sent again.
func sentOnce(t *testing.T, ctx context.Context, base string) {
	do(t, ctx, chromedp.Navigate(base+"/_components"))
	n := eval[int](t, ctx, `(() => {
		let n = 0;
		const form = document.querySelector("form[data-draft]");
		addEventListener("submit", (e) => { if (!e.defaultPrevented) n++; e.preventDefault(); });
		form.requestSubmit();
		form.requestSubmit();
		return n;
	})()`)
	if n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// What is under way moves the bar, is read out, and leads on when it is done.
func progressComesIn(t *testing.T, ctx context.Context, base string) {
	do(t, ctx, chromedp.Navigate(base+"/running"))
	until := func(js, want string) {
		t.Helper()
		var got string
		for range 50 {
			if got = eval[string](t, ctx, js); got == want {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("%s is %q, want %q", js, got, want)
	}
	until(`document.querySelector("progress") ? document.querySelector("progress").value + " " + document.querySelector("[data-share]").textContent + " " + document.querySelector("[role=status]").textContent : ""`, "40 40% round 2")
	finish <- true
	until(`location.pathname`, "/lost")
}

// "/" goes to the filter, "?" opens the list of keys, "g n" goes to needs.
func keysLead(t *testing.T, ctx context.Context, base string) {
	do(t, ctx, chromedp.Navigate(base+"/_components"), chromedp.KeyEvent("/"))
	if got := eval[string](t, ctx, `document.activeElement.name ?? ""`); got != "q" {
		t.Errorf("/ goes to %q", got)
	}
	eval[int](t, ctx, `document.activeElement.blur(); 0`)
	do(t, ctx, chromedp.KeyEvent("?"))
	if !eval[bool](t, ctx, `document.getElementById("keys").matches(":popover-open")`) {
		t.Error("? does not open the list of keys")
	}
	// The place is not served here; where the key leads is what is asked.
	eval[int](t, ctx, `document.addEventListener("click", (e) => { const a = e.target.closest("a"); if (a) { e.preventDefault(); window.went = a.pathname; } }); 0`)
	do(t, ctx, chromedp.KeyEvent("g"), chromedp.KeyEvent("n"))
	if got := eval[string](t, ctx, `window.went ?? ""`); got != "/needs" {
		t.Errorf("g n goes to %q", got)
	}
}
