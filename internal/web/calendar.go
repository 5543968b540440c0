package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Calendar shows sessions by day and hour ("calendar"); on a phone, a list by day.
type Calendar struct {
	Label    string
	From, To int // hours of the day shown, such as 9 and 18
	Days     []CalDay
}

// CalDay is a day of a Calendar.
type CalDay struct {
	Date  time.Time // midnight, in the site's zone
	Items []CalItem
	Href  string // where all of the day's sessions are listed
}

// CalItem is a session.
type CalItem struct {
	Title, Sub string
	Start, End time.Time
	Href       string
	Tone       Tone
}

// lanes is how many sessions fit side by side in a day of a week's view.
const lanes = 3

// Hours lists the hours from From up to To.
func (c Calendar) Hours() (h []int) {
	for i := c.From; i < c.To; i++ {
		h = append(h, i)
	}
	return h
}

// CalSlot is a session in its place.
type CalSlot struct {
	CalItem
	Class string
}

// Slots places the sessions of a day: a row for every half hour, side by side
// where they overlap. Those for which there is no lane are counted in more.
func (c Calendar) Slots(d CalDay) []CalSlot {
	slots, _ := c.place(d)
	return slots
}

// More counts the sessions of a day that found no place.
func (c Calendar) More(d CalDay) int {
	_, more := c.place(d)
	return more
}

func (c Calendar) place(d CalDay) (slots []CalSlot, more int) {
	items := slices.Clone(d.Items)
	slices.SortStableFunc(items, func(a, b CalItem) int { return cmp.Or(a.Start.Compare(b.Start), b.End.Compare(a.End)) })
	rows := 2 * (c.To - c.From)
	var busy [lanes]int // the row after the last session in the lane
	for _, it := range items {
		start := 2*(it.Start.Hour()-c.From) + it.Start.Minute()/30
		end := 2*(it.End.Hour()-c.From) + (it.End.Minute()+29)/30
		start, end = max(0, start), min(rows, max(start+1, end))
		lane := slices.IndexFunc(busy[:], func(free int) bool { return free <= start })
		if lane < 0 || start >= end {
			more++
			continue
		}
		busy[lane] = end
		class := fmt.Sprintf("row-start-%d row-span-%d col-start-%d", start+1, end-start, lane+1)
		if it.Tone != ToneNone {
			class += " tone-" + string(it.Tone)
		}
		slots = append(slots, CalSlot{it, class})
	}
	return slots, more
}
