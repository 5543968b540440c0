package irt

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// fitItems says how well the model describes each item.
func (e *em) fitItems(c *Calibration, t *table) {
	e.meanSquares(c)
	complete := len(t.cats) <= 120
	for k, n := range t.cats {
		complete = complete && n == 2 && len(e.item[k].cum) == 2
	}
	for i := range e.patterns {
		complete = complete && len(e.patterns[i].responses) == t.items
	}
	if complete {
		e.sx2(c)
	} else {
		e.leaveOneOut(c)
	}
}

// free is how many parameters of item k are its own.
func (e *em) free(k int) float64 {
	v := &e.item[k]
	switch {
	case v.fixed:
		return 0
	case e.opt.Model == Rasch || e.opt.Model == OnePL:
		return float64(v.size() - 1)
	}
	return float64(v.size())
}

// scores returns the expected score of item k and its variance at theta.
func (v *curve) scores(theta float64, p []float64) (mean, variance float64) {
	v.probabilities(theta, p)
	square := 0.0
	for c := range v.cum {
		mean += float64(c) * p[c]
		square += float64(c*c) * p[c]
	}
	return mean, square - mean*mean
}

// meanSquares computes infit and outfit as posterior expectations, over θ given
// all answers, so that both are 1 on average when the model holds; with a point
// estimate of θ they would not be.
func (e *em) meanSquares(c *Calibration) {
	q := len(e.node)
	for k := range c.Items {
		v := &e.item[k]
		p := make([]float64, len(v.cum))
		var n, z2, r2, info float64
		for j, theta := range e.node {
			mean, variance := v.scores(theta, p)
			for y := range v.cum {
				w := e.count[(e.offset[k]+y)*q+j]
				if w == 0 || variance < 1e-12 {
					continue
				}
				r := (float64(y) - mean) * (float64(y) - mean)
				n, z2, r2, info = n+w, z2+w*r/variance, r2+w*r, info+w*variance
			}
		}
		if n > 0 && info > 0 {
			c.Items[k].Infit, c.Items[k].Outfit = r2/info, z2/n
		}
	}
}

// judge records a fit test.
func (f *ItemFit) judge(test string, chi, df float64) {
	f.PValue = 1
	if df < 1 {
		return
	}
	f.FitTest, f.ChiSq, f.DF = test, chi, df
	f.PValue = distuv.ChiSquared{K: df}.Survival(chi)
}

// sx2 is the S-X² of Orlando & Thissen (2000): the share correct at each summed
// score against what the model expects there. Neighbouring scores are joined
// until at least one right and one wrong answer is expected.
func (e *em) sx2(c *Calibration) {
	items, q := len(c.Items), len(e.node)
	p := e.tabulate(false)
	right := func(k, j int) float64 { return p[(e.offset[k]+1)*q+j] }
	weight := make([]float64, q)
	for _, m := range e.mass {
		add(weight, m)
	}
	people, correct := make([]float64, items+1), make([][]float64, items)
	for k := range correct {
		correct[k] = make([]float64, items+1)
	}
	for i := range e.patterns {
		sum := 0
		for _, r := range e.patterns[i].responses {
			sum += int(r.Score)
		}
		people[sum] += e.patterns[i].weight
		for _, r := range e.patterns[i].responses {
			correct[r.Item][sum] += e.patterns[i].weight * float64(r.Score)
		}
	}
	inShares(items, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			// Expected shares of item k right, by summed score over all items.
			with, all := make([]float64, items+1), make([]float64, items+1)
			dist := make([]float64, items+1)
			for j := range q {
				clear(dist) // of the other items' sum at node j (Lord & Wingersky 1984)
				dist[0] = 1
				n := 0
				for l := range items {
					if l == k {
						continue
					}
					r := right(l, j)
					for s := n + 1; s > 0; s-- {
						dist[s] = dist[s]*(1-r) + dist[s-1]*r
					}
					dist[0] *= 1 - r
					n++
				}
				r := right(k, j)
				for s := range n + 1 {
					with[s+1] += weight[j] * dist[s] * r
					all[s+1] += weight[j] * dist[s] * r
					all[s] += weight[j] * dist[s] * (1 - r)
				}
			}
			var chi, cells, n, o, x float64
			flush := func() {
				chi += (o - x) * (o - x) / (x * (1 - x/n))
				cells++
				n, o, x = 0, 0, 0
			}
			var last [3]float64
			for s := 1; s < items; s++ {
				if people[s] == 0 || all[s] == 0 {
					continue
				}
				n, o, x = n+people[s], o+correct[k][s], x+people[s]*with[s]/all[s]
				if x >= 1 && n-x >= 1 {
					last = [3]float64{n, o, x}
					flush()
				}
			}
			if n > 0 && cells > 0 { // what is left joins the last cell
				chi -= (last[1] - last[2]) * (last[1] - last[2]) / (last[2] * (1 - last[2]/last[0]))
				cells--
				n, o, x = n+last[0], o+last[1], x+last[2]
				flush()
			}
			c.Items[k].judge("S-X2", chi, cells-e.free(k))
		}
	})
}

// leaveOneOut tests items that not everyone saw: each answer is predicted from
// the person's other answers, and sums of scores are compared with predictions
// in up to ten groups of equal size.
func (e *em) leaveOneOut(c *Calibration) {
	type answer struct{ predicted, variance, score, weight float64 }
	q := len(e.node)
	p := e.tabulate(false)
	found := make([][]answer, len(c.Items))
	parts := make([][][]answer, shares(len(e.patterns)))
	for w := range parts {
		parts[w] = make([][]answer, len(c.Items))
	}
	e.each(func(w, i int, post []float64, _ float64) {
		pt := &e.patterns[i]
		for _, r := range pt.responses {
			if int(r.Item) >= len(c.Items) {
				continue
			}
			cell := e.offset[r.Item]
			var sum, m1, m2 float64
			for j, v := range post {
				if v == 0 {
					continue
				}
				v /= p[(cell+int(r.Score))*q+j]
				sum += v
				for y := 1; y < len(e.item[r.Item].cum); y++ {
					x := v * p[(cell+y)*q+j] * float64(y)
					m1, m2 = m1+x, m2+x*float64(y)
				}
			}
			if m1, m2 = m1/sum, m2/sum; m2-m1*m1 > 0 {
				parts[w][r.Item] = append(parts[w][r.Item], answer{m1, m2 - m1*m1, float64(r.Score), pt.weight})
			}
		}
	})
	inShares(len(found), func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			for _, part := range parts {
				found[k] = append(found[k], part[k]...)
			}
			all := found[k]
			slices.SortStableFunc(all, func(a, b answer) int {
				if a.predicted < b.predicted {
					return -1
				} else if a.predicted > b.predicted {
					return 1
				}
				return 0
			})
			total := 0.0
			for _, a := range all {
				total += a.weight
			}
			groups := math.Min(10, math.Floor(total/20))
			var chi, cells, n, d, v, done float64
			for i, a := range all {
				n, d, v = n+a.weight, d+a.weight*(a.score-a.predicted), v+a.weight*a.variance
				if done += a.weight; done >= total*(cells+1)/groups-1e-9 || i == len(all)-1 {
					if v > 0 {
						chi += d * d / v
						cells++
					}
					n, d, v = 0, 0, 0
				}
			}
			if groups < 4 {
				cells = 0
			}
			c.Items[k].judge("leave-one-out", chi, cells-e.free(k))
		}
	})
}
