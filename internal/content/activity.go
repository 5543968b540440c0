package content

import (
	"context"
	"fmt"
	"math"

	"attune/internal/db"
	"attune/internal/fault"
)

// MaxMinutes is the longest an activity can be: a working day.
const MaxMinutes = 480

// kinds lists what an activity can be.
var kinds = map[Kind]bool{
	Page: true, Video: true, Quiz: true, Scene: true, Survey: true,
	Workshop: true, RolePlay: true, Exercise: true, Coaching: true,
}

// Validate reports the first thing wrong with a: with its own fields, with how
// it divides its minutes among skills, or with what its kind needs.
func (a *Activity) Validate() error {
	switch {
	case a.ID == "":
		return fault.New(fault.Invalid, "content.id.empty")
	case a.Title.Empty():
		return fault.New(fault.Invalid, "content.title.empty")
	case !kinds[a.Kind]:
		return fault.New(fault.Invalid, "content.activity.kind", string(a.Kind))
	case Methods[a.Method] == nil:
		return fault.New(fault.Invalid, "content.activity.method", string(a.Method))
	case a.Minutes < 1 || a.Minutes > MaxMinutes:
		return fault.New(fault.Invalid, "content.activity.minutes", MaxMinutes)
	}
	var shares float64
	taught := map[string]bool{}
	for _, k := range a.Teaches {
		if !(k.Share > 0 && k.Share <= 1) {
			return fault.New(fault.Invalid, "content.activity.share")
		}
		if taught[string(k.Skill)] {
			return fault.New(fault.Invalid, "content.activity.skill_twice")
		}
		if k.Rate != nil && (*k.Rate < 0 || math.IsNaN(*k.Rate)) {
			return fault.New(fault.Invalid, "content.activity.rate")
		}
		taught[string(k.Skill)] = true
		shares += k.Share
	}
	if shares > 1+1e-9 {
		return fault.New(fault.Invalid, "content.activity.shares")
	}
	switch a.Kind {
	case Quiz:
		if len(a.Spec.Items) == 0 {
			return fault.New(fault.Invalid, "content.quiz.empty")
		}
	case Scene:
		return validateScene(a.Spec.Nodes)
	case Survey:
		return ValidateQuestions(a.Spec.Questions)
	}
	return nil
}

// validateScene checks that every node can be reached from the first, that
// every choice leads somewhere, and that from every node an ending can be
// reached: nobody is caught in a circle.
func validateScene(nodes []Node) error {
	if len(nodes) == 0 {
		return fault.New(fault.Invalid, "content.scene.empty")
	}
	at := map[string]int{}
	for i, n := range nodes {
		if n.ID == "" {
			return fault.New(fault.Invalid, "content.id.empty")
		}
		if _, twice := at[n.ID]; twice {
			return fault.New(fault.Invalid, "content.scene.node_twice", n.ID)
		}
		if n.Score < 0 || n.Score > 1 || math.IsNaN(n.Score) {
			return fault.New(fault.Invalid, "content.scene.score", n.ID)
		}
		if n.Says.Empty() {
			return fault.New(fault.Invalid, "content.scene.says", n.ID)
		}
		at[n.ID] = i
	}
	before := make([][]int, len(nodes)) // which nodes lead to this one
	for i, n := range nodes {
		for _, c := range n.Choices {
			j, ok := at[c.Next]
			if !ok {
				return fault.New(fault.Invalid, "content.scene.nowhere", n.ID, c.Next)
			}
			if c.Says.Empty() {
				return fault.New(fault.Invalid, "content.scene.says", n.ID)
			}
			before[j] = append(before[j], i)
		}
	}
	reached := walk(len(nodes), []int{0}, func(i int) (next []int) {
		for _, c := range nodes[i].Choices {
			next = append(next, at[c.Next])
		}
		return next
	})
	var endings []int
	for i, n := range nodes {
		if len(n.Choices) == 0 {
			endings = append(endings, i)
		}
	}
	ends := walk(len(nodes), endings, func(i int) []int { return before[i] })
	for i, n := range nodes {
		switch {
		case !reached[i]:
			return fault.New(fault.Invalid, "content.scene.unreached", n.ID)
		case !ends[i]:
			return fault.New(fault.Invalid, "content.scene.endless", n.ID)
		}
	}
	return nil
}

// walk returns which of n nodes can be reached from the given ones.
func walk(n int, from []int, next func(int) []int) []bool {
	seen := make([]bool, n)
	for len(from) > 0 {
		i := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		from = append(from, next(i)...)
	}
	return seen
}

// ValidateQuestions reports the first thing wrong with a survey's questions.
func ValidateQuestions(qs []Question) error {
	if len(qs) == 0 {
		return fault.New(fault.Invalid, "content.survey.empty")
	}
	seen := map[string]bool{}
	for _, q := range qs {
		switch {
		case q.ID == "":
			return fault.New(fault.Invalid, "content.id.empty")
		case seen[q.ID]:
			return fault.New(fault.Invalid, "content.survey.twice", q.ID)
		case q.Text.Empty():
			return fault.New(fault.Invalid, "content.survey.text", q.ID)
		}
		seen[q.ID] = true
		switch q.Kind {
		case "likert", "text":
		case "ranking", "choice":
			if len(q.Options) < 2 {
				return fault.New(fault.Invalid, "content.survey.options", q.ID)
			}
		default:
			return fault.New(fault.Invalid, "content.survey.kind", q.ID)
		}
	}
	return nil
}

// AddActivity writes an activity and what it teaches. Place 0 puts it last.
func AddActivity(ctx context.Context, t *db.Tx, a Activity) error {
	if err := a.Validate(); err != nil {
		return err
	}
	if a.Place == 0 {
		last, err := db.Row(ctx, t, db.One[int], `SELECT coalesce(max(place), 0) FROM activity WHERE course_id = $1`, a.Course)
		if err != nil {
			return err
		}
		a.Place = last + 1
	}
	if _, err := t.Exec(ctx, `
		INSERT INTO activity (id, course_id, place, kind, method, title, body, minutes, spec)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.Course, a.Place, a.Kind, a.Method, a.Title, a.Body, a.Minutes, db.JSON{V: a.Spec}); err != nil {
		return err
	}
	return addTeaches(ctx, t, a)
}

// ReviseActivity replaces an activity of a course that is still a draft: what
// people may have begun does not change under them.
func ReviseActivity(ctx context.Context, t *db.Tx, a Activity) error {
	if err := a.Validate(); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `
		UPDATE activity SET place = $2, kind = $3, method = $4, title = $5, body = $6, minutes = $7, spec = $8
		WHERE id = $1 AND course_id IN (SELECT id FROM course WHERE status = 'draft')`,
		a.ID, a.Place, a.Kind, a.Method, a.Title, a.Body, a.Minutes, db.JSON{V: a.Spec})
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "content.activity.published")
	}
	if _, err := t.Exec(ctx, `DELETE FROM activity_skill WHERE activity_id = $1`, a.ID); err != nil {
		return err
	}
	return addTeaches(ctx, t, a)
}

func addTeaches(ctx context.Context, t *db.Tx, a Activity) error {
	args := make([]any, 0, 6*len(a.Teaches))
	for _, k := range a.Teaches {
		args = append(args, a.ID, k.Skill, k.Share, k.Rate, k.RateSE, db.OrNull(k.From))
	}
	return t.Many(ctx, `INSERT INTO activity_skill (activity_id, skill_id, share, rate, rate_se, rate_from)`, 6, args, "")
}

// Reestimate sets what an evaluation found an activity to teach per focused
// hour, in place of its method's prior.
func Reestimate(ctx context.Context, t *db.Tx, a ActivityID, k Teaches) error {
	if k.Rate == nil || *k.Rate < 0 || math.IsNaN(*k.Rate) {
		return fault.New(fault.Invalid, "content.activity.rate")
	}
	n, err := t.Exec(ctx, `UPDATE activity_skill SET rate = $3, rate_se = $4, rate_from = $5 WHERE activity_id = $1 AND skill_id = $2`,
		a, k.Skill, k.Rate, k.RateSE, db.OrNull(k.From))
	return found(n, err)
}

const activityColumns = `id, course_id, place, kind, method, title, body, minutes, spec`

func scanActivity(s db.Scanner) (a Activity, err error) {
	return a, s.Scan(&a.ID, &a.Course, &a.Place, &a.Kind, &a.Method, &a.Title, &a.Body, &a.Minutes, &db.JSON{V: &a.Spec})
}

// Activities returns every activity with what it teaches, by course and place.
func Activities(ctx context.Context, t *db.Tx) ([]Activity, error) {
	all, err := db.Rows(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity ORDER BY course_id, place, id`)
	if err != nil {
		return nil, err
	}
	return all, teach(ctx, t, all, `SELECT `+teachesColumns+` FROM activity_skill k ORDER BY k.activity_id, k.share DESC, k.skill_id`)
}

// ActivitiesOf returns the activities of one course, in their order.
func ActivitiesOf(ctx context.Context, t *db.Tx, course CourseID) ([]Activity, error) {
	all, err := db.Rows(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity WHERE course_id = $1 ORDER BY place, id`, course)
	if err != nil {
		return nil, err
	}
	return all, teach(ctx, t, all, `
		SELECT `+teachesColumns+` FROM activity_skill k JOIN activity a ON a.id = k.activity_id
		WHERE a.course_id = $1 ORDER BY k.activity_id, k.share DESC, k.skill_id`, course)
}

// FindActivity returns one activity.
func FindActivity(ctx context.Context, t *db.Tx, id ActivityID) (Activity, error) {
	a, err := db.Row(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity WHERE id = $1`, id)
	if err != nil {
		return a, err
	}
	one := []Activity{a}
	err = teach(ctx, t, one, `SELECT `+teachesColumns+` FROM activity_skill k WHERE k.activity_id = $1 ORDER BY k.share DESC, k.skill_id`, id)
	return one[0], err
}

const teachesColumns = `k.activity_id, k.skill_id, k.share, k.rate, k.rate_se, k.rate_from`

// teach fills in what the activities teach from the rows of query.
func teach(ctx context.Context, t *db.Tx, all []Activity, query string, args ...any) error {
	at := make(map[ActivityID]int, len(all))
	for i := range all {
		at[all[i].ID] = i
	}
	type row struct {
		activity ActivityID
		Teaches
	}
	rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.activity, &r.Skill, &r.Share, &r.Rate, &r.RateSE, db.Null(&r.From))
	}, query, args...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		i, ok := at[r.activity]
		if !ok {
			return fmt.Errorf("content: %s teaches but is not there", r.activity)
		}
		all[i].Teaches = append(all[i].Teaches, r.Teaches)
	}
	return nil
}

// RateFor returns λ of the skill for the activity: what fraction of the gap to
// the ceiling closes per focused hour spent on the skill, as 1 − exp(−λ). It is
// the estimate where there is one, else the prior of the method for that kind
// of skill.
func (a *Activity) RateFor(k Teaches, kind string) float64 {
	if k.Rate != nil {
		return *k.Rate
	}
	if m := Methods[a.Method]; m != nil {
		return m.Rate(kind)
	}
	return 0
}
