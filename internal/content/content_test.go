package content_test

import (
	"math"
	"strings"
	"testing"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func page(id string) content.Activity {
	return content.Activity{
		ID: content.ActivityID(id), Course: "c", Kind: content.Page, Method: content.ByReading, Title: locale.Both("阅读", "Read"), Minutes: 20,
		Teaches: []content.Teaches{{Skill: "talk", Share: 0.75}, {Skill: "know", Share: 0.25}},
	}
}

func item(id string, skill org.SkillID) content.Item {
	o := []locale.Text{locale.Both("甲", "A"), locale.Both("乙", "B")}
	return content.Item{ID: content.ItemID(id), Skill: skill, Part: locale.Both("倾听", "Listening"), Stem: locale.Both("问", "Ask"), Options: o, Answer: 1}
}

func scene(nodes ...content.Node) content.Activity {
	a := page("s")
	a.Kind, a.Method, a.Spec.Nodes = content.Scene, content.BySimulation, nodes
	return a
}

func node(id string, next ...string) content.Node {
	n := content.Node{ID: id, Says: locale.Both("说", "says"), Score: 0.5}
	for _, x := range next {
		n.Choices = append(n.Choices, content.Choice{Says: locale.Both("答", "answers"), Next: x})
	}
	return n
}

func TestValidate(t *testing.T) {
	with := func(change func(*content.Activity)) content.Activity {
		a := page("a")
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name string
		a    content.Activity
		key  string // "" is valid
	}{
		{"a page", page("a"), ""},
		{"no title", with(func(a *content.Activity) { a.Title = locale.Text{} }), "content.title.empty"},
		{"unknown kind", with(func(a *content.Activity) { a.Kind = "game" }), "content.activity.kind"},
		{"unknown method", with(func(a *content.Activity) { a.Method = "osmosis" }), "content.activity.method"},
		{"no time", with(func(a *content.Activity) { a.Minutes = 0 }), "content.activity.minutes"},
		{"shares over 1", with(func(a *content.Activity) { a.Teaches[0].Share = 0.8 }), "content.activity.shares"},
		{"share of nothing", with(func(a *content.Activity) { a.Teaches[0].Share = math.NaN() }), "content.activity.share"},
		{"skill twice", with(func(a *content.Activity) { a.Teaches[1].Skill = "talk" }), "content.activity.skill_twice"},
		{"quiz without items", with(func(a *content.Activity) { a.Kind = content.Quiz }), "content.quiz.empty"},
		{"survey without questions", with(func(a *content.Activity) { a.Kind = content.Survey }), "content.survey.empty"},
		{"scene", scene(node("1", "2", "3"), node("2", "1", "3"), node("3")), ""},
		{"scene without an ending", scene(node("1", "2"), node("2", "1")), "content.scene.endless"},
		{"scene with a trap", scene(node("1", "2", "3"), node("2", "2"), node("3")), "content.scene.endless"},
		{"scene with an island", scene(node("1", "3"), node("2", "3"), node("3")), "content.scene.unreached"},
		{"scene that leads nowhere", scene(node("1", "9")), "content.scene.nowhere"},
		{"scene with two of a name", scene(node("1"), node("1")), "content.scene.node_twice"},
		{"empty scene", scene(), "content.scene.empty"},
	} {
		err := tt.a.Validate()
		e, _ := fault.As(err)
		if tt.key == "" && err != nil || tt.key != "" && (e == nil || e.Key != tt.key) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.key)
		}
		if e != nil && !locale.Has(e.Key) {
			t.Errorf("%s has no text", e.Key)
		}
	}
}

func seed(t testing.TB, d *db.DB) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		for _, k := range []string{"talk", "know"} {
			if _, err := tx.Exec(t.Context(), `INSERT INTO skill (id, name, about, kind, innovation) VALUES ($1, '{}', '{}', 'skill', $2)`, k, false); err != nil {
				return err
			}
		}
		return content.AddCourse(t.Context(), tx, content.Course{ID: "c", Title: locale.Both("课程", "Course"), ReviewDue: testdb.Start.AddDate(1, 0, 0)})
	}); err != nil {
		t.Fatal(err)
	}
}

func TestCourseLife(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx := t.Context()
		step := func(do func(*db.Tx) error) error { return d.Write(ctx, do) }
		if err := step(func(tx *db.Tx) error { return content.Publish(ctx, tx, "c") }); fault.Of(err) != fault.Invalid {
			t.Errorf("an empty course was published: %v", err)
		}
		quiz := page("q")
		quiz.Kind, quiz.Method, quiz.Spec.Items, quiz.Teaches = content.Quiz, content.ByRetrieval, []content.ItemID{"i1"}, nil
		if err := step(func(tx *db.Tx) error {
			if err := content.AddActivity(ctx, tx, page("p")); err != nil {
				return err
			}
			return content.AddActivity(ctx, tx, quiz)
		}); err != nil {
			t.Fatal(err)
		}
		if err := step(func(tx *db.Tx) error { return content.Publish(ctx, tx, "c") }); fault.Of(err) != fault.Invalid {
			t.Errorf("a quiz with an unknown item was published: %v", err)
		}
		if err := step(func(tx *db.Tx) error {
			if err := content.AddItems(ctx, tx, []content.Item{item("i1", "talk")}); err != nil {
				return err
			}
			return content.Publish(ctx, tx, "c")
		}); err != nil {
			t.Fatal(err)
		}
		if err := step(func(tx *db.Tx) error { return content.ReviseActivity(ctx, tx, page("p")) }); fault.Of(err) != fault.Conflict {
			t.Errorf("what people may have begun was changed: %v", err)
		}
		if err := step(func(tx *db.Tx) error {
			return content.Reestimate(ctx, tx, "p", content.Teaches{Skill: "talk", Rate: ptr(0.09), RateSE: ptr(0.02), From: "e1"})
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Read(ctx, func(tx *db.Tx) error {
			all, err := content.Activities(ctx, tx)
			if err != nil {
				return err
			}
			of, err := content.ActivitiesOf(ctx, tx, "c")
			if err != nil {
				return err
			}
			if diff := cmp.Diff(all, of); diff != "" {
				t.Error("the one course's activities are not all there are: ", diff)
			}
			want := page("p")
			want.Place = 1
			want.Teaches[0].Rate, want.Teaches[0].RateSE, want.Teaches[0].From = ptr(0.09), ptr(0.02), "e1"
			if diff := cmp.Diff(want, all[0]); diff != "" {
				t.Error(diff)
			}
			if all[1].Place != 2 || all[1].Spec.Items[0] != "i1" {
				t.Errorf("quiz: %+v", all[1])
			}
			if got, prior := all[0].RateFor(all[0].Teaches[0], "skill"), all[0].RateFor(all[0].Teaches[1], "skill"); got != 0.09 || prior != content.Methods[content.ByReading].Rate("skill") {
				t.Errorf("rates %v and %v, want the estimate and the prior", got, prior)
			}
			one, err := content.FindActivity(ctx, tx, "q")
			if diff := cmp.Diff(all[1], one); diff != "" {
				t.Error(diff)
			}
			c, err := content.FindCourse(ctx, tx, "c")
			if c.Status != content.Published || c.Stale(tx.Now) || !c.Stale(tx.Now.AddDate(2, 0, 0)) {
				t.Errorf("course %+v: published, and stale in two years, is wanted", c)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBank(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		ctx := t.Context()
		if err := d.Write(ctx, func(tx *db.Tx) error {
			if err := content.AddItems(ctx, tx, []content.Item{item("i1", "talk"), item("i2", "talk"), item("i3", "talk"), item("k1", "know")}); err != nil {
				return err
			}
			if err := content.Calibrate(ctx, tx, []content.Calibration{{Item: "i1", A: 1.2, B: 0.5, SEA: 0.1, SEB: 0.1}, {Item: "i2", A: 0.8, B: -1}, {Item: "i3", A: 1, B: 0}}); err != nil {
				return err
			}
			return content.RetireItem(ctx, tx, "i3")
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, func(tx *db.Tx) error {
			return content.Calibrate(ctx, tx, []content.Calibration{{Item: "i1", A: -1, B: 0}})
		}); fault.Of(err) != fault.Invalid {
			t.Errorf("a discrimination below 0: %v", err)
		}
		if err := d.Read(ctx, func(tx *db.Tx) error {
			bank, err := content.Bank(ctx, tx, "talk")
			if err != nil {
				return err
			}
			if len(bank) != 2 || bank[0].ID != "i2" || bank[1].ID != "i1" {
				t.Errorf("bank %v: the active, calibrated items by difficulty are wanted", bank)
			}
			if it, ok := bank[1].IRT(); !ok || it.A != 1.2 || it.B != 0.5 {
				t.Errorf("parameters %v", it)
			}
			all, err := content.Items(ctx, tx)
			if err != nil {
				return err
			}
			talk, err := content.Items(ctx, tx, "talk", "know")
			if len(all) != 4 || len(talk) != 4 {
				t.Errorf("%d items, %d of the two skills; want 4 and 4", len(all), len(talk))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHTML(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"headings go down", "# 倾听", "<h2>倾听</h2>\n"},
		{"no space between lines of Chinese", "顾客说\n什么", "<p>顾客说什么</p>\n"},
		{"but between words", "the customer\nsays", "<p>the customer\nsays</p>\n"},
		{"emphasis against Chinese punctuation", "**先听**后说", "<p><strong>先听</strong>后说</p>\n"},
		{"tables", "|a|b|\n|:-|-:|\n|1|2|", "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n"},
		{"pictures of our own", "![店](/blob/ab)", "<p><img src=\"/blob/ab\" alt=\"店\"></p>\n"},
	} {
		got, err := content.HTML(tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	for _, attack := range []string{
		"<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=alert(1)>", "![x](https://spy.example/a.png)", "![x](//spy.example/a.png)",
		"<iframe src=/></iframe>", "<a href='jAvAsCrIpT:alert(1)'>x</a>", "<style>*{}</style>", "[x](data:text/html;base64,PHNjcmlwdD4=)", "<form action=/>",
	} {
		got, err := content.HTML(attack)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"script", "onerror", "spy.example", "iframe", "style", "data:", "<form", "javascript"} {
			if strings.Contains(strings.ToLower(string(got)), bad) {
				t.Errorf("%s gave %s", attack, got)
			}
		}
	}
}

// −ln(1 − 0.375·0.62)/8 = 0.033077, in Python.
func TestRate(t *testing.T) {
	if got := content.Methods[content.ByWorkshop].Rate("skill"); math.Abs(got-0.033077) > 1e-6 {
		t.Errorf("λ of a workshop on a skill = %.6f", got)
	}
	for _, m := range content.MethodNames {
		p := content.Methods[m]
		if p == nil || p.Method != m || !locale.Has("content.method."+string(m)) || !locale.Has("content.kind."+string(p.Kind)) {
			t.Errorf("%s is not fully described", m)
			continue
		}
		for _, kind := range []string{"knowledge", "skill", "style"} {
			if r := p.Rate(kind); !(r > 0 && r < 0.2) || p.On(kind).Source == "" {
				t.Errorf("%s on %s: λ %.3f, source %q", m, kind, r, p.On(kind).Source)
			}
		}
		if (p.Format == content.Dated) != (p.Seats > 0) {
			t.Errorf("%s: %s with %d seats", m, p.Format, p.Seats)
		}
	}
	if len(content.Methods) != len(content.MethodNames) {
		t.Error("a method has no place in MethodNames")
	}
}

func TestSuggest(t *testing.T) {
	methods := func(mix []content.Proposed) map[content.Method]content.Proposed {
		all := map[content.Method]content.Proposed{}
		for _, p := range mix {
			all[p.Method] = p
			for _, why := range p.Why {
				if !locale.Has(why.Key) || strings.Contains(locale.En.T(why.Key, why.Args...), "%!") {
					t.Errorf("%s: %s", why.Key, locale.En.T(why.Key, why.Args...))
				}
			}
		}
		return all
	}
	if mix := content.Suggest(content.Need{Kind: "skill", Gap: -2, People: 100}); mix != nil {
		t.Errorf("a need that is none: %v", mix)
	}
	few := methods(content.Suggest(content.Need{Kind: "skill", Gap: 20, Room: 40, People: 60}))
	if few[content.ByRolePlay].Minutes == 0 || few[content.ByRolePlay].Scarce {
		t.Errorf("60 people lack a skill, and role play seats them all: %v", few)
	}
	many := methods(content.Suggest(content.Need{Kind: "skill", Gap: 20, Room: 40, People: 5000}))
	if many[content.ByCoaching].Minutes > 0 {
		t.Errorf("coaching for 5000 people: %v", many[content.ByCoaching])
	}
	know := methods(content.Suggest(content.Need{Kind: "knowledge", Gap: 10, Room: 40, People: 1000}))
	if know[content.ByRetrieval].Minutes == 0 {
		t.Errorf("knowledge without retrieval practice: %v", know)
	}
	var total float64
	hours := 0
	for _, p := range content.Suggest(content.Need{Kind: "style", Gap: 30, Room: 35, People: 200, Hours: 5, Interest: map[content.Method]float64{content.ByReading: 0.1, content.ByCase: 0.9}}) {
		total += p.Gain
		hours += p.Minutes
	}
	if hours > 300 || total <= 0 || total > 35 {
		t.Errorf("%d minutes for a gain of %.1f; at most 300, and no more than the room of 35", hours, total)
	}
}
