package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// An employee learns, is tested, closes the browser in the middle, and goes on
// in another where they were.
func TestEmployeeLearnsAndIsTested(t *testing.T) {
	for _, tt := range []struct{ lang, login, result string }{
		{"zh-CN", "employee", "各技能"},
		{"en", "agent", "By skill"},
	} {
		t.Run(tt.lang, func(t *testing.T) {
			p := browser(t, "employee", tt.lang, 390)
			p.signIn(tt.login)
			p.goTo("/today")
			p.picture("today")

			// a course: the first thing to do, read to the end and finished
			p.click(`.card-now a.btn-primary, main .card a.btn[href^="/learn/"]`)
			if !strings.HasPrefix(p.at(), "/learn/") {
				t.Fatalf("the first thing to do leads to %s", p.at())
			}
			p.picture("activity")
			if eval[bool](p, `!!document.querySelector("#consent button[value='1']")`) {
				p.click(`#consent button[value="1"]`)
			}
			activity := p.at()
			if eval[bool](p, `document.querySelector("[data-play]").dataset.kind === "page" && document.documentElement.scrollHeight > innerHeight * 1.2`) {
				// "saved" is said only when the server has said so
				eval[int](p, `scrollTo(0, document.documentElement.scrollHeight); 0`)
				p.until(`document.querySelector("[data-save-note]").textContent !== ""`)
				p.goTo("/today")
				p.goTo(activity)
				p.until(`scrollY > 0`) // it comes back where it was
			}
			if eval[bool](p, `!!document.querySelector("form[action$='/complete'] button")`) {
				p.click(`form[action$='/complete'] button`)
				if p.at() == activity {
					t.Error("finishing leads nowhere")
				}
			}

			// the practice test: two answers, by the keyboard and by a click
			p.goTo("/today")
			p.click(`main a[href^="/tests/"], main a[href^="/attempts/"]`)
			p.picture("test")
			p.click(`form[action^="/tests/"] button`)
			attempt := strings.Split(p.at(), "/")[2]
			p.until(`!!document.querySelector("form[data-answers]")`)
			p.do(chromedp.KeyEvent("2"))
			if !eval[bool](p, `document.querySelectorAll("[name=choice]")[1].checked`) {
				t.Error("the key 2 does not choose the second answer")
			}
			p.picture("item")
			p.click(`form[data-answers] button`)
			p.until(`location.pathname.endsWith("/2")`)
			eval[int](p, `document.querySelector("[name=choice]").click(); 0`)
			p.click(`form[data-answers] button`)
			p.until(`location.pathname.endsWith("/3")`)
			p.close()

			// another browser, the same person: it goes on with the third item
			q := browser(t, "employee-again", tt.lang, 390)
			q.signIn(tt.login)
			q.goTo("/today")
			q.click(fmt.Sprintf(`main a[href="/attempts/%s"]`, attempt))
			q.until(`location.pathname.endsWith("/3")`)

			// what was answered stays, and another answer to it is refused
			status := eval[int](q, fmt.Sprintf(`fetch("/attempts/%s/1", {method: "POST", body: new URLSearchParams({choice: "0"})}).then(r => r.status)`, attempt))
			if status != 409 {
				t.Errorf("another answer to an answered item gives %d, want 409", status)
			}
			// a double click is one answer
			same := eval[int](q, fmt.Sprintf(`Promise.all([1, 2].map(() => fetch("/attempts/%s/3", {method: "POST", body: new URLSearchParams({choice: "1"})}))).then(rs => Math.max(...rs.map(r => r.status)))`, attempt))
			if same != 200 {
				t.Errorf("the same answer twice gives %d, want 200", same)
			}
			for range 60 {
				q.goTo("/attempts/" + attempt)
				if !eval[bool](q, `!!document.querySelector("[name=choice]:enabled")`) {
					break
				}
				eval[int](q, `document.querySelector("[name=choice]:enabled").checked = true; 0`)
				q.click(`form[data-answers] button`)
			}
			q.click(`form[action$="/finish"] button.btn-primary`)
			if !strings.HasSuffix(q.at(), "/result") {
				t.Fatalf("the test ends at %s", q.at())
			}
			q.sees(tt.result)
			q.picture("result")
			q.goTo("/me")
			q.picture("me")
			q.goTo("/learn")
			q.picture("learn")
		})
	}
}
