package demo

import (
	"cmp"
	"context"
	"math"
	"slices"

	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/evaluate"
	"attune/internal/org"
)

// Truth is what the first cycle really did, and how near the estimates came.
type Truth struct {
	MeanEffect      float64 `json:"mean_effect"`      // mean true E of the people trained
	WaitlistEffect  float64 `json:"waitlist_effect"`  // mean true E that a drawn seat adds, over the people of the pools
	Coverage        float64 `json:"coverage"`         // share of the people trained whose 95 % interval holds their true E
	RankCorrelation float64 `json:"rank_correlation"` // Spearman, of estimated with true E

	waiting, drawn [2]map[int]delivery.OfferingID // by cycle: index of the person, offering whose seat was drawn for
}

// hold compares an evaluation of the first cycle with what is true. It runs
// after the evaluation is done, and nothing reads what it finds but the
// outcome that is printed.
func (s *story) hold(ctx context.Context, t *db.Tx, r *evaluate.Result) error {
	effects, err := evaluate.Effects(ctx, t, r.ID)
	if err != nil {
		return err
	}
	company, err := org.FindCompany(ctx, t)
	if err != nil {
		return err
	}
	requirements, err := org.Requirements(ctx, t)
	if err != nil {
		return err
	}
	innovation := map[org.SkillID]bool{}
	for _, k := range s.skills {
		innovation[k.ID] = k.Innovation
	}
	weight := map[org.PositionID]map[org.SkillID]float64{}
	for _, q := range requirements {
		if weight[q.Position] == nil {
			weight[q.Position] = map[org.SkillID]float64{}
		}
		w := company.Alpha * q.Weight / company.SigmaS
		if innovation[q.Skill] {
			w = company.Beta / company.SigmaI
		}
		weight[q.Position][q.Skill] = w
	}
	waiting, drawn := s.out.Truth.waiting[0], s.out.Truth.drawn[0]
	days := s.daysSince(0)
	// effect is E of person i had they taken what counts.
	effect := func(i int, counts func(delivery.OfferingID) bool) float64 {
		e := 0.0
		for _, k := range s.skills {
			w := weight[s.people[i].Position][k.ID]
			e += w * (s.truth.after(i, k.ID, s.ceiling(i, k.ID), days, counts) - s.truth.learners[i].before[k.ID])
		}
		return e
	}
	at := map[org.PersonID]int{}
	for i, p := range s.people {
		at[p.ID] = i
	}
	var estimated, real []float64
	covered, measured := 0, map[int]bool{}
	for _, e := range effects {
		i := at[e.Person]
		measured[i] = true
		if !e.Trained {
			continue
		}
		x := effect(i, s.did(0, i))
		estimated, real = append(estimated, e.E.Estimate), append(real, x)
		if e.E.Low <= x && x <= e.E.High {
			covered++
		}
	}
	out := &s.out.Truth
	for _, x := range real {
		out.MeanEffect += x / float64(len(real))
	}
	out.Coverage = float64(covered) / float64(len(real))
	out.RankCorrelation = spearman(estimated, real)
	if r.Versus == nil {
		return nil
	}
	// Each pool counts as it does in the estimate: by its people measured.
	sum, n := map[delivery.OfferingID]float64{}, map[delivery.OfferingID]int{}
	for _, side := range []map[int]delivery.OfferingID{waiting, drawn} {
		for i, o := range side {
			if !measured[i] {
				continue
			}
			with := effect(i, func(delivery.OfferingID) bool { return true })
			without := effect(i, func(x delivery.OfferingID) bool { return x != o })
			sum[o] += with - without
			n[o]++
		}
	}
	total := 0
	for _, p := range r.Versus.Pools {
		total += n[p.Offering]
	}
	for _, p := range r.Versus.Pools {
		out.WaitlistEffect += sum[p.Offering] / float64(total)
	}
	return nil
}

// did tells which of the doses in the truth a person really took: whoever
// waits has that of the seat they did not get beside the others.
func (s *story) did(cycle, i int) func(delivery.OfferingID) bool {
	missed, waits := s.out.Truth.waiting[cycle][i]
	return func(o delivery.OfferingID) bool { return !waits || o != missed }
}

// spearman is the rank correlation of two samples without many ties.
func spearman(x, y []float64) float64 {
	rx, ry := ranks(x), ranks(y)
	n := float64(len(x))
	var sx, sy, sxy, sxx, syy float64
	for i := range rx {
		sx, sy = sx+rx[i], sy+ry[i]
	}
	for i := range rx {
		dx, dy := rx[i]-sx/n, ry[i]-sy/n
		sxy, sxx, syy = sxy+dx*dy, sxx+dx*dx, syy+dy*dy
	}
	return sxy / math.Sqrt(sxx*syy)
}

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	r := make([]float64, len(x))
	for rank, i := range order {
		r[i] = float64(rank)
	}
	return r
}
