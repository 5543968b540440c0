package demo

import (
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
	"attune/internal/org"
)

// pilots answer every item before the company's own people see it, so that the
// bank is calibrated.
const pilots = 1200

// perTeam is how many people a team has on average, and perSite how many teams
// a site.
const perTeam, perSite = 25, 5

// found writes the company down: units, positions from O*NET, skills, process,
// people.
func (s *story) found(ctx context.Context) error {
	s.skillID, s.positions = map[string]org.SkillID{}, map[string]org.PositionID{}
	var units []org.Unit
	var tree []treeUnit
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		c := s.sample.Company
		if err := org.Found(ctx, t, org.Company{Name: c.Name, Simulated: true, Alpha: 0.7, Beta: 0.3, AttentionDay: 240, Zone: s.zone}); err != nil {
			return err
		}
		for _, k := range s.sample.Skills {
			added, err := org.AddSkill(ctx, t, org.Skill{ID: org.SkillID(k.Key), Name: k.Name, About: k.About, Kind: k.Kind, Element: k.Element, Innovation: k.Innovation})
			if err != nil {
				return err
			}
			s.skillID[k.Key] = added.ID
		}
		for _, p := range s.sample.Positions {
			added, err := org.AddPosition(ctx, t, org.Position{ID: org.PositionID(p.Key), Name: p.Name, Occupation: p.Occupation})
			if err != nil {
				return err
			}
			s.positions[p.Key] = added.ID
			var elements []string
			for _, r := range p.Requires {
				elements = append(elements, s.sample.Skill(r.Skill).Element)
			}
			if err := org.AdoptOccupation(ctx, t, added.ID, p.Occupation, elements); err != nil {
				return err
			}
			// The company narrows what O*NET says to what its own experts weigh.
			weights := map[org.SkillID]float64{}
			for _, r := range p.Requires {
				if !s.sample.Skill(r.Skill).Innovation {
					weights[s.skillID[r.Skill]] = r.Weight
				}
			}
			if err := org.Reweigh(ctx, t, added.ID, weights); err != nil {
				return err
			}
		}
		pr := s.sample.Process
		process := org.Process{ID: org.ProcessID(pr.Key), Name: pr.Name, About: pr.About}
		added, err := org.AddProcess(ctx, t, process)
		if err != nil {
			return err
		}
		for i, st := range pr.Steps {
			step := org.Step{Process: added.ID, Place: i + 1, Name: st.Name, Difficulty: st.Difficulty, Importance: st.Importance, Frequency: st.Frequency}
			for _, p := range st.Positions {
				step.Positions = append(step.Positions, s.positions[p])
			}
			for _, k := range st.Skills {
				step.Skills = append(step.Skills, s.skillID[k])
			}
			if _, err := org.AddStep(ctx, t, step); err != nil {
				return err
			}
		}
		if _, err := org.RequireFromProcess(ctx, t, added.ID); err != nil {
			return err
		}
		teams := max(2, (s.People+perTeam/2)/perTeam)
		ids := []org.UnitID{}
		for _, u := range s.sample.Company.Tree(min(60, max(1, teams/perSite)), teams) {
			unit := org.Unit{Name: u.Name, Site: u.Site}
			if u.Parent >= 0 {
				unit.Parent = ids[u.Parent]
			}
			unit, err := org.AddUnit(ctx, t, unit)
			if err != nil {
				return err
			}
			ids = append(ids, unit.ID)
			units = append(units, unit)
			if u.Team {
				tree = append(tree, treeUnit{unit.ID, s.positions[u.Position], u.Parent})
			}
		}
		if s.skills, err = org.Skills(ctx, t); err != nil {
			return err
		}
		return s.hire(ctx, t, tree)
	}); err != nil {
		return err
	}
	return s.d.Write(ctx, func(t *db.Tx) error {
		var yes []org.PersonID
		for _, p := range s.people {
			if s.coin(0.97) {
				yes = append(yes, p.ID)
			}
		}
		return attention.ConsentAll(ctx, t, yes)
	})
}

// treeUnit is a team with its site.
type treeUnit struct {
	id       org.UnitID
	position org.PositionID
	site     int
}

// hire staffs the teams. The first of a team leads it; the first of a site's
// teams leads the other leaders.
func (s *story) hire(ctx context.Context, t *db.Tx, teams []treeUnit) error {
	siteLead, lead := map[int]org.PersonID{}, map[org.UnitID]org.PersonID{}
	var top org.PersonID
	var all []org.Person
	for i := range s.People {
		team := teams[i%len(teams)]
		name, lang := s.sample.Names.Draw(s.rng)
		p := org.Person{
			ID: org.PersonID(fmt.Sprintf("p%06d", i+1)), Number: fmt.Sprintf("%06d", 100001+i), Name: name, Lang: lang,
			Email: fmt.Sprintf("%06d@example.com", 100001+i), Unit: team.id, Position: team.position,
			HiredAt: t.Now.AddDate(0, 0, -30-s.rng.IntN(2500)),
		}
		switch {
		case top == "":
			top, siteLead[team.site], lead[team.id] = p.ID, p.ID, p.ID
		case siteLead[team.site] == "":
			siteLead[team.site], lead[team.id], p.Manager = p.ID, p.ID, top
		case lead[team.id] == "":
			lead[team.id], p.Manager = p.ID, siteLead[team.site]
		default:
			p.Manager = lead[team.id]
		}
		all = append(all, p)
	}
	hired, err := org.HireAll(ctx, t, all)
	if err != nil {
		return err
	}
	s.people, err = org.People(ctx, t)
	if err == nil && len(s.people) != len(hired) {
		return fmt.Errorf("hired %d of %d", len(s.people), len(hired))
	}
	return err
}

// calibrate writes the courses and the item banks down, lets the pilots answer
// and calibrates the banks on what they answered.
func (s *story) calibrate(ctx context.Context) error {
	s.later(1, 9)
	s.courses = map[string]content.CourseID{}
	s.acts = map[content.CourseID][]content.Activity{}
	var quiz []content.Item
	for _, it := range s.sample.Items {
		item := content.Item{ID: content.ItemID(it.Key), Skill: s.skillID[it.Skill], Part: it.Part.Name, Stem: it.Stem, Options: it.Options, Answer: it.Answer, Status: content.Draft}
		if it.Quiz {
			quiz = append(quiz, item)
		} else {
			item.Status = content.Active
			s.items = append(s.items, item)
		}
	}
	if err := s.d.Write(ctx, func(t *db.Tx) error {
		if err := content.AddItems(ctx, t, slices.Concat(s.items, quiz)); err != nil {
			return err
		}
		for i := range s.sample.Courses {
			if s.sample.Courses[i].Cycle != 1 {
				continue
			}
			if err := s.addCourse(ctx, t, i); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	hidden := rand.New(rand.NewPCG(s.Seed, 2))
	s.truth = newTruth(hidden, slices.Concat(s.items, quiz))
	for i := range s.sample.Courses {
		if c := s.sample.Courses[i]; c.Cycle == 1 {
			s.trueRates(s.courses[c.Key], hidden)
		}
	}
	s.populate(hidden)
	s.later(10, 9) // the pilot takes its time
	for _, k := range s.skills {
		var ids []content.ItemID
		for _, it := range s.items {
			if it.Skill == k.ID {
				ids = append(ids, it.ID)
			}
		}
		answers := make([][]int8, pilots)
		for i := range answers {
			theta := hidden.NormFloat64()
			answers[i] = make([]int8, len(ids))
			for j, id := range ids {
				if hidden.Float64() < s.truth.item[id].P(theta) {
					answers[i][j] = 1
				}
			}
		}
		if err := s.d.Write(ctx, func(t *db.Tx) error {
			_, err := assess.Calibrate(ctx, t, ids, answers)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// populate gives everybody their hidden truth.
func (s *story) populate(rng *rand.Rand) {
	position := map[org.PositionID]map[org.SkillID]float64{}
	for _, p := range s.sample.Positions {
		position[s.positions[p.Key]] = map[org.SkillID]float64{}
		for _, k := range s.skills {
			position[s.positions[p.Key]][k.ID] = -0.35 + 0.3*rng.NormFloat64()
			if k.Innovation {
				position[s.positions[p.Key]][k.ID] -= 0.35
			}
		}
	}
	team := map[org.UnitID]map[org.SkillID]float64{}
	for _, p := range s.people {
		if team[p.Unit] == nil {
			team[p.Unit] = map[org.SkillID]float64{}
			for _, k := range s.skills {
				team[p.Unit][k.ID] = 0.25 * rng.NormFloat64()
			}
		}
		shift := map[org.SkillID]float64{}
		for _, k := range s.skills {
			shift[k.ID] = position[p.Position][k.ID] + team[p.Unit][k.ID]
		}
		s.truth.addLearner(rng, s.skills, shift)
	}
	for _, k := range s.skills {
		s.truth.drift[k.ID] = math.Max(0, 0.03+0.02*rng.NormFloat64())
	}
}

// addCourse writes a course of the sample down, and draws how fast its
// activities really teach: the method's prior, off by a factor.
func (s *story) addCourse(ctx context.Context, t *db.Tx, at int) error {
	c := s.sample.Courses[at]
	id := content.CourseID(c.Key)
	if err := content.AddCourse(ctx, t, content.Course{
		ID: id, Title: c.Title, About: c.About, Owner: s.people[at%len(s.people)].ID, Status: content.Draft,
		ReviewDue: t.Now.AddDate(0, c.Months, 0), CreatedAt: t.Now,
	}); err != nil {
		return err
	}
	s.courses[c.Key] = id
	for j, a := range c.Activities {
		act := content.Activity{
			ID: content.ActivityID(a.Key), Course: id, Place: j + 1, Kind: content.Kind(a.Kind), Method: content.Method(a.Method),
			Title: a.Title, Body: a.Body, Minutes: a.Minutes,
		}
		for _, it := range a.Items {
			act.Spec.Items = append(act.Spec.Items, content.ItemID(it))
		}
		for _, n := range a.Nodes {
			node := content.Node{ID: n.ID, Says: n.Says, Score: n.Score}
			for _, ch := range n.Choices {
				node.Choices = append(node.Choices, content.Choice{Says: ch.Says, Next: ch.Next, Why: ch.Why})
			}
			act.Spec.Nodes = append(act.Spec.Nodes, node)
		}
		for _, k := range a.Teaches {
			act.Teaches = append(act.Teaches, content.Teaches{Skill: s.skillID[k.Skill], Share: k.Share})
		}
		if err := content.AddActivity(ctx, t, act); err != nil {
			return fmt.Errorf("%s: %w", a.Key, err)
		}
		s.acts[id] = append(s.acts[id], act)
	}
	return content.Publish(ctx, t, id)
}

// trueRates draws λ of a course's activities.
func (s *story) trueRates(course content.CourseID, rng *rand.Rand) {
	for _, a := range s.acts[course] {
		s.truth.rate[a.ID] = map[org.SkillID]float64{}
		for _, t := range a.Teaches {
			var kind string
			for _, k := range s.skills {
				if k.ID == t.Skill {
					kind = k.Kind
				}
			}
			prior, _ := a.Believed(content.Teaches{}, kind)
			s.truth.rate[a.ID][t.Skill] = prior * math.Exp(0.35*rng.NormFloat64())
		}
	}
}

// panels lets seven experts set the level of every requirement, each with a
// severity of their own, on 15 items.
func (s *story) panels(ctx context.Context) error {
	s.later(1, 10)
	rng := rand.New(rand.NewPCG(s.Seed, 3))
	severity := make([]float64, 7)
	for e := range severity {
		severity[e] = 0.2 * rng.NormFloat64()
	}
	return s.d.Write(ctx, func(t *db.Tx) error {
		for _, p := range s.sample.Positions {
			for _, r := range p.Requires {
				k := s.skillID[r.Skill]
				id := assess.PanelID("panel-" + p.Key + "-" + r.Skill)
				if err := assess.OpenPanel(ctx, t, assess.Panel{ID: id, Position: s.positions[p.Key], Skill: k}); err != nil {
					return err
				}
				wanted := s.truth.scale[k].ThetaAt(r.Level)
				var bank []content.ItemID
				for _, it := range s.items {
					if it.Skill == k {
						bank = append(bank, it.ID)
					}
				}
				rng.Shuffle(len(bank), func(i, j int) { bank[i], bank[j] = bank[j], bank[i] })
				for e, sev := range severity {
					for _, it := range bank[:min(15, len(bank))] {
						logit := s.truth.item[it].A*(wanted+sev-s.truth.item[it].B) + 0.35*rng.NormFloat64()
						chance := math.Round(20/(1+math.Exp(-logit))) / 20 // experts say 5 % steps
						if err := assess.Rate(ctx, t, id, s.sample.Company.Experts[e%len(s.sample.Company.Experts)].Zh, it, chance); err != nil {
							return err
						}
						t.Now = t.Now.Add(40 * time.Second)
					}
				}
				if _, err := assess.Close(ctx, t, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
