package locale

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

var printers = map[Lang]*message.Printer{
	Zh: message.NewPrinter(language.SimplifiedChinese),
	En: message.NewPrinter(language.English),
}

// Number returns x with that many decimals, grouped as the language does;
// "–" where x is not a number.
func (l Lang) Number(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	s := printers[l].Sprint(number.Decimal(x, number.Scale(decimals)))
	return strings.Replace(s, "-", "−", 1)
}

// Percent returns the share x (0–1) as a percentage.
func (l Lang) Percent(x float64, decimals int) string {
	return l.Number(100*x, decimals) + "%"
}

// Interval returns "estimate (low – high)".
func (l Lang) Interval(x, low, high float64, decimals int) string {
	return fmt.Sprintf("%s (%s – %s)", l.Number(x, decimals), l.Number(low, decimals), l.Number(high, decimals))
}

// Date returns the day of t in its own location.
func (l Lang) Date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if l == En {
		return t.Format("2 Jan 2006")
	}
	return t.Format("2006年1月2日")
}

// DateTime returns the day and the minute of t.
func (l Lang) DateTime(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return l.Date(t) + " " + t.Format("15:04")
}

// Weekday returns the short name of the day.
func (l Lang) Weekday(d time.Weekday) string {
	if l == En {
		return d.String()[:3]
	}
	return "周" + []string{"日", "一", "二", "三", "四", "五", "六"}[d]
}

// Minutes returns a duration as people say it: "45 min", "1 h 30 min".
func (l Lang) Minutes(m float64) string {
	n := int(math.Round(m))
	h, min := n/60, n%60
	unit := func(x int, zh, en string) string {
		if l == En {
			return fmt.Sprintf("%d %s", x, en)
		}
		return fmt.Sprintf("%d %s", x, zh)
	}
	switch {
	case h == 0:
		return unit(min, "分钟", "min")
	case min == 0:
		return unit(h, "小时", "h")
	}
	return unit(h, "小时", "h") + " " + unit(min, "分", "min")
}

// List joins names as the language does.
func (l Lang) List(names []string) string {
	if l == Zh {
		return strings.Join(names, "、")
	}
	return strings.Join(names, ", ")
}

// collators are not safe for concurrent use.
var collating sync.Mutex
var collators = map[Lang]*collate.Collator{
	Zh: collate.New(language.SimplifiedChinese),
	En: collate.New(language.English),
}

// SortBy sorts xs by name as the language orders names: pinyin in Chinese.
func SortBy[T any](l Lang, xs []T, name func(T) string) {
	collating.Lock()
	defer collating.Unlock()
	c := collators[l]
	slices.SortStableFunc(xs, func(a, b T) int { return c.CompareString(name(a), name(b)) })
}
