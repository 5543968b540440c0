package evaluate

import (
	"context"
	"math"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/org"

	"gonum.org/v1/gonum/mat"
)

// Rate is how fast an activity was found to teach a skill: λ per focused hour
// in ΔS = (C − S)·(1 − exp(−Σ λ·h)).
type Rate struct {
	Activity content.ActivityID `json:"activity"`
	Skill    org.SkillID        `json:"skill"`
	Prior    float64            `json:"prior"` // believed before
	PriorSE  float64            `json:"prior_se"`
	Rate     float64            `json:"rate"` // now
	SE       float64            `json:"se"`
	People   int                `json:"people"` // who had a dose
	Focus    float64            `json:"focus"`  // mean focused hours of those
}

// gatherDoses reads how long everybody attended to every activity of the
// programme: focused hours for what is done at one's own pace, the activities'
// minutes for a session attended.
func (s *study) gatherDoses(ctx context.Context, t *db.Tx, programme delivery.ProgrammeID) error {
	alone, err := delivery.Doses(ctx, t, programme)
	if err != nil {
		return err
	}
	for _, d := range alone {
		if i, ok := s.at[d.Person]; ok {
			s.people[i].doses[d.Activity] += d.Hours
			s.people[i].trained = true
		}
	}
	sessions, err := delivery.Sessions(ctx, t, programme)
	if err != nil {
		return err
	}
	course, of := map[delivery.OfferingID]content.CourseID{}, map[delivery.SessionID]delivery.OfferingID{}
	for _, o := range s.offerings {
		course[o.ID] = o.Course
	}
	for _, x := range sessions {
		of[x.ID] = x.Offering
	}
	together, err := delivery.Attendances(ctx, t, programme)
	if err != nil {
		return err
	}
	for _, a := range together {
		i, ok := s.at[a.Person]
		if !ok || a.Presence == delivery.Absent {
			continue
		}
		s.people[i].trained = true
		for _, act := range s.acts[course[of[a.Session]]] {
			s.people[i].doses[act.ID] += float64(act.Minutes) / 60
		}
	}
	return nil
}

// rates re-estimates λ of every activity of the programme, skill by skill:
// Gauss–Newton on the expected gain, each person weighted by the precision of
// their gain, with the belief before as a prior, and a drift common to
// everybody so that what happened to all alike is not credited to training.
func (s *study) rates(r *Result) {
	for _, k := range s.skills {
		f := s.fits[k.ID]
		if f == nil {
			continue
		}
		var found []Rate
		var share []float64
		for _, o := range s.offerings {
			for _, a := range s.acts[o.Course] {
				for _, t := range a.Teaches {
					if t.Skill != k.ID {
						continue
					}
					prior, se := a.Believed(t, k.Kind)
					found = append(found, Rate{Activity: a.ID, Skill: k.ID, Prior: prior, PriorSE: se})
					share = append(share, t.Share)
				}
			}
		}
		if len(found) == 0 {
			continue
		}
		s.estimate(k.ID, f, found, share)
		r.Rates = append(r.Rates, found...)
	}
}

// estimate fills in Rate, SE, People and Focus.
func (s *study) estimate(k org.SkillID, f *fit, found []Rate, share []float64) {
	n := len(found) + 1 // and the drift, points of S per point left
	type row struct {
		left, gain, precision float64
		dose                  []float64
	}
	var rows []row
	for j, i := range f.who {
		p := s.people[i]
		if !s.both(k, p.person.ID) {
			continue
		}
		g := f.gain.People[j]
		left := math.Max(0, s.required[p.person.Position][k].Ceiling-g.Before.S)
		w := row{left: left, gain: g.Delta, precision: 1 / (g.DeltaSE*g.DeltaSE + 25), dose: make([]float64, len(found))}
		for a := range found {
			w.dose[a] = share[a] * p.doses[found[a].Activity]
			if w.dose[a] > 0 {
				found[a].People++
				found[a].Focus += p.doses[found[a].Activity]
			}
		}
		rows = append(rows, w)
	}
	theta := make([]float64, n) // λ of each activity, then the drift
	for a := range found {
		theta[a] = found[a].Prior
		if found[a].People > 0 {
			found[a].Focus /= float64(found[a].People)
		}
	}
	info := mat.NewSymDense(n, nil)
	for range 25 {
		grad := make([]float64, n)
		info.Zero()
		for a, x := range found {
			p := 1 / (x.PriorSE * x.PriorSE)
			grad[a] = -p * (theta[a] - x.Prior)
			info.SetSym(a, a, p)
		}
		info.SetSym(n-1, n-1, 1/(0.1*0.1)) // drift within about ±0.2 of what is left
		grad[n-1] = -theta[n-1] / (0.1 * 0.1)
		for _, w := range rows {
			x := theta[n-1]
			for a, d := range w.dose {
				x += theta[a] * d
			}
			kept := math.Exp(-x)
			residual := w.gain - w.left*(1-kept)
			slope := func(a int) float64 {
				if a == n-1 {
					return w.left * kept
				}
				return w.left * kept * w.dose[a]
			}
			for a := range n {
				sa := slope(a)
				grad[a] += w.precision * residual * sa
				for b := a; b < n; b++ {
					info.SetSym(a, b, info.At(a, b)+w.precision*sa*slope(b))
				}
			}
		}
		var chol mat.Cholesky
		if !chol.Factorize(info) {
			return
		}
		step := mat.NewVecDense(n, nil)
		if err := chol.SolveVecTo(step, mat.NewVecDense(n, grad)); err != nil {
			return
		}
		moved := 0.0
		for a := range theta {
			next := theta[a] + step.AtVec(a)
			if a < n-1 {
				next = math.Max(0, next) // an activity does not unteach
			}
			moved = math.Max(moved, math.Abs(next-theta[a]))
			theta[a] = next
		}
		if moved < 1e-8 {
			break
		}
	}
	var inverse mat.SymDense
	var chol mat.Cholesky
	if !chol.Factorize(info) || chol.InverseTo(&inverse) != nil {
		return
	}
	for a := range found {
		found[a].Rate, found[a].SE = theta[a], math.Sqrt(inverse.At(a, a))
	}
}

// Learn makes the rates that an evaluation found what the planner believes.
func Learn(ctx context.Context, t *db.Tx, r *Result) error {
	for _, x := range r.Rates {
		if x.People < fewest || x.SE <= 0 {
			continue
		}
		if err := content.Reestimate(ctx, t, x.Activity, content.Teaches{Skill: x.Skill, Rate: &x.Rate, RateSE: &x.SE, From: string(r.ID)}); err != nil {
			return err
		}
	}
	return nil
}
