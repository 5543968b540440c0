package trace

import "math"

// priors say how items and skills came out for the learners fitted to. For the
// rows that trees are grown on, learners are cut in folds, and each is shown
// the priors of the others: or the outcome to be predicted would be among the
// features. To leave out only the learner is not enough, since a tree that
// tells items apart reads the outcome from the gap it leaves.
type priors struct {
	all   share
	skill []share
	item  [][3]share // by the learner's answer just before: wrong, right, none
}

// share is right answers out of all.
type share struct{ n, right float64 }

func (s share) plus(o share) share { return share{s.n + o.n, s.right + o.right} }

// toward returns the share of right answers, as if strength more had come out
// at the prior's.
func (s share) toward(prior, strength float64) float64 {
	return (s.right + prior*strength) / (s.n + strength)
}

func (s *share) count(right bool) {
	s.n++
	if right {
		s.right++
	}
}

// folds is how many learners are cut in.
const folds = 5

// foldOf is by order of appearance, so that neighbours in a file, often of one
// class, are not all in one fold.
func foldOf(user int) int { return user % folds }

const (
	noneBefore    = 2
	skillStrength = 20 // answers
	itemStrength  = 6
	afterStrength = 10
)

// before says how the answer before row r came out, as an index of priors.item.
func before(t *table, user int, r int32) int {
	switch {
	case r == t.first[user]:
		return noneBefore
	case t.right[r-1]:
		return 1
	}
	return 0
}

// learnPriors counts the users that are not in fold f; f = −1 counts all.
func learnPriors(t *table, items, skills, f int) *priors {
	p := &priors{skill: make([]share, skills), item: make([][3]share, items)}
	for user := range len(t.first) - 1 {
		if foldOf(user) == f {
			continue
		}
		for r := t.first[user]; r < t.first[user+1]; r++ {
			p.all.count(t.right[r])
			p.item[t.item[r]][before(t, user, r)].count(t.right[r])
			for _, k := range t.skillsOf(r) {
				p.skill[k].count(t.right[r])
			}
		}
	}
	return p
}

// The features of an answer, in order. Rates are in logits.
const (
	fItem       = iota // the item's rate
	fItemAfter         // the item's rate where the answer before came out the same
	fItemN             // answers to the item, log
	fSkill             // the skill's rate
	fSkillN            // answers at the skill, log
	fN                 // the learner's answers so far, log
	fRate              // the learner's rate
	fAbility           // rate beyond what the items' difficulty leads to expect, on logits
	fFast              // the same, decaying: half gone after 2 answers
	fMedium            // after 7
	fSlow              // after 35
	fRaw               // rate, decaying: half gone after 3
	fStreak            // right answers in a row, or wrong ones (negative)
	fLast3             // the last three outcomes as a number
	fSkillWins         // right answers at the skill, log
	fSkillFails        // wrong ones, log
	fSkillAbil         // as fAbility, at the skill
	fSkillFast         // as fFast, at the skill
	fSkillSlow         // as fMedium, at the skill
	fSkillLast3        // the last three outcomes at the skill
	fSkillRun          // right answers in a row at the skill, or wrong ones
	fSkillGap          // answers since the last at the skill, log
	fSkillFirst        // the learner's first outcome at the skill
	fSame              // answers in a row at this skill up to now, log
	fItemTries         // the learner's answers to this very item
	fItemLast          // the last of them
	fPrevItem          // the rate of the item just before
	fPrevSurpr         // surprise of the answer just before
	fPrevPrev          // of the one before that
	fElo               // expected by ability and the skill's ability
	fKin               // as fAbility, over skills whose learners come out alike
	fSkills            // how many skills the item asks for
	fOther             // as fAbility, over all skills but these
	fDistinct          // skills met so far, log
	fHour              // answers at the skill within an hour, log; then right ones, and so on
	fHourWins
	fDay
	fDayWins
	fWeek
	fWeekWins
	fMonth
	fMonthWins
	fSince     // hours since the last answer at the skill, log
	fSinceLast // hours since the last answer, log
	fBest      // what Best-LR predicts
	features
)

// trail is what a learner did at one skill, or at all.
type trail struct {
	n, wins, fails    float64
	surprise          float64 // sum of outcome − expected
	spread            float64 // sum of expected·(1−expected)
	fast, medium      float64 // decaying means of the surprise
	slow, raw         float64
	streak, first     float64
	last3             float64
	when              int32 // row of the last answer
	at                []int64
	right             []bool
	surprise1, surpr2 float64
}

func (s *trail) take(y, e float64) {
	d := y - e
	if s.n == 0 {
		s.first = 2*y - 1
	}
	s.n++
	s.wins += y
	s.fails += 1 - y
	s.surprise += d
	s.spread += e * (1 - e)
	s.fast += 0.3 * (d - s.fast)
	s.medium += 0.1 * (d - s.medium)
	s.slow += 0.02 * (d - s.slow)
	s.raw += 0.2 * (y - 0.65 - s.raw)
	if y > 0 {
		s.streak = math.Max(s.streak, 0) + 1
	} else {
		s.streak = math.Min(s.streak, 0) - 1
	}
	// Newest first, in thirds: 9·(±1) + 3·(±1) + (±1); 0 where there was none.
	s.last3 = 9*(2*y-1) + math.Trunc(s.last3/3)
	s.surpr2, s.surprise1 = s.surprise1, d
}

// ability is the one Newton step from the expected to the observed, in logits,
// with a prior of that many logits' variance.
func (s *trail) ability(variance float64) float64 { return s.surprise / (s.spread + 1/variance) }

// history writes the features of each row of one user; best holds Best-LR's
// predictions.
func (p *priors) history(t *table, user int, kin *kinship, best []float64, write func(r int32, x *[features]float32)) {
	a, b := t.first[user], t.first[user+1]
	base := p.all.toward(0.65, 10)
	skills := map[int32]*trail{}
	items := map[int32]*trail{}
	all := &trail{}
	run, runSkill := 0.0, int32(-2)
	prevItem := 0.0
	for r := a; r < b; r++ {
		var x [features]float32
		ks := t.skillsOf(r)

		// What to expect of anybody.
		skillRate, skillN := 0.0, 0.0
		for _, k := range ks {
			s := p.skill[k]
			skillRate += logit(s.toward(base, skillStrength)) / float64(len(ks))
			skillN += s.n / float64(len(ks))
		}
		if len(ks) == 0 {
			skillRate = logit(base)
		}
		var by [3]share
		var sum share
		if it := t.item[r]; it >= 0 {
			by = p.item[it]
			sum = by[0].plus(by[1]).plus(by[2])
		}
		expected := sum.toward(sigmoid(skillRate), itemStrength)
		after := by[before(t, user, r)].toward(expected, afterStrength)
		itemRate := logit(expected)

		x[fItem], x[fItemAfter] = float32(itemRate), float32(logit(after))
		x[fItemN], x[fSkill], x[fSkillN] = log1(sum.n), float32(skillRate), log1(skillN)
		x[fN] = log1(all.n)
		x[fRate] = float32(logit(share{all.n, all.wins}.toward(base, 5)))
		x[fAbility] = float32(all.ability(1))
		x[fFast], x[fMedium], x[fSlow], x[fRaw] = float32(all.fast), float32(all.medium), float32(all.slow), float32(all.raw)
		x[fStreak], x[fLast3] = float32(all.streak), float32(all.last3)
		x[fPrevItem], x[fPrevSurpr], x[fPrevPrev] = float32(prevItem), float32(all.surprise1), float32(all.surpr2)
		x[fSkills], x[fDistinct] = float32(len(ks)), log1(float64(len(skills)))
		x[fSkillGap] = -1
		x[fSince], x[fSinceLast] = -1, -1

		// At the skill; where there are several, the mean.
		var at trail
		var oldest int64
		for _, k := range ks {
			s := skills[k]
			if s == nil {
				continue
			}
			w := 1 / float64(len(ks))
			at.n += s.n * w
			at.wins += s.wins * w
			at.fails += s.fails * w
			at.surprise += s.surprise * w
			at.spread += s.spread * w
			at.fast += s.fast * w
			at.medium += s.medium * w
			at.streak += s.streak * w
			at.last3 += s.last3 * w
			at.first += s.first * w
			at.when = max(at.when, s.when)
			if t.timed {
				oldest = max(oldest, s.at[len(s.at)-1])
				for i := len(s.at) - 1; i >= 0 && i >= len(s.at)-200; i-- {
					for q := range 4 {
						if t.at[r]-s.at[i] < windows[q] {
							x[fHour+2*q]++
							if s.right[i] {
								x[fHourWins+2*q]++
							}
						}
					}
				}
			}
		}
		x[fSkillWins], x[fSkillFails] = log1(at.wins), log1(at.fails)
		x[fSkillAbil] = float32(at.ability(1))
		x[fSkillFast], x[fSkillSlow] = float32(at.fast), float32(at.medium)
		x[fSkillLast3], x[fSkillRun], x[fSkillFirst] = float32(at.last3), float32(at.streak), float32(at.first)
		if at.n > 0 {
			x[fSkillGap] = log1(float64(r - at.when))
			if t.timed {
				x[fSince] = log1(float64(t.at[r]-oldest) / 3600e3)
			}
		}
		if t.timed {
			for q := range 8 {
				x[fHour+q] = log1(float64(x[fHour+q]))
			}
			if r > a {
				x[fSinceLast] = log1(float64(t.at[r]-t.at[r-1]) / 3600e3)
			}
		}
		if len(ks) > 0 && ks[0] == runSkill {
			run++
		} else {
			run, runSkill = 0, -1
			if len(ks) > 0 {
				runSkill = ks[0]
			}
		}
		x[fSame] = log1(run)
		other := trail{surprise: all.surprise - at.surprise, spread: math.Max(all.spread-at.spread, 0)}
		x[fOther] = float32(other.ability(1))
		if it := items[t.item[r]]; it != nil && t.item[r] >= 0 {
			x[fItemTries], x[fItemLast] = float32(it.n), float32(it.streak)
		}
		x[fKin] = float32(kin.ability(skills, ks))
		x[fElo] = float32(itemRate + 0.8*all.ability(1) + 0.8*at.ability(0.5))
		x[fBest] = float32(logit(best[r]))
		write(r, &x)

		y := 0.0
		if t.right[r] {
			y = 1
		}
		all.take(y, expected)
		prevItem = itemRate
		for _, k := range ks {
			if skills[k] == nil {
				skills[k] = &trail{}
			}
			s := skills[k]
			s.take(y, expected)
			s.when = r
			if t.timed {
				s.at, s.right = append(s.at, t.at[r]), append(s.right, t.right[r])
			}
		}
		if it := t.item[r]; it >= 0 {
			if items[it] == nil {
				items[it] = &trail{}
			}
			items[it].take(y, expected)
		}
	}
}

func log1(v float64) float32 { return float32(math.Log1p(v)) }

// kinship is how alike learners come out at two skills: the regression, over
// learners who met both, of the surprise at one on that at the other.
type kinship struct {
	n     int
	share []float32 // n×n, 0–1
}

// maxKin bounds the skills that are compared pairwise: 1,000 take 4 MB.
const maxKin = 1000

func learnKinship(t *table, p *priors, f int) *kinship {
	n := len(p.skill)
	if n > maxKin {
		return &kinship{}
	}
	k := &kinship{n: n, share: make([]float32, n*n)}
	xy := make([]float64, n*n)
	xx := make([]float64, n*n)
	base := p.all.toward(0.65, 10)
	for user := range len(t.first) - 1 {
		if foldOf(user) == f {
			continue
		}
		own := map[int32]*trail{}
		var order []int32
		for r := t.first[user]; r < t.first[user+1]; r++ {
			sum := p.item[t.item[r]][0].plus(p.item[t.item[r]][1]).plus(p.item[t.item[r]][2])
			e := sum.toward(base, itemStrength)
			y := 0.0
			if t.right[r] {
				y = 1
			}
			for _, s := range t.skillsOf(r) {
				if own[s] == nil {
					own[s] = &trail{}
					order = append(order, s)
				}
				own[s].take(y, e)
			}
		}
		for _, a := range order {
			x := own[a].ability(1)
			for _, b := range order {
				if a != b {
					xy[int(a)*n+int(b)] += x * own[b].ability(1)
					xx[int(a)*n+int(b)] += x * x
				}
			}
		}
	}
	for i := range xy {
		k.share[i] = float32(math.Max(0, xy[i]/(xx[i]+5)))
	}
	return k
}

// ability is the mean ability at the skills met, weighed by kinship to ks and
// by evidence.
func (k *kinship) ability(met map[int32]*trail, ks []int32) float64 {
	if k.n == 0 || len(ks) == 0 {
		return 0
	}
	to := int(ks[0])
	var surprise, spread float64
	for s := range k.n {
		t := met[int32(s)]
		if t == nil {
			continue
		}
		w := float64(k.share[s*k.n+to])
		if s == to {
			w = 1
		}
		surprise += w * t.surprise
		spread += w * t.spread
	}
	return surprise / (spread + 1)
}
