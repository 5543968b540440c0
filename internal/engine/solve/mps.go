package solve

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

// MPS writes an instance as a mixed-integer linear programme in the MPS format,
// for any other solver: minimise −E. φ(A) is replaced by the least of so many
// tangents, touching it at equal steps of φ up to the most that the person's
// hours allow; since the tangents lie above φ the programme's optimum is no less
// than the true one, by at most the error that is returned, in E. Demands that cannot be met, and
// floors that no plan reaches, are left out, as in a solve. It is meant for some tens of people. The format is free MPS: names are
// parted by blanks, not by columns.
//
// Columns: y<person>_<option> for a person in a session of the person's site, and
// f<person>_<skill> for φ.
func MPS(out io.Writer, in *Instance, tangents int) (worst float64, err error) {
	pr, err := Prepare(in, 1)
	if err != nil {
		return 0, err
	}
	var floors []int32
	for g, x := range pr.m.floor {
		if x > 0 {
			floors = append(floors, int32(g))
		}
	}
	pr.lower(context.Background(), floors, 1)
	x := &export{m: pr.m, w: newSearcher(pr.m), tangents: max(tangents, 2), seats: map[int32]string{}}
	x.build()
	b := bufio.NewWriter(out)
	x.write(b)
	return x.worst, b.Flush()
}

// export gathers the programme: rows in order, columns with their entries.
type export struct {
	m        *model
	w        *searcher
	tangents int
	rows     []mpsRow
	cols     []mpsColumn
	seats    map[int32]string
	worst    float64
}

type mpsRow struct {
	name  string
	sense byte // L, G or E
	rhs   float64
}

type mpsColumn struct {
	name    string
	cost    float64
	integer bool
	rows    []string
	coef    []float64
}

func (c *mpsColumn) put(row string, a float64) {
	if a != 0 {
		c.rows, c.coef = append(c.rows, row), append(c.coef, a)
	}
}

func (x *export) row(sense byte, rhs float64, format string, args ...any) string {
	name := fmt.Sprintf(format, args...)
	x.rows = append(x.rows, mpsRow{name, sense, rhs})
	return name
}

func (x *export) build() {
	in := x.m.in
	money := ""
	if in.Budget >= 0 {
		money = x.row('L', in.Budget, "money")
	}
	unit := make([]string, len(in.Units))
	for u := range in.Units {
		if in.Units[u].Budget >= 0 {
			unit[u] = x.row('L', in.Units[u].Budget, "unit%d", u)
		}
	}
	for t, se := range in.Sessions {
		if se.Seats >= 0 {
			x.seats[int32(t)] = x.row('L', float64(se.Seats), "seat%d", t)
		}
	}
	floor := make([]string, len(in.Groups))
	for g := range in.Groups {
		if x.m.floor[g] > 0 {
			floor[g] = x.row('G', x.m.floor[g], "floor%d", g)
		}
	}
	for n := range x.m.sites {
		s := x.m.site(int32(n))
		cover := make([]string, len(s.cap))
		for g := range s.teams {
			for at := range s.instants {
				c := g*len(s.instants) + at
				cover[c] = x.row('L', float64(s.cap[c]), "cover%d_%d", s.teams[g], at)
			}
		}
		for _, i := range s.people {
			x.person(s, i, money, unit, floor, cover)
		}
	}
}

// person adds one person's columns and rows.
func (x *export) person(s *site, i int32, money string, unit, floor, cover []string) {
	m, in, w := x.m, x.m.in, x.w
	w.load(s, i)
	hours := x.row('L', w.room, "h%d", i)
	group := ""
	if g := in.People.Group[i]; g >= 0 {
		group = floor[g]
	}
	links := make([][]string, m.k) // rows that tie φ to A, one for each tangent
	slopes := make([][]float64, m.k)
	for k, v := range w.v {
		if v == 0 {
			continue
		}
		f := mpsColumn{name: fmt.Sprintf("f%d_%d", i, k), cost: -v}
		f.put(group, v)
		f.clean()
		top := x.reach(s, int32(k))
		for t := range x.tangents {
			// φ ≤ 1 − e^(−a) + e^(−a)·(A − a)
			phi := top * float64(t) / float64(x.tangents-1)
			a, slope := -math.Log1p(-phi), 1-phi
			name := x.row('L', phi-slope*a, "t%d_%d_%d", i, k, t)
			f.put(name, 1)
			links[k], slopes[k] = append(links[k], name), append(slopes[k], slope)
		}
		x.cols = append(x.cols, f)
		x.worst += v * tangentError(x.tangents, top)
	}
	take := map[int32][]int{} // [offering] columns
	column := map[int]int{}   // [option]
	var mine []int            // options
	for o := range s.options {
		op := &s.options[o]
		of := &in.Offerings[op.offering]
		if w.barred[o/64]>>(o%64)&1 != 0 || w.has[op.offering] || !slices.Contains(m.audience[in.People.Position[i]], op.offering) {
			continue
		}
		c := mpsColumn{name: fmt.Sprintf("y%d_%d", i, o), integer: true}
		if w.change {
			c.cost = in.ChangePrice
			if slices.Contains(w.prior, int32(o)) {
				c.cost = -in.ChangePrice
			}
		}
		c.put(hours, float64(of.Hours))
		c.put(money, op.cost)
		if u := in.People.Unit[i]; u >= 0 {
			c.put(unit[u], op.cost)
		}
		c.put(x.seats[op.session], 1)
		if team := in.People.Team[i]; team >= 0 {
			g := int(s.teamAt[team]) * len(s.instants)
			for _, at := range op.instants {
				c.put(cover[g+int(at)], 1)
			}
		}
		for z := m.zStart[op.offering]; z < m.zStart[op.offering+1]; z++ {
			k := m.zSkill[z]
			for t, name := range links[k] {
				c.put(name, -slopes[k][t]*m.rate[w.profile+int(z)])
			}
		}
		c.clean()
		take[op.offering] = append(take[op.offering], len(x.cols))
		mine, column[o] = append(mine, o), len(x.cols)
		x.cols = append(x.cols, c)
	}
	if w.change {
		c := mpsColumn{name: fmt.Sprintf("prior%d", i), cost: in.ChangePrice * float64(w.priorN)}
		c.put(x.row('E', 1, "p%d", i), 1)
		x.cols = append(x.cols, c)
	}
	x.rulesOf(s, i, take, mine, column)
}

// clean drops entries of rows that are not there.
func (c *mpsColumn) clean() {
	n := 0
	for k, r := range c.rows {
		if r != "" {
			c.rows[n], c.coef[n] = r, c.coef[k]
			n++
		}
	}
	c.rows, c.coef = c.rows[:n], c.coef[:n]
}

// rulesOf adds the rows of one person's rules: once each, what is required,
// prerequisites, clashes and attention.
func (x *export) rulesOf(s *site, i int32, take map[int32][]int, mine []int, column map[int]int) {
	m, w := x.m, x.w
	for j := range int32(m.j) {
		cols := take[j]
		if len(cols) == 0 {
			continue
		}
		sense := byte('L')
		if w.hasMust[j] {
			sense = 'E'
		}
		once := x.row(sense, 1, "o%d_%d", i, j)
		for _, c := range cols {
			x.cols[c].put(once, 1)
		}
		for _, p := range m.in.Offerings[j].Prerequisites {
			if w.has[p] {
				continue
			}
			need := x.row('L', 0, "n%d_%d_%d", i, j, p)
			for _, c := range cols {
				x.cols[c].put(need, 1)
			}
			for _, c := range take[p] {
				x.cols[c].put(need, -1)
			}
		}
	}
	for n, a := range mine {
		for _, b := range mine[:n] {
			if s.options[a].offering != s.options[b].offering && s.clash[a*s.words+b/64]>>(b%64)&1 != 0 {
				r := x.row('L', 1, "c%d_%d_%d", i, a, b)
				x.cols[column[a]].put(r, 1)
				x.cols[column[b]].put(r, 1)
			}
		}
	}
	for _, day := range s.days {
		r := x.row('L', float64(w.minutes), "d%d_%d", i, day)
		for _, o := range mine {
			for _, d := range s.options[o].days {
				if d.day == day {
					x.cols[column[o]].put(r, float64(d.minutes))
				}
			}
		}
	}
}

// reach is the most that φ of a skill can come to within the loaded person's
// hours, were offerings to be had in parts.
func (x *export) reach(s *site, k int32) float64 {
	m, w := x.m, x.w
	type part struct{ rate, hours float64 }
	var parts []part
	sum := 0.0
	for j := range m.j {
		for z := m.zStart[j]; z < m.zStart[j+1]; z++ {
			if m.zSkill[z] == k && s.start[j] < s.start[j+1] && !w.has[j] {
				parts = append(parts, part{m.rate[w.profile+int(z)], float64(m.in.Offerings[j].Hours)})
			}
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(b.rate*a.hours, a.rate*b.hours) })
	room := w.room
	for _, p := range parts {
		take := 1.0
		if p.hours > room {
			take = max(0, room) / p.hours
		}
		sum += take * p.rate
		room -= p.hours
	}
	return -math.Expm1(-sum)
}

// tangentError is the most that the least of n tangents, at equal steps of φ
// from 0 to top, exceeds φ: it does so where neighbours meet.
func tangentError(n int, top float64) (worst float64) {
	for t := range n - 1 {
		p, q := top*float64(t)/float64(n-1), top*float64(t+1)/float64(n-1)
		if q <= p {
			continue
		}
		a, b := -math.Log1p(-p), -math.Log1p(-q)
		meet := ((q - (1-q)*b) - (p - (1-p)*a)) / (q - p)
		worst = max(worst, p+(1-p)*(meet-a)+math.Expm1(-meet))
	}
	return worst
}

func (x *export) write(b *bufio.Writer) {
	fmt.Fprintf(b, "NAME attune FREE\nROWS\n N cost\n")
	for _, r := range x.rows {
		fmt.Fprintf(b, " %c %s\n", r.sense, r.name)
	}
	b.WriteString("COLUMNS\n")
	slices.SortStableFunc(x.cols, func(a, c mpsColumn) int {
		switch {
		case a.integer == c.integer:
			return 0
		case a.integer:
			return 1
		}
		return -1
	})
	marked := false
	for _, c := range x.cols {
		if c.integer && !marked {
			b.WriteString(" MARK 'MARKER' 'INTORG'\n")
			marked = true
		}
		if c.cost != 0 || len(c.rows) == 0 {
			fmt.Fprintf(b, " %s cost %.12g\n", c.name, c.cost)
		}
		for n, r := range c.rows {
			fmt.Fprintf(b, " %s %s %.12g\n", c.name, r, c.coef[n])
		}
	}
	if marked {
		b.WriteString(" MARK 'MARKER' 'INTEND'\n")
	}
	b.WriteString("RHS\n")
	for _, r := range x.rows {
		if r.rhs != 0 {
			fmt.Fprintf(b, " rhs %s %.12g\n", r.name, r.rhs)
		}
	}
	b.WriteString("BOUNDS\n")
	for _, c := range x.cols {
		if c.integer {
			fmt.Fprintf(b, " UP bnd %s 1\n", c.name)
		}
	}
	b.WriteString("ENDATA\n")
}
