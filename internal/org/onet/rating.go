package onet

import (
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind is what sort of thing an element is.
type Kind string

// The kinds of element that occupations are rated on here.
const (
	Skill     Kind = "skill"      // 35, importance and level
	Knowledge Kind = "knowledge"  // 33, importance and level
	WorkStyle Kind = "work_style" // 16, importance only
)

// Element is a skill, knowledge area or work style of O*NET's content model.
type Element struct {
	ID            string // such as "1.C.7.a"
	Kind          Kind
	Name          string // English
	NameZH        string
	Description   string // English
	DescriptionZH string
	Anchors       []Anchor // what some levels look like, lowest first; none for work styles
}

// Anchor is an example that the people who rate levels are shown.
type Anchor struct {
	Level float64 // 0–100: 100·LV/7, as in Rating
	Text  string  // English
}

// In is the element's name in a language ("zh-CN" or "en").
func (e Element) In(lang string) string {
	if isChinese(lang) {
		return e.NameZH
	}
	return e.Name
}

type elements struct {
	all []Element
	at  map[string]int
}

var loadElements = sync.OnceValue(unpackElements)

func unpackElements() *elements {
	s := section("elements")
	ids, names, texts := s.strings(), s.strings(), s.strings()
	d := &elements{at: map[string]int{}}
	for i := range ids.len() {
		e := Element{ID: ids.at(i), Name: names.at(i), Description: texts.at(i)}
		switch {
		case strings.HasPrefix(e.ID, "1.C"):
			e.Kind = WorkStyle
		case strings.HasPrefix(e.ID, "2.C"):
			e.Kind = Knowledge
		default:
			e.Kind = Skill
		}
		if zh := zhElements()[e.ID]; len(zh) == 2 {
			e.NameZH, e.DescriptionZH = zh[0], zh[1]
		}
		d.at[e.ID] = i
		d.all = append(d.all, e)
	}
	of, value, text := s.next(), s.next(), s.strings()
	for i, e := range of {
		d.all[e].Anchors = append(d.all[e].Anchors, Anchor{level(100 * int(value[i])), text.at(i)})
	}
	return d
}

// Elements yields the elements of a kind in O*NET's order.
func Elements(kind Kind) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for _, e := range loadElements().all {
			if e.Kind == kind && !yield(e) {
				return
			}
		}
	}
}

// FindElement returns the element of an O*NET element ID, such as "2.B.1.f".
func FindElement(id string) (Element, bool) {
	d := loadElements()
	i, ok := d.at[id]
	if !ok {
		return Element{}, false
	}
	return d.all[i], true
}

// Measure is a mean over those who rated.
type Measure struct {
	Value float64 // 0–100
	SE    float64 // standard error of Value, on the same scale; NaN where not published
	N     int     // how many rated; 0 where not published

	// Suppress is set where O*NET recommends not to use the value, because the
	// raters disagree too much or were too few.
	Suppress bool
	// NotRelevant is set on a level where most raters called the element not
	// important at all, and so rated no level.
	NotRelevant bool
}

// MarshalJSON leaves out an SE that was not published; JSON has no NaN.
func (m Measure) MarshalJSON() ([]byte, error) {
	var se *float64
	if !math.IsNaN(m.SE) {
		se = &m.SE
	}
	return json.Marshal(struct {
		Value       float64  `json:"value"`
		SE          *float64 `json:"se,omitempty"`
		N           int      `json:"n,omitempty"`
		Suppress    bool     `json:"suppress,omitempty"`
		NotRelevant bool     `json:"not_relevant,omitempty"`
	}{m.Value, se, m.N, m.Suppress, m.NotRelevant})
}

// Rating is how much of an element an occupation asks for.
type Rating struct {
	Element    Element
	Importance Measure // 25·(IM−1) of O*NET's 1 (not important) to 5 (extremely important)

	// Level is 100·LV/7 of O*NET's 0–7. It is not on the scale of a test: take
	// it as a provisional start for a required level until experts have set
	// one. Nil for a work style, which has none.
	Level *Measure

	Date   string // month of the rating, such as "2022-08"
	Source Source
}

// Source says who rated.
type Source string

// The sources, as O*NET names them.
const (
	Incumbent  Source = "Incumbent"            // people who do the work
	Expert     Source = "Occupational Expert"  // people who know the occupation well
	Analyst    Source = "Analyst"              // trained analysts, from descriptions
	Transition Source = "Analyst - Transition" // analysts, carried over from an older data collection
)

// importance and level put hundredths of O*NET's points on 0–100.
func importance(hundredths int) float64 { return float64(hundredths-100) / 4 }
func level(hundredths int) float64      { return float64(hundredths) / 7 }

const unpublished = math.MaxUint16 // as a standard error

// ratings is a cube of scale × element × occupation.
type ratings struct {
	element      []string
	scale        list
	row          map[int]int // occupation to its place in the cube
	date, source list
	value, se    []uint16 // hundredths, ten-thousandths of a point
	n, flags     []byte
}

func unpackRatings(name string) *ratings {
	s := section(name)
	d := &ratings{row: map[int]int{}}
	ids := s.strings()
	for i := range ids.len() {
		d.element = append(d.element, ids.at(i))
	}
	d.scale = s.strings()
	which := s.next()
	for i, o := 0, 0; len(which) > 0; i++ {
		o += uvarint(&which)
		d.row[o] = i
	}
	d.date, d.source = s.strings(), s.strings()
	d.value, d.se = s.uint16s(), s.uint16s()
	d.n, d.flags = slices.Clone(s.next()), slices.Clone(s.next()) // lets go of the section
	return d
}

var (
	loadSkills    = sync.OnceValue(func() *ratings { return unpackRatings("skills") })
	loadKnowledge = sync.OnceValue(func() *ratings { return unpackRatings("knowledge") })
	loadStyles    = sync.OnceValue(func() *ratings { return unpackRatings("styles") })
)

func (d *ratings) of(o Occupation) []Rating {
	row, ok := d.row[o.at]
	if !ok {
		return nil
	}
	measure := func(scale, element int) Measure {
		i := (scale*len(d.element)+element)*len(d.row) + row
		points, span := importance(int(d.value[i])), 25.0
		if d.scale.at(scale) == "LV" {
			points, span = level(int(d.value[i])), 100.0/7
		}
		m := Measure{
			Value: points, SE: math.NaN(), N: int(d.n[i]),
			Suppress: d.flags[i]&3 == 1, NotRelevant: d.flags[i]&4 != 0,
		}
		if d.se[i] != unpublished {
			m.SE = float64(d.se[i]) / 10000 * span
		}
		return m
	}
	month, year, _ := strings.Cut(d.date.at(row), "/")
	out := make([]Rating, len(d.element))
	for e, id := range d.element {
		r := Rating{Importance: measure(0, e), Date: year + "-" + month, Source: Source(d.source.at(row))}
		r.Element, _ = FindElement(id)
		if d.scale.len() > 1 {
			m := measure(1, e)
			r.Level = &m
		}
		out[e] = r
	}
	return out
}

// Skills returns how an occupation was rated on all 35 skills, in O*NET's
// order; nil for an occupation that was not rated.
func (o Occupation) Skills() []Rating { return loadSkills().of(o) }

// Knowledge returns how an occupation was rated on all 33 knowledge areas; nil
// for an occupation that was not rated.
func (o Occupation) Knowledge() []Rating { return loadKnowledge().of(o) }

// WorkStyles returns how important the 16 work styles are for an occupation;
// nil for an occupation that was not rated. They have no level.
func (o Occupation) WorkStyles() []Rating { return loadStyles().of(o) }

// Tasks returns what people of an occupation do, in O*NET's order; nil for an
// occupation without task statements.
func (o Occupation) Tasks() []Task {
	d := loadTasks()
	var out []Task
	for i := int(d.of[o.at]); i < int(d.of[o.at+1]); i++ {
		t := Task{
			ID: strconv.Itoa(int(d.id[i])), Text: d.text.at(i),
			Kind: TaskKind(d.kind[i]), Asked: int(d.asked[i]), Rating: d.rating[i],
		}
		if zh := zhTasks()[t.ID]; len(zh) > 0 {
			t.TextZH = zh[0]
		}
		out = append(out, t)
	}
	return out
}
