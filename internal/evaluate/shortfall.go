package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/locale"
	"attune/internal/org"
)

// ItemReport is an item of the test after that did not behave as calibrated.
type ItemReport struct {
	Item     content.ItemID `json:"item"`
	Skill    org.SkillID    `json:"skill"`
	Answers  int            `json:"answers"`
	Right    float64        `json:"right"`    // share
	Expected float64        `json:"expected"` // share, from the abilities after
	Z        float64        `json:"z"`        // (right − expected) over its standard error
}

// Part is a point of a skill as it stood in the test after.
type Part struct {
	Skill   org.SkillID `json:"skill"`
	Part    locale.Text `json:"part"`
	Answers int         `json:"answers"`
	Right   float64     `json:"right"` // share
	SE      float64     `json:"se"`
}

// oddItem is how far, in standard errors, an item's share of right answers may
// lie from what the abilities say before it is shown: 3, since a bank of 200
// items then shows about one that is as it should be every second time.
const oddItem = 3

// shortfalls finds the items and the points of skills that did badly.
func (s *study) shortfalls(ctx context.Context, t *db.Tx, r *Result) error {
	items, err := content.Items(ctx, t)
	if err != nil {
		return err
	}
	type tally struct {
		n                         int
		right, expected, variance float64
	}
	byItem := map[content.ItemID]*tally{}
	for k, f := range s.fits {
		bank := s.banks[k]
		for j, i := range f.who {
			sheet, ok := s.after[k][s.people[i].person.ID]
			if !ok {
				continue
			}
			level := f.gain.People[j].After
			for n, answer := range bank.Answers(sheet) {
				c := byItem[sheet.Items[n]]
				if c == nil {
					c = &tally{}
					byItem[sheet.Items[n]] = c
				}
				// P averaged over the posterior by a two-point rule, which is exact
				// to third order.
				p := (answer.Item.P(level.Theta-level.ThetaSE) + answer.Item.P(level.Theta+level.ThetaSE)) / 2
				c.n++
				c.expected += p
				c.variance += p * (1 - p)
				if answer.Correct {
					c.right++
				}
			}
		}
	}
	type point struct {
		skill org.SkillID
		part  locale.Text
	}
	parts := map[point]*tally{}
	for _, it := range items {
		c := byItem[it.ID]
		if c == nil {
			continue
		}
		n := float64(c.n)
		if z := (c.right - c.expected) / math.Sqrt(c.variance); c.n >= 30 && math.Abs(z) > oddItem {
			r.Items = append(r.Items, ItemReport{it.ID, it.Skill, c.n, c.right / n, c.expected / n, z})
		}
		p := parts[point{it.Skill, it.Part}]
		if p == nil {
			p = &tally{}
			parts[point{it.Skill, it.Part}] = p
		}
		p.n += c.n
		p.right += c.right
	}
	slices.SortFunc(r.Items, func(a, b ItemReport) int { return cmp.Compare(math.Abs(b.Z), math.Abs(a.Z)) })
	for pt, c := range parts {
		share := c.right / float64(c.n)
		r.Parts = append(r.Parts, Part{pt.skill, pt.part, c.n, share, math.Sqrt(share * (1 - share) / float64(c.n))})
	}
	slices.SortFunc(r.Parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Right, b.Right), cmp.Compare(a.Part.Zh, b.Part.Zh), cmp.Compare(a.Part.En, b.Part.En))
	})
	return nil
}

// Aspect is what people thought of one side of the training (Kirkpatrick's
// first level).
type Aspect struct {
	Aspect string   `json:"aspect"` // trainer, content, pace, venue, use
	Mean   Interval `json:"mean"`   // 1–5
	People int      `json:"people"`
}

// reaction averages the Likert questions of the programme's reaction surveys.
func reaction(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) ([]Aspect, error) {
	surveys, err := assess.Surveys(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for _, s := range surveys {
		if s.Purpose != "reaction" {
			continue
		}
		aspect := map[string]string{}
		for _, q := range s.Questions {
			if q.Kind == "likert" {
				aspect[q.ID] = q.Aspect
			}
		}
		responses, err := assess.Responses(ctx, t, s.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range responses {
			for _, a := range p.Replies {
				if name := aspect[a.Question]; name != "" && a.Value > 0 {
					values[name] = append(values[name], float64(a.Value))
				}
			}
		}
	}
	var all []Aspect
	for name, v := range values {
		mean, sq := 0.0, 0.0
		for _, x := range v {
			mean += x / float64(len(v))
		}
		for _, x := range v {
			sq += (x - mean) * (x - mean)
		}
		se := math.Sqrt(sq / math.Max(1, float64(len(v)-1)) / float64(len(v)))
		all = append(all, Aspect{name, interval(mean, se), len(v)})
	}
	slices.SortFunc(all, func(a, b Aspect) int { return cmp.Compare(a.Aspect, b.Aspect) })
	return all, nil
}

// Cost is what the programme cost and what it is worth, with what is assumed.
type Cost struct {
	Seats     float64  `json:"seats"`     // money paid for seats
	Hours     float64  `json:"hours"`     // of people's time
	Time      float64  `json:"time"`      // money: hours at Wage
	Wage      float64  `json:"wage"`      // assumed, money an hour
	Deviation float64  `json:"deviation"` // assumed worth of one standard deviation of performance, money a year and person
	Transfer  float64  `json:"transfer"`  // assumed share of E that reaches the work
	Years     float64  `json:"years"`     // assumed to last
	Return    Interval `json:"return"`    // (worth − cost) / cost; the interval is that of the effect alone
	Causal    bool     `json:"causal"`    // whether the effect used is one that a draw showed
}

// What the return assumes until the company says otherwise: Schmidt, Hunter &
// Pearlman 1982 put a standard deviation of performance at 40 % of pay, taken
// here over 1,800 working hours a year.
const (
	assumedWage      = 35.0
	assumedDeviation = 0.40 * assumedWage * 1800
	assumedTransfer  = 0.2
	assumedYears     = 1.0
)

// cost applies the utility of Brogden, Cronbach & Gleser: worth = people ×
// years × effect × transfer × worth of a standard deviation.
func cost(ctx context.Context, t *db.Tx, s *study, r *Result) (Cost, error) {
	c := Cost{Wage: assumedWage, Deviation: assumedDeviation, Transfer: assumedTransfer, Years: assumedYears}
	for _, p := range s.people {
		for _, o := range s.offerings {
			if p.took[o.ID] {
				c.Seats += o.Cost
			}
		}
		for _, a := range sortedKeys(p.doses) {
			c.Hours += p.doses[a]
		}
	}
	c.Time = c.Hours * c.Wage
	spent := c.Seats + c.Time
	if spent <= 0 || r.Trained == 0 {
		return c, nil
	}
	per := float64(r.Trained) * c.Years * c.Transfer * c.Deviation
	c.Return = Interval{
		Estimate: (r.Effect.Estimate*per - spent) / spent,
		Low:      (r.Effect.Low*per - spent) / spent,
		High:     (r.Effect.High*per - spent) / spent,
	}
	return c, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// expected is the mean E that the approved plan expected of those it trains.
func expected(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) (float64, error) {
	return db.Row(ctx, t, db.One[float64], `
		SELECT coalesce(avg(g.e), 0) FROM plan_gain g JOIN plan p ON p.id = g.plan_id
		WHERE p.programme_id = $1 AND p.status = 'approved' AND g.hours > 0`, programme)
}
