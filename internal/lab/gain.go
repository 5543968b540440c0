package lab

import (
	"math"
	"slices"

	"attune/internal/engine/effect"
	"attune/internal/engine/irt"
	"attune/internal/fault"
	"attune/internal/locale"
)

// GainOptions say how a gain between two tests is estimated.
type GainOptions struct {
	ResponseOptions
	Reference  string  // group that the others are compared with; "": the first in order
	Confidence float64 // of intervals
}

// Gain is what people gained between two tests, under the joint model of both.
type Gain struct {
	Persons       int           `json:"persons"`
	Reference     string        `json:"reference,omitempty"`
	GroupEffect   *GainEffect   `json:"group_effect,omitempty"` // of the only other group
	Effects       []GainEffect  `json:"effects,omitempty"`      // of every group against the reference
	Groups        []GainOfGroup `json:"groups"`
	SDBefore      float64       `json:"sd_before"`   // logits, within groups
	SDAfter       float64       `json:"sd_after"`    //
	Correlation   float64       `json:"correlation"` // of before and after, within groups, free of test error
	LogLikelihood float64       `json:"log_likelihood"`
	Iterations    int           `json:"iterations"`
	Converged     bool          `json:"converged"`
	People        []GainPerson  `json:"people"`
	Noted
}

// GainNumber is an estimate with its interval.
type GainNumber struct {
	Estimate float64 `json:"estimate"`
	SE       float64 `json:"se"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	P        float64 `json:"p"`
}

// GainEffect is how much more a group gained than the reference.
type GainEffect struct {
	Group      string     `json:"group"`
	GainNumber            // logits
	Points     GainNumber `json:"points"` // of S, 0–100
}

// GainOfGroup is a group's mean gain.
type GainOfGroup struct {
	Group      string     `json:"group"`
	N          int        `json:"n"`
	GainNumber            // logits
	Points     GainNumber `json:"points"`
}

// GainPerson is what is known of one person's gain.
type GainPerson struct {
	Person string  `json:"person"`
	Group  string  `json:"group,omitempty"`
	Before float64 `json:"before"` // logits
	After  float64 `json:"after"`
	Gain   float64 `json:"gain"` // logits
	SE     float64 `json:"se"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`

	GainS float64 `json:"gain_points"` // of S, 0–100
	SES   float64 `json:"se_points"`
	LowS  float64 `json:"low_points"`
	HighS float64 `json:"high_points"`
}

// FitGain reads both tests and fits the joint model. People are paired by the
// column that names them; files without one are paired row by row.
func FitGain(beforePath, afterPath, bankPath string, o GainOptions) (*Gain, error) {
	k, err := readBank(bankPath, o.SkipBad)
	if err != nil {
		return nil, err
	}
	o.known, o.top = k.place, 1
	var tests [2]*responses
	for i, path := range []string{beforePath, afterPath} {
		ro := o.ResponseOptions
		if ro.Group != "" { // the group may stand in either file, or in both
			has, err := hasColumn(path, ro.Group)
			if err != nil {
				return nil, err
			}
			if !has {
				ro.Group = ""
			}
		}
		if tests[i], err = readResponses(path, ro, true); err != nil {
			return nil, err
		}
	}
	if o.Group != "" && tests[0].group == nil && tests[1].group == nil {
		return nil, fault.New(fault.Invalid, "lab.column.none", beforePath, o.Group, "")
	}
	out := &Gain{Noted: Noted{BadRows: slices.Concat(k.bad, tests[0].bad, tests[1].bad)}}

	type person struct {
		name, group string
		pair        irt.Pair
		seen        bool
	}
	var people []*person
	byName := map[string]*person{}
	for i, r := range tests {
		seen := map[string]bool{}
		for row := range r.len() {
			name := r.who[row]
			if seen[name] {
				return nil, fault.New(fault.Invalid, "lab.irt.person_twice", []string{beforePath, afterPath}[i], name)
			}
			seen[name] = true
			p := byName[name]
			if p == nil {
				p = &person{name: name}
				byName[name] = p
				people = append(people, p)
			}
			if r.group != nil {
				g := r.groups[r.group[row]]
				if p.group != "" && p.group != g {
					return nil, fault.New(fault.Invalid, "lab.irt.group_changed", name, p.group, g)
				}
				p.group = g
			}
			if i == 0 {
				p.pair.Before = k.answers(r, row)
			} else {
				p.pair.After = k.answers(r, row)
			}
		}
	}
	people = slices.DeleteFunc(people, func(p *person) bool {
		return len(p.pair.Before)+len(p.pair.After) == 0 || o.Group != "" && p.group == ""
	})
	var names []string
	for _, p := range people {
		if !slices.Contains(names, p.group) {
			names = append(names, p.group)
		}
	}
	names = sortedLevels(names)
	if o.Reference != "" {
		at := slices.Index(names, o.Reference)
		if at < 0 {
			return nil, fault.New(fault.Invalid, "lab.irt.no_group", o.Reference)
		}
		names = slices.Insert(slices.Delete(names, at, at+1), 0, o.Reference)
	}
	group := make([]int, len(people))
	count := make([]float64, len(names))
	pairs := make([]irt.Pair, len(people))
	for i, p := range people {
		group[i] = slices.Index(names, p.group)
		count[group[i]]++
		pairs[i] = p.pair
		pairs[i].X = make([]float64, len(names))
		pairs[i].X[0] = 1
		if group[i] > 0 {
			pairs[i].X[group[i]] = 1
		}
	}
	level := o.Confidence
	if level == 0 {
		level = 0.95
	}
	g, err := irt.JointGain(pairs, k.items, irt.FitOptions{Names: slices.Concat([]string{"1"}, names[min(1, len(names)):]), Level: level})
	if err != nil {
		return nil, Explain(err)
	}
	out.Persons, out.SDBefore, out.SDAfter, out.Correlation = len(people), g.SDBefore, g.SDAfter, g.Correlation
	out.LogLikelihood, out.Iterations, out.Converged, out.Warnings = g.LogLikelihood, g.Iterations, g.Converged, g.Warnings

	// number gives a weighted sum of gains its error.
	number := func(c []float64, f func([]float64) (float64, []float64)) GainNumber {
		value, influence := f(c)
		for i := range influence {
			influence[i] *= float64(len(influence))
		}
		e := effect.FromInfluence(value, influence, nil, group, effect.Options{Confidence: level})
		return GainNumber{e.Estimate, e.SE, e.Low, e.High, e.P}
	}
	weights := func(plus, minus int) []float64 {
		c := make([]float64, len(people))
		for i, j := range group {
			switch j {
			case plus:
				c[i] = 1 / count[j]
			case minus:
				c[i] = -1 / count[j]
			}
		}
		return c
	}
	for j, name := range names {
		c := weights(j, -1)
		out.Groups = append(out.Groups, GainOfGroup{name, int(count[j]), number(c, g.ThetaFunctional), number(c, g.Functional)})
		if j > 0 {
			c = weights(j, 0)
			out.Effects = append(out.Effects, GainEffect{name, number(c, g.ThetaFunctional), number(c, g.Functional)})
		}
	}
	if len(names) > 0 {
		out.Reference = names[0]
	}
	if len(out.Effects) == 1 {
		out.GroupEffect = &out.Effects[0]
	}
	z := irt.Z(level)
	for i, p := range g.People {
		out.People = append(out.People, GainPerson{
			Person: people[i].name, Group: people[i].group, Before: p.Before.Theta, After: p.After.Theta,
			Gain: p.ThetaDelta, SE: p.ThetaDeltaSE, Low: p.ThetaDelta - z*p.ThetaDeltaSE, High: p.ThetaDelta + z*p.ThetaDeltaSE,
			GainS: p.Delta, SES: p.DeltaSE, LowS: p.Low, HighS: p.High,
		})
	}
	if math.IsNaN(out.LogLikelihood) {
		return nil, Explain(irt.ErrNotConverged)
	}
	return out, nil
}

func hasColumn(path, name string) (bool, error) {
	t, err := Open(path)
	if err != nil {
		return false, err
	}
	defer t.Close()
	return slices.Contains(t.Columns, name), nil
}

// Sections lays the gains out.
func (g *Gain) Sections(l locale.Lang) []Section {
	cells := func(name, n string, a, b GainNumber) []string {
		return []string{name, n, l.Number(a.Estimate, 3), l.Number(a.SE, 3), l.Number(a.Low, 3), l.Number(a.High, 3), small(l, a.P), l.Interval(b.Estimate, b.Low, b.High, 1)}
	}
	effects := Section{Title: l.T("lab.title.group_effects", g.Reference), Head: heads(l, "group", "n", "effect", "se", "low", "high", "p", "points")}
	n := map[string]string{}
	groups := Section{Title: l.T("lab.title.gains"), Head: heads(l, "group", "n", "gain", "se", "low", "high", "p", "points")}
	for _, e := range g.Groups {
		n[e.Group] = l.Number(float64(e.N), 0)
		name := e.Group
		if name == "" {
			name = "–"
		}
		groups.Rows = append(groups.Rows, cells(name, n[e.Group], e.GainNumber, e.Points))
	}
	for _, e := range g.Effects {
		effects.Rows = append(effects.Rows, cells(e.Group, n[e.Group], e.GainNumber, e.Points))
	}
	people := Section{Title: l.T("lab.title.people"), Head: heads(l, "person", "group", "before", "after", "gain", "se", "low", "high", "points")}
	for _, p := range g.People {
		people.Rows = append(people.Rows, []string{p.Person, p.Group, l.Number(p.Before, 3), l.Number(p.After, 3), l.Number(p.Gain, 3),
			l.Number(p.SE, 3), l.Number(p.Low, 3), l.Number(p.High, 3), l.Interval(p.GainS, p.LowS, p.HighS, 1)})
	}
	sum := Section{Rows: pairs(l, "persons", l.Number(float64(g.Persons), 0), "sd_before", l.Number(g.SDBefore, 3), "sd_after", l.Number(g.SDAfter, 3),
		"correlation", l.Number(g.Correlation, 3), "log_likelihood", l.Number(g.LogLikelihood, 3))}
	return []Section{people, groups, effects, sum}
}

// Write keeps each person's gain.
func (g *Gain) Write(path string) error {
	head := []string{"person", "group", "before", "after", "gain", "se", "low", "high", "gain_points", "se_points", "low_points", "high_points"}
	return writeTable(path, head, func(put func(...any)) {
		for _, p := range g.People {
			put(p.Person, p.Group, p.Before, p.After, p.Gain, p.SE, p.Low, p.High, p.GainS, p.SES, p.LowS, p.HighS)
		}
	})
}
