// Package evaluate says what training changed, on whom, and how sure that is;
// what it cost; and what to improve.
//
// The unit is E: α·ΔS/σ_S + β·ΔI/σ_I, in standard deviations of the company's
// first baseline. Before and after are scored together (irt.JointGain), so that
// a gain is not shrunk away. A claim that training caused something rests on
// the draws alone: people of a pool, compared as drawn.
package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
)

// ID names an evaluation.
type ID string

// Interval is an estimate with its 95 % interval.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

func interval(x, se float64) Interval {
	return Interval{x, x - 1.959964*se, x + 1.959964*se}
}

// SE returns the standard error the interval was made from.
func (i Interval) SE() float64 { return (i.High - i.Low) / 2 / 1.959964 }

// Result is what one evaluation found. All of it can be followed back to the
// answers of the two tests, to the draws and to the surveys.
type Result struct {
	ID        ID                   `json:"id"`
	Programme delivery.ProgrammeID `json:"programme"`
	At        time.Time            `json:"at"`
	Before    assess.TestID        `json:"before"`
	After     assess.TestID        `json:"after"`
	Alpha     float64              `json:"alpha"`
	Beta      float64              `json:"beta"`
	SigmaS    float64              `json:"sigma_s"`
	SigmaI    float64              `json:"sigma_i"`

	Trained   int          `json:"trained"`   // people who took part and sat both tests
	Untrained int          `json:"untrained"` // who sat both and took part in nothing
	Effect    Interval     `json:"effect"`    // mean E over the people trained: their change, whatever its cause
	Versus    *Versus      `json:"versus"`    // the part that a seat caused; nil where nothing was drawn
	Skills    []SkillGain  `json:"skills"`
	Rates     []Rate       `json:"rates"`
	Items     []ItemReport `json:"items"` // those to look at
	Parts     []Part       `json:"parts"` // points of the skills, worst first
	Reaction  []Aspect     `json:"reaction"`
	Cost      Cost         `json:"cost"`
	Expected  float64      `json:"expected"` // mean E of the people trained that the plan expected; NaN-free: 0 without a plan
	Improve   []Improve    `json:"improve"`
	Warnings  []string     `json:"warnings"` // message keys
}

// SkillGain is what changed at one skill over the people who sat both tests
// and whose position requires it.
type SkillGain struct {
	Skill    org.SkillID `json:"skill"`
	People   int         `json:"people"`
	Before   float64     `json:"before"`   // mean S, points
	After    float64     `json:"after"`    // mean S, points
	Change   Interval    `json:"change"`   // points of S
	Required float64     `json:"required"` // mean R over the people; 0 where none is set
	Left     Interval    `json:"left"`     // R − S after, points
}

// PersonEffect is E of one person.
type PersonEffect struct {
	Person  org.PersonID
	Trained bool
	E       Interval
	Gains   []PersonGain
}

// PersonGain is one person's change at one skill, in points of S.
type PersonGain struct {
	Skill    org.SkillID `json:"skill"`
	Before   float64     `json:"before"`
	BeforeSE float64     `json:"before_se"`
	After    float64     `json:"after"`
	AfterSE  float64     `json:"after_se"`
	Gain     float64     `json:"gain"`
	GainSE   float64     `json:"gain_se"`
}

// sitting is all that is known of one person when a programme is evaluated.
type sitting struct {
	person  org.Person
	weight  map[org.SkillID]float64 // E per point of S, by skill
	doses   map[content.ActivityID]float64
	took    map[delivery.OfferingID]bool // enrolled, as planned or drawn
	trained bool                         // took part in something
}

// study is the data of one evaluation.
type study struct {
	company   *org.Company
	skills    []org.Skill
	required  map[org.PositionID]map[org.SkillID]org.Requirement
	people    []sitting // in order of employee number
	at        map[org.PersonID]int
	banks     map[org.SkillID]*assess.Bank
	before    map[org.SkillID]map[org.PersonID]assess.Sheet
	after     map[org.SkillID]map[org.PersonID]assess.Sheet
	offerings []delivery.Offering
	acts      map[content.CourseID][]content.Activity
	draws     []delivery.Draw
	fits      map[org.SkillID]*fit
}

// fit is the joint model of one skill, with the people it was fitted on.
type fit struct {
	who  []int // index into study.people
	gain *irt.Gain
	at   map[org.PersonID]int // index into who
}

// Evaluate measures a programme between two tests and keeps what it found:
// the result, everybody's effect, and everybody's abilities after.
func Evaluate(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, before, after assess.TestID) (*Result, error) {
	s, err := gather(ctx, t, programme, before, after)
	if err != nil {
		return nil, err
	}
	if err := s.fit(); err != nil {
		return nil, err
	}
	r := &Result{
		ID: ID(org.NewID()), Programme: programme, At: t.Now, Before: before, After: after,
		Alpha: s.company.Alpha, Beta: s.company.Beta, SigmaS: s.company.SigmaS, SigmaI: s.company.SigmaI,
	}
	effects := s.effects(r)
	s.skillGains(r)
	s.versus(r)
	s.rates(r)
	if err := s.shortfalls(ctx, t, r); err != nil {
		return nil, err
	}
	if r.Reaction, err = reaction(ctx, t, programme); err != nil {
		return nil, err
	}
	if r.Cost, err = cost(ctx, t, s, r); err != nil {
		return nil, err
	}
	if r.Expected, err = expected(ctx, t, programme); err != nil {
		return nil, err
	}
	s.improve(r)
	return r, keep(ctx, t, s, r, effects)
}

// gather reads everything an evaluation needs, a query per table.
func gather(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID, before, after assess.TestID) (*study, error) {
	s := &study{
		at: map[org.PersonID]int{}, acts: map[content.CourseID][]content.Activity{},
		required: map[org.PositionID]map[org.SkillID]org.Requirement{},
		before:   map[org.SkillID]map[org.PersonID]assess.Sheet{}, after: map[org.SkillID]map[org.PersonID]assess.Sheet{},
	}
	var err error
	if s.company, err = org.FindCompany(ctx, t); err != nil {
		return nil, err
	}
	if !s.company.Measured() {
		return nil, fault.New(fault.Invalid, "evaluate.no_baseline")
	}
	if s.skills, err = org.Skills(ctx, t); err != nil {
		return nil, err
	}
	requirements, err := org.Requirements(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, q := range requirements {
		if s.required[q.Position] == nil {
			s.required[q.Position] = map[org.SkillID]org.Requirement{}
		}
		s.required[q.Position][q.Skill] = q
	}
	if s.banks, err = assess.Banks(ctx, t); err != nil {
		return nil, err
	}
	people, err := org.People(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		s.at[p.ID] = len(s.people)
		s.people = append(s.people, sitting{
			person: p, weight: s.weights(p.Position),
			doses: map[content.ActivityID]float64{}, took: map[delivery.OfferingID]bool{},
		})
	}
	for test, into := range map[assess.TestID]map[org.SkillID]map[org.PersonID]assess.Sheet{before: s.before, after: s.after} {
		sheets, err := assess.Sheets(ctx, t, test)
		if err != nil {
			return nil, err
		}
		for _, sh := range sheets {
			if into[sh.Skill] == nil {
				into[sh.Skill] = map[org.PersonID]assess.Sheet{}
			}
			into[sh.Skill][sh.Person] = sh
		}
	}
	if len(s.after) == 0 {
		return nil, fault.New(fault.Invalid, "evaluate.no_after")
	}
	if s.offerings, err = delivery.Offerings(ctx, t, programme); err != nil {
		return nil, err
	}
	activities, err := content.Activities(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, a := range activities {
		s.acts[a.Course] = append(s.acts[a.Course], a)
	}
	if s.draws, err = delivery.Draws(ctx, t, programme); err != nil {
		return nil, err
	}
	slices.SortFunc(s.draws, func(a, b delivery.Draw) int { return cmp.Compare(a.Offering, b.Offering) })
	enrolments, err := delivery.Enrolments(ctx, t, programme)
	if err != nil {
		return nil, err
	}
	for _, e := range enrolments {
		if i, ok := s.at[e.Person]; ok && e.Status == delivery.Enrolled {
			s.people[i].took[e.Offering] = true
		}
	}
	return s, s.gatherDoses(ctx, t, programme)
}

// weights returns E per point of S at each skill for a position.
func (s *study) weights(p org.PositionID) map[org.SkillID]float64 {
	w := map[org.SkillID]float64{}
	for _, k := range s.skills {
		q, ok := s.required[p][k.ID]
		switch {
		case !ok:
		case k.Innovation:
			w[k.ID] = s.company.Beta / s.company.SigmaI
		default:
			w[k.ID] = s.company.Alpha * q.Weight / s.company.SigmaS
		}
	}
	return w
}

// teaches reports whether an offering's course teaches the skill.
func (s *study) teaches(o delivery.Offering, k org.SkillID) bool {
	for _, a := range s.acts[o.Course] {
		for _, t := range a.Teaches {
			if t.Skill == k {
				return true
			}
		}
	}
	return false
}

// fewest is how many people must stand on either side of an indicator for it
// to have a coefficient of its own.
const fewest = 8

// covariates returns the latent regression's design for some people at one
// skill: position, and for each offering that teaches it whether they were to
// take it, as planned or drawn, and whether they stood in its pool. The columns
// from later on were decided upon the answers before.
func (s *study) covariates(who []int, k org.SkillID) (x [][]float64, names []string, later int) {
	at := make([]org.PositionID, len(who))
	for i, p := range who {
		at[i] = s.people[p].person.Position
	}
	x, names = assess.Dummies(at)
	later = len(names)
	column := func(name string, is func(sitting) bool) {
		n := 0
		for _, p := range who {
			if is(s.people[p]) {
				n++
			}
		}
		if n < fewest || len(who)-n < fewest {
			return
		}
		names = append(names, name)
		for i, p := range who {
			v := 0.0
			if is(s.people[p]) {
				v = 1
			}
			x[i] = append(x[i], v)
		}
	}
	// A seat that was drawn has a coefficient of its own, apart from the same
	// seat given by the plan: only the first is free of why it was given.
	for _, o := range s.offerings {
		if !s.teaches(o, k) {
			continue
		}
		stake := map[org.PersonID]bool{} // drawn or not, in the offering's pool
		for _, d := range s.draws {
			if d.Offering != o.ID {
				continue
			}
			for _, e := range d.Entries {
				stake[e.Person] = e.Drawn
			}
		}
		in := func(p sitting) bool { _, ok := stake[p.person.ID]; return ok }
		column("took "+string(o.ID), func(p sitting) bool { return p.took[o.ID] && !in(p) })
		column("pool "+string(o.ID), in)
		column("drawn "+string(o.ID), func(p sitting) bool { return stake[p.person.ID] })
	}
	return x, names, later
}

// model fits one skill on some of the people who answered it in either test.
func (s *study) model(k org.SkillID, among func(sitting) bool, stability irt.Normal) (*fit, error) {
	bank := s.banks[k]
	if bank == nil {
		return nil, nil
	}
	f := &fit{at: map[org.PersonID]int{}}
	var pairs []irt.Pair
	for i, p := range s.people {
		b, okB := s.before[k][p.person.ID]
		a, okA := s.after[k][p.person.ID]
		if !okA && !okB || !among(p) {
			continue
		}
		f.at[p.person.ID] = len(f.who)
		f.who = append(f.who, i)
		pairs = append(pairs, irt.Pair{Before: bank.Answers(b), After: bank.Answers(a)})
	}
	if len(pairs) == 0 || len(s.after[k]) == 0 || len(s.before[k]) == 0 {
		return nil, nil
	}
	x, names, later := s.covariates(f.who, k)
	for i := range pairs {
		pairs[i].X = x[i]
	}
	var err error
	if f.gain, err = irt.JointGain(pairs, bank.Items, irt.FitOptions{Names: names, Later: from(later, len(names)), Stability: stability}); err != nil {
		return nil, err
	}
	if !f.gain.Converged { // figures of a fit that did not end are none
		return nil, fault.Wrap(irt.ErrNotConverged, fault.Invalid, "evaluate.not_converged", s.name(k))
	}
	return f, nil
}

func (s *study) name(k org.SkillID) locale.Text {
	for _, x := range s.skills {
		if x.ID == k {
			return x.Name
		}
	}
	return locale.Text{}
}

// from lists the integers from lo below hi.
func from(lo, hi int) []int {
	var all []int
	for i := lo; i < hi; i++ {
		all = append(all, i)
	}
	return all
}

// models fits every skill on some of the people, twice: how stable abilities
// are from one test to the next is little known from one skill's short tests,
// so that each is fitted again with what the others say of it as a prior.
func (s *study) models(among func(sitting) bool) (map[org.SkillID]*fit, error) {
	fits := map[org.SkillID]*fit{}
	var known []irt.Normal
	for _, k := range s.skills {
		f, err := s.model(k.ID, among, irt.Normal{})
		if err != nil {
			return nil, err
		}
		if f != nil {
			fits[k.ID] = f
			known = append(known, f.gain.Stability)
		}
	}
	prior, ok := pooled(known)
	if !ok {
		return fits, nil
	}
	for _, k := range s.skills {
		if fits[k.ID] == nil {
			continue
		}
		f, err := s.model(k.ID, among, prior)
		if err != nil {
			return nil, err
		}
		fits[k.ID] = f
	}
	return fits, nil
}

// pooled is the distribution that estimates come from, by the moments of
// DerSimonian & Laird 1986. Its deviation is at least 0.1: some skills are
// steadier than others even where the estimates do not show it.
func pooled(known []irt.Normal) (irt.Normal, bool) {
	var sw, sww, mean, q float64
	n := 0
	for _, x := range known {
		if !(x.SD > 0) || math.IsInf(x.SD, 0) {
			continue
		}
		w := 1 / (x.SD * x.SD)
		sw, sww, mean = sw+w, sww+w*w, mean+w*x.Mean
		n++
	}
	if n < 2 {
		return irt.Normal{}, false
	}
	mean /= sw
	for _, x := range known {
		if x.SD > 0 && !math.IsInf(x.SD, 0) {
			q += (x.Mean - mean) * (x.Mean - mean) / (x.SD * x.SD)
		}
	}
	between := math.Max(0, (q-float64(n-1))/(sw-sww/sw))
	return irt.Normal{Mean: mean, SD: math.Max(0.1, math.Sqrt(between))}, true
}

func (s *study) fit() (err error) {
	s.fits, err = s.models(func(sitting) bool { return true })
	if err == nil && len(s.fits) == 0 {
		err = fault.New(fault.Invalid, "evaluate.no_after")
	}
	return err
}

// both reports whether a person answered a skill in both tests.
func (s *study) both(k org.SkillID, p org.PersonID) bool {
	_, b := s.before[k][p]
	_, a := s.after[k][p]
	return a && b
}

// effects returns E of everybody who sat both tests, and fills in the mean
// over those who were trained.
func (s *study) effects(r *Result) []PersonEffect {
	var all []PersonEffect
	counted := make([]bool, len(s.people))
	shared := s.shared()
	for i, p := range s.people {
		e, measured := 0.0, false
		var errs []float64 // of E, by skill
		var of []org.SkillID
		pe := PersonEffect{Person: p.person.ID, Trained: p.trained}
		for _, k := range s.skills {
			f := s.fits[k.ID]
			if f == nil || !s.both(k.ID, p.person.ID) {
				continue
			}
			g := f.gain.People[f.at[p.person.ID]]
			w := p.weight[k.ID]
			e += w * g.Delta
			errs, of = append(errs, w*g.DeltaSE), append(of, k.ID)
			measured = measured || w > 0
			pe.Gains = append(pe.Gains, PersonGain{k.ID, g.Before.S, g.Before.SE, g.After.S, g.After.SE, g.Delta, g.DeltaSE})
		}
		if !measured {
			continue
		}
		variance := 0.0
		for a, x := range errs {
			for b, y := range errs {
				if a == b {
					variance += x * x
				} else {
					variance += x * y * shared[[2]org.SkillID{of[a], of[b]}]
				}
			}
		}
		pe.E = interval(e, math.Sqrt(math.Max(0, variance)))
		all = append(all, pe)
		if p.trained {
			counted[i] = true
			r.Trained++
		} else {
			r.Untrained++
		}
	}
	if r.Trained == 0 {
		r.Warnings = append(r.Warnings, "evaluate.warn.nobody_trained")
		return all
	}
	// The mean is that of the latent regression, not of the shrunken persons;
	// what each person contributes to its error is added over the skills.
	value, influence := s.functional(func(i int, k org.SkillID) float64 {
		if !counted[i] || !s.both(k, s.people[i].person.ID) {
			return 0
		}
		return s.people[i].weight[k] / float64(r.Trained)
	}, s.fits)
	r.Effect = interval(value, norm(influence))
	return all
}

// shared returns how far the errors of one person's gains at two skills go
// together. The skills are scored one by one, but who learns fast or stays away
// gains more or less at all of them, and what of that a score does not see is
// missing from all of them alike.
//
// With d the deviation of a scored gain from what was expected, and r the
// reliability of d, the latent gains' covariance is Cov(d_j, d_k)/(r_j·r_k), and
// the errors share (1−r_j)(1−r_k) of it.
func (s *study) shared() map[[2]org.SkillID]float64 {
	type gains struct {
		d          map[int]float64 // by index into people
		spread, se float64         // variance of d, and mean posterior variance
	}
	all := map[org.SkillID]gains{}
	for k, f := range s.fits {
		g := gains{d: map[int]float64{}}
		expected := f.gain.Expected()
		for j, i := range f.who {
			if !s.both(k, s.people[i].person.ID) {
				continue
			}
			x := f.gain.People[j]
			d := x.Delta - expected[j]
			g.d[i] = d
			g.spread += d * d
			g.se += x.DeltaSE * x.DeltaSE
		}
		n := float64(len(g.d))
		g.spread, g.se = g.spread/n, g.se/n
		all[k] = g
	}
	out := map[[2]org.SkillID]float64{}
	for j, a := range all {
		for k, b := range all {
			if j == k || !(a.spread > 0 && b.spread > 0) {
				continue
			}
			cov, n := 0.0, 0.0
			for i := range s.people {
				x, okA := a.d[i]
				y, okB := b.d[i]
				if okA && okB {
					cov += x * y
					n++
				}
			}
			if n < 30 {
				continue
			}
			// (1−r)/r is posterior variance over variance of d.
			r := cov / n * math.Sqrt(a.se*b.se) / (a.spread * b.spread)
			out[[2]org.SkillID{j, k}] = math.Max(-0.5, math.Min(0.5, r))
		}
	}
	return out
}

// functional sums Σ_k Σ_i c(i,k)·E[ΔS_ik | x_i] over the fits, with every
// person's influence on it.
func (s *study) functional(c func(i int, k org.SkillID) float64, fits map[org.SkillID]*fit) (value float64, influence []float64) {
	influence = make([]float64, len(s.people))
	for _, k := range s.skills {
		f := fits[k.ID]
		if f == nil {
			continue
		}
		w := make([]float64, len(f.who))
		for j, i := range f.who {
			w[j] = c(i, k.ID)
		}
		v, inf := f.gain.Functional(w)
		value += v
		for j, i := range f.who {
			influence[i] += inf[j]
		}
	}
	return value, influence
}

func norm(x []float64) float64 {
	sq := 0.0
	for _, v := range x {
		sq += v * v
	}
	return math.Sqrt(sq)
}

// skillGains fills in what changed skill by skill.
func (s *study) skillGains(r *Result) {
	for _, k := range s.skills {
		f := s.fits[k.ID]
		if f == nil {
			continue
		}
		g := SkillGain{Skill: k.ID}
		w := make([]float64, len(f.who))
		required, n := 0.0, 0
		for j, i := range f.who {
			p := s.people[i].person
			if !s.both(k.ID, p.ID) {
				continue
			}
			w[j] = 1
			g.People++
			if q := s.required[p.Position][k.ID]; q.Level != nil {
				required += *q.Level
				n++
			}
		}
		if g.People == 0 {
			continue
		}
		for j := range w {
			w[j] /= float64(g.People)
		}
		zero := make([]float64, len(w))
		minus := make([]float64, len(w))
		for j := range w {
			minus[j] = -w[j]
		}
		g.Before, _ = f.gain.Contrast(w, zero)
		after, inf := f.gain.Contrast(zero, w)
		g.After = after
		change, infChange := f.gain.Functional(w)
		g.Change = interval(change, norm(infChange))
		if n > 0 {
			g.Required = required / float64(n)
			g.Left = interval(g.Required-after, norm(inf))
		}
		r.Skills = append(r.Skills, g)
	}
}
