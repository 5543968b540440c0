package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// ErrorBar is an estimate drawn with its interval ("errorbar").
type ErrorBar struct {
	Value, Low, High float64
	Min, Max         float64 // ends of the axis
	Ref              float64 // a reference, such as the required level
	HasRef           bool
	Digits           int
	Tone             Tone
}

// X places v along the axis, as a percentage of its length; v beyond the ends
// is drawn at the end.
func (b ErrorBar) X(v float64) string { return percent(v, b.Min, b.Max) }

func percent(v, low, high float64) string {
	p := 0.0
	if high > low && !math.IsNaN(v) {
		p = 100 * min(1, max(0, (v-low)/(high-low)))
	}
	return strconv.FormatFloat(p, 'f', 2, 64) + "%"
}

// Figure is a number a person may act on ("figure"): with its interval, what
// it is compared with, what to beware of, and the way to its evidence.
type Figure struct {
	Label     string
	Value     float64
	Digits    int
	Percent   bool // Value, Low and High are shares of 1
	Signed    bool
	Unit      string
	Text      string  // written instead of Value
	Low, High float64 // 95 % interval; shown where Low < High
	Compare   string  // such as "company 5.1" or "+2.3 on last month"
	Tone      Tone
	Warnings  []string
	Bar       *ErrorBar
	Href      string // the evidence
	Evidence  string // the words of that link, if not "See the evidence"
}

// HasInterval reports whether there is an interval to show.
func (f Figure) HasInterval() bool { return f.Low < f.High }

// HeatScale is what the colours of a HeatMap stand for.
type HeatScale string

const (
	HeatGap    HeatScale = "gap"    // R − S: above 0 is asked for and lacking, below 0 is more than asked for
	HeatAmount HeatScale = "amount" // 0 to Max
)

// HeatMap is a table whose cells are coloured by their number ("heatmap").
type HeatMap struct {
	Caption string
	Corner  string // heading of the first column
	Cols    []HeatHead
	Rows    []HeatRow
	Scale   HeatScale
	Max     float64 // where the strongest colour begins: HeatGap's ±Max, HeatAmount's Max
	Digits  int
	Percent bool
}

// HeatHead is the heading of a column or a row.
type HeatHead struct{ Label, Sub, Href string }

// HeatRow is a row of cells, one for each column.
type HeatRow struct {
	HeatHead
	Cells []HeatCell
}

// HeatCell is one number. Few: it is of fewer than five people and so not shown.
type HeatCell struct {
	Value float64
	Blank bool // there is no number
	Few   bool
	Href  string
}

// Class is the colour of a cell.
func (h HeatMap) Class(c HeatCell) string {
	if c.Few || c.Blank || math.IsNaN(c.Value) {
		return "none"
	}
	share := c.Value / h.Max
	if h.Scale == HeatAmount {
		return fmt.Sprintf("c-seq%d", 1+int(min(4, max(0, math.Floor(5*share)))))
	}
	name, size := "gap", share
	if share < 0 {
		name, size = "good", -share
	}
	if size < 0.1 {
		return "c-zero"
	}
	return fmt.Sprintf("c-%s%d", name, 1+int(min(2, math.Floor(3*size))))
}

// cells writes a row's cells. A company's map has a thousand of them, and a
// template takes twenty times as long over each.
func (h HeatMap) cells(f *Format, cells []HeatCell) template.HTML {
	var b strings.Builder
	for _, c := range cells {
		b.WriteString(`<td class="` + h.Class(c) + `">`)
		switch {
		case c.Few:
			b.WriteString(`<span title="` + template.HTMLEscapeString(f.T("look.heat.none")) + `">` + template.HTMLEscapeString(f.T("look.heat.few")) + `</span>`)
		case c.Blank || math.IsNaN(c.Value):
			b.WriteString(`<span role="img" aria-label="` + template.HTMLEscapeString(f.T("look.heat.blank")) + `">·</span>`)
		case local(c.Href):
			b.WriteString(`<a href="` + template.HTMLEscapeString(c.Href) + `">` + h.text(f, c.Value) + `</a>`)
		default:
			b.WriteString(`<span>` + h.text(f, c.Value) + `</span>`)
		}
		b.WriteString(`</td>`)
	}
	return template.HTML(b.String())
}

// local reports whether an address stays within the site; only such are linked to.
func local(href string) bool {
	return href != "" && strings.ContainsRune("/#?", rune(href[0])) && !strings.HasPrefix(href, "//")
}

func (h HeatMap) text(f *Format, v float64) string {
	if h.Percent {
		return f.decimal(100*v, h.Digits) + "%"
	}
	s := f.decimal(v, h.Digits)
	if h.Scale == HeatGap && v > 0 && strings.Trim(s, "0.,") != "" {
		s = "+" + s
	}
	return s
}

// Colours lists the classes of the scale from one end to the other, for its legend.
func (h HeatMap) Colours() []string {
	if h.Scale == HeatAmount {
		return []string{"c-seq1", "c-seq2", "c-seq3", "c-seq4", "c-seq5"}
	}
	return []string{"c-good3", "c-good2", "c-good1", "c-zero", "c-gap1", "c-gap2", "c-gap3"}
}

// Loop is the circle of the business ("loop"): its six stations, how far each
// is, and what is stuck.
type Loop struct {
	Title, Text string // in the middle
	Next        *Action
	Stages      []Stage // six, in order: need, content, plan, delivery, record, evaluate
}

// Stage is a station of the loop.
type Stage struct {
	Name, Figure, Note string
	Href               string
	State              State
}

// Arc is the piece of the ring from one station to the next.
type Arc struct {
	D     string
	State State
}

// Ring returns the ring, as paths in a box of 100 × 100.
func (l Loop) Ring() (arcs []Arc) {
	at := func(i int) string {
		a := (float64(i)*360/float64(len(l.Stages)) - 120) * math.Pi / 180
		return fmt.Sprintf("%.2f %.2f", 50+50*math.Cos(a), 50+50*math.Sin(a))
	}
	for i, s := range l.Stages {
		arcs = append(arcs, Arc{fmt.Sprintf("M%s A50 50 0 0 1 %s", at(i), at(i+1)), s.State})
	}
	return arcs
}

// Bars compares amounts by length ("bars"), such as shadow prices.
type Bars struct {
	Caption    string
	Label      string // heading of the labels
	ValueLabel string // heading of the numbers
	Rows       []Bar
	Max        float64 // 0: the largest of the rows
}

// Bar is a row of Bars.
type Bar struct {
	Label, Note string
	Value       float64
	Text        string // the value as it is written
	Href        string
	Tone        Tone
}

// Width is the length of a bar, as a percentage.
func (b Bars) Width(r Bar) string {
	top := b.Max
	if top <= 0 {
		for _, o := range b.Rows {
			top = max(top, o.Value)
		}
	}
	return percent(r.Value, 0, top)
}

// Axis is a scale with marks on it.
type Axis struct {
	Min, Max float64
	Digits   int
}

// X and Y place a number along the axis, from the left or from the bottom.
func (a Axis) X(v float64) string { return percent(v, a.Min, a.Max) }
func (a Axis) Y(v float64) string { return percent(a.Max-v+a.Min, a.Min, a.Max) }

// Ticks returns about five round numbers within the axis.
func (a Axis) Ticks() (ticks []float64) {
	span := a.Max - a.Min
	if !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	unit := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{1, 2, 5, 10} {
		if span/(unit*m) <= 6 {
			unit *= m
			break
		}
	}
	for i := math.Ceil(a.Min/unit - 1e-9); i*unit <= a.Max+unit*1e-9; i++ {
		ticks = append(ticks, i*unit)
	}
	return ticks
}

// TickDigits is how many decimals tell the ticks apart.
func (a Axis) TickDigits() int {
	t := a.Ticks()
	if len(t) < 2 {
		return a.Digits
	}
	return int(max(0, math.Ceil(-math.Log10(t[1]-t[0])-1e-9)))
}

// Curve draws series over a common axis, each with its band ("curve").
type Curve struct {
	Title          string
	XLabel, YLabel string
	X, Y           Axis
	XNames         []string // written at 0, 1, 2 … instead of numbers, such as months
	Series         []Series
	Marks          []Mark
}

// Series is a line with, where Low < High, a band of its 95 % intervals.
type Series struct {
	Name   string
	Tone   Tone // ToneNone and TonePrimary: ours; TonePlain: a comparison, dashed
	Points []Point
}

// Point is a point of a Series.
type Point struct{ X, Y, Low, High float64 }

// Mark is an upright line with a word, such as "training".
type Mark struct {
	X    float64
	Text string
}

func (c Curve) xy(x, y float64) string {
	px := 100 * (x - c.X.Min) / (c.X.Max - c.X.Min)
	py := 100 * (c.Y.Max - y) / (c.Y.Max - c.Y.Min)
	return fmt.Sprintf("%.2f %.2f", px, min(100, max(0, py)))
}

// Line is the path of a series in a box of 100 × 100.
func (c Curve) Line(s Series) string {
	var d []string
	for _, p := range s.Points {
		d = append(d, c.xy(p.X, p.Y))
	}
	if d == nil {
		return ""
	}
	return "M" + strings.Join(d, "L")
}

// Band is the path around the intervals of a series.
func (c Curve) Band(s Series) string {
	var up, down []string
	for i, p := range s.Points {
		q := s.Points[len(s.Points)-1-i]
		if p.Low < p.High {
			up = append(up, c.xy(p.X, p.High))
		}
		if q.Low < q.High {
			down = append(down, c.xy(q.X, q.Low))
		}
	}
	if up == nil {
		return ""
	}
	return "M" + strings.Join(append(up, down...), "L") + "Z"
}

// Name is what is written under a mark of the horizontal axis.
func (c Curve) Name(f *Format, x float64) string {
	if i := int(x); c.XNames != nil {
		if i < 0 || i >= len(c.XNames) || float64(i) != x {
			return ""
		}
		return c.XNames[i]
	}
	return f.decimal(x, c.X.TickDigits())
}

// XTicks are the marks of the horizontal axis.
func (c Curve) XTicks() (ticks []float64) {
	if c.XNames == nil {
		return c.X.Ticks()
	}
	step := 1 + (len(c.XNames)-1)/6 // more than six names would run into each other on a phone
	for i := 0; i < len(c.XNames); i += step {
		ticks = append(ticks, float64(i))
	}
	return ticks
}

// Dots lists estimates with their intervals on one axis ("dots"): people's
// gains, effects by group. Order is the caller's; without intervals it would
// be a ranking of noise.
type Dots struct {
	Caption string
	Label   string // heading of the names
	Axis    Axis
	Ref     float64 // upright line
	HasRef  bool
	RefText string
	Signed  bool
	Rows    []Dot
}

// Dot is a row of Dots.
type Dot struct {
	Label, Note      string
	Href             string
	Value, Low, High float64
	Tone             Tone
}

// Histogram counts people by value ("histogram").
type Histogram struct {
	Title, XLabel string
	X             Axis
	Bins          []Bin
	Marks         []Mark
}

// Bin counts values from Low up to, but not including, High.
type Bin struct {
	Low, High float64
	Count     int
	Tone      Tone
}

// Count64 is Count as a place on an axis.
func (b Bin) Count64() float64 { return float64(b.Count) }

// Top is the largest count.
func (h Histogram) Top() float64 {
	top := 1
	for _, b := range h.Bins {
		top = max(top, b.Count)
	}
	return float64(top)
}

// Y is the vertical axis, from 0 to a little above the largest count.
func (h Histogram) Y() Axis { return Axis{Min: 0, Max: 1.2 * h.Top()} }

// Width, Height and Left place a bin, as percentages.
func (h Histogram) Width(b Bin) string  { return percent(b.High-b.Low, 0, h.X.Max-h.X.Min) }
func (h Histogram) Height(b Bin) string { return percent(float64(b.Count), 0, h.Y().Max) }

// Gauge compares what a plan reaches with the bound that no plan can beat ("gauge").
type Gauge struct {
	Label        string
	Value, Bound float64
	Digits       int
	Unit         string
	Href         string
}

// Gap is (bound − value)/value, as the planner states it.
func (g Gauge) Gap() float64 { return (g.Bound - g.Value) / g.Value }

// X places v between 0 and a little above the bound.
func (g Gauge) X(v float64) string { return percent(v, 0, 1.04*g.Bound) }

// Quadrant sets items by two amounts against two limits ("quadrant"), as
// importance against performance (Martilla & James 1977).
type Quadrant struct {
	Title          string
	XLabel, YLabel string
	X, Y           Axis
	XCut, YCut     float64
	Corners        [4]string // names of the corners: top left, top right, bottom left, bottom right
	Points         []QuadrantPoint
}

// QuadrantPoint is an item of a Quadrant.
type QuadrantPoint struct {
	Label, Href string
	X, Y        float64
	Tone        Tone
}
