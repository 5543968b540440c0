package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/org"
)

type coursesData struct {
	Head  PageHead
	Tabs  []Tab
	Table Table
}

func contentTabs(a *Asker, items bool) []Tab {
	return []Tab{{Label: a.T("web.courses"), Href: "/content", Current: !items}, {Label: a.T("web.items"), Href: "/content/items", Current: items}}
}

func (s *Server) courses(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var all []content.Course
	var acts []content.Activity
	var n *names
	var offered map[content.CourseID]int
	var now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if all, err = content.Courses(ctx, t); err != nil {
			return err
		}
		if acts, err = content.Outline(ctx, t); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		turns, err := delivery.Programmes(ctx, t)
		if err != nil {
			return err
		}
		offered = map[content.CourseID]int{}
		for _, p := range turns {
			off, err := delivery.Offerings(ctx, t, p.ID)
			if err != nil {
				return err
			}
			for _, o := range off {
				offered[o.Course]++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p := coursesData{Head: PageHead{Title: a.T("look.nav.content"), Lead: a.T("web.content.lead")}, Tabs: contentTabs(a, false)}
	p.Table = Table{ID: "courses", Caption: a.T("web.courses"), Filter: len(all) > 8, URL: url.URL{Path: "/content"}, Columns: []Column{
		{Label: a.T("web.course")}, {Label: a.T("web.skills")}, {Label: a.T("web.activities"), Num: true}, {Label: a.T("web.time"), Num: true}, {Label: a.T("web.state")}, {Label: a.T("web.review.due")},
	}}
	for _, c := range all {
		count, minutes := 0, 0
		var skills []string
		for _, x := range acts {
			if x.Course != c.ID {
				continue
			}
			count, minutes = count+1, minutes+x.Minutes
			for _, k := range x.Teaches {
				if name := n.Skill(k.Skill); !slices.Contains(skills, name) {
					skills = append(skills, name)
				}
			}
		}
		due := Cell{Text: "–"}
		if !c.ReviewDue.IsZero() {
			due = Cell{Text: a.F.Date(a.In(c.ReviewDue))}
			if c.Stale(now) {
				due.Tone, due.Sub = ToneGap, a.T("web.stale")
			}
		}
		state := Cell{Text: a.T("web.course." + string(c.Status)), Pill: true, Tone: pick(c.Status == content.Published, ToneGood, ToneNone)}
		if offered[c.ID] > 0 {
			state.Sub = a.T("web.course.offered", offered[c.ID])
		}
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{{Text: a.Say(c.Title), Href: "/content/" + string(c.ID)}, {Text: a.F.List(skills)}, {Text: strconv.Itoa(count)}, {Text: a.F.Lang.Minutes(float64(minutes))}, state, due}})
	}
	if len(all) == 0 {
		p.Table.Empty = &Empty{Icon: "content", Title: a.T("web.content.none"), Text: a.T("web.content.none.text")}
	}
	return s.show(w, r, a, Page{Name: "courses", Active: "content", Data: p})
}

type courseData struct {
	Head       PageHead
	Stale      *Notice
	About      template.HTML
	Activities []activityPart
	Skills     *Table
}

type activityPart struct {
	ID, Title, Kind, Minutes string
	Body                     template.HTML
	Teaches                  []string
	Items                    []itemLine
	Nodes                    []nodeLine
	Questions                []string
	Evidence                 string
	Held                     string
}

type itemLine struct {
	Stem    string
	Options []answerOption // Chosen is the right one
}

type nodeLine struct {
	Says    string
	Choices []heard // Says the choice, Why what is said after
	Score   string
}

// course shows one course as its authors see it: everything in it, with the
// right answers and what each activity is believed to teach.
func (s *Server) course(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := content.CourseID(r.PathValue("course"))
	var c content.Course
	var acts []content.Activity
	var owner org.Person
	var n *names
	var now time.Time
	items := map[content.ItemID]content.Item{}
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if c, err = content.FindCourse(ctx, t, id); err != nil {
			return err
		}
		if acts, err = content.ActivitiesOf(ctx, t, id); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if c.Owner != "" {
			if owner, err = org.FindPerson(ctx, t, c.Owner); err != nil {
				return err
			}
		}
		var ids []content.ItemID
		for _, x := range acts {
			ids = append(ids, x.Spec.Items...)
		}
		if len(ids) == 0 {
			return nil
		}
		found, err := content.FindItems(ctx, t, ids...)
		for _, it := range found {
			items[it.ID] = it
		}
		return err
	})
	if err != nil {
		return err
	}
	minutes := 0
	p := courseData{Head: PageHead{Title: a.Say(c.Title), Meta: []string{a.T("web.course." + string(c.Status))}}}
	if p.About, err = content.HTML(a.Say(c.About)); err != nil {
		return err
	}
	if owner.Name != "" {
		p.Head.Meta = append(p.Head.Meta, a.T("web.course.owner", owner.Name))
	}
	if !c.ReviewDue.IsZero() {
		p.Head.Meta = append(p.Head.Meta, a.T("web.course.review", a.F.Date(a.In(c.ReviewDue))))
	}
	if c.Stale(now) {
		p.Stale = &Notice{Tone: ToneGap, Title: a.T("web.stale"), Text: a.T("web.stale.text")}
	}
	kt := Table{ID: "teaches", Caption: a.T("web.course.teaches"), Columns: []Column{{Label: a.T("web.activity")}, {Label: a.T("web.skill")}, {Label: a.T("web.course.share"), Num: true}, {Label: a.T("web.rate.lambda"), Num: true}, {Label: a.T("web.rate.from")}}}
	for _, x := range acts {
		minutes += x.Minutes
		part := activityPart{ID: string(x.ID), Title: a.Say(x.Title), Kind: a.T("content.kind."+string(x.Kind)) + " · " + a.T("content.method."+string(x.Method)), Minutes: a.F.Lang.Minutes(float64(x.Minutes)), Evidence: link("/evidence", "about", "activity/"+string(x.ID))}
		if part.Body, err = x.BodyIn(a.F.Lang); err != nil {
			return err
		}
		for _, k := range x.Teaches {
			rate, se := x.Believed(k, n.skill[k.Skill].Kind)
			from := a.T("web.rate.measured")
			if k.Rate == nil {
				from = a.T("web.rate.prior")
				if pr := content.Methods[x.Method]; pr != nil {
					from += " (" + pr.On(n.skill[k.Skill].Kind).Source + ")"
				}
			}
			kt.Rows = append(kt.Rows, Row{[]Cell{{Text: part.Title}, {Text: n.Skill(k.Skill)}, {Text: a.F.Percent(k.Share, 0)}, {Text: a.F.Number(rate, 2), Sub: "± " + a.F.Number(1.96*se, 2)}, {Text: from}}})
		}
		for _, q := range x.Spec.Items {
			it, ok := items[q]
			if !ok {
				continue
			}
			l := itemLine{Stem: a.Say(it.Stem)}
			for i, o := range it.Options {
				l.Options = append(l.Options, answerOption{Letter: string(rune('A' + i)), Text: a.Say(o), Chosen: i == it.Answer})
			}
			part.Items = append(part.Items, l)
		}
		for _, nd := range x.Spec.Nodes {
			l := nodeLine{Says: a.Say(nd.Says)}
			for _, ch := range nd.Choices {
				l.Choices = append(l.Choices, heard{Says: a.Say(ch.Says), Why: a.Say(ch.Why)})
			}
			if len(nd.Choices) == 0 {
				l.Score = a.F.Percent(nd.Score, 0)
			}
			part.Nodes = append(part.Nodes, l)
		}
		for _, q := range x.Spec.Questions {
			part.Questions = append(part.Questions, a.Say(q.Text))
		}
		p.Activities = append(p.Activities, part)
	}
	if len(kt.Rows) > 0 {
		p.Skills = &kt
	}
	p.Head.Meta = append(p.Head.Meta, a.T("web.course.sum", len(acts), a.F.Lang.Minutes(float64(minutes))))
	return s.show(w, r, a, Page{Name: "course", Active: "content", Crumbs: []Crumb{{a.T("look.nav.content"), "/content"}, {a.Say(c.Title), ""}}, Data: p})
}

type itemsData struct {
	Head  PageHead
	Tabs  []Tab
	Skill Field
	Table Table
}

func (s *Server) items(w http.ResponseWriter, r *http.Request, a *Asker) error {
	skill := org.SkillID(r.FormValue("skill"))
	var n *names
	var all []content.Item
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if skill == "" {
			all, err = content.Items(ctx, t)
		} else {
			all, err = content.Items(ctx, t, skill)
		}
		return err
	})
	if err != nil {
		return err
	}
	p := itemsData{Head: PageHead{Title: a.T("web.items"), Lead: a.T("web.items.lead")}, Tabs: contentTabs(a, true)}
	p.Skill = Field{Name: "skill", Label: a.T("web.skill"), Kind: "select", Value: string(skill), Options: []Option{{"", a.T("web.all"), false}}}
	for _, k := range n.skills {
		p.Skill.Options = append(p.Skill.Options, Option{Value: string(k.ID), Label: n.Skill(k.ID)})
	}
	q := r.FormValue("q")
	all = slices.DeleteFunc(all, func(it content.Item) bool { return !matches(q, it.Stem.Zh, it.Stem.En, it.Part.Zh, it.Part.En) })
	page, total := pageOf(r), len(all)
	from := min(total, (page-1)*perPage)
	p.Table = Table{ID: "items", Caption: a.T("web.items"), Filter: true, Query: q, URL: *r.URL, Page: page, PerPage: perPage, Total: total, Columns: []Column{
		{Label: a.T("web.item")}, {Label: a.T("web.skill")}, {Label: a.T("web.part")}, {Label: a.T("web.item.a"), Num: true}, {Label: a.T("web.item.b"), Num: true}, {Label: a.T("web.state")},
	}}
	num := func(v, se *float64) Cell {
		if v == nil {
			return Cell{Text: "–"}
		}
		c := Cell{Text: a.F.Number(*v, 2)}
		if se != nil && *se > 0 {
			c.Sub = "± " + a.F.Number(1.96**se, 2)
		}
		return c
	}
	for _, it := range all[from:min(total, from+perPage)] {
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{{Text: a.Say(it.Stem), Href: link("/evidence", "about", "item/"+string(it.ID))}, {Text: n.Skill(it.Skill)}, {Text: a.Say(it.Part)}, num(it.A, it.SEA), num(it.B, it.SEB),
			{Text: a.T("web.item." + string(it.Status)), Pill: true, Tone: pick(it.Status == content.Active, ToneGood, ToneNone)}}})
	}
	return s.show(w, r, a, Page{Name: "items", Active: "content", Data: p})
}
