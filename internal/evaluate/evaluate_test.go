package evaluate_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/engine/irt"
	"attune/internal/evaluate"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"

	godiff "github.com/google/go-cmp/cmp"
)

// world is a company whose people's true abilities are known here and nowhere
// in its database: two tests, a workshop between them, its seats given to those
// who did worst in the first test, drawn by lot among the middle, and kept from
// the best.
type world struct {
	t    testing.TB
	d    *db.DB
	now  time.Time
	rng  *rand.Rand
	bank map[org.SkillID][]irt.Item

	people []org.PersonID
	theta  [2]map[org.SkillID][]float64 // before, after
	seat   []bool
	pool   []bool
	caused []float64 // E that a seat gives, or would give, each person
}

const (
	sigma   = 15.0 // frozen σ_S and σ_I, points
	asked   = 12
	inBank  = 30
	boost   = 0.7  // logits of talk that a seat gives
	prior   = 0.05 // λ believed of the workshop
	priorSE = 0.05
)

var skills = []org.SkillID{"talk", "new"}

func both(s string) locale.Text { return locale.Both(s, s) }

func itemID(k org.SkillID, j int) content.ItemID { return content.ItemID(fmt.Sprintf("%s-%02d", k, j)) }

// settle founds the company with n people and a programme offering the workshop.
func settle(t testing.TB, d *db.DB, n int, seed uint64) *world {
	t.Helper()
	w := &world{t: t, d: d, now: testdb.Start, rng: rand.New(rand.NewPCG(seed, 99)), bank: map[org.SkillID][]irt.Item{}}
	d.Clock = func() time.Time { w.now = w.now.Add(time.Millisecond); return w.now }
	ctx := t.Context()
	w.do(func(tx *db.Tx) error {
		if err := org.Found(ctx, tx, org.Company{Name: both("司"), Alpha: 0.7, Beta: 0.3, AttentionDay: 240, Zone: time.UTC}); err != nil {
			return err
		}
		if _, err := org.AddUnit(ctx, tx, org.Unit{ID: "u", Name: both("部"), Site: true}); err != nil {
			return err
		}
		if _, err := org.AddPosition(ctx, tx, org.Position{ID: "clerk", Name: both("员")}); err != nil {
			return err
		}
		for k, level := range map[org.SkillID]float64{"talk": 80, "new": 20} {
			if _, err := org.AddSkill(ctx, tx, org.Skill{ID: k, Name: both(string(k)), Kind: org.KindSkill, Innovation: k == "new"}); err != nil {
				return err
			}
			if err := org.Require(ctx, tx, org.Requirement{Position: "clerk", Skill: k, Importance: 50, Level: &level, Origin: []org.Origin{{Kind: "person"}}}); err != nil {
				return err
			}
		}
		for _, k := range skills {
			var items []content.Item
			for j := range inBank {
				a, b := 1+0.1*float64(j%6), -2+4*float64(j)/(inBank-1)
				w.bank[k] = append(w.bank[k], irt.Item{A: a, B: b})
				part := both([]string{"易", "难"}[2*j/inBank])
				items = append(items, content.Item{ID: itemID(k, j), Skill: k, Part: part, Stem: both("问"), Options: []locale.Text{both("对"), both("错")}, A: &a, B: &b})
			}
			if err := content.AddItems(ctx, tx, items); err != nil {
				return err
			}
		}
		var people []org.Person
		for i := range n {
			id := org.PersonID(fmt.Sprintf("p%04d", i))
			w.people = append(w.people, id)
			people = append(people, org.Person{ID: id, Number: fmt.Sprintf("%04d", i), Name: "王", Unit: "u", Position: "clerk"})
		}
		if _, err := org.HireAll(ctx, tx, people); err != nil {
			return err
		}
		if err := content.AddCourse(ctx, tx, content.Course{ID: "meet", Title: both("会")}); err != nil {
			return err
		}
		rate, se := prior, priorSE
		if err := content.AddActivity(ctx, tx, content.Activity{ID: "meet", Course: "meet", Kind: content.Workshop, Method: content.ByWorkshop, Title: both("会"), Minutes: 180,
			Teaches: []content.Teaches{{Skill: "talk", Share: 1, Rate: &rate, RateSE: &se}}}); err != nil {
			return err
		}
		if err := delivery.Open(ctx, tx, delivery.Programme{ID: "g", Name: both("一"), Days: 3, Hours: 6, Money: 1e5}); err != nil {
			return err
		}
		if err := delivery.AddOfferings(ctx, tx, []delivery.Offering{{ID: "meet", Programme: "g", Course: "meet", Dated: true, Cost: 100}}); err != nil {
			return err
		}
		at := tx.Now.Add(24 * time.Hour)
		if err := delivery.AddSessions(ctx, tx, []delivery.Session{{ID: "s", Offering: "meet", StartsAt: at, EndsAt: at.Add(3 * time.Hour), Seats: n}}); err != nil {
			return err
		}
		for _, id := range []assess.TestID{"before", "after"} {
			if err := assess.AddTest(ctx, tx, assess.Test{ID: id, Programme: "g", Purpose: assess.Purpose(id), Name: both(string(id)), OpensAt: tx.Now,
				Skills: []assess.TestSkill{{Skill: "talk", Items: asked}, {Skill: "new", Items: asked}}}); err != nil {
				return err
			}
		}
		return nil
	})
	w.seat, w.pool, w.caused = make([]bool, n), make([]bool, n), make([]float64, n)
	for o := range w.theta {
		w.theta[o] = map[org.SkillID][]float64{}
		for _, k := range skills {
			w.theta[o][k] = make([]float64, n)
		}
	}
	return w
}

func (w *world) do(do func(*db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(key string, do func(*db.Tx) error) {
	w.t.Helper()
	err := w.d.Write(w.t.Context(), do)
	if e, ok := fault.As(err); !ok || e.Key != key {
		w.t.Errorf("%v, want %s", err, key)
	}
	if !locale.Has(key) {
		w.t.Errorf("%s has no text", key)
	}
}

func (w *world) freeze() {
	w.t.Helper()
	w.do(func(tx *db.Tx) error { _, err := org.FreezeScale(w.t.Context(), tx, sigma, sigma); return err })
}

// sit lets everybody take a test at their ability of the occasion, and returns
// how many items each had right. harder moves the true difficulty of an item.
func (w *world) sit(test assess.TestID, occasion int, harder map[content.ItemID]float64) []int {
	w.t.Helper()
	right := make([]int, len(w.people))
	var attempts, answers []any
	at := db.Millis(w.now)
	for i, who := range w.people {
		id := fmt.Sprintf("%s-%d", test, i)
		attempts = append(attempts, id, test, who, 1, at)
		place := 0
		for _, k := range skills {
			for _, j := range w.rng.Perm(inBank)[:asked] {
				it := w.bank[k][j]
				it.B += harder[itemID(k, j)]
				correct := w.rng.Float64() < it.P(w.theta[occasion][k][i])
				choice := 1
				if correct {
					choice, right[i] = 0, right[i]+1
				}
				place++
				answers = append(answers, id, place, itemID(k, j), choice, correct, at, at)
			}
		}
	}
	w.do(func(tx *db.Tx) error {
		if err := tx.Many(w.t.Context(), `INSERT INTO attempt (id, test_id, person_id, number, started_at)`, 5, attempts, ""); err != nil {
			return err
		}
		return tx.Many(w.t.Context(), `INSERT INTO answer (attempt_id, place, item_id, choice, correct, shown_at, answered_at)`, 7, answers, "")
	})
	return right
}

// live gives everybody an ability, tests them, and gives out the seats: the
// lowest quarter of the test has one, half of the next half is drawn, and the
// best quarter has none. Then abilities move, and more so with a seat.
func (w *world) live(draws bool, harder map[content.ItemID]float64) {
	w.t.Helper()
	ctx := w.t.Context()
	n := len(w.people)
	for i := range n {
		common := w.rng.NormFloat64()
		for _, k := range skills {
			w.theta[0][k][i] = math.Sqrt(0.5)*common + math.Sqrt(0.5)*w.rng.NormFloat64()
		}
	}
	score := w.sit("before", 0, nil)
	order := w.rng.Perm(n)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
	for _, i := range order[:n/4] {
		w.seat[i] = true
	}
	middle := slices.Clone(order[n/4 : 3*n/4])
	w.rng.Shuffle(len(middle), func(a, b int) { middle[a], middle[b] = middle[b], middle[a] })
	draw := delivery.Draw{ID: "d", Plan: "p", Offering: "meet", Seats: len(middle) / 2}
	for r, i := range middle {
		w.pool[i], w.seat[i] = draws, r < len(middle)/2
		draw.Entries = append(draw.Entries, delivery.DrawEntry{Person: w.people[i], Session: "s", Stratum: "all", Probability: float64(len(middle)/2) / float64(len(middle)), Drawn: w.seat[i]})
	}
	var enrol []delivery.Enrolment
	var came []org.PersonID
	for i, who := range w.people {
		e := delivery.Enrolment{Person: who, Offering: "meet", Session: "s", Status: delivery.Waiting, Source: delivery.ByDraw}
		if w.seat[i] {
			e.Status = delivery.Enrolled
			came = append(came, who)
		}
		if w.seat[i] || w.pool[i] {
			enrol = append(enrol, e)
		}
	}
	w.do(func(tx *db.Tx) error {
		if draws {
			if err := delivery.RecordDraw(ctx, tx, draw); err != nil {
				return err
			}
		}
		return delivery.Enrol(ctx, tx, enrol)
	})
	w.now = w.now.Add(48 * time.Hour)
	w.do(func(tx *db.Tx) error { return delivery.MarkAttendance(ctx, tx, "s", came) })
	for i := range n {
		for _, k := range skills {
			moved := 0.1 + 0.85*w.theta[0][k][i] + 0.4*w.rng.NormFloat64()
			if k == "talk" {
				w.caused[i] = 0.7 * (w.s(k, moved+boost) - w.s(k, moved)) / sigma
				if w.seat[i] {
					moved += boost
				}
			}
			w.theta[1][k][i] = moved
		}
	}
	w.sit("after", 1, harder)
}

func (w *world) s(k org.SkillID, theta float64) float64 { return irt.TCC(w.bank[k], theta) }

// e is the true effect of a person: 0.7 ΔS/σ + 0.3 ΔI/σ.
func (w *world) e(i int) float64 {
	gain := func(k org.SkillID) float64 { return w.s(k, w.theta[1][k][i]) - w.s(k, w.theta[0][k][i]) }
	return (0.7*gain("talk") + 0.3*gain("new")) / sigma
}

func (w *world) evaluate() (r *evaluate.Result, effects []evaluate.PersonEffect) {
	w.t.Helper()
	ctx := w.t.Context()
	w.do(func(tx *db.Tx) (err error) {
		if r, err = evaluate.Evaluate(ctx, tx, "g", "before", "after"); err != nil {
			return err
		}
		effects, err = evaluate.Effects(ctx, tx, r.ID)
		return err
	})
	return r, effects
}

// Assignment hangs on the first test's score, and with it on its error. The
// comparison of those drawn with those who wait must not be misled by it.
func replicate(t *testing.T, reps, people int) {
	var versus, mean []float64
	covered, persons, inside, insideMean := 0, 0, 0, 0
	for rep := range reps {
		w := settle(t, testdb.SQLite(t), people, uint64(rep))
		w.freeze()
		w.live(true, nil)
		r, effects := w.evaluate()
		caused, members := 0.0, 0.0
		trueMean, trained := 0.0, 0.0
		for i := range w.people {
			if w.pool[i] {
				caused, members = caused+w.caused[i], members+1
			}
			if w.seat[i] {
				trueMean, trained = trueMean+w.e(i), trained+1
			}
			if e := effects[i].E; e.Low <= w.e(i) && w.e(i) <= e.High {
				covered++
			}
			if effects[i].Trained != w.seat[i] {
				t.Fatalf("%s trained: %t", effects[i].Person, effects[i].Trained)
			}
			persons++
		}
		if r.Versus == nil || r.Versus.Treated+r.Versus.Waiting != people/2 || r.Trained != int(trained) {
			t.Fatalf("versus %+v, trained %d", r.Versus, r.Trained)
		}
		versus = append(versus, r.Versus.Estimate-caused/members)
		mean = append(mean, r.Effect.Estimate-trueMean/trained)
		if m := trueMean / trained; r.Effect.Low <= m && m <= r.Effect.High {
			insideMean++
		}
		if r.Versus.Low <= caused/members && caused/members <= r.Versus.High {
			inside++
		}
	}
	for name, x := range map[string][]float64{"intention to treat": versus, "mean effect": mean} {
		m, sd := moments(x)
		t.Logf("%s: mean error %+.4f, SE %.4f, of one %.4f", name, m, sd/math.Sqrt(float64(reps)), sd)
		if math.Abs(m) > 3*sd/math.Sqrt(float64(reps)) {
			t.Errorf("%s errs by %+.4f on average, SE %.4f", name, m, sd/math.Sqrt(float64(reps)))
		}
	}
	share := float64(covered) / float64(persons)
	t.Logf("%.3f of %d intervals of persons, %d of %d of the comparison, %d of the mean hold the truth", share, persons, inside, reps, insideMean)
	if share < 0.92 || share > 0.98 {
		t.Errorf("%.3f of the persons' intervals hold the truth, want 0.95 ± 0.03", share)
	}
	if float64(inside) < 0.8*float64(reps) || float64(insideMean) < 0.8*float64(reps) {
		t.Errorf("of %d intervals of the comparison %d hold the truth, of the mean %d", reps, inside, insideMean)
	}
}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd)
}

func TestReplications(t *testing.T) { replicate(t, 8, 240) }

func TestReplicationsLong(t *testing.T) {
	testdb.Long(t)
	replicate(t, 40, 240)
}

func TestEvaluate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		w := settle(t, d, 160, 5)
		ctx := t.Context()
		run := func(tx *db.Tx) error {
			_, err := evaluate.Evaluate(ctx, tx, "g", "before", "after")
			return err
		}
		w.refused("evaluate.no_baseline", run)
		w.freeze()
		w.refused("evaluate.no_after", run)
		w.do(func(tx *db.Tx) error {
			if err := assess.AddSurvey(ctx, tx, assess.Survey{ID: "v", Programme: "g", Purpose: "reaction", OpensAt: tx.Now, Questions: []content.Question{
				{ID: "1", Kind: "likert", Text: both("讲师"), Aspect: "trainer"}, {ID: "2", Kind: "likert", Text: both("场地"), Aspect: "venue"}, {ID: "3", Kind: "text", Text: both("其他"), Aspect: "venue"},
			}}); err != nil {
				return err
			}
			for i, value := range []int{5, 4, 3} {
				who, err := org.FindPerson(ctx, tx, w.people[i])
				if err != nil {
					return err
				}
				replies := []assess.Reply{{Question: "1", Value: value}, {Question: "3", Text: "好"}}
				if i == 0 {
					replies = append(replies, assess.Reply{Question: "2", Value: 2})
				}
				if err := assess.Respond(ctx, tx, "v", who, replies); err != nil {
					return err
				}
			}
			return nil
		})
		w.live(true, nil)
		r, effects := w.evaluate()
		var latest *evaluate.Result
		w.do(func(tx *db.Tx) (err error) { latest, err = evaluate.Latest(ctx, tx, "g"); return err })
		if diff := godiff.Diff(r, latest); diff != "" {
			t.Error("what is read back is not what was found: ", diff)
		}
		if len(effects) != 160 || r.Trained != 80 || r.Untrained != 80 || r.Versus.Treated != 40 || r.Versus.Waiting != 40 {
			t.Errorf("%d effects, trained %d, untrained %d, versus %+v", len(effects), r.Trained, r.Untrained, r.Versus)
		}
		w.do(func(tx *db.Tx) error {
			one, err := evaluate.EffectOf(ctx, tx, r.ID, effects[7].Person)
			if diff := godiff.Diff(effects[7], one); diff != "" {
				t.Error(diff)
			}
			abilities, err2 := assess.AbilitiesOf(ctx, tx, effects[7].Person)
			if err2 != nil || len(abilities) != 2 {
				t.Errorf("%d abilities after (%v), want 2", len(abilities), err2)
			}
			for _, a := range abilities {
				for _, g := range one.Gains {
					if g.Skill == a.Skill && (a.S != g.After || a.Test != "after") {
						t.Errorf("%s: %.2f kept, %.2f found", a.Skill, a.S, g.After)
					}
				}
			}
			if _, err := evaluate.EffectOf(ctx, tx, r.ID, "?"); fault.Of(err) != fault.NotFound {
				t.Errorf("the effect of nobody: %v", err)
			}
			return err
		})
		// E is the sum over the skills by hand: 0.7·ΔS/σ + 0.3·ΔI/σ. Its variance
		// is that of a sum whose parts' errors are correlated, alike for everybody:
		// x² + y² + 2ρxy.
		lowest, highest := math.Inf(1), math.Inf(-1)
		for _, e := range effects {
			sum, sq, product := 0.0, 0.0, 1.0
			for _, g := range e.Gains {
				per := map[org.SkillID]float64{"talk": 0.7 / sigma, "new": 0.3 / sigma}[g.Skill]
				sum, sq, product = sum+per*g.Gain, sq+per*per*g.GainSE*g.GainSE, product*per*g.GainSE
			}
			se := e.E.SE()
			rho := (se*se - sq) / (2 * product)
			lowest, highest = min(lowest, rho), max(highest, rho)
			if math.Abs(sum-e.E.Estimate) > 1e-9 {
				t.Errorf("%s: %+v, want %.4f", e.Person, e.E, sum)
			}
		}
		if highest-lowest > 1e-6 || math.Abs(highest) > 1 {
			t.Errorf("the errors of the two gains are correlated at %.3f to %.3f, want one correlation", lowest, highest)
		}
		// 5, 4, 3: mean 4, standard error 1/√3; one answer has no spread.
		if len(r.Reaction) != 2 || r.Reaction[0].Aspect != "trainer" || math.Abs(r.Reaction[0].Mean.Estimate-4) > 1e-12 || math.Abs(r.Reaction[0].Mean.SE()-1/math.Sqrt(3)) > 1e-12 || r.Reaction[0].People != 3 || r.Reaction[1].People != 1 {
			t.Errorf("reaction %+v", r.Reaction)
		}
		// 80 seats at 100, and 80 people for three hours at the assumed wage.
		if r.Cost.Seats != 8000 || math.Abs(r.Cost.Hours-240) > 1e-9 || r.Cost.Time != r.Cost.Hours*r.Cost.Wage {
			t.Errorf("cost %+v", r.Cost)
		}
		for _, part := range r.Parts {
			if part.Part.Zh == "难" && part.Right > 0.6 || part.Part.Zh == "易" && part.Right < 0.6 {
				t.Errorf("part %+v", part)
			}
		}
		// talk asks for 80 and stands near 55; new asks for 20 and has it.
		if len(r.Improve) != 1 || r.Improve[0].Skill != "talk" || r.Improve[0].Part.Zh != "难" || len(r.Improve[0].Propose) == 0 || !locale.Has(r.Improve[0].Reason) {
			t.Errorf("improve %+v", r.Improve)
		}
		for _, x := range r.Warnings {
			if !locale.Has(x) {
				t.Errorf("%s has no text", x)
			}
		}
		open := func(skills ...org.SkillID) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := evaluate.OpenNext(ctx, tx, r.ID, skills, both("二")); return err }
		}
		w.refused("evaluate.improve.unknown", open("talk", "new"))
		w.refused("evaluate.improve.none", open())
		w.refused("not_found", func(tx *db.Tx) error {
			_, err := evaluate.OpenNext(ctx, tx, "?", []org.SkillID{"talk"}, both("二"))
			return err
		})
		w.do(open("talk"))
		w.do(func(tx *db.Tx) error {
			next, err := delivery.Current(ctx, tx)
			if err != nil {
				return err
			}
			last, err := delivery.FindProgramme(ctx, tx, "g")
			if next.Cycle != 2 || next.Previous != "g" || next.Stage != delivery.StageNeed || next.Because.Evaluation != string(r.ID) || !slices.Equal(next.Because.Skills, []org.SkillID{"talk"}) || last.Stage != delivery.StageClosed {
				t.Errorf("next %+v after %s", next, last.Stage)
			}
			if _, err := evaluate.Latest(ctx, tx, next.ID); fault.Of(err) != fault.NotFound {
				t.Errorf("an evaluation of what has not been: %v", err)
			}
			return err
		})
	})
}

func TestWithoutADraw(t *testing.T) {
	w := settle(t, testdb.SQLite(t), 80, 6)
	w.freeze()
	w.live(false, nil)
	r, _ := w.evaluate()
	if r.Versus != nil || !slices.Contains(r.Warnings, "evaluate.warn.no_comparison") {
		t.Errorf("versus %+v, warnings %v", r.Versus, r.Warnings)
	}
	if r.Trained != 40 || r.Cost.Causal {
		t.Errorf("trained %d, causal %t", r.Trained, r.Cost.Causal)
	}
	// The pool is too small to tell anything of, or somewhat small.
	for people, want := range map[int]string{24: "evaluate.warn.no_comparison", 80: "evaluate.warn.small_pools"} {
		w := settle(t, testdb.SQLite(t), people, 7)
		w.freeze()
		w.live(true, nil)
		r, _ := w.evaluate()
		if !slices.Contains(r.Warnings, want) || (r.Versus == nil) != (people == 24) {
			t.Errorf("%d people: %v, versus %+v", people, r.Warnings, r.Versus)
		}
	}
}

func TestNobodyTrained(t *testing.T) {
	w := settle(t, testdb.SQLite(t), 40, 8)
	w.freeze()
	for i := range w.people {
		for _, k := range skills {
			w.theta[0][k][i] = w.rng.NormFloat64()
			w.theta[1][k][i] = w.theta[0][k][i] + 0.3*w.rng.NormFloat64()
		}
	}
	w.sit("before", 0, nil)
	w.sit("after", 1, nil)
	r, _ := w.evaluate()
	if r.Trained != 0 || r.Untrained != 40 || !slices.Contains(r.Warnings, "evaluate.warn.nobody_trained") {
		t.Errorf("trained %d, untrained %d, %v", r.Trained, r.Untrained, r.Warnings)
	}
}

// An item that leaked, or got harder, is found, and the others are left alone.
func TestOddItems(t *testing.T) {
	w := settle(t, testdb.SQLite(t), 240, 9)
	w.freeze()
	w.live(true, map[content.ItemID]float64{"talk-12": 2, "new-20": -2})
	r, _ := w.evaluate()
	z := map[content.ItemID]float64{}
	for _, x := range r.Items {
		z[x.Item] = x.Z
	}
	if !(z["talk-12"] < -3) || !(z["new-20"] > 3) || len(z) > 3 {
		t.Errorf("odd items %v, want talk-12 too hard and new-20 too easy", z)
	}
}

// λ starts from a belief of 0.05 and is moved to what people gained by.
func TestRates(t *testing.T) {
	const lambda = 0.2
	w := settle(t, testdb.SQLite(t), 240, 10)
	w.freeze()
	ctx := t.Context()
	for i := range w.people {
		for _, k := range skills {
			w.theta[0][k][i] = w.rng.NormFloat64()
			w.theta[1][k][i] = w.theta[0][k][i]
		}
		if w.seat[i] = i%2 == 0; w.seat[i] { // three hours of what holds 95 at most
			s := w.s("talk", w.theta[0]["talk"][i])
			w.theta[1]["talk"][i] = irt.ThetaAt(w.bank["talk"], s+math.Max(0, 95-s)*(1-math.Exp(-lambda*3)))
		}
	}
	w.sit("before", 0, nil)
	w.do(func(tx *db.Tx) error {
		var enrol []delivery.Enrolment
		for i, who := range w.people {
			if w.seat[i] {
				enrol = append(enrol, delivery.Enrolment{Person: who, Offering: "meet", Session: "s", Source: delivery.ByPlan})
			}
		}
		return delivery.Enrol(ctx, tx, enrol)
	})
	w.now = w.now.Add(48 * time.Hour)
	w.do(func(tx *db.Tx) error {
		var came []org.PersonID
		for i, who := range w.people {
			if w.seat[i] {
				came = append(came, who)
			}
		}
		return delivery.MarkAttendance(ctx, tx, "s", came)
	})
	w.sit("after", 1, nil)
	r, _ := w.evaluate()
	if len(r.Rates) != 1 {
		t.Fatalf("rates %+v", r.Rates)
	}
	x := r.Rates[0]
	t.Logf("λ = %.3f ± %.3f, the truth is %.3f", x.Rate, x.SE, lambda)
	if x.Activity != "meet" || x.Prior != prior || x.PriorSE != priorSE || x.People != 120 || x.Focus != 3 {
		t.Errorf("%+v", x)
	}
	if math.Abs(x.Rate-lambda) > 0.05 || x.SE >= priorSE || x.SE <= 0 {
		t.Errorf("λ = %.3f ± %.3f, believed %.3f; the truth is %.3f", x.Rate, x.SE, prior, lambda)
	}
	// The planner believes it from now on.
	w.do(func(tx *db.Tx) error { return evaluate.Learn(ctx, tx, r) })
	w.do(func(tx *db.Tx) error {
		a, err := content.FindActivity(ctx, tx, "meet")
		if rate, se := a.Believed(a.Teaches[0], org.KindSkill); rate != x.Rate || se != x.SE || a.Teaches[0].From != string(r.ID) {
			t.Errorf("believed %.3f ± %.3f from %q", rate, se, a.Teaches[0].From)
		}
		return err
	})
}
