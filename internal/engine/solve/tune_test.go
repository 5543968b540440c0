package solve

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"
)

// lossOf splits the gap of a draft at the prices of the bound.
func (s *search) lossOf(d *draft) string {
	b := s.b
	copy(b.price, s.price)
	b.reprice()
	var by [6]float64
	for r := range b.res {
		by[b.res[r].kind] += b.price[r] * d.left[r]
	}
	regret := 0.0
	for n := range b.people {
		bu := &d.at[n]
		bs := b.sites[b.people[n].site]
		regret += float64(s.ub[n]) - ((1+b.theta(b.people[n].group))*bu.gain - bs.cost(b.people[n].class, bu.options))
	}
	return fmt.Sprintf("money %.3f unit %.3f floor %.3f cross %.3f seat %.3f cover %.3f regret %.3f", by[0], by[1], by[2], by[3], by[4], by[5], regret)
}

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	for seed := range uint64(4) {
		in := Generate(1000, seed+1, GenerateOptions{})
		m := compile(in)
		m.reconcile(2)
		al := allotment{money: in.Budget}
		for _, g := range in.Groups {
			al.floor = append(al.floor, g.Floor)
		}
		b := newBlock(context.Background(), m, &Options{Workers: 2}, []int32{0}, al, 1)
		s := newSearch(b)
		t0 := time.Now()
		s.settle(14, 0)
		s.certify(0)
		s.settle(8, 1)
		s.certify(1)
		t1 := time.Now()
		for range 4 {
			s.best = nil
			s.attempt(1)
			t.Logf("%.2fs %.2fs %.3f %.3f %.3f%% %s", t1.Sub(t0).Seconds(), time.Since(t1).Seconds(), s.best.value, s.bound, 100*s.gap(), s.lossOf(s.best))
		}
		_ = math.Pi
	}
}
