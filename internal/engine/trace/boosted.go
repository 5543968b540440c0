package trace

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// boosted is gradient-boosted trees (Friedman 2001) on the features of
// history.go, grown level by level on histograms of 64 bins.
type boosted struct {
	priors *priors
	kin    *kinship
	best   *logistic
	cuts   [features][]float32 // upper bounds of the bins but the last
	trees  []tree
}

// tree is complete, depth levels deep; node i has the children 2i+1 and 2i+2.
type tree struct {
	feature [1<<depth - 1]int16 // -1: all go left
	bin     [1<<depth - 1]uint8 // the highest bin that goes left
	leaf    [1 << depth]float32
}

const (
	bins     = 64
	depth    = 5
	trees    = 300
	rate     = 0.06
	leafPull = 5.0  // ridge on leaves
	leafHess = 10.0 // the least curvature in a leaf
	rowPart  = 0.5
	rowMost  = 150000 // rows that a tree is grown on, at most; more make it slower, not better
	featPart = 0.5
)

// fitBoosted fits the trees, without the features named.
func fitBoosted(t *table, items, skills int, seed uint64, without ...int) *boosted {
	n, users := len(t.item), len(t.first)-1
	var x [features][]float32
	for f := range x {
		x[f] = make([]float32, n)
	}
	b := &boosted{}
	said := make([]float64, n) // Best-LR, of each row, fitted without its fold
	parallel(folds+1, func(i int) {
		f := i - 1 // −1 leaves nobody out, and is what predicts later
		p := learnPriors(t, items, skills, f)
		kin := learnKinship(t, p, f)
		best := fitLogistic(t, BestLR, items, skills, seed, f)
		if f < 0 {
			b.priors, b.kin, b.best = p, kin, best
			return
		}
		best.predictFold(t, f, said)
		for user := f; user < users; user += folds {
			p.history(t, user, kin, said, func(r int32, v *[features]float32) {
				for c := range v {
					x[c][r] = v[c]
				}
			})
		}
	})
	var q [features][]uint8
	parallel(features, func(f int) {
		b.cuts[f] = cuts(x[f])
		q[f] = make([]uint8, n)
		for i, v := range x[f] {
			q[f][i] = bucket(b.cuts[f], v)
		}
		x[f] = nil
	})
	for _, f := range without {
		b.cuts[f] = nil
	}
	b.grow(q, said, t.right, seed)
	return b
}

// cuts returns quantiles of a sample, without repeats.
func cuts(v []float32) []float32 {
	step := len(v)/20000 + 1
	var s []float32
	for i := 0; i < len(v); i += step {
		s = append(s, v[i])
	}
	slices.Sort(s)
	var c []float32
	for i := 1; i < bins; i++ {
		at := s[i*len(s)/bins]
		if at < s[len(s)-1] && (len(c) == 0 || at > c[len(c)-1]) {
			c = append(c, at)
		}
	}
	return c
}

func bucket(cuts []float32, v float32) uint8 {
	lo, hi := 0, len(cuts)
	for lo < hi {
		if mid := (lo + hi) / 2; v <= cuts[mid] {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return uint8(lo)
}

type cell struct{ g, h float64 }

func (b *boosted) grow(q [features][]uint8, start []float64, right []bool, seed uint64) {
	n := len(right)
	rng := rand.New(rand.NewPCG(seed, 2))
	f := make([]float32, n) // logits so far
	for i := range f {
		f[i] = float32(logit(start[i]))
	}
	g, h := make([]float32, n), make([]float32, n)
	node := make([]uint8, n)
	usable := []int{}
	for c := range features {
		if len(b.cuts[c]) > 0 {
			usable = append(usable, c)
		}
	}
	hist := make([][]cell, features)
	for c := range hist {
		hist[c] = make([]cell, (1<<depth)*bins)
	}
	rows := make([]int32, 0, n)
	part := min(rowPart, rowMost/float64(n))
	for range trees {
		rows = rows[:0]
		for i := range n {
			if rng.Float64() < part {
				rows = append(rows, int32(i))
			}
		}
		use := slices.Clone(usable)
		rng.Shuffle(len(use), func(i, j int) { use[i], use[j] = use[j], use[i] })
		use = use[:int(math.Ceil(featPart*float64(len(use))))]
		slices.Sort(use)
		parts(n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				p := float32(sigmoid(float64(f[i])))
				g[i], h[i] = p, p*(1-p)
				if right[i] {
					g[i]--
				}
				node[i] = 0
			}
		})
		var tr tree
		for level := range depth {
			width := 1 << level
			type split struct {
				gain    float64
				feature int16
				bin     uint8
			}
			best := make([][]split, features)
			parallel(len(use), func(u int) {
				c := use[u]
				hs := hist[c][:width*bins]
				clear(hs)
				col := q[c]
				for _, r := range rows {
					k := &hs[int(node[r])*bins+int(col[r])]
					k.g += float64(g[r])
					k.h += float64(h[r])
				}
				best[c] = make([]split, width)
				for w := range width {
					var all cell
					for _, k := range hs[w*bins : (w+1)*bins] {
						all.g, all.h = all.g+k.g, all.h+k.h
					}
					base := all.g * all.g / (all.h + leafPull)
					best[c][w].feature = -1
					var left cell
					for v := range len(b.cuts[c]) {
						k := hs[w*bins+v]
						left.g, left.h = left.g+k.g, left.h+k.h
						rg, rh := all.g-left.g, all.h-left.h
						if left.h < leafHess || rh < leafHess {
							continue
						}
						gain := left.g*left.g/(left.h+leafPull) + rg*rg/(rh+leafPull) - base
						if gain > best[c][w].gain {
							best[c][w] = split{gain, int16(c), uint8(v)}
						}
					}
				}
			})
			for w := range width {
				at := width - 1 + w
				tr.feature[at] = -1
				gain := 1e-6
				for _, c := range use {
					if s := best[c][w]; s.feature >= 0 && s.gain > gain {
						gain, tr.feature[at], tr.bin[at] = s.gain, s.feature, s.bin
					}
				}
			}
			parts(n, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					at := width - 1 + int(node[i])
					next := node[i] * 2
					if c := tr.feature[at]; c >= 0 && q[c][i] > tr.bin[at] {
						next++
					}
					node[i] = next
				}
			})
		}
		var leaf [1 << depth]cell
		for _, r := range rows {
			k := &leaf[node[r]]
			k.g, k.h = k.g+float64(g[r]), k.h+float64(h[r])
		}
		for i, k := range leaf {
			tr.leaf[i] = float32(-rate * k.g / (k.h + leafPull))
		}
		parts(n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				f[i] += tr.leaf[node[i]]
			}
		})
		b.trees = append(b.trees, tr)
	}
}

func (b *boosted) predict(t *table) []float64 {
	out := make([]float64, len(t.item))
	best := b.best.predict(t)
	parallel(len(t.first)-1, func(user int) {
		b.priors.history(t, user, b.kin, best, func(r int32, x *[features]float32) {
			var q [features]uint8
			for c := range x {
				q[c] = bucket(b.cuts[c], x[c])
			}
			f := logit(best[r])
			for i := range b.trees {
				f += float64(b.trees[i].value(&q))
			}
			out[r] = sigmoid(f)
		})
	})
	return out
}

func (t *tree) value(q *[features]uint8) float32 {
	at := 0
	for range depth {
		next := 2*at + 1
		if c := t.feature[at]; c >= 0 && q[c] > t.bin[at] {
			next++
		}
		at = next
	}
	return t.leaf[at-(1<<depth-1)]
}

// parallel calls f for 0 to n−1, several at once.
func parallel(n int, f func(i int)) {
	work := make(chan int, 64)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for i := range work {
				f(i)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	done.Wait()
}

// parts calls f for stretches of 0 to n−1, several at once.
func parts(n int, f func(lo, hi int)) {
	const size = 1 << 15
	parallel((n+size-1)/size, func(i int) { f(i*size, min(n, (i+1)*size)) })
}
