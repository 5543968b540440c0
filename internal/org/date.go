package org

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// ymd are dates whose order is plain, year first, and what may follow: a time.
var ymd = regexp.MustCompile(`^(\d{4})(?:-|/|\.|年)\s*(\d{1,2})(?:-|/|\.|月)\s*(\d{1,2})日?(?:[T\s]+\d{1,2}:\d{2}.*)?$`)

var compact = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)

// Days outside these are slips of the hand.
const firstYear, lastYear = 1940, 2100

// parseDate reads a day written with the year first (2020-03-05, 2020/3/5,
// 2020年3月5日, 20200305), with the month in English letters (5 Mar 2020), or
// as a spreadsheet's count of days. 03/05/2020 is refused: it is two days.
//
// A day is kept as noon UTC of it, which is the same date in the time zones
// from −12 to +11 and so for whoever looks.
func parseDate(shown, stored string, since1904 bool) (time.Time, bool) {
	s := usual(shown)
	m := ymd.FindStringSubmatch(s)
	if m == nil {
		m = compact.FindStringSubmatch(s)
	}
	if m != nil {
		y, _ := strconv.Atoi(m[1]) // digits, by the pattern
		mon, _ := strconv.Atoi(m[2])
		d, _ := strconv.Atoi(m[3])
		return noon(y, mon, d)
	}
	// A workbook stores a day as a number whatever it shows. 10 000 and up is
	// 1927 and later, so that a year is not taken for a day.
	if n, err := strconv.ParseFloat(stored, 64); err == nil && n >= 10_000 && n < 100_000 {
		if t, err := excelize.ExcelDateToTime(n, since1904); err == nil {
			return noon(t.Year(), int(t.Month()), t.Day())
		}
	}
	for _, layout := range []string{"2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "2-Jan-2006", "02-Jan-2006"} {
		if t, err := time.Parse(layout, strings.Join(strings.Fields(s), " ")); err == nil {
			return noon(t.Year(), int(t.Month()), t.Day())
		}
	}
	return time.Time{}, false
}

// noon refuses days that no calendar has, such as 30 February.
func noon(y, m, d int) (time.Time, bool) {
	t := time.Date(y, time.Month(m), d, 12, 0, 0, 0, time.UTC)
	return t, t.Day() == d && int(t.Month()) == m && y >= firstYear && y <= lastYear
}
