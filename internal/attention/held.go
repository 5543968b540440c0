package attention

import (
	"context"
	"slices"
	"time"

	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/org"
)

// Hold is how an activity holds attention.
type Hold struct {
	Activity content.ActivityID
	People   int
	Visits   int
	Open     time.Duration // summed over visits
	Focused  time.Duration // summed over visits
}

// Share returns the focused share of the time it was open, [0, 1]; 0 where it
// was never open.
func (h Hold) Share() float64 {
	if h.Open <= 0 {
		return 0
	}
	return float64(h.Focused) / float64(h.Open)
}

// Held returns how every visited activity holds attention.
func Held(ctx context.Context, t *db.Tx) ([]Hold, error) {
	return db.Rows(ctx, t, func(s db.Scanner) (h Hold, err error) {
		var open, focused int64
		err = s.Scan(&h.Activity, &h.People, &h.Visits, &open, &focused)
		h.Open, h.Focused = time.Duration(open)*time.Millisecond, time.Duration(focused)*time.Millisecond
		return h, err
	}, `SELECT activity_id, count(DISTINCT person_id), count(*), CAST(sum(open_ms) AS BIGINT), CAST(sum(focused_ms) AS BIGINT)
		FROM visit GROUP BY activity_id ORDER BY activity_id`)
}

// Drop is where attention to an activity ends.
type Drop struct {
	People int       // who opened it
	Step   float64   // minutes between two points
	Share  []float64 // share in [0,1] of those people who were focused in each step of the activity's time
}

// DropOff returns the curve of attention over an activity's time, in so many
// steps. A person's visits follow one another: who comes back goes on where
// they left. Time beyond the activity's minutes is left out.
func DropOff(ctx context.Context, t *db.Tx, activity content.ActivityID, steps int) (Drop, error) {
	minutes, err := db.Row(ctx, t, db.One[int], `SELECT minutes FROM activity WHERE id = $1`, activity)
	if err != nil {
		return Drop{}, err
	}
	visits, err := db.Rows(ctx, t, scanVisit, `SELECT `+visitColumns+` FROM visit WHERE activity_id = $1 ORDER BY person_id, started_at, id`, activity)
	if err != nil {
		return Drop{}, err
	}
	d := Drop{Step: float64(minutes) / float64(steps), Share: make([]float64, steps)}
	step := int64(d.Step * 60_000)
	var who org.PersonID
	var before int64
	for _, v := range visits {
		if v.Person != who {
			who, before = v.Person, 0
			d.People++
		}
		for _, s := range v.Segments {
			from, to := before+s[0], before+s[1]
			for i := from / step; i < int64(steps) && i*step < to; i++ {
				d.Share[i] += float64(min(to, (i+1)*step)-max(from, i*step)) / float64(step)
			}
		}
		before += v.Open.Milliseconds()
	}
	for i := range d.Share {
		d.Share[i] /= float64(max(1, d.People))
	}
	return d, nil
}

// End returns the minute at which the share of people who are focused first
// falls under half of its highest, and stays there; the activity's length
// where it does not.
func (d Drop) End() float64 {
	if len(d.Share) == 0 {
		return 0
	}
	half := slices.Max(d.Share) / 2
	end := len(d.Share)
	for end > 0 && d.Share[end-1] < half {
		end--
	}
	return float64(end) * d.Step
}
