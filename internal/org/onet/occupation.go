package onet

import (
	"iter"
	"slices"
	"sync"
)

// Occupation is one of O*NET's 1,016. Not all have been rated: 93 have a
// title, a description and alternate titles only.
type Occupation struct {
	Code        string // O*NET-SOC 2019, such as "43-4051.00"
	Title       string // English
	TitleZH     string // Chinese; empty outside the industries translated so far
	Description string // English
	JobZone     int    // preparation needed, 1 (little) to 5 (extensive); 0 where not published

	at int // place in the file
}

// Name is the title in a language ("zh-CN" or "en"), in English where there is
// no other.
func (o Occupation) Name(lang string) string {
	if isChinese(lang) && o.TitleZH != "" {
		return o.TitleZH
	}
	return o.Title
}

// isChinese tells zh, zh-CN, zh-Hans and the like from other languages.
func isChinese(lang string) bool { return len(lang) >= 2 && lang[:2] == "zh" }

type occupations struct {
	code, title, text list
	zone              []byte
}

var loadOccupations = sync.OnceValue(unpackOccupations)

func unpackOccupations() *occupations {
	s := section("occupations")
	return &occupations{s.strings(), s.strings(), s.strings(), slices.Clone(s.next())}
}

func (d *occupations) at(i int) Occupation {
	o := Occupation{
		Code: d.code.at(i), Title: d.title.at(i), Description: d.text.at(i), JobZone: int(d.zone[i]), at: i,
	}
	if zh := zhOccupations()[o.Code]; len(zh) > 0 {
		o.TitleZH = zh[0]
	}
	return o
}

// Find returns the occupation of an O*NET-SOC code, "43-4051.00" or, for
// short, "43-4051".
func Find(code string) (Occupation, bool) {
	if len(code) == len("43-4051") {
		code += ".00"
	}
	d := loadOccupations()
	// The file is in order of code.
	i, n := 0, d.code.len()
	for i < n {
		if mid := (i + n) / 2; d.code.at(mid) < code {
			i = mid + 1
		} else {
			n = mid
		}
	}
	if i == d.code.len() || d.code.at(i) != code {
		return Occupation{}, false
	}
	return d.at(i), true
}

// All yields every occupation in order of code.
func All() iter.Seq[Occupation] {
	return func(yield func(Occupation) bool) {
		d := loadOccupations()
		for i := range d.code.len() {
			if !yield(d.at(i)) {
				return
			}
		}
	}
}

// AlternateTitle is another name of an occupation in the United States.
type AlternateTitle struct {
	Title string
	Short string // an abbreviation, such as "CEO"; mostly empty
}

// titles holds the 56,560 alternate titles; the same one often serves several
// occupations, and is kept once.
type titles struct {
	text  list     // in byte order
	of    []int32  // occupation o has ids[of[o]:of[o+1]]
	ids   []uint16 // into text
	short map[int32]string
}

var loadTitles = sync.OnceValue(unpackTitles)

func unpackTitles() *titles {
	s := section("titles")
	shared, rest := s.next(), s.strings()
	counts, ids, has, shorts := s.next(), s.next(), s.next(), s.strings()
	var d titles
	size := len(rest.text)
	for _, n := range shared {
		size += int(n)
	}
	all := make([]byte, 0, size)
	d.text.ends = make([]uint32, len(shared))
	last := 0
	for i, n := range shared {
		begin := len(all)
		all = append(append(all, all[last:last+int(n)]...), rest.at(i)...)
		d.text.ends[i] = uint32(len(all))
		all = append(all, '\n')
		last = begin
	}
	d.text.text = string(all)
	per := make([]int, 0, loadOccupations().code.len())
	for len(counts) > 0 {
		per = append(per, uvarint(&counts))
	}
	d.of = starts(per)
	d.ids = make([]uint16, 0, len(has))
	for _, n := range per {
		id := 0
		for range n {
			id += uvarint(&ids)
			d.ids = append(d.ids, uint16(id))
		}
	}
	d.short = make(map[int32]string, shorts.len())
	for i, h := range has {
		if h == 1 {
			d.short[int32(i)] = shorts.at(len(d.short))
		}
	}
	return &d
}

// AlternateTitles returns the other titles of an occupation in English, in
// alphabetical order.
func (o Occupation) AlternateTitles() []AlternateTitle {
	d := loadTitles()
	var out []AlternateTitle
	for i := d.of[o.at]; i < d.of[o.at+1]; i++ {
		out = append(out, AlternateTitle{d.text.at(int(d.ids[i])), d.short[i]})
	}
	return out
}

type relations struct {
	of []int32
	to []uint16
}

var loadRelated = sync.OnceValue(unpackRelated)

func unpackRelated() *relations {
	s := section("related")
	var per []int
	for _, n := range s.next() {
		per = append(per, int(n))
	}
	return &relations{starts(per), s.uint16s()}
}

// Related returns the occupations most like o by what their people do and
// know and by title, most alike first: O*NET's five closest, the next five,
// and ten supplemental ones; none for an occupation that was not rated.
func (o Occupation) Related() []Occupation {
	d, all := loadRelated(), loadOccupations()
	var out []Occupation
	for _, i := range d.to[d.of[o.at]:d.of[o.at+1]] {
		out = append(out, all.at(int(i)))
	}
	return out
}

// Task is something that people of an occupation do.
type Task struct {
	ID     string // O*NET's number
	Text   string // English
	TextZH string // Chinese; empty unless translated (41-1011, 41-2031, 43-1011, 43-4051)
	Kind   TaskKind
	Asked  int // how many people answered for it; 0 where not published

	// Rating is nil but for the tasks of 43-4051.
	Rating *TaskRating
}

// In is the task's text in a language, in English where there is no other.
func (t Task) In(lang string) string {
	if isChinese(lang) && t.TextZH != "" {
		return t.TextZH
	}
	return t.Text
}

// TaskKind says how central a task is. O*NET calls a task core when at least
// 67 % of those asked say that it is relevant and rate its importance 3 or more.
type TaskKind byte

// The kinds of task.
const (
	Unclassified TaskKind = iota // from analysts, without a survey
	Core
	Supplemental
)

// TaskRating is what people of the occupation said about a task. It was typed
// by hand from an O*NET table that did not state its version, so it may be of
// another release than the rest.
type TaskRating struct {
	Importance float64 // 0–100: 25·(IM−1) of O*NET's 1–5
	Relevance  float64 // percentage of those asked for whom it is part of the job
	// Frequency is the percentage who do it: yearly or less, more than yearly,
	// more than monthly, more than weekly, daily, several times a day, hourly
	// or more.
	Frequency [7]float64
}

type tasks struct {
	of     []int32
	id     []int32
	kind   []byte
	asked  []uint16
	text   list
	rating map[int]*TaskRating
}

var loadTasks = sync.OnceValue(unpackTasks)

func unpackTasks() *tasks {
	s := section("tasks")
	counts, ids := s.next(), s.next()
	var d tasks
	var per []int
	for len(counts) > 0 {
		per = append(per, uvarint(&counts))
	}
	d.of = starts(per)
	id := 0
	for len(ids) > 0 {
		id += varint(&ids)
		d.id = append(d.id, int32(id))
	}
	d.kind = slices.Clone(s.next()) // lets go of the section
	asked := s.next()
	for len(asked) > 0 {
		d.asked = append(d.asked, uint16(uvarint(&asked)))
	}
	d.text = s.strings()
	d.rating = map[int]*TaskRating{}
	at, values := s.next(), s.next()
	for i := 0; len(at) > 0; {
		i += uvarint(&at)
		var r TaskRating
		for k := range r.Frequency {
			r.Frequency[k] = float64(uvarint(&values)) / 100
		}
		r.Importance = importance(uvarint(&values))
		r.Relevance = float64(uvarint(&values)) / 100
		d.rating[i] = &r
	}
	return &d
}
