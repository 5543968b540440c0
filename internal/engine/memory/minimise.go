package memory

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// minimise finds the lowest value within the bounds that project keeps to, by
// BFGS with projected steps (Bertsekas 1982): weights that lie on a bound and
// would leave it are set aside, and the others are moved. Weights are measured
// in their spreads, so that the first step is of one size in all.
func minimise(value func(Weights) (float64, Weights), start Weights, project func(Weights) Weights) (Weights, int) {
	const n = len(start)
	const most = 100
	var inv [n][n]float64 // inverse of the curvature
	reset := func() {
		for i := range inv {
			inv[i] = [n]float64{}
			inv[i][i] = 1
		}
	}
	reset()
	w := start
	f, g := value(w)
	scaled := func(g Weights) Weights {
		for i := range g {
			g[i] *= spread[i]
		}
		return g
	}
	gz := scaled(g)
	fresh := true
	small := 0
	for iter := range most {
		free := [n]bool{}
		for i := range free {
			at := w
			at[i] -= math.Copysign(1e-6*spread[i], g[i])
			free[i] = g[i] != 0 && project(at)[i] != w[i]
		}
		var dir Weights
		slope := 0.0
		for i := range dir {
			if !free[i] {
				continue
			}
			for j := range dir {
				if free[j] {
					dir[i] -= inv[i][j] * gz[j]
				}
			}
			slope += dir[i] * gz[i]
		}
		if slope >= 0 {
			if fresh {
				return w, iter
			}
			reset()
			fresh = true
			continue
		}
		step := 1.0
		if fresh {
			norm := 0.0
			for _, d := range dir {
				norm = math.Max(norm, math.Abs(d))
			}
			step = math.Min(1, 0.1/norm)
		}
		moved := false
		var nw, ng Weights
		var nf float64
		for range 10 {
			nw = w
			for i := range nw {
				nw[i] += step * dir[i] * spread[i]
			}
			nw = project(nw)
			gain := 0.0
			for i := range nw {
				gain += g[i] * (nw[i] - w[i])
			}
			if nf, ng = value(nw); nf <= f+1e-4*gain && nf < f {
				moved = true
				break
			}
			step /= 2.5
		}
		if !moved {
			if fresh {
				return w, iter
			}
			reset()
			fresh = true
			continue
		}
		ngz := scaled(ng)
		var s, y, hy Weights
		sy, yy := 0.0, 0.0
		for i := range s {
			s[i], y[i] = (nw[i]-w[i])/spread[i], ngz[i]-gz[i]
			sy += s[i] * y[i]
			yy += y[i] * y[i]
		}
		if sy > 1e-10*yy && sy > 0 {
			if fresh {
				for i := range inv {
					inv[i][i] = sy / yy
				}
			}
			yhy := 0.0
			for i := range hy {
				for j := range hy {
					hy[i] += inv[i][j] * y[j]
				}
				yhy += hy[i] * y[i]
			}
			for i := range inv {
				for j := range inv {
					inv[i][j] += (1+yhy/sy)*s[i]*s[j]/sy - (hy[i]*s[j]+s[i]*hy[j])/sy
				}
			}
			fresh = false
		}
		// Twice in a row, since one step may have been cut short by a bound.
		if f-nf < 1e-3+1e-6*f {
			small++
		} else {
			small = 0
		}
		w, f, g, gz = nw, nf, ng, ngz
		if small == 2 {
			return w, iter + 1
		}
	}
	return w, most
}
