package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"attune/internal/assess"
	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/need"
	"attune/internal/org"
)

type needsData struct {
	Head    PageHead
	Tabs    []Tab
	Empty   *Empty
	Weights []weightField
	Hidden  map[string]string // programme, so that the form keeps it
	Changed bool              // the weights are not those that were kept
	Keep    *Confirm
	KeepAct Action
	Table   Table
	Heat    *HeatMap
	Quad    *Quadrant
}

// weightField is a slider of the ranking.
type weightField struct {
	Name, Label, Hint string
	Value             int // percent
	Share             float64
}

// weights reads the sliders; what is not asked for keeps its kept value.
func weightsOf(q url.Values, kept need.Weights) need.Weights {
	w := kept
	for name, at := range map[string]*float64{
		"gap": &w.Gap, "importance": &w.Importance, "self": &w.Self, "manager": &w.Manager,
		"process": &w.Process, "interest": &w.Interest, "interview": &w.Interview,
	} {
		if v, err := strconv.ParseFloat(q.Get("w_"+name), 64); err == nil && v >= 0 && v <= 100 {
			*at = v / 100
		}
	}
	return w
}

func weightFields(a *Asker, w need.Weights) (fields []weightField) {
	total := w.Gap + w.Importance + w.Self + w.Manager + w.Process + w.Interest + w.Interview
	for _, x := range []struct {
		name string
		v    float64
	}{
		{"gap", w.Gap}, {"importance", w.Importance}, {"manager", w.Manager}, {"self", w.Self}, {"process", w.Process}, {"interest", w.Interest}, {"interview", w.Interview},
	} {
		f := weightField{Name: "w_" + x.name, Label: a.T("web.weight." + x.name), Hint: a.T("web.weight." + x.name + ".hint"), Value: int(math.Round(100 * x.v))}
		if total > 0 {
			f.Share = x.v / total
		}
		fields = append(fields, f)
	}
	return fields
}

func (s *Server) needs(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var all []need.Need
	var cells []need.Cell
	var n *names
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if all, err = need.Needs(ctx, t, tn.ID); err != nil {
			return err
		}
		cells, err = recall(ctx, t, &s.memo, "heat", func() ([]need.Cell, error) { return need.HeatMap(ctx, t) })
		return err
	})
	p := needsData{Head: PageHead{Title: a.T("look.nav.needs"), Lead: a.T("web.needs.lead")}}
	if none(tn, err) {
		p.Empty = noProgramme(a)
		return s.show(w, r, a, Page{Name: "needs", Active: "needs", Data: p})
	} else if err != nil {
		return err
	}
	p.Tabs = tn.tabs(a, "/needs")
	kept := need.DefaultWeights
	if len(all) > 0 {
		kept = all[0].Weights
		p.Head.Meta = []string{a.T("web.needs.found", a.F.DateTime(a.In(all[0].FoundAt)))}
	}
	asked := weightsOf(r.URL.Query(), kept)
	p.Changed = asked != kept
	p.Weights = weightFields(a, asked)
	p.Hidden = map[string]string{"programme": string(tn.ID)}
	if p.Changed {
		need.Rank(all, asked)
	}
	if a.Can(auth.ManageLoop) {
		hidden := map[string]string{"programme": string(tn.ID)}
		for _, f := range p.Weights {
			hidden[f.Name] = strconv.Itoa(f.Value)
		}
		p.Keep = &Confirm{ID: "keep", Title: a.T("web.needs.keep.title"), Text: a.T("web.needs.keep.text"), Post: "/needs/find", Label: a.T("web.needs.keep"), Hidden: hidden}
		p.KeepAct = Action{Label: a.T("web.needs.keep"), Dialog: "keep", Primary: p.Changed || len(all) == 0}
	}
	p.Table = needTable(a, n, tn, all)
	if len(all) == 0 {
		p.Table.Empty = &Empty{Icon: "needs", Title: a.T("web.needs.none"), Text: a.T("web.needs.none.text")}
	} else {
		p.Quad = quadrant(a, n, tn, all)
	}
	if len(cells) > 0 {
		p.Heat = heatMap(a, n, cells)
	}
	return s.show(w, r, a, Page{Name: "needs", Active: "needs", Data: p})
}

func needTable(a *Asker, n *names, tn turn, all []need.Need) Table {
	t := Table{ID: "needs", Caption: a.T("web.needs.ranking"), Filter: len(all) > 8, URL: url.URL{Path: "/needs"}, Columns: []Column{
		{Label: a.T("web.place"), Num: true}, {Label: a.T("web.skill")}, {Label: a.T("web.position")}, {Label: a.T("web.gap")},
		{Label: a.T("web.score"), Num: true}, {Label: a.T("web.places"), Num: true}, {Label: a.T("web.state")},
	}}
	top := 10.0
	for _, x := range all {
		top = math.Max(top, x.Gap+2*x.GapSE)
	}
	for _, x := range all {
		href := link("/needs/"+string(x.Skill), "programme", string(tn.ID), "position", string(x.Position))
		low, high := x.Gap-1.96*x.GapSE, x.Gap+1.96*x.GapSE
		tone := ToneNone
		if low > 0 {
			tone = ToneGap
		} else if high < 0 {
			tone = ToneGood
		}
		state := Cell{Text: a.T("web.needs.open"), Pill: true}
		if !x.ApprovedAt.IsZero() {
			state = Cell{Text: a.T("web.needs.approved"), Pill: true, Tone: ToneGood, Sub: x.Comment}
		}
		t.Rows = append(t.Rows, Row{[]Cell{
			{Text: strconv.Itoa(x.Place)},
			{Text: n.Skill(x.Skill), Href: href},
			{Text: n.Position(x.Position), Sub: a.T("web.people.n", x.People)},
			{Text: signed(a, 1, x.Gap), Sub: a.F.Range(1, low, high), Tone: tone,
				Bar: &ErrorBar{Value: x.Gap, Low: low, High: high, Min: -top / 2, Max: top, HasRef: true, Digits: 1, Tone: tone}},
			{Text: a.F.Number(x.Score, 0)},
			{Text: fmt.Sprintf("%d–%d", x.Best, x.Worst)},
			state,
		}})
	}
	return t
}

// quadrant sets importance against performance as managers, or else people
// themselves, judge them; only what was judged appears.
func quadrant(a *Asker, n *names, tn turn, all []need.Need) *Quadrant {
	q := &Quadrant{Title: a.T("web.quadrant"), XLabel: a.T("web.quadrant.x"), YLabel: a.T("web.quadrant.y"),
		X: Axis{1, 5, 1}, Y: Axis{1, 5, 1},
		Corners: [4]string{a.T("web.quadrant.concentrate"), a.T("web.quadrant.keep_up"), a.T("web.quadrant.low_priority"), a.T("web.quadrant.overkill")}}
	lox, hix, loy, hiy := 5.0, 1.0, 5.0, 1.0
	for _, x := range all {
		j := x.Evidence.Manager
		if j == nil {
			j = x.Evidence.Self
		}
		if j == nil {
			continue
		}
		pt := QuadrantPoint{Label: n.Skill(x.Skill) + " · " + n.Position(x.Position), X: j.Able, Y: j.Important,
			Href: link("/needs/"+string(x.Skill), "programme", string(tn.ID), "position", string(x.Position))}
		if x.Evidence.Quadrant == "concentrate" {
			pt.Tone = ToneGap
		}
		q.Points = append(q.Points, pt)
		q.XCut, q.YCut = q.XCut+j.Able, q.YCut+j.Important
		lox, hix, loy, hiy = min(lox, j.Able), max(hix, j.Able), min(loy, j.Important), max(hiy, j.Important)
	}
	if len(q.Points) == 0 {
		return nil
	}
	q.XCut, q.YCut = q.XCut/float64(len(q.Points)), q.YCut/float64(len(q.Points))
	q.X.Min, q.X.Max, q.Y.Min, q.Y.Max = max(1, lox-0.3), min(5, hix+0.3), max(1, loy-0.3), min(5, hiy+0.3)
	return q
}

func heatMap(a *Asker, n *names, cells []need.Cell) *HeatMap {
	h := &HeatMap{Caption: a.T("web.heat"), Corner: a.T("web.team"), Scale: HeatGap, Max: heatMax(cells)}
	at := map[org.UnitID]map[org.SkillID]need.Cell{}
	used := map[org.SkillID]bool{}
	for _, c := range cells {
		if at[c.Unit] == nil {
			at[c.Unit] = map[org.SkillID]need.Cell{}
		}
		at[c.Unit][c.Skill], used[c.Skill] = c, true
	}
	var cols []org.SkillID
	for _, k := range n.skills {
		if used[k.ID] {
			cols = append(cols, k.ID)
			h.Cols = append(h.Cols, HeatHead{Label: n.Skill(k.ID), Href: "/needs/" + string(k.ID)})
		}
	}
	for _, u := range n.leaves {
		row := HeatRow{HeatHead: HeatHead{Label: n.Unit(u.ID), Sub: n.Above(u.ID)}}
		seen := false
		for _, k := range cols {
			c, ok := at[u.ID][k]
			if !ok {
				row.Cells = append(row.Cells, HeatCell{Blank: len(at[u.ID]) > 0, Few: len(at[u.ID]) == 0})
				continue
			}
			seen = true
			row.Cells = append(row.Cells, HeatCell{Value: c.Gap, Href: link("/needs/cell", "unit", string(u.ID), "skill", string(k))})
		}
		if seen {
			h.Rows = append(h.Rows, row)
		}
	}
	return h
}

// heatMax is where the strongest colour begins: at the ten largest in a hundred,
// so that a company in which everything is lacking still sees where most is.
func heatMax(cells []need.Cell) float64 {
	size := make([]float64, len(cells))
	for i, c := range cells {
		size[i] = math.Abs(c.Gap)
	}
	slices.Sort(size)
	return max(15, 5*math.Ceil(size[len(size)*9/10]/5))
}

// findNeeds works the needs out afresh, by the weights that were asked for.
func (s *Server) findNeeds(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	weights := weightsOf(r.Form, need.DefaultWeights)
	var id string
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		tn, err := programme(ctx, t, r)
		if err != nil {
			return err
		}
		id = string(tn.ID)
		all, err := need.Find(ctx, t, tn.ID, weights)
		if err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "need.find", "programme/"+id, map[string]any{"needs": len(all), "weights": weights})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.needs.kept"})
	return to(w, r, link("/needs", "programme", id))
}

func (s *Server) approveNeed(w http.ResponseWriter, r *http.Request, a *Asker) error {
	skill, position, comment := org.SkillID(r.FormValue("skill")), org.PositionID(r.FormValue("position")), r.FormValue("comment")
	var id string
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		tn, err := programme(ctx, t, r)
		if err != nil {
			return err
		}
		id = string(tn.ID)
		if err := need.Approve(ctx, t, tn.ID, skill, position, a.actor(), comment); err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "need.approve", "programme/"+id, map[string]any{"skill": skill, "position": position})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.needs.approval", Form: "need-" + string(skill) + "-" + string(position)})
	return to(w, r, link("/needs/"+string(skill), "programme", id, "position", string(position)))
}

type needCellData struct {
	Head    PageHead
	Figures []Figure
	Spread  *Histogram
	People  *Table
	Few     bool
}

// needCell opens a square of the heat map: the team's people at the skill, by
// name only where that is allowed.
func (s *Server) needCell(w http.ResponseWriter, r *http.Request, a *Asker) error {
	unit, skill := org.UnitID(r.FormValue("unit")), org.SkillID(r.FormValue("skill"))
	var n *names
	var level []assess.Standing
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		level, err = assess.StandingsAt(ctx, t, unit, skill)
		return err
	})
	if err != nil {
		return err
	}
	if n.unit[unit] == nil || n.skill[skill].ID == "" {
		return fault.New(fault.NotFound, "not_found")
	}
	p := needCellData{Head: PageHead{Title: n.Skill(skill), Lead: n.Unit(unit), Meta: []string{n.Above(unit)}}, Few: len(level) < need.Fewest}
	if p.Few {
		return s.show(w, r, a, Page{Name: "needcell", Active: "needs", Crumbs: cellCrumbs(a, n, skill), Data: p})
	}
	var sum, sq, noise, req float64
	below := 0
	for _, x := range level {
		g := x.Required - x.S
		sum, sq, noise, req = sum+g, sq+g*g, noise+x.SSE*x.SSE, req+x.Required
		if x.S < x.Required {
			below++
		}
	}
	m := float64(len(level))
	gap := sum / m
	se := math.Sqrt((math.Max(0, sq/m-gap*gap) + noise/m) / m)
	tone := toneOf(-gap-1.96*se, -gap+1.96*se)
	href := link("/evidence", "about", "skill/"+string(skill), "unit", string(unit))
	p.Figures = []Figure{
		{Label: a.T("web.gap"), Value: gap, Low: gap - 1.96*se, High: gap + 1.96*se, Digits: 1, Signed: true, Unit: a.T("web.points"), Tone: tone, Href: href,
			Compare: a.T("web.cell.required", a.F.Number(req/m, 1))},
		{Label: a.T("web.cell.people"), Value: m, Href: href},
		{Label: a.T("web.cell.below"), Value: share(below, len(level)), Percent: true, Compare: a.T("web.cell.below.compare", below, len(level))},
	}
	h := Histogram{Title: a.T("web.cell.spread"), XLabel: a.T("web.proficiency"), X: Axis{0, 100, 0}, Marks: []Mark{{X: req / m, Text: a.T("web.required")}}}
	for lo := 0.0; lo < 100; lo += 10 {
		b := Bin{Low: lo, High: lo + 10, Tone: ToneGood}
		if lo+5 < req/m {
			b.Tone = ToneGap
		}
		for _, x := range level {
			if x.S >= lo && (x.S < lo+10 || lo == 90) {
				b.Count++
			}
		}
		h.Bins = append(h.Bins, b)
	}
	p.Spread = &h
	if a.Can(auth.ReadPeople) {
		slices.SortStableFunc(level, func(x, y assess.Standing) int { return int(math.Copysign(1, (y.Required-y.S)-(x.Required-x.S))) })
		t := Table{ID: "people", Caption: a.T("web.cell.who"), Filter: true, URL: url.URL{Path: "/needs/cell"}, Columns: []Column{
			{Label: a.T("web.name")}, {Label: a.T("web.position")}, {Label: a.T("web.proficiency")}, {Label: a.T("web.required"), Num: true}, {Label: a.T("web.answers"), Num: true},
		}}
		for _, x := range level {
			tone := ToneGood
			if x.S < x.Required {
				tone = ToneGap
			}
			t.Rows = append(t.Rows, Row{[]Cell{
				{Text: x.Name, Href: "/people/" + string(x.Person), Sub: x.Number},
				{Text: n.Position(x.Position)},
				{Text: a.F.Interval(0, x.S, math.Max(0, x.S-1.96*x.SSE), math.Min(100, x.S+1.96*x.SSE)),
					Bar: &ErrorBar{Value: x.S, Low: x.S - 1.96*x.SSE, High: x.S + 1.96*x.SSE, Min: 0, Max: 100, Ref: x.Required, HasRef: true, Tone: tone}},
				{Text: a.F.Number(x.Required, 0)},
				{Text: a.F.Number(float64(x.Answers), 0), Href: link("/evidence", "about", "skill/"+string(skill), "who", string(x.Pseudonym))},
			}})
		}
		p.People = &t
	}
	return s.show(w, r, a, Page{Name: "needcell", Active: "needs", Crumbs: cellCrumbs(a, n, skill), Data: p})
}

func cellCrumbs(a *Asker, n *names, skill org.SkillID) []Crumb {
	return []Crumb{{a.T("look.nav.needs"), "/needs"}, {n.Skill(skill), "/needs/" + string(skill)}, {a.T("web.team"), ""}}
}
