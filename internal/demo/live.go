package demo

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"attune/internal/assess"
	"attune/internal/attention"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/demo/retail"
	"attune/internal/evaluate"
	"attune/internal/locale"
	"attune/internal/need"
	"attune/internal/org"
	"attune/internal/plan"
)

// itemsAsked is how many items of a skill a test asks.
const itemsAsked = 12

func (s *story) programme(cycle int) delivery.ProgrammeID { return s.out.Programmes[cycle] }

// needs opens the first programme, asks everybody what they need, and files
// what was said in interviews.
func (s *story) needs(ctx context.Context) error {
	s.later(3, 9)
	id := delivery.ProgrammeID(org.NewID())
	survey := assess.SurveyID("needs-1")
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		if err := delivery.Open(ctx, t, delivery.Programme{
			ID: id, Name: s.sample.Company.Programmes[0], Cycle: 1, Stage: delivery.StageNeed,
			Days: s.Days, Hours: s.Hours, Money: 340 * float64(s.People),
		}); err != nil {
			return err
		}
		s.out.Programmes[0] = id
		for i, n := range s.sample.Interviews {
			if err := need.AddInterview(ctx, t, id, need.Interview{
				ID: fmt.Sprintf("interview-%02d", i+1), Skill: s.skillID[n.Skill], Position: s.positions[n.Position], Who: n.Who.Zh, Note: n.Text,
			}); err != nil {
				return err
			}
		}
		return assess.AddSurvey(ctx, t, s.survey(survey, id, "needs", &s.sample.Needs, t.Now, t.Now.AddDate(0, 0, 7)))
	}); err != nil {
		return err
	}
	s.later(1, 9)
	leader := map[org.PersonID]org.Person{}
	for _, p := range s.people {
		leader[p.ID] = p
	}
	required := map[org.PositionID]map[org.SkillID]float64{}
	for _, p := range s.sample.Positions {
		required[s.positions[p.Key]] = map[org.SkillID]float64{}
		for _, r := range p.Requires {
			required[s.positions[p.Key]][s.skillID[r.Skill]] = r.Importance
		}
	}
	step := func(x float64) int { return int(math.Max(1, math.Min(5, math.Round(x)))) }
	return s.each(ctx, func(t *db.Tx, i int) error {
		p, l := s.people[i], &s.truth.learners[i]
		answers := s.coin(0.9)
		for _, k := range s.skills {
			t.Now = t.Now.Add(time.Duration(5+s.rng.IntN(20)) * time.Second)
			true5 := 1 + 4*s.truth.s(k.ID, l.theta[k.ID])/100
			matters := 1 + required[p.Position][k.ID]/25
			if answers {
				// The less able see their own lack less (Kruger & Dunning 1999).
				own := true5 + l.flatter + 0.25*math.Max(0, 3-true5) + 0.6*s.rng.NormFloat64()
				if err := need.Rate(ctx, t, s.programme(0), need.Rating{Person: p.ID, Skill: k.ID, Rater: need.Self, Able: step(own), Important: step(matters + 0.6*s.rng.NormFloat64())}, p); err != nil {
					return err
				}
			}
			if p.Manager != "" {
				seen := true5 + l.halo + 0.5*s.rng.NormFloat64()
				if err := need.Rate(ctx, t, s.programme(0), need.Rating{Person: p.ID, Skill: k.ID, Rater: need.Manager, Able: step(seen), Important: step(matters + 0.5*s.rng.NormFloat64())}, leader[p.Manager]); err != nil {
					return err
				}
			}
		}
		if !answers {
			return nil
		}
		return assess.Respond(ctx, t, survey, p, s.replies(i, &s.sample.Needs, nil))
	})
}

// survey turns a questionnaire of the sample into one of the company.
func (s *story) survey(id assess.SurveyID, of delivery.ProgrammeID, purpose string, q *retail.Survey, opens, closes time.Time) assess.Survey {
	v := assess.Survey{ID: id, Programme: of, Purpose: purpose, Name: q.Name, OpensAt: opens, ClosesAt: closes}
	for _, x := range q.Questions {
		out := content.Question{ID: x.ID, Kind: x.Kind, Text: x.Text, Options: x.Options, Aspect: x.Aspect}
		if x.Skill != "" {
			out.Aspect = string(s.skillID[x.Skill])
		}
		v.Questions = append(v.Questions, out)
	}
	return v
}

// replies lets a person answer a questionnaire. mood is how they took each
// aspect of the training, −1 to 1; nil before there was any.
func (s *story) replies(i int, q *retail.Survey, mood map[string]float64) []assess.Reply {
	p, l := s.people[i], &s.truth.learners[i]
	lacks := func(k org.SkillID) float64 { return (70 - s.truth.s(k, l.theta[k])) / 25 }
	var out []assess.Reply
	for _, x := range q.Questions {
		r := assess.Reply{Question: x.ID}
		switch x.Kind {
		case "likert":
			v := 3.2 + 0.8*s.rng.NormFloat64()
			if x.Skill != "" {
				v += 0.5 * lacks(s.skillID[x.Skill])
			} else {
				v = 3.6 + 1.1*mood[x.Aspect] + 0.7*s.rng.NormFloat64()
			}
			r.Value = int(math.Max(1, math.Min(5, math.Round(v))))
		case "ranking":
			pull := make([]float64, len(x.Options))
			for j := range x.Options {
				r.Order = append(r.Order, j)
				pull[j] = s.rng.NormFloat64()
				if j < len(x.Keys) {
					if k, ok := s.skillID[x.Keys[j]]; ok {
						pull[j] += lacks(k)
					}
				}
			}
			slices.SortFunc(r.Order, func(a, b int) int { return cmp.Compare(pull[b], pull[a]) })
		case "choice":
			r.Choice = s.rng.IntN(len(x.Options))
		case "text":
			if !s.coin(0.35) {
				continue
			}
			r.Text = s.comment(p.Lang, mood, lacks)
			if r.Text == "" {
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

// comment picks what a person writes: a wish for what they lack most before
// there was training, and after it a word on the aspect they feel most about.
func (s *story) comment(lang locale.Lang, mood map[string]float64, lacks func(org.SkillID) float64) string {
	var from []string
	if mood == nil {
		worst := s.skills[0].ID
		for _, k := range s.skills {
			if lacks(k.ID)+0.5*s.rng.NormFloat64() > lacks(worst) {
				worst = k.ID
			}
		}
		for _, c := range s.sample.Comments {
			if c.Lang == lang && c.Aspect == "wish" && (c.Skill == "" || s.skillID[c.Skill] == worst) {
				from = append(from, c.Text)
			}
		}
	} else {
		strongest, feeling := "", 0.0
		for _, a := range []string{"trainer", "content", "pace", "venue", "use"} { // in one order, so that the draws are the same
			if m, ok := mood[a]; ok && math.Abs(m+0.4*s.rng.NormFloat64()) > math.Abs(feeling) {
				strongest, feeling = a, m
			}
		}
		sign := 0
		switch {
		case feeling > 0.15:
			sign = 1
		case feeling < -0.15:
			sign = -1
		}
		for _, c := range s.sample.Comments {
			if c.Lang == lang && c.Aspect == strongest && c.Sentiment == sign {
				from = append(from, c.Text)
			}
		}
	}
	if len(from) == 0 {
		return ""
	}
	return from[s.rng.IntN(len(from))]
}

// testID names the test of an occasion: 0 before, 1 after, 2 after the second
// cycle.
func testID(occasion int) assess.TestID { return assess.TestID(fmt.Sprintf("test-%d", occasion)) }

// test lets everybody sit a test, those who wait on the same days as the rest.
func (s *story) test(ctx context.Context, occasion int) error {
	if occasion == 2 && s.out.Practised == "" {
		return nil
	}
	s.later([]int{5, 5, 5}[occasion], 9)
	cycle, purpose := 0, assess.Before
	names := []locale.Text{locale.Both("前测", "Pre-test"), locale.Both("后测", "Post-test"), locale.Both("第二期后测", "Post-test of the second cycle")}
	switch occasion {
	case 1:
		purpose = assess.After
	case 2:
		cycle, purpose = 1, assess.After
	}
	test := assess.Test{ID: testID(occasion), Programme: s.programme(cycle), Purpose: purpose, Name: names[occasion]}
	for _, k := range s.skills {
		if occasion < 2 || k.ID == s.out.Practised {
			test.Skills = append(test.Skills, assess.TestSkill{Skill: k.ID, Items: itemsAsked})
		}
	}
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		test.OpensAt, test.ClosesAt = t.Now, t.Now.AddDate(0, 0, 4)
		return assess.AddTest(ctx, t, test)
	}); err != nil {
		return err
	}
	if occasion > 0 {
		s.truth.settle(s.ceiling, s.daysSince(cycle), func(i int) func(delivery.OfferingID) bool { return s.did(cycle, i) })
	}
	byID := make(map[content.ItemID]*content.Item, len(s.items))
	for i := range s.items {
		byID[s.items[i].ID] = &s.items[i]
	}
	forms := rand.New(rand.NewPCG(s.Seed, uint64(10+occasion)))
	if err := s.each(ctx, func(t *db.Tx, i int) error {
		if !s.coin(0.98) { // ill, or on leave
			return nil
		}
		p, l := s.people[i], &s.truth.learners[i]
		t.Now = t.Now.Add(time.Duration(s.rng.IntN(3*24*60)) * time.Minute)
		a, err := assess.Start(ctx, t, test.ID, p, forms)
		if err != nil {
			return err
		}
		form, err := assess.Form(ctx, t, a.ID)
		if err != nil {
			return err
		}
		for place, id := range form {
			it := byID[id]
			t.Now = t.Now.Add(time.Duration(l.fast*(0.5+s.rng.Float64())) * time.Second)
			if s.coin(0.004) { // skips it
				continue
			}
			if err := assess.Give(ctx, t, a.ID, p, place+1, s.truth.choose(s.rng, i, it.Skill, id, it.Answer, len(it.Options))); err != nil {
				return err
			}
		}
		return assess.Finish(ctx, t, a.ID, p)
	}); err != nil {
		return err
	}
	s.later(4, 18)
	return nil
}

func (s *story) ceiling(int, org.SkillID) float64 { return 95 }

// daysSince is how long the mean of a programme's training lies back.
func (s *story) daysSince(int) float64 { return 7 }

// find freezes the scale on the baseline, finds the needs, and approves those
// that are large beyond their error.
func (s *story) find(ctx context.Context) error {
	return s.d.Write(ctx, func(t *db.Tx) error {
		if _, err := assess.Baseline(ctx, t, testID(0)); err != nil {
			return err
		}
		found, err := need.Find(ctx, t, s.programme(0), need.DefaultWeights)
		if err != nil {
			return err
		}
		for _, n := range found {
			if n.Gap-1.96*n.GapSE > 0 {
				if err := need.Approve(ctx, t, s.programme(0), n.Skill, n.Position, "demo", ""); err != nil {
					return err
				}
			}
		}
		if err := delivery.Advance(ctx, t, s.programme(0), delivery.StageContent); err != nil {
			return err
		}
		s.truth.begin(s.rng, s.skills)
		return nil
	})
}

// plan offers the cycle's courses, dates their sessions site by site, solves
// and approves.
func (s *story) plan(ctx context.Context, cycle int) error {
	if cycle == 1 && s.out.Practised == "" {
		return nil
	}
	s.later(2, 9)
	id := s.programme(cycle)
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		start := s.trainingDay(t.Now)
		p, err := delivery.FindProgramme(ctx, t, id)
		if err != nil {
			return err
		}
		p.StartsOn = start
		if err := delivery.Revise(ctx, t, p); err != nil {
			return err
		}
		if err := s.offer(ctx, t, cycle, start); err != nil {
			return err
		}
		return delivery.Advance(ctx, t, id, delivery.StagePlan)
	}); err != nil {
		return err
	}
	p, err := s.solve(ctx, id)
	s.out.Plans[cycle] = p
	return err
}

// solve plans a programme and approves the plan.
func (s *story) solve(ctx context.Context, id delivery.ProgrammeID) (p plan.Plan, err error) {
	var problem *plan.Problem
	if err := s.d.Read(ctx, func(t *db.Tx) (err error) {
		problem, err = plan.Draft(ctx, t, id, plan.DefaultOptions(s.Seed))
		return err
	}); err != nil {
		return p, err
	}
	solution, err := problem.Solve(ctx, nil)
	if err != nil {
		return p, err
	}
	return p, s.d.Write(ctx, func(t *db.Tx) error {
		kept, err := solution.Keep(ctx, t, "A")
		if err != nil {
			return err
		}
		p, err = plan.Approve(ctx, t, kept.ID, "demo")
		return err
	})
}

// trainingDay is the Tuesday of the week after next.
func (s *story) trainingDay(now time.Time) time.Time {
	d := now.In(s.zone)
	for d = d.AddDate(0, 0, 7); d.Weekday() != time.Tuesday; {
		d = d.AddDate(0, 0, 1)
	}
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, s.zone)
}

// offer puts the cycle's courses on offer. Dated ones get sessions at every
// site by turns, two half days a day, never two at once at one site's rooms.
func (s *story) offer(ctx context.Context, t *db.Tx, cycle int, start time.Time) error {
	units, err := org.Units(ctx, t)
	if err != nil {
		return err
	}
	var sites []org.UnitID
	for _, u := range units {
		if u.Site {
			sites = append(sites, u.ID)
		}
	}
	var dated []retail.Course
	var offerings []delivery.Offering
	due := start.AddDate(0, 0, s.Days).Add(-time.Second)
	for _, c := range s.sample.Courses {
		if _, ok := s.courses[c.Key]; !ok || c.Cycle != cycle+1 {
			continue
		}
		if cycle == 1 && !s.teachesPractised(s.courses[c.Key]) {
			continue
		}
		o := delivery.Offering{ID: offeringID(cycle, c.Key), Programme: s.programme(cycle), Course: s.courses[c.Key], Dated: c.Dated, Cost: 12}
		if c.Dated {
			o.Cost = 180
			dated = append(dated, c)
		} else {
			o.Due = due
		}
		for _, n := range c.Needs {
			if _, ok := s.courses[n]; ok && s.sample.Course(n).Cycle == cycle+1 {
				o.After = offeringID(cycle, n)
			}
		}
		offerings = append(offerings, o)
	}
	if err := delivery.AddOfferings(ctx, t, offerings); err != nil {
		return err
	}
	var sessions []delivery.Session
	for i, site := range sites {
		slot := i // shifted by site, so that no course is always in the morning
		for day := range s.Days {
			for half := range 2 {
				for room := range min(rooms, len(dated)) {
					c := dated[slot%len(dated)]
					slot++
					begins := start.AddDate(0, 0, day).Add(time.Duration(9+5*half) * time.Hour)
					trainer := s.sample.Company.Trainers[(i*rooms+room+day*2+half)%len(s.sample.Company.Trainers)]
					sessions = append(sessions, delivery.Session{
						ID:       delivery.SessionID(fmt.Sprintf("session-%d-%02d-%d%d%d", cycle+1, i+1, day+1, half+1, room+1)),
						Offering: offeringID(cycle, c.Key), StartsAt: begins, EndsAt: begins.Add(time.Duration(c.Minutes()) * time.Minute),
						Seats: c.Seats, Site: site, Room: s.sample.Company.Rooms[(i+room)%len(s.sample.Company.Rooms)].Zh, Trainer: trainer.Name,
					})
				}
			}
		}
	}
	return delivery.AddSessions(ctx, t, sessions)
}

// rooms is how many workshops a site can hold at once.
const rooms = 2

func offeringID(cycle int, course string) delivery.OfferingID {
	return delivery.OfferingID(fmt.Sprintf("offering-%d-%s", cycle+1, course))
}

func (s *story) teachesPractised(c content.CourseID) bool {
	for _, a := range s.acts[c] {
		for _, t := range a.Teaches {
			if t.Skill == s.out.Practised {
				return true
			}
		}
	}
	return false
}

// train lets everybody go through what they are enrolled in.
func (s *story) train(ctx context.Context, cycle int) error {
	if cycle == 1 && s.out.Practised == "" {
		return nil
	}
	var enrolments []delivery.Enrolment
	var offerings []delivery.Offering
	var sessions []delivery.Session
	var programme delivery.Programme
	if err := s.d.Read(ctx, func(t *db.Tx) (err error) {
		if enrolments, err = delivery.Enrolments(ctx, t, s.programme(cycle)); err != nil {
			return err
		}
		if offerings, err = delivery.Offerings(ctx, t, s.programme(cycle)); err != nil {
			return err
		}
		if sessions, err = delivery.Sessions(ctx, t, s.programme(cycle)); err != nil {
			return err
		}
		programme, err = delivery.FindProgramme(ctx, t, s.programme(cycle))
		return err
	}); err != nil {
		return err
	}
	course, dated := map[delivery.OfferingID]content.CourseID{}, map[delivery.OfferingID]bool{}
	for _, o := range offerings {
		course[o.ID], dated[o.ID] = o.Course, o.Dated
	}
	at := map[org.PersonID]int{}
	for i, p := range s.people {
		at[p.ID] = i
	}
	alone := make([][]delivery.OfferingID, len(s.people))
	in := map[delivery.SessionID][]int{}
	for _, e := range enrolments {
		i := at[e.Person]
		if dated[e.Offering] {
			// What a seat would do for whoever waits is part of the truth too.
			s.takeSession(i, e.Offering, course[e.Offering])
		}
		switch {
		case e.Status != delivery.Enrolled:
		case dated[e.Offering]:
			in[e.Session] = append(in[e.Session], i)
		default:
			alone[i] = append(alone[i], e.Offering)
		}
	}
	s.at(programme.StartsOn.Add(8 * time.Hour))
	if err := s.each(ctx, func(t *db.Tx, i int) error {
		for _, o := range alone[i] {
			t.Now = t.Now.Add(time.Duration(s.rng.IntN(20)) * time.Minute)
			if !s.coin(s.truth.learners[i].diligent) {
				continue
			}
			if err := s.study(ctx, t, s.programme(cycle), i, o, course[o]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	slices.SortStableFunc(sessions, func(a, b delivery.Session) int { return a.EndsAt.Compare(b.EndsAt) })
	for _, x := range sessions {
		s.at(x.EndsAt.Add(5 * time.Minute))
		var came []org.PersonID
		for _, i := range in[x.ID] {
			if s.truth.learners[i].comes {
				came = append(came, s.people[i].ID)
			}
		}
		if err := s.d.Write(ctx, func(t *db.Tx) error {
			if err := delivery.MarkAttendance(ctx, t, x.ID, came); err != nil {
				return err
			}
			_, err := delivery.CloseSheet(ctx, t, x.ID)
			return err
		}); err != nil {
			return err
		}
	}
	// The truth keeps what those who wait would have gained apart from what they did.
	s.out.Truth.waiting[cycle] = map[int]delivery.OfferingID{}
	s.out.Truth.drawn[cycle] = map[int]delivery.OfferingID{}
	for _, e := range enrolments {
		if e.Source != "draw" {
			continue
		}
		if e.Status == delivery.Waiting {
			s.out.Truth.waiting[cycle][at[e.Person]] = e.Offering
		} else {
			s.out.Truth.drawn[cycle][at[e.Person]] = e.Offering
		}
	}
	s.later(1, 9)
	return s.react(ctx, cycle, alone, in)
}

// takeSession adds to the truth what a person takes in of a session, if they
// are one who comes.
func (s *story) takeSession(i int, o delivery.OfferingID, c content.CourseID) {
	if !s.truth.learners[i].comes {
		return
	}
	for j := range s.acts[c] {
		a := &s.acts[c][j]
		s.truth.take(i, o, a, float64(a.Minutes)/60*(0.6+0.4*s.truth.learners[i].focus))
	}
}

// study lets a person go through an online course: open each activity, attend
// for as long as they do, answer, finish, or stop on the way.
func (s *story) study(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, i int, o delivery.OfferingID, c content.CourseID) error {
	p, l := s.people[i], &s.truth.learners[i]
	consent, err := attention.Consented(ctx, t, p.ID)
	if err != nil {
		return err
	}
	within := "programme/" + string(programme)
	for j := range s.acts[c] {
		a := &s.acts[c][j]
		if s.coin(0.02 * float64(j)) { // interest flags as the course goes on
			return nil
		}
		if _, err := delivery.Launch(ctx, t, p.ID, a.ID); err != nil {
			return err
		}
		started := t.Now
		open := time.Duration(float64(a.Minutes) * (0.8 + 0.4*s.rng.Float64()) * float64(time.Minute))
		share := math.Max(0.1, math.Min(1, l.focus+0.1*s.rng.NormFloat64()-0.02*float64(j)))
		segments := s.segments(open, share)
		focused := attention.Total(segments).Hours()
		t.Now = t.Now.Add(open)
		if consent {
			if _, err := attention.RecordVisit(ctx, t, p.ID, p.Pseudonym, a.ID, within, started, open, segments); err != nil {
				return err
			}
		}
		s.truth.take(i, o, a, focused)
		right := 0
		for _, id := range a.Spec.Items {
			it := s.quizItem(id)
			f, err := delivery.Answer(ctx, t, p.ID, a.ID, id, s.truth.choose(s.rng, i, it.Skill, id, it.Answer, len(it.Options)))
			if err != nil {
				return err
			}
			if f.Correct {
				right++
			}
		}
		if n := len(a.Spec.Items); n > 0 {
			err = delivery.CompleteScored(ctx, t, p.ID, a.ID, float64(right)/float64(n))
		} else {
			err = delivery.Complete(ctx, t, p.ID, a.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// segments lays so large a share of focus over a visit, more of it early.
func (s *story) segments(open time.Duration, share float64) []attention.Segment {
	total := open.Milliseconds()
	var out []attention.Segment
	parts := int64(1 + s.rng.IntN(4))
	for k := range parts {
		from := total * k / parts
		width := total / parts
		// earlier parts hold more; the mean over parts is share
		tilt := 1.0
		if parts > 1 {
			tilt = 1 + 0.2*(float64(parts-1)/2-float64(k))/float64(parts-1)
		}
		keep := int64(float64(width) * math.Min(1, share*tilt))
		if keep > 0 {
			out = append(out, attention.Segment{from, from + keep})
		}
	}
	return out
}

// react lets those who were trained say what they thought of it.
func (s *story) react(ctx context.Context, cycle int, alone [][]delivery.OfferingID, in map[delivery.SessionID][]int) error {
	id := assess.SurveyID(fmt.Sprintf("reaction-%d", cycle+1))
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		return assess.AddSurvey(ctx, t, s.survey(id, s.programme(cycle), "reaction", &s.sample.Reaction, t.Now, t.Now.AddDate(0, 0, 7)))
	}); err != nil {
		return err
	}
	seated := make([]bool, len(s.people))
	for _, people := range in {
		for _, i := range people {
			seated[i] = true
		}
	}
	return s.each(ctx, func(t *db.Tx, i int) error {
		if len(alone[i]) == 0 && !seated[i] || !s.coin(0.7) {
			return nil
		}
		l := &s.truth.learners[i]
		// People like what they took something from, and having met others.
		took := 0.0
		for _, d := range l.doses {
			for _, x := range d {
				took += x
			}
		}
		mood := map[string]float64{
			"trainer": 0.4 + 0.3*s.rng.NormFloat64(), "content": took - 0.6 + 0.4*s.rng.NormFloat64(),
			"pace": 0.1 + 0.5*(l.focus-0.75) + 0.4*s.rng.NormFloat64(), "venue": 0.2 + 0.3*s.rng.NormFloat64(),
			"use": took - 0.7 + 0.4*s.rng.NormFloat64(),
		}
		if seated[i] {
			mood["content"] += 0.3
			mood["use"] += 0.3
		}
		return assess.Respond(ctx, t, id, s.people[i], s.replies(i, &s.sample.Reaction, mood))
	})
}

func (s *story) quizItem(id content.ItemID) *quizItem {
	for i := range s.sample.Items {
		if s.sample.Items[i].Key == string(id) {
			it := &s.sample.Items[i]
			return &quizItem{s.skillID[it.Skill], it.Answer, it.Options}
		}
	}
	return nil
}

type quizItem struct {
	Skill   org.SkillID
	Answer  int
	Options []locale.Text
}

// evaluate measures a cycle, holds it against the truth, and lets the planner
// learn from it.
func (s *story) evaluate(ctx context.Context, cycle int) error {
	if cycle == 1 && s.out.Practised == "" {
		return nil
	}
	return s.d.Write(ctx, func(t *db.Tx) error {
		if err := delivery.Advance(ctx, t, s.programme(cycle), delivery.StageEvaluate); err != nil {
			return err
		}
		r, err := evaluate.Evaluate(ctx, t, s.programme(cycle), testID(cycle), testID(cycle+1))
		if err != nil {
			return err
		}
		s.out.Results[cycle] = r
		if cycle == 0 {
			if err := s.hold(ctx, t, r); err != nil {
				return err
			}
		}
		return evaluate.Learn(ctx, t, r)
	})
}

// improve opens the second cycle for the skill that the evaluation puts first
// and for which the sample has practice to add.
func (s *story) improve(ctx context.Context) error {
	s.later(3, 10)
	return s.d.Write(ctx, func(t *db.Tx) error {
		r := s.out.Results[0]
		for _, im := range r.Improve {
			var courses []int
			for c := range s.sample.Courses {
				if s.sample.Courses[c].Cycle != 2 {
					continue
				}
				for _, a := range s.sample.Courses[c].Activities {
					for _, k := range a.Teaches {
						if s.skillID[k.Skill] == im.Skill && k.Share >= 0.5 && !slices.Contains(courses, c) {
							courses = append(courses, c)
						}
					}
				}
			}
			if len(courses) == 0 {
				continue
			}
			s.out.Practised = im.Skill
			rng := rand.New(rand.NewPCG(s.Seed, 5))
			for _, c := range courses {
				if err := s.addCourse(ctx, t, c); err != nil {
					return err
				}
				s.trueRates(s.courses[s.sample.Courses[c].Key], rng)
			}
			break
		}
		if s.out.Practised == "" {
			return nil
		}
		next, err := evaluate.OpenNext(ctx, t, r.ID, []org.SkillID{s.out.Practised}, s.sample.Company.Programmes[1])
		if err != nil {
			return err
		}
		s.out.Programmes[1] = next.ID
		if _, err := need.Find(ctx, t, next.ID, need.DefaultWeights); err != nil {
			return err
		}
		s.truth.begin(s.rng, s.skills)
		return delivery.Advance(ctx, t, next.ID, delivery.StageContent)
	})
}

// today leaves something to do: a third programme under way at everybody's own
// pace, a practice test that is open, and a sign-in for each role.
func (s *story) today(ctx context.Context) error {
	s.at(s.Now.Add(-72 * time.Hour))
	last := s.out.Results[0]
	if s.out.Results[1] != nil {
		last = s.out.Results[1]
	}
	var next delivery.Programme
	if err := s.d.Write(ctx, func(t *db.Tx) (err error) {
		c, err := org.FindCompany(ctx, t)
		if err != nil {
			return err
		}
		s.out.Company = *c
		test := assess.Test{ID: "practice", Purpose: assess.Practice, Name: locale.Both("随堂练习", "Practice test"), OpensAt: t.Now, ClosesAt: t.Now.AddDate(0, 2, 0)}
		for _, k := range s.skills {
			test.Skills = append(test.Skills, assess.TestSkill{Skill: k.ID, Items: 3})
		}
		if err := assess.AddTest(ctx, t, test); err != nil || len(last.Improve) == 0 {
			return err
		}
		var skills []org.SkillID
		for _, im := range last.Improve {
			skills = append(skills, im.Skill)
		}
		if next, err = evaluate.OpenNext(ctx, t, last.ID, skills, locale.Both("巩固提高", "Keeping it up")); err != nil {
			return err
		}
		if _, err := need.Find(ctx, t, next.ID, need.DefaultWeights); err != nil {
			return err
		}
		s.truth.begin(s.rng, s.skills)
		next.StartsOn = time.Date(t.Now.Year(), t.Now.Month(), t.Now.Day(), 0, 0, 0, 0, s.zone)
		if err := delivery.Revise(ctx, t, next); err != nil {
			return err
		}
		var offerings []delivery.Offering
		for _, c := range s.sample.Courses {
			if c.Cycle == 1 && !c.Dated {
				offerings = append(offerings, delivery.Offering{
					ID: offeringID(2, c.Key), Programme: next.ID, Course: s.courses[c.Key], Cost: 12, Due: s.Now.AddDate(0, 0, 11),
				})
			}
		}
		if err := delivery.AddOfferings(ctx, t, offerings); err != nil {
			return err
		}
		for _, stage := range []delivery.Stage{delivery.StageContent, delivery.StagePlan} {
			if err := delivery.Advance(ctx, t, next.ID, stage); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if next.ID != "" {
		if _, err := s.solve(ctx, next.ID); err != nil {
			return err
		}
		if err := s.beginThird(ctx, next.ID); err != nil {
			return err
		}
	}
	s.at(s.Now)
	return s.d.Write(ctx, func(t *db.Tx) error { return s.signIns(ctx, t) })
}

// beginThird lets a part of the people begin what they are enrolled in.
func (s *story) beginThird(ctx context.Context, programme delivery.ProgrammeID) error {
	var enrolments []delivery.Enrolment
	course := map[delivery.OfferingID]content.CourseID{}
	if err := s.d.Read(ctx, func(t *db.Tx) (err error) {
		offerings, err := delivery.Offerings(ctx, t, programme)
		if err != nil {
			return err
		}
		for _, o := range offerings {
			course[o.ID] = o.Course
		}
		enrolments, err = delivery.Enrolments(ctx, t, programme)
		return err
	}); err != nil {
		return err
	}
	first := map[org.PersonID]delivery.OfferingID{}
	for _, e := range enrolments {
		if first[e.Person] == "" {
			first[e.Person] = e.Offering
		}
	}
	s.at(s.Now.Add(-50 * time.Hour))
	return s.each(ctx, func(t *db.Tx, i int) error {
		o := first[s.people[i].ID]
		if o == "" || i == len(s.people)-1 || !s.coin(0.35) {
			return nil
		}
		t.Now = t.Now.Add(time.Duration(s.rng.IntN(40*60)) * time.Minute)
		return s.study(ctx, t, programme, i, o, course[o])
	})
}
