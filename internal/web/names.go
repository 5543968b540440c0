package web

import (
	"context"
	"net/http"
	"strings"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/org"
)

// names are what the company calls things, for pages that show identifiers' names.
type names struct {
	a         *Asker
	skill     map[org.SkillID]org.Skill
	skills    []org.Skill // in the catalogue's order
	position  map[org.PositionID]org.Position
	unit      map[org.UnitID]*org.Branch
	leaves    []*org.Branch // units in which people work, in the tree's order
	positions []org.Position
}

// namesOf reads skills and positions, and the units too where they are wanted.
func namesOf(ctx context.Context, t *db.Tx, a *Asker, units bool) (*names, error) {
	n := &names{a: a, skill: map[org.SkillID]org.Skill{}, position: map[org.PositionID]org.Position{}, unit: map[org.UnitID]*org.Branch{}}
	var err error
	if n.skills, err = org.Skills(ctx, t); err != nil {
		return nil, err
	}
	for _, k := range n.skills {
		n.skill[k.ID] = k
	}
	if n.positions, err = org.Positions(ctx, t); err != nil {
		return nil, err
	}
	for _, p := range n.positions {
		n.position[p.ID] = p
	}
	if !units {
		return n, nil
	}
	tree, err := org.Tree(ctx, t)
	if err != nil {
		return nil, err
	}
	var walk func(all []*org.Branch)
	walk = func(all []*org.Branch) {
		for _, b := range all {
			n.unit[b.ID] = b
			below := 0
			for _, c := range b.Below {
				below += c.Staff
			}
			if b.Staff > below {
				n.leaves = append(n.leaves, b)
			}
			walk(b.Below)
		}
	}
	walk(tree)
	return n, nil
}

func (n *names) Skill(id org.SkillID) string {
	if k, ok := n.skill[id]; ok {
		return n.a.Say(k.Name)
	}
	return string(id)
}

func (n *names) Position(id org.PositionID) string {
	if p, ok := n.position[id]; ok {
		return n.a.Say(p.Name)
	}
	return string(id)
}

func (n *names) Unit(id org.UnitID) string {
	if b, ok := n.unit[id]; ok {
		return n.a.Say(b.Name)
	}
	return "–"
}

// Site names the unit above, such as the place that a team works at.
func (n *names) Above(id org.UnitID) string {
	if b, ok := n.unit[id]; ok && b.Parent != "" {
		return n.Unit(b.Parent)
	}
	return ""
}

// turn is the turn of the loop that a page speaks of: the one asked for by
// "programme", or the present one. Tabs lead to the others.
type turn struct {
	delivery.Programme
	All []delivery.Programme // newest first
}

// programme finds the turn that a page speaks of, or a NotFound fault where
// there is none yet.
func programme(ctx context.Context, t *db.Tx, r *http.Request) (turn, error) {
	all, err := delivery.Programmes(ctx, t)
	if err != nil {
		return turn{}, err
	}
	want := delivery.ProgrammeID(r.FormValue("programme"))
	out := turn{All: all}
	if want == "" {
		out.Programme, err = delivery.Current(ctx, t)
		return out, err
	}
	for _, p := range all {
		if p.ID == want {
			out.Programme = p
			return out, nil
		}
	}
	return out, fault.New(fault.NotFound, "not_found")
}

// none reports whether there is no programme at all.
func none(t turn, err error) bool { return fault.Of(err) == fault.NotFound && len(t.All) == 0 }

// tabs leads to the other turns of the loop, the first being the oldest.
func (t turn) tabs(a *Asker, path string) (tabs []Tab) {
	if len(t.All) < 2 {
		return nil
	}
	for i := len(t.All) - 1; i >= 0; i-- {
		p := t.All[i]
		tabs = append(tabs, Tab{Label: a.T("web.cycle", p.Cycle, a.Say(p.Name)), Href: link(path, "programme", string(p.ID)), Current: p.ID == t.ID})
	}
	return tabs
}

// noProgramme is shown where the loop has not begun.
func noProgramme(a *Asker) *Empty {
	e := &Empty{Icon: "overview", Title: a.T("web.programme.none"), Text: a.T("web.programme.none.text")}
	if a.Can("import_staff") {
		e.Next = &Action{Label: a.T("web.import.title"), Href: "/people/import", Icon: "upload", Primary: true}
	}
	return e
}

// device names a browser so that a person recognises it.
func device(agent string, a *Asker) string {
	kind := "web.device.computer"
	switch {
	case strings.Contains(agent, "Mobile") || strings.Contains(agent, "Android") || strings.Contains(agent, "iPhone"):
		kind = "web.device.phone"
	case !strings.HasPrefix(agent, "Mozilla"):
		kind = "web.device.other"
	}
	with := ""
	for _, b := range []struct{ sign, name string }{
		{"MicroMessenger", "WeChat"}, {"DingTalk", "DingTalk"}, {"Lark", "Feishu"}, {"Edg", "Edge"}, {"Firefox", "Firefox"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
	} {
		if strings.Contains(agent, b.sign) {
			with = b.name
			break
		}
	}
	on := ""
	for _, b := range []struct{ sign, name string }{
		{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, b.sign) {
			on = b.name
			break
		}
	}
	return strings.Join(strings.Fields(strings.Join([]string{a.T(kind), with, on}, " ")), " · ")
}
