package onet

import (
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
)

// The counts and values expected here were read in the text files of O*NET
// 29.3 with wc, grep and awk, not through this package.

func TestCounts(t *testing.T) {
	got := map[string]int{}
	for o := range All() {
		got["occupations"]++
		got["alternate titles"] += len(o.AlternateTitles())
		got["tasks"] += len(o.Tasks())
		got["related"] += len(o.Related())
		got["skill ratings"] += len(o.Skills())
		got["knowledge ratings"] += len(o.Knowledge())
		got["work style ratings"] += len(o.WorkStyles())
		if o.JobZone > 0 {
			got["job zones"]++
		}
		for _, a := range o.AlternateTitles() {
			if a.Short != "" {
				got["short titles"]++
			}
		}
		for _, k := range o.Tasks() {
			switch k.Kind {
			case Core:
				got["core"]++
			case Supplemental:
				got["supplemental"]++
			}
			got["task letters"] += len(k.Text)
			if k.Rating != nil {
				got["task ratings"]++
			}
		}
	}
	for name, want := range map[string]int{
		"occupations": 1016, "alternate titles": 56560, "short titles": 3574, "job zones": 923,
		"tasks": 18796, "core": 13417, "supplemental": 4222, "task ratings": 13,
		"task letters":  1860270 - 18796, // wc counts the line ends
		"related":       18460,
		"skill ratings": 61530 / 2, "knowledge ratings": 58014 / 2, "work style ratings": 14064,
	} {
		if got[name] != want {
			t.Errorf("%s: %d, want %d", name, got[name], want)
		}
	}
	for kind, want := range map[Kind]int{Skill: 35, Knowledge: 33, WorkStyle: 16} {
		n := 0
		for range Elements(kind) {
			n++
		}
		if n != want {
			t.Errorf("%s: %d elements, want %d", kind, n, want)
		}
	}
}

func find(t testing.TB, code string) Occupation {
	t.Helper()
	o, ok := Find(code)
	if !ok {
		t.Fatalf("no occupation %s", code)
	}
	return o
}

func TestFind(t *testing.T) {
	o := find(t, "43-4051.00")
	if o.Title != "Customer Service Representatives" || o.Name("zh-CN") != "客户服务代表" || o.Name("en") != o.Title ||
		o.JobZone != 2 || !strings.HasPrefix(o.Description, "Interact with customers") {
		t.Errorf("43-4051.00 = %+v", o)
	}
	if short := find(t, "43-4051"); short != o {
		t.Errorf("43-4051 = %+v", short)
	}
	for _, code := range []string{"", "43", "43-4051.99", "00-0000.00", "99-9999.00", "客服"} {
		if o, ok := Find(code); ok {
			t.Errorf("Find(%q) = %v", code, o)
		}
	}
	before := ""
	for o := range All() {
		if got, ok := Find(o.Code); !ok || got != o || o.Code <= before {
			t.Errorf("%s is not found again, or out of order", o.Code)
		}
		before = o.Code
	}
}

func TestRatings(t *testing.T) {
	const none = -1.0
	for _, tt := range []struct {
		code, element, name string
		im, imSE            float64 // O*NET's 1–5
		lv, lvSE            float64 // O*NET's 0–7
		n                   int
		suppress            bool // the level
		date                string
		source              Source
	}{
		{"43-4051", "1.C.7.a", "Innovation", 3.14, 0.0819, none, none, 25, false, "2022-08", Incumbent},
		{"43-4051", "1.C.5.a", "Dependability", 4.76, 0.1494, none, none, 26, false, "2022-08", Incumbent},
		{"43-4051", "2.B.1.f", "Service Orientation", 4, 0, 3.62, 0.183, 8, false, "2022-08", Analyst},
		{"43-4051", "2.B.3.e", "Programming", 1.5, 0.189, 0.62, 0.2631, 8, false, "2022-08", Analyst},
		{"43-4051", "2.C.1.e", "Customer and Personal Service", 4.7, 0.162, 5.67, 0.4777, 26, false, "2022-08", Incumbent},
		{"41-2031", "2.C.1.d", "Sales and Marketing", 4.52, 0.1451, 4.51, 0.1732, 30, false, "2018-08", Incumbent},
		{"11-3031", "2.B.3.a", "Operations Analysis", 1.75, 0.366, 1.12, 0.5154, 8, true, "2022-08", Analyst},
		{"11-1011.03", "2.C.1.a", "Administration and Management", 4.15, none, 5, none, 26, false, "2021-08", Expert},
		{"11-3071", "2.C.1.a", "Administration and Management", 4.14, none, 4.91, none, 0, false, "2020-11", Transition},
	} {
		o := find(t, tt.code)
		all := slices.Concat(o.Skills(), o.Knowledge(), o.WorkStyles())
		i := slices.IndexFunc(all, func(r Rating) bool { return r.Element.ID == tt.element })
		if i < 0 {
			t.Errorf("%s: no %s", tt.code, tt.element)
			continue
		}
		r := all[i]
		same := func(got, want float64) bool {
			return want < 0 && math.IsNaN(got) || math.Abs(got-want) < 1e-9
		}
		seIM, seLV := tt.imSE, tt.lvSE
		if seIM >= 0 {
			seIM *= 25
		}
		if seLV >= 0 {
			seLV *= 100.0 / 7
		}
		if r.Element.Name != tt.name || !same(r.Importance.Value, 25*(tt.im-1)) || !same(r.Importance.SE, seIM) ||
			r.Importance.N != tt.n || r.Importance.Suppress || r.Date != tt.date || r.Source != tt.source {
			t.Errorf("%s %s = %+v", tt.code, tt.element, r)
		}
		switch {
		case tt.lv < 0 && r.Level != nil:
			t.Errorf("%s %s has a level", tt.code, tt.element)
		case tt.lv >= 0 && (r.Level == nil || !same(r.Level.Value, 100*tt.lv/7) || !same(r.Level.SE, seLV) || r.Level.Suppress != tt.suppress):
			t.Errorf("%s %s: level %+v", tt.code, tt.element, r.Level)
		}
		if b, err := json.Marshal(r); err != nil || strings.Contains(string(b), `"se":null`) {
			t.Errorf("%s %s as JSON: %s, %v", tt.code, tt.element, b, err)
		}
	}
	if o := find(t, "11-9199.00"); o.Skills() != nil || o.WorkStyles() != nil || o.Tasks() != nil || o.Related() != nil {
		t.Errorf("%s was not rated, and yet it has ratings", o.Title)
	}
}

// The sums of whole columns hold every value in place of a list of them all.
func TestSums(t *testing.T) {
	type sums struct{ im, se, lv, lvse float64 }
	add := func(of func(Occupation) []Rating) (s sums, notRelevant, suppressed int) {
		zero := func(x float64) float64 {
			if math.IsNaN(x) {
				return 0
			}
			return x
		}
		for o := range All() {
			for _, r := range of(o) {
				s.im += r.Importance.Value/25 + 1
				s.se += zero(r.Importance.SE) / 25
				if r.Importance.Suppress {
					suppressed++
				}
				if r.Level == nil {
					continue
				}
				s.lv += r.Level.Value * 7 / 100
				s.lvse += zero(r.Level.SE) * 7 / 100
				if r.Level.NotRelevant {
					notRelevant++
				}
				if r.Level.Suppress {
					suppressed++
				}
			}
		}
		return s, notRelevant, suppressed
	}
	for _, tt := range []struct {
		name                    string
		of                      func(Occupation) []Rating
		im, all, se             float64
		notRelevant, suppressed int
	}{
		{"skills", Occupation.Skills, 79763.02, 152870.84, 8905.4768, 3302, 124},
		{"knowledge", Occupation.Knowledge, 65921.36, 127198.08, 14461.9, 5939, 4797},
		{"work styles", Occupation.WorkStyles, 55618.89, 55618.89, 2356.7329, 0, 0},
	} {
		s, n, sup := add(tt.of)
		if math.Abs(s.im-tt.im) > 1e-6 || math.Abs(s.im+s.lv-tt.all) > 1e-6 || math.Abs(s.se+s.lvse-tt.se) > 1e-6 ||
			n != tt.notRelevant || sup != tt.suppressed {
			t.Errorf("%s: %.2f %.2f %.4f %d %d, want %.2f %.2f %.4f %d %d", tt.name,
				s.im, s.im+s.lv, s.se+s.lvse, n, sup, tt.im, tt.all, tt.se, tt.notRelevant, tt.suppressed)
		}
	}
}

func TestTasks(t *testing.T) {
	tasks := find(t, "43-4051").Tasks()
	if len(tasks) != 13 {
		t.Fatalf("%d tasks", len(tasks))
	}
	first, last := tasks[0], tasks[12]
	if first.ID != "18565" || first.Kind != Core || first.Asked != 73 ||
		!strings.HasPrefix(first.Text, "Confer with customers by telephone or in person") {
		t.Errorf("first = %+v", first)
	}
	want := TaskRating{
		Importance: 25 * (4.67 - 1), Relevance: 94.3,
		Frequency: [7]float64{1.02, 5.14, 6.56, 1.19, 19.77, 11.16, 55.16},
	}
	if got := *first.Rating; math.Abs(got.Importance-want.Importance) > 1e-9 || got.Relevance != want.Relevance || got.Frequency != want.Frequency {
		t.Errorf("rating = %+v, want %+v", got, want)
	}
	if last.ID != "2591" || last.Kind != Supplemental || math.Abs(last.Rating.Importance-54) > 1e-9 {
		t.Errorf("last = %+v", last)
	}
	translated := 0
	for _, code := range []string{"41-1011", "41-2031", "43-1011", "43-4051"} {
		for _, k := range find(t, code).Tasks() {
			if k.TextZH == "" || k.In("zh-CN") != k.TextZH || k.In("en") != k.Text {
				t.Errorf("%s: task %s in Chinese: %q", code, k.ID, k.TextZH)
			}
			translated++
		}
	}
	if translated != len(zhTasks()) {
		t.Errorf("zh_tasks.txt has %d texts, %d of them for tasks of these occupations", len(zhTasks()), translated)
	}
	for _, k := range find(t, "41-2031").Tasks() {
		if k.Rating != nil {
			t.Errorf("41-2031 has a rating for task %s", k.ID)
		}
	}
}

func TestRelatedAndAlternate(t *testing.T) {
	o := find(t, "43-4051")
	var codes []string
	for _, r := range o.Related() {
		codes = append(codes, r.Code)
	}
	if len(codes) != 20 || codes[0] != "41-3091.00" || codes[1] != "41-9041.00" || codes[19] != "41-3021.00" {
		t.Errorf("related = %v", codes)
	}
	alt := o.AlternateTitles()
	if len(alt) != 62 || alt[0].Title != "Account Adjuster" ||
		!slices.Contains(alt, AlternateTitle{"Customer Care Representative (CCR)", "CCR"}) {
		t.Errorf("%d alternate titles: %v", len(alt), alt)
	}
	if !slices.Contains(find(t, "11-1011").AlternateTitles(), AlternateTitle{"CEO (Chief Executive Officer)", "CEO"}) {
		t.Error("no CEO")
	}
}

func TestElements(t *testing.T) {
	e, ok := FindElement("1.C.7.a")
	if !ok || e.Kind != WorkStyle || e.Name != "Innovation" || e.In("zh-CN") != "创新能力" || e.In("en") != "Innovation" || e.Anchors != nil {
		t.Errorf("1.C.7.a = %+v", e)
	}
	e, _ = FindElement("2.A.1.a")
	if len(e.Anchors) != 3 || math.Abs(e.Anchors[0].Level-100*2.0/7) > 1e-9 ||
		e.Anchors[0].Text != "Read step-by-step instructions for completing a form" {
		t.Errorf("2.A.1.a anchors = %+v", e.Anchors)
	}
	if _, ok := FindElement("9.Z"); ok {
		t.Error("found an element that is not there")
	}
	seen := map[string]string{}
	for _, kind := range []Kind{Skill, Knowledge, WorkStyle} {
		for e := range Elements(kind) {
			if !strings.ContainsFunc(e.NameZH, isHan) || !strings.ContainsFunc(e.DescriptionZH, isHan) || e.Description == "" {
				t.Errorf("%s %s: Chinese %q, %q", e.ID, e.Name, e.NameZH, e.DescriptionZH)
			}
			if other, ok := seen[string(kind)+e.NameZH]; ok {
				t.Errorf("%s and %s are both %s", other, e.ID, e.NameZH)
			}
			seen[string(kind)+e.NameZH] = e.ID
			if kind != WorkStyle && len(e.Anchors) != 3 {
				t.Errorf("%s has %d anchors", e.ID, len(e.Anchors))
			}
		}
	}
	for id := range zhElements() {
		if _, ok := FindElement(id); !ok {
			t.Errorf("zh_elements.txt: no element %s", id)
		}
	}
}

func TestChineseOccupations(t *testing.T) {
	n := 0
	seen := map[string]string{}
	for o := range All() {
		switch o.Code[:2] {
		case "11", "13", "25", "29", "31", "41", "43":
			if o.TitleZH == "" {
				t.Errorf("%s %s has no Chinese name", o.Code, o.Title)
			}
		}
		if o.TitleZH == "" {
			continue
		}
		n++
		if other, ok := seen[o.TitleZH]; ok {
			t.Errorf("%s and %s are both %s", other, o.Code, o.TitleZH)
		}
		seen[o.TitleZH] = o.Code
		if strings.ContainsFunc(o.TitleZH, func(r rune) bool { return unicode.IsSpace(r) || r == '(' }) {
			t.Errorf("%s: %q", o.Code, o.TitleZH)
		}
	}
	if n != len(zhOccupations()) {
		t.Errorf("zh_occupations.txt has %d names, %d of them for occupations that exist", len(zhOccupations()), n)
	}
}

// Every usual title finds its occupation, which has a Chinese name, and stands
// once in the file.
func TestAliases(t *testing.T) {
	seen := map[string]string{}
	for line := range strings.Lines(zhAliasesText) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		o, ok := Find(f[0])
		if !ok || o.TitleZH == "" || len(f) < 2 {
			t.Errorf("%q: no such occupation, no Chinese name, or no title", line)
			continue
		}
		for _, title := range f[1:] {
			key := string(plain(title))
			if other, ok := seen[key]; ok || key == "" {
				t.Errorf("%q is of %s and %s", title, other, o.Code)
			}
			seen[key] = o.Code
			if hit, ok := Match(title, "zh-CN"); !ok || !hit.Exact || hit.Occupation.Code != o.Code {
				t.Errorf("%q finds %s %s, not %s", title, hit.Occupation.Code, hit.Matched, o.Code)
			}
		}
	}
	if got := find(t, "43-4051").Aliases(); len(got) < 20 || got[0] != "客服专员" {
		t.Errorf("aliases of 43-4051: %q", got)
	}
}

// The parts together must leave room in a server that is to stay under 80 MB.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	Search("nurse 护士", "zh-CN", 1)
	o := find(t, "43-4051")
	o.Skills()
	o.Knowledge()
	o.WorkStyles()
	o.Tasks()
	o.Related()
	runtime.GC()
	runtime.ReadMemStats(&after)
	// What other tests have unpacked before is not in this; alone it is all.
	kb := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / 1024
	t.Logf("everything unpacked: %d KiB", kb)
	if kb > 12<<10 {
		t.Errorf("unpacked data hold %d KiB, want at most 12 MiB", kb)
	}
	if len(packed) > 4<<20 {
		t.Errorf("onet.bin is %d bytes, want at most 4 MiB", len(packed))
	}
}

func TestTogether(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, q := range []string{"nurse", "客服", "store manger", "HR"} {
				if len(Search(q, "zh-CN", 3)) == 0 {
					t.Errorf("nothing for %q", q)
				}
			}
		})
	}
	all.Wait()
}
