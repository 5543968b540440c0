package web

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/fault"
)

type testData struct {
	Head   PageHead
	Facts  []string
	Begin  Action
	Again  *Notice
	Result *Action
}

// sitting finds a test as it stands for the asker.
func (s *Server) sitting(r *http.Request, a *Asker, match func(assess.Sitting) bool) (assess.Sitting, error) {
	var all []assess.Sitting
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		all, err = assess.OpenTests(ctx, t, a.As.ID)
		return err
	})
	if err != nil {
		return assess.Sitting{}, err
	}
	for _, x := range all {
		if match(x) {
			return x, nil
		}
	}
	return assess.Sitting{}, fault.New(fault.NotFound, "web.test.closed")
}

func (s *Server) testIntro(w http.ResponseWriter, r *http.Request, a *Asker) error {
	x, err := s.sitting(r, a, func(x assess.Sitting) bool { return string(x.ID) == r.PathValue("test") })
	if err != nil {
		return err
	}
	p := testData{Head: PageHead{Title: a.Say(x.Name), Lead: a.T("web.test.purpose." + string(x.Purpose))}}
	p.Facts = append(p.Facts, a.T("web.test.fact.items", x.Items), a.T("web.test.fact.saved"), a.T("web.test.fact.keys"))
	if x.Minutes > 0 {
		p.Facts = append(p.Facts, a.T("web.test.fact.minutes", x.Minutes))
	} else {
		p.Facts = append(p.Facts, a.T("web.test.fact.unhurried"))
	}
	p.Facts = append(p.Facts, a.T("web.test.fact.use"))
	switch {
	case !x.FinishedAt.IsZero():
		p.Result = &Action{Label: a.T("web.test.result"), Href: "/attempts/" + string(x.Attempt) + "/result", Primary: true}
		p.Again = &Notice{Tone: ToneGood, Text: a.T("web.test.taken", a.F.DateTime(a.In(x.FinishedAt)))}
	case x.Attempt != "":
		p.Result = &Action{Label: a.T("web.resume"), Href: "/attempts/" + string(x.Attempt), Primary: true}
		p.Again = &Notice{Tone: TonePrimary, Text: a.T("web.test.running", x.Answered, x.Items)}
	default:
		p.Begin = Action{Label: a.T("web.test.begin"), Href: "/tests/" + string(x.ID), Post: true, Primary: true}
	}
	return s.show(w, r, a, Page{Name: "test", Active: "today", Narrow: true, Crumbs: []Crumb{{a.T("look.nav.today"), "/today"}, {a.Say(x.Name), ""}}, Data: p})
}

// startTest begins an attempt, or goes on with the one that runs.
func (s *Server) startTest(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var seed [16]byte
	crand.Read(seed[:]) // never fails
	rng := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])))
	var at assess.Attempt
	err := s.write(r, func(ctx context.Context, t *db.Tx) (err error) {
		at, err = assess.Start(ctx, t, assess.TestID(r.PathValue("test")), a.As, rng)
		return err
	})
	if fault.Of(err) == fault.Conflict && at.ID != "" {
		return to(w, r, "/attempts/"+string(at.ID)+"/result")
	} else if err != nil {
		return err
	}
	return to(w, r, "/attempts/"+string(at.ID))
}

// nextItem leads to the first item without an answer, or to the end.
func (s *Server) nextItem(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := assess.AttemptID(r.PathValue("attempt"))
	var at assess.Attempt
	var x assess.Shown
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if at, err = assess.FindAttempt(ctx, t, id, a.As.ID); err != nil {
			return err
		}
		if x, err = assess.Next(ctx, t, id, a.As.ID); fault.Of(err) == fault.NotFound {
			x, err = assess.Shown{}, nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !at.FinishedAt.IsZero():
		return to(w, r, "/attempts/"+string(id)+"/result")
	case x.Place == 0:
		return to(w, r, "/attempts/"+string(id)+"/1")
	}
	return to(w, r, fmt.Sprintf("/attempts/%s/%d", id, x.Place))
}

type itemData struct {
	Test, Skill   string
	Place, Of     int
	Left          int // without an answer
	Stem          string
	Options       []answerOption
	Answered      bool
	Post          string
	Prev, Next    string
	Finish        Confirm
	FinishAct     Action
	All           bool // every item has an answer
	Due           string
	Problem, Said string
	Progress      Progress
}

type answerOption struct {
	Letter, Text string
	Value        int
	Chosen       bool
}

func (s *Server) item(w http.ResponseWriter, r *http.Request, a *Asker) error {
	place, err := strconv.Atoi(r.PathValue("place"))
	if err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	return s.showItem(w, r, a, http.StatusOK, place, "")
}

func (s *Server) showItem(w http.ResponseWriter, r *http.Request, a *Asker, status, place int, problem string) error {
	id := assess.AttemptID(r.PathValue("attempt"))
	var at assess.Attempt
	var ts assess.Test
	var x assess.Shown
	var n *names
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if at, err = assess.FindAttempt(ctx, t, id, a.As.ID); err != nil {
			return err
		}
		if ts, err = assess.FindTest(ctx, t, at.Test); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		x, err = assess.At(ctx, t, id, a.As.ID, place)
		return err
	})
	if err != nil {
		return err
	}
	if !at.FinishedAt.IsZero() {
		return to(w, r, "/attempts/"+string(id)+"/result")
	}
	p := itemData{Test: a.Say(ts.Name), Skill: n.Skill(x.Skill), Place: x.Place, Of: x.Of, Left: x.Of - x.Answered, Stem: a.Say(x.Stem), Answered: x.Choice >= 0,
		Post: fmt.Sprintf("/attempts/%s/%d", id, x.Place), All: x.Answered == x.Of, Problem: problem,
		Progress: Progress{Label: a.T("web.test.progress"), Value: float64(x.Answered), Max: float64(x.Of), Text: a.T("web.n.of", x.Answered, x.Of)}}
	for i, o := range x.Options {
		p.Options = append(p.Options, answerOption{Letter: string(rune('A' + i)), Text: a.Say(o), Value: i, Chosen: i == x.Choice})
	}
	if r.FormValue("saved") != "" {
		p.Said = a.T("web.test.saved", r.FormValue("saved"))
	}
	if x.Place > 1 {
		p.Prev = fmt.Sprintf("/attempts/%s/%d", id, x.Place-1)
	}
	if x.Place < x.Of && p.Answered {
		p.Next = "/attempts/" + string(id)
		if p.All {
			p.Next = fmt.Sprintf("/attempts/%s/%d", id, x.Place+1)
		}
	}
	if !x.Due.IsZero() {
		p.Due = ISO(x.Due)
	}
	p.Finish = Confirm{ID: "finish", Title: a.T("web.test.finish.title"), Post: "/attempts/" + string(id) + "/finish", Label: a.T("web.test.finish"), Text: a.T("web.test.finish.text")}
	if !p.All {
		p.Finish.Text = a.T("web.test.finish.left", p.Left)
	}
	p.FinishAct = Action{Label: a.T("web.test.finish"), Dialog: "finish"}
	if p.All {
		p.FinishAct = Action{Label: a.T("web.test.finish"), Href: p.Finish.Post, Post: true, Primary: true}
	}
	return s.show(w, r, a, Page{Name: "item", Status: status, Narrow: true, Active: "today", Crumbs: []Crumb{{a.T("look.nav.today"), "/today"}, {a.Say(ts.Name), ""}}, Data: p})
}

// giveAnswer keeps an answer, and only then goes on to the next item.
func (s *Server) giveAnswer(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := assess.AttemptID(r.PathValue("attempt"))
	place, err := strconv.Atoi(r.PathValue("place"))
	if err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	choice, err := strconv.Atoi(r.FormValue("choice"))
	if err != nil {
		return s.showItem(w, r, a, http.StatusBadRequest, place, a.T("web.test.choose"))
	}
	var next assess.Shown
	err = s.write(r, func(ctx context.Context, t *db.Tx) error {
		if err := assess.Give(ctx, t, id, a.As, place, choice); err != nil {
			return err
		}
		var err error
		if next, err = assess.Next(ctx, t, id, a.As.ID); fault.Of(err) == fault.NotFound {
			next, err = assess.Shown{}, nil
		}
		return err
	})
	if text := wrong(a, err); text != "" {
		return s.showItem(w, r, a, fault.Of(err).Status(), place, text)
	} else if err != nil {
		return err
	}
	if next.Place == 0 {
		return to(w, r, fmt.Sprintf("/attempts/%s/%d?saved=%d", id, place, place))
	}
	return to(w, r, fmt.Sprintf("/attempts/%s/%d?saved=%d", id, next.Place, place))
}

func (s *Server) finishTest(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := assess.AttemptID(r.PathValue("attempt"))
	if err := s.write(r, func(ctx context.Context, t *db.Tx) error { return assess.Finish(ctx, t, id, a.As) }); err != nil {
		return err
	}
	return to(w, r, "/attempts/"+string(id)+"/result")
}

type resultData struct {
	Head   PageHead
	Share  Figure
	Skills Table
	Note   Notice
	Back   Action
}

// wilson is the 95 % interval of a share (Wilson 1927), which stays within 0
// and 1 where right answers are few or all.
func wilson(right, of int) (low, high float64) {
	if of == 0 {
		return 0, 1
	}
	const z = 1.96
	n := float64(of)
	p := float64(right) / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return mid - half, mid + half
}

func (s *Server) testResult(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := assess.AttemptID(r.PathValue("attempt"))
	var at assess.Attempt
	var ts assess.Test
	var all []assess.Result
	var able []assess.Ability
	var n *names
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if at, err = assess.FindAttempt(ctx, t, id, a.As.ID); err != nil {
			return err
		}
		if ts, err = assess.FindTest(ctx, t, at.Test); err != nil {
			return err
		}
		if n, err = namesOf(ctx, t, a, false); err != nil {
			return err
		}
		if all, err = assess.Results(ctx, t, id, a.As.ID); err != nil {
			return err
		}
		able, err = assess.AbilitiesOf(ctx, t, a.As.ID)
		return err
	})
	if err != nil {
		return err
	}
	if at.FinishedAt.IsZero() {
		return to(w, r, "/attempts/"+string(id))
	}
	asked, right := 0, 0
	p := resultData{Head: PageHead{Title: a.T("web.test.result"), Lead: a.Say(ts.Name), Meta: []string{a.F.DateTime(a.In(at.FinishedAt))}}, Back: Action{Label: a.T("look.nav.today"), Href: "/today", Primary: true}}
	p.Skills = Table{ID: "result", Caption: a.T("web.result.skills"), Columns: []Column{{Label: a.T("web.skill")}, {Label: a.T("web.right")}, {Label: a.T("web.result.before")}}}
	for _, x := range all {
		asked, right = asked+x.Asked, right+x.Right
		low, high := wilson(x.Right, x.Asked)
		c := Cell{Text: a.T("web.n.of", x.Right, x.Asked), Sub: a.F.Percent(low, 0) + "–" + a.F.Percent(high, 0), Bar: &ErrorBar{Value: 100 * share(x.Right, x.Asked), Low: 100 * low, High: 100 * high, Min: 0, Max: 100}}
		was := Cell{Text: "–"}
		for _, y := range able {
			if y.Skill == x.Skill {
				was = Cell{Text: a.F.Interval(0, y.S, max(0, y.S-1.96*y.SSE), min(100, y.S+1.96*y.SSE)), Sub: a.F.Date(a.In(y.At))}
			}
		}
		p.Skills.Rows = append(p.Skills.Rows, Row{[]Cell{{Text: n.Skill(x.Skill)}, c, was}})
	}
	low, high := wilson(right, asked)
	p.Share = Figure{Label: a.T("web.result.right"), Value: share(right, asked), Low: low, High: high, Percent: true, Compare: a.T("web.n.of", right, asked),
		Href: link("/evidence", "about", "attempt/"+string(id))}
	p.Note = Notice{Text: a.T(pick(ts.Purpose == assess.Practice, "web.result.practice", "web.result.counted"))}
	return s.show(w, r, a, Page{Name: "result", Narrow: true, Active: "today", Crumbs: []Crumb{{a.T("look.nav.today"), "/today"}, {a.Say(ts.Name), ""}}, Data: p})
}

type surveyData struct {
	Head      PageHead
	ID        string
	Questions []surveyQuestion
	Error     string
}

type surveyQuestion struct {
	content.Question
	N       int
	Text    string
	Options []Option
	Places  []Option // of a ranking
	Scale   []Option // of a Likert question
	Value   string
	Ranked  map[int]string // option → place chosen
}

func (s *Server) survey(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showSurvey(w, r, a, http.StatusOK, "")
}

func (s *Server) showSurvey(w http.ResponseWriter, r *http.Request, a *Asker, status int, problem string) error {
	var x assess.Survey
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		x, err = assess.FindSurvey(ctx, t, assess.SurveyID(r.PathValue("survey")))
		return err
	})
	if err != nil {
		return err
	}
	p := surveyData{Head: PageHead{Title: a.Say(x.Name), Lead: a.T("web.survey.lead")}, ID: string(x.ID), Error: problem}
	for i, q := range x.Questions {
		f := surveyQuestion{Question: q, N: i + 1, Text: a.Say(q.Text), Value: r.FormValue(q.ID), Ranked: map[int]string{}}
		for j, o := range q.Options {
			f.Options = append(f.Options, Option{Value: strconv.Itoa(j), Label: a.Say(o), Chosen: f.Value == strconv.Itoa(j)})
			f.Places = append(f.Places, Option{Value: strconv.Itoa(j + 1), Label: strconv.Itoa(j + 1)})
			f.Ranked[j] = r.FormValue(q.ID + "." + strconv.Itoa(j))
		}
		for v := 1; v <= 5; v++ {
			f.Scale = append(f.Scale, Option{Value: strconv.Itoa(v), Label: a.T("web.likert." + strconv.Itoa(v)), Chosen: f.Value == strconv.Itoa(v)})
		}
		p.Questions = append(p.Questions, f)
	}
	return s.show(w, r, a, Page{Name: "survey", Status: status, Narrow: true, Active: "today", Crumbs: []Crumb{{a.T("look.nav.today"), "/today"}, {a.Say(x.Name), ""}}, Data: p})
}

// replies reads what a person answered to questions.
func replies(r *http.Request, qs []content.Question) (out []assess.Reply, problem string) {
	for _, q := range qs {
		rep := assess.Reply{Question: q.ID}
		v := strings.TrimSpace(r.FormValue(q.ID))
		switch q.Kind {
		case "likert":
			n, err := strconv.Atoi(v)
			if err != nil {
				continue
			}
			rep.Value = n
		case "choice":
			n, err := strconv.Atoi(v)
			if err != nil {
				continue
			}
			rep.Choice = n
		case "ranking":
			at := make([]int, len(q.Options))
			seen, given := map[int]bool{}, 0
			for j := range q.Options {
				n, err := strconv.Atoi(r.FormValue(q.ID + "." + strconv.Itoa(j)))
				if err != nil {
					continue
				}
				if n < 1 || n > len(q.Options) || seen[n] {
					return nil, "web.survey.ranking"
				}
				seen[n], given = true, given+1
				at[n-1] = j
			}
			if given == 0 {
				continue
			}
			if given < len(q.Options) {
				return nil, "web.survey.ranking"
			}
			rep.Order = at
		case "text":
			if v == "" {
				continue
			}
			rep.Text = v
		}
		out = append(out, rep)
	}
	if len(out) == 0 {
		return nil, "web.survey.empty"
	}
	return out, ""
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id := assess.SurveyID(r.PathValue("survey"))
	problem := ""
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		x, err := assess.FindSurvey(ctx, t, id)
		if err != nil {
			return err
		}
		var all []assess.Reply
		if all, problem = replies(r, x.Questions); problem != "" {
			return nil
		}
		return assess.Respond(ctx, t, id, a.As, all)
	})
	if problem != "" {
		return s.showSurvey(w, r, a, http.StatusBadRequest, a.T(problem))
	}
	if text := wrong(a, err); text != "" {
		return s.showSurvey(w, r, a, fault.Of(err).Status(), text)
	} else if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.survey.thanks", Form: "survey-" + string(id)})
	return to(w, r, "/today")
}
