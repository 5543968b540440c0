package demo

import (
	"math"
	"math/rand/v2"

	"attune/internal/content"
	"attune/internal/delivery"
	"attune/internal/engine/irt"
	"attune/internal/org"
)

// truth is what nobody in the company knows. It is read by what people do, and
// by Hold when all is over.
type truth struct {
	scale    map[org.SkillID]*irt.Scale // of the items as they are
	bank     map[org.SkillID][]irt.Item
	item     map[content.ItemID]irt.Item
	rate     map[content.ActivityID]map[org.SkillID]float64 // λ per focused hour, as it is
	drift    map[org.SkillID]float64                        // what work itself teaches until the test after, as Σλh
	keeps    float64                                        // share of a gain that is left after 30 days
	learners []learner
}

// learner is one person as they are.
type learner struct {
	theta    map[org.SkillID]float64                         // ability now, logits
	before   map[org.SkillID]float64                         // S at the start of the programme being lived, points
	wander   map[org.SkillID]float64                         // what work teaches this person more or less than others until the test after, or lets them forget, logits
	speed    float64                                         // of learning, 1 on average
	focus    float64                                         // share of open time attended, (0, 1)
	comes    bool                                            // to the workshop they have a seat in
	diligent float64                                         // chance to open each online course
	flatter  float64                                         // how far self-ratings lie above, steps of the scale
	halo     float64                                         // how far the manager's lie off, steps
	fast     float64                                         // seconds an item
	doses    map[delivery.OfferingID]map[org.SkillID]float64 // Σ λ·h taken in, by offering
}

// newTruth makes the hidden truth of items; people follow with addLearner.
func newTruth(rng *rand.Rand, items []content.Item) *truth {
	tr := &truth{
		scale: map[org.SkillID]*irt.Scale{}, bank: map[org.SkillID][]irt.Item{}, item: map[content.ItemID]irt.Item{},
		rate: map[content.ActivityID]map[org.SkillID]float64{}, drift: map[org.SkillID]float64{},
		keeps: 0.9 + 0.08*rng.Float64(),
	}
	harder := map[string]float64{} // some points of a skill are harder than others
	for _, it := range items {
		part := string(it.Skill) + it.Part.Zh
		if _, ok := harder[part]; !ok {
			harder[part] = 0.35 * rng.NormFloat64()
		}
		p := irt.Item{A: 1.15 * math.Exp(0.28*rng.NormFloat64()), B: harder[part] + 0.95*rng.NormFloat64()}
		tr.item[it.ID] = p
		tr.bank[it.Skill] = append(tr.bank[it.Skill], p)
	}
	for k, bank := range tr.bank {
		tr.scale[k] = irt.NewScale(bank)
	}
	return tr
}

// s returns the true S of an ability, points.
func (tr *truth) s(k org.SkillID, theta float64) float64 {
	s, _ := tr.scale[k].At(theta)
	return s
}

// addLearner makes one person. Abilities share a general part, so that whoever
// is able at one thing tends to be at others; shift is the position's and the
// team's.
func (tr *truth) addLearner(rng *rand.Rand, skills []org.Skill, shift map[org.SkillID]float64) {
	l := learner{
		theta: map[org.SkillID]float64{}, before: map[org.SkillID]float64{}, wander: map[org.SkillID]float64{},
		speed: math.Exp(0.25*rng.NormFloat64() - 0.03), focus: 0.55 + 0.4*rng.Float64(),
		comes: rng.Float64() < 0.94, diligent: 0.85 + 0.14*rng.Float64(),
		flatter: 0.35 + 0.5*rng.NormFloat64(), halo: 0.45 * rng.NormFloat64(),
		fast: 22 + 12*rng.ExpFloat64(), doses: map[delivery.OfferingID]map[org.SkillID]float64{},
	}
	general := rng.NormFloat64()
	for _, k := range skills {
		l.theta[k.ID] = shift[k.ID] + math.Sqrt(0.3)*general + math.Sqrt(0.7)*rng.NormFloat64()
	}
	tr.learners = append(tr.learners, l)
}

// right draws whether person i answers an item correctly today.
func (tr *truth) right(rng *rand.Rand, i int, it content.ItemID, k org.SkillID) bool {
	return rng.Float64() < tr.item[it].P(tr.learners[i].theta[k])
}

// choose draws the option person i picks.
func (tr *truth) choose(rng *rand.Rand, i int, k org.SkillID, it content.ItemID, answer, options int) int {
	if tr.right(rng, i, it, k) {
		return answer
	}
	c := rng.IntN(options - 1)
	if c >= answer {
		c++
	}
	return c
}

// wanders is the standard deviation of learner.wander.
const wanders = 0.45

// begin marks where everybody stands before a programme, and draws what will
// happen to them beside it.
func (tr *truth) begin(rng *rand.Rand, skills []org.Skill) {
	for i := range tr.learners {
		l := &tr.learners[i]
		clear(l.doses)
		for _, k := range skills {
			l.before[k.ID] = tr.s(k.ID, l.theta[k.ID])
			l.wander[k.ID] = wanders * rng.NormFloat64()
		}
	}
}

// take adds what a person took in of an activity.
func (tr *truth) take(i int, o delivery.OfferingID, a *content.Activity, hours float64) {
	l := &tr.learners[i]
	if l.doses[o] == nil {
		l.doses[o] = map[org.SkillID]float64{}
	}
	for _, t := range a.Teaches {
		l.doses[o][t.Skill] += tr.rate[a.ID][t.Skill] * t.Share * hours * l.speed
	}
}

// after returns S that person i arrives at by the test after, had they taken
// only the doses of the offerings that count, days after them.
func (tr *truth) after(i int, k org.SkillID, ceiling, days float64, counts func(delivery.OfferingID) bool) float64 {
	l := &tr.learners[i]
	before := l.before[k]
	left := math.Max(0, ceiling-before)
	taught := 0.0
	for o, d := range l.doses {
		if counts(o) {
			taught += d[k]
		}
	}
	gain := left * (1 - math.Exp(-taught)) * math.Pow(tr.keeps, days/30)
	reached := before + gain + (left-gain)*(1-math.Exp(-tr.drift[k]))
	return tr.s(k, tr.scale[k].ThetaAt(reached)+l.wander[k])
}

// settle moves everybody to where the programme brought them: the doses that
// count for each.
func (tr *truth) settle(ceiling func(i int, k org.SkillID) float64, days float64, counts func(i int) func(delivery.OfferingID) bool) {
	for i := range tr.learners {
		l := &tr.learners[i]
		for k := range l.theta {
			s := tr.after(i, k, ceiling(i, k), days, counts(i))
			l.theta[k] = tr.scale[k].ThetaAt(s)
		}
	}
}
