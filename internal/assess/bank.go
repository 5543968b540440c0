package assess

import (
	"context"
	"math"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/org"
)

// Bank is the calibrated items of one skill: the reference that S is the
// expected percentage correct on.
type Bank struct {
	Skill org.SkillID
	IDs   []content.ItemID
	Items []irt.Item
	at    map[content.ItemID]int
}

// Banks returns the calibrated bank of every skill that has one. Items without
// parameters, and retired ones, do not count.
func Banks(ctx context.Context, t *db.Tx) (map[org.SkillID]*Bank, error) {
	type row struct {
		skill org.SkillID
		id    content.ItemID
		it    irt.Item
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.skill, &r.id, &r.it.A, &r.it.B)
	}, `SELECT skill_id, id, a, b FROM item WHERE status = 'active' AND a IS NOT NULL AND b IS NOT NULL ORDER BY skill_id, id`)
	if err != nil {
		return nil, err
	}
	all := map[org.SkillID]*Bank{}
	for _, r := range rows {
		b := all[r.skill]
		if b == nil {
			b = &Bank{Skill: r.skill, at: map[content.ItemID]int{}}
			all[r.skill] = b
		}
		b.at[r.id] = len(b.IDs)
		b.IDs, b.Items = append(b.IDs, r.id), append(b.Items, r.it)
	}
	return all, nil
}

// Answers returns what a sheet says in the bank's terms. Items that the bank
// no longer holds are left out.
func (b *Bank) Answers(s Sheet) []irt.Answer {
	out := make([]irt.Answer, 0, len(s.Items))
	for i, id := range s.Items {
		if at, ok := b.at[id]; ok {
			out = append(out, irt.Answer{Item: b.Items[at], Correct: s.Correct[i]})
		}
	}
	return out
}

// Calibrate estimates the parameters of a skill's items from responses (a row
// per person, a column per item as listed; 1 right, 0 wrong, −1 not shown) and
// keeps them. The scale it sets has mean 0 and standard deviation 1 among those
// who answered. Discriminations are shrunk towards their common distribution,
// or a bank on a few hundred answers an item would look sharper than it is. An
// item that tells the able from the others hardly at all, or the wrong way
// round, is retired: nothing can be measured with it.
func Calibrate(ctx context.Context, t *db.Tx, items []content.ItemID, responses [][]int8) (*irt.Calibration, error) {
	if len(items) == 0 || len(responses) == 0 {
		return nil, fault.New(fault.Invalid, "calibrate.empty")
	}
	for _, r := range responses {
		if len(r) != len(items) {
			return nil, fault.New(fault.Invalid, "calibrate.shape")
		}
	}
	fit, err := irt.Fit(responses, irt.Options{Model: irt.TwoPL, Shrink: len(items) >= 10})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "calibrate.failed")
	}
	var found []content.Calibration
	for i, id := range items {
		p := fit.Items[i]
		if !(p.A >= leastA && p.A <= mostA && math.Abs(p.B) <= mostB) {
			if err := content.RetireItem(ctx, t, id); err != nil {
				return nil, err
			}
			continue
		}
		found = append(found, content.Calibration{Item: id, A: p.A, B: p.B, SEA: known(p.SEA), SEB: known(p.SEB)})
	}
	if len(found) == 0 {
		return nil, fault.New(fault.Invalid, "calibrate.failed")
	}
	return fit, content.Calibrate(ctx, t, found)
}

// What an item of a bank may be: outside of it, it says next to nothing about
// anybody (Baker 2001, ch. 2, calls a discrimination under 0.35 very low).
const (
	leastA = 0.25 // per logit
	mostA  = 8.0
	mostB  = 6.0 // logits, either way
)

// known is a standard error, 0 where there is none.
func known(se float64) float64 {
	if math.IsNaN(se) {
		return 0
	}
	return se
}
