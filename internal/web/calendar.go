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

// lanes is how many sessions fit side by side in a day: two in a week's view, six in a day's.
func (c Calendar) lanes() int { return min(6, max(2, 10/max(1, len(c.Days)))) }

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
	type spot struct {
		CalItem
		start, end, lane int
	}
	var bunch []spot               // sessions that overlap one another, directly or by way of others
	var until int                  // where the bunch ends
	busy := make([]int, c.lanes()) // when each lane is free again
	settle := func() {
		wide := 1
		for _, s := range bunch {
			wide = max(wide, s.lane+1)
		}
		span := 6 / wide // a day is six columns, so that one, two, three or six share it evenly
		for _, s := range bunch {
			class := fmt.Sprintf("row-start-%d row-span-%d col-start-%d col-span-%d", s.start+1, s.end-s.start, s.lane*span+1, span)
			if s.Tone != ToneNone {
				class += " tone-" + string(s.Tone)
			}
			slots = append(slots, CalSlot{s.CalItem, class})
		}
		bunch = nil
		clear(busy)
	}
	for _, it := range items {
		start := 2*(it.Start.Hour()-c.From) + it.Start.Minute()/30
		end := 2*(it.End.Hour()-c.From) + (it.End.Minute()+29)/30
		start, end = max(0, start), min(rows, max(start+1, end))
		if start >= end {
			more++ // outside of the hours shown
			continue
		}
		if start >= until {
			settle()
		}
		lane := slices.IndexFunc(busy, func(free int) bool { return free <= start })
		if lane < 0 {
			more++
			continue
		}
		busy[lane] = end
		until = max(until, end)
		bunch = append(bunch, spot{it, start, end, lane})
	}
	settle()
	return slots, more
}
