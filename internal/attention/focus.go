// Package attention measures how long people attend to what they learn from,
// in focused minutes, and where they stop.
//
// A moment is focused when the page is visible, its window has the focus, and
// the person is active. It is measured in the browser from those three facts
// alone, never by camera, and never without consent.
package attention

import (
	"slices"
	"time"
)

const (
	// IdleAfter is how long after the last key, pointer, touch, scroll or
	// second of playing video a person still counts as active. A screenful of
	// 450 Chinese characters takes 90 s at the 300 a minute of careful reading.
	IdleAfter = 90 * time.Second

	// Silence is the longest stretch between two samples that is believed. The
	// player sends one every 15 s; a longer silence means that the device
	// slept, and what lies beyond is not counted.
	Silence = 30 * time.Second

	// MaxVisit is the longest visit: longer ones were left open overnight.
	MaxVisit = 4 * time.Hour
)

// Segment is a stretch of focus: its start and end in milliseconds since the
// visit began.
type Segment [2]int64

// Sample is what the player saw at a moment, and holds until the next one.
type Sample struct {
	At      int64 `json:"at"`      // ms since the visit began, by the device's clock
	Visible bool  `json:"visible"` // the page can be seen
	Focused bool  `json:"focused"` // its window has the focus
	Active  bool  `json:"active"`  // there was a key, pointer, touch or scroll since the last sample, or video plays
}

// Segments returns the stretches that were visible, focused and active. A
// clock that was set back or forward loses the stretch it jumped over, and no
// more.
func Segments(samples []Sample) []Segment {
	var all []Segment
	active := int64(-1) // when last active; −1: never
	for i, s := range samples {
		if i > 0 && s.At < samples[i-1].At {
			active = -1 // the clock was set back: what was before cannot be compared
		}
		if s.Active {
			active = s.At
		}
		if i+1 == len(samples) || !s.Visible || !s.Focused || active < 0 {
			continue
		}
		end := min(samples[i+1].At, s.At+Silence.Milliseconds(), active+IdleAfter.Milliseconds())
		if end > s.At {
			all = append(all, Segment{s.At, end})
		}
	}
	return all
}

// Clean returns the segments in order, within [0, open], overlaps and
// neighbours merged, and what is empty or ends before it starts left out.
func Clean(segments []Segment, open time.Duration) []Segment {
	limit := open.Milliseconds()
	kept := make([]Segment, 0, len(segments))
	for _, s := range segments {
		s[0], s[1] = max(0, s[0]), min(limit, s[1])
		if s[0] < s[1] {
			kept = append(kept, s)
		}
	}
	slices.SortFunc(kept, func(a, b Segment) int {
		if a[0] != b[0] {
			return int(min(1, max(-1, a[0]-b[0])))
		}
		return int(min(1, max(-1, a[1]-b[1])))
	})
	merged := kept[:0]
	for _, s := range kept {
		if n := len(merged); n > 0 && s[0] <= merged[n-1][1] {
			merged[n-1][1] = max(merged[n-1][1], s[1])
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// Total returns how long the segments last; they must be clean.
func Total(segments []Segment) time.Duration {
	var ms int64
	for _, s := range segments {
		ms += s[1] - s[0]
	}
	return time.Duration(ms) * time.Millisecond
}
