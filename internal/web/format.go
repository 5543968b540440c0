package web

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"attune/internal/locale"
)

// Format writes numbers, dates and messages as one language does, for pages.
// Its numbers take their decimals first, so that they can end a pipeline.
type Format struct {
	locale.Lang
	cash string // currency sign, written before the amount
}

// float turns any of Go's numbers into a float64; templates hand over all kinds.
func float(v any) (float64, error) {
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
		return math.NaN(), nil
	case r.CanInt():
		return float64(r.Int()), nil
	case r.CanUint():
		return float64(r.Uint()), nil
	case r.CanFloat():
		return r.Float(), nil
	}
	return 0, fmt.Errorf("web: %T is not a number", v)
}

func (f *Format) decimal(v float64, digits int) string {
	s := f.Number(v, digits)
	if zero, ok := strings.CutPrefix(s, "−"); ok && strings.Trim(zero, "0.,") == "" {
		return zero // −0.0 is noise
	}
	return s
}

// Num writes v with a fixed number of decimals; "–" where there is no number.
func (f *Format) Num(digits int, v any) (string, error) {
	x, err := float(v)
	return f.decimal(x, digits), err
}

// Signed is Num with a plus before what is more than 0.
func (f *Format) Signed(digits int, v any) (string, error) {
	x, err := float(v)
	s := f.decimal(x, digits)
	if x > 0 && strings.Trim(s, "0.,") != "" {
		s = "+" + s
	}
	return s, err
}

// Pct writes a share of 1 as a percentage.
func (f *Format) Pct(digits int, v any) (string, error) {
	x, err := float(v)
	if math.IsNaN(x) {
		return "–", err
	}
	return f.decimal(100*x, digits) + "%", err
}

// Money writes an amount in the company's currency, in whole units.
func (f *Format) Money(v any) (string, error) {
	x, err := float(v)
	s := f.decimal(x, 0)
	if neg, ok := strings.CutPrefix(s, "−"); ok {
		return "−" + f.cash + neg, err
	}
	return f.cash + s, err
}

// Range writes the ends of an interval: "4.1–8.3", or "−1.2 to 0.5" where a
// dash beside a minus would mislead.
func (f *Format) Range(digits int, low, high float64) string {
	lo, hi := f.decimal(low, digits), f.decimal(high, digits)
	if low < 0 || high < 0 {
		return f.T("look.range", lo, hi)
	}
	return lo + "–" + hi
}

// Interval writes an estimate with its interval: "6.2 (4.1–8.3)".
func (f *Format) Interval(digits int, value, low, high float64) string {
	return f.decimal(value, digits) + " (" + f.Range(digits, low, high) + ")"
}

// Clock writes the time of day, in the zone t carries, as all of these do.
func (f *Format) Clock(t time.Time) string { return f.when(t, "15:04") }

// Day writes month and day, for where the year is plain.
func (f *Format) Day(t time.Time) string { return f.when(t, f.T("look.layout.day")) }

func (f *Format) when(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format(layout)
}

// Weekday writes the day of the week, short.
func (f *Format) Weekday(t time.Time) string { return f.Lang.Weekday(t.Weekday()) }

// Minutes writes a length of time given in minutes: "1 h 20 min".
func (f *Format) Minutes(v any) (string, error) {
	x, err := float(v)
	return f.Lang.Minutes(x), err
}

// ISO writes a time for the datetime attribute of <time>.
func ISO(t time.Time) string { return t.Format(time.RFC3339) }
