package web

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Format writes numbers, dates and messages as one language does.
type Format struct {
	Lang string // BCP 47, such as "zh-CN"
	say  func(lang, key string, args ...any) string
	p    *message.Printer
	cash string // currency sign, written before the amount
}

func newFormat(lang string, say func(lang, key string, args ...any) string, cash string) (*Format, error) {
	tag, err := language.Parse(lang)
	if err != nil {
		return nil, fmt.Errorf("web: language %q: %w", lang, err)
	}
	return &Format{Lang: lang, say: say, p: message.NewPrinter(tag), cash: cash}, nil
}

// T returns the message of a key.
func (f *Format) T(key string, args ...any) string { return f.say(f.Lang, key, args...) }

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
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	s := f.p.Sprint(number.Decimal(v, number.MinFractionDigits(digits), number.MaxFractionDigits(digits)))
	if neg, ok := strings.CutPrefix(s, "-"); ok {
		if strings.Trim(neg, "0.,") == "" {
			return neg // −0.0 is noise
		}
		return "−" + neg // a minus as wide as the digits
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

// Date, Clock and the others write a time in the zone it carries.
func (f *Format) Date(t time.Time) string { return f.when(t, "look.layout.date") }

// Clock writes the time of day.
func (f *Format) Clock(t time.Time) string { return f.when(t, "look.layout.clock") }

// DateTime writes the day and the time of day.
func (f *Format) DateTime(t time.Time) string { return f.when(t, "look.layout.datetime") }

// Day writes month and day, for where the year is plain.
func (f *Format) Day(t time.Time) string { return f.when(t, "look.layout.day") }

// Weekday writes the day of the week, short.
func (f *Format) Weekday(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return f.T(fmt.Sprintf("look.weekday.%d", t.Weekday()))
}

func (f *Format) when(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format(f.T(layout))
}

// Minutes writes a length of time given in minutes: "1 h 20 min".
func (f *Format) Minutes(v any) (string, error) {
	x, err := float(v)
	n := int(math.Round(x))
	switch {
	case n < 60:
		return f.T("look.minutes", n), err
	case n%60 == 0:
		return f.T("look.hours", n/60), err
	}
	return f.T("look.hoursminutes", n/60, n%60), err
}

// ISO writes a time for the datetime attribute of <time>.
func ISO(t time.Time) string { return t.Format(time.RFC3339) }
