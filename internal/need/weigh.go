package need

import (
	"context"
	"math"

	"attune/internal/assess"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/org"
)

type pair struct {
	position org.PositionID
	skill    org.SkillID
}

// weigh gathers the evidence for every skill of every position.
func weigh(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) ([]Need, error) {
	people, err := org.People(ctx, t)
	if err != nil {
		return nil, err
	}
	position := make(map[org.PersonID]org.PositionID, len(people))
	many := map[org.PositionID]int{}
	for _, p := range people {
		position[p.ID] = p.Position
		many[p.Position]++
	}
	abilities, err := assess.Abilities(ctx, t)
	if err != nil {
		return nil, err
	}
	s, se := map[pair][]float64{}, map[pair][]float64{}
	for _, a := range abilities {
		k := pair{position[a.Person], a.Skill}
		s[k], se[k] = append(s[k], a.S), append(se[k], a.SSE)
	}
	judged, err := ratings(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	loads, err := org.StepEvidence(ctx, t)
	if err != nil {
		return nil, err
	}
	load := map[pair]org.StepLoad{}
	for _, l := range loads {
		load[pair{l.Position, l.Skill}] = l
	}
	interest, err := interests(ctx, t, programme, position)
	if err != nil {
		return nil, err
	}
	interviews, err := Interviews(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	requirements, err := org.Requirements(ctx, t)
	if err != nil {
		return nil, err
	}
	var all []Need
	for _, r := range requirements {
		k := pair{r.Position, r.Skill}
		if many[r.Position] < Fewest {
			continue
		}
		n := Need{Skill: r.Skill, Position: r.Position, People: many[r.Position]}
		e := &n.Evidence
		e.Importance = r.Importance
		if r.Level != nil {
			e.Required = *r.Level
		}
		if r.LevelSE != nil {
			e.RequiredSE = *r.LevelSE
		}
		if e.Tested = len(s[k]); e.Tested >= Fewest {
			e.Measured, e.MeasuredSE = groupMean(s[k], se[k])
			for i, x := range s[k] {
				// the chance that this person lies under R, not a yes or no of a noisy figure
				e.Below += normal((e.Required-x)/math.Max(se[k][i], 1e-9)) / float64(e.Tested)
			}
		} else {
			e.Tested, e.Below = 0, 0
		}
		if r.Level != nil && e.Tested > 0 {
			n.Gap = e.Required - e.Measured
			n.GapSE = math.Hypot(e.RequiredSE, e.MeasuredSE)
		}
		e.Self, e.Manager = judged[Self][k], judged[Manager][k]
		if l, ok := load[k]; ok {
			e.Load = l.Load
			e.Class = class(l.Steps)
			for _, st := range l.Steps {
				e.Steps = append(e.Steps, string(st.ID))
			}
		}
		if v, ok := interest[k]; ok {
			e.Interest = &v
		}
		for _, i := range interviews {
			if i.Skill == r.Skill && (i.Position == "" || i.Position == r.Position) {
				e.Interviews++
			}
		}
		all = append(all, n)
	}
	quadrants(all)
	return all, nil
}

func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// ratings folds the judgements by position and skill, leaving out groups under
// Fewest.
func ratings(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) (map[Rater]map[pair]*Judged, error) {
	type row struct {
		pair
		rater              Rater
		people             int
		able, important    float64
		under, over, equal int
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.position, &r.skill, &r.rater, &r.people, &r.able, &r.important, &r.under, &r.over)
	}, `
		SELECT p.position_id, r.skill_id, r.rater, count(*), avg(r.able * 1.0), avg(r.important * 1.0),
			sum(CASE WHEN r.able < r.important THEN 1 ELSE 0 END), sum(CASE WHEN r.able > r.important THEN 1 ELSE 0 END)
		FROM rating r JOIN person p ON p.id = r.person_id
		WHERE r.programme_id = $1 AND p.left_at IS NULL
		GROUP BY p.position_id, r.skill_id, r.rater
		HAVING count(*) >= $2`, programme, Fewest)
	if err != nil {
		return nil, err
	}
	out := map[Rater]map[pair]*Judged{Self: {}, Manager: {}}
	for _, r := range rows {
		out[r.rater][r.pair] = &Judged{
			People: r.people, Able: r.able, Important: r.important,
			Borich: (r.important - r.able) * r.important,
			Ranked: 100 * float64(r.over-r.under) / float64(r.people),
		}
	}
	return out, nil
}

// interests averages the needs surveys' Likert questions that name a skill as
// their aspect.
func interests(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, position map[org.PersonID]org.PositionID) (map[pair]float64, error) {
	surveys, err := assess.Surveys(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	// Someone may answer more than one question about a skill, but is one person
	// of the five that a figure takes.
	sum, n := map[pair]float64{}, map[pair]float64{}
	who := map[pair]map[org.PersonID]bool{}
	for _, s := range surveys {
		if s.Purpose != "needs" {
			continue
		}
		about := map[string]org.SkillID{}
		for _, q := range s.Questions {
			if q.Kind == "likert" && q.Aspect != "" {
				about[q.ID] = org.SkillID(q.Aspect)
			}
		}
		responses, err := assess.Responses(ctx, t, s.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range responses {
			for _, a := range r.Replies {
				if skill, ok := about[a.Question]; ok && a.Value > 0 {
					k := pair{position[r.Person], skill}
					sum[k] += float64(a.Value)
					n[k]++
					if who[k] == nil {
						who[k] = map[org.PersonID]bool{}
					}
					who[k][r.Person] = true
				}
			}
		}
	}
	out := map[pair]float64{}
	for k, c := range n {
		if len(who[k]) >= Fewest {
			out[k] = sum[k] / c
		}
	}
	return out, nil
}

// quadrants places every judged need by importance and performance against the
// means over all (Martilla & James 1977), on the managers' word, or the
// people's own where no manager was asked.
func quadrants(all []Need) {
	var important, able, n float64
	judged := func(e Evidence) *Judged {
		if e.Manager != nil {
			return e.Manager
		}
		return e.Self
	}
	for _, x := range all {
		if j := judged(x.Evidence); j != nil {
			important, able, n = important+j.Important, able+j.Able, n+1
		}
	}
	if n == 0 {
		return
	}
	important, able = important/n, able/n
	for i := range all {
		j := judged(all[i].Evidence)
		switch {
		case j == nil:
		case j.Important >= important && j.Able < able:
			all[i].Evidence.Quadrant = "concentrate"
		case j.Important >= important:
			all[i].Evidence.Quadrant = "keep_up"
		case j.Able < able:
			all[i].Evidence.Quadrant = "low_priority"
		default:
			all[i].Evidence.Quadrant = "overkill"
		}
	}
}

// class is the strongest that difficulty–importance–frequency analysis asks
// for any of the steps: what is hard, matters and is seldom done is trained
// beyond mastery, because work itself gives no practice.
func class(steps []org.Step) string {
	rank := map[string]int{"": 0, "no_training": 1, "train": 2, "overtrain": 3}
	best := ""
	for _, s := range steps {
		hard, matters, often := s.Difficulty >= 4, s.Importance >= 3, s.Frequency >= 3
		c := "no_training"
		switch {
		case hard && matters && !often:
			c = "overtrain"
		case hard && (matters || often), !hard && matters && often:
			c = "train"
		}
		if rank[c] > rank[best] {
			best = c
		}
	}
	return best
}

// Cell is one square of the heat map.
type Cell struct {
	Unit     org.UnitID
	Skill    org.SkillID
	People   int
	Gap      float64 // R − S, mean over the unit's people whose position requires the skill; points
	SE       float64
	Required float64
}

// HeatMap returns the gap by unit and skill, over the people who sit in the
// unit itself; squares of fewer than five people are left out.
func HeatMap(ctx context.Context, t *db.Tx) ([]Cell, error) {
	type row struct {
		unit       org.UnitID
		skill      org.SkillID
		people     int
		gap, noise float64
		square     float64
		required   float64
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.unit, &r.skill, &r.people, &r.gap, &r.square, &r.noise, &r.required)
	}, `
		SELECT p.unit_id, a.skill_id, count(*), avg(r.level - a.s), avg((r.level - a.s) * (r.level - a.s)), avg(a.s_se * a.s_se), avg(r.level)
		FROM person p
		JOIN requirement r ON r.position_id = p.position_id AND r.level IS NOT NULL
		JOIN ability a ON a.person_id = p.id AND a.skill_id = r.skill_id
			AND a.at = (SELECT max(b.at) FROM ability b WHERE b.person_id = p.id AND b.skill_id = r.skill_id)
		WHERE p.left_at IS NULL
		GROUP BY p.unit_id, a.skill_id
		HAVING count(*) >= $1
		ORDER BY p.unit_id, a.skill_id`, Fewest)
	if err != nil {
		return nil, err
	}
	all := make([]Cell, len(rows))
	for i, r := range rows {
		spread := math.Max(0, r.square-r.gap*r.gap) + r.noise
		all[i] = Cell{r.unit, r.skill, r.people, r.gap, math.Sqrt(spread / float64(r.people)), r.required}
	}
	return all, nil
}
