package content

import (
	"context"
	"math"
	"strconv"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
)

// MaxOptions is how many options an item can have.
const MaxOptions = 8

// Validate reports the first thing wrong with it.
func (it *Item) Validate() error {
	switch {
	case it.ID == "":
		return fault.New(fault.Invalid, "content.id.empty")
	case it.Skill == "":
		return fault.New(fault.Invalid, "content.item.skill")
	case it.Stem.Empty():
		return fault.New(fault.Invalid, "content.item.stem")
	case len(it.Options) < 2 || len(it.Options) > MaxOptions:
		return fault.New(fault.Invalid, "content.item.options", MaxOptions)
	case it.Answer < 0 || it.Answer >= len(it.Options):
		return fault.New(fault.Invalid, "content.item.answer")
	case (it.A == nil) != (it.B == nil):
		return fault.New(fault.Invalid, "content.item.half")
	case it.A != nil && !(*it.A > 0 && *it.A < 10 && math.Abs(*it.B) < 10):
		return fault.New(fault.Invalid, "content.item.parameters")
	}
	for _, o := range it.Options {
		if o.Empty() {
			return fault.New(fault.Invalid, "content.item.option_empty")
		}
	}
	return nil
}

// AddItems writes items to their banks. An item is active unless it says
// otherwise.
func AddItems(ctx context.Context, t *db.Tx, items []Item) error {
	args := make([]any, 0, 11*len(items))
	for _, it := range items {
		if err := it.Validate(); err != nil {
			return err
		}
		if it.Status == "" {
			it.Status = Active
		}
		args = append(args, it.ID, it.Skill, it.Part, it.Stem, db.JSON{V: it.Options}, it.Answer, it.A, it.B, it.SEA, it.SEB, it.Status)
	}
	return t.Many(ctx, `INSERT INTO item (id, skill_id, part, stem, options, answer, a, b, se_a, se_b, status)`, 11, args, "")
}

const itemColumns = `id, skill_id, part, stem, options, answer, a, b, se_a, se_b, status`

func scanItem(s db.Scanner) (it Item, err error) {
	return it, s.Scan(&it.ID, &it.Skill, &it.Part, &it.Stem, &db.JSON{V: &it.Options}, &it.Answer, &it.A, &it.B, &it.SEA, &it.SEB, &it.Status)
}

// Items returns the items of the skills, or of every skill where none is
// named, drafts and retired ones too, by skill and difficulty.
func Items(ctx context.Context, t *db.Tx, skills ...org.SkillID) ([]Item, error) {
	where, args := "", []any(nil)
	if len(skills) > 0 {
		where, args = `WHERE skill_id IN (`+marks(len(skills))+`)`, anys(skills)
	}
	return db.Rows(ctx, t, scanItem, `SELECT `+itemColumns+` FROM item `+where+` ORDER BY skill_id, coalesce(b, 0), id`, args...)
}

// FindItems returns the items of those identifiers, in no order.
func FindItems(ctx context.Context, t *db.Tx, ids ...ItemID) ([]Item, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.Rows(ctx, t, scanItem, `SELECT `+itemColumns+` FROM item WHERE id IN (`+marks(len(ids))+`)`, anys(ids)...)
}

// Bank returns the reference bank of a skill: its active, calibrated items by
// difficulty. Proficiency S is the percentage of it that a person would get.
func Bank(ctx context.Context, t *db.Tx, skill org.SkillID) ([]Item, error) {
	return db.Rows(ctx, t, scanItem, `
		SELECT `+itemColumns+` FROM item
		WHERE skill_id = $1 AND status = 'active' AND a IS NOT NULL AND b IS NOT NULL
		ORDER BY b, id`, skill)
}

// Calibration is what a calibration found of an item.
type Calibration struct {
	Item ItemID
	A    float64 // discrimination, per logit
	B    float64 // difficulty, logits
	SEA  float64 // standard errors; 0 where not known
	SEB  float64
}

// Calibrate sets the parameters of items, all in one statement's transaction:
// a bank is on one scale or it is none.
func Calibrate(ctx context.Context, t *db.Tx, found []Calibration) error {
	for _, c := range found {
		if !(c.A > 0 && c.A < 10 && math.Abs(c.B) < 10) {
			return fault.New(fault.Invalid, "content.item.parameters")
		}
		n, err := t.Exec(ctx, `UPDATE item SET a = $2, b = $3, se_a = $4, se_b = $5 WHERE id = $1`,
			c.Item, c.A, c.B, orNull(c.SEA), orNull(c.SEB))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "content.item.unknown", string(c.Item))
		}
	}
	return nil
}

// RetireItem takes an item out of tests and out of the reference bank. Answers
// given to it stay.
func RetireItem(ctx context.Context, t *db.Tx, id ItemID) error {
	n, err := t.Exec(ctx, `UPDATE item SET status = 'retired' WHERE id = $1`, id)
	return found(n, err)
}

// checkItems reports a quiz that asks an item which is not there.
func checkItems(ctx context.Context, t *db.Tx, activities []Activity) error {
	asked := map[ItemID]bool{}
	var ids []ItemID
	for _, a := range activities {
		for _, id := range a.Spec.Items {
			if !asked[id] {
				asked[id] = true
				ids = append(ids, id)
			}
		}
	}
	items, err := FindItems(ctx, t, ids...)
	if err != nil {
		return err
	}
	for _, it := range items {
		delete(asked, it.ID)
	}
	for id := range asked {
		return fault.New(fault.Invalid, "content.item.unknown", string(id))
	}
	return nil
}

// marks returns "$1, $2, …, $n".
func marks(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$")
		b.WriteString(strconv.Itoa(i + 1))
	}
	return b.String()
}

func anys[S ~string](all []S) []any {
	args := make([]any, len(all))
	for i, s := range all {
		args[i] = string(s)
	}
	return args
}

func orNull(x float64) any {
	if x == 0 {
		return nil
	}
	return x
}
