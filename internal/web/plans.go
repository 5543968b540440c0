package web

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/solve"
	"attune/internal/fault"
	"attune/internal/job"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/plan"
)

type planData struct {
	Head      PageHead
	Tabs      []Tab
	Empty     *Empty
	Status    Pill
	Gauge     *Gauge
	Facts     []Figure
	Prices    *Bars
	Use       *Table
	Pools     *Table
	Conflicts []Notice
	Warnings  []string
	Calendar  *Calendar
	Week      []Tab
	Session   *Table
	Others    *Table
	Solve     bool
	Options   []Field
	Programme string
	Approve   *Confirm
}

// offerNames are the titles of a programme's offerings.
func offerNames(ctx context.Context, t *db.Tx, a *Asker, id delivery.ProgrammeID) (map[delivery.OfferingID]string, []delivery.Offering, error) {
	all, err := delivery.Offerings(ctx, t, id)
	if err != nil {
		return nil, nil, err
	}
	courses, err := content.Courses(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	title := map[content.CourseID]locale.Text{}
	for _, c := range courses {
		title[c.ID] = c.Title
	}
	names := map[delivery.OfferingID]string{}
	for _, o := range all {
		names[o.ID] = a.Say(title[o.Course])
	}
	return names, all, nil
}

func (s *Server) plan(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var tn turn
	var n *names
	var pl plan.Plan
	var plans []plan.Plan
	var offer map[delivery.OfferingID]string
	var offerings []delivery.Offering
	var meet []delivery.Meeting
	var sessions []delivery.Session
	var inSession []plan.Choice
	session := delivery.SessionID(r.FormValue("session"))
	var people map[org.PersonID]org.Person
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if tn, err = programme(ctx, t, r); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, true); err != nil {
			return err
		}
		if id := plan.ID(r.FormValue("plan")); id != "" {
			pl, err = plan.Find(ctx, t, id)
		} else {
			pl, err = plan.Current(ctx, t, tn.ID)
		}
		if absent(err) != nil {
			return err
		}
		if plans, err = plan.Plans(ctx, t, tn.ID); err != nil {
			return err
		}
		if offer, offerings, err = offerNames(ctx, t, a, tn.ID); err != nil {
			return err
		}
		if sessions, err = delivery.Sessions(ctx, t, tn.ID); err != nil {
			return err
		}
		if len(sessions) > 0 {
			first, last := sessions[0].StartsAt, sessions[len(sessions)-1].EndsAt
			if meet, err = delivery.Calendar(ctx, t, delivery.Whose{Programme: tn.ID}, first, last.Add(time.Second)); err != nil {
				return err
			}
		}
		if session == "" || pl.ID == "" {
			return nil
		}
		all, err := plan.Choices(ctx, t, pl.ID)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.Session == session {
				inSession = append(inSession, c)
			}
		}
		if a.Can(auth.ReadPeople) {
			everybody, err := org.People(ctx, t)
			if err != nil {
				return err
			}
			people = map[org.PersonID]org.Person{}
			for _, x := range everybody {
				people[x.ID] = x
			}
		}
		return nil
	})
	p := planData{Head: PageHead{Title: a.T("look.nav.plan"), Lead: a.T("web.plan.lead")}}
	if none(tn, err) {
		p.Empty = noProgramme(a)
		return s.show(w, r, a, Page{Name: "plan", Active: "plan", Data: p})
	} else if err != nil {
		return err
	}
	p.Tabs = tn.tabs(a, "/plan")
	p.Programme = string(tn.ID)
	p.Head.Meta = []string{a.Say(tn.Name), a.T("web.plan.frame", tn.Days, a.F.Number(tn.Hours, 1), money(a, tn.Money))}
	early := !slices.Contains([]delivery.Stage{delivery.StageDelivery, delivery.StageEvaluate, delivery.StageClosed}, tn.Stage)
	if p.Solve = a.Can(auth.ManageLoop) && early && len(offerings) > 0; p.Solve {
		d := plan.DefaultOptions(1)
		p.Options = []Field{
			{Name: "away", Label: a.T("web.plan.away"), Kind: "number", Value: strconv.Itoa(int(100 * d.Away)), Min: "1", Max: "100", Step: "1", Unit: "%", Hint: a.T("web.plan.away.hint")},
			{Name: "gap", Label: a.T("web.plan.stop"), Kind: "number", Value: "0.5", Min: "0", Max: "10", Step: "0.1", Unit: "%", Hint: a.T("web.plan.stop.hint")},
			{Name: "detect", Label: a.T("web.plan.detect"), Kind: "number", Value: fmt.Sprint(d.Detect), Min: "0.1", Max: "1", Step: "0.05", Unit: "E", Hint: a.T("web.plan.detect.hint")},
			{Name: "draw", Label: a.T("web.plan.draw"), Kind: "checkbox", Value: "1", Hint: a.T("web.plan.draw.hint")},
		}
	}
	if len(meet) > 0 {
		p.Calendar, p.Week = calendarOf(a, tn, pl, meet, r.FormValue("week"))
	}
	if pl.ID == "" {
		p.Empty = &Empty{Icon: "plan", Title: a.T("web.plan.none"), Text: a.T(pick(len(offerings) == 0, "web.plan.none.offerings", "web.plan.none.text"))}
		return s.show(w, r, a, Page{Name: "plan", Active: "plan", Data: p})
	}
	res := pl.Result
	p.Status = Pill{Text: a.T("web.plan.status." + string(pl.Status)), Tone: map[plan.Status]Tone{plan.Approved: ToneGood, plan.Solved: TonePrimary, plan.Infeasible: ToneBad}[pl.Status]}
	if pl.Status != plan.Infeasible {
		p.Gauge = &Gauge{Label: a.T("web.plan.objective"), Value: res.Objective, Bound: res.Bound, Digits: 1, Unit: "E"}
		p.Facts = []Figure{
			{Label: a.T("web.plan.people"), Value: float64(res.People), Compare: a.T("web.plan.people.compare")},
			{Label: a.T("web.plan.enrolments"), Value: float64(res.Enrolments)},
			{Label: a.T("web.plan.hours"), Value: res.Hours, Unit: a.T("web.hours"), Compare: a.T("web.plan.hours.compare", a.F.Number(res.Hours/float64(max(1, res.People)), 1))},
			{Label: a.T("web.plan.cost"), Text: money(a, res.Cost), Compare: a.T("web.plan.cost.compare", a.F.Percent(res.Cost/tn.Money, 0), money(a, tn.Money))},
		}
	}
	for _, k := range res.Warnings {
		p.Warnings = append(p.Warnings, a.T(k))
	}
	byID := map[delivery.SessionID]delivery.Session{}
	for _, x := range sessions {
		byID[x.ID] = x
	}
	for _, c := range res.Conflicts {
		var what []string
		for _, o := range c.Offerings {
			what = append(what, offer[o])
		}
		p.Conflicts = append(p.Conflicts, Notice{Tone: ToneBad, Title: a.T("web.rule." + string(c.Rule)),
			Text: a.T("web.plan.conflict", a.F.List(what), len(c.People), a.F.Number(c.Need, 1), a.F.Number(c.Have, 1))})
	}
	if len(res.Prices) > 0 {
		p.Prices = priceBars(a, n, tn, pl, offer, byID)
	}
	if len(res.Offerings) > 0 {
		u := Table{ID: "use", Caption: a.T("web.plan.use"), Columns: []Column{{Label: a.T("web.course")}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.seats"), Num: true}, {Label: a.T("web.plan.full"), Num: true}}}
		for _, x := range res.Offerings {
			seats, full := a.T("web.unlimited"), "–"
			if x.Seats >= 0 {
				seats, full = a.F.Number(float64(x.Seats), 0), a.F.Percent(share(x.People, x.Seats), 0)
			}
			u.Rows = append(u.Rows, Row{[]Cell{{Text: offer[x.Offering]}, {Text: a.F.Number(float64(x.People), 0)}, {Text: seats}, {Text: full}}})
		}
		p.Use = &u
	}
	if len(res.Pools) > 0 {
		u := Table{ID: "pools", Caption: a.T("web.plan.pools"), Columns: []Column{
			{Label: a.T("web.course")}, {Label: a.T("web.pool.people"), Num: true}, {Label: a.T("web.seats"), Num: true}, {Label: a.T("web.pool.band"), Num: true},
			{Label: a.T("web.pool.cost"), Num: true}, {Label: a.T("web.pool.detect"), Num: true},
		}}
		for _, x := range res.Pools {
			u.Rows = append(u.Rows, Row{[]Cell{
				{Text: offer[x.Offering], Href: link("/plans/"+string(pl.ID)+"/pools/"+string(x.Offering), "programme", string(tn.ID))},
				{Text: a.F.Number(float64(len(x.Lots)), 0)}, {Text: a.F.Number(float64(x.Seats), 0)}, {Text: "± " + a.F.Number(x.Band, 3)},
				{Text: a.F.Number(x.Cost, 2) + " E"}, {Text: a.F.Number(x.Detectable, 2) + " σ"},
			}})
		}
		p.Pools = &u
	}
	if session != "" {
		ss := byID[session]
		u := Table{ID: "session-people", Caption: a.T("web.plan.session", offer[ss.Offering], a.F.DateTime(a.In(ss.StartsAt)), len(inSession), ss.Seats), Filter: len(inSession) > 10, URL: url.URL{Path: "/plan"}, Columns: []Column{
			{Label: a.T("web.name")}, {Label: a.T("web.team")}, {Label: a.T("web.position")}, {Label: a.T("web.plan.by")},
		}}
		for _, c := range inSession {
			x, ok := people[c.Person]
			if !ok {
				continue
			}
			by := Cell{Text: a.T("delivery.source.plan"), Pill: true}
			if c.Drawn {
				by = Cell{Text: a.T("delivery.source.draw"), Pill: true, Tone: TonePrimary}
			}
			u.Rows = append(u.Rows, Row{[]Cell{{Text: x.Name, Sub: x.Number, Href: "/people/" + string(x.ID)}, {Text: n.Unit(x.Unit)}, {Text: n.Position(x.Position)}, by}})
		}
		p.Session = &u
	}
	if len(plans) > 1 {
		u := Table{ID: "plans", Caption: a.T("web.plan.others"), Columns: []Column{{Label: a.T("web.plan.made")}, {Label: a.T("web.state")}, {Label: a.T("web.plan.objective"), Num: true}, {Label: a.T("web.plan.gap"), Num: true}, {Label: a.T("web.plan.cost"), Num: true}}}
		for _, x := range plans {
			u.Rows = append(u.Rows, Row{[]Cell{
				{Text: a.F.DateTime(a.In(x.CreatedAt)), Href: link("/plan", "programme", string(tn.ID), "plan", string(x.ID)), Sub: x.Name},
				{Text: a.T("web.plan.status." + string(x.Status)), Pill: true}, {Text: a.F.Number(x.Result.Objective, 2)}, {Text: a.F.Percent(x.Result.Gap, 2)}, {Text: money(a, x.Result.Cost)},
			}})
		}
		p.Others = &u
	}
	if pl.Status == plan.Solved && a.Can(auth.ManageLoop) && early {
		p.Approve = &Confirm{ID: "approve", Title: a.T("web.plan.approve.title"), Label: a.T("web.plan.approve"), Post: "/plan/" + string(pl.ID) + "/approve",
			Text: a.T("web.plan.approve.text", res.Enrolments, len(res.Pools))}
		p.Head.Actions = []Action{{Label: a.T("web.plan.approve"), Icon: "check", Primary: true, Dialog: "approve"}}
	}
	return s.show(w, r, a, Page{Name: "plan", Active: "plan", Data: p})
}

// priceBars shows what one more of each scarce thing would add, dearest first;
// seats by course, since the sessions of a course differ little.
func priceBars(a *Asker, n *names, tn turn, pl plan.Plan, offer map[delivery.OfferingID]string, sessions map[delivery.SessionID]delivery.Session) *Bars {
	b := &Bars{Caption: a.T("web.plan.prices"), Label: a.T("web.plan.scarce"), ValueLabel: a.T("web.plan.price")}
	count := map[delivery.OfferingID]int{}
	for _, x := range pl.Result.Prices {
		if ss, ok := sessions[x.Session]; ok {
			count[ss.Offering]++
		}
	}
	seen := map[delivery.OfferingID]bool{}
	for _, x := range pl.Result.Prices {
		bar := Bar{Label: a.T("web.price." + x.What), Value: x.E, Text: signed(a, 2, x.E) + " E"}
		if ss, ok := sessions[x.Session]; ok {
			if seen[ss.Offering] {
				continue
			}
			seen[ss.Offering] = true
			bar.Label, bar.Note = offer[ss.Offering], a.T("web.price.seat.note", count[ss.Offering], a.F.Day(a.In(ss.StartsAt)), a.F.Clock(a.In(ss.StartsAt)))
			bar.Href = link("/plan", "programme", string(tn.ID), "plan", string(pl.ID), "session", string(ss.ID)) + "#session"
		} else if x.Team != "" {
			bar.Label, bar.Note = n.Unit(x.Team), a.T("web.price.away.note", a.F.Day(a.In(x.At)))
		}
		if b.Rows = append(b.Rows, bar); len(b.Rows) == 10 {
			break
		}
	}
	return b
}

func money(a *Asker, v float64) string {
	text, err := a.F.Money(v)
	if err != nil {
		return "–"
	}
	return text
}

// calendarOf shows the week asked for, or the first one with sessions.
func calendarOf(a *Asker, tn turn, pl plan.Plan, meet []delivery.Meeting, week string) (*Calendar, []Tab) {
	monday := func(t time.Time) time.Time {
		t = a.In(t)
		return time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, a.Zone)
	}
	var weeks []time.Time
	for _, m := range meet {
		if d := monday(m.StartsAt); !slices.ContainsFunc(weeks, d.Equal) {
			weeks = append(weeks, d)
		}
	}
	at := weeks[0]
	for _, d := range weeks {
		if d.Format(time.DateOnly) == week {
			at = d
		}
	}
	var tabs []Tab
	for _, d := range weeks {
		if len(weeks) > 1 {
			tabs = append(tabs, Tab{Label: a.T("web.week.of", a.F.Day(d)), Current: d.Equal(at),
				Href: link("/plan", "programme", string(tn.ID), "plan", string(pl.ID), "week", d.Format(time.DateOnly)) + "#calendar"})
		}
	}
	c := &Calendar{Label: a.T("web.plan.calendar"), From: 24, To: 0}
	for i := range 7 {
		day := CalDay{Date: at.AddDate(0, 0, i), Href: link("/delivery", "programme", string(tn.ID)) + "#sessions"}
		for _, m := range meet {
			start, end := a.In(m.StartsAt), a.In(m.EndsAt)
			if start.Format(time.DateOnly) != day.Date.Format(time.DateOnly) {
				continue
			}
			c.From, c.To = min(c.From, start.Hour()), max(c.To, end.Add(59*time.Minute).Hour())
			it := CalItem{Title: a.Say(m.Title), Sub: a.T("web.cal.seats", m.Enrolled, m.Seats), Start: start, End: end, Href: "/sessions/" + string(m.ID), Tone: TonePrimary}
			if m.Room != "" {
				it.Sub += " · " + m.Room
			}
			if pl.ID != "" {
				it.Href = link("/plan", "programme", string(tn.ID), "plan", string(pl.ID), "week", at.Format(time.DateOnly), "session", string(m.ID)) + "#session"
			}
			day.Items = append(day.Items, it)
		}
		if i < 5 || len(day.Items) > 0 {
			c.Days = append(c.Days, day)
		}
	}
	c.From, c.To = min(c.From, 9), max(c.To, 18)
	return c, tabs
}

type poolData struct {
	Head    PageHead
	Figures []Figure
	Strata  Table
	Lots    *Table
}

// pool shows one lot: who can be drawn, with which chance, and what drawing costs.
func (s *Server) pool(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var pl plan.Plan
	var offer map[delivery.OfferingID]string
	var draws []delivery.Draw
	people := map[org.PersonID]org.Person{}
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if pl, err = plan.Find(ctx, t, plan.ID(r.PathValue("plan"))); err != nil {
			return err
		}
		if offer, _, err = offerNames(ctx, t, a, pl.Programme); err != nil {
			return err
		}
		if draws, err = delivery.Draws(ctx, t, pl.Programme); err != nil {
			return err
		}
		if !a.Can(auth.ReadPeople) {
			return nil
		}
		all, err := org.People(ctx, t)
		for _, x := range all {
			people[x.ID] = x
		}
		return err
	})
	if err != nil {
		return err
	}
	id := delivery.OfferingID(r.PathValue("offering"))
	at := slices.IndexFunc(pl.Result.Pools, func(x plan.Pool) bool { return x.Offering == id })
	if at < 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	x := pl.Result.Pools[at]
	won := map[org.PersonID]bool{}
	drawn := false
	p := poolData{Head: PageHead{Title: a.T("web.pool.title", offer[id]), Lead: a.T("web.pool.lead")}}
	for _, d := range draws {
		if d.Plan == string(pl.ID) && d.Offering == id {
			drawn = true
			p.Head.Meta = []string{a.T("web.pool.drawn", a.F.DateTime(a.In(d.At))), a.T("web.pool.seed", fmt.Sprint(d.Seed))}
			for _, e := range d.Entries {
				won[e.Person] = e.Drawn
			}
		}
	}
	p.Figures = []Figure{
		{Label: a.T("web.pool.people"), Value: float64(len(x.Lots)), Compare: a.T("web.pool.people.compare", x.Seats)},
		{Label: a.T("web.pool.band"), Value: x.Band, Digits: 3, Unit: "E", Compare: a.T("web.pool.band.compare")},
		{Label: a.T("web.pool.cost"), Value: x.Cost, Digits: 2, Unit: "E", Compare: a.T("web.pool.cost.compare")},
		{Label: a.T("web.pool.detect"), Value: x.Detectable, Digits: 2, Unit: "σ", Compare: a.T("web.pool.detect.compare")},
	}
	type tally struct {
		people, won int
		low, high   float64
	}
	strata := map[string]*tally{}
	var order []string
	for _, l := range x.Lots {
		c := strata[l.Stratum]
		if c == nil {
			c = &tally{low: 1}
			strata[l.Stratum] = c
			order = append(order, l.Stratum)
		}
		c.people++
		c.low, c.high = min(c.low, l.Probability), max(c.high, l.Probability)
		if won[l.Person] {
			c.won++
		}
	}
	slices.Sort(order)
	p.Strata = Table{ID: "strata", Caption: a.T("web.pool.strata"), Columns: []Column{{Label: a.T("web.pool.stratum")}, {Label: a.T("web.people"), Num: true}, {Label: a.T("web.pool.chance"), Num: true}, {Label: a.T("web.pool.won"), Num: true}}}
	for _, k := range order {
		c := strata[k]
		chance := a.F.Percent(c.low, 0)
		if c.high-c.low > 0.005 {
			chance += "–" + a.F.Percent(c.high, 0)
		}
		p.Strata.Rows = append(p.Strata.Rows, Row{[]Cell{{Text: k}, {Text: a.F.Number(float64(c.people), 0)}, {Text: chance}, {Text: pick(drawn, a.F.Number(float64(c.won), 0), "–")}}})
	}
	if len(people) > 0 {
		t := Table{ID: "lots", Caption: a.T("web.pool.lots"), Filter: true, URL: url.URL{Path: r.URL.Path}, Columns: []Column{{Label: a.T("web.name")}, {Label: a.T("web.pool.stratum")}, {Label: a.T("web.pool.chance"), Num: true}, {Label: a.T("web.pool.outcome")}}}
		for _, l := range x.Lots {
			out := Cell{Text: a.T("web.pool.not_yet"), Pill: true}
			if drawn {
				out = Cell{Text: a.T("web.pool.waits"), Pill: true, Tone: TonePlain}
				if won[l.Person] {
					out = Cell{Text: a.T("web.pool.seat"), Pill: true, Tone: TonePrimary}
				}
			}
			t.Rows = append(t.Rows, Row{[]Cell{{Text: people[l.Person].Name, Sub: people[l.Person].Number, Href: "/people/" + string(l.Person)}, {Text: l.Stratum}, {Text: a.F.Percent(l.Probability, 0)}, out}})
		}
		p.Lots = &t
	}
	return s.show(w, r, a, Page{Name: "pool", Active: "plan", Crumbs: []Crumb{{a.T("look.nav.plan"), link("/plan", "programme", string(pl.Programme), "plan", string(pl.ID))}, {offer[id], ""}}, Data: p})
}

const solveJob = "plan.solve"

// solveArgs is what a job that solves a plan is given.
type solveArgs struct {
	Programme delivery.ProgrammeID `json:"programme"`
	Name      string               `json:"name"`
	By        string               `json:"by"`
	Options   plan.Options         `json:"options"`
}

// solveState is what such a job tells of itself.
type solveState struct {
	Phase string  `json:"phase"`
	Work  int64   `json:"work"`
	Of    int64   `json:"of"`
	Best  float64 `json:"best"`
	Bound float64 `json:"bound"`
	Gap   float64 `json:"gap"`
	Plan  plan.ID `json:"plan,omitempty"` // when it is done
}

// draftPlan queues the making of a plan.
func (s *Server) draftPlan(w http.ResponseWriter, r *http.Request, a *Asker) error {
	o := plan.DefaultOptions(rand.Uint64() >> 1)
	o.Away = number(r, "away", 100*o.Away) / 100
	o.Gap = number(r, "gap", 100*o.Gap) / 100
	o.Detect = number(r, "detect", o.Detect)
	o.Draw = r.FormValue("draw") != ""
	if !(o.Away > 0 && o.Away <= 1 && o.Gap >= 0 && o.Gap <= 0.5 && o.Detect > 0) {
		return fault.New(fault.Invalid, "web.plan.options")
	}
	var id string
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		tn, err := programme(ctx, t, r)
		if err != nil {
			return err
		}
		id, err = job.Add(ctx, t, solveJob, solveArgs{tn.ID, a.T("web.plan.name", a.F.DateTime(a.In(t.Now))), a.actor(), o}, t.Now)
		if err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "plan.draft", "programme/"+string(tn.ID), o)
	})
	if err != nil {
		return err
	}
	s.Jobs.Wake()
	return to(w, r, "/plan/jobs/"+id)
}

// solve is the job: ask the question, answer it, keep the answer.
func (s *Server) solve(ctx context.Context, raw json.RawMessage, tell func(any)) error {
	var args solveArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return err
	}
	state := solveState{Phase: "draft", Of: args.Options.Work}
	tell(state)
	var p *plan.Problem
	if err := s.DB.Read(ctx, func(t *db.Tx) (err error) {
		p, err = plan.Draft(ctx, t, args.Programme, args.Options)
		return err
	}); err != nil {
		return err
	}
	last := time.Now()
	found, err := p.Solve(ctx, func(x solve.Progress) {
		if time.Since(last) < 250*time.Millisecond {
			return
		}
		last = time.Now()
		state.Phase, state.Work, state.Best, state.Bound, state.Gap = x.Phase, x.Work, x.Best, x.Bound, x.Gap
		tell(state)
	})
	if err != nil {
		return err
	}
	if err := s.DB.Write(ctx, func(t *db.Tx) error {
		kept, err := found.Keep(ctx, t, args.Name)
		state.Plan = kept.ID
		return err
	}); err != nil {
		return err
	}
	state.Phase = "done"
	tell(state)
	return nil
}

type solvingData struct {
	Head     PageHead
	Progress Progress
	Error    string
	Back     Action
}

func (s *Server) findJob(r *http.Request) (j job.Job, args solveArgs, state solveState, err error) {
	err = s.read(r, func(ctx context.Context, t *db.Tx) error {
		j, err = job.Find(ctx, t, r.PathValue("job"))
		return err
	})
	if err != nil {
		return
	}
	if j.Kind != solveJob {
		return j, args, state, fault.New(fault.NotFound, "not_found")
	}
	if err = json.Unmarshal(j.Args, &args); err == nil && len(j.Progress) > 0 {
		err = json.Unmarshal(j.Progress, &state)
	}
	return
}

// solving shows how far a plan in the making is.
func (s *Server) solving(w http.ResponseWriter, r *http.Request, a *Asker) error {
	j, args, state, err := s.findJob(r)
	if err != nil {
		return err
	}
	back := link("/plan", "programme", string(args.Programme))
	if !j.DoneAt.IsZero() && state.Plan != "" {
		return to(w, r, link("/plan", "programme", string(args.Programme), "plan", string(state.Plan)))
	}
	p := solvingData{Head: PageHead{Title: a.T("web.solving"), Lead: a.T("web.solving.lead")}, Back: Action{Label: a.T("web.back.plan"), Href: back, Icon: "left"}}
	if j.Failed() {
		p.Error = a.T("web.solving.failed")
		return s.show(w, r, a, Page{Name: "solving", Active: "plan", Narrow: true, Data: p})
	}
	value, text := solveText(a, state)
	p.Progress = Progress{Label: a.T("web.solving.label"), Value: value, Max: 100, Text: text, Stream: "/plan/jobs/" + j.ID + "/progress"}
	return s.show(w, r, a, Page{Name: "solving", Active: "plan", Narrow: true, Data: p})
}

func solveText(a *Asker, x solveState) (float64, string) {
	value := 2.0
	if x.Of > 0 {
		value = min(98, 2+96*float64(x.Work)/float64(x.Of))
	}
	text := a.T("web.phase." + pick(x.Phase == "", "draft", x.Phase))
	if x.Bound > 0 && x.Best > 0 {
		text += " · " + a.T("web.solving.gap", a.F.Number(x.Best, 1), a.F.Number(x.Bound, 1), a.F.Percent(x.Gap, 2))
	}
	return value, text
}

// solveProgress streams the same as server-sent events, until it is done.
func (s *Server) solveProgress(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if _, _, _, err := s.findJob(r); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects would hold the news back
	flush := http.NewResponseController(w)
	send := func(event string, v any) error {
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, body); err != nil {
			return err
		}
		return flush.Flush()
	}
	for {
		j, args, state, err := s.findJob(r)
		if err != nil {
			return errAnswered // the answer has begun; the browser asks again
		}
		if !j.DoneAt.IsZero() || j.Failed() {
			href := "/plan/jobs/" + j.ID
			if state.Plan != "" {
				href = link("/plan", "programme", string(args.Programme), "plan", string(state.Plan))
			}
			if send("done", map[string]string{"href": href}) != nil {
				return errAnswered
			}
			return nil
		}
		value, text := solveText(a, state)
		if send("progress", map[string]any{"value": value, "max": 100, "text": text}) != nil {
			return errAnswered
		}
		select {
		case <-r.Context().Done():
			return errAnswered
		case <-time.After(400 * time.Millisecond):
		}
	}
}

func (s *Server) approvePlan(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var pl plan.Plan
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		if pl, err = plan.Approve(ctx, t, plan.ID(r.PathValue("plan")), a.actor()); err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "plan.approve", "plan/"+string(pl.ID), map[string]any{"enrolments": pl.Result.Enrolments, "cost": pl.Result.Cost})
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.plan.approved", Args: []string{a.F.Number(float64(pl.Result.Enrolments), 0)}})
	return to(w, r, link("/delivery", "programme", string(pl.Programme)))
}
