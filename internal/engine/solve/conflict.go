package solve

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
)

// A demand is something a person must attend.
type demand struct{ person, offering int32 }

// reconcile finds the demands that cannot be met, names for each a smallest set
// that cannot be met together, and waives as few as it takes. It looks first at
// each person alone, then at seats and cover by maximum flow, then at money.
func (m *model) reconcile(workers int) (conflicts []Conflict, unplaced []Unplaced) {
	m.waived, m.reserved = map[demand]bool{}, map[demand]int32{}
	waive := func(c Conflict, d demand) {
		m.waived[d] = true
		n := slices.IndexFunc(conflicts, func(e Conflict) bool { // named already
			return e.Rule == c.Rule && len(c.Sessions) > 0 && e.Team == c.Team && slices.Equal(e.Sessions, c.Sessions) && slices.Equal(e.Offerings, c.Offerings) &&
				(c.Rule == RuleSeats || c.Rule == RuleCover)
		})
		if n < 0 {
			n = len(conflicts)
			conflicts = append(conflicts, c)
		}
		unplaced = append(unplaced, Unplaced{d.person, d.offering, int32(n)})
	}
	if len(m.in.Mandates) == 0 && len(m.in.Locked) == 0 && len(m.in.People.Unchanging) == 0 {
		return nil, nil
	}
	for s := range m.sites {
		for _, f := range m.alone(m.site(int32(s)), workers) {
			waive(f.conflict, f.waived)
		}
	}
	for s := range m.sites {
		m.seatConflicts(m.site(int32(s)), waive)
	}
	m.moneyConflicts(waive)
	return conflicts, unplaced
}

// finding is a conflict and the demand that is waived for it.
type finding struct {
	conflict Conflict
	waived   demand
}

// alone examines every person of a site with demands, one by one.
func (m *model) alone(s *site, workers int) (all []finding) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const run = 512
	parts := make([][]finding, (len(s.people)+run-1)/run)
	var wait sync.WaitGroup
	for n := range workers {
		wait.Go(func() {
			w := newSearcher(m)
			for p := n; p < len(parts); p += workers {
				for _, i := range s.people[p*run : min((p+1)*run, len(s.people))] {
					parts[p] = append(parts[p], w.diagnose(s, i)...)
				}
			}
		})
	}
	wait.Wait()
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// demands lists what the loaded person must attend, in order of offering.
func (w *searcher) demands() (list []int32) {
	for j, must := range w.hasMust {
		if must {
			list = append(list, int32(j))
		}
	}
	return list
}

// diagnose finds what a person cannot attend whatever the others do. The
// waivers are not yet in force: the caller puts them so.
func (w *searcher) diagnose(s *site, i int32) (all []finding) {
	w.load(s, i)
	if w.stay {
		for _, r := range w.m.rulesOf(i) {
			if r.kind == before && s.optionOf(r.offering, r.session) < 0 {
				c := conflict(RuleSite, i, r.offering)
				c.Sessions = []int32{r.session}
				all = append(all, finding{c, demand{i, r.offering}})
			}
		}
	}
	musts := w.demands()
	if len(musts) == 0 || w.easy(musts) {
		return all
	}
	var keep []int32
	for _, j := range musts {
		if w.possible(s, i, []int32{j}) {
			keep = append(keep, j)
			continue
		}
		all = append(all, finding{w.impossible(s, i, j), demand{i, j}})
	}
	for len(keep) > 1 && !w.possible(s, i, keep) {
		set := slices.Clone(keep) // leave out whatever does not matter
		for n := 0; n < len(set); {
			if rest := slices.Delete(slices.Clone(set), n, n+1); !w.possible(s, i, rest) {
				set = rest
			} else {
				n++
			}
		}
		last := set[len(set)-1]
		all = append(all, finding{w.together(s, i, set), demand{i, last}})
		keep = slices.DeleteFunc(keep, func(j int32) bool { return j == last })
	}
	return all
}

// easy reports whether everything required can be had at one's own pace within
// the hours, prerequisites included.
func (w *searcher) easy(musts []int32) bool {
	closure := map[int32]bool{}
	hours := 0.0
	var need func(j int32) bool
	need = func(j int32) bool {
		if closure[j] || w.has[j] {
			return true
		}
		closure[j] = true
		free := false
		for o := w.s.start[j]; o < w.s.start[j+1]; o++ {
			free = free || w.barred[o/64]>>(o%64)&1 == 0 && w.s.options[o].first < 0
		}
		hours += float64(w.m.in.Offerings[j].Hours)
		if !free || w.m.circular[j] || !slices.Contains(w.m.audience[w.m.in.People.Position[w.i]], j) {
			return false
		}
		return !slices.ContainsFunc(w.m.in.Offerings[j].Prerequisites, func(p int32) bool { return !need(p) })
	}
	return !slices.ContainsFunc(musts, func(j int32) bool { return !need(j) }) && hours <= w.room
}

// possible reports whether a person could attend all of some required offerings.
func (w *searcher) possible(s *site, i int32, only []int32) bool {
	w.only = only
	w.load(s, i)
	w.only = nil
	return w.attend(only)
}

// attend searches for any bundle with the required offerings, and nothing else
// but what they need.
func (w *searcher) attend(only []int32) bool {
	need := map[int32]bool{}
	var mark func(j int32)
	mark = func(j int32) {
		if !need[j] {
			need[j] = true
			for _, p := range w.m.in.Offerings[j].Prerequisites {
				mark(p)
			}
		}
	}
	for _, j := range only {
		mark(j)
	}
	shut := make([]uint64, w.s.words)
	for o := range w.s.options {
		if !need[w.s.options[o].offering] {
			shut[o/64] |= 1 << (o % 64)
		}
	}
	q := ask{price: make([]float64, len(w.s.options)), shut: shut, money: math.Inf(1), nodes: 200000, floor: math.Inf(-1)}
	a := w.solve(&q)
	return w.found || !a.exact
}

func conflict(r Rule, i int32, offerings ...int32) Conflict {
	return Conflict{Rule: r, People: []int32{i}, Offerings: offerings, Team: -1, Unit: -1, Group: -1, At: -1}
}

// impossible says why one required offering cannot be attended.
func (w *searcher) impossible(s *site, i, j int32) Conflict {
	in := w.m.in
	of := &in.Offerings[j]
	if w.m.circular[j] {
		c := conflict(RulePrerequisite, i)
		c.Offerings = w.m.circle(j)
		return c
	}
	w.only = []int32{j}
	w.load(s, i)
	w.only = nil
	if w.has[j] || len(of.Positions) > 0 && !slices.Contains(of.Positions, in.People.Position[i]) {
		return conflict(RuleLocked, i, j)
	}
	lo, hi := s.start[j], s.start[j+1]
	if lo == hi {
		return conflict(RuleSite, i, j)
	}
	if float64(of.Hours) > w.room {
		c := conflict(RuleHours, i, j)
		c.Need, c.Have = float64(of.Hours), w.room
		return c
	}
	deadline, lockedTo := int32(math.MaxInt32), int32(-1)
	for _, list := range [2][]rule{w.m.everyone, w.m.rulesOf(i)} {
		for _, r := range list {
			if r.offering == j && r.kind == mandated {
				deadline = min(deadline, r.deadline)
			}
			if r.offering == j && r.kind == locked && r.session >= 0 {
				lockedTo = r.session
			}
		}
	}
	barredByRule := func(o int32) bool { // forbidden, or not the session locked to
		t := s.options[o].session
		return lockedTo >= 0 && t != lockedTo || slices.ContainsFunc(w.m.rulesOf(i), func(r rule) bool {
			return r.kind == forbidden && r.offering == j && (r.session < 0 || r.session == t)
		})
	}
	late, all := true, true
	var sessions []int32
	least := int32(math.MaxInt32) // minutes of a day that the least demanding session takes
	for o := lo; o < hi; o++ {
		op := &s.options[o]
		sessions = append(sessions, op.session)
		late = late && op.last > deadline
		all = all && barredByRule(o)
		if !barredByRule(o) && op.last <= deadline {
			day := int32(0)
			for _, d := range op.days {
				day = max(day, d.minutes)
			}
			least = min(least, day)
		}
	}
	switch {
	case late:
		c := conflict(RuleDeadline, i, j)
		c.Sessions, c.At = sessions, deadline
		return c
	case all || least == math.MaxInt32: // what is in time is forbidden
		c := conflict(RuleLocked, i, j)
		c.Sessions = sessions
		return c
	case least > w.minutes:
		c := conflict(RuleAttention, i, j)
		c.Sessions, c.Need, c.Have = sessions, float64(least), float64(w.minutes)
		return c
	}
	// The prerequisites are in the way.
	c := conflict(RulePrerequisite, i, j)
	c.Offerings = append(c.Offerings, of.Prerequisites...)
	sum := 0.0
	for _, x := range w.m.closure(c.Offerings) {
		if !w.has[x] {
			sum += float64(in.Offerings[x].Hours)
		}
	}
	if sum > w.room {
		c.Rule, c.Offerings, c.Need, c.Have = RuleHours, w.m.closure([]int32{j}), sum, w.room
	}
	return c
}

// closure adds prerequisites of prerequisites.
func (m *model) closure(list []int32) []int32 {
	list = slices.Clone(list)
	for n := 0; n < len(list); n++ {
		for _, p := range m.in.Offerings[list[n]].Prerequisites {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// circle returns a circle of prerequisites that an offering is part of or needs.
func (m *model) circle(j int32) []int32 {
	path := []int32{j}
	for {
		last := path[len(path)-1]
		next := int32(-1)
		for _, p := range m.in.Offerings[last].Prerequisites {
			if m.circular[p] {
				next = p
				break
			}
		}
		if at := slices.Index(path, next); at >= 0 {
			return path[at:]
		}
		path = append(path, next)
	}
}

// together says why some required offerings cannot be attended by one person.
func (w *searcher) together(s *site, i int32, set []int32) Conflict {
	c := conflict(RuleClash, i)
	c.Offerings = set
	sum := 0.0
	for _, j := range w.m.closure(set) {
		if !w.has[j] {
			sum += float64(w.m.in.Offerings[j].Hours)
		}
	}
	if sum > w.room {
		c.Rule, c.Need, c.Have = RuleHours, sum, w.room
		return c
	}
	w.only = set
	w.load(s, i)
	w.only = nil
	w.minutes, w.perMinute = 1440, 1.0/1440
	if w.attend(set) {
		c.Rule, c.Have = RuleAttention, float64(w.m.in.People.Attention[i])
	}
	return c
}

// seatConflicts looks, offering by offering, whether all who must attend it find
// a seat that their team can spare them for. People, their team's part of a
// session, and sessions are the layers of a flow; whoever is reached from one who
// finds no place, along paths on which places could be exchanged, forms with the
// sessions reached a smallest set that is one place short (Hall 1935).
func (m *model) seatConflicts(s *site, waive func(Conflict, demand)) {
	wants := make([][]int32, m.j)
	w := newSearcher(m)
	plenty := make([]bool, m.j) // some session has room for all at any time
	for j := range m.j {
		for o := s.start[j]; o < s.start[j+1]; o++ {
			plenty[j] = plenty[j] || s.options[o].seats < 0 && len(s.options[o].instants) == 0
		}
	}
	for _, i := range s.people {
		if len(m.everyone) == 0 && len(m.rulesOf(i)) == 0 {
			continue
		}
		w.load(s, i)
		for _, j := range w.demands() {
			wants[j] = append(wants[j], i)
		}
	}
	for j, people := range wants {
		if len(people) == 0 {
			continue
		}
		fl := &places{m: m, s: s, offering: int32(j), people: people, at: make([]int32, len(people)), used: map[int32]int32{}, team: map[[2]int32]int32{}}
		for n, i := range people {
			w.load(s, i)
			var may []int32
			for o := s.start[j]; o < s.start[j+1]; o++ {
				op := &s.options[o]
				if w.barred[o/64]>>(o%64)&1 == 0 && !slices.ContainsFunc(op.days, func(d dayMinutes) bool { return d.minutes > w.minutes }) {
					may = append(may, o)
				}
			}
			fl.may = append(fl.may, may)
			fl.at[n] = -1
		}
		for n := range people {
			if plenty[j] && slices.ContainsFunc(fl.may[n], func(o int32) bool { return s.options[o].seats < 0 && len(s.options[o].instants) == 0 }) {
				continue
			}
			if c, ok := fl.place(n); !ok {
				waive(c, demand{people[n], int32(j)})
			}
		}
		for n, o := range fl.at {
			if o >= 0 {
				m.reserved[demand{people[n], int32(j)}] = o
			}
		}
	}
}

// places is the flow of one offering's required people into its sessions.
type places struct {
	m        *model
	s        *site
	offering int32
	people   []int32
	may      [][]int32 // [person] options
	at       []int32   // [person] option, or −1
	used     map[int32]int32
	team     map[[2]int32]int32 // team, option: people
}

// most is how many of a team an option may take.
func (f *places) most(team, o int32) int32 {
	if team < 0 {
		return math.MaxInt32
	}
	g := int(f.s.teamAt[team]) * len(f.s.instants)
	least := int32(math.MaxInt32)
	for _, at := range f.s.options[o].instants {
		least = min(least, f.s.cap[g+int(at)])
	}
	return least
}

// place finds a person a place, moving others if need be, or the set that is
// one place short.
func (f *places) place(n int) (Conflict, bool) {
	teamOf := f.m.in.People.Team
	type step struct{ person, from int } // from: index in queue
	queue := []step{{n, -1}}
	seen := map[int]bool{n: true}
	full := map[int32]bool{} // options reached, all of whose seats are taken
	tight := map[[2]int32]bool{}
	for at := 0; at < len(queue); at++ {
		x := queue[at].person
		team := teamOf[f.people[x]]
		for _, o := range f.may[x] {
			if o == f.at[x] {
				continue
			}
			seats := f.s.options[o].seats
			fullTeam := f.team[[2]int32{team, o}] >= f.most(team, o)
			fullSeats := seats >= 0 && f.used[o] >= seats
			if !fullTeam && !fullSeats {
				for x := at; x >= 0; x = queue[x].from { // everybody moves up
					p := queue[x].person
					next := f.at[p]
					f.move(p, o)
					o = next
				}
				return Conflict{}, true
			}
			for y := range f.people {
				if f.at[y] != o || seen[y] || fullTeam && teamOf[f.people[y]] != team {
					continue
				}
				seen[y] = true
				queue = append(queue, step{y, at})
			}
			if fullTeam {
				tight[[2]int32{team, o}] = true
			} else {
				full[o] = true
			}
		}
	}
	c := Conflict{Rule: RuleSeats, Offerings: []int32{f.offering}, Team: -1, Unit: -1, Group: -1, At: -1}
	for y := range seen {
		c.People = append(c.People, f.people[y])
	}
	slices.Sort(c.People)
	for o := range full {
		c.Sessions = append(c.Sessions, f.s.options[o].session)
		c.Have += float64(f.s.options[o].seats)
	}
	for t := range tight {
		if full[t[1]] {
			continue
		}
		c.Rule, c.Team = RuleCover, t[0]
		c.Sessions = append(c.Sessions, f.s.options[t[1]].session)
		c.Have += float64(f.most(t[0], t[1]))
	}
	slices.Sort(c.Sessions)
	c.Sessions = slices.Compact(c.Sessions)
	c.Need = float64(len(c.People))
	return c, false
}

func (f *places) move(p int, to int32) {
	team := f.m.in.People.Team[f.people[p]]
	if from := f.at[p]; from >= 0 {
		f.used[from]--
		f.team[[2]int32{team, from}]--
	}
	f.at[p] = to
	if to >= 0 {
		f.used[to]++
		f.team[[2]int32{team, to}]++
	}
}

// moneyConflicts looks whether what must be attended can be paid for: unit by
// unit, then in all. The dearest demands are named, as few as exceed the budget,
// and waived until the rest can be paid.
func (m *model) moneyConflicts(waive func(Conflict, demand)) {
	in := m.in
	type bill struct {
		d    demand
		cost float64
	}
	var bills []bill
	w := newSearcher(m)
	for s := range m.sites {
		st := m.site(int32(s))
		for _, i := range st.people {
			if len(m.everyone) == 0 && len(m.rulesOf(i)) == 0 {
				continue
			}
			w.load(st, i)
			paid := map[int32]bool{}
			for _, j := range w.demands() {
				cost := 0.0
				for _, x := range m.closure([]int32{j}) {
					if !w.has[x] && !paid[x] {
						paid[x] = true
						cost += float64(in.Offerings[x].Cost)
					}
				}
				if cost > 0 {
					bills = append(bills, bill{demand{i, j}, cost})
				}
			}
		}
	}
	slices.SortFunc(bills, func(a, b bill) int {
		return cmp.Or(cmp.Compare(b.cost, a.cost), cmp.Compare(b.d.person, a.d.person), cmp.Compare(b.d.offering, a.d.offering))
	})
	audit := func(unit int32, budget float64) {
		if budget < 0 {
			return
		}
		sum := 0.0
		for _, x := range bills {
			if unit < 0 || in.People.Unit[x.d.person] == unit {
				sum += x.cost
			}
		}
		for sum > budget+loose {
			c := Conflict{Rule: RuleMoney, Team: -1, Unit: unit, Group: -1, At: -1, Need: sum, Have: budget}
			named, first := 0.0, -1
			for n, x := range bills {
				if m.waived[x.d] || unit >= 0 && in.People.Unit[x.d.person] != unit {
					continue
				}
				if first < 0 {
					first = n
				}
				c.People, c.Offerings = append(c.People, x.d.person), append(c.Offerings, x.d.offering)
				if named += x.cost; named > budget {
					break
				}
			}
			slices.Sort(c.People)
			slices.Sort(c.Offerings)
			c.People, c.Offerings = slices.Compact(c.People), slices.Compact(c.Offerings)
			sum -= bills[first].cost
			waive(c, bills[first].d)
		}
		bills = slices.DeleteFunc(bills, func(x bill) bool { return m.waived[x.d] })
	}
	for u := range in.Units {
		audit(int32(u), in.Units[u].Budget)
	}
	audit(-1, in.Budget)
}
