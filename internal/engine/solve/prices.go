package solve

import "math"

// ascent is the state of the search for prices.
type ascent struct {
	use, cover []float64
	square     []float64 // Σ of squared differences, by resource (AdaGrad)
	temper     float64
}

// choose spreads every member over the pool by worth at the present prices:
// at temperature 0 on the best bundle alone, above it in proportion to
// exp(worth/temperature). It books the result and returns the smoothed dual.
func (b *block) choose(a *ascent) float64 {
	b.reprice()
	clear(a.cover)
	b.each(func(_ *searcher, c *chunk) {
		c.begin()
		bs := b.sites[c.site]
		var worth [poolSize]float64
		for n := c.lo; n < c.hi; n++ {
			mb := &b.people[n]
			if len(mb.pool) == 0 || mb.fixed {
				continue
			}
			th := 1 + b.theta(mb.group)
			top := math.Inf(-1)
			for x := range mb.pool {
				bu := &mb.pool[x]
				worth[x] = th*bu.gain - bu.charge - bs.cost(mb.class, bu.options)
				if worth[x] > top {
					top, mb.now = worth[x], x
				}
			}
			if a.temper == 0 {
				c.dual += top
				b.book(c, mb, &mb.pool[mb.now], 1)
				b.bookCover(a.cover, mb, &mb.pool[mb.now], 1)
				continue
			}
			sum := 0.0
			for x := range mb.pool {
				if d := (worth[x] - top) / a.temper; d > -12 {
					worth[x] = math.Exp(d)
					sum += worth[x]
				} else {
					worth[x] = 0
				}
			}
			c.dual += top + a.temper*math.Log(sum)
			mb.sure = float32(1 / sum)
			for x := range mb.pool {
				if worth[x] > 0 {
					b.book(c, mb, &mb.pool[x], worth[x]/sum)
					b.bookCover(a.cover, mb, &mb.pool[x], worth[x]/sum)
				}
			}
		}
		b.work.Add(int64(c.hi-c.lo) / 4)
	})
	dual := b.total(a.use) + b.capDual()
	for r := range a.use {
		a.use[r] += a.cover[r]
	}
	return dual
}

// step moves every price by its excess demand over cap, each by a step of its
// own that shrinks as the differences sum up (AdaGrad, Duchi et al. 2011).
func (b *block) step(a *ascent, cap []float64, eta float64) {
	for r := range b.price {
		if b.fixed[r] && !b.diving {
			continue
		}
		g := a.use[r] - cap[r]
		a.square[r] += g * g
		b.price[r] = max(0, b.price[r]+eta*g/math.Sqrt(a.square[r]+1e-12))
	}
}
