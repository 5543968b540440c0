package effect

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Draw is what was drawn by lot, and what came of it.
type Draw struct {
	Outcome     []float64
	Treated     []bool
	Stratum     []int     // code of the stratum (or pool and stratum) drawn within; nil: one
	Probability []float64 // each person's chance in (0,1) of being treated; nil: equal within a stratum
	Cluster     []int     // code of what was drawn whole, such as a team; nil: each person

	// Redraw, if not nil, draws once more as the plan did, for the
	// randomisation p. Without it as many clusters as were treated are drawn
	// again, all alike, within each stratum and probability.
	Redraw func(*rand.Rand) []bool
}

// DrawOptions are those of Blocked.
type DrawOptions struct {
	Options        // SE is not read
	Redraws int    // for the randomisation p; 0 is 2,000, negative none
	Seed    uint64 // of the redraws
}

// Redrawn is the randomisation test of no effect on anybody: the share of draws
// under which |estimate / SE| is at least as large (studentised, so that it
// also stands against no effect on average; Wu & Ding 2021).
type Redrawn struct {
	P       float64 `json:"p"` // (1 + as large) / (1 + redraws)
	Redraws int     `json:"redraws"`
}

// Blocked estimates the effect of a draw by lot, on average over the people of
// strata in which both some were treated and some were not.
//
// Within a stratum it is the difference of the arms' means, each person
// weighted by the inverse probability of the arm drawn where probabilities
// differ (Hájek); strata count by their people. The error is that of the draw
// (Neyman 1923), from clusters' totals about their arm's mean. Strata with but
// one cluster in an arm have no variance of their own: theirs is taken from how
// their differences scatter (Pashley & Miratrix 2021, eq. 6), which errs to the
// wide side; where that cannot be done it is borrowed from the others. DF is
// Satterthwaite's over arms and strata.
func Blocked(d Draw, o DrawOptions) (Estimate, error) {
	e := Estimate{Method: "blocked", Estimand: ATE}
	if err := o.check(); err != nil {
		return e, err
	}
	b, err := d.blocks()
	if err != nil {
		return e, err
	}
	treated := make([]bool, len(b.cluster))
	for c, rows := range b.cluster {
		treated[c] = d.Treated[rows[0]]
	}
	r := b.estimate(treated)
	if r.people == 0 {
		return e, ErrArm
	}
	if math.IsNaN(r.se) {
		return e, fmt.Errorf("%w: no arm has two clusters", ErrTooFew)
	}
	e.Estimate, e.SE, e.DF = r.value, r.se, r.df
	e.N = int(r.people)
	e.infer(o.confidence())
	var arm [2]moments
	for i, y := range d.Outcome {
		if r.used[b.stratum.of[i]] {
			a := 0
			if d.Treated[i] {
				a = 1
			}
			arm[a].add(y)
		}
	}
	e.NTreated = int(arm[1].n)
	e.HedgesG = hedges(e.Estimate, arm)
	if all := float64(len(d.Outcome)); r.people < all {
		e.warn(Warning{NoComparison, "", 1 - r.people/all, 0})
	}
	if r.borrowed > 0 {
		e.warn(Warning{PooledVariance, "", float64(r.borrowed), 0})
	}
	if d.Cluster != nil {
		e.SEKind = CR2
		for s, cs := range b.members {
			if r.used[s] {
				e.Clusters += len(cs)
			}
		}
		e.fewClusters()
	}
	if least := min(arm[0].n, arm[1].n); least < limitArm {
		e.warn(Warning{SmallGroups, "", least, limitArm})
	}
	if o.Redraws >= 0 && e.SE > 0 {
		e.Draw = b.test(d, treated, r, o)
	}
	return e, nil
}

// blocks are a draw's strata and clusters.
type blocks struct {
	outcome     []float64
	probability []float64
	stratum     groups
	cluster     [][]int   // rows of each cluster
	members     [][]int   // clusters of each stratum
	cell        []int     // of each cluster: stratum and probability
	cells       [][]int   // clusters of each cell
	people      []float64 // in each stratum
}

func (d Draw) blocks() (*blocks, error) {
	n := len(d.Outcome)
	if n == 0 {
		return nil, ErrTooFew
	}
	if err := finite("outcome", d.Outcome); err != nil {
		return nil, err
	}
	stratum, cluster, probability := d.Stratum, d.Cluster, d.Probability
	if stratum == nil {
		stratum = make([]int, n)
	}
	if cluster == nil {
		cluster = codes0(n)
	}
	if probability == nil {
		probability = make([]float64, n)
		for i := range probability {
			probability[i] = 0.5 // only ratios within a stratum and arm matter
		}
	}
	if len(d.Treated) != n || len(stratum) != n || len(cluster) != n || len(probability) != n {
		return nil, ErrLength
	}
	b := &blocks{outcome: d.Outcome, probability: probability, stratum: group(stratum)}
	b.members = make([][]int, b.stratum.n())
	b.people = make([]float64, b.stratum.n())
	g := group(cluster)
	type key struct {
		stratum     int
		probability float64
	}
	cells := map[key]int{}
	for c := range g.n() {
		rows := g.rows(c)
		first := rows[0]
		for _, i := range rows {
			if p := probability[i]; !(p > 0 && p < 1) {
				return nil, fmt.Errorf("%w: probability %v in row %d", ErrNumber, p, i)
			}
			if d.Treated[i] != d.Treated[first] || stratum[i] != stratum[first] || probability[i] != probability[first] {
				return nil, fmt.Errorf("%w: cluster %d was not drawn whole", ErrOption, g.code[c])
			}
		}
		s := b.stratum.of[first]
		b.cluster = append(b.cluster, rows)
		b.members[s] = append(b.members[s], c)
		b.people[s] += float64(len(rows))
		k := key{s, probability[first]}
		if _, ok := cells[k]; !ok {
			cells[k] = len(b.cells)
			b.cells = append(b.cells, nil)
		}
		b.cells[cells[k]] = append(b.cells[cells[k]], c)
	}
	return b, nil
}

// drawn is an estimate under one assignment.
type drawn struct {
	value, se, df, people float64
	used                  []bool // strata with both arms
	borrowed              int    // strata whose variance came from the others
}

// arm is one arm of one stratum.
type arm struct {
	clusters   int
	mean, v    float64 // v: variance of the mean; NaN with one cluster
	weight     float64
	spread     float64 // m/(m−1)·Σ (cluster's weighted residual)², and
	effective  float64 // Σ (cluster's weight)², to lend to others
	population float64
}

func (b *blocks) arm(clusters []int, treated []bool, which bool) arm {
	var a arm
	sum := 0.0
	weigh := func(c int) float64 {
		p := b.probability[b.cluster[c][0]]
		if !which {
			p = 1 - p
		}
		return 1 / p
	}
	for _, c := range clusters {
		if treated[c] != which {
			continue
		}
		a.clusters++
		w := weigh(c)
		for _, i := range b.cluster[c] {
			sum += w * b.outcome[i]
		}
		a.weight += w * float64(len(b.cluster[c]))
	}
	a.mean = sum / a.weight
	for _, c := range clusters {
		if treated[c] != which {
			continue
		}
		w := weigh(c)
		r := 0.0
		for _, i := range b.cluster[c] {
			r += w * (b.outcome[i] - a.mean)
		}
		a.spread += r * r
		m := w * float64(len(b.cluster[c]))
		a.effective += m * m
	}
	m := float64(a.clusters)
	a.spread *= m / (m - 1)
	a.v = a.spread / (a.weight * a.weight)
	return a
}

// estimate gives the effect, its error and degrees of freedom under an
// assignment of clusters.
func (b *blocks) estimate(treated []bool) drawn {
	r := drawn{used: make([]bool, len(b.members))}
	arms := make([][2]arm, len(b.members))
	for s, clusters := range b.members {
		arms[s] = [2]arm{b.arm(clusters, treated, false), b.arm(clusters, treated, true)}
		if arms[s][0].clusters > 0 && arms[s][1].clusters > 0 {
			r.used[s] = true
			r.people += b.people[s]
		}
	}
	var small []int // strata with an arm of one cluster
	var v, spread float64
	var lent, lentTo float64 // variance of a unit of weight, over arms of two or more
	for s := range arms {
		if !r.used[s] {
			continue
		}
		share := b.people[s] / r.people
		r.value += share * (arms[s][1].mean - arms[s][0].mean)
		if arms[s][0].clusters == 1 || arms[s][1].clusters == 1 {
			small = append(small, s)
			for _, a := range arms[s] {
				if a.clusters > 1 {
					lent, lentTo = lent+a.spread, lentTo+a.effective
				}
			}
			continue
		}
		for _, a := range arms[s] {
			part := share * share * a.v
			v += part
			spread += part * part / float64(a.clusters-1)
			lent, lentTo = lent+a.spread, lentTo+a.effective
		}
	}
	if part, df, ok := b.scatter(small, arms); ok {
		n := 0.0
		for _, s := range small {
			n += b.people[s]
		}
		part *= n * n / (r.people * r.people)
		v += part
		spread += part * part / df
	} else if len(small) > 0 {
		r.borrowed = len(small)
		for _, s := range small {
			share := b.people[s] / r.people
			for _, a := range arms[s] {
				part := share * share * lent / lentTo * a.effective / (a.weight * a.weight)
				v += part
				spread += part * part // as one degree of freedom: what is borrowed is not known
			}
		}
	}
	r.se = math.Sqrt(v)
	if spread > 0 {
		r.df = v * v / spread
	}
	return r
}

// scatter is the variance of the mean difference over small strata, from how
// the strata's differences lie about it. It needs three strata, none with half
// of the people.
func (b *blocks) scatter(small []int, arms [][2]arm) (v, df float64, ok bool) {
	n, mean := 0.0, 0.0
	for _, s := range small {
		n += b.people[s]
	}
	heavy := 0.0
	for _, s := range small {
		m := b.people[s]
		if 2*m >= n {
			return 0, 0, false
		}
		heavy += m * m / (n - 2*m)
		mean += m / n * (arms[s][1].mean - arms[s][0].mean)
	}
	if len(small) < 3 {
		return 0, 0, false
	}
	for _, s := range small {
		m := b.people[s]
		t := arms[s][1].mean - arms[s][0].mean - mean
		v += m * m / ((n - 2*m) * (n + heavy)) * t * t
	}
	return v, float64(len(small) - 1), true
}

// test redraws and counts the draws with as large a |t|.
func (b *blocks) test(d Draw, treated []bool, r drawn, o DrawOptions) *Redrawn {
	redraws := o.Redraws
	if redraws == 0 {
		redraws = 2000
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x51a7))
	again := make([]bool, len(treated))
	copy(again, treated)
	large, made := 0, 0
	for range redraws {
		if d.Redraw != nil {
			people := d.Redraw(rng)
			for c, rows := range b.cluster {
				again[c] = people[rows[0]]
			}
		} else {
			for _, cell := range b.cells {
				rng.Shuffle(len(cell), func(i, j int) {
					again[cell[i]], again[cell[j]] = again[cell[j]], again[cell[i]]
				})
			}
		}
		x := b.estimate(again)
		if x.people == 0 || math.IsNaN(x.se) {
			continue
		}
		made++
		// A hair's breadth for sums taken in another order.
		if math.Abs(x.value)*r.se >= math.Abs(r.value)*x.se*(1-1e-9) {
			large++
		}
	}
	return &Redrawn{P: float64(1+large) / float64(1+made), Redraws: made}
}
