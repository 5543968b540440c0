package effect

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// PreTrend tests parallel trends on the periods before the start: how much
// faster the treated moved, per period, than those not treated.
type PreTrend struct {
	Slope float64 `json:"slope"` // outcome per period
	SE    float64 `json:"se"`    // clustered by unit, or by row where there is no unit
	P     float64 `json:"p"`
}

// DIDOptions are those of a difference in differences.
type DIDOptions struct {
	Options
	// Start is the first period under treatment. It is needed where Treatment
	// names the group (constant in a unit) and there are more than two periods.
	Start *int
}

// DID estimates the effect on the treated by a difference in differences:
// their change less the change of those not treated.
//
// Treatment is either the group (1 for a unit that is treated at some time, in
// all its rows) or the status (1 from the start on). With one start it is least
// squares with effects of unit (of group, where Unit is nil and other people
// are seen in each period) and period. With several starts that regression
// would use the earlier treated as controls (Goodman-Bacon 2021); the estimate
// is then the mean of the effects by start and period against units not yet
// treated, weighted by treated unit (Callaway & Sant'Anna 2021), without covariates.
func DID(d Data, o DIDOptions) (Estimate, error) {
	e := Estimate{Method: "did", Estimand: ATT}
	if err := o.check(); err != nil {
		return e, err
	}
	if err := d.check(true); err != nil {
		return e, err
	}
	if d.Time == nil {
		return e, fmt.Errorf("%w: time", ErrColumn)
	}
	member, starts, err := adoption(d, o.Start)
	if err != nil {
		return e, err
	}
	if len(starts) > 1 {
		return staggered(d, o.Options)
	}
	start := starts[0]
	n := len(d.Outcome)
	under := d // with the treatment as status
	under.Treatment = make([]float64, n)
	for i, t := range d.Time {
		if t >= start {
			under.Treatment[i] = member[i]
		}
	}
	if err := e.within(under, o.Options, member); err != nil {
		return e, err
	}
	var before []int
	for i, t := range d.Time {
		if t < start {
			before = append(before, i)
		}
	}
	e.N = n
	e.NTreated = everTreated(member, d.Unit)
	base := arms(pick(d.Outcome, before), pick(member, before))
	e.HedgesG = hedges(e.Estimate, base)
	if least := min(e.NTreated, units(d)-e.NTreated); least < limitArm {
		e.warn(Warning{SmallGroups, "", float64(least), limitArm})
	}
	e.baselines(d, member, start, base)
	e.trend(d, member, before, o.Options)
	return e, nil
}

// adoption returns each row's group (1: its unit is treated at some time) and
// the distinct first periods under treatment.
func adoption(d Data, start *int) (member []float64, starts []int, err error) {
	periods := group(d.Time).code
	if len(periods) < 2 {
		return nil, nil, ErrPeriods
	}
	status := false // Treatment varies within a unit
	if d.Unit != nil {
		g := group(d.Unit)
		first := make([]int, g.n())
		member = make([]float64, len(d.Outcome))
		for u := range g.n() {
			on, off := math.MaxInt, math.MinInt
			for _, i := range g.rows(u) {
				if d.Treatment[i] == 1 {
					on = min(on, d.Time[i])
				} else {
					off = max(off, d.Time[i])
				}
			}
			if on < math.MaxInt && off > math.MinInt {
				if off >= on {
					return nil, nil, fmt.Errorf("%w: unit %d in period %d", ErrReversed, g.code[u], off)
				}
				status = true
			}
			first[u] = on
		}
		for u, on := range first {
			if on == math.MaxInt {
				continue
			}
			if status && !slices.Contains(starts, on) {
				starts = append(starts, on)
			}
			for _, i := range g.rows(u) {
				member[i] = 1
			}
		}
		slices.Sort(starts)
	} else {
		member = d.Treatment
	}
	if !status {
		switch {
		case start != nil:
			starts = []int{*start}
		case len(periods) == 2:
			starts = []int{periods[1]}
		default:
			return nil, nil, fmt.Errorf("%w: say when it began", ErrPeriods)
		}
	}
	for _, s := range starts {
		if s > periods[len(periods)-1] || s <= periods[0] && len(starts) == 1 {
			return nil, nil, ErrPeriods
		}
	}
	return member, starts, nil
}

// FE estimates the effect of a treatment (0 or 1, or a dose) by least squares
// with an effect of each unit and, where Time is given, of each period.
func FE(d Data, o Options) (Estimate, error) {
	e := Estimate{Method: "fe", Estimand: ATT}
	if err := o.check(); err != nil {
		return e, err
	}
	if err := d.check(false); err != nil {
		return e, err
	}
	if d.Unit == nil {
		return e, fmt.Errorf("%w: unit", ErrColumn)
	}
	if err := e.within(d, o, nil); err != nil {
		return e, err
	}
	e.N = len(d.Outcome)
	e.NTreated = everTreated(d.Treatment, d.Unit)
	e.HedgesG = hedges(e.Estimate, arms(d.Outcome, d.Treatment))
	if e.NTreated < limitArm {
		e.warn(Warning{SmallGroups, "", float64(e.NTreated), limitArm})
	}
	if d.Time != nil && len(firstTreated(d)) > 1 {
		e.warn(Warning{Kind: Staggered, Value: float64(len(firstTreated(d)))})
	}
	return e, nil
}

// firstTreated returns the distinct first periods under treatment.
func firstTreated(d Data) map[int]bool {
	first := map[int]int{}
	for i, t := range d.Treatment {
		if t == 0 {
			continue
		}
		if f, ok := first[d.Unit[i]]; !ok || d.Time[i] < f {
			first[d.Unit[i]] = d.Time[i]
		}
	}
	distinct := map[int]bool{}
	for _, t := range first {
		distinct[t] = true
	}
	return distinct
}

// within fits the effect of d.Treatment beside effects of unit (or of group,
// where there is no unit) and period, and covariates.
func (e *Estimate) within(d Data, o Options, member []float64) error {
	n := len(d.Outcome)
	var cols [][]float64
	var label []string
	add := func(name string, v []float64) { cols, label = append(cols, v), append(label, name) }
	if d.Unit == nil {
		add("", ones(n))
		add("", member)
	}
	if d.Time != nil {
		g := group(d.Time)
		for t := 1; t < g.n(); t++ {
			v := make([]float64, n)
			for _, i := range g.rows(t) {
				v[i] = 1
			}
			add("", v)
		}
	}
	for _, c := range d.Covariates {
		add(c.Name, c.Values)
	}
	cluster := d.Cluster
	if cluster == nil {
		cluster = d.Unit
	}
	if err := d.twoEach(o.kind(d.Cluster), cluster); err != nil {
		return err
	}
	y := d.Outcome
	var absorbed *groups
	if d.Unit != nil {
		g := group(d.Unit)
		absorbed = &g
		y = demean(y, g)
		for j := range cols {
			cols[j] = demean(cols[j], g)
		}
		d.Treatment = demean(d.Treatment, g)
	}
	if err := e.treat(y, cols, label, d, o, absorbed, cluster); err != nil {
		return err
	}
	if e.SEKind != CR2 && d.Unit != nil { // said better than as ClustersIgnored
		e.Warnings = slices.DeleteFunc(e.Warnings, func(w error) bool { return w.(Warning).Kind == ClustersIgnored })
		e.warn(Warning{Kind: SerialErrors, Value: float64(e.Clusters)})
	}
	return nil
}

// demean returns v less its group means; values that only rounding keeps from
// 0 become 0, so that a column constant within groups is seen as such.
func demean(v []float64, g groups) []float64 {
	out := make([]float64, len(v))
	for u := range g.n() {
		sum := 0.0
		for _, i := range g.rows(u) {
			sum += v[i]
		}
		mean := sum / float64(len(g.rows(u)))
		for _, i := range g.rows(u) {
			if x := v[i] - mean; math.Abs(x) > 1e-13*math.Abs(mean) {
				out[i] = x
			}
		}
	}
	return out
}

func pick(v []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for j, i := range rows {
		out[j] = v[i]
	}
	return out
}

func pickInt(v, rows []int) []int {
	if v == nil {
		return nil
	}
	out := make([]int, len(rows))
	for j, i := range rows {
		out[j] = v[i]
	}
	return out
}

// everTreated counts units with a treated row; rows where there is no unit.
func everTreated(treatment []float64, unit []int) int {
	seen := map[int]bool{}
	for i, t := range treatment {
		if t != 0 {
			if unit != nil {
				seen[unit[i]] = true
			} else {
				seen[i] = true
			}
		}
	}
	return len(seen)
}

func units(d Data) int {
	if d.Unit == nil {
		return len(d.Outcome)
	}
	return group(d.Unit).n()
}

// baselines warns where the groups began far apart: the control units' own
// regression of after on before says how much of a distance does not last, and
// that much of the treated's change would have come without treatment.
func (e *Estimate) baselines(d Data, member []float64, start int, base [2]moments) {
	sd := math.Sqrt((base[0].variance() + base[1].variance()) / 2)
	if d.Unit == nil || sd == 0 {
		return
	}
	far := (base[1].mean - base[0].mean) / sd
	if math.Abs(far) <= limitSMD {
		return
	}
	g := group(d.Unit)
	var before, after []float64
	for u := range g.n() {
		rows := g.rows(u)
		if member[rows[0]] == 1 {
			continue
		}
		var b, a moments
		for _, i := range rows {
			if d.Time[i] < start {
				b.add(d.Outcome[i])
			} else {
				a.add(d.Outcome[i])
			}
		}
		if b.n > 0 && a.n > 0 {
			before, after = append(before, b.mean), append(after, a.mean)
		}
	}
	if len(before) < 3 {
		return
	}
	f, err := regress(after, [][]float64{ones(len(before)), before}, nil)
	if err != nil || len(f.beta) < 2 || f.beta[1] > 0.9 {
		return
	}
	e.warn(Warning{RegressionToMean, "", (f.beta[1] - 1) * (base[1].mean - base[0].mean), 0})
}

// trend tests, on the rows before the start, whether the groups moved in step.
func (e *Estimate) trend(d Data, member []float64, before []int, o Options) {
	if periods := group(pickInt(d.Time, before)).n(); periods < 2 {
		e.warn(Warning{Kind: TrendsUntested, Value: float64(periods)})
		return
	}
	pre := Data{
		Outcome: pick(d.Outcome, before), Treatment: make([]float64, len(before)),
		Unit: pickInt(d.Unit, before), Time: pickInt(d.Time, before), Cluster: pickInt(d.Cluster, before),
	}
	for j, i := range before {
		pre.Treatment[j] = member[i] * float64(d.Time[i])
	}
	if pre.Cluster == nil {
		pre.Cluster = pre.Unit
	}
	if pre.Cluster == nil {
		pre.Cluster = codes0(len(before))
	}
	var t Estimate
	if err := t.within(pre, Options{SE: CR2, Confidence: o.Confidence}, pick(member, before)); err != nil {
		e.warn(Warning{Kind: TrendsUntested, Value: float64(group(pre.Time).n())})
		return
	}
	e.PreTrend = &PreTrend{t.Estimate, t.SE, t.P}
	if t.P < 0.05 {
		e.warn(Warning{ParallelTrends, "", t.P, 0.05})
	}
}

// codes0 gives each row a code of its own.
func codes0(n int) []int {
	c := make([]int, n)
	for i := range c {
		c[i] = i
	}
	return c
}

// Event is the mean effect of being treated, by how long ago it began.
type Event struct {
	Since    int     `json:"since"` // positions in the order of periods; 0 is the first under treatment
	Estimate float64 `json:"estimate"`
	SE       float64 `json:"se"`
	Units    int     `json:"units"` // treated units it rests on
}

// staggered averages ATT(start, period), each the change since the period
// before the start of units that started then, less that of units not yet
// treated; its error comes from each unit's influence, clustered.
func staggered(d Data, o Options) (Estimate, error) {
	e := Estimate{Method: "did", Estimand: ATT}
	if d.Unit == nil {
		return e, fmt.Errorf("%w: unit", ErrColumn)
	}
	if len(d.Covariates) > 0 {
		return e, fmt.Errorf("%w: covariates with several starts", ErrOption)
	}
	periods := group(d.Time)
	g := group(d.Unit)
	nu, np := g.n(), periods.n()
	y := make([]float64, nu*np) // NaN: not seen
	floats.AddConst(math.NaN(), y)
	first := make([]int, nu)
	cluster := codes0(nu)
	for u := range nu {
		first[u] = np
		for _, i := range g.rows(u) {
			t := periods.of[i]
			y[u*np+t] = d.Outcome[i]
			if d.Treatment[i] == 1 {
				first[u] = min(first[u], t)
			}
			if d.Cluster != nil {
				cluster[u] = d.Cluster[i]
			}
		}
	}
	type cell struct {
		since, n int
		value    float64
		psi      []float64
	}
	var cells []cell
	total := 0
	for s := 1; s < np; s++ {
		for t := s; t < np; t++ {
			var m [2]moments
			arm := make([]int8, nu)
			for u := range nu {
				arm[u] = -1
				if math.IsNaN(y[u*np+t]) || math.IsNaN(y[u*np+s-1]) {
					continue
				}
				switch {
				case first[u] == s:
					arm[u] = 1
				case first[u] > t:
					arm[u] = 0
				default:
					continue
				}
				m[arm[u]].add(y[u*np+t] - y[u*np+s-1])
			}
			if m[0].n == 0 || m[1].n == 0 {
				continue
			}
			c := cell{t - s, int(m[1].n), m[1].mean - m[0].mean, make([]float64, nu)}
			for u, a := range arm {
				if a >= 0 {
					c.psi[u] = float64(2*a-1) * (y[u*np+t] - y[u*np+s-1] - m[a].mean) / m[a].n
				}
			}
			cells = append(cells, c)
			total += c.n
		}
	}
	if total == 0 {
		return e, ErrPeriods
	}
	average := func(since, total int) (float64, []float64) {
		value, psi := 0.0, make([]float64, nu)
		for _, c := range cells {
			if since < 0 || c.since == since {
				w := float64(c.n) / float64(total)
				value += w * c.value
				floats.AddScaled(psi, w*float64(nu), c.psi)
			}
		}
		return value, psi
	}
	value, psi := average(-1, total)
	inf := FromInfluence(value, psi, cluster, nil, o)
	e.Estimate, e.SE, e.DF, e.Low, e.High, e.P = inf.Estimate, inf.SE, inf.DF, inf.Low, inf.High, inf.P
	e.SEKind, e.Clusters, e.Warnings = CR2, inf.Clusters, inf.Warnings
	for since := range np {
		n := 0
		for _, c := range cells {
			if c.since == since {
				n += c.n
			}
		}
		if n > 0 {
			v, p := average(since, n)
			e.Events = append(e.Events, Event{since, v, FromInfluence(v, p, cluster, nil, o).SE, n})
		}
	}
	var before [2]moments
	for u := range nu {
		for t := range min(first[u], np) {
			if v := y[u*np+t]; !math.IsNaN(v) {
				a := 0
				if first[u] < np {
					a = 1
				}
				before[a].add(v)
			}
		}
		if first[u] < np {
			e.NTreated++
		}
	}
	e.N = len(d.Outcome)
	e.HedgesG = hedges(e.Estimate, before)
	e.warn(Warning{Kind: Staggered, Value: float64(len(firstTreated(d)))})
	return e, nil
}
