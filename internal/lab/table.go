// Package lab puts the engines of measurement and planning to anybody's files:
// it reads tables, turns their text into the engines' numbers, and says what
// came out, as JSON or as tables for a terminal. The statistics are the
// engines'.
package lab

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"attune/internal/fault"
	"attune/internal/locale"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// BadRow is a row of a file that was not used, and why.
type BadRow struct {
	File   string
	Line   int    // in the file, from 1; where the row begins
	Column string // "" if it is about the whole row
	Key    string // locale message key
	Args   []any
}

// Message says what is wrong.
func (b BadRow) Message(l locale.Lang) string { return l.T(b.Key, b.Args...) }

// BadRows is the error of a file with bad rows that were not to be skipped.
type BadRows []BadRow

func (b BadRows) Error() string { return "lab: " + strconv.Itoa(len(b)) + " bad rows" }

// Table reads the rows of a CSV file one by one: separated by comma, tab or
// semicolon, whichever the first lines show; compressed by gzip or not; in
// UTF-8 with or without a byte order mark, in UTF-16, or else taken for
// GB 18030. Lines before the header that begin with # are comments, and blank
// lines are nothing. Fields may be quoted as RFC 4180 says; space around
// unquoted ones is left out. A row with too many or too few fields is bad.
type Table struct {
	Name    string
	Columns []string
	Line    int // where the current row begins
	Bad     BadRows

	lines  *bufio.Reader
	sep    byte
	plain  bool // separated by tabs, and quotation marks are text
	turned bool // into UTF-8, so that U+FFFD stands for what could not be
	read   int  // lines
	fields [][]byte
	buf    []byte // of a row that goes over several lines
	text   []byte // of quoted fields
	err    error
	close  []io.Closer
}

// Bounds that keep a file that is no table from filling memory.
const (
	maxLine       = 16 << 20 // bytes
	maxQuote      = 1 << 20  // bytes of a row with a quoted line break
	maxQuoteLines = 1000     // of such a row
)

// Open opens a table and reads its header; - is standard input.
func Open(path string) (*Table, error) { return (&Table{Name: path}).open() }

func (t *Table) open() (*Table, error) {
	path := t.Name
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return nil, fault.Wrap(err, fault.NotFound, "lab.file.none", path)
			}
			return nil, err
		}
		t.close = append(t.close, f)
	}
	if err := t.begin(f); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// begin finds out how r is written, and reads the header.
func (t *Table) begin(r io.Reader) error {
	const ahead = 1 << 16
	in := bufio.NewReaderSize(r, ahead)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return t.spoilt(err)
		}
		t.close = append(t.close, z)
		in = bufio.NewReaderSize(z, ahead)
	}
	head, _ := in.Peek(ahead)
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		in.Discard(3)
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
		in, t.turned = bufio.NewReaderSize(transform.NewReader(in, utf16.NewDecoder()), ahead), true
	case !utf8.Valid(whole(head)):
		in, t.turned = bufio.NewReaderSize(transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()), ahead), true
	}
	t.lines = in
	head, _ = in.Peek(ahead)
	for bytes.HasPrefix(head, []byte("#")) {
		if _, err := t.line(); err != nil {
			return t.spoilt(err)
		}
		head, _ = in.Peek(ahead)
	}
	if t.sep = separator(head); t.plain {
		t.sep = '\t'
	}
	if !t.row() {
		if t.err != nil {
			return t.err
		}
		return fault.New(fault.Invalid, "lab.file.empty", t.Name)
	}
	seen := map[string]bool{}
	for _, f := range t.fields {
		name := string(f)
		switch {
		case !utf8.ValidString(name):
			return fault.New(fault.Invalid, "lab.file.encoding", t.Name)
		case name != "" && seen[name]:
			return fault.New(fault.Invalid, "lab.column.twice", t.Name, name)
		}
		seen[name] = true
		t.Columns = append(t.Columns, name)
	}
	return nil
}

// whole is head less a character that its end cuts.
func whole(head []byte) []byte {
	for k := 1; k <= min(utf8.UTFMax-1, len(head)); k++ {
		if c := head[len(head)-k]; utf8.RuneStart(c) {
			if !utf8.FullRune(head[len(head)-k:]) {
				return head[:len(head)-k]
			}
			break
		}
	}
	return head
}

// separator is the candidate that cuts most lines into as many fields as the
// header, and of those the one that cuts it most often.
func separator(head []byte) byte {
	lines := bytes.Split(head, []byte("\n"))
	if len(lines) > 1 {
		lines = lines[:len(lines)-1] // the last may be cut
	}
	lines = lines[:min(len(lines), 50)]
	count := func(line []byte, sep byte) (n int) {
		quoted := false
		for _, c := range line {
			if c == '"' {
				quoted = !quoted
			} else if c == sep && !quoted {
				n++
			}
		}
		return n
	}
	best, alike, cuts := byte(','), 0, 0
	for _, sep := range []byte(",\t;") {
		first, same := count(lines[0], sep), 0
		for _, line := range lines[1:] {
			if count(line, sep) == first {
				same++
			}
		}
		if first > 0 && (cuts == 0 || same > alike || same == alike && first > cuts) {
			best, alike, cuts = sep, same, first
		}
	}
	return best
}

// spoilt is the error of a file that cannot be read on.
func (t *Table) spoilt(err error) error {
	return fault.Wrap(err, fault.Invalid, "lab.file.spoilt", t.Name, t.read+1)
}

// line returns the next line without its end; it is valid until the next call.
func (t *Table) line() ([]byte, error) {
	line, err := t.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := slices.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(long) > maxLine {
				return nil, errors.New("lab: a line of over 16 MiB")
			}
			line, err = t.lines.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	t.read++
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}

// Next reads on to the next row that has a field for every column.
func (t *Table) Next() bool {
	for t.row() {
		switch {
		case len(t.fields) != len(t.Columns):
			t.Reject(-1, "lab.bad.fields", len(t.fields), len(t.Columns))
		case slices.ContainsFunc(t.fields, func(f []byte) bool {
			return !utf8.Valid(f) || t.turned && bytes.ContainsRune(f, utf8.RuneError)
		}):
			t.Reject(-1, "lab.bad.encoding")
		default:
			return true
		}
	}
	return false
}

// row reads the fields of the next line that is not blank.
func (t *Table) row() bool {
	for t.err == nil {
		line, err := t.line()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.err = t.spoilt(err)
			}
			return false
		}
		if len(bytes.TrimSpace(line)) == 0 && (t.sep != '\t' || len(line) == 0) {
			continue
		}
		t.Line = t.read
		if t.plain || bytes.IndexByte(line, '"') < 0 {
			t.fields = t.fields[:0]
			for {
				i := bytes.IndexByte(line, t.sep)
				if i < 0 {
					break
				}
				t.fields = append(t.fields, bytes.TrimSpace(line[:i]))
				line = line[i+1:]
			}
			t.fields = append(t.fields, bytes.TrimSpace(line))
			return true
		}
		t.buf = append(t.buf[:0], line...)
		ok, open := t.quoted()
		for open {
			more, err := t.line()
			if err != nil || len(t.buf) > maxQuote || t.read-t.Line > maxQuoteLines {
				t.err = fault.Wrap(err, fault.Invalid, "lab.file.quote", t.Name, t.Line)
				return false
			}
			t.buf = append(append(t.buf, '\n'), more...)
			if bytes.Count(more, []byte{'"'})%2 == 1 { // an even number leaves it open
				ok, open = t.quoted()
			}
		}
		if ok {
			return true
		}
		t.Reject(-1, "lab.bad.quote")
	}
	return false
}

// quoted cuts t.buf into fields. It reports whether that went well, and if not
// whether a quote is still open at its end.
func (t *Table) quoted() (ok, open bool) {
	t.fields, t.text = t.fields[:0], slices.Grow(t.text[:0], len(t.buf))
	rest := t.buf
	for {
		trimmed := bytes.TrimLeft(rest, " ")
		if len(trimmed) == 0 || trimmed[0] != '"' {
			i := bytes.IndexByte(rest, t.sep)
			if i < 0 {
				t.fields = append(t.fields, bytes.TrimSpace(rest))
				return true, false
			}
			t.fields = append(t.fields, bytes.TrimSpace(rest[:i]))
			rest = rest[i+1:]
			continue
		}
		rest = trimmed[1:]
		from := len(t.text)
		for {
			i := bytes.IndexByte(rest, '"')
			if i < 0 {
				return false, true
			}
			t.text = append(t.text, rest[:i]...)
			rest = rest[i+1:]
			if len(rest) == 0 || rest[0] != '"' {
				break
			}
			t.text, rest = append(t.text, '"'), rest[1:]
		}
		t.fields = append(t.fields, t.text[from:])
		rest = bytes.TrimLeft(rest, " ")
		switch {
		case len(rest) == 0:
			return true, false
		case rest[0] != t.sep:
			return false, false
		}
		rest = rest[1:]
	}
}

// Text is the field of a column; it is valid until the next row.
func (t *Table) Text(column int) []byte { return t.fields[column] }

// Reject lists the current row as bad; column −1 is the whole row.
func (t *Table) Reject(column int, key string, args ...any) {
	t.reject(t.Line, column, key, args...)
}

func (t *Table) reject(line, column int, key string, args ...any) {
	b := BadRow{File: t.Name, Line: line, Key: key, Args: args}
	if column >= 0 {
		b.Column = t.Columns[column]
	}
	t.Bad = append(t.Bad, b)
}

// Find returns the places of columns, or says which one the file lacks.
// An empty name has the place −1.
func (t *Table) Find(names ...string) ([]int, error) {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = -1
		if name == "" {
			continue
		}
		if at[i] = slices.Index(t.Columns, name); at[i] < 0 {
			return nil, fault.New(fault.Invalid, "lab.column.none", t.Name, name, strings.Join(t.Columns, ", "))
		}
	}
	return at, nil
}

// Done ends the reading: it is the error that ended it early, or else, unless
// bad rows are to be skipped, those.
func (t *Table) Done(skipBad bool) error {
	slices.SortStableFunc(t.Bad, func(a, b BadRow) int { return cmp.Compare(a.Line, b.Line) })
	switch {
	case t.err != nil:
		return t.err
	case len(t.Bad) > 0 && !skipBad:
		return t.Bad
	}
	return nil
}

// Close closes the file.
func (t *Table) Close() error {
	var err error
	for _, c := range slices.Backward(t.close) {
		err = cmp.Or(err, c.Close())
	}
	t.close = nil
	return err
}

// empty reports whether a field holds nothing: R writes NA for that.
func empty(field []byte) bool { return len(field) == 0 || string(field) == "NA" }
