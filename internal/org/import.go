package org

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"attune/internal/locale"
)

// Fault is something wrong with a file that is imported, and where.
type Fault struct {
	Row    int    // as the spreadsheet or editor counts, from 1; 0: the whole file
	Column string // heading as it is written; empty: the whole row
	Code   string // message import.fault.<code>
	Args   []any  // values for the message
}

// Message says in a language what is wrong and what to change.
func (f Fault) Message(l locale.Lang) string {
	return l.T("import.fault."+f.Code, spoken(l, f.Args)...)
}

// Note is something about an import worth knowing, which does not stand in
// its way.
type Note struct {
	Code string // message import.note.<code>
	Args []any
}

// Message says the note in a language.
func (n Note) Message(l locale.Lang) string {
	return l.T("import.note."+n.Code, spoken(l, n.Args)...)
}

func spoken(l locale.Lang, args []any) []any {
	out := slices.Clone(args)
	for i, a := range out {
		switch a := a.(type) {
		case Column:
			out[i] = l.T("import.column." + string(a))
		case []string:
			out[i] = l.List(a)
		}
	}
	return out
}

// PeopleFile is a list of employees as it was read.
type PeopleFile struct {
	Name    string
	Rows    []PersonRow       // those with a number, in the file's order
	Ignored []string          // headings that were not understood
	Lang    locale.Lang       // of people of whom the file does not say
	heading map[Column]string // of the columns there are, as written
}

// Has reports whether the file has a column.
func (f *PeopleFile) Has(c Column) bool { _, ok := f.heading[c]; return ok }

func (f *PeopleFile) fault(r *PersonRow, c Column, code string, args ...any) Fault {
	return Fault{Row: r.Row, Column: f.heading[c], Code: code, Args: args}
}

// PersonRow is a person of the list.
type PersonRow struct {
	Row      int // in the file
	Number   string
	Name     string
	Unit     []string // path from the root
	Sites    []bool   // which of Unit are places where people meet
	Position string
	Manager  string // number; empty at the top
	Email    string
	Lang     locale.Lang // empty: not said
	HiredAt  time.Time   // noon UTC of the day; zero: not said
	LeftAt   time.Time   // likewise
	Gone     bool        // the status says that they have left
}

// leaving reports that the row is about somebody who has left or will.
func (r *PersonRow) leaving() bool { return r.Gone || !r.LeftAt.IsZero() }

// maxFaults bounds what one file is told; nobody mends more at a sitting.
const maxFaults = 20_000

// ParsePeople reads a list of employees from CSV (comma, semicolon, tab; UTF-8,
// UTF-16, GB18030) or XLSX, with Chinese or English headings in any order, and
// returns all that is wrong with it as a file. Preview holds it against what
// the company has. lang is that of people of whom the file does not say. The
// PeopleFile is nil when the file could not be read as a list at all.
func ParsePeople(name string, data []byte, lang locale.Lang) (*PeopleFile, []Fault) {
	s, bad := readSheet(data)
	if bad != nil {
		return nil, []Fault{*bad}
	}
	defer s.close()
	if len(s.lines) == 0 {
		return nil, []Fault{{Code: "empty"}}
	}
	p := parser{sheet: s, file: &PeopleFile{Name: name, Lang: lang, heading: map[Column]string{}}}
	if !p.header() {
		return nil, p.faults
	}
	if len(p.body) == 0 {
		return nil, []Fault{{Code: "no_rows"}}
	}
	for i := range p.body {
		p.row(&p.body[i])
	}
	p.numbers()
	p.managers()
	return p.file, sortFaults(p.faults)
}

// sortFaults puts faults in the order of the file.
func sortFaults(all []Fault) []Fault {
	slices.SortStableFunc(all, func(a, b Fault) int { return cmp.Compare(a.Row, b.Row) })
	if len(all) > maxFaults {
		more := len(all) - maxFaults
		all = append(all[:maxFaults], Fault{Code: "more", Args: []any{more}})
	}
	return all
}

type parser struct {
	sheet   *sheet
	file    *PeopleFile
	head    line
	body    []line
	columns []Column // by place; empty: ignored
	site    []bool
	faults  []Fault
}

// header finds the headings: the line of the first few that names most.
func (p *parser) header() bool {
	at, most := -1, 0
	for i, l := range p.sheet.lines[:min(len(p.sheet.lines), maxHeaderRow)] {
		known := map[Column]bool{}
		for _, c := range l.cells {
			if col, ok := meaning(c); ok && c != "" {
				known[col] = true
			}
		}
		if len(known) > most {
			at, most = i, len(known)
		}
	}
	if most < 2 {
		at = 0
	}
	head := p.sheet.lines[at]
	p.head, p.body = head, p.sheet.lines[at+1:]
	for _, c := range head.cells {
		col, ok := meaning(c)
		switch {
		case !ok || c == "":
			col = ""
			if c != "" {
				p.file.Ignored = append(p.file.Ignored, clip(c))
			}
		case p.file.Has(col) && col != ColUnit:
			p.faults = append(p.faults, Fault{Row: head.row, Column: clip(c), Code: "header_twice", Args: []any{col, clip(p.file.heading[col])}})
			col = ""
		case !p.file.Has(col):
			p.file.heading[col] = clip(c)
		}
		p.columns = append(p.columns, col)
		p.site = append(p.site, slices.Contains(siteHeadings, plainHeading(c)))
	}
	missing := false
	for _, c := range required {
		if !p.file.Has(c) {
			missing = true
			p.faults = append(p.faults, Fault{Row: head.row, Code: "missing_header", Args: []any{c, suggested(c)}})
		}
	}
	return !missing
}

// clip shortens what a message quotes.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unseen(r) {
			return '·'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// nothing are the ways people write an empty cell.
var nothing = []string{"-", "--", "—", "——", "–", "/", "\\", "无", "暂无", "空", "n/a", "na", "none", "null", "nil"}

// errorValue are what formulas that failed leave.
var errorValue = regexp.MustCompile(`^#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)$`)

func (p *parser) row(l *line) {
	r := PersonRow{Row: l.row}
	add := func(heading, code string, args ...any) {
		p.faults = append(p.faults, Fault{Row: l.row, Column: heading, Code: code, Args: args})
	}
	if width := len(p.head.cells); slices.ContainsFunc(l.cells[min(width, len(l.cells)):], func(c string) bool { return c != "" }) {
		add("", "extra_cells", width)
	}
	seen := map[Column]bool{} // with something in it, be it wrong
	for i, column := range p.columns {
		if column == "" || i >= len(l.cells) {
			continue
		}
		cell, heading := l.cells[i], clip(p.head.cells[i])
		if cell == "" {
			if p.sheet.formula(l.row, i) {
				add(heading, "formula")
				seen[column] = true
			}
			continue
		}
		if slices.Contains(nothing, strings.ToLower(cell)) && column != ColName {
			continue
		}
		seen[column] = true
		if code, args := wrongText(column, cell); code != "" {
			add(heading, code, args...)
			if column == ColNumber {
				// The row is counted all the same, so that those who report to
				// it are not said to report to nobody.
				r.Number = numberOf(cell)
			}
			continue
		}
		raw := ""
		if i < len(l.raw) {
			raw = l.raw[i]
		}
		switch column {
		case ColNumber:
			r.Number = numberOf(cell)
		case ColName:
			r.Name = cell
		case ColUnit:
			for _, part := range splitPath(cell) {
				r.Unit = append(r.Unit, part)
				r.Sites = append(r.Sites, p.site[i] || siteLike(part))
			}
		case ColPosition:
			r.Position = cell
		case ColManager:
			r.Manager = numberOf(cell)
		case ColHired, ColLeft:
			day, ok := parseDate(cell, raw, p.sheet.since)
			if !ok {
				add(heading, "date", clip(cell))
			}
			if column == ColHired {
				r.HiredAt = day
			} else {
				r.LeftAt = day
			}
		case ColStatus:
			gone, ok := parseStatus(cell)
			if !ok {
				add(heading, "status", clip(cell))
			}
			r.Gone = gone
		case ColEmail:
			if r.Email = usual(cell); !emailLike(r.Email) {
				add(heading, "email", clip(cell))
			}
		case ColLang:
			lang, ok := parseLang(cell)
			if !ok {
				add(heading, "lang", clip(cell))
			}
			r.Lang = lang
		}
	}
	for _, c := range required {
		// Of somebody who left, the number is enough.
		if !seen[c] && (c == ColNumber || !r.leaving()) {
			add(p.file.heading[c], "empty_cell", c)
		}
	}
	if len(r.Unit) > maxDepth {
		add(p.file.heading[ColUnit], "unit_depth", len(r.Unit), maxDepth)
	}
	if !r.LeftAt.IsZero() && r.LeftAt.Before(r.HiredAt) {
		add(p.file.heading[ColLeft], "left_before_hired", r.LeftAt.Format(time.DateOnly), r.HiredAt.Format(time.DateOnly))
	}
	if r.Number != "" {
		p.file.Rows = append(p.file.Rows, r)
	}
}

// numberOf is an employee number in its usual form.
func numberOf(s string) string { return strings.Join(strings.Fields(usual(s)), " ") }

// wrongText reports what no cell of a column may hold.
func wrongText(column Column, cell string) (fault string, args []any) {
	limit := map[Column]int{
		ColNumber: maxNumber, ColManager: maxNumber, ColName: maxName, ColPosition: maxName,
		ColUnit: maxDepth * (maxUnitName + 1), ColEmail: maxEmail, ColHired: maxName, ColLeft: maxName, ColStatus: maxName, ColLang: maxName,
	}[column]
	switch n := len([]rune(cell)); {
	case n > limit:
		return "long", []any{column, n, limit}
	case strings.ContainsFunc(cell, unseen):
		return "control", []any{clip(cell)}
	case errorValue.MatchString(strings.ToUpper(cell)):
		return "error_value", []any{clip(cell)}
	// > alone separates the levels of a unit.
	case column != ColUnit && markup(cell), column == ColUnit && (strings.Contains(cell, "<") || markup(strings.ReplaceAll(cell, ">", ""))):
		return "markup", []any{clip(cell)}
	case strings.ContainsRune("=+-@", rune(cell[0])):
		return "formula_text", []any{clip(cell)}
	}
	switch column {
	case ColName, ColPosition:
		if !strings.ContainsFunc(cell, unicode.IsLetter) || strings.EqualFold(cell, "TRUE") || strings.EqualFold(cell, "FALSE") {
			return "type", []any{column, clip(cell)}
		}
	case ColNumber, ColManager:
		if _, date := parseDate(cell, "", false); date && !isDigits(cell) || strings.EqualFold(cell, "TRUE") || strings.EqualFold(cell, "FALSE") {
			return "type", []any{column, clip(cell)}
		}
	case ColUnit:
		parts := splitPath(cell)
		if len(parts) == 0 {
			return "type", []any{column, clip(cell)}
		}
		for _, part := range parts {
			if n := len([]rune(part)); n > maxUnitName {
				return "long", []any{column, n, maxUnitName}
			}
		}
		if _, date := parseDate(cell, "", false); date || strings.EqualFold(cell, "TRUE") || strings.EqualFold(cell, "FALSE") {
			return "type", []any{column, clip(cell)}
		}
	}
	return "", nil
}

func isDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// splitPath cuts "集团/华东/上海一店" or "Group > East" into its levels.
func splitPath(s string) (parts []string) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(`/\>／＼＞»→`, r) }) {
		if part = strings.Join(strings.Fields(part), " "); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// siteEndings end the names of places where people meet.
var siteEndings = []string{"店", "厂", "校区", "院区", "园区", "网点", "支行", "营业部", " store", " shop", " branch", " campus", " plant", " site"}

func siteLike(unit string) bool {
	return slices.ContainsFunc(siteEndings, func(e string) bool { return strings.HasSuffix(strings.ToLower(unit), e) })
}

func parseStatus(s string) (gone, ok bool) {
	switch strings.ToLower(strings.Join(strings.Fields(s), " ")) {
	case "离职", "已离职", "退休", "已退休", "辞退", "解除", "否", "left", "terminated", "inactive", "resigned", "retired", "no", "false":
		return true, true
	case "在职", "在岗", "正式", "试用", "试用期", "实习", "休假", "产假", "停薪留职", "待离职", "是", "active", "employed", "probation", "on leave", "intern", "yes", "true":
		return false, true
	}
	return false, false
}

func parseLang(s string) (locale.Lang, bool) {
	switch strings.ToLower(s) {
	case "中文", "汉语", "简体中文", "普通话", "zh", "zh-cn", "zh_cn", "zh-hans", "chinese":
		return locale.Zh, true
	case "英文", "英语", "en", "en-us", "en-gb", "en_us", "en_gb", "english":
		return locale.En, true
	}
	return "", false
}

// numbers finds numbers that stand twice, or nearly.
func (p *parser) numbers() {
	exact := make(map[string]*PersonRow, len(p.file.Rows))
	near := make(map[string]*PersonRow, len(p.file.Rows))
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		key := loosely(r.Number)
		if first := exact[r.Number]; first != nil {
			p.faults = append(p.faults, p.file.fault(r, ColNumber, "duplicate", clip(r.Number), first.Row))
		} else if first := near[key]; first != nil {
			p.faults = append(p.faults, p.file.fault(r, ColNumber, "number_variant", clip(r.Number), clip(first.Number), first.Row))
		} else {
			exact[r.Number], near[key] = r, r
		}
	}
}

// managers finds people who lead themselves, alone or in a circle.
func (p *parser) managers() {
	above := map[string]string{}
	row := map[string]*PersonRow{}
	for i := range p.file.Rows {
		r := &p.file.Rows[i]
		if r.leaving() || row[r.Number] != nil {
			continue
		}
		row[r.Number] = r
		if r.Manager == r.Number {
			p.faults = append(p.faults, p.file.fault(r, ColManager, "manager_self"))
		} else if r.Manager != "" {
			above[r.Number] = r.Manager
		}
	}
	p.faults = append(p.faults, circles(p.file, above, row, func([]string) bool { return true })...)
}

// circles reports each circle of managers once, at its first row of the file.
func circles(f *PeopleFile, above map[string]string, row map[string]*PersonRow, ours func([]string) bool) []Fault {
	var all []Fault
	for _, circle := range cycles(above) {
		if !ours(circle) {
			continue
		}
		first := -1
		for i, n := range circle {
			if r := row[n]; r != nil && (first < 0 || r.Row < row[circle[first]].Row) {
				first = i
			}
		}
		if first < 0 {
			continue
		}
		circle = slices.Concat(circle[first:], circle[:first+1]) // begins and ends with the same
		at := row[circle[0]]
		shown := circle
		if len(circle) > 20 {
			shown = slices.Concat(circle[:10], []string{"…"}, circle[len(circle)-9:])
		}
		all = append(all, f.fault(at, ColManager, "manager_cycle", strings.Join(shown, " → "), len(circle)-1))
	}
	slices.SortFunc(all, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(fmt.Sprint(a.Args...), fmt.Sprint(b.Args...)))
	})
	return all
}
