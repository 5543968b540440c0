package web

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"attune/internal/assess"
	"attune/internal/attention"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/record"
)

type learnCourseData struct {
	Head       PageHead
	About      template.HTML
	Stale      bool
	Activities []activityLine
	Progress   *Progress
	Sessions   []task
}

type activityLine struct {
	Title, Kind, Minutes, Href string
	Done, Begun, Here          bool // Here: it is done in a session
}

// learnCourse shows one course to someone who may take it.
func (s *Server) learnCourse(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := content.CourseID(r.PathValue("course"))
	var c content.Course
	var acts []content.Activity
	var prog []delivery.Progress
	var rec []delivery.Entry
	var due []delivery.Due
	var now time.Time
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		now = t.Now
		if rec, err = delivery.Record(ctx, t, a.As.ID); err != nil {
			return err
		}
		if c, err = content.FindCourse(ctx, t, id); err != nil {
			return err
		}
		if acts, err = content.ActivitiesOf(ctx, t, id); err != nil {
			return err
		}
		if due, err = delivery.Today(ctx, t, a.As.ID); err != nil {
			return err
		}
		prog, err = delivery.ProgressOf(ctx, t, a.As.ID, id)
		return err
	})
	if err != nil {
		return err
	}
	var mine *delivery.Entry
	for i := range rec {
		if rec[i].Course == id && (mine == nil || rec[i].Status == delivery.Enrolled && mine.Status != delivery.Enrolled) {
			mine = &rec[i]
		}
	}
	if mine == nil {
		return fault.New(fault.NotFound, "not_found")
	}
	p := learnCourseData{Head: PageHead{Title: a.Say(c.Title), Meta: []string{a.Say(mine.Name), a.T("delivery.status." + string(mine.Status))}}, Stale: c.Stale(now)}
	if p.About, err = content.HTML(a.Say(c.About)); err != nil {
		return err
	}
	at := map[content.ActivityID]delivery.Progress{}
	for _, x := range prog {
		at[x.Activity] = x
	}
	done, alone := 0, 0
	next := ""
	for _, x := range acts {
		l := activityLine{Title: a.Say(x.Title), Kind: a.T("content.kind." + string(x.Kind)), Minutes: a.F.Lang.Minutes(float64(x.Minutes)), Here: !x.Kind.Alone()}
		g, ok := at[x.ID]
		l.Begun, l.Done = ok, ok && !g.DoneAt.IsZero() && !g.DoneAt.Before(mine.At)
		if mine.Status == delivery.Enrolled {
			l.Href = "/learn/" + string(id) + "/" + string(x.ID)
		}
		if x.Kind.Alone() {
			alone++
			if l.Done {
				done++
			} else if next == "" {
				next = l.Href
			}
		}
		p.Activities = append(p.Activities, l)
	}
	if alone > 0 && mine.Status == delivery.Enrolled {
		p.Progress = &Progress{Label: a.T("web.progress"), Value: float64(done), Max: float64(alone), Text: a.T("web.n.of", done, alone)}
	}
	for _, d := range due {
		if d.Course == id && d.Session != "" {
			p.Sessions = append(p.Sessions, dueTask(a, d, now))
		}
	}
	if next != "" {
		p.Head.Actions = []Action{{Label: a.T(pick(done > 0, "web.resume", "web.begin")), Href: next, Primary: true, Icon: "delivery"}}
	}
	return s.show(w, r, a, Page{Name: "learncourse", Active: "learn", Narrow: true, Crumbs: []Crumb{{a.T("look.nav.learn"), "/learn"}, {a.Say(c.Title), ""}}, Data: p})
}

// playState is where a person is in an activity; each kind uses what it needs.
type playState struct {
	Scroll  float64        `json:"scroll,omitempty"`  // of a page: the share that has been read
	Answers map[string]int `json:"answers,omitempty"` // of a quiz: item → option
	Right   int            `json:"right,omitempty"`
	Last    string         `json:"last,omitempty"` // the item answered last, whose answer is still shown
	Path    []int          `json:"path,omitempty"` // of a scene: the choice made at each moment
	Replies []assess.Reply `json:"replies,omitempty"`
}

type playData struct {
	Head             PageHead
	ID, Course       string
	Kind             string
	Body             template.HTML
	Version          int64
	Scroll           string
	Done             bool
	Consent          *consentAsk
	Measure          bool
	Here             bool // it is done in a session
	Steps            []Step
	Question         *playQuestion
	Told             *told
	Moment           *moment
	Survey           []surveyQuestion
	Finish           bool // offer to complete
	Score            string
	Previous, Onward string
	Problem          string
}

type consentAsk struct{ Back string }

type playQuestion struct {
	Item    string
	N, Of   int
	Stem    string
	Options []answerOption
}

// told is what a person hears after an answer.
type told struct {
	Right        bool
	Title, Text  string
	Stem, Answer string
	Onward       string
}

type moment struct {
	Says    string
	Heard   []heard // what was said before
	Choices []answerOption
	End     bool
}

type heard struct{ Says, Chose, Why string }

func (s *Server) play(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showPlay(w, r, a, http.StatusOK, r.PathValue("course"), r.PathValue("activity"), "")
}

func (s *Server) showPlay(w http.ResponseWriter, r *http.Request, a *Asker, status int, course, activity, problem string) error {
	id := content.ActivityID(activity)
	var act content.Activity
	var acts []content.Activity
	var c content.Course
	var g delivery.Progress
	var items []content.Item
	var agreed, asked bool
	if err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		if act, err = content.FindActivity(ctx, t, id); err != nil {
			return err
		}
		if string(act.Course) != course {
			return fault.New(fault.NotFound, "not_found")
		}
		if act.Kind.Alone() {
			g, err = delivery.Launch(ctx, t, a.As.ID, id)
		} else {
			_, err = delivery.Within(ctx, t, a.As.ID, id)
		}
		if err != nil {
			return err
		}
		if c, err = content.FindCourse(ctx, t, act.Course); err != nil {
			return err
		}
		if acts, err = content.ActivitiesOf(ctx, t, act.Course); err != nil {
			return err
		}
		if len(act.Spec.Items) > 0 {
			if items, err = content.FindItems(ctx, t, act.Spec.Items...); err != nil {
				return err
			}
		}
		agreed, asked, err = attention.Asked(ctx, t, a.As.ID)
		return err
	}); err != nil {
		return err
	}
	var st playState
	if len(g.State) > 0 {
		if err := json.Unmarshal(g.State, &st); err != nil {
			return err
		}
	}
	here := "/learn/" + course + "/" + activity
	p := playData{
		Head: PageHead{Title: a.Say(act.Title), Meta: []string{a.T("content.kind." + string(act.Kind)), a.F.Lang.Minutes(float64(act.Minutes))}},
		ID:   activity, Course: course, Kind: string(act.Kind), Version: g.Version, Done: !g.DoneAt.IsZero(), Here: !act.Kind.Alone(), Measure: agreed && act.Kind.Alone(), Problem: problem,
		Scroll: strconv.FormatFloat(st.Scroll, 'f', 4, 64),
	}
	if _, err := r.Cookie(declined); err != nil && !asked && act.Kind.Alone() {
		p.Consent = &consentAsk{here}
	}
	var err error
	if p.Body, err = act.BodyIn(a.F.Lang); err != nil {
		return err
	}
	for i, x := range acts {
		step := Step{Label: a.Say(x.Title), Href: "/learn/" + course + "/" + string(x.ID), State: Wait}
		if x.ID == id {
			step.State = Now
			if i > 0 {
				p.Previous = "/learn/" + course + "/" + string(acts[i-1].ID)
			}
			if i+1 < len(acts) {
				p.Onward = "/learn/" + course + "/" + string(acts[i+1].ID)
			}
		}
		p.Steps = append(p.Steps, step)
	}
	if p.Onward == "" {
		p.Onward = "/learn/" + course
	}
	switch act.Kind {
	case content.Quiz:
		p.quiz(a, act, items, st, here, r.FormValue("told") != "")
	case content.Scene:
		p.scene(a, act, st)
	case content.Survey:
		for i, q := range act.Spec.Questions {
			f := surveyQuestion{Question: q, N: i + 1, Text: a.Say(q.Text), Value: r.FormValue(q.ID), Ranked: map[int]string{}}
			for j, o := range q.Options {
				f.Options = append(f.Options, Option{Value: strconv.Itoa(j), Label: a.Say(o)})
				f.Places = append(f.Places, Option{Value: strconv.Itoa(j + 1), Label: strconv.Itoa(j + 1)})
			}
			for v := 1; v <= 5; v++ {
				f.Scale = append(f.Scale, Option{Value: strconv.Itoa(v), Label: a.T("web.likert." + strconv.Itoa(v))})
			}
			p.Survey = append(p.Survey, f)
		}
	default:
		p.Finish = act.Kind.Alone() && !p.Done
	}
	return s.show(w, r, a, Page{Name: "play", Status: status, Active: "learn", Narrow: true, Crumbs: []Crumb{{a.T("look.nav.learn"), "/learn"}, {a.Say(c.Title), "/learn/" + course}, {a.Say(act.Title), ""}}, Data: p})
}

// quiz shows the next item, or first what came of the last one.
func (p *playData) quiz(a *Asker, act content.Activity, items []content.Item, st playState, here string, showTold bool) {
	byID := map[content.ItemID]content.Item{}
	for _, it := range items {
		byID[it.ID] = it
	}
	options := func(it content.Item) (out []answerOption) {
		for i, o := range it.Options {
			out = append(out, answerOption{Letter: string(rune('A' + i)), Text: a.Say(o), Value: i})
		}
		return out
	}
	if it, ok := byID[content.ItemID(st.Last)]; ok && showTold {
		chose := st.Answers[st.Last]
		tl := &told{Right: chose == it.Answer, Stem: a.Say(it.Stem), Onward: here}
		tl.Title = a.T(pick(tl.Right, "web.quiz.right", "web.quiz.wrong"))
		if tl.Answer = string(rune('A'+it.Answer)) + ". " + a.Say(it.Options[it.Answer]); !tl.Right && chose < len(it.Options) {
			tl.Text = a.T("web.quiz.chose", string(rune('A'+chose)), a.Say(it.Options[chose]))
		}
		p.Told = tl
		return
	}
	for i, id := range act.Spec.Items {
		it, ok := byID[id]
		if _, done := st.Answers[string(id)]; done || !ok {
			continue
		}
		p.Question = &playQuestion{Item: string(id), N: i + 1, Of: len(act.Spec.Items), Stem: a.Say(it.Stem), Options: options(it)}
		return
	}
	p.Score = a.T("web.quiz.score", st.Right, len(act.Spec.Items))
}

// scene goes along the choices made, to the moment where the person stands.
func (p *playData) scene(a *Asker, act content.Activity, st playState) {
	node, told := walkScene(act.Spec.Nodes, st.Path)
	if node == nil {
		return
	}
	m := &moment{Says: a.Say(node.Says), End: len(node.Choices) == 0}
	for _, h := range told {
		m.Heard = append(m.Heard, heard{a.Say(h.at.Says), a.Say(h.chose.Says), a.Say(h.chose.Why)})
	}
	for i, c := range node.Choices {
		m.Choices = append(m.Choices, answerOption{Letter: string(rune('A' + i)), Text: a.Say(c.Says), Value: i})
	}
	p.Moment = m
	if m.End {
		p.Score = a.T("web.scene.score", a.F.Percent(node.Score, 0))
	}
}

type passed struct {
	at    *content.Node
	chose *content.Choice
}

// walkScene follows choices from the first moment. It stops at one that is no
// longer there, so that a scene that was mended does not lock anybody out.
func walkScene(nodes []content.Node, path []int) (*content.Node, []passed) {
	if len(nodes) == 0 {
		return nil, nil
	}
	byID := map[string]*content.Node{}
	for i := range nodes {
		byID[nodes[i].ID] = &nodes[i]
	}
	at := &nodes[0]
	var told []passed
	for _, c := range path {
		if c < 0 || c >= len(at.Choices) || byID[at.Choices[c].Next] == nil {
			break
		}
		told = append(told, passed{at, &at.Choices[c]})
		at = byID[at.Choices[c].Next]
	}
	return at, told
}

// answerItem takes an answer in a quiz or a scene: kept first, told after.
func (s *Server) answerItem(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := content.ActivityID(r.PathValue("activity"))
	var act content.Activity
	version := int64(number(r, "version", 0))
	choice, cerr := strconv.Atoi(r.FormValue("choice"))
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		if act, err = content.FindActivity(ctx, t, id); err != nil {
			return err
		}
		if cerr != nil && act.Kind != content.Survey {
			return fault.New(fault.Invalid, "web.test.choose")
		}
		g, err := delivery.Launch(ctx, t, a.As.ID, id)
		if err != nil {
			return err
		}
		var st playState
		if err := json.Unmarshal(g.State, &st); err != nil {
			return err
		}
		score := -1.0
		switch act.Kind {
		case content.Quiz:
			item := r.FormValue("item")
			if _, done := st.Answers[item]; done {
				return nil // a second click
			}
			f, err := delivery.Answer(ctx, t, a.As.ID, id, content.ItemID(item), choice)
			if err != nil {
				return err
			}
			if st.Answers == nil {
				st.Answers = map[string]int{}
			}
			st.Answers[item], st.Last = choice, item
			if f.Correct {
				st.Right++
			}
			if len(st.Answers) >= len(act.Spec.Items) {
				score = float64(st.Right) / float64(len(act.Spec.Items))
			}
		case content.Scene:
			if len(st.Path) != int(number(r, "step", -1)) {
				return nil // a second click, or another tab that is behind
			}
			node, _ := walkScene(act.Spec.Nodes, st.Path)
			if node == nil || choice < 0 || choice >= len(node.Choices) {
				return fault.New(fault.Invalid, "delivery.answer.choice")
			}
			st.Path = append(st.Path, choice)
			if node, _ = walkScene(act.Spec.Nodes, st.Path); len(node.Choices) == 0 {
				score = node.Score
			}
		case content.Survey:
			all, problem := replies(r, act.Spec.Questions)
			if problem != "" {
				return fault.New(fault.Invalid, problem)
			}
			st.Replies = all
			if _, err := record.Append(ctx, t, record.Statement{Actor: a.As.Pseudonym, Verb: record.Answered, Object: "activity/" + string(id), Extra: map[string]any{"replies": all}}); err != nil {
				return err
			}
			if err := delivery.Complete(ctx, t, a.As.ID, id); err != nil {
				return err
			}
		default:
			return fault.New(fault.Invalid, "not_found")
		}
		state, err := json.Marshal(st)
		if err != nil {
			return err
		}
		if _, err := delivery.Save(ctx, t, a.As.ID, id, state, pick(version > 0, version, g.Version)); err != nil {
			return err
		}
		if score >= 0 {
			return delivery.CompleteScored(ctx, t, a.As.ID, id, score)
		}
		return nil
	})
	if text := wrong(a, err); text != "" && act.ID != "" {
		return s.showPlay(w, r, a, fault.Of(err).Status(), string(act.Course), string(id), text)
	} else if err != nil {
		return err
	}
	return to(w, r, "/learn/"+string(act.Course)+"/"+string(id)+pick(act.Kind == content.Quiz, "?told=1", "")+"#here")
}

// saveState keeps where a page stands. The script says "saved" only after this
// has answered.
func (s *Server) saveState(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var in struct {
		Version int64   `json:"version"`
		Scroll  float64 `json:"scroll"`
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	state, err := json.Marshal(playState{Scroll: min(1, max(0, in.Scroll))})
	if err != nil {
		return err
	}
	var version int64
	err = s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		act, err := content.FindActivity(ctx, t, content.ActivityID(r.PathValue("activity")))
		if err != nil {
			return err
		}
		if act.Kind != content.Page && act.Kind != content.Video {
			return fault.New(fault.Invalid, "delivery.save.state") // the others' state is made here, from answers
		}
		version, err = delivery.Save(ctx, t, a.As.ID, act.ID, state, in.Version)
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int64{"version": version})
}

// recordVisit takes in what the page measured of one visit, with consent.
func (s *Server) recordVisit(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var in struct {
		Ago     int64              `json:"ago"`  // ms since the visit began
		Open    int64              `json:"open"` // ms it was open
		Samples []attention.Sample `json:"samples"`
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if in.Open <= 0 || in.Ago < in.Open || in.Ago > (7*24*time.Hour).Milliseconds() || len(in.Samples) > 2000 {
		return fault.New(fault.Invalid, "web.not_json")
	}
	id := content.ActivityID(r.PathValue("activity"))
	var focused time.Duration
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		programme, err := delivery.Within(ctx, t, a.As.ID, id)
		if err != nil {
			return err
		}
		v, err := attention.RecordVisit(ctx, t, a.As.ID, a.As.Pseudonym, id, "programme/"+string(programme),
			t.Now.Add(-time.Duration(in.Ago)*time.Millisecond), time.Duration(in.Open)*time.Millisecond, attention.Segments(in.Samples))
		focused = v.Focused
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int64{"focused": focused.Milliseconds()})
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := content.ActivityID(r.PathValue("activity"))
	var act content.Activity
	if err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		if act, err = content.FindActivity(ctx, t, id); err != nil {
			return err
		}
		if act.Kind != content.Page && act.Kind != content.Video && act.Kind != content.Exercise {
			return fault.New(fault.Invalid, "web.play.not_done") // these end by being answered, or by coming
		}
		return delivery.Complete(ctx, t, a.As.ID, id)
	}); err != nil {
		return err
	}
	next := inside(r.FormValue("next"))
	AddFlash(w, Flash{Tone: "good", Key: "web.play.done"})
	return to(w, r, next)
}

type attendData struct {
	Head    PageHead
	Session string
	Code    Field
	Done    *Notice
}

// attendPage is where a person signs in to a session with the code shown there.
func (s *Server) attendPage(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showAttend(w, r, a, http.StatusOK, "", nil)
}

func (s *Server) showAttend(w http.ResponseWriter, r *http.Request, a *Asker, status int, problem string, done *Notice) error {
	id := delivery.SessionID(r.PathValue("session"))
	var ss delivery.Session
	var o delivery.Offering
	var c content.Course
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if ss, err = delivery.FindSession(ctx, t, id); err != nil {
			return err
		}
		if o, err = delivery.FindOffering(ctx, t, ss.Offering); err != nil {
			return err
		}
		c, err = content.FindCourse(ctx, t, o.Course)
		return err
	})
	if err != nil {
		return err
	}
	p := attendData{Head: PageHead{Title: a.T("web.attend"), Lead: a.Say(c.Title), Meta: []string{a.F.Date(a.In(ss.StartsAt)), a.F.Clock(a.In(ss.StartsAt)) + "–" + a.F.Clock(a.In(ss.EndsAt)), ss.Room}}, Session: string(id), Done: done}
	p.Code = Field{Name: "code", Label: a.T("web.attend.code"), Value: r.FormValue("code"), Required: true, Error: problem, Hint: a.T("web.attend.hint"), Autocomplete: "off"}
	return s.show(w, r, a, Page{Name: "attend", Status: status, Active: "today", Narrow: true, Data: p})
}

func (s *Server) attend(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var how delivery.Presence
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		how, err = delivery.SignIn(ctx, t, delivery.SessionID(r.PathValue("session")), a.As.ID, r.FormValue("code"))
		return err
	})
	if e, ok := fault.As(err); ok && e.Kind != fault.NotFound && e.Kind != fault.Internal {
		return s.showAttend(w, r, a, e.Kind.Status(), a.fault(e), nil)
	} else if err != nil {
		return err
	}
	return s.showAttend(w, r, a, http.StatusOK, "", &Notice{Tone: ToneGood, Text: a.T("web.attend.done", a.T("delivery.presence."+string(how)))})
}
