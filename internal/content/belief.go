package content

import (
	"cmp"
	"slices"
)

// Alone reports whether an activity is done by oneself, so that its time is
// measured by visits; the others are done in sessions.
func (k Kind) Alone() bool {
	switch k {
	case Workshop, RolePlay, Coaching:
		return false
	}
	return true
}

// Attention is the share of its minutes that an activity is expected to hold
// before any visit was measured. The figures are ours, a guess to be replaced
// by what is measured (attention.Held).
func (k Kind) Attention() float64 {
	switch k {
	case Page, Video:
		return 0.75
	case Quiz, Scene, Exercise:
		return 0.85
	}
	return 0.9
}

// Believed returns λ of an activity for a skill of the kind (skill, knowledge
// or style), per focused hour, with its standard error: as last re-estimated,
// else the method's prior, whose error is taken as half of it.
func (a *Activity) Believed(t Teaches, kind string) (rate, se float64) {
	if t.Rate != nil && t.RateSE != nil {
		return *t.Rate, *t.RateSE
	}
	p := Methods[a.Method]
	if p == nil {
		return 0, 0
	}
	rate = p.Rate(kind)
	return rate, rate / 2
}

// Practice proposes up to three ways of practising for a skill of the kind,
// those that were not used first, the fastest first. Reading and lectures are
// never among them.
func Practice(kind string, used map[Method]bool) []Method {
	var all []Method
	for _, m := range MethodNames {
		if m != ByReading && m != ByLecture && m != ByRetrieval {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b Method) int {
		if used[a] != used[b] {
			if used[b] {
				return -1
			}
			return 1
		}
		return cmp.Compare(Methods[b].Rate(kind), Methods[a].Rate(kind))
	})
	return all[:min(3, len(all))]
}
