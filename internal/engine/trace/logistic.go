package trace

import (
	"math"
	"math/rand/v2"
)

// windows are those of DAS3H, in ms; the last has no end.
var windows = [...]int64{3600e3, 24 * 3600e3, 7 * 24 * 3600e3, 30 * 24 * 3600e3, math.MaxInt64}

// logistic is a regression on sparse features: one block of weights for items,
// one for skills, and one for counts, by skill or over all.
type logistic struct {
	kind          Kind
	items, skills int
	w             []float64
}

// feature is one that is not 0.
type feature struct {
	at int32
	v  float32 // a million answers have some eight million of these
}

// Where the blocks of weights begin.
func (l *logistic) skillAt() int   { return 1 + l.items }
func (l *logistic) countAt() int   { return l.skillAt() + l.skills }
func (l *logistic) perSkill() int  { return 2 * len(windows) }
func (l *logistic) overallAt() int { return l.countAt() + l.skills*l.perSkill() }
func (l *logistic) size() int      { return l.overallAt() + 2 }

// tally keeps what a learner did at one skill.
type tally struct {
	wins, fails float64
	at          []int64 // of each answer, where there are times
	right       []bool
}

// learner is a user's history as the logistic models count it.
type learner struct {
	skills      map[int32]*tally
	wins, fails float64
}

// features appends those of row r.
func (l *logistic) features(out []feature, t *table, r int32, u *learner) []feature {
	add := func(at int, v float64) {
		if v != 0 {
			out = append(out, feature{int32(at), float32(v)})
		}
	}
	add(0, 1)
	if l.kind != PFA && t.item[r] >= 0 {
		add(1+int(t.item[r]), 1)
	}
	for _, k := range t.skillsOf(r) {
		add(l.skillAt()+int(k), 1)
		c := u.skills[k]
		if c == nil {
			continue
		}
		at := l.countAt() + int(k)*l.perSkill()
		switch l.kind {
		case PFA:
			add(at, c.wins/10) // so that a step moves it about as far as a difficulty
			add(at+1, c.fails/10)
		case BestLR:
			add(at, math.Log1p(c.wins))
			add(at+1, math.Log1p(c.fails))
		case DAS3H:
			if !t.timed {
				add(at, math.Log1p(c.wins))
				add(at+1, math.Log1p(c.wins+c.fails))
				continue
			}
			var wins, tries [len(windows)]float64
			for i := len(c.at) - 1; i >= 0; i-- {
				for w := len(windows) - 1; w >= 0 && t.at[r]-c.at[i] < windows[w]; w-- {
					tries[w]++
					if c.right[i] {
						wins[w]++
					}
				}
				if len(c.at)-i > 500 { // older ones no longer move a logarithm
					break
				}
			}
			for w := range windows {
				add(at+2*w, math.Log1p(wins[w]))
				add(at+2*w+1, math.Log1p(tries[w]))
			}
		}
	}
	if l.kind == BestLR {
		add(l.overallAt(), math.Log1p(u.wins))
		add(l.overallAt()+1, math.Log1p(u.fails))
	}
	return out
}

// answered takes row r into the history.
func (u *learner) answered(t *table, r int32, keep bool) {
	for _, k := range t.skillsOf(r) {
		c := u.skills[k]
		if c == nil {
			c = &tally{}
			u.skills[k] = c
		}
		if t.right[r] {
			c.wins++
		} else {
			c.fails++
		}
		if keep {
			c.at, c.right = append(c.at, t.at[r]), append(c.right, t.right[r])
		}
	}
	if t.right[r] {
		u.wins++
	} else {
		u.fails++
	}
}

// walk calls f with the features of every row of users [a,b).
func (l *logistic) walk(t *table, a, b int, f func(r int32, x []feature)) {
	var x []feature
	for user := a; user < b; user++ {
		u := &learner{skills: map[int32]*tally{}}
		for r := t.first[user]; r < t.first[user+1]; r++ {
			x = l.features(x[:0], t, r, u)
			f(r, x)
			u.answered(t, r, l.kind == DAS3H && t.timed)
		}
	}
}

const (
	epochs = 12
	pace   = 0.15 // of AdaGrad
	ridge  = 0.3  // per weight and pass; on weights by item, skill and count
)

// fitLogistic minimises the log loss with a ridge penalty by AdaGrad, row by
// row (Duchi, Hazan & Singer 2011). The penalty of a weight is shared out over
// the rows that it has a part in. Users of the fold without are left out; −1
// leaves nobody out.
func fitLogistic(t *table, kind Kind, items, skills int, seed uint64, without int) *logistic {
	l := &logistic{kind: kind, items: items, skills: skills}
	l.w = make([]float64, l.size())
	var all []feature
	start := []int32{0}
	var right []bool
	for user := range len(t.first) - 1 {
		if foldOf(user) == without {
			continue
		}
		l.walk(t, user, user+1, func(r int32, x []feature) {
			all = append(all, x...)
			start = append(start, int32(len(all)))
			right = append(right, t.right[r])
		})
	}
	n := len(right)
	often := make([]float64, len(l.w))
	for _, f := range all {
		often[f.at]++
	}
	square := make([]float64, len(l.w))
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for epoch := range epochs {
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		speed := pace * (1 - float64(epoch)/epochs)
		for _, r := range order {
			x := all[start[r]:start[r+1]]
			e := sigmoid(l.value(x))
			if right[r] {
				e--
			}
			for _, f := range x {
				g := e * float64(f.v)
				if f.at > 0 {
					g += ridge * l.w[f.at] / often[f.at]
				}
				square[f.at] += g * g
				l.w[f.at] -= speed * g / math.Sqrt(square[f.at]+1e-8)
			}
		}
	}
	return l
}

func (l *logistic) value(x []feature) float64 {
	sum := 0.0
	for _, f := range x {
		sum += l.w[f.at] * float64(f.v)
	}
	return sum
}

func (l *logistic) predict(t *table) []float64 {
	p := make([]float64, len(t.item))
	l.walk(t, 0, len(t.first)-1, func(r int32, x []feature) { p[r] = sigmoid(l.value(x)) })
	return p
}

// predictFold predicts the rows of one fold's users into p.
func (l *logistic) predictFold(t *table, f int, p []float64) {
	for user := f; user < len(t.first)-1; user += folds {
		l.walk(t, user, user+1, func(r int32, x []feature) { p[r] = sigmoid(l.value(x)) })
	}
}
