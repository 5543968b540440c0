package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"attune/internal/assess"
	"attune/internal/auth"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/org"
)

type peopleData struct {
	Head    PageHead
	Query   string
	Units   Field
	Table   Table
	More    string
	Figures []Figure
}

func (s *Server) people(w http.ResponseWriter, r *http.Request, a *Asker) error {
	q := org.Query{Text: r.FormValue("q"), Unit: org.UnitID(r.FormValue("unit")), After: r.FormValue("after"), Gone: r.FormValue("gone") != "", Number: perPage}
	var n *names
	var all []org.Person
	var count int
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if all, err = org.Search(ctx, t, q); err != nil {
			return err
		}
		count, err = org.Count(ctx, t)
		return err
	})
	if err != nil {
		return err
	}
	p := peopleData{Head: PageHead{Title: a.T("look.nav.people"), Lead: a.T("web.people.lead", count)}, Query: q.Text}
	if a.Can(auth.ImportStaff) {
		p.Head.Actions = []Action{{Label: a.T("web.import.title"), Href: "/people/import", Icon: "upload", Primary: count == 0}}
	}
	p.Units = Field{Name: "unit", Label: a.T("web.team"), Kind: "select", Value: string(q.Unit), Options: []Option{{Value: "", Label: a.T("web.everywhere")}}}
	for _, u := range n.leaves {
		label := n.Unit(u.ID)
		if above := n.Above(u.ID); above != "" {
			label = above + " / " + label
		}
		p.Units.Options = append(p.Units.Options, Option{Value: string(u.ID), Label: label})
	}
	p.Table = peopleTable(a, n, all, "/people/")
	if len(all) == perPage {
		p.More = link("/people", "q", q.Text, "unit", string(q.Unit), "after", all[len(all)-1].Number)
	}
	if count == 0 {
		p.Table.Empty = &Empty{Icon: "people", Title: a.T("web.people.none"), Text: a.T("web.people.none.text"), Next: &Action{Label: a.T("web.import.title"), Href: "/people/import", Primary: true}}
	}
	return s.show(w, r, a, Page{Name: "people", Active: peopleKey(a), Data: p})
}

func peopleTable(a *Asker, n *names, all []org.Person, path string) Table {
	t := Table{ID: "people", Columns: []Column{{Label: a.T("web.name")}, {Label: a.T("web.number")}, {Label: a.T("web.team")}, {Label: a.T("web.position")}, {Label: a.T("web.hired")}}}
	for _, x := range all {
		name := Cell{Text: x.Name, Href: path + string(x.ID)}
		if !x.LeftAt.IsZero() {
			name.Sub = a.T("web.left_on", a.F.Date(a.In(x.LeftAt)))
		}
		hired := "–"
		if !x.HiredAt.IsZero() {
			hired = a.F.Date(a.In(x.HiredAt))
		}
		t.Rows = append(t.Rows, Row{[]Cell{name, {Text: x.Number}, {Text: n.Unit(x.Unit), Sub: n.Above(x.Unit)}, {Text: n.Position(x.Position)}, {Text: hired}}})
	}
	return t
}

type personData struct {
	Head    PageHead
	Figures []Figure
	Skills  *Table
	Curves  []Curve
	Effects []Dots
	Record  *Table
	Empty   *Empty
}

func (s *Server) person(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showPerson(w, r, a, Page{Active: peopleKey(a), Crumbs: []Crumb{{a.T("look.nav.people"), "/people"}}}, nil)
}

// teamPerson is the same, for people who report to the asker.
func (s *Server) teamPerson(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showPerson(w, r, a, Page{Active: "team", Crumbs: []Crumb{{a.T("look.nav.team"), "/team"}}}, func(ctx context.Context, t *db.Tx, who org.Person) error {
		team, err := org.Managed(ctx, t, a.As.ID)
		if err == nil && !slices.ContainsFunc(team, func(p org.Person) bool { return p.ID == who.ID }) {
			return fault.New(fault.NotFound, "not_found")
		}
		return err
	})
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, a *Asker, page Page, may func(context.Context, *db.Tx, org.Person) error) error {
	var who, boss org.Person
	var unit org.Unit
	var n *names
	var x standing
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if who, err = org.FindPerson(ctx, t, org.PersonID(r.PathValue("person"))); err != nil {
			return err
		}
		if may != nil {
			if err := may(ctx, t, who); err != nil {
				return err
			}
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if unit, err = org.FindUnit(ctx, t, who.Unit); err != nil {
			return err
		}
		if who.Manager != "" {
			if boss, err = org.FindPerson(ctx, t, who.Manager); err != nil {
				return err
			}
		}
		x, err = readStanding(ctx, t, who)
		return err
	})
	if err != nil {
		return err
	}
	p := personData{Head: PageHead{Title: who.Name, Lead: n.Position(who.Position) + " · " + a.Say(unit.Name), Meta: []string{a.T("web.number") + " " + who.Number}}}
	if boss.Name != "" {
		p.Head.Meta = append(p.Head.Meta, a.T("web.reports_to", boss.Name))
	}
	if !who.HiredAt.IsZero() {
		p.Head.Meta = append(p.Head.Meta, a.T("web.since", a.F.Date(a.In(who.HiredAt))))
	}
	if !who.LeftAt.IsZero() {
		p.Head.Meta = append(p.Head.Meta, a.T("web.left_on", a.F.Date(a.In(who.LeftAt))))
	}
	p.Head.Actions = []Action{{Label: a.T("web.person.statements"), Href: link("/evidence", "about", "person/"+string(who.Pseudonym)), Icon: "evidence"}}
	p.Skills = abilityTable(a, n, x, func(k org.SkillID) string {
		return link("/evidence", "about", "skill/"+string(k), "who", string(who.Pseudonym))
	})
	if p.Skills == nil {
		p.Empty = &Empty{Icon: "needs", Title: a.T("web.person.none"), Text: a.T("web.person.none.text")}
	}
	p.Curves, p.Effects = skillCurves(a, n, x.required, x.history), effectDots(a, n, x)
	t := recordTable(a, x.record, func(delivery.Entry) bool { return true })
	t.Caption = a.T("web.me.record")
	for i := range t.Rows { // a course opens only to those who take it
		t.Rows[i].Cells[0].Href = ""
	}
	if len(t.Rows) > 0 {
		p.Record = &t
	}
	page.Name, page.Data = "person", p
	page.Crumbs = append(page.Crumbs, Crumb{who.Name, ""})
	return s.show(w, r, a, page)
}

type teamData struct {
	Head    PageHead
	Figures []Figure
	Heat    *HeatMap
	Away    []Event
	Todo    *Table
	People  *Table
	Empty   *Empty
}

// team is a manager's page: who needs them, who is away when, how each person
// stands. They are the asker's own people, so persons are shown.
func (s *Server) team(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var n *names
	var staff []org.Person
	var level []assess.Standing
	var away []delivery.Meeting
	var late []delivery.Unfinished
	var now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if staff, err = org.Managed(ctx, t, a.As.ID); err != nil {
			return err
		}
		if level, err = assess.StandingsOf(ctx, t, a.As.ID); err != nil {
			return err
		}
		if away, err = delivery.Calendar(ctx, t, delivery.Whose{Unit: a.As.Unit}, t.Now.Add(-12*time.Hour), t.Now.AddDate(0, 2, 0)); err != nil {
			return err
		}
		late, err = delivery.UnfinishedOf(ctx, t, a.As.ID)
		return err
	})
	if err != nil {
		return err
	}
	p := teamData{Head: PageHead{Title: a.T("look.nav.team"), Lead: a.Say(a.Unit), Meta: []string{a.T("web.people.n", len(staff))}}}
	if len(staff) == 0 {
		p.Empty = &Empty{Icon: "team", Title: a.T("web.team.none"), Text: a.T("web.team.none.text")}
		return s.show(w, r, a, Page{Name: "team", Active: "team", Data: p})
	}
	below, missing := 0, 0
	rows := map[org.PersonID]map[org.SkillID]assess.Standing{}
	used := map[org.SkillID]bool{}
	for _, x := range level {
		if rows[x.Person] == nil {
			rows[x.Person] = map[org.SkillID]assess.Standing{}
		}
		rows[x.Person][x.Skill], used[x.Skill] = x, true
		if x.S+1.96*x.SSE < x.Required {
			below++
		}
	}
	h := HeatMap{Caption: a.T("web.team.heat"), Corner: a.T("web.person"), Scale: HeatGap, Max: 25}
	var cols []org.SkillID
	for _, k := range n.skills {
		if used[k.ID] {
			cols = append(cols, k.ID)
			h.Cols = append(h.Cols, HeatHead{Label: n.Skill(k.ID)})
		}
	}
	for _, x := range staff {
		if x.Manager != a.As.ID {
			continue
		}
		row := HeatRow{HeatHead: HeatHead{Label: x.Name, Sub: n.Position(x.Position), Href: "/team/" + string(x.ID)}}
		if rows[x.ID] == nil {
			missing++
		}
		for _, k := range cols {
			c, ok := rows[x.ID][k]
			row.Cells = append(row.Cells, HeatCell{Value: c.Required - c.S, Blank: !ok, Href: pick(ok, link("/evidence", "about", "skill/"+string(k), "who", string(x.Pseudonym)), "")})
		}
		h.Rows = append(h.Rows, row)
	}
	if len(cols) > 0 {
		p.Heat = &h
	}
	for _, m := range away {
		if m.Away > 0 {
			p.Away = append(p.Away, Event{At: a.In(m.StartsAt), Title: a.T("web.team.away", m.Away, a.Say(m.Title)), Text: a.F.Clock(a.In(m.StartsAt)) + "–" + a.F.Clock(a.In(m.EndsAt)), Tone: TonePrimary})
		}
	}
	overdue := 0
	t := Table{ID: "todo", Caption: a.T("web.team.open"), URL: url.URL{Path: "/team"}, Columns: []Column{{Label: a.T("web.name")}, {Label: a.T("web.courses"), Num: true}, {Label: a.T("web.progress"), Num: true}, {Label: a.T("web.due.col")}}}
	for len(late) > 0 { // what is due first comes first, and brings its person's other courses with it
		x := late[0]
		open, done, of := 0, 0, 0
		for _, y := range late {
			if y.Person == x.Person {
				open, done, of = open+1, done+y.Done, of+y.Of
			}
		}
		late = slices.DeleteFunc(late, func(y delivery.Unfinished) bool { return y.Person == x.Person })
		due := Cell{Text: "–"}
		if !x.Due.IsZero() {
			due = Cell{Text: a.F.Date(a.In(x.Due))}
			if x.Due.Before(now) {
				due.Tone, due.Sub = ToneBad, a.T("web.overdue")
				overdue++
			}
		}
		t.Rows = append(t.Rows, Row{[]Cell{{Text: x.Name, Href: "/team/" + string(x.Person)}, {Text: a.F.Number(float64(open), 0)}, {Text: a.T("web.n.of", done, of)}, due}})
	}
	if len(t.Rows) > 0 {
		p.Todo = &t
	}
	p.Figures = []Figure{
		{Label: a.T("web.team.overdue"), Value: float64(overdue), Tone: pick(overdue > 0, ToneGap, ToneGood)},
		{Label: a.T("web.team.below"), Value: float64(below), Compare: a.T("web.team.below.compare", len(level))},
		{Label: a.T("web.team.unmeasured"), Value: float64(missing), Compare: a.T("web.people.n", len(h.Rows))},
	}
	if len(staff) > len(h.Rows) || p.Heat == nil { // those who report through others, too
		t := peopleTable(a, n, staff, "/team/")
		t.Caption = a.T("look.nav.people")
		p.People = &t
	}
	return s.show(w, r, a, Page{Name: "team", Active: "team", Data: p})
}

type searchData struct {
	Head    PageHead
	Query   string
	People  *Table
	Courses *Table
	Skills  *Table
}

// search looks for people, courses and skills, as far as the asker may see them.
func (s *Server) search(w http.ResponseWriter, r *http.Request, a *Asker) error {
	q := r.FormValue("q")
	p := searchData{Head: PageHead{Title: a.T("web.search"), Lead: q}, Query: q}
	if q == "" {
		return s.show(w, r, a, Page{Name: "search", Data: p})
	}
	var n *names
	var people []org.Person
	var courses []content.Course
	var mine []delivery.Entry
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		switch {
		case a.Can(auth.ReadPeople):
			if people, err = org.Search(ctx, t, org.Query{Text: q, Number: 20}); err != nil {
				return err
			}
		case a.Can(auth.ReadTeam):
			if people, err = org.Managed(ctx, t, a.As.ID); err != nil {
				return err
			}
			people = slices.DeleteFunc(people, func(x org.Person) bool { return !matches(q, x.Name, x.Number) })
		}
		if a.Can(auth.ReadLoop) {
			courses, err = content.Courses(ctx, t)
		} else if a.Can(auth.Learn) {
			mine, err = delivery.Record(ctx, t, a.As.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(people) > 0 {
		t := peopleTable(a, n, people, pick(a.Can(auth.ReadPeople), "/people/", "/team/"))
		t.Caption = a.T("look.nav.people")
		p.People = &t
	}
	ct := Table{ID: "courses", Caption: a.T("web.courses"), Columns: []Column{{Label: a.T("web.course")}}}
	for _, c := range courses {
		if matches(q, c.Title.Zh, c.Title.En) {
			ct.Rows = append(ct.Rows, Row{[]Cell{{Text: a.Say(c.Title), Href: "/content/" + string(c.ID)}}})
		}
	}
	for _, e := range mine {
		if matches(q, e.Title.Zh, e.Title.En) {
			ct.Rows = append(ct.Rows, Row{[]Cell{{Text: a.Say(e.Title), Href: "/learn/" + string(e.Course)}}})
		}
	}
	if len(ct.Rows) > 0 {
		p.Courses = &ct
	}
	kt := Table{ID: "skills", Caption: a.T("web.skills"), Columns: []Column{{Label: a.T("web.skill")}}}
	for _, k := range n.skills {
		if a.Can(auth.ReadLoop) && matches(q, k.Name.Zh, k.Name.En) {
			kt.Rows = append(kt.Rows, Row{[]Cell{{Text: a.Say(k.Name), Href: "/needs/" + string(k.ID)}}})
		}
	}
	if len(kt.Rows) > 0 {
		p.Skills = &kt
	}
	return s.show(w, r, a, Page{Name: "search", Data: p})
}
