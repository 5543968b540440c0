package memory

import (
	"math"
	"runtime"
	"sync"
)

const (
	leastRecall = 1e-7 // so that one surprise cannot cost infinitely much
	shardCards  = 2048 // cards per unit of parallel work; fixed, so that sums come out alike on any machine
)

// step keeps what the backward pass needs of one review.
type step struct {
	s, d, lnS      float64 // stability and difficulty before
	t              float64 // days
	lnBase, recall float64
	next           float64 // stability after, before it is held in its range
	grow           float64 // e^(w10·(1−R)) on recall; (S+1)^w13 on forgetting; the increase within a day
	move           float64 // difficulty before mean reversion
	kind           uint8
	rating         uint8
	heldS, heldD   bool
}

const (
	withinDay = iota
	withinDaySame
	forgot
	forgotMost
	recalled
)

// pass runs the model over cards, forwards and backwards.
type pass struct {
	w        Weights
	exponent float64
	factor   float64
	dFactor  float64 // of the factor by the exponent
	expW8    float64
	mostDiv  float64 // e^(w17·w18)
	easy     float64 // first difficulty after Easy
	exp3W5   float64
	steps    []step
}

func (p *pass) set(w Weights) {
	p.w = w
	p.exponent, p.factor = w.curve()
	p.dFactor = -(p.factor + 1) * math.Log(0.9) / (p.exponent * p.exponent)
	p.expW8 = math.Exp(w[8])
	p.mostDiv = math.Exp(w[17] * w[18])
	p.exp3W5 = math.Exp(3 * w[5])
	p.easy = w[4] - p.exp3W5 + 1
}

func within(v, lo, hi float64) (float64, bool) {
	if v < lo {
		return lo, true
	} else if v > hi {
		return hi, true
	}
	return v, false
}

// forward runs one card's reviews [a,b) and calls seen for every review on a
// later day with the predicted recall. It keeps the steps for backward.
func (p *pass) forward(h *history, a, b int32, seen func(place int32, recall float64)) {
	w := &p.w
	p.steps = p.steps[:0]
	r0 := h.rating[a]
	s := w[r0-1]
	d, held := within(w[4]-math.Exp(w[5]*float64(r0-1))+1, minDifficulty, maxDifficulty)
	p.steps = append(p.steps, step{rating: r0, heldD: held})
	for i := a + 1; i < b; i++ {
		st := step{s: s, d: d, lnS: math.Log(s), t: float64(h.days[i]), rating: h.rating[i], recall: 1}
		if st.t > 0 {
			st.lnBase = math.Log1p(p.factor * st.t / s)
			st.recall = math.Exp(p.exponent * st.lnBase)
			if h.rank[i] >= 0 {
				seen(i, st.recall)
			}
		}
		if i+1 < b { // what follows the last review is asked of nobody
			p.advance(&st)
			s, st.heldS = within(st.next, minStability, maxStability)
			d, st.heldD = within(w[7]*p.easy+(1-w[7])*st.move, minDifficulty, maxDifficulty)
		}
		p.steps = append(p.steps, st)
	}
}

// advance works out stability and difficulty after the review.
func (p *pass) advance(st *step) {
	w := &p.w
	r := float64(st.rating)
	switch {
	case st.t == 0:
		st.kind = withinDay
		st.grow = math.Exp(w[17]*(r-3+w[18]) - w[19]*st.lnS)
		if st.rating >= uint8(Hard) && st.grow < 1 {
			st.kind, st.grow = withinDaySame, 1
		}
		st.next = st.s * st.grow
	case st.rating == uint8(Again):
		st.kind = forgot
		st.grow = math.Exp(w[13] * math.Log1p(st.s))
		st.next = w[11] * math.Exp(w[14]*(1-st.recall)-w[12]*math.Log(st.d)) * (st.grow - 1)
		if most := st.s / p.mostDiv; most < st.next {
			st.kind, st.next = forgotMost, most
		}
	default:
		st.kind = recalled
		st.grow = math.Exp(w[10] * (1 - st.recall))
		st.next = st.s * (1 + p.scale(st)*(st.grow-1))
	}
	st.move = st.d - w[6]*(r-3)*(10-st.d)/9
}

// scale is what multiplies the growth of stability on recall.
func (p *pass) scale(st *step) float64 {
	c := p.expW8 * (11 - st.d) * math.Exp(-p.w[9]*st.lnS)
	switch Rating(st.rating) {
	case Hard:
		c *= p.w[15]
	case Easy:
		c *= p.w[16]
	}
	return c
}

// backward adds to g the gradient of the loss over the card last run forward.
// dRecall holds, per step, the derivative of the loss by the predicted recall.
func (p *pass) backward(dRecall []float64, g *Weights) {
	w := &p.w
	var gs, gd float64 // by stability and difficulty after the step
	for k := len(p.steps) - 1; k > 0; k-- {
		st := &p.steps[k]
		gR := dRecall[k]
		var ps, pd float64 // by those before
		if st.heldS {
			gs = 0
		}
		if st.heldD {
			gd = 0
		}
		r := float64(st.rating)
		if gd != 0 {
			g[7] += gd * (p.easy - st.move)
			g[4] += gd * w[7]
			g[5] -= gd * w[7] * 3 * p.exp3W5
			gm := gd * (1 - w[7])
			g[6] -= gm * (r - 3) * (10 - st.d) / 9
			pd = gm * (1 + w[6]*(r-3)/9)
		}
		if gs != 0 {
			switch st.kind {
			case withinDaySame:
				ps = gs
			case withinDay:
				ps = gs * st.grow * (1 - w[19])
				g[17] += gs * st.next * (r - 3 + w[18])
				g[18] += gs * st.next * w[17]
				g[19] -= gs * st.next * st.lnS
			case forgotMost:
				ps = gs / p.mostDiv
				g[17] -= gs * st.next * w[18]
				g[18] -= gs * st.next * w[17]
			case forgot:
				f := gs * st.next
				g[11] += f / w[11]
				g[12] -= f * math.Log(st.d)
				q := f / (st.grow - 1) * st.grow
				g[13] += q * math.Log1p(st.s)
				g[14] += f * (1 - st.recall)
				gR -= f * w[14]
				pd -= f * w[12] / st.d
				ps = q * w[13] / (st.s + 1)
			case recalled:
				c := p.scale(st)
				gG := gs * st.s // by the relative increase
				inc := c * (st.grow - 1)
				g[8] += gG * inc
				g[9] -= gG * inc * st.lnS
				g[10] += gG * c * st.grow * (1 - st.recall)
				gR -= gG * c * st.grow * w[10]
				pd -= gG * inc / (11 - st.d)
				ps = gs * (1 + inc*(1-w[9]))
				switch Rating(st.rating) {
				case Hard:
					if w[15] > 0 {
						g[15] += gG * inc / w[15]
					} else {
						g[15] += gG * p.expW8 * (11 - st.d) * math.Exp(-w[9]*st.lnS) * (st.grow - 1)
					}
				case Easy:
					g[16] += gG * inc / w[16]
				}
			}
		}
		if gR != 0 && st.t > 0 {
			byBase := p.exponent * st.recall * math.Exp(-st.lnBase)
			ps -= gR * byBase * p.factor * st.t / (st.s * st.s)
			g[20] -= gR * (st.recall*st.lnBase + byBase*st.t/st.s*p.dFactor)
		}
		gs, gd = ps, pd
	}
	r0 := float64(p.steps[0].rating)
	g[p.steps[0].rating-1] += gs
	if !p.steps[0].heldD {
		g[4] += gd
		g[5] -= gd * (r0 - 1) * math.Exp(w[5]*(r0-1))
	}
}

// gradient returns the weighted log loss, summed, over the reviews whose rank
// lies below upTo, and its gradient. weight is by rank. It works on the cards
// from-to only, on one goroutine, with p's buffers.
func (p *pass) gradient(h *history, from, to, upTo int, weight []float64, g *Weights) float64 {
	var loss float64
	var dRecall []float64
	for c := from; c < to; c++ {
		a, b := h.first[c], h.until(c, upTo)
		if b <= a {
			continue
		}
		dRecall = append(dRecall[:0], make([]float64, b-a)...)
		p.forward(h, a, b, func(i int32, recall float64) {
			v := weight[h.rank[i]]
			recall = math.Min(math.Max(recall, leastRecall), 1-leastRecall)
			if h.rating[i] == uint8(Again) {
				loss -= v * math.Log1p(-recall)
				dRecall[i-a] = v / (1 - recall)
			} else {
				loss -= v * math.Log(recall)
				dRecall[i-a] = -v / recall
			}
		})
		p.backward(dRecall, g)
	}
	return loss
}

// until returns where the part of card c ends that predicts reviews ranked
// below upTo; its beginning when there is none.
func (h *history) until(c, upTo int) int32 {
	for b := h.first[c+1]; b > h.first[c]; b-- {
		if r := h.rank[b-1]; r >= 0 && int(r) < upTo {
			return b
		}
	}
	return h.first[c]
}

// predictions returns the predicted recall, by rank, of the reviews ranked in
// [from,to).
func (h *history) predictions(w Weights, from, to int) []float64 {
	out := make([]float64, to-from)
	h.shards(func(_, a, b int) {
		p := &pass{}
		p.set(w)
		for c := a; c < b; c++ {
			if end := h.until(c, to); end > h.first[c] {
				p.forward(h, h.first[c], end, func(i int32, recall float64) {
					if r := int(h.rank[i]); r >= from && r < to {
						out[r-from] = recall
					}
				})
			}
		}
	})
	return out
}

// shards calls f for runs of cards, several at once.
func (h *history) shards(f func(shard, from, to int)) {
	cards := len(h.first) - 1
	work := make(chan int)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for s := range work {
				f(s, s*shardCards, min(cards, (s+1)*shardCards))
			}
		})
	}
	for s := range (cards + shardCards - 1) / shardCards {
		work <- s
	}
	close(work)
	done.Wait()
}
