//go:build onet

package onet

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRaw holds every field against the files it was packed from:
//
//	ONET=DIR go test -tags onet -run Raw ./internal/org/onet
func TestRaw(t *testing.T) {
	dir := os.Getenv("ONET")
	read := func(name string) (rows [][]string) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		return rows[1:]
	}
	titles := map[string][]string{}
	for _, r := range read("Alternate Titles.txt") {
		titles[r[0]] = append(titles[r[0]], r[2]+"|"+r[3])
	}
	zones := map[string]string{}
	for _, r := range read("Job Zones.txt") {
		zones[r[0]] = r[2]
	}
	for _, r := range read("Occupation Data.txt") {
		o, ok := Find(r[0])
		if zone := max(zones[r[0]], "0"); !ok || o.Title != r[1] || o.Description != r[2] || strconv.Itoa(o.JobZone) != zone {
			t.Errorf("%s = %+v", r[0], o)
		}
		var got []string
		for _, a := range o.AlternateTitles() {
			got = append(got, a.Title+"|"+a.Short)
		}
		slices.Sort(got)
		slices.Sort(titles[r[0]])
		if !slices.Equal(got, titles[r[0]]) {
			t.Errorf("%s: alternate titles %q, want %q", r[0], got, titles[r[0]])
		}
	}
	for name, of := range map[string]func(Occupation) []Rating{
		"Skills.txt": Occupation.Skills, "Knowledge.txt": Occupation.Knowledge, "Work Styles.txt": Occupation.WorkStyles,
	} {
		cache := map[string][]Rating{}
		rows := read(name)
		for _, r := range rows {
			if cache[r[0]] == nil {
				o, _ := Find(r[0])
				cache[r[0]] = of(o)
			}
			all := cache[r[0]]
			x := all[slices.IndexFunc(all, func(x Rating) bool { return x.Element.ID == r[2] })]
			m, value, span := x.Importance, x.Importance.Value/25+1, 25.0
			if r[4] == "LV" {
				m, value, span = *x.Level, x.Level.Value*7/100, 100.0/7
			}
			want, _ := strconv.ParseFloat(r[6], 64)
			se, err := strconv.ParseFloat(r[8], 64)
			n, _ := strconv.Atoi(r[7])
			if math.Abs(value-want) > 1e-9 || (err != nil) != math.IsNaN(m.SE) || err == nil && math.Abs(m.SE/span-se) > 1e-9 ||
				m.N != n || m.Suppress != (r[11] == "Y") || m.NotRelevant != (len(r) == 15 && r[12] == "Y") ||
				x.Element.Name != r[3] || x.Date[5:]+"/"+x.Date[:4] != r[len(r)-2] || string(x.Source) != r[len(r)-1] {
				t.Errorf("%q = %+v", r, x)
			}
		}
		t.Logf("%s: %d rows", name, len(rows))
	}
	tasks := map[string][]string{}
	for o := range All() {
		for _, k := range o.Tasks() {
			asked := ""
			if k.Asked > 0 {
				asked = strconv.Itoa(k.Asked)
			}
			tasks[o.Code] = append(tasks[o.Code], fmt.Sprint(k.ID, k.Text, []string{"", "Core", "Supplemental"}[k.Kind], asked))
		}
	}
	at := map[string]int{}
	for _, r := range read("Task Statements.txt") {
		if got := tasks[r[0]][at[r[0]]]; got != fmt.Sprint(r[2], r[3], r[4], r[5]) {
			t.Errorf("%q = %q", r, got)
		}
		at[r[0]]++
	}
	for _, r := range read("Related Occupations.txt") {
		o, _ := Find(r[0])
		i, _ := strconv.Atoi(r[5])
		if got := o.Related()[i-1]; got.Code != r[2] {
			t.Errorf("%q = %s", r, got.Code)
		}
	}
	anchors := map[string]int{}
	for _, r := range read("Level Scale Anchors.txt") {
		e, ok := FindElement(r[0])
		if !ok {
			continue // an ability or a work activity, which are not packed
		}
		a := e.Anchors[anchors[r[0]]]
		anchors[r[0]]++
		if want, _ := strconv.ParseFloat(r[4], 64); math.Abs(a.Level-100*want/7) > 1e-9 || a.Text != r[5] {
			t.Errorf("%q = %+v", r, a)
		}
	}
	for _, r := range read("Content Model Reference.txt") {
		if e, ok := FindElement(r[0]); ok && (e.Name != r[1] || e.Description != r[2]) {
			t.Errorf("%q = %+v", r, e)
		}
	}
}
