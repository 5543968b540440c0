package lab

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"attune/internal/engine/effect"
	"attune/internal/engine/solve"
	"attune/internal/fault"
	"attune/internal/locale"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// readAll reads a table from memory: its rows, and the lines where they begin.
func readAll(data []byte) (t *Table, rows [][]string, lines []int, err error) {
	t = &Table{Name: "t"}
	if err := t.begin(bytes.NewReader(data)); err != nil {
		return t, nil, nil, err
	}
	for t.Next() {
		row := make([]string, len(t.Columns))
		for i := range row {
			row[i] = string(t.Text(i))
		}
		rows, lines = append(rows, row), append(lines, t.Line)
	}
	return t, rows, lines, t.err
}

func TestTable(t *testing.T) {
	zip := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("姓名,部门\n李雷,销售\n")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("姓名\t部门\n李雷\t销售\n")
	if err != nil {
		t.Fatal(err)
	}
	zh := [][]string{{"李雷", "销售"}}
	ab := [][]string{{"1", "2"}, {"3", ""}}
	for _, tt := range []struct {
		name, text string
		head       []string
		rows       [][]string
		lines, bad []int
	}{
		{"comma", "a,b\n1,2\n3,\n", []string{"a", "b"}, ab, []int{2, 3}, nil},
		{"tab", "a\tb\n1\t2\n3\t\n", []string{"a", "b"}, ab, []int{2, 3}, nil},
		{"semicolon with decimal commas", "a;b\n1,5;2,5\n", []string{"a", "b"}, [][]string{{"1,5", "2,5"}}, []int{2}, nil},
		{"byte order mark, CRLF, no last line end", "\ufeffa,b\r\n1,2\r\n3,", []string{"a", "b"}, ab, []int{2, 3}, nil},
		{"gzip", zip("\ufeffa,b\n1,2\n3,\n"), []string{"a", "b"}, ab, []int{2, 3}, nil},
		{"GB 18030", gb, []string{"姓名", "部门"}, zh, []int{2}, nil},
		{"UTF-16", wide, []string{"姓名", "部门"}, zh, []int{2}, nil},
		{"comments and blank lines", "# from R\n# again\na,b\n\n1,2\n \n3,\n", []string{"a", "b"}, ab, []int{5, 7}, nil},
		{"space around fields", "a , b\n 1 ,2 \n3,  \n", []string{"a", "b"}, ab, []int{2, 3}, nil},
		{"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"\", \"2\" \n", []string{"a", "b"}, [][]string{{"x,y", `say "hi"`}, {"", "2"}}, []int{2, 3}, nil},
		{"a quoted line break", "a,b\n\"x\ny\",1\n2,3\n", []string{"a", "b"}, [][]string{{"x\ny", "1"}, {"2", "3"}}, []int{2, 4}, nil},
		{"a quotation mark within", "a,b\n5\" pipe,1\n", []string{"a", "b"}, [][]string{{`5" pipe`, "1"}}, []int{2}, nil},
		{"bad rows", "a,b\n1\n1,2\n1,2,3\n\"x\"y,1\n3,\n\xff,2\n", []string{"a", "b"}, ab, []int{3, 6}, []int{2, 4, 5, 7}},
		{"one column", "theta\n0.5\n-1\n", []string{"theta"}, [][]string{{"0.5"}, {"-1"}}, []int{2, 3}, nil},
		{"tabs of nothing are a row", "a\tb\n\t\n", []string{"a", "b"}, [][]string{{"", ""}}, []int{2}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, rows, lines, err := readAll([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var bad []int
			for _, b := range got.Bad {
				bad = append(bad, b.Line)
			}
			if !slices.Equal(got.Columns, tt.head) || fmt.Sprintf("%q", rows) != fmt.Sprintf("%q", tt.rows) || !slices.Equal(lines, tt.lines) || !slices.Equal(bad, tt.bad) {
				t.Errorf("columns %q, rows %q on lines %v, bad %v\nwant    %q, rows %q on lines %v, bad %v", got.Columns, rows, lines, bad, tt.head, tt.rows, tt.lines, tt.bad)
			}
		})
	}
}

func TestTableRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, key string }{
		{"nothing", "", "lab.file.empty"},
		{"comments alone", "# a\n# b\n", "lab.file.empty"},
		{"two columns of one name", "a,b,a\n1,2,3\n", "lab.column.twice"},
		{"an open quote", "a,b\n1,2\n\"3,4\n5,6\n", "lab.file.quote"},
		{"half a gzip", "\x1f\x8b\x08\x00\x00", "lab.file.spoilt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, _, err := readAll([]byte(tt.text))
			e, ok := fault.As(err)
			if !ok || e.Key != tt.key {
				t.Fatalf("error = %v, want %s", err, tt.key)
			}
			if !locale.Has(e.Key) {
				t.Errorf("%s has no text", e.Key)
			}
		})
	}
}

// What encoding/csv writes comes back, every row with as many fields as the
// header is read or listed, and no input breaks the reader.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\ufeffa;b\r\n\"x\n\"\"y\";2\r\n", "a\tb\n\t\n", "# c\na,b\n\"1,2\n", "\x1f\x8b\x08", "\xff\xfea\x00", "\xc0,b\n1,2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, rows, lines, err := readAll(data)
		if !slices.IsSorted(lines) {
			t.Errorf("lines %v", lines)
		}
		for _, b := range table.Bad {
			if b.Line < 1 || b.Line > table.read || !locale.Has(b.Key) {
				t.Errorf("bad row %+v of %d lines", b, table.read)
			}
		}
		for _, row := range rows {
			for _, c := range row {
				if !utf8.ValidString(c) {
					t.Errorf("field %q", c)
				}
			}
		}
		if err != nil || len(table.Columns) < 2 || len(rows) == 0 {
			return
		}
		// Written anew by another writer it reads the same, where that writer can
		// say it: it takes no quotes for blank lines, and none for outer space.
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		for _, row := range append([][]string{table.Columns}, rows...) {
			for _, c := range row {
				if strings.ContainsAny(c, "\r\t;#\ufeff") || c != strings.TrimSpace(c) {
					return
				}
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		again, rows2, _, err := readAll(b.Bytes())
		if err != nil || len(again.Bad) > 0 || !slices.Equal(again.Columns, table.Columns) || fmt.Sprintf("%q", rows2) != fmt.Sprintf("%q", rows) {
			t.Errorf("%q\nread as %q %q\nwritten as %q\nread as %q %q, bad %v, %v", data, table.Columns, rows, b.String(), again.Columns, rows2, again.Bad, err)
		}
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFrame(t *testing.T) {
	var b strings.Builder
	b.WriteString("y,site,month,team,x\n")
	for i := range 40 {
		fmt.Fprintf(&b, "%d,%s,2026-%02d,t%d,%d\n", i, []string{"B", "A", "C"}[i%3], 1+i%4, i%5, i)
	}
	b.WriteString("40,A,2026-01,t0,4O\n") // a letter for a figure, on line 42
	path := write(t, b.String())
	wants := []Want{{Name: "y"}, {Name: "site", Kind: Mixed}, {Name: "month", Kind: Period}, {Name: "team", Kind: Code}, {Name: "x", Kind: Mixed}, {}}
	_, err := readFrame(path, wants, false)
	bad, ok := errors.AsType[BadRows](err)
	if !ok || len(bad) != 1 || bad[0].Line != 42 || bad[0].Column != "x" {
		t.Fatalf("error = %v (%+v), want one bad row on line 42", err, bad)
	}
	f, err := readFrame(path, wants, true)
	if err != nil {
		t.Fatal(err)
	}
	site, err := f.Covariates(1)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != 40 || len(site) != 2 || site[0].Name != "site=B" || site[1].Name != "site=C" || site[0].Values[0] != 1 || site[1].Values[0] != 0 || site[1].Values[2] != 1 {
		t.Errorf("%d rows, %+v", f.Rows(), site)
	}
	if m := f.Codes(2); m[0] != 0 || m[3] != 3 || m[4] != 0 {
		t.Errorf("months %v", m[:5])
	}
	if k, err := f.periodOf(2, "2026-03"); k != 2 || err != nil {
		t.Errorf("2026-03 is period %d, %v", k, err)
	}
	if x, err := f.Covariates(4); err != nil || len(x) != 1 || x[0].Values[39] != 39 || len(x[0].Values) != 40 {
		t.Errorf("x = %+v, %v", x, err)
	}
	if f.Codes(5) != nil || f.Numbers(5) != nil {
		t.Error("a column that was not wanted has values")
	}
}

// A panel given by whole numbers keeps them, gaps and all.
func TestFramePeriods(t *testing.T) {
	f, err := readFrame(write(t, "w\n10\n2\n-1\n"), []Want{{Name: "w", Kind: Period}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Codes(0), []int{10, 2, -1}) {
		t.Errorf("periods %v", f.Codes(0))
	}
}

func TestSplitSkills(t *testing.T) {
	for text, want := range map[string]string{
		"": "[]", "7": "[7]", "3~12": "[3 12]", "3;12|4": "[3 12 4]", "3,12": "[3 12]", "3_12": "[3 12]", "angle_sum": "[angle_sum]", "NA": "[]",
	} {
		if got := fmt.Sprintf("%s", splitSkills([]byte(text))); got != want {
			t.Errorf("%q = %s, want %s", text, got, want)
		}
	}
}

// Every error of the engines that a person can meet has its text, in both languages.
func TestSpoken(t *testing.T) {
	for _, s := range spoken {
		if !locale.Has("lab.warn." + s.code) {
			t.Errorf("lab.warn.%s has no text", s.code)
		}
		if err := Explain(fmt.Errorf("row 3: %w", s.err)); fault.Of(err) != fault.Invalid {
			t.Errorf("%v: kind %q", s.err, fault.Of(err))
		}
	}
	for _, k := range []string{"constant", "unused", "reversed", "extreme", "collapsed", "alias"} {
		if !locale.Has("lab.warn.irt." + k) {
			t.Errorf("lab.warn.irt.%s has no text", k)
		}
	}
}

func TestJSONOfNoNumber(t *testing.T) {
	var b bytes.Buffer
	v := struct {
		X float64   `json:"x"`
		Y []float64 `json:"y"`
		Noted
	}{math.NaN(), []float64{1.5, math.Inf(1)}, Noted{Warnings: []error{expanded, solve.WarnStopped, effect.Warning{Kind: effect.SmallGroups, Value: 7, Limit: 20}}}}
	if err := WriteJSON(&b, locale.Zh, v); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"code":"solve.stopped","message":"在`, `{"code":"effect.small_groups","message":"较小的一组只有 7（界限 20）。","value":7,"limit":20}`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
	if got := b.String(); !strings.HasPrefix(got, `{"x":null,"y":[1.5,null],"warnings":[{"code":"lab.warn.trace.expanded","message":`) || !strings.HasSuffix(got, `"bad_rows":[]}`+"\n") {
		t.Error(got)
	}
}

func BenchmarkTable(b *testing.B) {
	text := []byte("a,b,c,d,e\n" + strings.Repeat("1,23.5,person 7,2026-01-01,0\n", 100_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		t := &Table{}
		if err := t.begin(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
		for t.Next() {
		}
	}
}
