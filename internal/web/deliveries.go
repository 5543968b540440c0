package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"attune/internal/audit"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/need"
	"attune/internal/org"
)

type deliveryData struct {
	Head     PageHead
	Tabs     []Tab
	Empty    *Empty
	Figures  []Figure
	Courses  Table
	Sessions Table
	Units    Table
}

// delivery shows how far the present programme has come: who takes part, which
// sessions were full, who waits.
func (s *Server) delivery(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var n *names
	var part []delivery.Participation
	var stand []delivery.Standing
	var meet []delivery.Meeting
	var here map[delivery.SessionID]delivery.Turnout
	var now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if part, err = recall(ctx, t, &s.memo, "participations "+string(tn.ID), func() ([]delivery.Participation, error) { return delivery.Participations(ctx, t, tn.ID) }); err != nil {
			return err
		}
		if stand, err = recall(ctx, t, &s.memo, "standings "+string(tn.ID), func() ([]delivery.Standing, error) { return delivery.Standings(ctx, t, tn.ID) }); err != nil {
			return err
		}
		if here, err = delivery.Turnouts(ctx, t, tn.ID); err != nil {
			return err
		}
		sessions, err := delivery.Sessions(ctx, t, tn.ID)
		if err != nil || len(sessions) == 0 {
			return err
		}
		meet, err = delivery.Calendar(ctx, t, delivery.Whose{Programme: tn.ID}, sessions[0].StartsAt, sessions[len(sessions)-1].EndsAt.Add(time.Second))
		return err
	})
	p := deliveryData{Head: PageHead{Title: a.T("look.nav.delivery"), Lead: a.T("web.delivery.lead")}}
	if none(tn, err) {
		p.Empty = noProgramme(a)
		return s.show(w, r, a, Page{Name: "delivery", Active: "delivery", Data: p})
	} else if err != nil {
		return err
	}
	p.Tabs = tn.tabs(a, "/delivery")
	p.Head.Meta = []string{a.Say(tn.Name), a.T("delivery.stage." + string(tn.Stage))}
	if len(stand) == 0 {
		p.Empty = &Empty{Icon: "delivery", Title: a.T("web.delivery.none"), Text: a.T("web.delivery.none.text"), Next: &Action{Label: a.T("look.nav.plan"), Href: link("/plan", "programme", string(tn.ID))}}
		return s.show(w, r, a, Page{Name: "delivery", Active: "delivery", Data: p})
	}
	var people, took, places, finished, waiting, missed int
	for _, x := range part {
		people, took, places, finished = people+x.People, took+x.Took, places+x.Places, finished+x.Finished
	}
	p.Courses = Table{ID: "courses", Caption: a.T("web.delivery.courses"), Columns: []Column{
		{Label: a.T("web.course")}, {Label: a.T("web.enrolled"), Num: true}, {Label: a.T("web.begun"), Num: true}, {Label: a.T("web.finished"), Num: true}, {Label: a.T("web.completion"), Num: true},
		{Label: a.T("web.missed"), Num: true}, {Label: a.T("web.waiting"), Num: true}, {Label: a.T("web.exempt"), Num: true},
	}}
	num := func(v int) Cell { return Cell{Text: a.F.Number(float64(v), 0)} }
	for _, x := range stand {
		waiting, missed = waiting+x.Waiting, missed+x.Missed
		ev := link("/evidence", "about", "offering/"+string(x.Offering))
		rate := Cell{Text: a.F.Percent(share(x.Done, x.Enrolled), 0)}
		p.Courses.Rows = append(p.Courses.Rows, Row{[]Cell{{Text: a.Say(x.Title), Sub: a.T(pick(x.Dated, "web.dated", "web.alone")), Href: "/content/" + string(x.Course)},
			{Text: a.F.Number(float64(x.Enrolled), 0), Href: ev}, num(x.Begun), num(x.Done), rate, num(x.Missed), num(x.Waiting), num(x.Exempt)}})
	}
	p.Figures = []Figure{
		{Label: a.T("web.participation"), Value: share(took, people), Percent: true, Compare: a.T("web.n.of.people", took, people), Href: link("/evidence", "about", "programme/"+string(tn.ID))},
		{Label: a.T("web.completion"), Value: share(finished, places), Percent: true, Compare: a.T("web.n.of.places", finished, places), Href: link("/evidence", "about", "programme/"+string(tn.ID), "verb", "completed")},
		{Label: a.T("web.missed"), Value: float64(missed), Href: link("/evidence", "about", "programme/"+string(tn.ID), "verb", "missed"), Tone: pick(missed > 0, ToneGap, ToneNone)},
		{Label: a.T("web.waiting"), Value: float64(waiting), Compare: a.T("web.waiting.compare")},
	}
	p.Sessions = Table{ID: "sessions", Caption: a.T("web.sessions.dated"), Filter: len(meet) > 12, URL: url.URL{Path: "/delivery"}, Columns: []Column{
		{Label: a.T("web.session.time")}, {Label: a.T("web.course")}, {Label: a.T("web.room")}, {Label: a.T("web.trainer")}, {Label: a.T("web.enrolled"), Num: true}, {Label: a.T("web.came.col"), Num: true}, {Label: a.T("web.waiting"), Num: true},
	}}
	for _, m := range meet {
		c := here[m.ID]
		came := Cell{Text: "–"}
		if c != (delivery.Turnout{}) {
			came = Cell{Text: a.F.Number(float64(c.Present+c.Late), 0), Sub: a.T("web.came.sub", c.Late, c.Absent)}
		} else if m.EndsAt.Before(now) {
			came = Cell{Text: a.T("web.sheet.open"), Tone: ToneGap}
		}
		when := Cell{Text: a.F.Day(a.In(m.StartsAt)) + " " + a.F.Weekday(a.In(m.StartsAt)) + " " + a.F.Clock(a.In(m.StartsAt)) + "–" + a.F.Clock(a.In(m.EndsAt))}
		if a.Can("teach") {
			when.Href = "/sessions/" + string(m.ID)
		}
		room := m.Room
		if room == "" {
			room = a.T("web.online")
		}
		p.Sessions.Rows = append(p.Sessions.Rows, Row{[]Cell{when, {Text: a.Say(m.Title)}, {Text: room, Sub: siteName(n, m.Site)}, {Text: m.Trainer}, {Text: a.T("web.n.of", m.Enrolled, m.Seats)}, came, num(m.Waiting)}})
	}
	p.Units = Table{ID: "units", Caption: a.T("web.delivery.units"), Filter: len(part) > 12, URL: url.URL{Path: "/delivery"}, Columns: []Column{
		{Label: a.T("web.team")}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.participation"), Num: true}, {Label: a.T("web.places.col"), Num: true}, {Label: a.T("web.completion"), Num: true},
	}}
	for _, x := range part {
		if x.People < need.Fewest {
			p.Units.Rows = append(p.Units.Rows, Row{[]Cell{{Text: n.Unit(x.Unit), Sub: n.Above(x.Unit)}, {Text: a.T("look.heat.few")}, {Text: "–"}, {Text: "–"}, {Text: "–"}}})
			continue
		}
		p.Units.Rows = append(p.Units.Rows, Row{[]Cell{{Text: n.Unit(x.Unit), Sub: n.Above(x.Unit)}, num(x.People), {Text: a.F.Percent(share(x.Took, x.People), 0)}, num(x.Places), {Text: a.F.Percent(share(x.Finished, x.Places), 0)}}})
	}
	return s.show(w, r, a, Page{Name: "delivery", Active: "delivery", Data: p})
}

func siteName(n *names, id org.UnitID) string {
	if id == "" {
		return ""
	}
	return n.Unit(id)
}

type sessionData struct {
	Head    PageHead
	Code    string
	CodeFor string
	Sheet   []sheetLine
	Session string
	Open    bool // it can be signed in to now
	Over    bool
	Close   *Confirm
	Done    int
}

type sheetLine struct {
	delivery.Line
	Team, State string
	Tone        Tone
}

// session is a dated session with its sign-in sheet and the code to show.
func (s *Server) session(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := delivery.SessionID(r.PathValue("session"))
	var ss delivery.Session
	var offer map[delivery.OfferingID]string
	var sheet []delivery.Line
	var n *names
	var code string
	var until, now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if ss, err = delivery.FindSession(ctx, t, id); err != nil {
			return err
		}
		o, err := delivery.FindOffering(ctx, t, ss.Offering)
		if err != nil {
			return err
		}
		if offer, _, err = offerNames(ctx, t, a, o.Programme); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if sheet, err = delivery.Sheet(ctx, t, id); err != nil {
			return err
		}
		code, until, err = delivery.Code(ctx, t, id)
		return err
	})
	if err != nil {
		return err
	}
	p := sessionData{Session: string(id), Head: PageHead{Title: offer[ss.Offering], Lead: a.F.Weekday(a.In(ss.StartsAt)) + " " + a.F.Date(a.In(ss.StartsAt)) + " " + a.F.Clock(a.In(ss.StartsAt)) + "–" + a.F.Clock(a.In(ss.EndsAt)),
		Meta: []string{ss.Room, ss.Trainer, a.T("web.n.of", len(sheet), ss.Seats)}}}
	p.Open = !now.Before(ss.StartsAt.Add(-delivery.SignInEarly)) && now.Before(ss.EndsAt)
	p.Over = !now.Before(ss.EndsAt)
	if p.Open {
		p.Code, p.CodeFor = code, a.T("web.session.code.until", a.F.Clock(a.In(until)))
	}
	missing := 0
	for _, l := range sheet {
		x := sheetLine{Line: l, Team: n.Unit(l.Unit), State: a.T("web.sheet.not_yet")}
		if l.Presence != "" {
			x.State = a.T("delivery.presence." + string(l.Presence))
			x.Tone = map[delivery.Presence]Tone{delivery.Present: ToneGood, delivery.Late: ToneGap, delivery.Absent: ToneBad}[l.Presence]
			p.Done++
		} else {
			missing++
		}
		p.Sheet = append(p.Sheet, x)
	}
	if p.Over && missing > 0 {
		p.Close = &Confirm{ID: "close", Title: a.T("web.sheet.close.title"), Text: a.T("web.sheet.close.text", missing), Post: "/sessions/" + string(id) + "/close", Label: a.T("web.sheet.close")}
		p.Head.Actions = []Action{{Label: a.T("web.sheet.close"), Dialog: "close"}}
	}
	return s.show(w, r, a, Page{Name: "session", Active: "delivery", Crumbs: []Crumb{{a.T("look.nav.delivery"), "/delivery"}, {offer[ss.Offering], ""}}, Data: p})
}

// mark takes the sign-in sheet in: those who are ticked, as present, late or absent.
func (s *Server) mark(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id := delivery.SessionID(r.PathValue("session"))
	var who []org.PersonID
	for _, x := range r.Form["person"] {
		if !slices.Contains(who, org.PersonID(x)) {
			who = append(who, org.PersonID(x))
		}
	}
	if len(who) == 0 {
		return fault.New(fault.Invalid, "web.sheet.nobody")
	}
	as := r.FormValue("as")
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		switch delivery.Presence(as) {
		case delivery.Present:
			err = delivery.MarkAttendance(ctx, t, id, who)
		case delivery.Late:
			err = delivery.MarkLate(ctx, t, id, who)
		case delivery.Absent:
			err = delivery.MarkAbsent(ctx, t, id, who)
		default:
			err = fault.New(fault.Invalid, "web.sheet.nobody")
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "session.mark", "session/"+string(id), map[string]any{"as": as, "people": len(who)})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.sheet.saved", Args: []string{a.F.Number(float64(len(who)), 0)}})
	return to(w, r, "/sessions/"+string(id))
}

func (s *Server) closeSheet(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := delivery.SessionID(r.PathValue("session"))
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		count, err := delivery.CloseSheet(ctx, t, id)
		if err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "session.close", "session/"+string(id), map[string]any{"absent": count})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.sheet.closed"})
	return to(w, r, "/sessions/"+string(id))
}
