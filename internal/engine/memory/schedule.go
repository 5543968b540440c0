package memory

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// State is where a card stands in its life.
type State uint8

// A card is New until its first review, in Learning through the first steps of
// minutes, in Review at intervals of days, and in Relearning after a lapse.
const (
	New State = iota
	Learning
	InReview
	Relearning
)

// Card is one thing to remember, as the scheduler keeps it.
type Card struct {
	State      State
	Due        time.Time // when to review next
	LastReview time.Time // zero while New
	Stability  float64   // days until recall falls to 0.9; 0 while New
	Difficulty float64   // 1–10; 0 while New
	Interval   int       // whole days scheduled; 0 within the learning steps
	Elapsed    int       // whole days between the last two reviews, by UTC date
	Step       int       // which learning or relearning step comes next
	Reviews    int
	Lapses     int // times forgotten while in Review
}

// NewCard returns a card never reviewed, due at once.
func NewCard(now time.Time) Card { return Card{Due: now} }

// Options say how to schedule.
type Options struct {
	Weights         Weights
	Retention       float64         // probability of recall wanted at the due date, in (0,1]; 0.9 unless told
	MaxInterval     int             // days; 36500 unless told
	LearningSteps   []time.Duration // whole minutes
	RelearningSteps []time.Duration // whole minutes
	LongTermOnly    bool            // no steps within a day: every interval is days
}

// DefaultOptions are those of ts-fsrs: the default weights, recall of 0.9, and
// steps of 1 and 10 minutes for what is new and 10 minutes for what was
// forgotten.
func DefaultOptions() Options {
	return Options{
		Weights:         Default,
		Retention:       0.9,
		MaxInterval:     36500,
		LearningSteps:   []time.Duration{time.Minute, 10 * time.Minute},
		RelearningSteps: []time.Duration{10 * time.Minute},
	}
}

// Scheduler decides when a card is due. It gives the due dates of ts-fsrs
// 5.4.2 with fuzz off.
type Scheduler struct {
	o        Options
	w        Weights
	exponent float64
	factor   float64
	modifier float64 // interval per day of stability
}

// Errors of the scheduler.
var (
	ErrRetention = errors.New("memory: the retention wanted lies above 0 and is at most 1")
	ErrBackwards = errors.New("memory: a review before the last one")
	ErrStep      = errors.New("memory: a step is a whole number of minutes, 0 or more")
)

// NewScheduler returns a scheduler. Weights outside their range are clamped.
func NewScheduler(o Options) (*Scheduler, error) {
	if o.Retention == 0 {
		o.Retention = 0.9
	}
	if o.MaxInterval == 0 {
		o.MaxInterval = 36500
	}
	if !(o.Retention > 0 && o.Retention <= 1) {
		return nil, ErrRetention
	}
	if err := o.Weights.Validate(); err != nil {
		return nil, err
	}
	for _, steps := range [][]time.Duration{o.LearningSteps, o.RelearningSteps} {
		for _, d := range steps {
			if d < 0 || d%time.Minute != 0 {
				return nil, fmt.Errorf("%w: %v", ErrStep, d)
			}
		}
	}
	s := &Scheduler{o: o, w: o.Weights.Clamp(len(o.RelearningSteps), !o.LongTermOnly)}
	exponent, factor := s.w.curve()
	s.exponent, s.factor = exponent, round8(factor)
	s.modifier = round8((math.Pow(o.Retention, 1/exponent) - 1) / s.factor)
	return s, nil
}

// Weights returns the weights in use, after clamping.
func (s *Scheduler) Weights() Weights { return s.w }

// Recall returns the probability that the card is recalled at now, with
// elapsed time as a fraction of days. It is 0 for a new card, which there is
// nothing to recall of.
func (s *Scheduler) Recall(c Card, now time.Time) float64 {
	if c.State == New {
		return 0
	}
	return s.w.Recall(now.Sub(c.LastReview).Hours()/24, c.Stability)
}

// Next returns the card after a review at now. It fails when the rating is not
// one of the four, or now lies on a date before the last review's.
func (s *Scheduler) Next(c Card, now time.Time, r Rating) (Card, error) {
	if !r.valid() {
		return c, ErrRating
	}
	all, err := s.Preview(c, now)
	if err != nil {
		return c, err
	}
	return all[r-Again], nil
}

// Preview returns what the card becomes after each of the four ratings, in
// order from Again to Easy.
func (s *Scheduler) Preview(c Card, now time.Time) ([4]Card, error) {
	var next [4]Card
	elapsed := 0
	if c.State != New && !c.LastReview.IsZero() {
		if elapsed = days(c.LastReview, now); elapsed < 0 {
			return next, ErrBackwards
		}
	}
	wasNew := c.State == New
	for i := range next {
		n := c
		n.LastReview, n.Elapsed = now, elapsed
		n.Reviews++
		n.Stability, n.Difficulty = s.memory(c, elapsed, Again+Rating(i))
		next[i] = n
	}
	switch {
	case s.o.LongTermOnly:
		s.spread(&next, now)
		if !wasNew {
			next[0].Lapses++
		}
	case c.State == InReview:
		s.spreadRecalled(&next, now)
		s.step(&next[0], c, now, Again, Relearning)
		next[0].Lapses++
	default:
		to := c.State
		if wasNew {
			to = Learning
		}
		for i := range next {
			s.step(&next[i], c, now, Again+Rating(i), to)
		}
	}
	return next, nil
}

// memory returns stability and difficulty after a review rated r, t whole days
// after the last.
func (s *Scheduler) memory(c Card, t int, r Rating) (stability, difficulty float64) {
	w, d, st := &s.w, c.Difficulty, c.Stability
	if d == 0 && st == 0 {
		// ts-fsrs holds the first stability at 0.1 or more, though w0–w3 may be less.
		return math.Max(w[r-1], 0.1), clamp(s.firstDifficulty(r), [2]float64{minDifficulty, maxDifficulty})
	}
	recall := round8(math.Pow(1+s.factor*float64(t)/st, s.exponent))
	switch {
	case t == 0 && !s.o.LongTermOnly:
		inc := math.Pow(st, -w[19]) * math.Exp(w[17]*(float64(r)-3+w[18]))
		if r >= Hard {
			inc = math.Max(inc, 1)
		}
		stability = hold(st * inc)
	case r == Again:
		failed := hold(w[11] * math.Pow(d, -w[12]) * (math.Pow(st+1, w[13]) - 1) * math.Exp((1-recall)*w[14]))
		most := st
		if !s.o.LongTermOnly {
			most = st / math.Exp(w[17]*w[18])
		}
		stability = math.Min(math.Max(round8(most), minStability), failed)
	default:
		k := 1.0
		if r == Hard {
			k = w[15]
		} else if r == Easy {
			k = w[16]
		}
		stability = hold(st * (1 + math.Exp(w[8])*(11-d)*math.Pow(st, -w[9])*(math.Exp((1-recall)*w[10])-1)*k))
	}
	delta := -w[6] * (float64(r) - 3)
	moved := d + round8(delta*(10-d)/9)
	difficulty = round8(w[7]*s.firstDifficulty(Easy) + (1-w[7])*moved)
	return stability, clamp(difficulty, [2]float64{minDifficulty, maxDifficulty})
}

func hold(stability float64) float64 {
	return round8(clamp(stability, [2]float64{minStability, maxStability}))
}

func (s *Scheduler) firstDifficulty(r Rating) float64 {
	return round8(s.w[4] - math.Exp((float64(r)-1)*s.w[5]) + 1)
}

// interval returns whole days.
func (s *Scheduler) interval(stability float64) int {
	return int(math.Min(math.Max(1, round(stability*s.modifier)), float64(s.o.MaxInterval)))
}

func (c *Card) dueIn(now time.Time, days int) {
	c.Interval, c.Due = days, now.Add(time.Duration(days)*24*time.Hour)
}

// spreadRecalled sets hard, good and easy apart by a day at least. Hard is
// never later than good, even when its stability says so.
func (s *Scheduler) spreadRecalled(next *[4]Card, now time.Time) {
	hard, good := s.interval(next[1].Stability), s.interval(next[2].Stability)
	hard = min(hard, good)
	good = max(good, hard+1)
	easy := max(s.interval(next[3].Stability), good+1)
	for i, d := range []int{hard, good, easy} {
		n := &next[i+1]
		n.dueIn(now, d)
		n.State, n.Step = InReview, 0
	}
}

// spread sets all four apart, for scheduling without steps.
func (s *Scheduler) spread(next *[4]Card, now time.Time) {
	var d [4]int
	for i := range next {
		d[i] = s.interval(next[i].Stability)
	}
	d[0] = min(d[0], d[1])
	for i := range next {
		if i > 0 {
			d[i] = max(d[i], d[i-1]+1)
		}
		next[i].dueIn(now, d[i])
		next[i].State, next[i].Step = InReview, 0
	}
}

// step puts the card on its next learning step, or into Review when the steps
// are done.
func (s *Scheduler) step(n *Card, was Card, now time.Time, r Rating, to State) {
	minutes, next := s.wait(was, r)
	switch {
	case minutes > 0 && minutes < 24*60:
		n.State, n.Step, n.Interval = to, next, 0
		n.Due = now.Add(time.Duration(minutes) * time.Minute)
	case minutes > 0:
		n.State, n.Step, n.Interval = InReview, next, minutes/(24*60)
		n.Due = now.Add(time.Duration(minutes) * time.Minute)
	default:
		n.State, n.Step = InReview, 0
		n.dueIn(now, s.interval(n.Stability))
	}
}

// wait returns the minutes until the card is to be seen again within its
// steps, and the step it is then on; 0 minutes when it leaves them.
func (s *Scheduler) wait(c Card, r Rating) (minutes, step int) {
	steps := s.o.LearningSteps
	if c.State == Relearning || c.State == InReview {
		steps = s.o.RelearningSteps
	}
	if c.Step >= len(steps) {
		return 0, 0
	}
	at := func(i int) int { return int(steps[i] / time.Minute) }
	switch {
	case r == Again && c.State == InReview:
		return at(c.Step), 0
	case r == Again:
		return at(0), 0
	case r == Hard && len(steps) == 1:
		return int(round(float64(at(0)) * 1.5)), c.Step
	case r == Hard:
		return int(round(float64(at(0)+at(1)) / 2)), c.Step
	case r == Good && c.Step+1 < len(steps) && at(c.Step+1) > 0:
		return at(c.Step + 1), c.Step + 1
	}
	return 0, 0
}

// days counts the midnights UTC between two times.
func days(from, to time.Time) int {
	return int(midnight(to).Sub(midnight(from)) / (24 * time.Hour))
}

func midnight(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
