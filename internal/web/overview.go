package web

import (
	"context"
	"math"
	"net/http"

	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/evaluate"
	"attune/internal/fault"
	"attune/internal/need"
	"attune/internal/plan"
	"attune/internal/record"
)

type overviewData struct {
	Head    PageHead
	Tabs    []Tab
	Empty   *Empty
	Loop    Loop
	Figures []Figure
	Needs   *Bars
	Improve []Notice
	Turns   []Event
}

// absent turns a NotFound fault into nothing: what is not there yet.
func absent(err error) error {
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	return err
}

// loopFacts is what the present turn of the loop has come to.
type loopFacts struct {
	needs     []need.Need
	skills    []need.BySkill
	plan      *plan.Plan
	offerings []delivery.Offering
	part      []delivery.Participation
	result    *evaluate.Result
	shown     *evaluate.Result // result, or that of the newest cycle before which has one
	shownIn   delivery.Programme
	facts     int // statements
	next      bool
}

func (s *Server) readLoop(ctx context.Context, t *db.Tx, tn turn) (f loopFacts, err error) {
	if f.needs, err = need.Needs(ctx, t, tn.ID); err != nil {
		return f, err
	}
	f.skills = need.Fold(f.needs)
	if p, err := plan.Current(ctx, t, tn.ID); err == nil {
		f.plan = &p
	} else if absent(err) != nil {
		return f, err
	}
	if f.offerings, err = delivery.Offerings(ctx, t, tn.ID); err != nil {
		return f, err
	}
	if f.part, err = recall(ctx, t, &s.memo, "participations "+string(tn.ID), func() ([]delivery.Participation, error) { return delivery.Participations(ctx, t, tn.ID) }); err != nil {
		return f, err
	}
	if f.result, err = evaluate.Latest(ctx, t, tn.ID); absent(err) != nil {
		return f, err
	} else if err != nil {
		f.result = nil
	}
	f.shown, f.shownIn = f.result, tn.Programme
	for _, p := range tn.All {
		if f.shown != nil {
			break
		}
		if p.Cycle >= tn.Cycle {
			continue
		}
		if f.shown, err = evaluate.Latest(ctx, t, p.ID); absent(err) != nil {
			return f, err
		} else if err != nil {
			f.shown = nil
		}
		f.shownIn = p
	}
	if f.facts, err = recall(ctx, t, &s.memo, "statements "+string(tn.ID), func() (int, error) {
		return record.Count(ctx, t, record.Query{Context: "programme/" + string(tn.ID)})
	}); err != nil {
		return f, err
	}
	for _, p := range tn.All {
		f.next = f.next || p.Previous == tn.ID
	}
	return f, nil
}

func (s *Server) overview(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var f loopFacts
	var n *names
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		f, err = s.readLoop(ctx, t, tn)
		return err
	})
	p := overviewData{Head: PageHead{Title: a.T("look.nav.overview")}}
	if none(tn, err) {
		p.Empty = noProgramme(a)
		return s.show(w, r, a, Page{Name: "overview", Active: "overview", Data: p})
	} else if err != nil {
		return err
	}
	of := func(path string) string { return link(path, "programme", string(tn.ID)) }
	p.Tabs = tn.tabs(a, "/overview")
	p.Head.Lead = a.T("web.overview.lead", a.Say(tn.Name), a.T("delivery.stage."+string(tn.Stage)))
	p.Head.Meta = []string{a.T("web.since", a.F.Date(a.In(tn.CreatedAt)))}
	p.Loop = loopOf(a, tn, f, of)
	if g, ok := gapFigure(a, f.skills, of("/needs")); ok {
		p.Figures = append(p.Figures, g)
	}
	if f.plan != nil {
		p.Figures = append(p.Figures, Figure{
			Label: a.T("web.fig.plan"), Value: f.plan.Result.Objective, Digits: 1, Signed: true, Unit: "E",
			Compare: a.T("web.fig.plan.compare", a.F.Number(f.plan.Result.Bound, 1), a.F.Percent(f.plan.Result.Gap, 2)), Href: of("/plan"), Evidence: a.T("web.see.plan"),
		})
	}
	if x := f.shown; x != nil {
		there := link("/effect", "programme", string(x.Programme))
		fig := effectFigure(a, x, there)
		figs := []Figure{fig}
		if v := x.Versus; v != nil {
			figs = append(figs, versusFigure(a, v, there+"#versus"))
		}
		if x != f.result {
			for i := range figs {
				figs[i].Label = a.T("web.fig.earlier", figs[i].Label, f.shownIn.Cycle)
			}
		}
		p.Figures = append(p.Figures, figs...)
	}
	if len(f.skills) > 0 {
		b := Bars{Caption: a.T("web.overview.needs"), Label: a.T("web.skill"), ValueLabel: a.T("web.gap")}
		for _, k := range f.skills[:min(6, len(f.skills))] {
			b.Rows = append(b.Rows, Bar{Label: n.Skill(k.Skill), Note: a.T("web.people.n", k.People), Value: math.Max(0, k.Gap),
				Text: signed(a, 1, k.Gap) + " ± " + a.F.Number(1.96*k.SE, 1), Href: of("/needs/" + string(k.Skill)), Tone: ToneGap})
		}
		p.Needs = &b
	}
	if f.shown != nil {
		for _, im := range f.shown.Improve {
			p.Improve = append(p.Improve, improveNotice(a, n, im, link("/effect", "programme", string(f.shown.Programme))+"#improve"))
		}
	}
	for _, x := range tn.All {
		e := Event{At: a.In(x.CreatedAt), Title: a.T("web.cycle", x.Cycle, a.Say(x.Name)), Text: a.T("delivery.stage." + string(x.Stage)), Href: link("/overview", "programme", string(x.ID))}
		if x.Because.Reason != "" {
			var what []string
			for _, k := range x.Because.Skills {
				what = append(what, n.Skill(k))
			}
			e.Text += " · " + a.T("web.because", a.F.List(what), a.T(x.Because.Reason))
		}
		p.Turns = append(p.Turns, e)
	}
	return s.show(w, r, a, Page{Name: "overview", Active: "overview", Data: p})
}

func signed(a *Asker, digits int, v float64) string {
	text, err := a.F.Signed(digits, v)
	if err != nil {
		return "–"
	}
	return text
}

// gapFigure is the mean gap over skills, each counted by the people it is asked
// of; the errors of skills are taken as independent.
func gapFigure(a *Asker, skills []need.BySkill, href string) (Figure, bool) {
	var sum, vr, people float64
	for _, k := range skills {
		w := float64(k.People)
		sum, vr, people = sum+w*k.Gap, vr+w*w*k.SE*k.SE, people+w
	}
	if people == 0 {
		return Figure{}, false
	}
	gap, se := sum/people, math.Sqrt(vr)/people
	low, high := gap-1.96*se, gap+1.96*se
	g := Figure{Label: a.T("web.fig.gap"), Value: gap, Low: low, High: high, Digits: 1, Unit: a.T("web.points"), Tone: ToneGap, Href: href,
		Compare: a.T("web.fig.gap.compare", len(skills)), Evidence: a.T("web.see.needs"),
		Bar: &ErrorBar{Value: gap, Low: low, High: high, Min: math.Min(0, low), Max: math.Max(40, high), Digits: 1, Tone: ToneGap}}
	if gap <= 0 {
		g.Tone, g.Bar.Tone = ToneGood, ToneGood
	}
	return g, true
}

// toneOf colours an estimate by what its interval excludes.
func toneOf(low, high float64) Tone {
	switch {
	case low > 0:
		return ToneGood
	case high < 0:
		return ToneGap
	}
	return ToneNone
}

func effectFigure(a *Asker, x *evaluate.Result, href string) Figure {
	e := x.Effect
	return Figure{Label: a.T("web.fig.effect"), Value: e.Estimate, Low: e.Low, High: e.High, Digits: 2, Signed: true, Unit: "E", Tone: toneOf(e.Low, e.High),
		Compare: a.T("web.fig.effect.compare", x.Trained, signed(a, 2, x.Expected)), Href: href,
		Bar: effectBar(e)}
}

func effectBar(e evaluate.Interval) *ErrorBar {
	return &ErrorBar{Value: e.Estimate, Low: e.Low, High: e.High, Min: math.Min(-0.2, e.Low), Max: math.Max(0.8, e.High), HasRef: true, Digits: 2, Tone: toneOf(e.Low, e.High)}
}

func versusFigure(a *Asker, v *evaluate.Versus, href string) Figure {
	return Figure{Label: a.T("web.fig.versus"), Value: v.Estimate, Low: v.Low, High: v.High, Digits: 2, Signed: true, Unit: "E", Tone: toneOf(v.Low, v.High),
		Compare: a.T("web.fig.versus.compare", v.Treated, v.Waiting), Href: href, Bar: effectBar(v.Interval)}
}

func improveNotice(a *Asker, n *names, im evaluate.Improve, href string) Notice {
	text := a.T("web.improve.left", a.F.Interval(1, im.Left.Estimate, im.Left.Low, im.Left.High), a.F.Percent(im.Closed, 0))
	if !im.Part.Empty() {
		text += " " + a.T("web.improve.part", a.Say(im.Part))
	}
	return Notice{Tone: ToneGap, Title: a.T("web.pair", n.Skill(im.Skill), a.T(im.Reason)), Text: text, Link: &Action{Label: a.T("web.improve.see"), Href: href}}
}

// loopOf draws where the turn stands: which stations are done, which is under
// way, what is stuck, and what to do next.
func loopOf(a *Asker, tn turn, f loopFacts, of func(string) string) Loop {
	at := 0
	for i, st := range delivery.Stages {
		if st == tn.Stage {
			at = i
		}
	}
	// The stations of the loop, and the stage of a programme at which each is under way.
	stage := []int{0, 1, 2, 3, 3, 4}
	l := Loop{Title: a.Say(tn.Name), Text: a.T("web.loop.at", tn.Cycle, a.T("delivery.stage."+string(tn.Stage)))}
	approved := 0
	for _, x := range f.needs {
		if !x.ApprovedAt.IsZero() {
			approved++
		}
	}
	var people, took, places, finished int
	for _, x := range f.part {
		people, took, places, finished = people+x.People, took+x.Took, places+x.Places, finished+x.Finished
	}
	figures := [6][2]string{}
	if len(f.needs) > 0 {
		figures[0] = [2]string{a.T("web.loop.need", len(f.skills)), a.T("web.loop.need.note", approved, len(f.needs))}
	}
	if len(f.offerings) > 0 {
		figures[1] = [2]string{a.T("web.loop.content", len(f.offerings)), ""}
	}
	if f.plan != nil {
		figures[2] = [2]string{a.T("web.loop.plan", f.plan.Result.Enrolments), a.T("web.loop.plan.note", a.F.Percent(f.plan.Result.Gap, 2))}
	}
	if people > 0 {
		figures[3] = [2]string{a.T("web.loop.delivery", a.F.Percent(share(took, people), 0)), a.T("web.loop.delivery.note", a.F.Percent(share(finished, places), 0))}
	}
	if f.facts > 0 {
		figures[4] = [2]string{a.T("web.loop.record", a.F.Number(float64(f.facts), 0)), ""}
	}
	if f.result != nil {
		figures[5] = [2]string{"E " + signed(a, 2, f.result.Effect.Estimate), a.T("look.interval", a.F.Range(2, f.result.Effect.Low, f.result.Effect.High))}
	}
	hrefs := []string{of("/needs"), of("/content"), of("/plan"), of("/delivery"), link("/evidence", "about", "programme/"+string(tn.ID)), of("/effect")}
	for i, key := range []string{"need", "content", "plan", "delivery", "record", "evaluate"} {
		st := Stage{Name: a.T("web.station." + key), Figure: figures[i][0], Note: figures[i][1], Href: hrefs[i], State: Wait}
		switch {
		case stage[i] < at || f.result != nil:
			st.State = Done
		case stage[i] == at:
			st.State = Now
		}
		l.Stages = append(l.Stages, st)
	}
	stuck := func(i int, key string) { l.Stages[i].State, l.Stages[i].Note = Stuck, a.T(key) }
	manage := a.Can(auth.ManageLoop)
	next := func(key, href string, post bool) {
		if manage {
			l.Next = &Action{Label: a.T(key), Href: href, Primary: true, Post: post}
		}
	}
	switch {
	case f.result != nil && len(f.result.Improve) > 0 && !f.next:
		stuck(5, "web.stuck.improve")
		next("web.next.improve", of("/effect")+"#improve", false)
	case f.result != nil:
		next("web.next.effect", of("/effect"), false)
	case tn.Stage == delivery.StageEvaluate:
		next("web.next.evaluate", of("/effect"), false)
	case tn.Stage == delivery.StageDelivery:
		if people > 0 && share(took, people) < 0.5 && finished > 0 {
			stuck(3, "web.stuck.participation")
		}
		next("web.next.delivery", of("/delivery"), false)
	case f.plan != nil && f.plan.Status == plan.Infeasible:
		stuck(2, "web.stuck.infeasible")
		next("web.next.plan", of("/plan"), false)
	case len(f.needs) == 0:
		stuck(0, "web.stuck.needs")
		next("web.next.needs", of("/needs"), false)
	case approved == 0 && at <= 1:
		stuck(0, "web.stuck.approve")
		next("web.next.approve", of("/needs"), false)
	case len(f.offerings) == 0:
		stuck(1, "web.stuck.content")
		next("web.next.content", of("/content"), false)
	case f.plan == nil:
		next("web.next.plan", of("/plan"), false)
	case f.plan.Status != plan.Approved:
		next("web.next.approve_plan", of("/plan"), false)
	}
	return l
}

func share(n, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(n) / float64(of)
}
