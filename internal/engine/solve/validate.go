package solve

import (
	"errors"
	"fmt"
)

// ErrInstance is wrapped by the errors of an instance that is not well formed.
var ErrInstance = errors.New("solve: the instance is not well formed")

// Validate reports the first thing wrong with an instance's form: a column too
// short, an index out of range, a quantity that cannot be.
func (in *Instance) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInstance, fmt.Sprintf(format, args...))
	}
	n, k := in.People.Len(), len(in.Skills)
	p := &in.People
	switch {
	case n == 0:
		return bad("no people")
	case k == 0:
		return bad("no skills")
	case in.SigmaS <= 0 || in.Innovation >= 0 && in.SigmaI <= 0:
		return bad("sigma must be positive")
	case int(in.Innovation) >= k:
		return bad("innovation is skill %d of %d", in.Innovation, k)
	case in.Alpha < 0 || in.Beta < 0:
		return bad("alpha and beta must not be negative")
	case in.ChangePrice < 0:
		return bad("the price on change must not be negative")
	case len(p.ID) != 0 && len(p.ID) != n, len(p.Site) != n, len(p.Team) != n, len(p.Unit) != n, len(p.Group) != n, len(p.Profile) != n,
		len(p.Hours) != n, len(p.Attention) != n, len(p.Proficiency) != n*k, len(p.Stratum) != 0 && len(p.Stratum) != n:
		return bad("a column of people has another length than position, %d", n)
	}
	for f, row := range in.Fit {
		if len(row) != len(in.Formats) {
			return bad("fit %d has %d formats of %d", f, len(row), len(in.Formats))
		}
	}
	for x, pos := range in.Positions {
		if len(pos.Weights) != k || len(pos.Ceiling) != k {
			return bad("position %d lacks a skill", x)
		}
		for _, w := range pos.Weights {
			if !(w >= 0) {
				return bad("position %d has a negative weight", x)
			}
		}
	}
	home := make([]int32, len(in.Teams))
	for x := range home {
		home[x] = -1
	}
	for i := range n {
		switch {
		case out(p.Position[i], 0, len(in.Positions)), out(p.Site[i], 0, len(in.Sites)), out(p.Team[i], -1, len(in.Teams)),
			out(p.Unit[i], -1, len(in.Units)), out(p.Group[i], -1, len(in.Groups)), out(p.Profile[i], 0, len(in.Fit)):
			return bad("person %d refers to what is not there", i)
		case !(p.Hours[i] >= 0) || !(p.Attention[i] >= 0):
			return bad("person %d has negative time", i)
		}
		if t := p.Team[i]; t >= 0 {
			if home[t] >= 0 && home[t] != p.Site[i] {
				return bad("team %d is on two sites", t)
			}
			home[t] = p.Site[i]
		}
	}
	for j, of := range in.Offerings {
		if len(of.Rates) != k || out(of.Format, 0, len(in.Formats)) || !(of.Hours >= 0) || !(of.Cost >= 0) {
			return bad("offering %d", j)
		}
		for _, r := range of.Rates {
			if !(r >= 0) {
				return bad("offering %d has a negative rate", j)
			}
		}
		for _, x := range of.Prerequisites {
			if out(x, 0, len(in.Offerings)) {
				return bad("offering %d needs one that is not there", j)
			}
		}
		for _, x := range of.Positions {
			if out(x, 0, len(in.Positions)) {
				return bad("offering %d is for a position that is not there", j)
			}
		}
	}
	for t, se := range in.Sessions {
		if out(se.Offering, 0, len(in.Offerings)) || out(se.Site, -1, len(in.Sites)) || se.Seats < -1 {
			return bad("session %d", t)
		}
		for a, mt := range se.Meetings {
			if mt.Start < 0 || mt.End <= mt.Start || (mt.End-1)/1440 != mt.Start/1440 {
				return bad("session %d has a meeting that is empty or passes midnight", t)
			}
			for _, other := range se.Meetings[:a] {
				if mt.Start < other.End && other.Start < mt.End {
					return bad("session %d meets twice at once", t)
				}
			}
		}
	}
	for x, c := range in.Cover {
		if out(c.Team, -1, len(in.Teams)) || c.End <= c.Start {
			return bad("cover %d", x)
		}
	}
	for x, md := range in.Mandates {
		if out(md.Offering, 0, len(in.Offerings)) {
			return bad("mandate %d", x)
		}
		for _, i := range md.People {
			if out(i, 0, n) {
				return bad("mandate %d is for a person who is not there", x)
			}
		}
	}
	for _, list := range [][]Choice{in.Locked, in.Forbidden, in.Held, in.Prior} {
		for _, c := range list {
			if out(c.Person, 0, n) || out(c.Offering, 0, len(in.Offerings)) || out(c.Session, -1, len(in.Sessions)) ||
				c.Session >= 0 && in.Sessions[c.Session].Offering != c.Offering {
				return bad("a choice of person %d: offering %d, session %d", c.Person, c.Offering, c.Session)
			}
		}
	}
	for _, i := range p.Unchanging {
		if out(i, 0, n) {
			return bad("an unchanging person who is not there")
		}
	}
	return nil
}

func out(x int32, lo, hi int) bool { return int(x) < lo || int(x) >= hi }
