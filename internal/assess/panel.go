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

// Panel is experts setting the level that a position asks for at a skill, by
// Angoff's method: item by item, the chance that a just-qualified person is
// right (Angoff 1971).
type Panel struct {
	ID       PanelID
	Position org.PositionID
	Skill    org.SkillID
	Closed   bool
}

// OpenPanel begins a standard setting.
func OpenPanel(ctx context.Context, t *db.Tx, p Panel) error {
	_, err := t.Exec(ctx, `INSERT INTO panel (id, position_id, skill_id, opened_at) VALUES ($1, $2, $3, $4)`,
		p.ID, p.Position, p.Skill, db.Millis(t.Now))
	return err
}

// Rate records what one expert expects of a just-qualified person at one item;
// chance lies in [0, 1]. Until the panel is closed an expert may think again.
func Rate(ctx context.Context, t *db.Tx, panel PanelID, expert string, item content.ItemID, chance float64) error {
	if !(chance >= 0 && chance <= 1) {
		return fault.New(fault.Invalid, "panel.chance.range")
	}
	type row struct{ closed, foreign bool }
	r, err := db.Row(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.closed, &r.foreign) }, `
		SELECT p.closed_at IS NOT NULL, i.skill_id <> p.skill_id FROM panel p, item i WHERE p.id = $1 AND i.id = $2`, panel, item)
	switch {
	case err != nil:
		return err
	case r.closed:
		return fault.New(fault.Conflict, "panel.closed")
	case r.foreign:
		return fault.New(fault.Invalid, "panel.item.foreign")
	}
	_, err = t.Exec(ctx, `
		INSERT INTO panel_rating (panel_id, expert, item_id, chance, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (panel_id, expert, item_id) DO UPDATE SET chance = excluded.chance, at = excluded.at`,
		panel, expert, item, chance, db.Millis(t.Now))
	return err
}

// Standard is the level a panel arrived at.
type Standard struct {
	Level     float64 // R: expected percentage correct on the whole bank, points of S
	SE        float64 // standard error over experts, points
	Experts   int
	Items     int
	Agreement float64 // intraclass correlation of the experts' mean, ICC(2,k) of Shrout & Fleiss 1979; NaN under two experts or items
}

// Consider computes what a panel's ratings say so far. The experts may have
// rated a part of the bank: the ability at which a person is expected to get
// each expert's mean on those items is read off, and turned into the expected
// percentage on the whole bank.
func Consider(ctx context.Context, t *db.Tx, panel PanelID) (Panel, Standard, error) {
	p, err := db.Row(ctx, t, func(s db.Scanner) (p Panel, err error) {
		return p, s.Scan(&p.ID, &p.Position, &p.Skill, &p.Closed)
	}, `SELECT id, position_id, skill_id, closed_at IS NOT NULL FROM panel WHERE id = $1`, panel)
	if err != nil {
		return p, Standard{}, err
	}
	type row struct {
		expert string
		item   content.ItemID
		chance float64
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.expert, &r.item, &r.chance) },
		`SELECT expert, item_id, chance FROM panel_rating WHERE panel_id = $1 ORDER BY expert, item_id`, panel)
	if err != nil {
		return p, Standard{}, err
	}
	banks, err := Banks(ctx, t)
	if err != nil {
		return p, Standard{}, err
	}
	bank := banks[p.Skill]
	if bank == nil {
		return p, Standard{}, fault.New(fault.Invalid, "panel.bank.uncalibrated")
	}
	scale := irt.NewScale(bank.Items)
	var levels []float64
	table := map[content.ItemID][]float64{}
	for lo := 0; lo < len(rows); {
		hi := lo
		var rated []irt.Item
		sum := 0.0
		for ; hi < len(rows) && rows[hi].expert == rows[lo].expert; hi++ {
			if at, ok := bank.at[rows[hi].item]; ok {
				rated = append(rated, bank.Items[at])
				sum += rows[hi].chance
				table[rows[hi].item] = append(table[rows[hi].item], rows[hi].chance)
			}
		}
		if len(rated) > 0 {
			level, _ := scale.At(irt.ThetaAt(rated, 100*sum/float64(len(rated))))
			levels = append(levels, level)
		}
		lo = hi
	}
	if len(levels) < 2 {
		return p, Standard{}, fault.New(fault.Invalid, "panel.experts.few")
	}
	std := Standard{Experts: len(levels), Agreement: agreement(table, len(levels))}
	for _, items := range table {
		if len(items) > 0 {
			std.Items++
		}
	}
	var sq float64
	for _, l := range levels {
		std.Level += l / float64(len(levels))
	}
	for _, l := range levels {
		sq += (l - std.Level) * (l - std.Level)
	}
	std.SE = math.Sqrt(sq / float64(len(levels)-1) / float64(len(levels)))
	return p, std, nil
}

// Close ends a panel and sets the position's level by it.
func Close(ctx context.Context, t *db.Tx, panel PanelID) (Standard, error) {
	p, std, err := Consider(ctx, t, panel)
	if err != nil {
		return std, err
	}
	if p.Closed {
		return std, fault.New(fault.Conflict, "panel.closed")
	}
	if _, err := t.Exec(ctx, `UPDATE panel SET closed_at = $2 WHERE id = $1`, panel, db.Millis(t.Now)); err != nil {
		return std, err
	}
	return std, org.SetLevel(ctx, t, p.Position, p.Skill, std.Level, std.SE, org.Origin{Kind: "panel", Ref: string(panel), At: t.Now})
}

// agreement is the intraclass correlation ICC(2,k) over the items that every
// expert rated.
func agreement(table map[content.ItemID][]float64, k int) float64 {
	var rows [][]float64
	for _, r := range table {
		if len(r) == k {
			rows = append(rows, r)
		}
	}
	n := len(rows)
	if n < 2 || k < 2 {
		return math.NaN()
	}
	grand := 0.0
	byItem, byExpert := make([]float64, n), make([]float64, k)
	for i, r := range rows {
		for j, x := range r {
			grand += x / float64(n*k)
			byItem[i] += x / float64(k)
			byExpert[j] += x / float64(n)
		}
	}
	var msItem, msExpert, msError float64
	for i, r := range rows {
		msItem += float64(k) * (byItem[i] - grand) * (byItem[i] - grand) / float64(n-1)
		for j, x := range r {
			e := x - byItem[i] - byExpert[j] + grand
			msError += e * e / float64((n-1)*(k-1))
		}
	}
	for j := range k {
		msExpert += float64(n) * (byExpert[j] - grand) * (byExpert[j] - grand) / float64(k-1)
	}
	return (msItem - msError) / (msItem + (msExpert-msError)/float64(n))
}
