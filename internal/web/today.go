package web

import (
	"context"
	"net/http"
	"time"

	"attune/internal/assess"
	"attune/internal/attention"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/evaluate"
	"attune/internal/org"
	"attune/internal/record"
)

// task is one thing to do, as a card of the page.
type task struct {
	Icon, Kind, Title, Text, Href, Button string
	Pill                                  *Pill
	Progress                              *Progress
}

type todayData struct {
	Head    PageHead
	First   *task // what to do now
	Rest    []task
	Budget  *Progress
	Enough  bool // the day's attention is spent
	Consent bool // measuring was never agreed to
	Empty   *Empty
}

func (s *Server) today(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var due []delivery.Due
	var tests []assess.Sitting
	var surveys []assess.Survey
	var day attention.Day
	var agreed bool
	var now time.Time
	who := a.As.ID
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if due, err = delivery.Today(ctx, t, who); err != nil {
			return err
		}
		if tests, err = assess.OpenTests(ctx, t, who); err != nil {
			return err
		}
		if surveys, err = assess.OpenSurveys(ctx, t, who); err != nil {
			return err
		}
		if day, err = attention.Spent(ctx, t, who, t.Now); err != nil {
			return err
		}
		agreed, err = attention.Consented(ctx, t, who)
		return err
	})
	if err != nil {
		return err
	}
	p := todayData{Head: PageHead{Title: a.T("web.today.hello", a.As.Name), Lead: a.F.Weekday(a.In(now)) + " · " + a.F.Date(a.In(now))}, Consent: !agreed}
	tasks := todo(a, due, tests, surveys, now)
	if len(tasks) > 0 {
		p.First, p.Rest = &tasks[0], tasks[1:]
	} else {
		p.Empty = &Empty{Icon: "check", Title: a.T("web.today.none"), Text: a.T("web.today.none.text"), Next: &Action{Label: a.T("look.nav.learn"), Href: "/learn"}}
	}
	if day.Budget > 0 {
		text, _ := a.F.Minutes(day.Left())
		p.Budget = &Progress{Label: a.T("web.today.attention"), Value: min(day.Spent, day.Budget), Max: day.Budget, Text: a.T("web.today.left", text)}
		p.Enough = agreed && day.Left() <= 0
		if p.Enough {
			p.Budget.Text = a.T("web.today.enough")
		}
	}
	return s.show(w, r, a, Page{Name: "today", Active: "today", Narrow: true, Data: p})
}

// todo is what a person has to do, the most pressing first: tests that run, then
// what delivery says is due, then tests and surveys that are open.
func todo(a *Asker, due []delivery.Due, tests []assess.Sitting, surveys []assess.Survey, now time.Time) (tasks []task) {
	var open []task
	for _, x := range tests {
		if !x.FinishedAt.IsZero() {
			continue
		}
		k := task{Icon: "evidence", Kind: a.T("web.kind.test"), Title: a.Say(x.Name), Text: a.T("web.test.items", x.Items), Href: "/tests/" + string(x.ID), Button: a.T("web.test.begin")}
		if !x.ClosesAt.IsZero() {
			k.Text += " · " + a.T("web.until", a.F.Date(a.In(x.ClosesAt)))
		}
		if x.Attempt != "" {
			k.Button, k.Href = a.T("web.resume"), "/attempts/"+string(x.Attempt)
			k.Progress = &Progress{Label: a.T("web.answered"), Value: float64(x.Answered), Max: float64(x.Items), Text: a.T("web.n.of", x.Answered, x.Items)}
			tasks = append(tasks, k)
			continue
		}
		open = append(open, k)
	}
	for _, d := range due {
		tasks = append(tasks, dueTask(a, d, now))
	}
	for _, x := range surveys {
		k := task{Icon: "voice", Kind: a.T("web.kind.survey"), Title: a.Say(x.Name), Text: a.T("web.survey.questions", len(x.Questions)), Href: "/surveys/" + string(x.ID), Button: a.T("web.survey.answer")}
		if !x.ClosesAt.IsZero() {
			k.Text += " · " + a.T("web.until", a.F.Date(a.In(x.ClosesAt)))
		}
		open = append(open, k)
	}
	return append(tasks, open...)
}

func dueTask(a *Asker, d delivery.Due, now time.Time) task {
	k := task{Icon: "learn", Kind: a.T("web.kind.course"), Title: a.Say(d.Title), Href: "/learn/" + string(d.Course)}
	switch {
	case d.Session != "":
		k.Icon, k.Kind = "people", a.T("web.kind.session")
		k.Text = a.F.Weekday(a.In(d.StartsAt)) + " " + a.F.Date(a.In(d.StartsAt)) + " " + a.F.Clock(a.In(d.StartsAt)) + "–" + a.F.Clock(a.In(d.EndsAt))
		if d.Room != "" {
			k.Text += " · " + d.Room
		}
		k.Button, k.Href = a.T("web.session.open"), "/learn/"+string(d.Course)
		if !now.Before(d.StartsAt.Add(-delivery.SignInEarly)) && now.Before(d.EndsAt) {
			k.Button, k.Href = a.T("web.session.signin"), "/sign-in/"+string(d.Session)
		}
	case d.Blocked:
		k.Text = a.T("web.blocked")
		k.Button = a.T("web.see")
	default:
		left, _ := a.F.Minutes(d.Minutes)
		k.Text = a.T("web.course.left", a.Say(d.NextName), left)
		k.Button = a.T(pick(d.Begun || d.Done > 0, "web.resume", "web.begin"))
		if d.Next != "" {
			k.Href = "/learn/" + string(d.Course) + "/" + string(d.Next)
		}
		k.Progress = &Progress{Label: a.T("web.progress"), Value: float64(d.Done), Max: float64(max(1, d.Of)), Text: a.T("web.n.of", d.Done, d.Of)}
	}
	switch {
	case d.Late:
		k.Pill = &Pill{Text: a.T("web.late", a.F.Date(a.In(d.By))), Tone: ToneBad, Icon: "warn"}
	case !d.By.IsZero():
		k.Pill = &Pill{Text: a.T("web.due", a.F.Date(a.In(d.By))), Tone: ToneGap, Icon: "clock"}
	case d.Mandatory:
		k.Pill = &Pill{Text: a.T("web.mandatory"), Tone: TonePrimary}
	}
	return k
}

type learnData struct {
	Head  PageHead
	Now   []task
	Done  *Table
	Empty *Empty
}

// learn lists a person's courses: what is open and what was done.
func (s *Server) learn(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var due []delivery.Due
	var rec []delivery.Entry
	var now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if due, err = delivery.Today(ctx, t, a.As.ID); err != nil {
			return err
		}
		rec, err = delivery.Record(ctx, t, a.As.ID)
		return err
	})
	if err != nil {
		return err
	}
	p := learnData{Head: PageHead{Title: a.T("look.nav.learn"), Lead: a.T("web.learn.lead")}}
	for _, d := range due {
		p.Now = append(p.Now, dueTask(a, d, now))
	}
	t := recordTable(a, rec, func(e delivery.Entry) bool { return !e.DoneAt.IsZero() || e.Status != delivery.Enrolled })
	t.Caption = a.T("web.learn.done")
	if len(t.Rows) > 0 {
		p.Done = &t
	}
	if len(p.Now) == 0 {
		p.Empty = &Empty{Icon: "learn", Title: a.T("web.learn.none"), Text: a.T("web.learn.none.text")}
	}
	return s.show(w, r, a, Page{Name: "learn", Active: "learn", Narrow: true, Data: p})
}

func recordTable(a *Asker, rec []delivery.Entry, want func(delivery.Entry) bool) Table {
	t := Table{ID: "record", Columns: []Column{{Label: a.T("web.course")}, {Label: a.T("web.state")}, {Label: a.T("web.learning.hours"), Num: true}, {Label: a.T("web.focused"), Num: true}, {Label: a.T("web.date")}}}
	for _, e := range rec {
		if !want(e) {
			continue
		}
		state := Cell{Text: a.T("delivery.status." + string(e.Status)), Pill: true}
		at := e.At
		if !e.DoneAt.IsZero() {
			state, at = Cell{Text: a.T("web.done"), Pill: true, Tone: ToneGood}, e.DoneAt
		}
		if e.Reason != "" {
			state.Sub = e.Reason
		}
		focused := "–"
		if e.Focused > 0 {
			focused, _ = a.F.Minutes(e.Focused.Minutes())
		}
		minutes, _ := a.F.Minutes(e.Minutes)
		t.Rows = append(t.Rows, Row{[]Cell{{Text: a.Say(e.Title), Sub: a.Say(e.Name), Href: "/learn/" + string(e.Course)}, state, {Text: minutes}, {Text: focused}, {Text: a.F.Date(a.In(at))}}})
	}
	return t
}

type meData struct {
	Head    PageHead
	Figures []Figure
	Skills  *Table
	Curves  []Curve
	Effects []Dots
	Record  *Table
	Consent bool
	Since   string
	Empty   *Empty
	Mine    string // where all of one's statements are
}

// skillCurves draws the estimates of a person, oldest first, where there are
// two or more.
func skillCurves(a *Asker, n *names, req map[org.SkillID]float64, hist map[org.SkillID][]assess.Ability) (curves []Curve) {
	for _, k := range n.skills {
		h := hist[k.ID]
		if len(h) < 2 {
			continue
		}
		c := Curve{Title: n.Skill(k.ID), XLabel: a.T("web.date"), YLabel: a.T("web.proficiency"), X: Axis{0, float64(len(h) - 1), 0}, Y: Axis{0, 100, 0}}
		own := Series{Name: a.T("web.mine")}
		ask := Series{Name: a.T("web.required"), Tone: TonePlain}
		for i, x := range h {
			c.XNames = append(c.XNames, a.F.Day(a.In(x.At)))
			own.Points = append(own.Points, Point{float64(i), x.S, max(0, x.S-1.96*x.SSE), min(100, x.S+1.96*x.SSE)})
			ask.Points = append(ask.Points, Point{X: float64(i), Y: req[k.ID]})
		}
		c.Series = []Series{own}
		if req[k.ID] > 0 {
			c.Series = append(c.Series, ask)
		}
		curves = append(curves, c)
	}
	return curves
}

// standing is what is known of one person, for their own page and for those
// who may see it.
type standing struct {
	abilities []assess.Ability
	history   map[org.SkillID][]assess.Ability
	required  map[org.SkillID]float64
	weight    map[org.SkillID]float64
	record    []delivery.Entry
	effects   []effectIn
}

type effectIn struct {
	programme delivery.Programme
	effect    evaluate.PersonEffect
}

func readStanding(ctx context.Context, t *db.Tx, who org.Person) (x standing, err error) {
	if x.abilities, err = assess.AbilitiesOf(ctx, t, who.ID); err != nil {
		return x, err
	}
	all, err := assess.HistoryOf(ctx, t, who.ID)
	if err != nil {
		return x, err
	}
	x.history = map[org.SkillID][]assess.Ability{}
	for _, h := range all {
		x.history[h.Skill] = append(x.history[h.Skill], h)
	}
	reqs, err := org.RequirementsOf(ctx, t, who.Position)
	if err != nil {
		return x, err
	}
	x.required, x.weight = map[org.SkillID]float64{}, map[org.SkillID]float64{}
	for _, q := range reqs {
		x.weight[q.Skill] = q.Weight
		if q.Level != nil {
			x.required[q.Skill] = *q.Level
		}
	}
	if x.record, err = delivery.Record(ctx, t, who.ID); err != nil {
		return x, err
	}
	turns, err := delivery.Programmes(ctx, t)
	if err != nil {
		return x, err
	}
	for _, p := range turns { // a handful of cycles, not a row each of people
		res, err := evaluate.Latest(ctx, t, p.ID)
		if err != nil {
			if absent(err) == nil {
				continue
			}
			return x, err
		}
		e, err := evaluate.EffectOf(ctx, t, res.ID, who.ID)
		if absent(err) != nil {
			return x, err
		}
		if err == nil {
			x.effects = append(x.effects, effectIn{p, e})
		}
	}
	return x, nil
}

// abilityTable lists a person's skills beside what their position asks for.
func abilityTable(a *Asker, n *names, x standing, evidence func(org.SkillID) string) *Table {
	if len(x.abilities) == 0 {
		return nil
	}
	t := &Table{ID: "skills", Caption: a.T("web.skills"), Columns: []Column{{Label: a.T("web.skill")}, {Label: a.T("web.proficiency")}, {Label: a.T("web.required"), Num: true}, {Label: a.T("web.answers"), Num: true}, {Label: a.T("web.date")}}}
	for _, y := range x.abilities {
		req, ok := x.required[y.Skill]
		low, high := max(0, y.S-1.96*y.SSE), min(100, y.S+1.96*y.SSE)
		bar := &ErrorBar{Value: y.S, Low: low, High: high, Min: 0, Max: 100, Ref: req, HasRef: ok}
		need := "–"
		if ok {
			need = a.F.Number(req, 0)
			if high < req {
				bar.Tone = ToneGap
			} else if low >= req {
				bar.Tone = ToneGood
			}
		}
		t.Rows = append(t.Rows, Row{[]Cell{{Text: n.Skill(y.Skill)}, {Text: a.F.Interval(0, y.S, low, high), Bar: bar}, {Text: need}, {Text: a.F.Number(float64(y.Answers), 0), Href: evidence(y.Skill)}, {Text: a.F.Date(a.In(y.At))}}})
	}
	return t
}

func effectDots(a *Asker, n *names, x standing) (all []Dots) {
	for _, e := range x.effects {
		d := Dots{Caption: a.Say(e.programme.Name), Label: a.T("web.skill"), Axis: Axis{-5, 15, 1}, HasRef: true, Signed: true,
			RefText: a.T("web.me.effect", a.F.Interval(2, e.effect.E.Estimate, e.effect.E.Low, e.effect.E.High))}
		for _, g := range e.effect.Gains {
			low, high := g.Gain-1.96*g.GainSE, g.Gain+1.96*g.GainSE
			d.Axis.Min, d.Axis.Max = min(d.Axis.Min, low), max(d.Axis.Max, high)
			d.Rows = append(d.Rows, Dot{Label: n.Skill(g.Skill), Note: a.F.Number(g.Before, 0) + " → " + a.F.Number(g.After, 0), Value: g.Gain, Low: low, High: high, Tone: toneOf(low, high)})
		}
		all = append(all, d)
	}
	return all
}

func (s *Server) me(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var x standing
	var n *names
	var agreed bool
	var day attention.Day
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if agreed, err = attention.Consented(ctx, t, a.As.ID); err != nil {
			return err
		}
		if day, err = attention.Spent(ctx, t, a.As.ID, t.Now); err != nil {
			return err
		}
		x, err = readStanding(ctx, t, a.As)
		return err
	})
	if err != nil {
		return err
	}
	mine := link("/evidence", "about", "person/"+string(a.As.Pseudonym))
	p := meData{Head: PageHead{Title: a.As.Name, Lead: n.Position(a.As.Position) + " · " + a.Say(a.Unit), Actions: []Action{{Label: a.T("look.account"), Href: "/account", Icon: "lock"}}}, Consent: agreed, Mine: mine}
	p.Skills = abilityTable(a, n, x, func(k org.SkillID) string {
		return link("/evidence", "about", "skill/"+string(k), "who", string(a.As.Pseudonym))
	})
	if p.Skills == nil {
		p.Empty = &Empty{Icon: "me", Title: a.T("web.me.none"), Text: a.T("web.me.none.text")}
	}
	p.Curves = skillCurves(a, n, x.required, x.history)
	p.Effects = effectDots(a, n, x)
	minutes := 0
	done := 0
	for _, e := range x.record {
		minutes += e.Minutes
		if !e.DoneAt.IsZero() {
			done++
		}
	}
	p.Figures = []Figure{
		{Label: a.T("web.me.hours"), Text: words(a.F.Minutes(minutes)), Compare: a.T("web.me.hours.compare", done)},
		{Label: a.T("web.me.today"), Text: words(a.F.Minutes(day.Spent)), Compare: a.T("web.me.today.compare", words(a.F.Minutes(day.Budget)))},
	}
	t := recordTable(a, x.record, func(delivery.Entry) bool { return true })
	t.Caption = a.T("web.me.record")
	if len(t.Rows) > 0 {
		p.Record = &t
	}
	return s.show(w, r, a, Page{Name: "me", Active: "me", Data: p})
}

func words(s string, err error) string {
	if err != nil {
		return "–"
	}
	return s
}

// declined is the cookie of a device on which measuring was declined.
const declined = "declined"

// consent gives or withdraws the leave to measure focused time.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, a *Asker) error {
	give := r.FormValue("give") == "1"
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		if give {
			return attention.Consent(ctx, t, a.As.ID)
		}
		return attention.Withdraw(ctx, t, a.As.ID)
	})
	if err != nil {
		return err
	}
	if !give { // no is an answer, and is not asked for again
		http.SetCookie(w, &http.Cookie{Name: declined, Value: "1", Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	AddFlash(w, Flash{Tone: "good", Key: pick(give, "web.consent.given", "web.consent.withdrawn")})
	return to(w, r, inside(pick(r.FormValue("back") == "", "/me", r.FormValue("back"))))
}

type emptyData struct {
	Head  PageHead
	Empty Empty
}

// review says what will come here: reviews are planned from what a person has
// learned, and nothing is shown before that.
func (s *Server) review(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var count int
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		count, err = record.Count(ctx, t, record.Query{Actor: a.As.Pseudonym, Verb: record.Answered})
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, a, Page{Name: "empty", Active: "review", Narrow: true, Data: emptyData{
		PageHead{Title: a.T("look.nav.review")},
		Empty{Icon: "review", Title: a.T("web.review.none"), Text: a.T("web.review.none.text", count), Next: &Action{Label: a.T("look.nav.learn"), Href: "/learn"}},
	}})
}

// desk and voice belong to parts that are not there yet, and say what they need.
func (s *Server) desk(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.show(w, r, a, Page{Name: "empty", Active: "desk", Narrow: true, Data: emptyData{PageHead{Title: a.T("look.nav.desk")},
		Empty{Icon: "desk", Title: a.T("web.desk.none"), Text: a.T("web.desk.none.text")}}})
}

func (s *Server) voice(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.show(w, r, a, Page{Name: "empty", Active: "voice", Narrow: true, Data: emptyData{PageHead{Title: a.T("look.nav.voice")},
		Empty{Icon: "voice", Title: a.T("web.voice.none"), Text: a.T("web.voice.none.text")}}})
}
