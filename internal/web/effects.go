package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"

	"attune/internal/assess"
	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/evaluate"
	"attune/internal/locale"
	"attune/internal/need"
	"attune/internal/org"
)

type effectData struct {
	Head     PageHead
	Tabs     []Tab
	Empty    *Empty
	Warnings []string
	Figures  []Figure
	Versus   *versusPart
	Skills   *Table
	Gains    *Dots
	People   *Histogram
	PeopleAt string
	Improve  []improvement
	Open     *openForm
	Next     *Notice // the cycle that was opened
	Parts    *Table
	Items    *Table
	Rates    *Table
	Reaction *Dots
	Reacted  string
	Cost     *Table
	Return   *Figure
	Weights  string
}

// versusPart is the comparison that the draws allow.
type versusPart struct {
	Design string
	Pools  Dots
	Notes  []string
	Table  Table
}

type improvement struct {
	Notice  Notice
	Methods []string
}

// openForm opens the next cycle from what did badly.
type openForm struct {
	Evaluation string
	Programme  string
	Name       Field
	Skills     Field
}

func (s *Server) effect(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var n *names
	var x *evaluate.Result
	var offer map[delivery.OfferingID]string
	var acts []content.Activity
	var items []content.Item
	var effects []float64
	var surveys []assess.Survey
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if x, err = evaluate.Latest(ctx, t, tn.ID); absent(err) != nil {
			return err
		}
		// Where nothing was asked for, the newest cycle that has an effect is shown.
		for _, q := range tn.All {
			if x != nil || r.FormValue("programme") != "" {
				break
			}
			if x, err = evaluate.Latest(ctx, t, q.ID); absent(err) != nil {
				return err
			}
			if x != nil {
				tn.Programme = q
			}
		}
		if x == nil {
			return nil
		}
		if offer, _, err = offerNames(ctx, t, a, tn.ID); err != nil {
			return err
		}
		if acts, err = content.Outline(ctx, t); err != nil {
			return err
		}
		var ids []content.ItemID
		for _, it := range x.Items {
			ids = append(ids, it.Item)
		}
		if len(ids) > 0 {
			if items, err = content.FindItems(ctx, t, ids...); err != nil {
				return err
			}
		}
		if surveys, err = assess.Surveys(ctx, t, tn.ID); err != nil {
			return err
		}
		effects, err = evaluate.Estimates(ctx, t, x.ID)
		return err
	})
	p := effectData{Head: PageHead{Title: a.T("look.nav.effect"), Lead: a.T("web.effect.lead")}}
	if none(tn, err) {
		p.Empty = noProgramme(a)
		return s.show(w, r, a, Page{Name: "effect", Active: "effect", Data: p})
	} else if err != nil {
		return err
	}
	p.Tabs = tn.tabs(a, "/effect")
	if x == nil {
		p.Empty = &Empty{Icon: "effect", Title: a.T("web.effect.none"), Text: a.T("web.effect.none.text")}
		return s.show(w, r, a, Page{Name: "effect", Active: "effect", Data: p})
	}
	p.Head.Meta = []string{a.Say(tn.Name), a.F.Date(a.In(x.At)), a.T("web.effect.people", x.Trained, x.Untrained)}
	p.Weights = a.T("web.effect.weights", a.F.Number(x.Alpha, 2), a.F.Number(x.Beta, 2), a.F.Number(x.SigmaS, 1), a.F.Number(x.SigmaI, 1))
	for _, k := range x.Warnings {
		p.Warnings = append(p.Warnings, a.T(k))
	}
	before, after := evidenceOfTest(x.Before), evidenceOfTest(x.After)
	ef := effectFigure(a, x, after)
	p.Figures = []Figure{ef}
	if v := x.Versus; v != nil {
		f := versusFigure(a, v, link("/evidence", "about", "programme/"+string(tn.ID), "verb", "registered"))
		f.Evidence = a.T("web.versus.draws")
		p.Figures = append(p.Figures, f)
		p.Versus = versusOf(a, x.Versus, offer)
	}
	if x.Cost.Hours > 0 || x.Cost.Seats > 0 {
		c := x.Cost
		rf := Figure{Label: a.T("web.fig.return"), Value: c.Return.Estimate, Low: c.Return.Low, High: c.Return.High, Percent: true, Tone: toneOf(c.Return.Low, c.Return.High),
			Compare: a.T(pick(c.Causal, "web.return.causal", "web.return.not_causal")), Href: "#cost", Evidence: a.T("web.see.assumptions")}
		if !c.Causal {
			rf.Warnings = []string{a.T("web.return.warning")}
		}
		p.Figures = append(p.Figures, rf)
		p.Cost = costTable(a, c)
	}
	p.Skills, p.Gains = skillGains(a, n, tn, x, before, after)
	p.People = effectSpread(a, effects)
	if a.Can(auth.ReadPeople) {
		p.PeopleAt = link("/effect/people", "programme", string(tn.ID))
	}
	opened := false
	for _, q := range tn.All {
		if q.Previous == tn.ID {
			opened = true
			p.Next = &Notice{Tone: ToneGood, Title: a.T("web.next.opened", a.Say(q.Name)), Link: &Action{Label: a.T("web.next.see"), Href: link("/overview", "programme", string(q.ID))}}
		}
	}
	for _, im := range x.Improve {
		m := improvement{Notice: improveNotice(a, n, im, link("/needs/"+string(im.Skill), "programme", string(tn.ID)))}
		m.Notice.Link.Label = a.T("web.improve.evidence")
		m.Notice.Link.Href = link("/evidence", "about", "skill/"+string(im.Skill), "test", string(x.After))
		for _, k := range im.Propose {
			m.Methods = append(m.Methods, a.T("content.method."+string(k)))
		}
		p.Improve = append(p.Improve, m)
	}
	if len(x.Improve) > 0 && !opened && a.Can(auth.ManageLoop) {
		f := openForm{Evaluation: string(x.ID), Programme: string(tn.ID),
			Name:   Field{Name: "name", Label: a.T("web.next.name"), Value: a.T("web.next.default", tn.Cycle+1), Required: true},
			Skills: Field{Name: "skill", Label: a.T("web.next.skills"), Kind: "checkbox"}}
		for i, im := range x.Improve {
			f.Skills.Options = append(f.Skills.Options, Option{Value: string(im.Skill), Label: n.Skill(im.Skill), Chosen: i == 0})
		}
		p.Open = &f
	}
	p.Parts = partTable(a, n, x)
	p.Items = itemTable(a, n, x, items)
	p.Rates = rateTable(a, n, x, acts)
	if len(x.Reaction) > 0 {
		d := Dots{Caption: a.T("web.reaction"), Label: a.T("web.reaction.aspect"), Axis: Axis{1, 5, 2}, Ref: 3, HasRef: true, RefText: a.T("web.reaction.ref")}
		for _, y := range x.Reaction {
			d.Rows = append(d.Rows, Dot{Label: a.T("web.aspect." + y.Aspect), Note: a.T("web.people.n", y.People), Value: y.Mean.Estimate, Low: y.Mean.Low, High: y.Mean.High, Tone: toneOf(y.Mean.Low-3, y.Mean.High-3)})
		}
		p.Reaction = &d
		for _, y := range surveys {
			if y.Purpose == "reaction" {
				p.Reacted = link("/evidence", "about", "survey/"+string(y.ID))
			}
		}
	}
	return s.show(w, r, a, Page{Name: "effect", Active: "effect", Data: p})
}

func evidenceOfTest(id assess.TestID) string { return link("/evidence", "about", "test/"+string(id)) }

func versusOf(a *Asker, v *evaluate.Versus, offer map[delivery.OfferingID]string) *versusPart {
	low, high := min(-0.3, v.Low), max(0.6, v.High)
	for _, q := range v.Pools {
		low, high = min(low, q.Low), max(high, q.High)
	}
	p := &versusPart{Design: a.T("web.versus.design", v.Treated, v.Waiting, len(v.Pools)),
		Pools: Dots{Caption: a.T("web.versus"), Label: a.T("web.pool.of"), Axis: Axis{low, high, 2}, HasRef: true, Signed: true, RefText: a.T("web.versus.ref")}}
	p.Pools.Rows = append(p.Pools.Rows, Dot{Label: a.T("web.versus.all"), Note: a.T("web.versus.n", v.Treated, v.Waiting), Value: v.Estimate, Low: v.Low, High: v.High, Tone: TonePrimary})
	p.Table = Table{ID: "balance", Caption: a.T("web.versus.balance"), Columns: []Column{{Label: a.T("web.pool.of")}, {Label: a.T("web.versus.treated"), Num: true}, {Label: a.T("web.versus.waiting"), Num: true}, {Label: a.T("web.versus.before"), Num: true}}}
	worst := 0.0
	for _, q := range v.Pools {
		p.Pools.Rows = append(p.Pools.Rows, Dot{Label: offer[q.Offering], Note: a.T("web.versus.n", q.Treated, q.Waiting), Value: q.Estimate, Low: q.Low, High: q.High})
		c := Cell{Text: signed(a, 2, q.Balance) + " σ"}
		if math.Abs(q.Balance) > 0.25 {
			c.Tone = ToneGap
		}
		worst = max(worst, math.Abs(q.Balance))
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{{Text: offer[q.Offering]}, {Text: a.F.Number(float64(q.Treated), 0)}, {Text: a.F.Number(float64(q.Waiting), 0)}, c}})
	}
	if worst > 0.25 {
		p.Notes = append(p.Notes, a.T("web.versus.unbalanced"))
	}
	if v.Low <= 0 && v.High >= 0 {
		p.Notes = append(p.Notes, a.T("web.versus.unsure"))
	}
	return p
}

func skillGains(a *Asker, n *names, tn turn, x *evaluate.Result, before, after string) (*Table, *Dots) {
	t := &Table{ID: "skills", Caption: a.T("web.effect.skills"), Columns: []Column{
		{Label: a.T("web.skill")}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.before"), Num: true}, {Label: a.T("web.after"), Num: true},
		{Label: a.T("web.change"), Num: true}, {Label: a.T("web.required"), Num: true}, {Label: a.T("web.left"), Num: true},
	}}
	d := &Dots{Caption: a.T("web.effect.gains"), Label: a.T("web.skill"), Axis: Axis{-2, 10, 1}, HasRef: true, Signed: true, RefText: a.T("web.effect.gains.ref")}
	for _, k := range x.Skills {
		d.Axis.Min, d.Axis.Max = min(d.Axis.Min, k.Change.Low), max(d.Axis.Max, k.Change.High)
		d.Rows = append(d.Rows, Dot{Label: n.Skill(k.Skill), Note: a.T("web.people.n", k.People), Value: k.Change.Estimate, Low: k.Change.Low, High: k.Change.High,
			Tone: toneOf(k.Change.Low, k.Change.High), Href: link("/evidence", "about", "skill/"+string(k.Skill), "test", string(x.After))})
		left, req := Cell{Text: "–"}, "–"
		if k.Required > 0 {
			left, req = Cell{Text: signed(a, 1, k.Left.Estimate), Sub: a.F.Range(1, k.Left.Low, k.Left.High), Tone: toneOf(-k.Left.High, -k.Left.Low)}, a.F.Number(k.Required, 1)
		}
		t.Rows = append(t.Rows, Row{[]Cell{
			{Text: n.Skill(k.Skill), Href: link("/needs/"+string(k.Skill), "programme", string(tn.ID))}, {Text: a.F.Number(float64(k.People), 0)},
			{Text: a.F.Number(k.Before, 1), Href: before}, {Text: a.F.Number(k.After, 1), Href: after},
			{Text: signed(a, 1, k.Change.Estimate), Sub: a.F.Range(1, k.Change.Low, k.Change.High), Tone: toneOf(k.Change.Low, k.Change.High)},
			{Text: req}, left,
		}})
	}
	if len(x.Skills) == 0 {
		return nil, nil
	}
	return t, d
}

// effectSpread counts people by E; with its error each E moves, so the width
// of the figure is more than people differ by.
func effectSpread(a *Asker, all []float64) *Histogram {
	if len(all) < need.Fewest {
		return nil
	}
	const step = 0.1
	h := &Histogram{Title: a.T("web.effect.spread"), XLabel: a.T("web.effect.spread.x"), Marks: []Mark{{X: 0, Text: "0"}}}
	low, high := step*math.Floor(min(0, all[0])/step), step*math.Ceil((max(0, all[len(all)-1])+1e-9)/step)
	h.X = Axis{low, high, 1}
	for x := low; x < high-1e-9; x += step {
		b := Bin{Low: x, High: x + step, Tone: ToneGood}
		if x < -1e-9 {
			b.Tone = ToneGap
		}
		for _, e := range all {
			if e >= x-1e-9 && e < x+step-1e-9 {
				b.Count++
			}
		}
		h.Bins = append(h.Bins, b)
	}
	return h
}

func partTable(a *Asker, n *names, x *evaluate.Result) *Table {
	if len(x.Parts) == 0 {
		return nil
	}
	t := &Table{ID: "parts", Caption: a.T("web.effect.parts"), Columns: []Column{{Label: a.T("web.part")}, {Label: a.T("web.skill")}, {Label: a.T("web.right")}, {Label: a.T("web.answers"), Num: true}}}
	for _, y := range x.Parts[:min(10, len(x.Parts))] {
		low, high := max(0, y.Right-1.96*y.SE), min(1, y.Right+1.96*y.SE)
		t.Rows = append(t.Rows, Row{[]Cell{{Text: a.Say(y.Part)}, {Text: n.Skill(y.Skill)},
			{Text: a.F.Percent(y.Right, 0), Sub: a.F.Percent(low, 0) + "–" + a.F.Percent(high, 0), Bar: &ErrorBar{Value: 100 * y.Right, Low: 100 * low, High: 100 * high, Min: 0, Max: 100}},
			{Text: a.F.Number(float64(y.Answers), 0), Href: link("/evidence", "about", "skill/"+string(y.Skill), "test", string(x.After))}}})
	}
	return t
}

func itemTable(a *Asker, n *names, x *evaluate.Result, items []content.Item) *Table {
	if len(x.Items) == 0 {
		return nil
	}
	stem := map[content.ItemID]locale.Text{}
	for _, it := range items {
		stem[it.ID] = it.Stem
	}
	t := &Table{ID: "items", Caption: a.T("web.effect.items"), Columns: []Column{{Label: a.T("web.item")}, {Label: a.T("web.skill")}, {Label: a.T("web.right"), Num: true}, {Label: a.T("web.expected"), Num: true}, {Label: "z", Num: true}, {Label: a.T("web.answers"), Num: true}}}
	for _, y := range x.Items[:min(10, len(x.Items))] {
		t.Rows = append(t.Rows, Row{[]Cell{{Text: a.Say(stem[y.Item])}, {Text: n.Skill(y.Skill)}, {Text: a.F.Percent(y.Right, 0)}, {Text: a.F.Percent(y.Expected, 0)}, {Text: signed(a, 1, y.Z)},
			{Text: a.F.Number(float64(y.Answers), 0), Href: link("/evidence", "about", "item/"+string(y.Item))}}})
	}
	return t
}

func rateTable(a *Asker, n *names, x *evaluate.Result, acts []content.Activity) *Table {
	if len(x.Rates) == 0 {
		return nil
	}
	title := map[content.ActivityID]string{}
	for _, y := range acts {
		title[y.ID] = a.Say(y.Title)
	}
	t := &Table{ID: "rates", Caption: a.T("web.effect.rates"), Columns: []Column{{Label: a.T("web.activity")}, {Label: a.T("web.skill")}, {Label: a.T("web.rate.prior"), Num: true}, {Label: a.T("web.rate.found"), Num: true}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.rate.focus"), Num: true}}}
	rates := slices.Clone(x.Rates)
	slices.SortStableFunc(rates, func(p, q evaluate.Rate) int {
		return cmp.Compare(math.Abs(q.Rate-q.Prior)/max(q.SE, 1e-9), math.Abs(p.Rate-p.Prior)/max(p.SE, 1e-9))
	})
	for _, y := range rates[:min(16, len(rates))] {
		t.Rows = append(t.Rows, Row{[]Cell{{Text: title[y.Activity], Href: link("/evidence", "about", "activity/"+string(y.Activity))}, {Text: n.Skill(y.Skill)},
			{Text: a.F.Number(y.Prior, 2), Sub: "± " + a.F.Number(1.96*y.PriorSE, 2)}, {Text: a.F.Number(y.Rate, 2), Sub: "± " + a.F.Number(1.96*y.SE, 2), Tone: toneOf(y.Rate-1.96*y.SE-y.Prior, y.Rate+1.96*y.SE-y.Prior)},
			{Text: a.F.Number(float64(y.People), 0)}, {Text: a.F.Lang.Minutes(60 * y.Focus)}}})
	}
	return t
}

func costTable(a *Asker, c evaluate.Cost) *Table {
	t := &Table{ID: "cost-table", Caption: a.T("web.cost"), Columns: []Column{{Label: a.T("web.cost.what")}, {Label: a.T("web.cost.value"), Num: true}, {Label: a.T("web.cost.kind")}}}
	add := func(key, value string, assumed bool) {
		kind := Cell{Text: a.T("web.cost.counted"), Pill: true, Tone: ToneGood}
		if assumed {
			kind = Cell{Text: a.T("web.cost.assumed"), Pill: true, Tone: ToneGap}
		}
		t.Rows = append(t.Rows, Row{[]Cell{{Text: a.T(key)}, {Text: value}, kind}})
	}
	add("web.cost.seats", money(a, c.Seats), false)
	add("web.cost.hours", a.F.Number(c.Hours, 0)+" "+a.T("web.hours"), false)
	add("web.cost.wage", money(a, c.Wage), true)
	add("web.cost.time", money(a, c.Time), true)
	add("web.cost.deviation", money(a, c.Deviation), true)
	add("web.cost.transfer", a.F.Percent(c.Transfer, 0), true)
	add("web.cost.years", a.F.Number(c.Years, 1), true)
	add("web.fig.return", a.F.Percent(c.Return.Estimate, 0)+" ("+a.F.Percent(c.Return.Low, 0)+"–"+a.F.Percent(c.Return.High, 0)+")", true)
	return t
}

type effectPeopleData struct {
	Head  PageHead
	Dots  Dots
	Table Table
}

const perPage = 50

// effectPeople lists what changed for each person, with its interval: in the
// order of names, because an order by E would rank noise.
func (s *Server) effectPeople(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var x *evaluate.Result
	var n *names
	var all []evaluate.PersonEffect
	people := map[org.PersonID]org.Person{}
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if x, err = evaluate.Latest(ctx, t, tn.ID); err != nil {
			return err
		}
		if all, err = evaluate.Effects(ctx, t, x.ID); err != nil {
			return err
		}
		everybody, err := org.People(ctx, t)
		for _, p := range everybody {
			people[p.ID] = p
		}
		return err
	})
	if err != nil {
		return err
	}
	only := r.FormValue("who")
	q := r.FormValue("q")
	all = slices.DeleteFunc(all, func(e evaluate.PersonEffect) bool {
		p, ok := people[e.Person]
		return !ok || only == "" && !e.Trained || only == "untrained" && e.Trained || !matches(q, p.Name, p.Number, n.Unit(p.Unit))
	})
	page := pageOf(r)
	total := len(all)
	from := min(total, (page-1)*perPage)
	shown := all[from:min(total, from+perPage)]
	p := effectPeopleData{Head: PageHead{Title: a.T("web.effect.who"), Lead: a.T("web.effect.who.lead"), Meta: []string{a.Say(tn.Name), a.T("web.people.n", total)}}}
	p.Dots = Dots{Caption: a.T("web.effect.who"), Label: a.T("web.name"), Axis: Axis{-0.5, 1, 2}, HasRef: true, Signed: true, RefText: a.T("web.effect.who.ref")}
	for _, e := range shown {
		who := people[e.Person]
		p.Dots.Axis.Min, p.Dots.Axis.Max = min(p.Dots.Axis.Min, e.E.Low), max(p.Dots.Axis.Max, e.E.High)
		p.Dots.Rows = append(p.Dots.Rows, Dot{Label: who.Name, Note: n.Unit(who.Unit), Href: "/people/" + string(who.ID), Value: e.E.Estimate, Low: e.E.Low, High: e.E.High, Tone: toneOf(e.E.Low, e.E.High)})
	}
	p.Table = Table{ID: "who", URL: *r.URL, Filter: true, Query: q, Page: page, PerPage: perPage, Total: total, Columns: []Column{{Label: a.T("web.name")}}}
	return s.show(w, r, a, Page{Name: "effectpeople", Active: "effect", Crumbs: []Crumb{{a.T("look.nav.effect"), link("/effect", "programme", string(tn.ID))}, {a.T("web.effect.who"), ""}}, Data: p})
}

func (s *Server) openNext(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	var skills []org.SkillID
	for _, k := range r.Form["skill"] {
		skills = append(skills, org.SkillID(k))
	}
	name := locale.Text{En: r.FormValue("name")}
	if a.F.Lang == locale.Zh {
		name = locale.Text{Zh: r.FormValue("name")}
	}
	var next delivery.Programme
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		if next, err = evaluate.OpenNext(ctx, t, evaluate.ID(r.FormValue("evaluation")), skills, name); err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "programme.next", "programme/"+string(next.ID), map[string]any{"skills": skills})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.next.done", Form: "next"})
	return to(w, r, link("/overview", "programme", string(next.ID)))
}
