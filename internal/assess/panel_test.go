package assess_test

import (
	"fmt"
	"math"
	"testing"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/org"
	"attune/internal/testdb"
)

func TestPanel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 1, 10)
		ctx := t.Context()
		rate := func(expert string, item content.ItemID, chance float64) func(*db.Tx) error {
			return func(tx *db.Tx) error { return assess.Rate(ctx, tx, "pl", expert, item, chance) }
		}
		consider := func(tx *db.Tx) error { _, _, err := assess.Consider(ctx, tx, "pl"); return err }
		s.do(func(tx *db.Tx) error {
			return assess.OpenPanel(ctx, tx, assess.Panel{ID: "pl", Position: "clerk", Skill: "talk"})
		})
		s.refused("panel.experts.few", consider)
		// Three experts who think of people of 0.2, 0.5 and 0.8 logits, and see
		// only the six easiest items.
		var levels []float64
		for e, theta := range []float64{0.2, 0.5, 0.8} {
			for _, it := range s.bank["talk"][:6] {
				p, _ := it.IRT()
				s.do(rate(fmt.Sprint("e", e), it.ID, 0.5)) // a first thought
				s.do(rate(fmt.Sprint("e", e), it.ID, p.P(theta)))
			}
			levels = append(levels, s.s("talk", theta))
		}
		for _, bad := range []float64{-0.01, 1.01, math.NaN()} {
			s.refused("panel.chance.range", rate("e0", "talk-00", bad))
		}
		s.refused("panel.item.foreign", rate("e0", "know-00", 0.5))
		s.refused("not_found", rate("e0", "talk-99", 0.5))
		var std assess.Standard
		s.do(func(tx *db.Tx) (err error) { std, err = assess.Close(ctx, tx, "pl"); return err })
		level := (levels[0] + levels[1] + levels[2]) / 3
		// The sum of squares over k − 1, over k: the standard error of a mean.
		sq := 0.0
		for _, l := range levels {
			sq += (l - level) * (l - level)
		}
		se := math.Sqrt(sq / 2 / 3)
		if math.Abs(std.Level-level) > 0.01 || math.Abs(std.SE-se) > 0.01 || std.Experts != 3 || std.Items != 6 {
			t.Errorf("%+v, want level %.3f ± %.3f of 3 experts and 6 items", std, level, se)
		}
		s.refused("panel.closed", rate("e0", "talk-00", 0.5))
		s.refused("panel.closed", func(tx *db.Tx) error { _, err := assess.Close(ctx, tx, "pl"); return err })
		s.do(func(tx *db.Tx) error {
			all, err := org.RequirementsOf(ctx, tx, "clerk")
			for _, r := range all {
				if r.Skill != "talk" {
					continue
				}
				last := r.Origin[len(r.Origin)-1]
				if r.Level == nil || math.Abs(*r.Level-level) > 0.01 || r.LevelSE == nil || r.Provisional || last.Kind != "panel" || last.Ref != "pl" {
					t.Errorf("the requirement is %+v", r)
				}
			}
			return err
		})
		s.do(func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE item SET a = NULL, b = NULL`)
			return err
		})
		s.refused("panel.bank.uncalibrated", consider)
	})
}

// Shrout & Fleiss 1979, Table 2: four judges rate six targets; ICC(2,4) = 0.62
// (their Table 4).
func TestAgreement(t *testing.T) {
	s := found(t, testdb.SQLite(t), 1, 7)
	ctx := t.Context()
	table := [6][4]float64{{9, 2, 5, 8}, {6, 1, 3, 2}, {8, 4, 6, 8}, {7, 1, 2, 6}, {10, 5, 6, 9}, {6, 2, 4, 7}}
	s.do(func(tx *db.Tx) error {
		if err := assess.OpenPanel(ctx, tx, assess.Panel{ID: "pl", Position: "clerk", Skill: "talk"}); err != nil {
			return err
		}
		for i, row := range table {
			for j, x := range row {
				if err := assess.Rate(ctx, tx, "pl", fmt.Sprint("judge", j), s.bank["talk"][i].ID, x/10); err != nil {
					return err
				}
			}
		}
		// An item that one judge alone rated does not count.
		return assess.Rate(ctx, tx, "pl", "judge2", s.bank["talk"][6].ID, 1)
	})
	var std assess.Standard
	s.do(func(tx *db.Tx) (err error) { _, std, err = assess.Consider(ctx, tx, "pl"); return err })
	if math.Abs(std.Agreement-0.62) > 0.005 {
		t.Errorf("ICC(2,4) = %.3f, published 0.62", std.Agreement)
	}
}
