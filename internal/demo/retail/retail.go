// Package retail holds the sample retailer as texts in two languages: what the
// company is called and does, what its people must be able to do, the items
// that test it, the courses that teach it, and what people write in surveys.
//
// Everything here is invented. The texts lie in data/, to be read and mended
// by hand; Load reads them. Nothing is simulated here.
package retail

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"attune/internal/locale"
)

//go:embed data
var data embed.FS

// Sample is the whole retailer.
type Sample struct {
	Company    Company
	Names      Names
	Skills     []Skill
	Positions  []Position
	Process    Process
	Items      []Item
	Courses    []Course
	Needs      Survey // asked before a programme is planned
	Reaction   Survey // asked after a course
	Comments   []Comment
	Interviews []Interview
}

// Skill is something people must be able to do.
type Skill struct {
	Key        string      `json:"key"`
	Name       locale.Text `json:"name"`
	About      locale.Text `json:"about"`
	Kind       string      `json:"kind"`    // skill, knowledge or style
	Element    string      `json:"element"` // of O*NET, that it comes from
	Innovation bool        `json:"innovation"`
	Parts      []Part      `json:"-"` // the points its items ask about
}

// Part is a point of a skill.
type Part struct {
	Key  string
	Name locale.Text
}

// Position is a job, with what it asks for.
type Position struct {
	Key        string      `json:"key"`
	Name       locale.Text `json:"name"`
	Occupation string      `json:"occupation"` // O*NET-SOC code
	Share      float64     `json:"share"`      // of the people; the shares sum to 1
	Requires   []Require   `json:"requires"`
}

// Require says how much a position asks of a skill.
type Require struct {
	Skill      string  `json:"skill"`
	Importance float64 `json:"importance"` // 0–100, as O*NET 29.3 has it for the skill's element
	Weight     float64 `json:"weight"`     // in S of the position: 0 for innovation, the others sum to 1
	Level      float64 `json:"level"`      // about what its experts would say, points of S, 0–100
}

// Process is how the work goes.
type Process struct {
	Key   string      `json:"key"`
	Name  locale.Text `json:"name"`
	About locale.Text `json:"about"`
	Steps []Step      `json:"steps"`
}

// Step is one stretch of a process; the three judgements run from 1 to 5.
type Step struct {
	Key        string      `json:"key"`
	Name       locale.Text `json:"name"`
	Difficulty int         `json:"difficulty"`
	Importance int         `json:"importance"`
	Frequency  int         `json:"frequency"`
	Positions  []string    `json:"positions"` // Position.Key: who does it
	Skills     []string    `json:"skills"`    // Skill.Key: what it takes
}

// Item is a question with one right option.
type Item struct {
	Key     string // "complaint-07": the skill, and its place in the skill's file
	Skill   string
	Part    Part
	Stem    locale.Text
	Options []locale.Text // four
	Answer  int           // index of the right option
	Quiz    bool          // asked in a course, with its answer told, and so to be kept out of tests
}

// Course is what people sign up for.
type Course struct {
	Key        string      `json:"key"`
	Title      locale.Text `json:"title"`
	About      locale.Text `json:"about"`
	Cycle      int         `json:"cycle"`  // 1: the first programme; 2: the practice added after it
	Dated      bool        `json:"dated"`  // people come together in sessions with seats
	Seats      int         `json:"seats"`  // of a session; 0 where it is online
	Months     int         `json:"months"` // until its content is due for review
	Needs      []string    `json:"needs"`  // Course.Key: to be done before it
	Activities []Activity  `json:"activities"`
}

// Minutes returns the length of the course.
func (c *Course) Minutes() int {
	n := 0
	for _, a := range c.Activities {
		n += a.Minutes
	}
	return n
}

// Activity is one thing to do in a course.
type Activity struct {
	Key     string      `json:"key"`
	Kind    string      `json:"kind"`   // page, quiz, scene, workshop, role_play, exercise, coaching
	Method  string      `json:"method"` // reading, lecture, retrieval, simulation, exercise, role_play, workshop, coaching, case_study
	Title   locale.Text `json:"title"`
	Minutes int         `json:"minutes"`
	Teaches []Teach     `json:"teaches"`
	Items   []string    `json:"items"` // of a quiz: Item.Key
	Body    locale.Text `json:"-"`     // Markdown; data/pages/<key>.zh.md and .en.md
	Nodes   []Node      `json:"-"`     // of a scene; data/scenes/<key>.txt; the first is where it begins
}

// Teach is the share of an activity's minutes that goes to a skill, (0, 1].
type Teach struct {
	Skill string  `json:"skill"`
	Share float64 `json:"share"`
}

// Node is a moment of a branching scene.
type Node struct {
	ID      string
	Says    locale.Text // what the customer says or does
	Choices []Choice    // none: the scene ends here
	Score   float64     // 0–1, of an ending
}

// Choice is one way to answer at a Node.
type Choice struct {
	Says locale.Text
	Next string      // Node.ID
	Why  locale.Text // said after it was chosen
}

// Survey is a questionnaire.
type Survey struct {
	Name      locale.Text `json:"name"`
	Questions []Question  `json:"questions"`
}

// Question is one question of a survey.
type Question struct {
	ID      string        `json:"id"`
	Kind    string        `json:"kind"` // likert (1–5), ranking, choice, text
	Text    locale.Text   `json:"text"`
	Options []locale.Text `json:"options"` // of ranking and choice
	Keys    []string      `json:"keys"`    // what each option stands for: Skill.Key of a ranking, Activity.Method of a preferred format
	Skill   string        `json:"skill"`   // whose interest a likert question asks for
	Aspect  string        `json:"aspect"`  // of a reaction: trainer, content, pace, venue, use
}

// Comment is what somebody writes in a survey's free text, in their own
// language only.
type Comment struct {
	Lang      locale.Lang
	Skill     string // what it speaks of; empty: the course as a whole
	Aspect    string // wish, in the needs survey; else trainer, content, pace, venue, use
	Sentiment int    // −1, 0, 1; 0 of a wish
	Text      string
}

// Interview is a note of a talk with somebody who knows the work, filed to a
// skill and a position.
type Interview struct {
	Skill    string      `json:"skill"`
	Position string      `json:"position"`
	Who      locale.Text `json:"who"`
	Text     locale.Text `json:"text"`
}

// Load returns the sample. It is read once and shared: change nothing in it.
// A fault in the data is a fault of the build, and panics.
func Load() *Sample { return load() }

var load = sync.OnceValue(func() *Sample {
	s, err := read()
	if err != nil {
		panic("retail: " + err.Error())
	}
	return s
})

func read() (*Sample, error) {
	s := &Sample{}
	for _, f := range []struct {
		name string
		into any
	}{
		{"company.json", &s.Company},
		{"skills.json", &s.Skills},
		{"positions.json", &s.Positions},
		{"process.json", &s.Process},
		{"courses.json", &s.Courses},
		{"needs_survey.json", &s.Needs},
		{"reaction_survey.json", &s.Reaction},
		{"interviews.json", &s.Interviews},
	} {
		if err := readJSON(f.name, f.into); err != nil {
			return nil, err
		}
	}
	for i := range s.Skills {
		k := &s.Skills[i]
		parts, items, err := readItems(k.Key)
		if err != nil {
			return nil, err
		}
		k.Parts = parts
		s.Items = append(s.Items, items...)
	}
	for i := range s.Courses {
		for j := range s.Courses[i].Activities {
			if err := readActivity(&s.Courses[i].Activities[j]); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if s.Comments, err = readComments(); err != nil {
		return nil, err
	}
	s.Names, err = readNames()
	return s, err
}

func readJSON(name string, into any) error {
	f, err := data.Open("data/" + name)
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readActivity adds what lies in files of its own: every activity has a text
// but the quiz, and a scene has its nodes.
func readActivity(a *Activity) error {
	if a.Kind == "scene" {
		nodes, err := readScene(a.Key)
		if err != nil {
			return err
		}
		a.Nodes = nodes
	}
	if a.Kind == "quiz" {
		return nil
	}
	zh, err := data.ReadFile("data/pages/" + a.Key + ".zh.md")
	if err != nil {
		return err
	}
	en, err := data.ReadFile("data/pages/" + a.Key + ".en.md")
	a.Body = locale.Both(strings.TrimSpace(string(zh)), strings.TrimSpace(string(en)))
	return err
}

// Skill returns the skill of that key, and nil where there is none.
func (s *Sample) Skill(key string) *Skill {
	return find(s.Skills, func(k *Skill) bool { return k.Key == key })
}

// Position returns the position of that key, and nil where there is none.
func (s *Sample) Position(key string) *Position {
	return find(s.Positions, func(p *Position) bool { return p.Key == key })
}

// Course returns the course of that key, and nil where there is none.
func (s *Sample) Course(key string) *Course {
	return find(s.Courses, func(c *Course) bool { return c.Key == key })
}

func find[T any](xs []T, is func(*T) bool) *T {
	for i := range xs {
		if is(&xs[i]) {
			return &xs[i]
		}
	}
	return nil
}
