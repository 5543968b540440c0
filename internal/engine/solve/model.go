package solve

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"sync"
)

// model is an instance compiled for the search: what all people share.
type model struct {
	in   *Instance
	k, j int // skills, offerings

	coef []float64 // [position·k+skill] E per point of S

	// The skills an offering trains, offering by offering: entries
	// zStart[j]..zStart[j+1] of zSkill, and of each profile's row of depth and
	// rate, which hold 1−e^(−a) and a = λ·h·fit.
	zStart []int32
	zSkill []int32
	depth  []float64
	rate   []float64

	audience [][]int32 // [position] offerings open to it that are of any use
	order    []int32   // [offering] place in an order where prerequisites come first
	circular []bool    // offerings that are, or need, part of a circle of prerequisites

	grid      float64 // hours: all offerings take whole multiples, or else rounding down only loosens a bound
	chains    []chain
	after     [][]int32 // [offering] chains in which it is the successor
	ahead     [][]int32 // [offering] chains in which it is the prerequisite
	rules     []rule    // by person
	ruleStart []int32   // [person]
	everyone  []rule    // mandates for all
	sites     []site
	floor     []float64        // [group] the instance's, but 0 where no plan reaches it
	waived    map[demand]bool  // demands that cannot be met
	reserved  map[demand]int32 // an option for each that compete for seats, all of which can be had at once
}

// chain is an offering and one that must come first.
type chain struct{ j, pre int32 }

type ruleKind uint8

const (
	mandated ruleKind = iota
	locked
	forbidden
	held
	before // in the earlier plan
	pinned // the whole earlier plan is kept
)

type rule struct {
	person   int32
	kind     ruleKind
	offering int32
	session  int32 // −1: any
	deadline int32 // of mandated
}

// option is a session as people of one site see it.
type option struct {
	session  int32
	offering int32
	seats    int32 // −1: no limit
	cost     float64
	instants []int32 // of site.instants, during which it takes people away
	days     []dayMinutes
	dayRow   []int32 // of each of days, in site.days
	first    int32   // start of the first meeting; −1 if at one's own pace
	last     int32   // end of the last meeting
}

type dayMinutes struct{ day, minutes int32 }

// class is people of a site who pay the same prices.
type class struct{ team, unit int32 }

// site is what one site's people share.
type site struct {
	once     sync.Once
	sessions []int32 // before it is compiled
	size     []int32 // [team] people
	people   []int32 // by team, then index
	class    []int32 // of each of people
	classes  []class
	options  []option
	start    []int32  // [offering] options start[j]..start[j+1] are its sessions
	words    int      // of a set of options
	clash    []uint64 // [option·words] options that cannot be attended beside it
	touch    []uint64 // the same, and those that share a day with it
	days     []int32  // days on which anything meets
	rows     int      // of a person's own time: instants, two for each day, prerequisites
	chain0   int      // where the last of these begin
	instants []int32  // minutes at which cover is counted
	teams    []int32  // indices in Instance.Teams
	teamAt   map[int32]int32
	cap      []int32 // [team·len(instants)+instant] people who may be away
}

func compile(in *Instance) *model {
	m := &model{in: in, k: len(in.Skills), j: len(in.Offerings)}
	m.coef = make([]float64, len(in.Positions)*m.k)
	for p, pos := range in.Positions {
		for k, w := range pos.Weights {
			m.coef[p*m.k+k] = in.Alpha / in.SigmaS * float64(w)
		}
		if in.Innovation >= 0 {
			m.coef[p*m.k+int(in.Innovation)] = in.Beta / in.SigmaI
		}
	}
	m.zStart = make([]int32, m.j+1)
	for j, of := range in.Offerings {
		for k, r := range of.Rates {
			if r > 0 {
				m.zSkill = append(m.zSkill, int32(k))
			}
		}
		m.zStart[j+1] = int32(len(m.zSkill))
	}
	nz := len(m.zSkill)
	m.depth, m.rate = make([]float64, nz*len(in.Fit)), make([]float64, nz*len(in.Fit))
	for f, fit := range in.Fit {
		for j, of := range in.Offerings {
			for z := m.zStart[j]; z < m.zStart[j+1]; z++ {
				a := float64(of.Rates[m.zSkill[z]]) * float64(of.Hours) * float64(fit[of.Format])
				m.rate[f*nz+int(z)] = a
				m.depth[f*nz+int(z)] = -math.Expm1(-a)
			}
		}
	}
	m.arrange()
	for p := range in.Positions {
		var open []int32
		for j, of := range in.Offerings {
			if !m.circular[j] && (len(of.Positions) == 0 || slices.Contains(of.Positions, int32(p))) {
				open = append(open, int32(j))
			}
		}
		m.audience = append(m.audience, open)
	}
	m.after, m.ahead = make([][]int32, m.j), make([][]int32, m.j)
	m.grid = 0.25
	half := true
	for j, of := range in.Offerings {
		half = half && math.Mod(float64(of.Hours), 0.5) == 0
		for _, p := range of.Prerequisites {
			m.after[j] = append(m.after[j], int32(len(m.chains)))
			m.ahead[p] = append(m.ahead[p], int32(len(m.chains)))
			m.chains = append(m.chains, chain{int32(j), p})
		}
	}
	if half {
		m.grid = 0.5
	}
	for _, g := range in.Groups {
		m.floor = append(m.floor, g.Floor)
	}
	m.collectRules()
	m.collectSites()
	return m
}

// arrange orders the offerings so that prerequisites come first, and finds
// those that a circle makes impossible.
func (m *model) arrange() {
	m.order = make([]int32, m.j)
	m.circular = make([]bool, m.j)
	placed, n := make([]bool, m.j), int32(0)
	for again := true; again; {
		again = false
		for j, of := range m.in.Offerings {
			if placed[j] || slices.ContainsFunc(of.Prerequisites, func(p int32) bool { return !placed[p] }) {
				continue
			}
			placed[j], m.order[j], again = true, n, true
			n++
		}
	}
	for j := range m.circular {
		m.circular[j] = !placed[j]
	}
}

func (m *model) collectRules() {
	in := m.in
	for _, md := range in.Mandates {
		r := rule{-1, mandated, md.Offering, -1, md.Deadline}
		if len(md.People) == 0 {
			m.everyone = append(m.everyone, r)
		}
		for _, i := range md.People {
			r.person = i
			m.rules = append(m.rules, r)
		}
	}
	for kind, list := range map[ruleKind][]Choice{locked: in.Locked, forbidden: in.Forbidden, held: in.Held, before: in.Prior} {
		for _, c := range list {
			m.rules = append(m.rules, rule{c.Person, kind, c.Offering, c.Session, math.MaxInt32})
		}
	}
	for _, i := range in.People.Unchanging {
		m.rules = append(m.rules, rule{i, pinned, -1, -1, math.MaxInt32})
	}
	slices.SortFunc(m.rules, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.kind, b.kind), cmp.Compare(a.offering, b.offering),
			cmp.Compare(a.session, b.session), cmp.Compare(a.deadline, b.deadline))
	})
	m.ruleStart = make([]int32, in.People.Len()+1)
	at := 0
	for i := range m.ruleStart {
		for at < len(m.rules) && int(m.rules[at].person) < i {
			at++
		}
		m.ruleStart[i] = int32(at)
	}
}

// changing reports whether changes against an earlier plan are charged.
func (m *model) changing() bool { return m.in.ChangePrice > 0 && len(m.in.Prior) > 0 }

// rulesOf returns the rules about one person.
func (m *model) rulesOf(i int32) []rule { return m.rules[m.ruleStart[i]:m.ruleStart[i+1]] }

func (m *model) collectSites() {
	in := m.in
	m.sites = make([]site, len(in.Sites))
	for i, s := range in.People.Site {
		m.sites[s].people = append(m.sites[s].people, int32(i))
	}
	var open []int32
	at := make([][]int32, len(in.Sites))
	for t, se := range in.Sessions {
		if se.Site < 0 {
			open = append(open, int32(t))
		} else {
			at[se.Site] = append(at[se.Site], int32(t))
		}
	}
	size := make([]int32, len(in.Teams))
	for _, t := range in.People.Team {
		if t >= 0 {
			size[t]++
		}
	}
	for s := range m.sites {
		m.sites[s].sessions = append(slices.Clone(open), at[s]...)
		m.sites[s].size = size
	}
}

// site returns a site, compiled when it is first asked for: a node that solves
// one site need not prepare the others.
func (m *model) site(s int32) *site {
	m.sites[s].once.Do(func() { m.sites[s].compile(m) })
	return &m.sites[s]
}

func (s *site) compile(m *model) {
	in, sessions, size := m.in, s.sessions, s.size
	slices.SortFunc(s.people, func(a, b int32) int {
		return cmp.Or(cmp.Compare(in.People.Team[a], in.People.Team[b]), cmp.Compare(in.People.Unit[a], in.People.Unit[b]), cmp.Compare(a, b))
	})
	index := map[class]int32{}
	s.teamAt = map[int32]int32{}
	s.class = make([]int32, len(s.people))
	for n, i := range s.people {
		c := class{in.People.Team[i], in.People.Unit[i]}
		if _, ok := index[c]; !ok {
			index[c] = int32(len(s.classes))
			s.classes = append(s.classes, c)
		}
		if _, ok := s.teamAt[c.team]; !ok && c.team >= 0 {
			s.teamAt[c.team] = int32(len(s.teams))
			s.teams = append(s.teams, c.team)
		}
		s.class[n] = index[c]
	}
	slices.SortStableFunc(sessions, func(a, b int32) int {
		return cmp.Or(cmp.Compare(in.Sessions[a].Offering, in.Sessions[b].Offering), cmp.Compare(a, b))
	})
	s.start = make([]int32, m.j+1)
	for _, t := range sessions {
		se := &in.Sessions[t]
		o := option{session: t, offering: se.Offering, seats: se.Seats, cost: float64(in.Offerings[se.Offering].Cost), first: -1, last: -1}
		for _, mt := range se.Meetings {
			if o.first < 0 || mt.Start < o.first {
				o.first = mt.Start
			}
			o.last = max(o.last, mt.End)
			s.instants = append(s.instants, mt.Start)
			day := mt.Start / 1440
			if d := slices.IndexFunc(o.days, func(d dayMinutes) bool { return d.day == day }); d >= 0 {
				o.days[d].minutes += mt.End - mt.Start
			} else {
				o.days = append(o.days, dayMinutes{day, mt.End - mt.Start})
			}
		}
		s.options = append(s.options, o)
		s.start[se.Offering+1] = int32(len(s.options))
	}
	for j := range m.j {
		s.start[j+1] = max(s.start[j+1], s.start[j])
	}
	for _, c := range in.Cover {
		s.instants = append(s.instants, c.Start)
	}
	slices.Sort(s.instants)
	s.instants = slices.Compact(s.instants)
	for o := range s.options {
		for at, t := range s.instants {
			if in.Sessions[s.options[o].session].at(t) {
				s.options[o].instants = append(s.options[o].instants, int32(at))
			}
		}
	}
	s.thin(len(in.Cover) == 0)
	for o := range s.options {
		op := &s.options[o]
		for _, d := range op.days {
			r := slices.Index(s.days, d.day)
			if r < 0 {
				r = len(s.days)
				s.days = append(s.days, d.day)
			}
			op.dayRow = append(op.dayRow, int32(r))
		}
	}
	s.chain0 = len(s.instants) + 2*len(s.days)
	s.rows = s.chain0 + len(m.chains)
	s.cap = make([]int32, len(s.teams)*len(s.instants))
	for g, t := range s.teams {
		for at, minute := range s.instants {
			s.cap[g*len(s.instants)+at] = mayBeAway(in, t, minute, size[t])
		}
	}
	s.collectClashes(m)
}

// at reports whether a meeting is on at minute t.
func (se *Session) at(t int32) bool {
	for _, mt := range se.Meetings {
		if mt.Start <= t && t < mt.End {
			return true
		}
	}
	return false
}

// mayBeAway is how many of a team of that size may be away at a minute.
func mayBeAway(in *Instance, team, minute, size int32) int32 {
	n := share(in.Teams[team].Away, size)
	if in.Teams[team].Away > 0 {
		n = max(n, 1)
	}
	for _, c := range in.Cover {
		if (c.Team < 0 || c.Team == team) && c.Start <= minute && minute < c.End {
			n = min(n, share(c.Away, size))
		}
	}
	return n
}

// share is ⌊away·size⌋, where 0.12 of 25 is 3 although float32 holds 0.12 as a
// little less.
func share(away float32, size int32) int32 {
	return int32(math.Floor(float64(away)*float64(size) + 1e-4))
}

// thin drops the minutes at which nobody meets, and, where the caps of all
// minutes are alike, those whose sessions all meet at another minute too.
func (s *site) thin(alike bool) {
	n := len(s.instants)
	sets := make([][]int32, n)
	for o := range s.options {
		for _, at := range s.options[o].instants {
			sets[at] = append(sets[at], int32(o))
		}
	}
	within := func(a, b int) bool { // sets are ascending
		if len(sets[a]) > len(sets[b]) || len(sets[a]) == len(sets[b]) && a < b {
			return false // of equal sets the first stays
		}
		return !slices.ContainsFunc(sets[a], func(o int32) bool {
			_, ok := slices.BinarySearch(sets[b], o)
			return !ok
		})
	}
	keep := make([]int32, n)
	var kept []int32
	for a := range n {
		keep[a] = -1
		drop := len(sets[a]) == 0
		for b := 0; b < n && alike && !drop; b++ {
			drop = a != b && within(a, b)
		}
		if !drop {
			keep[a] = int32(len(kept))
			kept = append(kept, s.instants[a])
		}
	}
	for o := range s.options {
		list := s.options[o].instants[:0]
		for _, at := range s.options[o].instants {
			if keep[at] >= 0 {
				list = append(list, keep[at])
			}
		}
		s.options[o].instants = list
	}
	s.instants = kept
}

func (s *site) collectClashes(m *model) {
	n := len(s.options)
	s.words = (n + 63) / 64
	s.clash, s.touch = make([]uint64, n*s.words), make([]uint64, n*s.words)
	for a := range n {
		for b := range n {
			x, y := &s.options[a], &s.options[b]
			clash := x.offering == y.offering || meet(m.in, x.session, y.session) ||
				slices.Contains(m.in.Offerings[x.offering].Prerequisites, y.offering) && x.first >= 0 && y.last > x.first ||
				slices.Contains(m.in.Offerings[y.offering].Prerequisites, x.offering) && y.first >= 0 && x.last > y.first
			if clash {
				s.clash[a*s.words+b/64] |= 1 << (b % 64)
			}
			if clash && x.offering != y.offering || slices.ContainsFunc(x.days, func(d dayMinutes) bool {
				return slices.ContainsFunc(y.days, func(e dayMinutes) bool { return d.day == e.day })
			}) && x.offering != y.offering {
				s.touch[a*s.words+b/64] |= 1 << (b % 64)
			}
		}
	}
}

// meet reports whether two sessions have meetings at the same time.
func meet(in *Instance, a, b int32) bool {
	for _, x := range in.Sessions[a].Meetings {
		for _, y := range in.Sessions[b].Meetings {
			if x.Start < y.End && y.Start < x.End {
				return true
			}
		}
	}
	return false
}

// optionOf returns the option that is a session, or −1.
func (s *site) optionOf(offering, session int32) int32 {
	lo, hi := int(s.start[offering]), int(s.start[offering+1])
	at := lo + sort.Search(hi-lo, func(d int) bool { return s.options[lo+d].session >= session })
	if at < hi && s.options[at].session == session {
		return int32(at)
	}
	return -1
}
