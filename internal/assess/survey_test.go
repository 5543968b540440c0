package assess_test

import (
	"strings"
	"testing"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/record"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

func TestSurvey(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := found(t, d, 3, 2)
		ctx := t.Context()
		options := []locale.Text{locale.Both("甲", "A"), locale.Both("乙", "B"), locale.Both("丙", "C")}
		v := assess.Survey{ID: "v", Purpose: "needs", Name: locale.Both("问卷", "Survey"), OpensAt: s.now.AddDate(0, 0, 1), ClosesAt: s.now}
		for _, kind := range []string{"likert", "choice", "ranking", "text"} {
			v.Questions = append(v.Questions, content.Question{ID: kind, Kind: kind, Text: locale.Both("问"+kind, kind), Options: options})
		}
		add := func(v assess.Survey) func(*db.Tx) error {
			return func(tx *db.Tx) error { return assess.AddSurvey(ctx, tx, v) }
		}
		none := v
		none.Questions = nil
		s.refused("survey.questions.none", add(none))
		s.refused("survey.closes_before_opens", add(v))
		v.ClosesAt = s.now.AddDate(0, 0, 3)
		odd := v
		odd.Questions = []content.Question{{ID: "x", Kind: "smell", Text: locale.Both("问", "Q")}}
		s.refused("content.survey.kind", add(odd))
		s.do(add(v))
		respond := func(i int, r ...assess.Reply) func(*db.Tx) error {
			return func(tx *db.Tx) error { return assess.Respond(ctx, tx, "v", s.people[i], r) }
		}
		good := []assess.Reply{{Question: "likert", Value: 5}, {Question: "choice", Choice: 2}, {Question: "ranking", Order: []int{2, 0, 1}}, {Question: "text", Text: strings.Repeat("好", 10_000)}}
		s.refused("survey.not_open", respond(0, good...))
		s.now = v.OpensAt
		for _, bad := range []struct {
			key string
			r   assess.Reply
		}{
			{"survey.question.unknown", assess.Reply{Question: "?"}},
			{"survey.likert.range", assess.Reply{Question: "likert"}},
			{"survey.likert.range", assess.Reply{Question: "likert", Value: 6}},
			{"survey.choice.unknown", assess.Reply{Question: "choice", Choice: -1}},
			{"survey.choice.unknown", assess.Reply{Question: "choice", Choice: 3}},
			{"survey.ranking.invalid", assess.Reply{Question: "ranking", Order: []int{0, 3}}},
			{"survey.ranking.invalid", assess.Reply{Question: "ranking", Order: []int{-1}}},
			{"survey.ranking.invalid", assess.Reply{Question: "ranking", Order: []int{1, 1}}},
			{"survey.text.long", assess.Reply{Question: "text", Text: strings.Repeat("好", 10_001)}},
		} {
			s.refused(bad.key, respond(0, bad.r))
		}
		s.refused("survey.question.twice", respond(0, good[0], good[0]))
		open := func(i int) (n int) {
			s.do(func(tx *db.Tx) error {
				all, err := assess.OpenSurveys(ctx, tx, s.people[i].ID)
				n = len(all)
				return err
			})
			return n
		}
		s.do(respond(1, good[0]))
		s.do(respond(0, good...))
		s.refused("survey.answered_already", respond(0, good...))
		if open(0) != 0 || open(2) != 1 {
			t.Errorf("open to who answered: %d, to who did not: %d; want 0 and 1", open(0), open(2))
		}
		s.do(func(tx *db.Tx) error {
			got, err := assess.Responses(ctx, tx, "v")
			if diff := cmp.Diff([]assess.Response{{"p0000", good}, {"p0001", good[:1]}}, got); diff != "" {
				t.Error(diff)
			}
			n, err2 := record.Count(ctx, tx, record.Query{Object: "survey/v", Actor: s.people[0].Pseudonym})
			if n != 1 || err2 != nil {
				t.Errorf("%d statements (%v), want 1: what was refused left none", n, err2)
			}
			return err
		})
		s.now = v.ClosesAt
		s.refused("survey.closed", respond(2, good...))
	})
}
