package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"attune/internal/assess"
	"attune/internal/auth"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/need"
	"attune/internal/org"
	"attune/internal/record"
)

// about is which statements a page of evidence shows: those behind a figure.
type about struct {
	kind, id string // of what
	skill    org.SkillID
	test     assess.TestID
	unit     org.UnitID
	within   string
	who      org.Pseudonym
	verb     record.Verb
}

func aboutOf(r *http.Request) (about, error) {
	kind, id, ok := strings.Cut(r.FormValue("about"), "/")
	if !ok || id == "" {
		return about{}, fault.New(fault.NotFound, "web.evidence.unknown")
	}
	return about{kind: kind, id: id, test: assess.TestID(r.FormValue("test")), unit: org.UnitID(r.FormValue("unit")), within: r.FormValue("within"),
		who: org.Pseudonym(r.FormValue("who")), verb: record.Verb(r.FormValue("verb"))}, nil
}

// allowed reports whether the asker may read what q asks for: their own
// statements always; those of people they manage, if they lead a team; all, if
// they may read the loop. Nobody reads a group of under five through here who
// may not read persons.
func (s *Server) allowed(ctx context.Context, t *db.Tx, a *Asker, q about) error {
	who := q.who
	if q.kind == "person" {
		who = org.Pseudonym(q.id)
	}
	if who != "" {
		if who == a.As.Pseudonym && a.As.Pseudonym != "" || a.Can(auth.ReadPeople) {
			return nil
		}
		if a.Can(auth.ReadTeam) {
			team, err := org.Managed(ctx, t, a.As.ID)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(team, func(p org.Person) bool { return p.Pseudonym == who }) {
				return nil
			}
		}
		return fault.New(fault.NotFound, "not_found")
	}
	if q.kind == "attempt" {
		if a.Can(auth.ReadPeople) {
			return nil
		}
		_, err := assess.FindAttempt(ctx, t, assess.AttemptID(q.id), a.As.ID)
		return err
	}
	if !a.Can(auth.ReadLoop) {
		return fault.New(fault.Denied, "denied")
	}
	if q.unit != "" && !a.Can(auth.ReadPeople) {
		staff, err := org.Staff(ctx, t, q.unit)
		if err != nil {
			return err
		}
		if len(staff) < need.Fewest {
			return fault.New(fault.Denied, "web.evidence.few")
		}
	}
	return nil
}

// find returns a page of the statements behind a figure, and how many there are.
func (q about) find(ctx context.Context, t *db.Tx, skip, limit int) ([]record.Statement, int, error) {
	b := assess.Behind{Test: q.test, Unit: q.unit, Person: q.who}
	switch {
	case q.kind == "test":
		b.Test = assess.TestID(q.id)
	case q.kind == "skill" && q.within == "":
		b.Skill = org.SkillID(q.id)
	case q.kind == "item":
		b.Item = q.id
	default:
		sel := record.Query{Actor: q.who, Verb: q.verb}
		switch q.kind {
		case "person":
			sel.Actor = org.Pseudonym(q.id)
		case "programme", "attempt":
			sel.Context = q.kind + "/" + q.id
		default:
			sel.Object, sel.Context = q.kind+"/"+q.id, q.within
		}
		n, err := record.Count(ctx, t, sel)
		if err != nil {
			return nil, 0, err
		}
		all, err := record.Skip(ctx, t, sel, skip, limit)
		return all, n, err
	}
	ids, n, err := assess.Statements(ctx, t, b, skip, limit)
	if err != nil {
		return nil, 0, err
	}
	all, err := record.FindAll(ctx, t, ids)
	return all, n, err
}

type evidenceData struct {
	Head  PageHead
	Table Table
}

// naming turns the objects of statements into words.
type naming struct {
	a    *Asker
	n    *names
	item map[content.ItemID]content.Item
	act  map[content.ActivityID]content.Activity
	prog map[delivery.ProgrammeID]string
	test map[assess.TestID]string
}

func namingOf(ctx context.Context, t *db.Tx, a *Asker, n *names, all []record.Statement) (*naming, error) {
	m := &naming{a, n, map[content.ItemID]content.Item{}, map[content.ActivityID]content.Activity{}, map[delivery.ProgrammeID]string{}, map[assess.TestID]string{}}
	var items []content.ItemID
	acts := false
	for _, s := range all {
		if id, ok := strings.CutPrefix(s.Object, "item/"); ok && !slices.Contains(items, content.ItemID(id)) {
			items = append(items, content.ItemID(id))
		}
		acts = acts || strings.HasPrefix(s.Object, "activity/") || strings.HasPrefix(s.Context, "activity/")
	}
	if len(items) > 0 {
		found, err := content.FindItems(ctx, t, items...)
		if err != nil {
			return nil, err
		}
		for _, it := range found {
			m.item[it.ID] = it
		}
	}
	if acts {
		found, err := content.Outline(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			m.act[x.ID] = x
		}
	}
	turns, err := delivery.Programmes(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, p := range turns {
		m.prog[p.ID] = a.Say(p.Name)
		tests, err := assess.Tests(ctx, t, p.ID)
		if err != nil {
			return nil, err
		}
		for _, x := range tests {
			m.test[x.ID] = a.Say(x.Name)
		}
	}
	return m, nil
}

// Object names what a statement is about: its kind, and its name where known.
func (m *naming) Object(object string) string {
	kind, id, _ := strings.Cut(object, "/")
	name := ""
	switch kind {
	case "item":
		it := m.item[content.ItemID(id)]
		name = m.a.Say(it.Stem)
	case "activity":
		x := m.act[content.ActivityID(id)]
		name = m.a.Say(x.Title)
	case "skill":
		name = m.n.Skill(org.SkillID(id))
	case "programme":
		name = m.prog[delivery.ProgrammeID(id)]
	case "test":
		name = m.test[assess.TestID(id)]
	}
	label := m.a.T("web.object." + kind)
	if name == "" {
		return label
	}
	return m.a.T("web.pair", label, name)
}

// result says what came of a statement, in short.
func (m *naming) result(s record.Statement) string {
	var parts []string
	if s.Success != nil {
		parts = append(parts, m.a.T(pick(*s.Success, "web.ev.right", "web.ev.wrong")))
	}
	if s.Response != "" && strings.HasPrefix(s.Object, "item/") {
		parts = append(parts, m.a.T("web.ev.chose", letter(s.Response)))
	}
	if s.Score != nil {
		parts = append(parts, m.a.F.Percent(*s.Score, 0))
	}
	if s.Duration > 0 {
		parts = append(parts, m.a.F.Lang.Minutes(s.Duration.Minutes()))
	}
	if able, ok := s.Extra["able"]; ok {
		parts = append(parts, m.a.T("web.ev.rating", fmt.Sprint(able), fmt.Sprint(s.Extra["important"])))
	}
	return strings.Join(parts, " · ")
}

// letter is an option as people name it; tests keep its index.
func letter(response string) string {
	if len(response) == 1 && response[0] >= '0' && response[0] <= '9' {
		return string(rune('A' + response[0] - '0'))
	}
	return response
}

func (s *Server) evidence(w http.ResponseWriter, r *http.Request, a *Asker) error {
	q, err := aboutOf(r)
	if err != nil {
		return err
	}
	page := pageOf(r)
	var all []record.Statement
	var total int
	var n *names
	var m *naming
	people := map[org.Pseudonym]org.Person{}
	err = s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if err = s.allowed(ctx, t, a, q); err != nil {
			return err
		}
		if all, total, err = q.find(ctx, t, (page-1)*perPage, perPage); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, q.unit != ""); err != nil {
			return err
		}
		if m, err = namingOf(ctx, t, a, n, all); err != nil {
			return err
		}
		if a.Can(auth.ReadPeople) {
			var who []org.Pseudonym
			for _, x := range all {
				who = append(who, x.Actor)
			}
			found, err := org.FindByPseudonyms(ctx, t, who)
			for _, p := range found {
				people[p.Pseudonym] = p
			}
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	title := m.Object(q.kind + "/" + q.id)
	if q.kind == "person" {
		title = a.T("web.object.person")
		if q.id == string(a.As.Pseudonym) {
			title = a.T("web.evidence.mine")
		}
	}
	p := evidenceData{Head: PageHead{Title: a.T("web.evidence"), Lead: title, Meta: []string{a.T("web.evidence.count", total)}}}
	if q.unit != "" {
		p.Head.Meta = append(p.Head.Meta, n.Unit(q.unit))
	}
	if q.who != "" {
		p.Head.Meta = append(p.Head.Meta, a.T("web.evidence.person"))
	}
	p.Head.Actions = []Action{{Label: a.T("web.evidence.download"), Href: "/evidence.json?" + r.URL.RawQuery, Icon: "download"}}
	p.Table = Table{ID: "statements", URL: *r.URL, Page: page, PerPage: perPage, Total: total, Columns: []Column{
		{Label: a.T("web.time")}, {Label: a.T("web.who")}, {Label: a.T("web.did")}, {Label: a.T("web.what")}, {Label: a.T("web.came")},
	}}
	for _, x := range all {
		who := Cell{Text: short(string(x.Actor))}
		if f, ok := people[x.Actor]; ok {
			who.Href, who.Sub = "/people/"+string(f.ID), f.Name
		} else if x.Actor == a.As.Pseudonym && a.As.Pseudonym != "" {
			who.Sub = a.As.Name
		}
		res := Cell{Text: m.result(x)}
		if x.Success != nil {
			res.Tone = pick(*x.Success, ToneGood, ToneGap)
		}
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{{Text: a.F.DateTime(a.In(x.At)), Href: "/evidence/" + string(x.ID)}, who, {Text: a.T("record.verb." + string(x.Verb))}, {Text: m.Object(x.Object)}, res}})
	}
	return s.show(w, r, a, Page{Name: "evidence", Active: evidencePlace(a, q), Data: p})
}

// evidencePlace is the place of the navigation that evidence belongs to.
func evidencePlace(a *Asker, q about) string {
	switch {
	case !a.Can(auth.ReadLoop):
		return "me"
	case q.kind == "skill" || q.kind == "survey":
		return "needs"
	case q.kind == "test" || q.kind == "item" || q.kind == "activity":
		return "effect"
	}
	return "overview"
}

// short is the beginning of an opaque identifier, enough to tell rows apart.
func short(id string) string { return id[:min(8, len(id))] }

const mostExported = 10_000

// evidenceFile is the same as a file: a JSON list of xAPI statements.
func (s *Server) evidenceFile(w http.ResponseWriter, r *http.Request, a *Asker) error {
	q, err := aboutOf(r)
	if err != nil {
		return err
	}
	var all []record.Statement
	err = s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if err = s.allowed(ctx, t, a, q); err != nil {
			return err
		}
		all, _, err = q.find(ctx, t, 0, mostExported)
		return err
	})
	if err != nil {
		return err
	}
	out := make([]map[string]any, len(all))
	for i, x := range all {
		out[i] = record.XAPI(x, base(r))
	}
	w.Header().Set("Content-Disposition", `attachment; filename="statements.json"`)
	return writeJSON(w, http.StatusOK, out)
}

// base is the address of this site, as the asker sees it.
func base(r *http.Request) string {
	if secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

type statementData struct {
	Head PageHead
	Text string
}

// statement shows one statement whole, as xAPI.
func (s *Server) statement(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var x record.Statement
	var n *names
	var m *naming
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if x, err = record.Find(ctx, t, record.StatementID(r.PathValue("statement"))); err != nil {
			return err
		}
		if !a.Can(auth.ReadLoop) {
			if err := s.allowed(ctx, t, a, about{kind: "person", id: string(x.Actor)}); err != nil {
				return err
			}
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		m, err = namingOf(ctx, t, a, n, []record.Statement{x})
		return err
	})
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(record.XAPI(x, base(r)), "", "  ")
	if err != nil {
		return err
	}
	return s.show(w, r, a, Page{Name: "statement", Active: evidencePlace(a, about{}), Data: statementData{
		PageHead{Title: a.T("record.verb." + string(x.Verb)), Lead: m.Object(x.Object), Meta: []string{a.F.DateTime(a.In(x.At)), short(string(x.Actor)), m.result(x)}}, string(body)}})
}
