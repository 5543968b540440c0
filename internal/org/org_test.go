package org_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

// write runs do in a transaction and fails the test if it errs.
func write(t testing.TB, d *db.DB, do func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return do(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func name(s string) locale.Text { return locale.Both(s, "") }

// shop is a small company: a root, two shops, a team in the first; a position.
type shop struct {
	root, one, two, team org.Unit
	agent                org.Position
}

func open(t testing.TB, d *db.DB) (s shop) {
	t.Helper()
	write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
		add := func(parent org.UnitID, n string, site bool) (u org.Unit) {
			if err == nil {
				u, err = org.AddUnit(ctx, tx, org.Unit{Parent: parent, Name: name(n), Site: site})
			}
			return u
		}
		s.root = add("", "集团", false)
		s.one = add(s.root.ID, "一店", true)
		s.two = add(s.root.ID, "二店", true)
		s.team = add(s.one.ID, "客服组", false)
		if err == nil {
			s.agent, err = org.AddPosition(ctx, tx, org.Position{Name: locale.Both("客服专员", "Agent")})
		}
		return err
	})
	return s
}

func TestUnits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		paths := func() (all []string) {
			write(t, d, func(ctx context.Context, tx *db.Tx) error {
				units, err := org.Units(ctx, tx)
				for _, u := range units {
					all = append(all, u.Path)
				}
				slices.Sort(all)
				return err
			})
			return all
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			return org.MoveUnit(ctx, tx, s.team.ID, s.two.ID)
		})
		if diff := cmp.Diff([]string{"集团", "集团/一店", "集团/二店", "集团/二店/客服组"}, paths()); diff != "" {
			t.Error(diff)
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := org.RenameUnit(ctx, tx, s.root.ID, name("公司")); err != nil {
				return err
			}
			return org.MoveUnit(ctx, tx, s.two.ID, "")
		})
		if diff := cmp.Diff([]string{"二店", "二店/客服组", "公司", "公司/一店"}, paths()); diff != "" {
			t.Error(diff)
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			_, err := org.Hire(ctx, tx, org.Person{Number: "1", Name: "李", Unit: s.team.ID, Position: s.agent.ID})
			return err
		})
		for _, tt := range []struct {
			name string
			do   func(ctx context.Context, tx *db.Tx) error
			want fault.Kind
		}{
			{"into itself", func(ctx context.Context, tx *db.Tx) error { return org.MoveUnit(ctx, tx, s.two.ID, s.team.ID) }, fault.Invalid},
			{"same name", func(ctx context.Context, tx *db.Tx) error {
				_, err := org.AddUnit(ctx, tx, org.Unit{Parent: s.root.ID, Name: name("一店")})
				return err
			}, fault.Conflict},
			{"slash", func(ctx context.Context, tx *db.Tx) error {
				_, err := org.AddUnit(ctx, tx, org.Unit{Name: name("a/b")})
				return err
			}, fault.Invalid},
			{"no such parent", func(ctx context.Context, tx *db.Tx) error {
				_, err := org.AddUnit(ctx, tx, org.Unit{Parent: "?", Name: name("a")})
				return err
			}, fault.NotFound},
			{"not empty", func(ctx context.Context, tx *db.Tx) error { return org.CloseUnit(ctx, tx, s.two.ID) }, fault.Conflict},
		} {
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return tt.do(t.Context(), tx) }); fault.Of(err) != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			tree, err := org.Tree(ctx, tx)
			if err != nil {
				return err
			}
			for _, b := range tree {
				want := 0
				if b.ID == s.two.ID {
					want = 1
				}
				if b.Staff != want || len(b.Below) != 1 {
					t.Errorf("%s: staff %d, %d below", b.Path, b.Staff, len(b.Below))
				}
			}
			if err := org.CloseUnit(ctx, tx, s.one.ID); err != nil {
				return err
			}
			_, err = org.AddUnit(ctx, tx, org.Unit{Parent: s.root.ID, Name: name("一店")})
			return err
		})
	})
}

func TestPeople(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		day := time.Date(2020, 1, 2, 12, 0, 0, 0, time.UTC)
		// a leads b and c; c leads e.
		var all []org.Person
		write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
			all, err = org.HireAll(ctx, tx, []org.Person{
				{ID: "e", Number: "005", Name: "Eve 100%", Manager: "c", Unit: s.team.ID, Position: s.agent.ID, HiredAt: day},
				{ID: "a", Number: "001", Name: "安娜", Unit: s.root.ID, Position: s.agent.ID, HiredAt: day},
				{ID: "b", Number: "002", Name: "Bob", Manager: "a", Unit: s.one.ID, Position: s.agent.ID, HiredAt: day},
				{ID: "c", Number: "003", Name: "陈晨", Manager: "a", Unit: s.two.ID, Position: s.agent.ID, HiredAt: day},
			})
			return err
		})
		ids := func(people []org.Person) (s string) {
			for _, p := range people {
				s += string(p.ID)
			}
			return s
		}
		check := func(what, want string, do func(ctx context.Context, tx *db.Tx) ([]org.Person, error)) {
			t.Helper()
			write(t, d, func(ctx context.Context, tx *db.Tx) error {
				got, err := do(ctx, tx)
				if ids(got) != want {
					t.Errorf("%s: %s, want %s", what, ids(got), want)
				}
				return err
			})
		}
		managed := func(who org.PersonID) func(ctx context.Context, tx *db.Tx) ([]org.Person, error) {
			return func(ctx context.Context, tx *db.Tx) ([]org.Person, error) { return org.Managed(ctx, tx, who) }
		}
		staff := func(u org.UnitID) func(ctx context.Context, tx *db.Tx) ([]org.Person, error) {
			return func(ctx context.Context, tx *db.Tx) ([]org.Person, error) { return org.Staff(ctx, tx, u) }
		}
		search := func(q org.Query) func(ctx context.Context, tx *db.Tx) ([]org.Person, error) {
			return func(ctx context.Context, tx *db.Tx) ([]org.Person, error) { return org.Search(ctx, tx, q) }
		}
		check("managed", "bce", managed("a"))
		check("managed by c", "e", managed("c"))
		check("staff of all", "abce", staff(s.root.ID))
		check("staff of a shop", "be", staff(s.one.ID))
		check("search name", "e", search(org.Query{Text: " EVE", Number: 10}))
		check("search Chinese", "c", search(org.Query{Text: "晨", Number: 10}))
		check("search number", "abce", search(org.Query{Text: "00", Number: 10}))
		check("percent is a letter", "e", search(org.Query{Text: "%", Number: 10}))
		check("page", "bc", search(org.Query{After: "001", Number: 2}))
		check("search in a unit", "b", search(org.Query{Text: "b", Unit: s.one.ID, Number: 2}))
		check("pseudonym", "b", func(ctx context.Context, tx *db.Tx) ([]org.Person, error) {
			p, err := org.FindByPseudonym(ctx, tx, all[2].Pseudonym)
			return []org.Person{p}, err
		})
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			left, err := org.Leave(ctx, tx, tx.Now, "c", "?")
			if err != nil {
				return err
			}
			if !slices.Equal(left, []org.PersonID{"c"}) {
				t.Errorf("left: %v", left)
			}
			if left, err = org.Leave(ctx, tx, tx.Now, "c"); len(left) != 0 {
				t.Errorf("left twice: %v", left)
			}
			return err
		})
		check("managed through one who left", "be", managed("a"))
		check("search after leaving", "", search(org.Query{Text: "003", Number: 10}))
		check("search the gone", "c", search(org.Query{Text: "003", Gone: true, Number: 10}))
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := org.Move(ctx, tx, "e", s.one.ID, s.agent.ID, "b"); err != nil {
				return err
			}
			p, err := org.FindByNumber(ctx, tx, "005")
			if p.Manager != "b" || p.Unit != s.one.ID || !p.HiredAt.Equal(day) {
				t.Errorf("moved: %+v", p)
			}
			return err
		})

		person := func(change func(*org.Person)) func(ctx context.Context, tx *db.Tx) error {
			return func(ctx context.Context, tx *db.Tx) error {
				p := org.Person{Number: "9", Name: "王", Unit: s.one.ID, Position: s.agent.ID}
				change(&p)
				_, err := org.Hire(ctx, tx, p)
				return err
			}
		}
		for _, tt := range []struct {
			name string
			do   func(ctx context.Context, tx *db.Tx) error
			want string
		}{
			{"number in use", person(func(p *org.Person) { p.Number = "001" }), "person.number.taken"},
			{"no name", person(func(p *org.Person) { p.Name = " " }), "person.name.empty"},
			{"markup", person(func(p *org.Person) { p.Name = "<b>王" }), "person.markup"},
			{"entity", person(func(p *org.Person) { p.Name = "&lt;王" }), "person.markup"},
			{"ampersand is no markup", person(func(p *org.Person) { p.Name, p.Number = "A & B; C", "10" }), ""},
			{"reversed text", person(func(p *org.Person) { p.Name = "王\u202e" }), "person.control"},
			{"own manager", person(func(p *org.Person) { p.ID, p.Manager = "x", "x" }), "person.manager.self"},
			{"address", person(func(p *org.Person) { p.Email = "Wang <a@b>" }), "person.email"},
			{"left first", person(func(p *org.Person) { p.HiredAt, p.LeftAt = day, day.Add(-1) }), "person.left.before_hired"},
			{"circle by moving", func(ctx context.Context, tx *db.Tx) error {
				return org.Move(ctx, tx, "a", s.one.ID, s.agent.ID, "e")
			}, "person.manager.cycle"},
			{"circle by hiring", func(ctx context.Context, tx *db.Tx) error {
				_, err := org.HireAll(ctx, tx, []org.Person{
					{ID: "x", Number: "x", Name: "x", Manager: "y", Unit: s.one.ID, Position: s.agent.ID},
					{ID: "y", Number: "y", Name: "y", Manager: "x", Unit: s.one.ID, Position: s.agent.ID},
				})
				return err
			}, "person.manager.cycle"},
			{"unknown unit", person(func(p *org.Person) { p.Unit = "?" }), "constraint"},
		} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return tt.do(t.Context(), tx) })
			key := ""
			if f, ok := fault.As(err); ok {
				key = f.Key
				if !locale.Has(key) {
					t.Errorf("%s: no message %s", tt.name, key)
				}
			}
			if key != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
	})
}

// weights of a position by skill, which must add up to 1.
func weights(t *testing.T, d *db.DB, p org.PositionID) map[org.SkillID]float64 {
	t.Helper()
	w, sum := map[org.SkillID]float64{}, 0.0
	write(t, d, func(ctx context.Context, tx *db.Tx) error {
		all, err := org.RequirementsOf(ctx, tx, p)
		for _, r := range all {
			w[r.Skill] = math.Round(1e9*r.Weight) / 1e9
			sum += r.Weight
		}
		return err
	})
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("weights add up to %v", sum)
	}
	return w
}

func TestRequirements(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		from := []org.Origin{{Kind: org.FromPerson, Ref: "me"}}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			for _, k := range []org.Skill{
				{ID: "a", Name: name("a"), Kind: org.KindSkill},
				{ID: "b", Name: name("b"), Kind: org.KindKnowledge},
				{ID: "c", Name: name("c"), Kind: org.KindSkill},
				{ID: "i", Name: name("i"), Kind: org.KindStyle, Innovation: true},
			} {
				if _, err := org.AddSkill(ctx, tx, k); err != nil {
					return err
				}
			}
			for _, r := range []org.Requirement{
				{Skill: "a", Importance: 60, Origin: from},
				{Skill: "b", Importance: 20, Origin: from},
				{Skill: "i", Importance: 90, Origin: from},
			} {
				r.Position = s.agent.ID
				if err := org.Require(ctx, tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if diff := cmp.Diff(map[org.SkillID]float64{"a": 0.75, "b": 0.25, "i": 0}, weights(t, d, s.agent.ID)); diff != "" {
			t.Error(diff)
		}
		// A third skill takes its share, 20 of 100, and leaves 0.9 : 0.1 as it was.
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := org.Reweigh(ctx, tx, s.agent.ID, map[org.SkillID]float64{"a": 9, "b": 1}); err != nil {
				return err
			}
			return org.Require(ctx, tx, org.Requirement{Position: s.agent.ID, Skill: "c", Importance: 20, Origin: from})
		})
		if diff := cmp.Diff(map[org.SkillID]float64{"a": 0.72, "b": 0.08, "c": 0.2, "i": 0}, weights(t, d, s.agent.ID)); diff != "" {
			t.Error(diff)
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error { return org.Unrequire(ctx, tx, s.agent.ID, "c") })
		if diff := cmp.Diff(map[org.SkillID]float64{"a": 0.9, "b": 0.1, "i": 0}, weights(t, d, s.agent.ID)); diff != "" {
			t.Error(diff)
		}
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := org.SetLevel(ctx, tx, s.agent.ID, "a", 72.5, 2.5, org.Origin{Kind: org.FromPanel, Ref: "p1", Note: "8"}); err != nil {
				return err
			}
			if err := org.SetCeiling(ctx, tx, s.agent.ID, "a", 90); err != nil {
				return err
			}
			all, err := org.RequirementsOf(ctx, tx, s.agent.ID)
			r := all[1] // innovation is more important
			if r.Skill != "a" || *r.Level != 72.5 || *r.LevelSE != 2.5 || r.Provisional || r.Ceiling != 90 ||
				len(r.Origin) != 2 || r.Origin[0].At.IsZero() || r.Origin[1].Note != "8" {
				t.Errorf("after the panel: %+v", r)
			}
			return err
		})
		for name, do := range map[string]func(ctx context.Context, tx *db.Tx) error{
			"a second innovation skill": func(ctx context.Context, tx *db.Tx) error {
				_, err := org.AddSkill(ctx, tx, org.Skill{Name: name("j"), Kind: org.KindStyle, Innovation: true})
				return err
			},
			"no origin": func(ctx context.Context, tx *db.Tx) error {
				return org.Require(ctx, tx, org.Requirement{Position: s.agent.ID, Skill: "c"})
			},
			"importance": func(ctx context.Context, tx *db.Tx) error {
				return org.Require(ctx, tx, org.Requirement{Position: s.agent.ID, Skill: "c", Importance: math.NaN(), Origin: from})
			},
			"level": func(ctx context.Context, tx *db.Tx) error {
				return org.SetLevel(ctx, tx, s.agent.ID, "a", 101, 0, from[0])
			},
			"not required": func(ctx context.Context, tx *db.Tx) error {
				return org.SetLevel(ctx, tx, s.agent.ID, "c", 50, 0, from[0])
			},
			"a weight missing": func(ctx context.Context, tx *db.Tx) error {
				return org.Reweigh(ctx, tx, s.agent.ID, map[org.SkillID]float64{"a": 1})
			},
			"innovation weighed": func(ctx context.Context, tx *db.Tx) error {
				return org.Reweigh(ctx, tx, s.agent.ID, map[org.SkillID]float64{"a": 1, "b": 1, "i": 1})
			},
		} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return do(t.Context(), tx) })
			if f, ok := fault.As(err); !ok || !locale.Has(f.Key) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAdoptOccupation(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		adopt := func(ctx context.Context, tx *db.Tx) error {
			// active listening, customer and personal service, innovation
			return org.AdoptOccupation(ctx, tx, s.agent.ID, "43-4051", []string{"2.A.1.b", "2.C.1.e", "1.C.7.a"})
		}
		read := func() (all []org.Requirement, skills []org.Skill) {
			write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
				if all, err = org.RequirementsOf(ctx, tx, s.agent.ID); err != nil {
					return err
				}
				skills, err = org.Skills(ctx, tx)
				return err
			})
			return all, skills
		}
		write(t, d, adopt)
		all, skills := read()
		if len(all) != 3 || len(skills) != 3 {
			t.Fatalf("%d requirements, %d skills", len(all), len(skills))
		}
		byElement := map[string]org.Requirement{}
		for _, r := range all {
			for _, k := range skills {
				if k.ID == r.Skill {
					byElement[k.Element] = r
					if k.Name.Zh == "" || k.Name.En == "" || k.Innovation != (k.Element == "1.C.7.a") {
						t.Errorf("skill %+v", k)
					}
				}
			}
		}
		// O*NET 29.3, Skills.txt and Knowledge.txt, 43-4051.00: IM 4 and LV 4;
		// IM 4.7 and LV 5.67. 25·3 = 75 and 400/7; 25·3.7 = 92.5 and 567/7 = 81.
		listening, service := byElement["2.A.1.b"], byElement["2.C.1.e"]
		if listening.Importance != 75 || math.Abs(*listening.Level-400.0/7) > 1e-9 || service.Importance != 92.5 || math.Abs(*service.Level-81) > 1e-9 {
			t.Errorf("listening %v %v, service %v %v", listening.Importance, *listening.Level, service.Importance, *service.Level)
		}
		if math.Abs(listening.Weight-75/167.5) > 1e-12 {
			t.Errorf("weight %v", listening.Weight)
		}
		weights(t, d, s.agent.ID)
		if i := byElement["1.C.7.a"]; i.Level != nil || i.Weight != 0 || !i.Provisional || i.Origin[0].Ref != "43-4051.00" {
			t.Errorf("innovation: %+v", i)
		}

		// Adopted again, what a panel set stays, and nothing is doubled.
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			return org.SetLevel(ctx, tx, s.agent.ID, listening.Skill, 70, 0, org.Origin{Kind: org.FromPanel, Ref: "p"})
		})
		before, _ := read()
		write(t, d, adopt)
		after, skills := read()
		if diff := cmp.Diff(before, after); diff != "" || len(skills) != 3 {
			t.Errorf("%d skills, %s", len(skills), diff)
		}
		for code, want := range map[string]fault.Kind{"99-9999": fault.NotFound, "43-4051": fault.NotFound} {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				return org.AdoptOccupation(t.Context(), tx, s.agent.ID, code, []string{"9.Z"})
			})
			if fault.Of(err) != want {
				t.Errorf("%s: %v", code, err)
			}
		}
	})
}

func TestProcesses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		var p org.Process
		write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
			for _, id := range []org.SkillID{"a", "b"} {
				if _, err := org.AddSkill(ctx, tx, org.Skill{ID: id, Name: name(string(id)), Kind: org.KindSkill}); err != nil {
					return err
				}
			}
			who := []org.PositionID{s.agent.ID}
			p, err = org.AddProcess(ctx, tx, org.Process{Name: name("投诉处理"), Steps: []org.Step{
				{Name: name("倾听"), Difficulty: 2, Importance: 5, Frequency: 3, Positions: who, Skills: []org.SkillID{"a"}},
				{Name: name("了结"), Difficulty: 4, Importance: 3, Frequency: 1, Positions: who, Skills: []org.SkillID{"a", "b"}},
			}})
			if err != nil {
				return err
			}
			_, err = org.AddStep(ctx, tx, org.Step{Process: p.ID, Place: 2, Name: name("登记"), Difficulty: 1, Importance: 1, Frequency: 5})
			return err
		})
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			all, err := org.ListProcesses(ctx, tx)
			if err != nil {
				return err
			}
			var order []string
			for _, s := range all[0].Steps {
				order = append(order, fmt.Sprint(s.Place, s.Name.Zh, len(s.Positions), len(s.Skills)))
			}
			if diff := cmp.Diff([]string{"1倾听1 1", "2登记0 0", "3了结1 2"}, order); diff != "" {
				t.Error(diff)
			}
			loads, err := org.StepEvidence(ctx, tx)
			if err != nil {
				return err
			}
			// By hand: a is in 2·5·3 = 30 and 4·3·1 = 12, b in 12; of 42 in all.
			// Importance of a: mean (6·5 + 4·3) / 10 = 4.2, so 25·3.2 = 80; of b: 3, so 50.
			if len(loads) != 2 || loads[0].Skill != "a" || loads[0].Load != 42 || loads[0].Share != 1 || math.Abs(loads[0].Importance-80) > 1e-9 ||
				loads[1].Load != 12 || math.Abs(loads[1].Share-12.0/42) > 1e-12 || loads[1].Importance != 50 {
				t.Errorf("loads: %+v", loads)
			}
			if err := org.Require(ctx, tx, org.Requirement{Position: s.agent.ID, Skill: "a", Importance: 70, Origin: []org.Origin{{Kind: org.FromPerson, Ref: "me"}}}); err != nil {
				return err
			}
			added, err := org.RequireFromProcess(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			if len(added) != 1 || added[0].Skill != "b" || added[0].Importance != 50 || added[0].Origin[0].Note != "12" || math.Abs(added[0].Weight-50.0/120) > 1e-12 {
				t.Errorf("added: %+v", added)
			}
			reqs, err := org.RequirementsOf(ctx, tx, s.agent.ID)
			if len(reqs) != 2 || reqs[0].Importance != 70 || len(reqs[0].Origin) != 2 || reqs[0].Origin[1].Ref != string(p.ID) {
				t.Errorf("required: %+v", reqs)
			}
			if again, err := org.RequireFromProcess(ctx, tx, p.ID); err != nil || len(again) != 0 {
				t.Errorf("again: %v %v", again, err)
			}
			return err
		})
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			all, err := org.ListProcesses(ctx, tx)
			if err != nil {
				return err
			}
			step := all[0].Steps[2]
			step.Difficulty, step.Skills = 5, nil
			if err := org.ChangeStep(ctx, tx, step); err != nil {
				return err
			}
			if err := org.RemoveStep(ctx, tx, all[0].Steps[1].ID); err != nil {
				return err
			}
			if all, err = org.ListProcesses(ctx, tx); err != nil {
				return err
			}
			if s := all[0].Steps; len(s) != 2 || s[1].Place != 2 || s[1].DIF() != 15 || s[1].Skills != nil {
				t.Errorf("steps: %+v", s)
			}
			return nil
		})
	})
}

func TestCompany(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			if err := org.SetWeights(ctx, tx, 0.5, 0.5); fault.Of(err) != fault.NotFound {
				t.Errorf("before founding: %v", err)
			}
			if err := org.Found(ctx, tx, org.Company{Name: name("云采"), Alpha: 0.7, Beta: 0.3, AttentionDay: 60, Zone: time.UTC}); err != nil {
				return err
			}
			zone, err := time.LoadLocation("Asia/Shanghai")
			if err != nil {
				return err
			}
			for _, err := range []error{
				org.SetWeights(ctx, tx, 0.6, 0.4), org.SetAttention(ctx, tx, 45), org.SetZone(ctx, tx, zone), org.Rename(ctx, tx, name("云集")),
			} {
				if err != nil {
					return err
				}
			}
			for _, err := range []error{
				org.SetWeights(ctx, tx, 0, 0), org.SetWeights(ctx, tx, math.NaN(), 1), org.SetAttention(ctx, tx, 0), org.Rename(ctx, tx, name("")),
			} {
				if fault.Of(err) != fault.Invalid {
					t.Errorf("accepted: %v", err)
				}
			}
			c, err := org.FindCompany(ctx, tx)
			if c.Alpha != 0.6 || c.Beta != 0.4 || c.AttentionDay != 45 || c.Zone.String() != "Asia/Shanghai" || c.Name.Zh != "云集" {
				t.Errorf("company: %+v", c)
			}
			return err
		})
	})
}
