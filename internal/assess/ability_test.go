package assess_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/org"
	"attune/internal/testdb"
)

func TestCalibrateRecovers(t *testing.T) {
	s := found(t, testdb.SQLite(t), 1, 12)
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(11, 1))
	const people = 1500
	var ids []content.ItemID
	truth := map[content.ItemID]content.Item{}
	for _, it := range s.bank["talk"] {
		ids = append(ids, it.ID)
		truth[it.ID] = it
	}
	responses := make([][]int8, people)
	for i := range responses {
		theta := rng.NormFloat64()
		for _, id := range ids {
			it := truth[id]
			p, _ := it.IRT()
			r := int8(-1)
			if rng.Float64() < 0.8 { // the others were not shown
				r = 0
				if rng.Float64() < p.P(theta) {
					r = 1
				}
			}
			responses[i] = append(responses[i], r)
		}
	}
	for i := range responses { // all who see the last one get it right
		responses[i][11] = 1
	}
	refused := func(key string, ids []content.ItemID, r [][]int8) {
		s.refused(key, func(tx *db.Tx) error { _, err := assess.Calibrate(ctx, tx, ids, r); return err })
	}
	refused("calibrate.empty", ids, nil)
	refused("calibrate.shape", ids[:3], responses)
	refused("calibrate.failed", ids[:1], [][]int8{{1}, {1}, {1}})
	// Without parameters there is no bank.
	s.do(func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE item SET a = NULL, b = NULL`)
		return err
	})
	s.do(func(tx *db.Tx) error { _, err := assess.Calibrate(ctx, tx, ids, responses); return err })
	var got []content.Item
	s.do(func(tx *db.Tx) (err error) { got, err = content.Bank(ctx, tx, "talk"); return err })
	if len(got) != 11 {
		t.Fatalf("%d items in the bank, want 11: all but the one that everybody got right", len(got))
	}
	inside := 0
	for _, it := range got {
		want := truth[it.ID]
		if math.Abs(*it.A-*want.A) > 4*(*it.SEA) || math.Abs(*it.B-*want.B) > 4*(*it.SEB) {
			t.Errorf("%s: a %.2f ± %.2f, b %.2f ± %.2f; the truth is %.2f, %.2f", it.ID, *it.A, *it.SEA, *it.B, *it.SEB, *want.A, *want.B)
		}
		for _, z := range []float64{(*it.A - *want.A) / *it.SEA, (*it.B - *want.B) / *it.SEB} {
			if math.Abs(z) < 1.96 {
				inside++
			}
		}
	}
	if inside < 18 { // of 22: P(fewer | each 0.95) = 0.004
		t.Errorf("%d of 22 intervals hold the truth", inside)
	}
}

func TestMeasure(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 240, 20)
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(13, 1))
		theta := make([]map[org.SkillID]float64, len(s.people))
		for i, p := range s.people {
			theta[i] = map[org.SkillID]float64{}
			for _, k := range skills {
				theta[i][k] = 0.9*rng.NormFloat64() + map[org.PositionID]float64{"clerk": -0.4, "guide": 0.8}[p.Position]
			}
		}
		s.test("t", 8, 0)
		s.sit("t", 8, func(i int, k org.SkillID) float64 { return theta[i][k] }, rng)
		var all []assess.Measured
		s.do(func(tx *db.Tx) (err error) { all, err = assess.Score(ctx, tx, "t"); return err })
		if len(all) != 3 {
			t.Fatalf("%d skills measured", len(all))
		}
		at := map[org.PersonID]int{}
		for i, p := range s.people {
			at[p.ID] = i
		}
		covered, total := 0, 0
		for _, m := range all {
			err := map[org.PositionID]float64{}
			noise := map[org.PositionID]float64{}
			n := map[org.PositionID]float64{}
			for j, who := range m.People {
				i := at[who]
				p := s.people[i].Position
				e := m.Levels[j].S - s.s(m.Skill, theta[i][m.Skill])
				err[p] += e
				noise[p] += m.Levels[j].SE * m.Levels[j].SE
				n[p]++
				total++
				if math.Abs(e) < 1.96*m.Levels[j].SE {
					covered++
				}
				if m.Answers[j] != 8 {
					t.Fatalf("%d answers, want 8", m.Answers[j])
				}
			}
			for p := range n {
				// The mean's error, were the errors of estimation independent; the
				// regression's own comes on top, and is smaller.
				se := math.Sqrt(2*noise[p]) / n[p]
				if e := err[p] / n[p]; math.Abs(e) > 3*se {
					t.Errorf("%s of %ss: the mean errs by %.2f, SE %.2f", m.Skill, p, e, se)
				}
			}
		}
		if share := float64(covered) / float64(total); share < 0.92 || share > 0.98 {
			t.Errorf("%.3f of the intervals hold the truth, want about 0.95", share)
		}

		// What was measured is kept, and a later estimate is added to it.
		who := s.people[0].ID
		s.do(func(tx *db.Tx) error { _, err := assess.Score(ctx, tx, "t"); return err })
		s.do(func(tx *db.Tx) error {
			history, err := assess.History(ctx, tx, who, "talk")
			if err != nil {
				return err
			}
			mine, err := assess.AbilitiesOf(ctx, tx, who)
			if err != nil {
				return err
			}
			everybody, err := assess.Abilities(ctx, tx)
			if err != nil {
				return err
			}
			if len(history) != 2 || len(mine) != 3 || len(everybody) != total {
				t.Errorf("history %d, own %d, all %d; want 2, 3, %d", len(history), len(mine), len(everybody), total)
			}
			for _, a := range mine {
				if a.Skill == "talk" && !a.At.Equal(history[1].At) {
					t.Error("the latest estimate is not the last of the history")
				}
			}
			return nil
		})
		s.do(func(tx *db.Tx) error { _, err := org.Leave(ctx, tx, tx.Now, who); return err })
		s.do(func(tx *db.Tx) error {
			everybody, err := assess.Abilities(ctx, tx)
			if len(everybody) != total-3 {
				t.Errorf("%d abilities after one left, want %d", len(everybody), total-3)
			}
			return err
		})
	})
}

func TestBaseline(t *testing.T) {
	for _, apart := range []float64{0, 0.8} { // how far guides are ahead, logits
		t.Run(fmt.Sprint(apart), func(t *testing.T) {
			s := found(t, testdb.SQLite(t), 800, 20)
			ctx := t.Context()
			rng := rand.New(rand.NewPCG(17, uint64(10*apart)))
			theta := make([]map[org.SkillID]float64, len(s.people))
			weighted, innovation := make([]float64, len(s.people)), make([]float64, len(s.people))
			for i, p := range s.people {
				common, shift := rng.NormFloat64(), 0.0
				if p.Position == "guide" {
					shift = apart
				}
				theta[i] = map[org.SkillID]float64{}
				for _, k := range skills { // correlated at 0.5
					theta[i][k] = shift + math.Sqrt(0.5)*common + math.Sqrt(0.5)*rng.NormFloat64()
				}
				weighted[i] = s.s("talk", theta[i]["talk"])
				if p.Position == "clerk" {
					weighted[i] = 0.6*weighted[i] + 0.4*s.s("know", theta[i]["know"])
				}
				innovation[i] = s.s("new", theta[i]["new"])
			}
			s.test("t", 12, 0)
			s.refused("baseline.no_spread", func(tx *db.Tx) error { _, err := assess.Baseline(ctx, tx, "t"); return err })
			s.sit("t", 12, func(i int, k org.SkillID) float64 { return theta[i][k] }, rng)
			var first, second *org.Company
			s.do(func(tx *db.Tx) error {
				if _, err := assess.Baseline(ctx, tx, "t"); err != nil {
					return err
				}
				var err error
				first, err = org.FindCompany(ctx, tx)
				return err
			})
			for _, x := range []struct {
				name      string
				got, want float64
			}{{"σ_S", first.SigmaS, sd(weighted)}, {"σ_I", first.SigmaI, sd(innovation)}} {
				t.Logf("%s = %.2f, the truth is %.2f", x.name, x.got, x.want)
				if math.Abs(x.got/x.want-1) > 0.06 {
					t.Errorf("%s = %.2f, the truth is %.2f", x.name, x.got, x.want)
				}
			}
			// Frozen: a later test of a wider crowd changes nothing.
			s.test("t2", 12, 0)
			s.sit("t2", 12, func(i int, k org.SkillID) float64 { return 2 * theta[i][k] }, rng)
			s.do(func(tx *db.Tx) error {
				if _, err := assess.Baseline(ctx, tx, "t2"); err != nil {
					return err
				}
				var err error
				second, err = org.FindCompany(ctx, tx)
				return err
			})
			if second.SigmaS != first.SigmaS || second.SigmaI != first.SigmaI {
				t.Errorf("σ moved from %v, %v to %v, %v", first.SigmaS, first.SigmaI, second.SigmaS, second.SigmaI)
			}
		})
	}
}

func sd(x []float64) float64 {
	var mean, sq float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sq += (v - mean) * (v - mean)
	}
	return math.Sqrt(sq / float64(len(x)))
}
