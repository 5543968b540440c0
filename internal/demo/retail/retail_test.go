package retail

import (
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"attune/internal/locale"
)

// both fails unless t is written in both languages, each in its own script.
func both(t *testing.T, what string, x locale.Text) {
	t.Helper()
	if strings.TrimSpace(x.Zh) == "" || strings.TrimSpace(x.En) == "" {
		t.Errorf("%s: not in both languages: %+v", what, x)
	}
	if strings.ContainsFunc(x.En, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		t.Errorf("%s: Chinese in the English: %q", what, x.En)
	}
}

func TestCounts(t *testing.T) {
	s := Load()
	if len(s.Skills) != 5 || len(s.Positions) != 3 {
		t.Fatalf("%d skills and %d positions", len(s.Skills), len(s.Positions))
	}
	for _, k := range s.Skills {
		tested, parts := 0, map[string]int{}
		for _, it := range s.Items {
			if it.Skill == k.Key && !it.Quiz {
				tested++
				parts[it.Part.Key]++
			}
		}
		if tested < 40 {
			t.Errorf("%s has %d items for tests, under 40", k.Key, tested)
		}
		if len(k.Parts) < 6 || len(k.Parts) > 8 || len(parts) != len(k.Parts) {
			t.Errorf("%s has %d parts, %d with items", k.Key, len(k.Parts), len(parts))
		}
		for p, n := range parts {
			if n < 4 {
				t.Errorf("%s: part %s has %d items", k.Key, p, n)
			}
		}
	}
	comments := map[locale.Lang]int{}
	for _, c := range s.Comments {
		comments[c.Lang]++
	}
	if comments[locale.Zh] < 60 || comments[locale.En] < 40 || len(comments) != 2 {
		t.Errorf("comments by language: %v", comments)
	}
	if len(s.Interviews) < 12 || len(s.Company.Trainers) < 8 || len(s.Company.Rooms) < 6 {
		t.Errorf("%d interviews, %d trainers, %d rooms", len(s.Interviews), len(s.Company.Trainers), len(s.Company.Rooms))
	}
}

func TestItems(t *testing.T) {
	s := Load()
	type tally struct {
		n, longestZh, longestEn int
		at                      [4]int
	}
	of := map[string]*tally{}
	seen := map[string]string{}
	for _, it := range s.Items {
		both(t, it.Key, it.Stem)
		both(t, it.Key, it.Part.Name)
		for _, stem := range []string{it.Stem.Zh, it.Stem.En} {
			if other := seen[stem]; other != "" {
				t.Errorf("%s asks what %s asks", it.Key, other)
			}
			seen[stem] = it.Key
		}
		if len(it.Options) != 4 || it.Answer < 0 || it.Answer > 3 {
			t.Errorf("%s: %d options, right is %d", it.Key, len(it.Options), it.Answer)
			continue
		}
		c := of[it.Skill]
		if c == nil {
			c = &tally{}
			of[it.Skill] = c
		}
		c.n++
		c.at[it.Answer]++
		longer := locale.Text{}
		options := map[string]bool{}
		for i, o := range it.Options {
			both(t, it.Key, o)
			if options[o.Zh] || options[o.En] {
				t.Errorf("%s has an option twice: %s", it.Key, o.Zh)
			}
			options[o.Zh], options[o.En] = true, true
			if i != it.Answer && len(o.Zh) >= len(it.Options[it.Answer].Zh) {
				longer.Zh = o.Zh
			}
			if i != it.Answer && len(o.En) >= len(it.Options[it.Answer].En) {
				longer.En = o.En
			}
		}
		if longer.Zh == "" {
			c.longestZh++
		}
		if longer.En == "" {
			c.longestEn++
		}
	}
	for k, c := range of {
		for i, n := range c.at {
			if math.Abs(float64(n)-float64(c.n)/4) > 2 {
				t.Errorf("%s: of %d items %d have option %d right", k, c.n, n, i)
			}
		}
		// Who picks the longest option without reading should not pass.
		if c.longestZh*100 > 55*c.n || c.longestEn*100 > 55*c.n {
			t.Errorf("%s: in %d items the right option is the longest in %d (zh) and %d (en)", k, c.n, c.longestZh, c.longestEn)
		}
	}
}

func TestSkillsPositionsProcess(t *testing.T) {
	s := Load()
	share, innovation := 0.0, 0
	for _, k := range s.Skills {
		both(t, k.Key, k.Name)
		both(t, k.Key, k.About)
		if !slices.Contains([]string{"skill", "knowledge", "style"}, k.Kind) {
			t.Errorf("%s is of kind %q", k.Key, k.Kind)
		}
		if k.Innovation {
			innovation++
		}
	}
	if innovation != 1 {
		t.Errorf("%d skills are innovation", innovation)
	}
	for _, p := range s.Positions {
		both(t, p.Key, p.Name)
		share += p.Share
		weight := 0.0
		for _, r := range p.Requires {
			k := s.Skill(r.Skill)
			if k == nil {
				t.Fatalf("%s requires %q, which is no skill", p.Key, r.Skill)
			}
			if k.Innovation != (r.Weight == 0) {
				t.Errorf("%s: weight %g of %s", p.Key, r.Weight, r.Skill)
			}
			weight += r.Weight
		}
		if math.Abs(weight-1) > 1e-9 {
			t.Errorf("%s: weights sum to %g", p.Key, weight)
		}
	}
	if math.Abs(share-1) > 1e-9 {
		t.Errorf("shares sum to %g", share)
	}
	both(t, "process", s.Process.Name)
	both(t, "process", s.Process.About)
	for _, st := range s.Process.Steps {
		both(t, st.Key, st.Name)
		for _, x := range []int{st.Difficulty, st.Importance, st.Frequency} {
			if x < 1 || x > 5 {
				t.Errorf("%s: a judgement of %d", st.Key, x)
			}
		}
		for _, p := range st.Positions {
			if s.Position(p) == nil {
				t.Errorf("%s is done by %q, which is no position", st.Key, p)
			}
		}
		for _, k := range st.Skills {
			if s.Skill(k) == nil {
				t.Errorf("%s takes %q, which is no skill", st.Key, k)
			}
		}
	}
}

func TestCourses(t *testing.T) {
	s := Load()
	quiz := map[string]bool{}
	for _, it := range s.Items {
		quiz[it.Key] = it.Quiz
	}
	methods := []string{"reading", "lecture", "retrieval", "simulation", "exercise", "role_play", "workshop", "coaching", "case_study"}
	kinds := []string{"page", "quiz", "scene", "workshop", "role_play", "exercise", "coaching"}
	seen, asked, taught := map[string]bool{}, map[string]bool{}, map[string]float64{}
	for _, c := range s.Courses {
		both(t, c.Key, c.Title)
		both(t, c.Key, c.About)
		if c.Dated != (c.Seats > 0) || c.Cycle < 1 || c.Cycle > 2 || c.Months < 1 {
			t.Errorf("%s: dated %v, %d seats, cycle %d, %d months", c.Key, c.Dated, c.Seats, c.Cycle, c.Months)
		}
		for _, n := range c.Needs {
			if s.Course(n) == nil || n == c.Key {
				t.Errorf("%s needs %q", c.Key, n)
			}
		}
		if len(c.Activities) == 0 {
			t.Errorf("%s is empty", c.Key)
		}
		for _, a := range c.Activities {
			both(t, a.Key, a.Title)
			if seen[a.Key] {
				t.Errorf("activity %s twice", a.Key)
			}
			seen[a.Key] = true
			if !slices.Contains(kinds, a.Kind) || !slices.Contains(methods, a.Method) || a.Minutes <= 0 {
				t.Errorf("%s: %s by %s in %d minutes", a.Key, a.Kind, a.Method, a.Minutes)
			}
			sum := 0.0
			for _, x := range a.Teaches {
				if s.Skill(x.Skill) == nil || x.Share <= 0 {
					t.Errorf("%s teaches %+v", a.Key, x)
				}
				sum += x.Share
				taught[x.Skill] += x.Share * float64(a.Minutes)
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: shares sum to %g", a.Key, sum)
			}
			switch a.Kind {
			case "quiz":
				for _, k := range a.Items {
					if !quiz[k] || asked[k] {
						t.Errorf("%s asks %q: not of a quiz, or asked elsewhere", a.Key, k)
					}
					asked[k] = true
				}
			case "page":
				both(t, a.Key, a.Body)
				if n := len([]rune(a.Body.Zh)); n < 500 {
					t.Errorf("%s: %d characters of Chinese", a.Key, n)
				}
				if n := len(strings.Fields(a.Body.En)); n < 300 {
					t.Errorf("%s: %d words of English", a.Key, n)
				}
			default:
				both(t, a.Key, a.Body)
			}
		}
	}
	for k, q := range quiz {
		if q && !asked[k] {
			t.Errorf("%s is kept for a quiz, and no quiz asks it", k)
		}
	}
	for _, k := range s.Skills {
		if taught[k.Key] < 60 {
			t.Errorf("%s is taught for %g minutes", k.Key, taught[k.Key])
		}
	}
}

// TestScenes walks every scene: each node can be reached, no path runs in a
// circle, and the endings differ in score.
func TestScenes(t *testing.T) {
	scenes := 0
	for _, c := range Load().Courses {
		for _, a := range c.Activities {
			if a.Kind != "scene" {
				continue
			}
			scenes++
			at := map[string]*Node{}
			for i := range a.Nodes {
				n := &a.Nodes[i]
				if at[n.ID] != nil {
					t.Errorf("%s: node %s twice", a.Key, n.ID)
				}
				at[n.ID] = n
				both(t, a.Key+" "+n.ID, n.Says)
			}
			if len(a.Nodes) < 5 {
				t.Errorf("%s has %d nodes", a.Key, len(a.Nodes))
			}
			reached, scores := map[string]bool{}, map[float64]bool{}
			var walk func(id string, path []string)
			walk = func(id string, path []string) {
				n := at[id]
				if n == nil {
					t.Fatalf("%s: %v leads to %q, which is no node", a.Key, path, id)
				}
				if slices.Contains(path, id) {
					t.Fatalf("%s: %v comes back to %s", a.Key, path, id)
				}
				reached[id] = true
				if len(n.Choices) == 0 {
					scores[n.Score] = true
				}
				if len(n.Choices) == 1 {
					t.Errorf("%s: %s leaves no choice", a.Key, id)
				}
				for _, c := range n.Choices {
					both(t, a.Key+" "+id, c.Says)
					both(t, a.Key+" "+id, c.Why)
					walk(c.Next, append(slices.Clone(path), id))
				}
			}
			walk(a.Nodes[0].ID, nil)
			if len(reached) != len(at) {
				t.Errorf("%s: of %d nodes %d can be reached: %v", a.Key, len(at), len(reached), slices.Sorted(maps.Keys(reached)))
			}
			if len(scores) < 3 || !scores[1] || !scores[0] {
				t.Errorf("%s ends with %v", a.Key, scores)
			}
		}
	}
	if scenes < 2 {
		t.Errorf("%d scenes", scenes)
	}
}

func TestSurveys(t *testing.T) {
	s := Load()
	for _, v := range []Survey{s.Needs, s.Reaction} {
		both(t, "survey", v.Name)
		ids := map[string]bool{}
		for _, q := range v.Questions {
			both(t, q.ID, q.Text)
			if ids[q.ID] {
				t.Errorf("question %s twice", q.ID)
			}
			ids[q.ID] = true
			for _, o := range q.Options {
				both(t, q.ID, o)
			}
			switch q.Kind {
			case "ranking", "choice":
				if len(q.Options) < 2 || len(q.Keys) != len(q.Options) {
					t.Errorf("%s: %d options, %d keys", q.ID, len(q.Options), len(q.Keys))
				}
			case "likert":
				if (s.Skill(q.Skill) == nil) == (q.Aspect == "") {
					t.Errorf("%s asks about skill %q, aspect %q", q.ID, q.Skill, q.Aspect)
				}
			case "text":
			default:
				t.Errorf("%s is of kind %q", q.ID, q.Kind)
			}
		}
	}
	seen := map[string]bool{}
	has := map[Comment]int{} // without the text
	for _, c := range s.Comments {
		if seen[c.Text] {
			t.Errorf("comment twice: %s", c.Text)
		}
		seen[c.Text] = true
		han := strings.ContainsFunc(c.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		if han != (c.Lang == locale.Zh) {
			t.Errorf("%s: %s", c.Lang, c.Text)
		}
		if c.Skill != "" && s.Skill(c.Skill) == nil {
			t.Errorf("comment on %q", c.Skill)
		}
		if !slices.Contains([]string{"wish", "trainer", "content", "pace", "venue", "use"}, c.Aspect) || c.Sentiment < -1 || c.Sentiment > 1 {
			t.Errorf("comment of aspect %q, sentiment %d", c.Aspect, c.Sentiment)
		}
		c.Text = ""
		has[c]++
	}
	for _, l := range locale.Langs {
		for _, k := range s.Skills {
			if has[Comment{Lang: l, Skill: k.Key, Aspect: "wish"}] < 4 {
				t.Errorf("few wishes for %s in %s", k.Key, l)
			}
		}
		for _, a := range []string{"trainer", "content", "pace", "venue", "use"} {
			for _, x := range []int{-1, 1} {
				if has[Comment{Lang: l, Aspect: a, Sentiment: x}] == 0 {
					t.Errorf("nobody says %d of %s in %s", x, a, l)
				}
			}
		}
	}
	for _, n := range s.Interviews {
		both(t, n.Skill, n.Who)
		both(t, n.Skill, n.Text)
		if s.Skill(n.Skill) == nil || s.Position(n.Position) == nil {
			t.Errorf("interview filed to %q, %q", n.Skill, n.Position)
		}
	}
}

func TestTree(t *testing.T) {
	c := &Load().Company
	both(t, "company", c.Name)
	both(t, "company", c.About)
	for _, size := range [][2]int{{8, 40}, {60, 400}, {1, 5}, {3, 7}} {
		units := c.Tree(size[0], size[1])
		sites, teams, perPosition := 0, 0, map[string]int{}
		paths := map[string]bool{}
		path := make([]string, len(units))
		for i, u := range units {
			both(t, "unit", u.Name)
			if u.Parent >= i {
				t.Fatalf("unit %d stands before its parent %d", i, u.Parent)
			}
			if u.Parent >= 0 {
				path[i] = path[u.Parent] + "/" + u.Name.Zh
			}
			if paths[path[i]] {
				t.Errorf("two units are called %s", path[i])
			}
			paths[path[i]] = true
			if u.Site {
				sites++
			}
			if u.Team {
				teams++
				perPosition[u.Position]++
				if !units[u.Parent].Site {
					t.Errorf("team %s is at no site", path[i])
				}
			}
		}
		if sites != size[0] || teams != size[1] {
			t.Errorf("asked for %v, got %d sites and %d teams", size, sites, teams)
		}
		for _, p := range Load().Positions {
			if size[1] >= 40 && math.Abs(float64(perPosition[p.Key])/float64(size[1])-p.Share) > 0.06 {
				t.Errorf("%v: %s has %d teams, for a share of %g", size, p.Key, perPosition[p.Key], p.Share)
			}
		}
		if len(perPosition) != 3 {
			t.Errorf("%v: teams by position %v", size, perPosition)
		}
	}
}

func TestNames(t *testing.T) {
	n := &Load().Names
	given, surnames := map[string]bool{}, map[string]bool{}
	for _, g := range n.Given {
		if given[g] {
			t.Errorf("given name %s twice", g)
		}
		given[g] = true
	}
	for _, x := range n.Surnames {
		if surnames[x.Name] {
			t.Errorf("surname %s twice", x.Name)
		}
		surnames[x.Name] = true
	}
	if len(given)*len(surnames) < 20_000 {
		t.Errorf("%d surnames and %d given names", len(surnames), len(given))
	}
	r := rand.New(rand.NewPCG(1, 2))
	distinct, otherwise := map[string]bool{}, 0
	han := regexp.MustCompile(`^\p{Han}{2,4}$`)
	for range 1000 {
		name, lang := n.Draw(r)
		distinct[name] = true
		if !han.MatchString(name) || lang == locale.En {
			otherwise++
		}
	}
	if len(distinct) < 850 || otherwise < 5 || otherwise > 60 {
		t.Errorf("of 1000 names %d are distinct, %d written otherwise", len(distinct), otherwise)
	}
}
