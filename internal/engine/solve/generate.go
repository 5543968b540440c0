package solve

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// GenerateOptions shape a made-up instance; the zero value is a tight one of
// retail with 60 offerings, 8 skills, teams of 25 and sites of 1,000.
type GenerateOptions struct {
	Industry  string // "retail", "finance", "education", "health"; retail if empty
	Loose     bool   // seats, money and cover for nearly everyone, instead of about half
	Offerings int
	Skills    int // the last is innovation
	TeamSize  int
	SiteSize  int
}

// industry is what sets one trade's instances apart from another's.
type industry struct {
	selfPaced float64 // share of offerings without dates
	hours     float64 // mean hours that a person may train
	away      float64 // share of a team that may be away
	cost      float64 // mean cost of an hour for one person
	positions int
	days      int // working days that the sessions fall on, when tight
}

var industries = map[string]industry{
	"retail":    {0.40, 18, 0.12, 60, 5, 20},
	"finance":   {0.50, 24, 0.20, 150, 6, 30},
	"education": {0.30, 30, 0.16, 45, 4, 15},
	"health":    {0.35, 15, 0.08, 80, 6, 25},
}

// Generate makes an instance of so many people from a seed. The same arguments
// give the same instance on every machine: all figures are drawn as multiples
// of a fixed step, by arithmetic that rounds alike everywhere.
func Generate(people int, seed uint64, o GenerateOptions) *Instance {
	if o.Industry == "" {
		o.Industry = "retail"
	}
	trade, ok := industries[o.Industry]
	if !ok {
		trade = industries["retail"]
	}
	o.Offerings, o.Skills = or(o.Offerings, 60), or(o.Skills, 8)
	o.TeamSize, o.SiteSize = or(o.TeamSize, 25), or(o.SiteSize, 1000)
	g := &generator{
		rng: rand.New(rand.NewPCG(seed, uint64(people))), o: o, trade: trade,
		in: &Instance{
			Name:  fmt.Sprintf("%s-%d-%d", o.Industry, people, seed),
			Alpha: 0.7, Beta: 0.3, SigmaS: 12, SigmaI: 14,
			Innovation: int32(o.Skills - 1),
			Formats:    []string{"online", "workshop", "role_play", "coaching"},
			Budget:     -1,
		},
	}
	if o.Loose {
		g.trade.away *= 2
		g.trade.days *= 2
	}
	g.catalogue()
	g.people(people)
	g.sessions()
	g.rules()
	return g.in
}

func or(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

type generator struct {
	rng   *rand.Rand
	o     GenerateOptions
	trade industry
	in    *Instance
}

// between draws a multiple of step in [lo, hi].
func (g *generator) between(lo, hi, step float64) float64 {
	return lo + step*float64(g.rng.IntN(int(math.Round((hi-lo)/step))+1))
}

// bell draws around mean with standard deviation sd, to one decimal: the sum
// of twelve uniforms, which needs no logarithm and so rounds alike everywhere.
func (g *generator) bell(mean, sd float64) float64 {
	s := -6.0
	for range 12 {
		s += g.rng.Float64()
	}
	return math.Round(float64(mean+float64(sd*s))*10) / 10
}

func (g *generator) catalogue() {
	in, skills := g.in, g.o.Skills
	for k := range skills {
		in.Skills = append(in.Skills, fmt.Sprintf("skill-%02d", k+1))
	}
	in.Skills[skills-1] = "innovation"
	for range 16 {
		row := make([]float32, len(in.Formats))
		for f := range row {
			row[f] = float32(g.between(0.6, 1.2, 0.05))
		}
		in.Fit = append(in.Fit, row)
	}
	for p := range g.trade.positions {
		pos := Position{ID: fmt.Sprintf("position-%d", p+1)}
		sum := 0
		parts := make([]int, skills)
		for k := range skills - 1 {
			parts[k] = g.rng.IntN(4) * g.rng.IntN(4)
			sum += parts[k]
		}
		if sum == 0 {
			parts[0], sum = 1, 1
		}
		for k := range skills {
			pos.Weights = append(pos.Weights, float32(parts[k])/float32(sum))
			pos.Ceiling = append(pos.Ceiling, 95)
		}
		in.Positions = append(in.Positions, pos)
	}
	dated := 0
	for j := range g.o.Offerings {
		of := Offering{ID: fmt.Sprintf("offering-%02d", j+1), Rates: make([]float32, skills)}
		if g.rng.Float64() < g.trade.selfPaced {
			of.Format = 0
			of.Hours = float32(g.between(0.5, 4, 0.5))
			of.Cost = float32(g.between(0, g.trade.cost/2, 5))
		} else {
			dated++
			of.Format = int32(1 + g.rng.IntN(len(in.Formats)-1))
			of.Hours = float32(g.between(2, 6, 1))
			of.Cost = float32(math.Round(g.between(0.5, 1.5, 0.1)*g.trade.cost*float64(of.Hours)/5) * 5)
		}
		for n := 1 + g.rng.IntN(3); n > 0; n-- {
			of.Rates[g.rng.IntN(skills)] = float32(g.between(0.03, 0.12, 0.005))
		}
		if g.rng.IntN(3) == 0 { // not for everyone
			for p := range in.Positions {
				if g.rng.IntN(5) < 3 {
					of.Positions = append(of.Positions, int32(p))
				}
			}
		}
		if j >= 8 && g.rng.IntN(8) == 0 {
			of.Prerequisites = []int32{int32(g.rng.IntN(j))}
		}
		in.Offerings = append(in.Offerings, of)
	}
	for q := range 4 {
		in.Groups = append(in.Groups, Group{ID: fmt.Sprintf("group-%d", q+1)})
	}
}

func (g *generator) people(n int) {
	in, p := g.in, &g.in.People
	sites := max(1, (n+g.o.SiteSize/2)/g.o.SiteSize)
	for s := range sites {
		in.Sites = append(in.Sites, fmt.Sprintf("site-%03d", s+1))
		lo, hi := s*n/sites, (s+1)*n/sites
		teams := max(1, (hi-lo+g.o.TeamSize/2)/g.o.TeamSize)
		units := max(1, (hi-lo+125)/250)
		team0, unit0 := len(in.Teams), len(in.Units)
		for range teams {
			in.Teams = append(in.Teams, Team{ID: fmt.Sprintf("team-%05d", len(in.Teams)+1), Away: float32(g.trade.away)})
		}
		for range units {
			in.Units = append(in.Units, Unit{ID: fmt.Sprintf("unit-%04d", len(in.Units)+1), Budget: -1})
		}
		for i := lo; i < hi; i++ {
			at := i - lo
			pos := g.rng.IntN(len(in.Positions))
			p.ID = append(p.ID, fmt.Sprintf("p%07d", i+1))
			p.Position = append(p.Position, int32(pos))
			p.Site = append(p.Site, int32(s))
			p.Team = append(p.Team, int32(team0+at*teams/(hi-lo)))
			p.Unit = append(p.Unit, int32(unit0+at*units/(hi-lo)))
			p.Group = append(p.Group, int32(g.rng.IntN(len(in.Groups))))
			p.Profile = append(p.Profile, int32(g.rng.IntN(len(in.Fit))))
			p.Hours = append(p.Hours, float32(g.between(g.trade.hours*2/3, g.trade.hours*4/3, 0.5)))
			p.Attention = append(p.Attention, float32(g.between(240, 480, 60)))
			level, sum := g.bell(0, 7), 0.0
			for range g.o.Skills {
				s := min(98, max(5, g.bell(55+level, 10)))
				sum += s
				p.Proficiency = append(p.Proficiency, float32(s))
			}
			third := 0
			if mean := sum / float64(g.o.Skills); mean > 58 {
				third = 2
			} else if mean > 52 {
				third = 1
			}
			p.Stratum = append(p.Stratum, int32(pos*3+third))
		}
	}
}

// sessions gives each site its own dated runs. Their seats sum to what about
// half of those who would come can use, or, loosely, nearly all.
func (g *generator) sessions() {
	in := g.in
	size := make([]int, len(in.Sites))
	for _, s := range in.People.Site {
		size[s]++
	}
	for j, of := range in.Offerings {
		if of.Format == 0 {
			in.Sessions = append(in.Sessions, Session{ID: of.ID, Offering: int32(j), Site: -1, Seats: -1})
		}
	}
	for s := range in.Sites {
		for j, of := range in.Offerings {
			if of.Format == 0 {
				continue
			}
			runs := 2 + g.rng.IntN(3)
			for r := range runs {
				seats := max(1, int(float64(size[s])*g.between(0.012, 0.036, 0.002)))
				if g.o.Loose {
					seats *= 3
				}
				se := Session{ID: fmt.Sprintf("%s/%s/%d", in.Sites[s], of.ID, r+1), Offering: int32(j), Site: int32(s), Seats: int32(seats)}
				day := g.day(r, runs)
				start := int32(9*60 + 240*g.rng.IntN(2))
				for left := int32(of.Hours * 60); left > 0; left -= 180 {
					se.Meetings = append(se.Meetings, Meeting{day*1440 + start, day*1440 + start + min(left, 180)})
					day = g.after(day)
				}
				in.Sessions = append(in.Sessions, se)
			}
		}
	}
}

// day draws a working day in the r-th of so many equal parts of the plan.
func (g *generator) day(r, runs int) int32 {
	lo, hi := r*g.trade.days/runs, (r+1)*g.trade.days/runs
	d := lo + g.rng.IntN(max(1, hi-lo))
	return int32(d/5*7 + d%5)
}

// after is the working day that follows d.
func (g *generator) after(d int32) int32 {
	if d%7 == 4 {
		return d + 3
	}
	return d + 1
}

// rules adds mandates, locks, money and floors.
func (g *generator) rules() {
	in, n := g.in, g.in.People.Len()
	last := int32(g.trade.days/5*7) * 1440
	online, dated := -1, -1
	for j, of := range in.Offerings {
		if len(of.Prerequisites) > 0 || len(of.Positions) > 0 {
			continue
		}
		if of.Format == 0 && of.Hours <= 2 && online < 0 {
			online = j
		} else if of.Format != 0 && of.Hours <= 3 && dated < 0 {
			dated = j
		}
	}
	if online >= 0 {
		in.Mandates = append(in.Mandates, Mandate{Offering: int32(online), Deadline: last})
	}
	if dated >= 0 { // newcomers, one in thirty
		m := Mandate{Offering: int32(dated), Deadline: last}
		for i := range n {
			if g.rng.IntN(30) == 0 {
				m.People = append(m.People, int32(i))
			}
		}
		if len(m.People) > 0 {
			in.Mandates = append(in.Mandates, m)
		}
	}
	for i := range n {
		switch g.rng.IntN(40) {
		case 0:
			if j := g.rng.IntN(len(in.Offerings)); j != online && j != dated {
				in.Forbidden = append(in.Forbidden, Choice{int32(i), int32(j), -1})
			}
		case 1:
			in.Held = append(in.Held, Choice{int32(i), int32(g.rng.IntN(len(in.Offerings))), -1})
		}
	}
	each := g.trade.cost * g.trade.hours * 0.45
	if g.o.Loose {
		each *= 1.5
	}
	in.Budget = math.Round(each*float64(n)/100) * 100
	size := make([]int, len(in.Units))
	for _, u := range in.People.Unit {
		size[u]++
	}
	for u := range in.Units { // every second unit has a budget of its own
		if u%2 == 1 {
			in.Units[u].Budget = math.Round(each * 0.9 * float64(size[u]))
		}
	}
	count := make([]int, len(in.Groups))
	for _, q := range in.People.Group {
		count[q]++
	}
	floor := 0.95
	if g.o.Loose {
		floor = 0.8
	}
	in.Groups[0].Floor = math.Round(floor*float64(count[0])*10) / 10
}
