package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"

	"attune/internal/assess"
	"attune/internal/auth"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/need"
	"attune/internal/org"
)

type needDetailData struct {
	Head      PageHead
	Tabs      []Tab // positions
	Figures   []Figure
	Sources   []source
	Judged    *Table
	Steps     *Table
	Quotes    []quote
	Words     []string
	WordsHref string
	Mix       *Table
	Approved  string
	Comment   string
	Form      bool
	Skill     string
	Position  string
	Programme string
}

// source is a kind of evidence beside the test.
type source struct {
	Label, Value, Note, Href string
	Tone                     Tone
}

type quote struct{ Who, Said string }

// needDetail shows what speaks for one need, each figure with the way to what
// is behind it.
func (s *Server) needDetail(w http.ResponseWriter, r *http.Request, a *Asker) error {
	skill := org.SkillID(r.PathValue("skill"))
	var tn turn
	var n *names
	var all []need.Need
	var notes []need.Interview
	var procs []org.Process
	var tests []assess.Test
	var surveys []assess.Survey
	var said []assess.Response
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if all, err = need.Needs(ctx, t, tn.ID); err != nil {
			return err
		}
		if notes, err = need.Interviews(ctx, t, tn.ID); err != nil {
			return err
		}
		if procs, err = org.ListProcesses(ctx, t); err != nil {
			return err
		}
		if tests, err = assess.Tests(ctx, t, tn.ID); err != nil {
			return err
		}
		if surveys, err = assess.Surveys(ctx, t, tn.ID); err != nil {
			return err
		}
		for _, x := range surveys {
			if x.Purpose == "needs" {
				if said, err = assess.Responses(ctx, t, x.ID); err != nil {
					return err
				}
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	k, ok := n.skill[skill]
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	var mine []need.Need
	for _, x := range all {
		if x.Skill == skill {
			mine = append(mine, x)
		}
	}
	p := needDetailData{Head: PageHead{Title: a.Say(k.Name), Lead: a.Say(k.About)}, Skill: string(skill), Programme: string(tn.ID)}
	crumbs := []Crumb{{a.T("look.nav.needs"), link("/needs", "programme", string(tn.ID))}, {a.Say(k.Name), ""}}
	if len(mine) == 0 {
		return s.show(w, r, a, Page{Name: "need", Active: "needs", Crumbs: crumbs, Data: p})
	}
	x := mine[0]
	want := org.PositionID(r.FormValue("position"))
	for _, m := range mine {
		if m.Position == want {
			x = m
		}
	}
	for _, m := range mine {
		p.Tabs = append(p.Tabs, Tab{Label: n.Position(m.Position), Current: m.Position == x.Position,
			Href: link("/needs/"+string(skill), "programme", string(tn.ID), "position", string(m.Position))})
	}
	p.Position = string(x.Position)
	p.Head.Meta = []string{n.Position(x.Position), a.T("web.people.n", x.People), a.T("web.need.place", x.Place, x.Best, x.Worst)}
	e := x.Evidence
	test := ""
	for _, ts := range tests {
		if ts.Purpose == assess.Before || test == "" {
			test = string(ts.ID)
		}
	}
	answers := link("/evidence", "about", "skill/"+string(skill), "test", test)
	ratings := link("/evidence", "about", "skill/"+string(skill), "within", "programme/"+string(tn.ID))
	gap := Figure{Label: a.T("web.gap"), Value: x.Gap, Low: x.Gap - 1.96*x.GapSE, High: x.Gap + 1.96*x.GapSE, Digits: 1, Signed: true, Unit: a.T("web.points"), Href: answers,
		Tone: toneOf(-x.Gap-1.96*x.GapSE, -x.Gap+1.96*x.GapSE), Compare: a.T("web.need.below", a.F.Percent(e.Below, 0), e.Tested)}
	gap.Bar = &ErrorBar{Value: x.Gap, Low: gap.Low, High: gap.High, Min: math.Min(-10, gap.Low), Max: math.Max(30, gap.High), HasRef: true, Digits: 1, Tone: gap.Tone}
	p.Figures = []Figure{gap,
		{Label: a.T("web.required"), Value: e.Required, Low: e.Required - 1.96*e.RequiredSE, High: e.Required + 1.96*e.RequiredSE, Digits: 1, Unit: a.T("web.points"),
			Compare: a.T(pick(e.RequiredSE > 0, "web.required.panel", "web.required.set"))},
		{Label: a.T("web.proficiency"), Value: e.Measured, Low: e.Measured - 1.96*e.MeasuredSE, High: e.Measured + 1.96*e.MeasuredSE, Digits: 1, Unit: a.T("web.points"), Href: answers,
			Compare: a.T("web.need.tested", e.Tested)},
		{Label: a.T("web.score"), Value: x.Score, Compare: a.T("web.need.places", x.Best, x.Worst), Href: link("/needs", "programme", string(tn.ID)), Evidence: a.T("web.see.weights")},
	}
	if e.Self != nil || e.Manager != nil {
		t := Table{ID: "judged", Caption: a.T("web.need.judged"), Columns: []Column{
			{Label: a.T("web.need.rater")}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.need.able"), Num: true}, {Label: a.T("web.need.important"), Num: true},
			{Label: a.T("web.need.borich"), Num: true}, {Label: a.T("web.need.ranked"), Num: true},
		}}
		for _, j := range []struct {
			key string
			j   *need.Judged
		}{{"self", e.Self}, {"manager", e.Manager}} {
			if j.j == nil {
				continue
			}
			t.Rows = append(t.Rows, Row{[]Cell{
				{Text: a.T("web.rater." + j.key), Href: ratings}, {Text: a.F.Number(float64(j.j.People), 0)}, {Text: a.F.Number(j.j.Able, 2)},
				{Text: a.F.Number(j.j.Important, 2)}, {Text: signed(a, 2, j.j.Borich)}, {Text: signed(a, 0, j.j.Ranked)},
			}})
		}
		p.Judged = &t
	}
	if e.Quadrant != "" {
		p.Sources = append(p.Sources, source{Label: a.T("web.quadrant"), Value: a.T("web.quadrant." + e.Quadrant), Note: a.T("web.quadrant." + e.Quadrant + ".note")})
	}
	if e.Class != "" {
		p.Sources = append(p.Sources, source{Label: a.T("web.dif"), Value: a.T("web.dif." + e.Class), Note: a.T("web.dif.note")})
	}
	p.Sources = append(p.Sources, source{Label: a.T("web.importance"), Value: a.F.Number(e.Importance, 0), Note: a.T("web.importance.note")})
	if e.Interest != nil {
		p.Sources = append(p.Sources, source{Label: a.T("web.interest"), Value: a.F.Number(*e.Interest, 2), Note: a.T("web.interest.note"), Href: surveyEvidence(surveys)})
	}
	if len(e.Steps) > 0 {
		t := Table{ID: "steps", Caption: a.T("web.need.steps"), Columns: []Column{
			{Label: a.T("web.step")}, {Label: a.T("web.difficulty"), Num: true}, {Label: a.T("web.importance"), Num: true}, {Label: a.T("web.frequency"), Num: true}, {Label: "D×I×F", Num: true},
		}}
		for _, pr := range procs {
			for _, st := range pr.Steps {
				if slices.Contains(e.Steps, string(st.ID)) {
					t.Rows = append(t.Rows, Row{[]Cell{{Text: a.Say(st.Name), Sub: a.Say(pr.Name)}, {Text: a.F.Number(float64(st.Difficulty), 0)},
						{Text: a.F.Number(float64(st.Importance), 0)}, {Text: a.F.Number(float64(st.Frequency), 0)}, {Text: a.F.Number(float64(st.DIF()), 0)}}})
				}
			}
		}
		p.Steps = &t
	}
	for _, q := range notes {
		if q.Skill == skill && (q.Position == "" || q.Position == x.Position) {
			p.Quotes = append(p.Quotes, quote{q.Who, a.Say(q.Note)})
		}
	}
	p.Words = wordsOn(said, a)
	p.WordsHref = surveyEvidence(surveys)
	hours := float64(tn.Days) * tn.Hours / 3
	if mix := content.Suggest(content.Need{Kind: k.Kind, Gap: math.Max(0, x.Gap), People: x.People, Hours: hours}); len(mix) > 0 && x.Gap > 0 {
		t := Table{ID: "mix", Caption: a.T("web.need.mix"), Columns: []Column{
			{Label: a.T("web.method")}, {Label: a.T("web.time"), Num: true}, {Label: a.T("web.need.gain"), Num: true}, {Label: a.T("web.need.prior")}, {Label: a.T("web.why")},
		}}
		for _, m := range mix {
			var why []string
			for _, y := range m.Why {
				why = append(why, a.T(y.Key, y.Args...))
			}
			t.Rows = append(t.Rows, Row{[]Cell{{Text: a.T("content.method." + string(m.Method))}, {Text: a.F.Lang.Minutes(float64(m.Minutes))},
				{Text: signed(a, 1, m.Gain)}, {Text: "d = " + a.F.Number(m.Prior.D, 2), Sub: m.Prior.Source}, {Text: strings.Join(why, " ")}}})
		}
		p.Mix = &t
	}
	if x.ApprovedAt.IsZero() {
		p.Form = a.Can(auth.ManageLoop)
	} else {
		p.Approved, p.Comment = a.T("web.need.approved", a.F.DateTime(a.In(x.ApprovedAt))), x.Comment
	}
	return s.show(w, r, a, Page{Name: "need", Active: "needs", Crumbs: crumbs, Data: p})
}

func pick[T any](first bool, yes, no T) T {
	if first {
		return yes
	}
	return no
}

func surveyEvidence(all []assess.Survey) string {
	for _, x := range all {
		if x.Purpose == "needs" {
			return link("/evidence", "about", "survey/"+string(x.ID))
		}
	}
	return ""
}

// wordsOn picks what people wrote in the needs survey, without who: the longest
// different ones, as they say most.
func wordsOn(said []assess.Response, a *Asker) (words []string) {
	seen := map[string]bool{}
	for _, x := range said {
		for _, y := range x.Replies {
			if y.Text != "" && !seen[y.Text] {
				seen[y.Text] = true
				words = append(words, y.Text)
			}
		}
	}
	slices.SortStableFunc(words, func(x, y string) int { return len(y) - len(x) })
	return words[:min(6, len(words))]
}
