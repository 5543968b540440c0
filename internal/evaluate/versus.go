package evaluate

import (
	"math"

	"attune/internal/delivery"
	"attune/internal/org"
)

// Versus is what a drawn seat did: people of a pool who were drawn against
// those who wait, as drawn (intention to treat), whether or not they came.
type Versus struct {
	Interval
	Treated int          `json:"treated"`
	Waiting int          `json:"waiting"`
	Pools   []PoolEffect `json:"pools"`
}

// PoolEffect is the same within the pool of one offering.
type PoolEffect struct {
	Interval
	Offering delivery.OfferingID `json:"offering"`
	Treated  int                 `json:"treated"`
	Waiting  int                 `json:"waiting"`
	Balance  float64             `json:"balance"` // baseline difference, drawn less waiting, in baseline standard deviations; chance alone makes it differ from 0
}

// versus compares drawn and waiting. The joint model is fitted on the pools
// alone, with an indicator per pool and per seat drawn; within a pool everybody
// is weighted by the inverse of the probability of what the lot gave them.
func (s *study) versus(r *Result) {
	type stake struct {
		pool  int
		drawn bool
		p     float64
	}
	in := map[org.PersonID]stake{}
	for d, draw := range s.draws {
		for _, e := range draw.Entries {
			in[e.Person] = stake{d, e.Drawn, e.Probability}
		}
	}
	if len(in) == 0 {
		r.Warnings = append(r.Warnings, "evaluate.warn.no_comparison")
		return
	}
	fits, err := s.models(func(p sitting) bool { _, ok := in[p.person.ID]; return ok }, true)
	if err != nil { // too few people for a model of their own
		fits = nil
	}
	if len(fits) == 0 {
		r.Warnings = append(r.Warnings, "evaluate.warn.no_comparison")
		return
	}
	// Σ of inverse probabilities per pool and arm, over those who sat both tests.
	measured := func(i int) bool {
		for k := range fits {
			if s.people[i].weight[k] > 0 && s.both(k, s.people[i].person.ID) {
				return true
			}
		}
		return false
	}
	type arm struct {
		people int
		weight float64
	}
	arms := make([][2]arm, len(s.draws))
	inverse := make([]float64, len(s.people))
	side := make([]int, len(s.people))
	pool := make([]int, len(s.people))
	for i, p := range s.people {
		st, ok := in[p.person.ID]
		pool[i] = -1
		if !ok || !measured(i) {
			continue
		}
		pool[i] = st.pool
		inverse[i], side[i] = 1/(1-st.p), 0
		if st.drawn {
			inverse[i], side[i] = 1/st.p, 1
		}
		a := &arms[st.pool][side[i]]
		a.people++
		a.weight += inverse[i]
	}
	v := &Versus{}
	total := 0
	for d := range s.draws {
		if arms[d][0].people >= fewest && arms[d][1].people >= fewest {
			total += arms[d][0].people + arms[d][1].people
			v.Treated += arms[d][1].people
			v.Waiting += arms[d][0].people
		}
	}
	if total == 0 {
		r.Warnings = append(r.Warnings, "evaluate.warn.no_comparison")
		return
	}
	sign := func(i int) float64 { return float64(2*side[i] - 1) }
	value, all := 0.0, make([]float64, len(s.people))
	for d, draw := range s.draws {
		n := arms[d][0].people + arms[d][1].people
		if arms[d][0].people < fewest || arms[d][1].people < fewest {
			continue
		}
		one, inf := s.functional(func(i int, k org.SkillID) float64 {
			if pool[i] != d {
				return 0
			}
			return sign(i) * inverse[i] / arms[d][side[i]].weight * s.people[i].weight[k]
		}, fits)
		p := PoolEffect{Interval: interval(one, norm(inf)), Offering: draw.Offering, Treated: arms[d][1].people, Waiting: arms[d][0].people}
		p.Balance = s.balance(fits, func(i int) float64 {
			if pool[i] != d {
				return 0
			}
			return sign(i) * inverse[i] / arms[d][side[i]].weight
		})
		v.Pools = append(v.Pools, p)
		share := float64(n) / float64(total)
		value += share * one
		for i := range all {
			all[i] += share * inf[i]
		}
	}
	v.Interval = interval(value, norm(all))
	if v.Treated < 30 || v.Waiting < 30 {
		r.Warnings = append(r.Warnings, "evaluate.warn.small_pools")
	}
	for _, p := range v.Pools {
		if math.Abs(p.Balance) > 0.25 {
			r.Warnings = append(r.Warnings, "evaluate.warn.imbalance")
			break
		}
	}
	r.Versus = v
}

// balance is Σ c(i) of what people were worth at the baseline, in E.
func (s *study) balance(fits map[org.SkillID]*fit, c func(i int) float64) float64 {
	sum := 0.0
	for _, k := range s.skills {
		f := fits[k.ID]
		if f == nil {
			continue
		}
		for j, i := range f.who {
			sum += c(i) * s.people[i].weight[k.ID] * f.gain.People[j].Before.S
		}
	}
	return sum
}
