package org

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Limits of a file that is imported. A file beyond them is refused before it
// is unpacked.
const (
	MaxImportBytes = 32 << 20
	MaxImportRows  = 200_000
	maxColumns     = 200
	maxUnpacked    = 512 << 20 // bytes of a workbook, unzipped
	maxParts       = 5000      // files in a workbook
)

// sheet is a table as it was written: what is in the cells, not what it means.
type sheet struct {
	lines []line
	since bool           // days are counted from 1904
	book  *excelize.File // nil for text
	name  string         // of the worksheet
	maths bool           // a worksheet has formulas
}

type line struct {
	row   int      // as a spreadsheet or an editor counts, from 1
	cells []string // as shown
	raw   []string // as stored, where that may differ: a day is a number
}

func (l *line) empty() bool {
	for _, c := range l.cells {
		if c != "" {
			return false
		}
	}
	return true
}

func (s *sheet) close() {
	if s.book != nil {
		s.book.Close() // only removes temporary files
	}
}

// formula reports whether a cell that looks empty holds a formula whose
// value was not saved with it. column counts from 0.
func (s *sheet) formula(row, column int) bool {
	if !s.maths {
		return false // without reading the whole worksheet into memory
	}
	at, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		return false
	}
	f, err := s.book.GetCellFormula(s.name, at)
	return err == nil && f != ""
}

// readSheet reads a table from CSV, in any of the usual encodings, or from an
// XLSX workbook, whose first visible sheet with something in it counts.
func readSheet(data []byte) (*sheet, *Fault) {
	switch {
	case len(data) > MaxImportBytes:
		return nil, &Fault{Code: "too_large", Args: []any{MaxImportBytes >> 20}}
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &Fault{Code: "empty"}
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return readWorkbook(data)
	case bytes.HasPrefix(data, []byte("\xD0\xCF\x11\xE0")):
		return nil, &Fault{Code: "xls"}
	}
	for _, magic := range []string{"%PDF", "\x89PNG", "\xFF\xD8\xFF", "GIF8", "Rar!", "7z\xBC\xAF", "\x1F\x8B", "{\\rtf", "\x7FELF", "MZ\x90"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return nil, &Fault{Code: "kind"}
		}
	}
	text, ok := decode(data)
	if !ok {
		return nil, &Fault{Code: "encoding"}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &Fault{Code: "empty"}
	}
	start := strings.ToLower(strings.TrimSpace(text[:min(len(text), 200)]))
	if strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<?xml") || strings.HasPrefix(start, "{") {
		return nil, &Fault{Code: "kind"} // some systems call a web page .xls
	}
	return readText(text)
}

// decode makes text of bytes in UTF-8, UTF-16 or GB18030.
func decode(data []byte) (string, bool) {
	if rest, ok := bytes.CutPrefix(data, []byte("\xEF\xBB\xBF")); ok {
		return string(rest), utf8.Valid(rest)
	}
	order, bom := unicode.LittleEndian, unicode.UseBOM
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xFE")), bytes.HasPrefix(data, []byte("\xFE\xFF")):
	default:
		// Text has no zero bytes, but UTF-16 has one in every ASCII character,
		// of which a table has many: separators, ends of lines, digits.
		even, odd := 0, 0
		head := data[:min(len(data), 4096)]
		for i, b := range head {
			if b == 0 && i%2 == 0 {
				even++
			} else if b == 0 {
				odd++
			}
		}
		switch {
		case even+odd == 0 && utf8.Valid(data):
			return string(data), true
		case even+odd == 0:
			return decodeGB(data)
		case even > 0 && odd > 0 && min(even, odd)*10 > max(even, odd):
			return "", false
		case even > odd:
			order = unicode.BigEndian
		}
		bom = unicode.IgnoreBOM
	}
	if len(data)%2 != 0 {
		return "", false
	}
	text, err := unicode.UTF16(order, bom).NewDecoder().Bytes(data)
	return string(text), err == nil && !bytes.ContainsRune(text, utf8.RuneError)
}

// decodeGB decodes GB18030, unless the bytes are likely something else: almost
// any bytes decode to rare characters, but people write common ones, which
// GB2312, its core, has at second bytes from A1 on.
func decodeGB(data []byte) (string, bool) {
	common, rare := 0, 0
	for i := 0; i < len(data); i++ {
		if data[i] < 0x80 || i+1 == len(data) {
			continue
		}
		if data[i] >= 0xA1 && data[i] <= 0xF7 && data[i+1] >= 0xA1 {
			common++
		} else {
			rare++
		}
		i++
	}
	if rare > common {
		return "", false
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	return string(text), err == nil && !bytes.ContainsRune(text, utf8.RuneError)
}

func readText(text string) (*sheet, *Fault) {
	first := 0 // rows taken off the front
	comma := rune(0)
	if rest, ok := strings.CutPrefix(text, "sep="); ok && len(rest) > 1 && (rest[1] == '\n' || rest[1] == '\r') {
		comma = rune(rest[0]) // Excel's own hint
		_, text, _ = strings.Cut(rest, "\n")
		first = 1
	}
	if comma == 0 {
		comma = separator(text)
	}
	if strings.Contains(text, "\r") && !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n") // of old Macs
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	s := &sheet{}
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, &Fault{Row: bad.StartLine + first, Code: "quote"}
		} else if err != nil {
			return nil, &Fault{Code: "broken"}
		}
		if len(cells) > maxColumns {
			return nil, &Fault{Row: s.count() + 1, Code: "too_wide", Args: []any{maxColumns}}
		}
		at, _ := r.FieldPos(0)
		for i, c := range cells {
			// ="0012" is how a spreadsheet is told to keep the zeros.
			if inner, ok := strings.CutPrefix(c, `="`); ok && strings.HasSuffix(inner, `"`) {
				c = strings.TrimSuffix(inner, `"`)
			}
			cells[i] = tidy(c)
		}
		l := line{row: at + first, cells: cells}
		if l.empty() {
			continue
		}
		if s.lines = append(s.lines, l); len(s.lines) > MaxImportRows+maxHeaderRow {
			return nil, &Fault{Code: "too_many_rows", Args: []any{MaxImportRows}}
		}
	}
	return s, nil
}

func (s *sheet) count() int {
	if len(s.lines) == 0 {
		return 0
	}
	return s.lines[len(s.lines)-1].row
}

// separator guesses what separates cells: of the candidates, the one that
// stands most often outside quotes in the first lines.
func separator(text string) rune {
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t', '|'} {
		n, quoted, lines := 0, false, 0
		for _, r := range text[:min(len(text), 4096)] {
			switch {
			case r == '"':
				quoted = !quoted
			case quoted:
			case r == c:
				n++
			case r == '\n':
				lines++
			}
			if lines == 3 {
				break
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

func readWorkbook(data []byte) (*sheet, *Fault) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &Fault{Code: "broken"}
	}
	var unpacked uint64
	workbook := false
	for _, f := range z.File {
		unpacked += f.UncompressedSize64 // what is longer than it says fails when it is read
		workbook = workbook || strings.EqualFold(f.Name, "xl/workbook.xml")
	}
	switch {
	case unpacked > maxUnpacked || len(z.File) > maxParts:
		return nil, &Fault{Code: "too_large", Args: []any{MaxImportBytes >> 20}}
	case !workbook:
		return nil, &Fault{Code: "kind"}
	}
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: 64 << 20})
	if err != nil {
		return nil, &Fault{Code: "broken"}
	}
	s := &sheet{book: book, maths: hasFormulas(z)}
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		s.since = *props.Date1904
	}
	for _, name := range book.GetSheetList() {
		if visible, err := book.GetSheetVisible(name); err != nil || !visible {
			continue
		}
		s.name = name
		if bad := s.read(); bad != nil || len(s.lines) > 0 {
			if bad != nil {
				s.close()
				return nil, bad
			}
			return s, nil
		}
	}
	s.close()
	return nil, &Fault{Code: "empty"}
}

// hasFormulas reports whether a worksheet of the workbook has a formula.
func hasFormulas(z *zip.Reader) bool {
	buf := make([]byte, 64<<10)
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, "xl/worksheets/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			continue
		}
		for kept := 0; ; {
			n, err := io.ReadFull(r, buf[kept:])
			part := buf[:kept+n]
			if bytes.Contains(part, []byte("<f>")) || bytes.Contains(part, []byte("<f ")) {
				r.Close()
				return true
			}
			if err != nil {
				break
			}
			kept = copy(buf, part[len(part)-2:]) // the end may be a beginning
		}
		r.Close()
	}
	return false
}

// read reads the worksheet twice in step: as shown, since a number format may
// be what gives a number its leading zeros, and as stored, since a date's
// format may leave out its century.
func (s *sheet) read() *Fault {
	shown, err := s.book.Rows(s.name)
	if err != nil {
		return &Fault{Code: "broken"}
	}
	defer shown.Close()
	stored, err := s.book.Rows(s.name)
	if err != nil {
		return &Fault{Code: "broken"}
	}
	defer stored.Close()
	for row := 1; shown.Next() && stored.Next(); row++ {
		cells, err := shown.Columns()
		if err != nil {
			return &Fault{Row: row, Code: "broken"}
		}
		raw, err := stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return &Fault{Row: row, Code: "broken"}
		}
		for len(cells) > 0 && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) > maxColumns {
			return &Fault{Row: row, Code: "too_wide", Args: []any{maxColumns}}
		}
		for i := range cells {
			if strings.Contains(cells[i], "E+") && i < len(raw) {
				cells[i] = raw[i] // a long number, shown rounded
			}
			cells[i] = tidy(cells[i])
		}
		l := line{row: row, cells: cells, raw: raw}
		if l.empty() {
			continue
		}
		if s.lines = append(s.lines, l); len(s.lines) > MaxImportRows+maxHeaderRow {
			return &Fault{Code: "too_many_rows", Args: []any{MaxImportRows}}
		}
	}
	if shown.Error() != nil || stored.Error() != nil {
		return &Fault{Code: "broken"}
	}
	return nil
}
