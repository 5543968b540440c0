package plan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"attune/internal/assess"
	"attune/internal/attention"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/solve"
	"attune/internal/fault"
	"attune/internal/org"
)

// Problem is a programme's planning question, in the engine's indices.
type Problem struct {
	Programme delivery.Programme
	Options   Options
	Instance  *solve.Instance

	people    []org.Person
	teams     []org.UnitID
	offerings []delivery.Offering
	sessions  []delivery.SessionID // empty for the one "session" of a self-paced offering
	zero      time.Time            // minute 0
	warnings  []string
}

// Draft asks the question: everybody employed, at the level last measured,
// against everything the programme offers.
func Draft(ctx context.Context, t *db.Tx, of delivery.ProgrammeID, opt Options) (*Problem, error) {
	programme, err := delivery.FindProgramme(ctx, t, of)
	if err != nil {
		return nil, err
	}
	company, err := org.FindCompany(ctx, t)
	if err != nil {
		return nil, err
	}
	switch {
	case !company.Measured():
		return nil, fault.New(fault.Invalid, "plan.no_baseline")
	case programme.StartsOn.IsZero():
		return nil, fault.New(fault.Invalid, "plan.no_date")
	}
	p := &Problem{Programme: programme, Options: opt}
	day := programme.StartsOn.In(company.Zone)
	p.zero = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, company.Zone)
	in := &solve.Instance{
		Name: string(of), Alpha: company.Alpha, Beta: company.Beta, SigmaS: company.SigmaS, SigmaI: company.SigmaI,
		Innovation: -1, Budget: programme.Money,
	}
	p.Instance = in
	skills, err := org.Skills(ctx, t)
	if err != nil {
		return nil, err
	}
	skillAt, kind := map[org.SkillID]int{}, map[org.SkillID]string{}
	for i, k := range skills {
		kind[k.ID] = k.Kind
		skillAt[k.ID] = i
		in.Skills = append(in.Skills, string(k.ID))
		if k.Innovation {
			in.Innovation = int32(i)
		}
	}
	position, err := p.positions(ctx, t, skillAt)
	if err != nil {
		return nil, err
	}
	if err := p.crew(ctx, t, company, position, skillAt); err != nil {
		return nil, err
	}
	if err := p.offers(ctx, t, skillAt, kind); err != nil {
		return nil, err
	}
	return p, nil
}

// positions fills in what every job asks for.
func (p *Problem) positions(ctx context.Context, t *db.Tx, skillAt map[org.SkillID]int) (map[org.PositionID]int, error) {
	all, err := org.Positions(ctx, t)
	if err != nil {
		return nil, err
	}
	at := map[org.PositionID]int{}
	for i, q := range all {
		at[q.ID] = i
		p.Instance.Positions = append(p.Instance.Positions, solve.Position{
			ID: string(q.ID), Weights: make([]float32, len(skillAt)), Ceiling: make([]float32, len(skillAt)),
		})
	}
	requirements, err := org.Requirements(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, r := range requirements {
		q := &p.Instance.Positions[at[r.Position]]
		q.Weights[skillAt[r.Skill]] = float32(r.Weight)
		q.Ceiling[skillAt[r.Skill]] = float32(r.Ceiling)
	}
	return at, nil
}

// crew fills in the people: where they sit, what they are able at, and the
// stratum that lots are drawn within (position × third of the baseline).
func (p *Problem) crew(ctx context.Context, t *db.Tx, company *org.Company, position map[org.PositionID]int, skillAt map[org.SkillID]int) error {
	var err error
	if p.people, err = org.People(ctx, t); err != nil {
		return err
	}
	if len(p.people) == 0 {
		return fault.New(fault.Invalid, "plan.no_people")
	}
	units, err := org.Units(ctx, t)
	if err != nil {
		return err
	}
	parent, isSite := map[org.UnitID]org.UnitID{}, map[org.UnitID]bool{}
	for _, u := range units {
		parent[u.ID], isSite[u.ID] = u.Parent, u.Site
	}
	in := p.Instance
	siteAt, teamAt, seen := map[org.UnitID]int32{}, map[org.UnitID]int32{}, map[org.PersonID]int{}
	for i, w := range p.people {
		seen[w.ID] = i
		site := w.Unit
		for u := w.Unit; u != ""; u = parent[u] {
			if isSite[u] {
				site = u
				break
			}
		}
		if _, ok := siteAt[site]; !ok {
			siteAt[site] = int32(len(in.Sites))
			in.Sites = append(in.Sites, string(site))
		}
		if _, ok := teamAt[w.Unit]; !ok {
			teamAt[w.Unit] = int32(len(in.Teams))
			in.Teams = append(in.Teams, solve.Team{ID: string(w.Unit), Away: float32(p.Options.Away)})
			p.teams = append(p.teams, w.Unit)
		}
		c := &in.People
		c.ID = append(c.ID, string(w.ID))
		c.Position = append(c.Position, int32(position[w.Position]))
		c.Site = append(c.Site, siteAt[site])
		c.Team = append(c.Team, teamAt[w.Unit])
		c.Unit = append(c.Unit, -1)
		c.Group = append(c.Group, -1)
		c.Profile = append(c.Profile, 0)
		c.Hours = append(c.Hours, float32(float64(p.Programme.Days)*p.Programme.Hours))
		c.Attention = append(c.Attention, float32(math.Min(float64(company.AttentionDay), 60*p.Programme.Hours)))
	}
	n := len(skillAt)
	in.People.Proficiency = make([]float32, len(p.people)*n)
	known := make([]bool, len(p.people)*n)
	abilities, err := assess.Abilities(ctx, t)
	if err != nil {
		return err
	}
	sum, count := make([]float64, n), make([]int, n)
	for _, a := range abilities {
		i, k := seen[a.Person], skillAt[a.Skill]
		in.People.Proficiency[i*n+k], known[i*n+k] = float32(a.S), true
		sum[k] += a.S
		count[k]++
	}
	unknown := 0
	for i, w := range p.people {
		for k := range n {
			if known[i*n+k] || in.Positions[position[w.Position]].Ceiling[k] == 0 {
				continue
			}
			unknown++
			if count[k] > 0 { // the company's mean is the best guess
				in.People.Proficiency[i*n+k] = float32(sum[k] / float64(count[k]))
			} else {
				in.People.Proficiency[i*n+k] = 50
			}
		}
	}
	if unknown > 0 {
		p.warnings = append(p.warnings, "plan.warn.unmeasured")
	}
	p.strata(n)
	return nil
}

// strata labels everybody by position and third of the weighted baseline
// within it.
func (p *Problem) strata(n int) {
	in := p.Instance
	in.People.Stratum = make([]int32, len(p.people))
	for q := range in.Positions {
		var of []int
		level := map[int]float64{}
		for i := range p.people {
			if int(in.People.Position[i]) != q {
				continue
			}
			of = append(of, i)
			for k := range n {
				w := float64(in.Positions[q].Weights[k]) * in.Alpha / in.SigmaS
				if k == int(in.Innovation) {
					w = in.Beta / in.SigmaI
				}
				level[i] += w * float64(in.People.Proficiency[i*n+k])
			}
		}
		slices.SortStableFunc(of, func(a, b int) int { return cmp.Compare(level[a], level[b]) })
		for rank, i := range of {
			in.People.Stratum[i] = int32(3*q + 3*rank/len(of))
		}
	}
}

// stratumName tells a stratum's label apart for a reader: position, and 1 for
// the lowest third of the baseline to 3 for the highest.
func (p *Problem) stratumName(label int32) string {
	return fmt.Sprintf("%s/%d", p.Instance.Positions[label/3].ID, label%3+1)
}

// offers fills in the offerings and their sessions.
func (p *Problem) offers(ctx context.Context, t *db.Tx, skillAt map[org.SkillID]int, kind map[org.SkillID]string) error {
	in := p.Instance
	var err error
	if p.offerings, err = delivery.Offerings(ctx, t, p.Programme.ID); err != nil {
		return err
	}
	if len(p.offerings) == 0 {
		return fault.New(fault.Invalid, "plan.no_offerings")
	}
	activities, err := content.Activities(ctx, t)
	if err != nil {
		return err
	}
	of := map[content.CourseID][]content.Activity{}
	for _, a := range activities {
		of[a.Course] = append(of[a.Course], a)
	}
	visited, err := attention.Held(ctx, t)
	if err != nil {
		return err
	}
	held := map[content.ActivityID]float64{}
	for _, h := range visited {
		if h.People >= 20 { // fewer say less than the kind's usual share
			held[h.Activity] = h.Share()
		}
	}
	formats := map[string]int32{}
	in.Fit = [][]float32{nil}
	format := func(name string, share float64) int32 {
		if _, ok := formats[name]; !ok {
			formats[name] = int32(len(in.Formats))
			in.Formats = append(in.Formats, name)
			in.Fit[0] = append(in.Fit[0], float32(share))
		}
		return formats[name]
	}
	at := map[delivery.OfferingID]int32{}
	for i, o := range p.offerings {
		at[o.ID] = int32(i)
	}
	for i, o := range p.offerings {
		rates := make([]float32, len(skillAt))
		minutes := 0.0
		share, weighed := 0.0, 0.0
		for _, a := range of[o.Course] {
			minutes += float64(a.Minutes)
			s, ok := held[a.ID]
			if !ok {
				s = a.Kind.Attention()
			}
			share += s * float64(a.Minutes)
			weighed += float64(a.Minutes)
			for _, w := range a.Teaches {
				rate, _ := a.Believed(w, kind[w.Skill])
				rates[skillAt[w.Skill]] += float32(rate * w.Share * float64(a.Minutes))
			}
		}
		if minutes == 0 {
			return fault.New(fault.Invalid, "plan.offering.empty")
		}
		for k := range rates {
			rates[k] /= float32(minutes)
		}
		f := solve.Offering{
			ID: string(o.ID), Format: format(string(o.ID), share/weighed), Hours: float32(minutes / 60), Cost: float32(o.Cost), Rates: rates,
		}
		if o.After != "" {
			before, ok := at[o.After]
			if !ok {
				return fault.New(fault.Invalid, "plan.prerequisite.unknown")
			}
			f.Prerequisites = []int32{before}
		}
		in.Offerings = append(in.Offerings, f)
		if o.Mandatory {
			deadline := int32(math.MaxInt32)
			if !o.Due.IsZero() {
				deadline = p.minute(o.Due)
			}
			in.Mandates = append(in.Mandates, solve.Mandate{Offering: int32(i), Deadline: deadline})
		}
		if !o.Dated {
			in.Sessions = append(in.Sessions, solve.Session{ID: string(o.ID), Offering: int32(i), Site: -1, Seats: -1})
			p.sessions = append(p.sessions, "")
		}
	}
	sessions, err := delivery.Sessions(ctx, t, p.Programme.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if !s.CancelledAt.IsZero() {
			continue
		}
		site := int32(-1)
		if s.Site != "" {
			i := slices.Index(in.Sites, string(s.Site))
			if i < 0 {
				continue // nobody sits there any more
			}
			site = int32(i)
		}
		in.Sessions = append(in.Sessions, solve.Session{
			ID: string(s.ID), Offering: at[s.Offering], Site: site, Seats: int32(s.Seats),
			Meetings: []solve.Meeting{{Start: p.minute(s.StartsAt), End: p.minute(s.EndsAt)}},
		})
		p.sessions = append(p.sessions, s.ID)
	}
	return nil
}

// minute is a time in the engine's count.
func (p *Problem) minute(t time.Time) int32 { return int32(t.Sub(p.zero) / time.Minute) }

// at is a minute as a time.
func (p *Problem) at(minute int32) time.Time { return p.zero.Add(time.Duration(minute) * time.Minute) }
