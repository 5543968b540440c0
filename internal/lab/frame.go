package lab

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"attune/internal/engine/effect"
	"attune/internal/fault"
)

// Kind says what a column holds.
type Kind int

const (
	Number Kind = iota // a finite number; true and yes are 1, false and no 0
	Mixed              // numbers, or else text whose levels become indicators
	Code               // any text, coded in order of appearance
	Period             // whole numbers as they are, or else text ranked in order, as dates in ISO 8601
)

// Want is a column to be read.
type Want struct {
	Name string // "" is a column that is not wanted after all
	Kind Kind
	// Gaps says that the column may be empty: NaN. Elsewhere that is a bad row.
	Gaps bool
}

// Frame holds columns of a file, a value for each good row.
type Frame struct {
	Bad   BadRows
	name  string
	lines []int32
	cols  []column
}

type column struct {
	Want
	num    []float64
	code   []int
	levels []string
	of     map[string]int
	strays map[int32]string // of Mixed: rows that are not numbers, and what they say
}

const maxLevels = 100 // of a text column that becomes indicators

// maxStray is the share of rows of a Mixed column that may fail to be numbers
// before it is taken for text.
const maxStray = 0.1

func readFrame(path string, wants []Want, skipBad bool) (*Frame, error) {
	t, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.Name
	}
	at, err := t.Find(names...)
	if err != nil {
		return nil, err
	}
	f := &Frame{name: path, cols: make([]column, len(wants))}
	for i, w := range wants {
		f.cols[i] = column{Want: w, of: map[string]int{}, strays: map[int32]string{}}
	}
	row := make([]float64, len(wants))
rows:
	for t.Next() {
		clear(row)
		for i, w := range wants {
			if at[i] < 0 {
				continue
			}
			field := t.Text(at[i])
			switch {
			case empty(field) && w.Gaps:
				row[i] = math.NaN()
			case empty(field):
				t.Reject(at[i], "lab.bad.empty")
				continue rows
			case w.Kind == Code || w.Kind == Period:
			default:
				x, ok := parseNumber(field)
				if !ok {
					if w.Kind == Number {
						t.Reject(at[i], "lab.bad.number", string(field))
						continue rows
					}
					f.cols[i].strays[int32(len(f.lines))] = string(field)
					x = math.NaN()
				}
				row[i] = x
			}
		}
		for i := range wants {
			if c := &f.cols[i]; at[i] < 0 {
				continue
			} else if c.Kind == Code || c.Kind == Period {
				field := t.Text(at[i])
				k, ok := c.of[string(field)]
				if !ok {
					k = len(c.levels)
					c.of[string(field)] = k
					c.levels = append(c.levels, string(field))
				}
				c.code = append(c.code, k)
			} else {
				c.num = append(c.num, row[i])
			}
		}
		f.lines = append(f.lines, int32(t.Line))
	}
	drop := map[int32]bool{}
	for i := range f.cols {
		c := &f.cols[i]
		c.of = nil
		if float64(len(c.strays)) > maxStray*float64(len(f.lines)) {
			continue
		}
		for r, text := range c.strays { // a number mistyped, not a word
			if !drop[r] {
				t.reject(int(f.lines[r]), at[i], "lab.bad.number", text)
			}
			drop[r] = true
		}
		clear(c.strays)
	}
	if err := t.Done(skipBad); err != nil {
		return nil, err
	}
	f.Bad = t.Bad
	f.drop(drop)
	if len(f.lines) == 0 {
		return nil, fault.New(fault.Invalid, "lab.file.empty", path)
	}
	for i := range f.cols {
		if c := &f.cols[i]; c.Kind == Period && c.Name != "" {
			c.rank()
		}
	}
	return f, nil
}

// drop takes rows out.
func (f *Frame) drop(rows map[int32]bool) {
	if len(rows) == 0 {
		return
	}
	to := int32(0)
	for r := range int32(len(f.lines)) {
		if rows[r] {
			continue
		}
		f.lines[to] = f.lines[r]
		for i := range f.cols {
			c := &f.cols[i]
			if c.num != nil {
				c.num[to] = c.num[r]
			}
			if c.code != nil {
				c.code[to] = c.code[r]
			}
			if s, ok := c.strays[r]; ok && to != r {
				delete(c.strays, r)
				c.strays[to] = s
			}
		}
		to++
	}
	f.lines = f.lines[:to]
	for i := range f.cols {
		c := &f.cols[i]
		c.num, c.code = c.num[:min(int(to), len(c.num))], c.code[:min(int(to), len(c.code))]
	}
}

func parseNumber(field []byte) (float64, bool) {
	x, err := strconv.ParseFloat(string(field), 64)
	if err == nil {
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	switch strings.ToLower(string(field)) {
	case "true", "yes", "是":
		return 1, true
	case "false", "no", "否":
		return 0, true
	}
	return 0, false
}

// rank turns the codes of a Period into periods.
func (c *column) rank() {
	whole := make([]int, len(c.levels))
	for i, s := range c.levels {
		n, err := strconv.Atoi(s)
		if err != nil || n < -1<<31 || n > 1<<31 {
			whole = nil
			break
		}
		whole[i] = n
	}
	if whole == nil {
		sorted := sortedLevels(c.levels)
		whole = make([]int, len(c.levels))
		for i, s := range c.levels {
			whole[i] = slices.Index(sorted, s)
		}
	}
	for i, k := range c.code {
		c.code[i] = whole[k]
	}
	c.of = map[string]int{}
	for i, s := range c.levels {
		c.of[s] = whole[i]
	}
}

// Rows is how many there are.
func (f *Frame) Rows() int { return len(f.lines) }

// Numbers are the values of a column of numbers; nil if it was not wanted.
func (f *Frame) Numbers(i int) []float64 { return f.cols[i].num }

// Codes are the codes of a column; nil if it was not wanted.
func (f *Frame) Codes(i int) []int { return f.cols[i].code }

// Level is the text of a row of a Code column.
func (f *Frame) Level(i, row int) string { return f.cols[i].levels[f.cols[i].code[row]] }

// periodOf is the code of what a Period column says.
func (f *Frame) periodOf(i int, text string) (int, error) {
	if k, ok := f.cols[i].of[text]; ok {
		return k, nil
	}
	if k, err := strconv.Atoi(text); err == nil {
		return k, nil
	}
	return 0, fault.New(fault.Invalid, "lab.effect.no_period", text, f.cols[i].Name)
}

// Covariates are a Mixed column: itself if it holds numbers, else an indicator,
// named "column=level", for every level but the first in order.
func (f *Frame) Covariates(i int) ([]effect.Covariate, error) {
	c := &f.cols[i]
	if len(c.strays) == 0 {
		return []effect.Covariate{{Name: c.Name, Values: c.num}}, nil
	}
	text := func(r int) string {
		if s, ok := c.strays[int32(r)]; ok {
			return s
		}
		if math.IsNaN(c.num[r]) {
			return ""
		}
		return strconv.FormatFloat(c.num[r], 'g', -1, 64)
	}
	var levels []string
	seen := map[string]int{}
	for r := range c.num {
		if s := text(r); s != "" {
			if _, ok := seen[s]; !ok {
				if len(levels) == maxLevels {
					return nil, fault.New(fault.Invalid, "lab.column.levels", f.name, c.Name, maxLevels)
				}
				seen[s] = 0
				levels = append(levels, s)
			}
		}
	}
	levels = sortedLevels(levels)
	out := make([]effect.Covariate, len(levels)-1)
	for k, s := range levels {
		seen[s] = k - 1
	}
	for k := range out {
		out[k] = effect.Covariate{Name: c.Name + "=" + levels[k+1], Values: make([]float64, len(c.num))}
	}
	for r := range c.num {
		s := text(r)
		for k := range out {
			if s == "" {
				out[k].Values[r] = math.NaN()
			} else if seen[s] == k {
				out[k].Values[r] = 1
			}
		}
	}
	return out, nil
}

// writeTable writes a CSV file, row by row.
func writeTable(path string, head []string, rows func(put func(...any))) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	w := csv.NewWriter(b)
	w.Write(head) // its error is kept until Flush
	cells := make([]string, 0, len(head))
	rows(func(values ...any) {
		cells = cells[:0]
		for _, v := range values {
			switch v := v.(type) {
			case string:
				cells = append(cells, v)
			case int:
				cells = append(cells, strconv.Itoa(v))
			case int64:
				cells = append(cells, strconv.FormatInt(v, 10))
			case float64:
				if math.IsNaN(v) || math.IsInf(v, 0) {
					cells = append(cells, "")
				} else {
					cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
				}
			default:
				cells = append(cells, fmt.Sprint(v))
			}
		}
		w.Write(cells)
	})
	w.Flush()
	if err := w.Error(); err != nil {
		f.Close()
		return err
	}
	if err := b.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
