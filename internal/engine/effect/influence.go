package effect

import (
	"math"
)

// FromInfluence gives the error of an effect that was estimated elsewhere, such
// as a latent regression's, from each person's influence on it: value is the
// estimate, and influence[i] is n times what person i adds to its deviation
// from the truth, so that value − truth ≈ mean(influence).
//
// cluster (nil: each person) is what was drawn whole. centred (nil: one group)
// names the arm, or arm and stratum, around whose own mean each person's
// influence lies: the mean took one degree of freedom there. Each cluster's sum
// is divided by 1 − its share of the group's people, as CR2 does, and DF
// follows Satterthwaite over clusters and groups, the groups' variances as
// estimated. A cluster that reaches into several groups makes all one group. A
// group of one cluster shows no variance; it is given that of the others, and
// a warning.
func FromInfluence(value float64, influence []float64, cluster, centred []int, o Options) Estimate {
	n := float64(len(influence))
	e := Estimate{Method: "influence", Estimate: value, SEKind: CR2, N: len(influence)}
	if cluster == nil {
		cluster = codes0(len(influence))
	}
	g := group(cluster)
	e.Clusters = g.n()
	in := groups{code: []int{0}, of: make([]int, len(influence))}
	if centred != nil {
		in = group(centred)
		for c := range g.n() {
			for _, i := range g.rows(c) {
				if in.of[i] != in.of[g.rows(c)[0]] {
					in = groups{code: []int{0}, of: make([]int, len(influence))}
				}
			}
		}
	}
	people := make([]float64, in.n())
	sum := make([]float64, in.n()) // of influence, to centre it
	for i, psi := range influence {
		people[in.of[i]]++
		sum[in.of[i]] += psi
	}
	// Within a group the mean of rows of one variance: what BM's degrees of
	// freedom come to when X is a constant.
	type part struct{ v, tr, tr2, bb float64 }
	parts := make([]part, in.n())
	lone, alone := 0, 0.0 // groups of one cluster, and their people
	for c := range g.n() {
		rows := g.rows(c)
		k := in.of[rows[0]]
		share := float64(len(rows)) / people[k]
		if 1-share < 1e-10 {
			lone, alone = lone+1, alone+people[k]
			continue
		}
		s := 0.0
		for _, i := range rows {
			s += influence[i] - sum[k]/people[k]
		}
		p := &parts[k]
		p.v += s * s / (1 - share) / (n * n)
		pp, bb := share/(1-share), share*share/(1-share)
		p.tr += pp - bb
		p.tr2 += pp*pp - 2*pp*bb
		p.bb += bb
	}
	var v, spread float64
	for _, p := range parts {
		if p.tr == 0 {
			continue
		}
		v += p.v
		spread += p.v * p.v * (p.tr2 + p.bb*p.bb) / (p.tr * p.tr)
	}
	if lone > 0 && alone < n {
		v *= n * n / ((n - alone) * (n - alone))
		spread *= math.Pow(n/(n-alone), 4)
		e.warn(Warning{PooledVariance, "", float64(lone), 0})
	}
	e.SE = math.Sqrt(v)
	if spread > 0 {
		e.DF = v * v / spread
	}
	e.infer(o.confidence())
	e.fewClusters()
	return e
}
