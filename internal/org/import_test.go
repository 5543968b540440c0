package org_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// head and good begin most samples: a boss, 001, who is known to be good.
const head = "工号,姓名,部门,岗位,直属上级工号,入职日期,离职日期,状态,邮箱,语言\n"
const good = head + "001,赵一,集团,经理,,,,,,\n"

// workbook makes an XLSX of rows, whose cells are set as they are.
func workbook(t testing.TB, change func(f *excelize.File), rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		at, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow("Sheet1", at, &row); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encode(t testing.TB, e interface {
	Bytes([]byte) ([]byte, error)
}, s string) []byte {
	t.Helper()
	b, err := e.Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bomb is a zip that says it unpacks to more than is allowed.
func bomb(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, UncompressedSize64: 300 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every fault there is: what is found, where, and that it is said in both
// languages and stops everything.
func TestImportFaults(t *testing.T) {
	row := func(format string, args ...any) []byte { return []byte(good + fmt.Sprintf(format, args...) + "\n") }
	tests := []struct {
		name string
		data []byte
		want []string // row column code
	}{
		{"no bytes", nil, []string{"0  empty"}},
		{"blank lines", []byte("\n \n,,\n"), []string{"0  empty"}},
		{"an empty workbook", workbook(t, nil), []string{"0  empty"}},
		{"headings only", []byte(head), []string{"0  no_rows"}},
		{"too many bytes", bytes.Repeat([]byte("a"), org.MaxImportBytes+1), []string{"0  too_large"}},
		{"zip bomb", bomb(t), []string{"0  too_large"}},
		{"too many rows", []byte(head + strings.Repeat("1,a,b,c,,,,,,\n", org.MaxImportRows+10)), []string{"0  too_many_rows"}},
		{"too many columns", []byte(head + strings.Repeat("x,", 201) + "\n"), []string{"2  too_wide"}},
		{"Latin-1", []byte("number;name;unit;position\n1;M\xfcller;K\xf6ln;Verk\xe4ufer\n"), []string{"0  encoding"}},
		{"Big5", encode(t, traditionalchinese.Big5.NewEncoder(), "工號,姓名,部門,職位\n1,張三,總部,客服\n"), []string{"0  encoding"}},
		{"random bytes", []byte{1, 0x80, 0xff, 0, 0, 7, 0xfe, 0x81, 0}, []string{"0  encoding"}},
		{"cut UTF-16", []byte("\xFF\xFEa\x00b"), []string{"0  encoding"}},
		{"PDF", []byte("%PDF-1.7\n"), []string{"0  kind"}},
		{"web page", []byte("<html><table></table></html>"), []string{"0  kind"}},
		{"some zip", func() []byte {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			z.Create("a.txt")
			z.Close()
			return b.Bytes()
		}(), []string{"0  kind"}},
		{"old workbook", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600)), []string{"0  xls"}},
		{"cut workbook", workbook(t, nil, []any{"工号"})[:500], []string{"0  broken"}},
		{"open quote", []byte(head + "1,\"a,b,c\n"), []string{"2  quote"}},
		{"no useful headings", []byte("a,b,c\n1,2,3\n"), []string{"1  missing_header", "1  missing_header", "1  missing_header", "1  missing_header"}},
		{"two missing", []byte("工号,岗位\n1,客服\n"), []string{"1  missing_header", "1  missing_header"}},
		{"heading twice", []byte("工号,姓名,部门,岗位,员工编号\n1,赵,集团,客服,1\n"), []string{"1 员工编号 header_twice"}},
		{"a cell too many", row("2,钱二,集团,客服,,,,,,,x"), []string{"3  extra_cells"}},
		{"empty cells", row(",,,,,,,,a@b.c,"), []string{"3 工号 empty_cell", "3 姓名 empty_cell", "3 部门 empty_cell", "3 岗位 empty_cell"}},
		{"dashes are empty", row("2,钱二,-,无,n/a,—,,,,"), []string{"3 部门 empty_cell", "3 岗位 empty_cell"}},
		{"formula without a value", workbook(t, func(f *excelize.File) { f.SetCellFormula("Sheet1", "B2", `CONCAT("a","b")`) },
			[]any{"工号", "姓名", "部门", "岗位"}, []any{"1", nil, "集团", "客服"}), []string{"2 姓名 formula"}},
		{"formula as text", row("2,=1+1,@集团,+客服,,,,,,"), []string{"3 姓名 formula_text", "3 部门 formula_text", "3 岗位 formula_text"}},
		{"failed formula", row("2,#REF!,集团,客服,#N/A,,,,,"), []string{"3 姓名 error_value", "3 直属上级工号 error_value"}},
		{"control characters", row("2,钱\a二,集\u202e团,客服,,,,,,"), []string{"3 姓名 control", "3 部门 control"}},
		{"two lines in a cell", row("2,\"钱\n二\",集团,客服,,,,,,"), []string{"3 姓名 control"}},
		{"garbled before", row("2,钱\ufffd,集团,客服,,,,,,"), []string{"3 姓名 control"}},
		{"HTML", row("<i>2</i>,<script>alert(1)</script>,<b>集团</b>,客服&lt;,,,,,,"),
			[]string{"3 工号 markup", "3 姓名 markup", "3 部门 markup", "3 岗位 markup"}},
		{"too long", row("%s,%s,%s,客服,,,,,,", strings.Repeat("1", 41), strings.Repeat("钱", 101), strings.Repeat("部", 61)),
			[]string{"3 工号 long", "3 姓名 long", "3 部门 long"}},
		{"shifted columns", row("2020-01-02,12345,2020/1/2,100,,,,,,"), []string{"3 工号 type", "3 姓名 type", "3 部门 type", "3 岗位 type"}},
		{"truth values", row("TRUE,FALSE,true,客服,,,,,,"), []string{"3 工号 type", "3 姓名 type", "3 部门 type"}},
		{"dates", row("2,钱二,集团,客服,,03/04/2020,2020-02-30,,,"), []string{"3 入职日期 date", "3 离职日期 date"}},
		{"date of no century", row("2,钱二,集团,客服,,0202-01-01,,,,"), []string{"3 入职日期 date"}},
		{"a number is no date in text", row("2,钱二,集团,客服,,43895,,,,"), []string{"3 入职日期 date"}},
		{"status, address, language", row("2,钱二,集团,客服,,,,也许,qian二,火星文"), []string{"3 状态 status", "3 邮箱 email", "3 语言 lang"}},
		{"deep unit", row("2,钱二,1/2/3/4/5/6/7/8/9/10/11,客服,,,,,,"), []string{"3 部门 unit_depth"}},
		{"duplicate", row("2,钱二,集团,客服,,,,,,\n2,孙三,集团,客服,,,,,,\n２ ,李四,集团,客服,,,,,,"), []string{"4 工号 duplicate", "5 工号 duplicate"}},
		{"almost duplicate", row("1,钱二,集团,客服,,,,,,\na 7,孙三,集团,客服,,,,,,\nA7,李四,集团,客服,,,,,,"),
			[]string{"3 工号 number_variant", "5 工号 number_variant"}},
		{"almost a known number", []byte(head + "known1,钱二,集团,客服,,,,,,\n"), []string{"2 工号 number_known"}},
		{"left before hired", row("2,钱二,集团,客服,,2020-03-05,2020-03-04,,,"), []string{"3 离职日期 left_before_hired"}},
		{"left before hired, as known", []byte(head + "KNOWN1,钱二,集团,客服,,,2014-03-04,,,\n"), []string{"2 离职日期 left_before_hired"}},
		{"own manager", row("2,钱二,集团,客服,2,,,,,"), []string{"3 直属上级工号 manager_self"}},
		{"unknown manager", row("2,钱二,集团,客服,赵一,,,,,"), []string{"3 直属上级工号 manager_unknown"}},
		{"manager almost", row("2,钱二,集团,客服,1,,,,,\n3,孙三,集团,客服,known2,,,,,"), []string{"3 直属上级工号 manager_variant", "4 直属上级工号 manager_variant"}},
		{"manager left", row("2,钱二,集团,客服,,,2021-01-01,,,\n3,孙三,集团,客服,2,,,,,\n4,李四,集团,客服,GONE,,,,,"),
			[]string{"4 直属上级工号 manager_left", "5 直属上级工号 manager_left"}},
		{"two circles", row("2,钱二,集团,客服,4,,,,,\n3,孙三,集团,客服,2,,,,,\n4,李四,集团,客服,3,,,,,\n5,周五,集团,客服,3,,,,,\n6,吴六,集团,客服,7,,,,,\n7,郑七,集团,客服,6,,,,,"),
			[]string{"3 直属上级工号 manager_cycle", "7 直属上级工号 manager_cycle"}},
		// KNOWN2 reports to KNOWN1 already.
		{"circle through people not in the file", []byte(head + "KNOWN1,钱二,集团,客服,KNOWN2,,,,,\n"), []string{"2 直属上级工号 manager_cycle"}},
		{"all of a file's faults", row("2,,集团,客服,9,2020-13-01,,,,\n2,<b>,集团,客服,001,,,,x,"),
			[]string{"3 入职日期 date", "3 姓名 empty_cell", "3 直属上级工号 manager_unknown", "4 姓名 markup", "4 邮箱 email", "4 工号 duplicate"}},
	}
	covered := map[string]bool{}
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		write(t, d, func(ctx context.Context, tx *db.Tx) error {
			_, err := org.HireAll(ctx, tx, []org.Person{
				{ID: "k1", Number: "KNOWN1", Name: "known", Unit: s.root.ID, Position: s.agent.ID, HiredAt: time.Date(2015, 1, 1, 12, 0, 0, 0, time.UTC)},
				{ID: "k2", Number: "KNOWN2", Name: "known", Unit: s.root.ID, Position: s.agent.ID, Manager: "k1"},
				{ID: "g", Number: "GONE", Name: "gone", Unit: s.root.ID, Position: s.agent.ID, LeftAt: testdb.Start.AddDate(0, -1, 0)},
			})
			return err
		})
		before := dump(t, d)
		for _, tt := range tests {
			r, err := org.ImportPeople(t.Context(), d, "f", tt.data, org.ImportOptions{Lang: locale.Zh})
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var got []string
			for _, f := range r.Faults {
				got = append(got, fmt.Sprintf("%d %s %s", f.Row, f.Column, f.Code))
				covered[f.Code] = true
				for _, l := range locale.Langs {
					if m := f.Message(l); strings.HasPrefix(m, "import.") || strings.Contains(m, "%!") {
						t.Errorf("%s: message %q", tt.name, m)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
			if r.Written || r.Failed() == nil {
				t.Errorf("%s: written", tt.name)
			}
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("something was written: %s", diff)
		}
	})
	covered["more"] = true // TestManyFaults
	text, err := os.ReadFile("../locale/text/org.en.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^import\.fault\.(\w+) =`).FindAllStringSubmatch(string(text), -1) {
		if !covered[m[1]] {
			t.Errorf("no sample has the fault %s", m[1])
		}
	}
}

func TestManyFaults(t *testing.T) {
	_, faults := org.ParsePeople("f", []byte("工号,姓名,部门,岗位\n"+strings.Repeat(",,x,y\n", 15_000)), locale.Zh)
	if n := len(faults); n != 20_001 || faults[n-1].Code != "more" || !strings.Contains(faults[n-1].Message(locale.En), "10000") {
		t.Errorf("%d faults, the last %+v", n, faults[n-1])
	}
}

func TestCircleIsNamed(t *testing.T) {
	_, faults := org.ParsePeople("f", []byte("工号,姓名,部门,岗位,上级\na,甲,x,y,c\nb,乙,x,y,a\nc,丙,x,y,b\n"), locale.Zh)
	want := "汇报关系绕成了一圈：a → c → b → a（3 人）。请改正其中一人的上级。"
	if len(faults) != 1 || faults[0].Message(locale.Zh) != want {
		t.Errorf("%+v", faults)
	}
}

// dump is the company as text, without what is drawn by chance.
func dump(t testing.TB, d *db.DB) (all []string) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		units, err := org.Units(t.Context(), tx)
		if err != nil {
			return err
		}
		paths := map[org.UnitID]string{}
		for _, u := range units {
			paths[u.ID] = u.Path
			all = append(all, fmt.Sprintf("unit %s site=%t", u.Path, u.Site))
		}
		positions, err := org.Positions(t.Context(), tx)
		if err != nil {
			return err
		}
		jobs := map[org.PositionID]string{}
		for _, p := range positions {
			jobs[p.ID] = p.Name.In(locale.Zh)
		}
		people, err := org.Search(t.Context(), tx, org.Query{Gone: true, Number: 500})
		if err != nil {
			return err
		}
		numbers := map[org.PersonID]string{}
		for _, p := range people {
			numbers[p.ID] = p.Number
		}
		day := func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.UTC().Format(time.DateOnly)
		}
		for _, p := range people {
			all = append(all, strings.Join([]string{p.Number, p.Name, paths[p.Unit], jobs[p.Position], numbers[p.Manager], day(p.HiredAt), day(p.LeftAt), p.Email, string(p.Lang)}, "|"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// The same two people, in every form a file may have.
func TestImportForms(t *testing.T) {
	const zh = "工号,姓名,部门,岗位,直属上级工号,入职日期,邮箱,语言\n0012,张三,集团/上海一店,店长,,2020-03-05,a@example.com,中文\nA7,李·四,集团/上海一店/客服一组,客服,0012,2021年4月6日,,English\n"
	const people = "0012|张三|集团/上海一店|店长||2020-03-05||a@example.com|zh-CN\nA7|李·四|集团/上海一店/客服一组|客服|0012|2021-04-06|||en"
	cell := func(s string, col, row int) string {
		r := csv.NewReader(strings.NewReader(s))
		all, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return all[row][col]
	}
	rows := func() (all [][]any) {
		for r := range 3 {
			var row []any
			for c := range 8 {
				row = append(row, cell(zh, c, r))
			}
			all = append(all, row)
		}
		return all
	}
	dates := rows()
	dates[1][5], dates[2][5] = time.Date(2020, 3, 5, 0, 0, 0, 0, time.UTC), 44292 // 6 April 2021
	padded := rows()
	padded[1][0], padded[2][4] = 12, 12
	titled := slices.Concat([][]any{{"云采公司员工花名册"}, nil}, rows())
	forms := map[string][]byte{
		"UTF-8":         []byte(zh),
		"UTF-8 BOM":     []byte("\ufeff" + zh),
		"GB18030":       encode(t, simplifiedchinese.GB18030.NewEncoder(), zh),
		"UTF-16LE BOM":  encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), zh),
		"UTF-16BE":      encode(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), zh),
		"UTF-16LE":      encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(), zh),
		"CRLF":          []byte(strings.ReplaceAll(zh, "\n", "\r\n")),
		"CR":            []byte(strings.ReplaceAll(zh, "\n", "\r")),
		"semicolons":    []byte(strings.ReplaceAll(zh, ",", ";")),
		"tabs":          []byte(strings.ReplaceAll(zh, ",", "\t")),
		"sep hint":      []byte("sep=;\r\n" + strings.ReplaceAll(zh, ",", ";")),
		"kept zeros":    []byte(strings.Replace(zh, "0012", `"=""0012"""`, 1)),
		"full width":    []byte(strings.Replace(zh, "\n0012", "\n００１２　", 1)),
		"blank lines":   []byte(strings.ReplaceAll(zh, "\n", "\n\n,,,\n")),
		"> in paths":    []byte(strings.ReplaceAll(zh, "/", " > ")),
		"marked":        []byte(strings.Replace(zh, "工号,姓名", "*工号（必填）, 姓 名：", 1)),
		"workbook":      workbook(t, nil, rows()...),
		"dates":         workbook(t, nil, dates...),
		"title above":   workbook(t, nil, titled...),
		"second sheet":  workbook(t, func(f *excelize.File) { f.NewSheet("空"); f.MoveSheet("空", "Sheet1") }, rows()...),
		"zeros by form": workbook(t, func(f *excelize.File) { form(t, f, "0000", "A2", "E3") }, padded...),
		"1904": workbook(t, func(f *excelize.File) {
			yes := true
			if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
				t.Fatal(err)
			}
			f.SetCellValue("Sheet1", "F3", 44292-1462)
		}, rows()...),
		"levels": []byte("员工编号,员工姓名,一级部门,门店,班组,职位,汇报对象,到岗日期,电子邮箱,语种\n" +
			"0012,张三,集团,上海一店,,店长,,20200305,a@example.com,zh\nA7,李·四,集团,上海一店,客服一组,客服,0012,2021.4.6,,en\n"),
		"English": []byte("Employee ID,Full name,Department,Job Title,Reports to,Start date,E-mail,Language\n" +
			"0012,张三,集团\\上海一店,店长,n/a,5 Mar 2020,a@example.com,Chinese\nA7,李·四,集团/上海一店/客服一组,客服,0012,\"April 6, 2021\",,en-GB\n"),
	}
	for name, data := range forms {
		d := testdb.SQLite(t)
		r, err := org.ImportPeople(t.Context(), d, name, data, org.ImportOptions{Lang: locale.Zh})
		if err != nil || len(r.Faults) > 0 {
			for _, f := range r.Faults {
				t.Errorf("%s: %d %s: %s", name, f.Row, f.Column, f.Message(locale.En))
			}
			continue
		}
		want := append(strings.Split(people, "\n"), "unit 集团 site=false", "unit 集团/上海一店 site=true", "unit 集团/上海一店/客服一组 site=false")
		if diff := cmp.Diff(want, dump(t, d)); diff != "" || !r.Written || r.Joined != 2 {
			t.Errorf("%s: %+v %s", name, r.ImportResult, diff)
		}
	}
}

// form gives cells a number format of their own.
func form(t testing.TB, f *excelize.File, format string, cells ...string) {
	t.Helper()
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		if err := f.SetCellStyle("Sheet1", c, c, style); err != nil {
			t.Fatal(err)
		}
	}
}

// A company's list over its months.
func TestImport(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		var left []org.PersonID
		run := func(o org.ImportOptions, data string, want org.ImportResult) *org.ImportReport {
			t.Helper()
			o.Lang = locale.Zh
			left = nil
			o.Then = func(ctx context.Context, tx *db.Tx, r org.ImportResult) error {
				left = r.Leavers
				return nil
			}
			r, err := org.ImportPeople(t.Context(), d, "f", []byte(data), o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Faults {
				t.Errorf("%d %s: %s", f.Row, f.Column, f.Message(locale.En))
			}
			got := r.ImportResult
			got.Leavers = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return r
		}
		find := func(number string) (p org.Person) {
			write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
				p, err = org.FindByNumber(ctx, tx, number)
				return err
			})
			return p
		}
		const header = "工号,姓名,部门,岗位,上级,离职日期,状态\n"
		const first = header + "1,甲,总部,经理,,,\n2,乙,总部/一店,客服,1,,在职\n3,丙,总部/一店,客服,1,,\n4,丁,总部/二店,客服,1,2020-01-01,\n"
		r := run(org.ImportOptions{DryRun: true}, first, org.ImportResult{People: 4, Joined: 3, Former: 1, Units: 2, Positions: 2})
		if r.Written || len(dump(t, d)) != 0 {
			t.Error("a dry run wrote something")
		}
		if p := r.Plan.Positions[1]; p.People != 2 || len(p.Suggest) == 0 || p.Suggest[0].Occupation.Code != "43-4051.00" {
			t.Errorf("suggested for 客服: %+v", p)
		}
		run(org.ImportOptions{}, first, org.ImportResult{People: 4, Joined: 3, Former: 1, Units: 2, Positions: 2})
		two := find("2")
		run(org.ImportOptions{}, first, org.ImportResult{People: 4, Unchanged: 3, Former: 1})
		run(org.ImportOptions{Complete: true}, first, org.ImportResult{People: 4, Unchanged: 3, Former: 1})

		// 2 moves, 3 leaves by date, 5 joins below a unit written otherwise;
		// 1, who is not in the file, stays. 6 has yet to leave.
		const second = header + "2,乙乙,总部/二店,客服,,,\n3,,,,,2026-02-28,\n5,戊,总部 / 一店/A组,客服,2,,\n6,己,总部,客服,,2026-03-03,\n"
		run(org.ImportOptions{}, second, org.ImportResult{People: 4, Joined: 2, Changed: 1, Moved: 1, Left: 1, Units: 2})
		if three := find("3"); len(left) != 1 || left[0] != three.ID || three.Name != "丙" || three.LeftAt.UTC().Format(time.DateOnly) != "2026-02-28" {
			t.Errorf("left: %v, %+v", left, three)
		}
		if now := find("2"); now.ID != two.ID || now.Pseudonym != two.Pseudonym || now.Name != "乙乙" || now.Manager != "" {
			t.Errorf("moved: %+v", now)
		}
		run(org.ImportOptions{}, second, org.ImportResult{People: 4, Unchanged: 4})

		// 3 comes back; 1 leaves because the file is complete; 6 by status.
		const third = header + "2,乙乙,总部/二店,客服,,,\n3,丙,总部/一店,客服,2,,\n5,戊,总部/一店/a组,客服,2,,在职\n6,己,总部,客服,,,离职\n"
		run(org.ImportOptions{Complete: true}, third, org.ImportResult{People: 4, Joined: 1, Left: 2, Unchanged: 2})
		if three := find("3"); !three.LeftAt.IsZero() || three.Manager != two.ID {
			t.Errorf("back: %+v", three)
		}
		if one := find("1"); one.LeftAt.IsZero() {
			t.Error("1 is still here")
		}
		run(org.ImportOptions{Complete: true}, third, org.ImportResult{People: 4, Unchanged: 4})

		// What Then refuses is not written.
		before := dump(t, d)
		refused := errors.New("refused")
		_, err := org.ImportPeople(t.Context(), d, "f", []byte(header+"7,庚,总部,客服,,,\n"), org.ImportOptions{
			Then: func(context.Context, *db.Tx, org.ImportResult) error { return refused },
		})
		if diff := cmp.Diff(before, dump(t, d)); diff != "" || !errors.Is(err, refused) {
			t.Errorf("%v: %s", err, diff)
		}
	})
}

func TestImportNotes(t *testing.T) {
	d := testdb.SQLite(t)
	var b strings.Builder
	b.WriteString("工号,姓名,部门,岗位,上级,离职日期,星座\n1,甲,总部,经理,,,\n")
	for i := range 30 {
		fmt.Fprintf(&b, "1%02d,乙,总部,客服,1,,水瓶\n", i)
	}
	if _, err := org.ImportPeople(t.Context(), d, "f", []byte(b.String()), org.ImportOptions{Lang: locale.Zh}); err != nil {
		t.Fatal(err)
	}
	codes := func(data string, complete bool) (all []string) {
		r, err := org.ImportPeople(t.Context(), d, "f", []byte(data), org.ImportOptions{Lang: locale.Zh, Complete: complete, DryRun: true})
		if err != nil || r.Plan == nil {
			t.Fatal(err, r.Faults)
		}
		for _, n := range r.Plan.Notes {
			all = append(all, n.Code)
			if m := n.Message(locale.En); strings.Contains(m, "%!") || strings.HasPrefix(m, "import.") {
				t.Errorf("message %q", m)
			}
		}
		return all
	}
	const header = "工号,姓名,部门,岗位,离职日期,星座\n"
	if diff := cmp.Diff([]string{"ignored", "leaves_later", "former", "orphans"},
		codes(header+"1,甲,总部,经理,2026-01-01,\n100,乙,总部,客服,2026-12-31,\n999,癸,总部,客服,2000-01-01,\n", false)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ignored", "many_leave"}, codes(header+"100,乙,总部,客服,,\n", true)); diff != "" {
		t.Error(diff)
	}
}

// Whatever the file, importing it a second time changes nothing, and what is
// in the company is what the file says.
func TestImportTwice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 30 {
			data := randomFile(rng)
			complete := rng.IntN(2) == 0
			r, err := org.ImportPeople(t.Context(), d, "f", data, org.ImportOptions{Lang: locale.Zh, Complete: complete})
			if err != nil || !r.Written {
				t.Fatalf("%v %v in\n%s", err, r.Faults, data)
			}
			if r.Joined+r.Changed+r.Unchanged+r.Former+r.Left < r.People {
				t.Errorf("somebody is not accounted for: %+v", r.ImportResult)
			}
			once := dump(t, d)
			r, err = org.ImportPeople(t.Context(), d, "f", data, org.ImportOptions{Lang: locale.Zh, Complete: complete})
			if err != nil || r.Joined+r.Changed+r.Left+r.Units+r.Positions != 0 {
				t.Errorf("second time: %v %+v in\n%s", err, r.ImportResult, data)
			}
			if diff := cmp.Diff(once, dump(t, d)); diff != "" {
				t.Errorf("%s", diff)
			}
		}
	})
}

// randomFile is a list without a fault: people of forty numbers, led by those
// with smaller ones in the file.
func randomFile(rng *rand.Rand) []byte {
	var b strings.Builder
	b.WriteString("工号,姓名,部门,岗位,上级,入职日期,离职日期,邮箱\n")
	here := []string{}
	for i := range 40 {
		if rng.IntN(3) == 0 {
			continue
		}
		number := fmt.Sprintf("N%02d", i)
		boss, left, email := "", "", ""
		if len(here) > 0 && rng.IntN(4) > 0 {
			boss = here[rng.IntN(len(here))]
		}
		switch rng.IntN(6) {
		case 0:
			left = "2026-01-15"
		case 1:
			email = fmt.Sprintf("%s@example.com", number)
		}
		if left == "" {
			here = append(here, number)
		}
		hired := ""
		if rng.IntN(2) == 0 {
			hired = fmt.Sprintf("2020-%02d-01", 1+rng.IntN(12))
		}
		fmt.Fprintf(&b, "%s,员工%d,总部/%c店/%d组,%s,%s,%s,%s,%s\n", number, rng.IntN(3), 'A'+rune(rng.IntN(3)), rng.IntN(2),
			[]string{"客服", "店长"}[rng.IntN(2)], boss, hired, left, email)
	}
	return []byte(b.String())
}

// Whatever the bytes, the parser returns, and either a fault or people whom
// the company would take.
func FuzzParsePeople(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(head + "1,\"a\nb\",c > d,e,2,2020-1-2,,在职,a@b.c,en\n2,x,,,1,,,,,\n"))
	f.Add(encode(f, simplifiedchinese.GB18030.NewEncoder(), good))
	f.Add(encode(f, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), good))
	f.Add(workbook(f, nil, []any{"工号", "姓名", "部门", "岗位"}, []any{1, "张", "集团", "客服"}))
	f.Add([]byte("sep=\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, faults := org.ParsePeople("f", data, locale.Zh)
		if file == nil && len(faults) == 0 {
			t.Fatal("neither people nor a fault")
		}
		for _, fa := range faults {
			for _, l := range locale.Langs {
				if m := fa.Message(l); strings.HasPrefix(m, "import.") {
					t.Errorf("no message: %+v", fa)
				}
			}
		}
		if len(faults) > 0 {
			return
		}
		for _, r := range file.Rows {
			p := org.Person{Number: r.Number, Name: r.Name, Email: r.Email, HiredAt: r.HiredAt, LeftAt: r.LeftAt}
			if p.Name == "" && (r.Gone || !r.LeftAt.IsZero()) {
				continue
			}
			if err := p.Validate(); err != nil {
				t.Errorf("%+v: %v", r, err)
			}
		}
	})
}

// list writes a good list of n people in CSV.
func list(w io.Writer, n int) {
	fmt.Fprintln(w, "工号,姓名,部门,岗位,直属上级工号,入职日期,邮箱")
	for i := range n {
		boss := ""
		if i > 0 {
			boss = fmt.Sprintf("A%06d", (i-1)/12)
		}
		fmt.Fprintf(w, "A%06d,员工%d,集团/大区%d/%d店/客服%d组,岗位%c,%s,2020-%02d-%02d,a%d@example.com\n",
			i, i, i%5, i%40, i%3, 'A'+rune(i%3), boss, 1+i%12, 1+i%28, i)
	}
}

// An import of 10,000 people, from the bytes to the commit.
func BenchmarkImport(b *testing.B) {
	var text bytes.Buffer
	list(&text, 10_000)
	rows, err := csv.NewReader(bytes.NewReader(text.Bytes())).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	cells := make([][]any, len(rows))
	for i, r := range rows {
		for _, c := range r {
			cells[i] = append(cells[i], c)
		}
	}
	book := workbook(b, nil, cells...)
	for _, bb := range []struct {
		name string
		data []byte
		open func(testing.TB) *db.DB
	}{
		{"csv/sqlite", text.Bytes(), testdb.SQLite},
		{"xlsx/sqlite", book, testdb.SQLite},
		{"csv/postgres", text.Bytes(), testdb.Postgres},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := bb.open(b)
				b.StartTimer()
				r, err := org.ImportPeople(b.Context(), d, "f", bb.data, org.ImportOptions{Lang: locale.Zh})
				if err != nil || r.Joined != 10_000 {
					b.Fatal(err, r.Faults)
				}
			}
		})
	}
}

// A page of a search among 100,000 people: the rarest hit, so that all are read.
func BenchmarkSearch(b *testing.B) {
	for _, bb := range []struct {
		name string
		open func(testing.TB) *db.DB
	}{{"sqlite", testdb.SQLite}, {"postgres", testdb.Postgres}} {
		b.Run(bb.name, func(b *testing.B) {
			d := bb.open(b)
			var text bytes.Buffer
			list(&text, 100_000)
			if r, err := org.ImportPeople(b.Context(), d, "f", text.Bytes(), org.ImportOptions{Lang: locale.Zh}); err != nil || !r.Written {
				b.Fatal(err, r.Faults)
			}
			for name, q := range map[string]org.Query{
				"page": {After: "A050000", Number: 50},
				"name": {Text: "工99999", Number: 50},
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						err := d.Read(b.Context(), func(tx *db.Tx) error {
							got, err := org.Search(b.Context(), tx, q)
							if len(got) == 0 {
								b.Error("nothing found")
							}
							return err
						})
						if err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			b.Run("managed", func(b *testing.B) {
				for b.Loop() {
					err := d.Read(b.Context(), func(tx *db.Tx) error {
						p, err := org.FindByNumber(b.Context(), tx, "A000020") // leads 1,884
						if err != nil {
							return err
						}
						_, err = org.Managed(b.Context(), tx, p.ID)
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
