package trace

import (
	"math"
	"runtime"
	"sync"
)

// bkt holds, per skill, the probabilities of Bayesian knowledge tracing. The
// last entry is of all skills together, for those not fitted to.
type bkt struct {
	skill []bktSkill
}

// bktSkill is one skill's: that it is known at first, that it is learned at an
// answer, that an answer is guessed, and that one who knows slips.
type bktSkill struct {
	known, learn, guess, slip float64
}

const bktRounds = 40

// fitBKT fits each skill by expectation and maximisation (Baum–Welch) from
// known .4, learn .1, guess .25, slip .1. A learner's answers to questions of
// several skills count for each. Guess and slip are held under one half, since
// beyond it knowing and not knowing change places.
func fitBKT(t *table, skills int) *bkt {
	seqs := make([][][]bool, skills+1)
	for user := range len(t.first) - 1 {
		own := map[int32][]bool{}
		var order []int32
		var every []bool
		for r := t.first[user]; r < t.first[user+1]; r++ {
			for _, k := range t.skillsOf(r) {
				if own[k] == nil {
					order = append(order, k)
				}
				own[k] = append(own[k], t.right[r])
			}
			every = append(every, t.right[r])
		}
		for _, k := range order {
			seqs[k] = append(seqs[k], own[k])
		}
		seqs[skills] = append(seqs[skills], every)
	}
	b := &bkt{skill: make([]bktSkill, skills+1)}
	work := make(chan int)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for k := range work {
				b.skill[k] = fitBKTSkill(seqs[k])
			}
		})
	}
	for k := range seqs {
		work <- k
	}
	close(work)
	done.Wait()
	return b
}

func fitBKTSkill(seqs [][]bool) bktSkill {
	s := bktSkill{0.4, 0.1, 0.25, 0.1}
	var alpha, beta [][2]float64
	for range bktRounds {
		// One answer's worth of the starting values keeps rare skills sensible.
		known, first := 0.4, 1.0
		learned, chances := 0.1, 1.0
		guessed, ignorant := 0.25, 1.0
		slipped, able := 0.1, 1.0
		for _, y := range seqs {
			n := len(y)
			alpha = append(alpha[:0], make([][2]float64, n)...)
			beta = append(beta[:0], make([][2]float64, n)...)
			see := func(i int) (not, yes float64) {
				if y[i] {
					return s.guess, 1 - s.slip
				}
				return 1 - s.guess, s.slip
			}
			not, yes := 1-s.known, s.known
			for i := range n {
				e0, e1 := see(i)
				a0, a1 := not*e0, yes*e1
				c := a0 + a1
				alpha[i] = [2]float64{a0 / c, a1 / c}
				not, yes = alpha[i][0]*(1-s.learn), alpha[i][1]+alpha[i][0]*s.learn
			}
			beta[n-1] = [2]float64{1, 1}
			for i := n - 2; i >= 0; i-- {
				e0, e1 := see(i + 1)
				b0, b1 := e0*beta[i+1][0], e1*beta[i+1][1]
				beta[i] = [2]float64{(1-s.learn)*b0 + s.learn*b1, b1}
				c := beta[i][0] + beta[i][1]
				beta[i][0] /= c
				beta[i][1] /= c
				// Not known at i, learned before i+1.
				z := alpha[i][0]*((1-s.learn)*b0+s.learn*b1) + alpha[i][1]*b1
				learned += alpha[i][0] * s.learn * b1 / z
				chances += alpha[i][0] * ((1-s.learn)*b0 + s.learn*b1) / z
			}
			for i := range n {
				g0, g1 := alpha[i][0]*beta[i][0], alpha[i][1]*beta[i][1]
				g1 /= g0 + g1
				if i == 0 {
					known += g1
					first++
				}
				ignorant += 1 - g1
				able += g1
				if y[i] {
					guessed += 1 - g1
				} else {
					slipped += g1
				}
			}
		}
		next := bktSkill{known / first, learned / chances, math.Min(guessed/ignorant, 0.49), math.Min(slipped/able, 0.49)}
		moved := math.Abs(next.known-s.known) + math.Abs(next.learn-s.learn) + math.Abs(next.guess-s.guess) + math.Abs(next.slip-s.slip)
		s = next
		if moved < 1e-4 {
			break
		}
	}
	return s
}

// predict averages the skills of a question in logits, and takes its answer
// for each of them.
func (b *bkt) predict(t *table) []float64 {
	p := make([]float64, len(t.item))
	rest := int32(len(b.skill) - 1)
	for user := range len(t.first) - 1 {
		known := map[int32]float64{}
		for r := t.first[user]; r < t.first[user+1]; r++ {
			ks := t.skillsOf(r)
			if len(ks) == 0 {
				ks = []int32{rest}
			}
			sum := 0.0
			for _, k := range ks {
				s := b.skill[k]
				l, ok := known[k]
				if !ok {
					l = s.known
				}
				q := l*(1-s.slip) + (1-l)*s.guess
				sum += logit(math.Min(math.Max(q, 1e-6), 1-1e-6))
				if t.right[r] {
					l = l * (1 - s.slip) / q
				} else {
					l = l * s.slip / (1 - q)
				}
				known[k] = l + (1-l)*s.learn
			}
			p[r] = sigmoid(sum / float64(len(ks)))
		}
	}
	return p
}
