package web

import (
	"fmt"
	"math"
	"net/url"
	"time"
)

// componentsPage shows every part with sample data, each marked as a sample:
// the page against which the look is kept one (templates/components.html).
type componentsPage struct {
	Head      PageHead
	Figures   []Figure
	Loop      Loop
	Heat      HeatMap
	Amount    HeatMap
	Prices    Bars
	Gauge     Gauge
	Calendar  Calendar
	Forget    Curve
	Stepped   Curve
	Gains     Dots
	Spread    Histogram
	Quadrant  Quadrant
	Steps     []Step
	Tabs      []Tab
	Table     Table
	None      Table
	Empty     Empty
	Events    []Event
	Progress  []Progress
	Notices   []Notice
	Pills     []Pill
	Fields    []Field
	Wide      []Field
	Dialog    Confirm
	DialogAct Action
	Error     ErrorPage
}

// ComponentsPage is the page of all parts in one language.
func ComponentsPage(f *Format) Page {
	s := func(key string) string { return f.T("look.sample." + key) }
	skill := func(i int) string { return s(fmt.Sprintf("skill.%d", i)) }
	person := func(i int) string { return s(fmt.Sprintf("person.%d", i)) }
	team := func(i int) string { return s(fmt.Sprintf("team.%d", i)) }
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	at := func(d, h, m int) time.Time {
		return day.AddDate(0, 0, d).Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
	}

	p := componentsPage{
		Head: PageHead{Title: s("title"), Lead: s("lead"), Meta: []string{f.Date(day), s("mark")}, Actions: []Action{
			{Label: s("export"), Href: "#table", Icon: "download"},
			{Label: s("propose"), Href: "#plan", Icon: "plan", Primary: true},
		}},
		Figures: []Figure{
			{Label: s("fig.gap"), Value: 11.4, Low: 10.1, High: 12.7, Digits: 1, Unit: s("points"), Tone: ToneGap, Compare: s("fig.gap.compare"),
				Bar: &ErrorBar{Value: 11.4, Low: 10.1, High: 12.7, Min: 0, Max: 20, Ref: 8, HasRef: true, Digits: 1, Tone: ToneGap}, Href: "#heat"},
			{Label: s("fig.effect"), Value: 0.42, Low: 0.31, High: 0.53, Digits: 2, Signed: true, Unit: s("sd"), Tone: ToneGood, Compare: s("fig.effect.compare"),
				Bar: &ErrorBar{Value: 0.42, Low: 0.31, High: 0.53, Min: -0.2, Max: 0.8, Ref: 0, HasRef: true, Digits: 2, Tone: ToneGood}, Href: "#gains"},
			{Label: s("fig.part"), Value: 0.934, Digits: 1, Percent: true, Compare: s("fig.part.compare"), Href: "#table", Evidence: s("fig.part.evidence")},
			{Label: s("fig.inno"), Value: 3.1, Low: -1.2, High: 7.4, Digits: 1, Signed: true, Unit: s("points"), Warnings: []string{s("fig.inno.warn")},
				Bar: &ErrorBar{Value: 3.1, Low: -1.2, High: 7.4, Min: -10, Max: 20, HasRef: true, Digits: 1}, Href: "#gains"},
		},
		Loop: Loop{Title: s("loop.title"), Text: s("loop.text"), Next: &Action{Label: s("loop.next"), Href: "#plan", Primary: true}, Stages: []Stage{
			{s("loop.1"), s("loop.1.fig"), s("loop.1.note"), "#heat", Done},
			{s("loop.2"), s("loop.2.fig"), s("loop.2.note"), "#table", Done},
			{s("loop.3"), s("loop.3.fig"), s("loop.3.note"), "#plan", Stuck},
			{s("loop.4"), s("loop.4.fig"), s("loop.4.note"), "#calendar", Now},
			{s("loop.5"), s("loop.5.fig"), s("loop.5.note"), "#table", Now},
			{s("loop.6"), s("loop.6.fig"), s("loop.6.note"), "#gains", Wait},
		}},
		Heat:   HeatMap{Caption: s("heat.title"), Corner: s("team"), Scale: HeatGap, Max: 24, Digits: 0},
		Amount: HeatMap{Caption: s("amount.title"), Corner: s("team"), Scale: HeatAmount, Max: 1, Percent: true},
		Prices: Bars{Caption: s("price.title"), Label: s("price.of"), ValueLabel: s("price.unit"), Rows: []Bar{
			{Label: s("price.1"), Note: s("price.1.note"), Value: 0.31, Text: "0.31", Href: "#calendar"},
			{Label: s("price.2"), Note: s("price.2.note"), Value: 0.12, Text: "0.12"},
			{Label: s("price.3"), Note: s("price.3.note"), Value: 0.04, Text: "0.04"},
			{Label: s("price.4"), Note: s("price.4.note"), Value: 0, Text: "0"},
		}},
		Gauge: Gauge{Label: s("gauge"), Value: 412.6, Bound: 414.1, Digits: 1, Unit: s("effectunits"), Href: "#plan"},
		Calendar: Calendar{Label: s("cal.title"), From: 9, To: 18, Days: []CalDay{
			{Date: day, Href: "#calendar", Items: []CalItem{
				{Title: skill(1), Sub: s("room.1"), Start: at(0, 9, 0), End: at(0, 10, 30), Href: "#calendar"},
				{Title: skill(5), Sub: s("room.2"), Start: at(0, 9, 30), End: at(0, 11, 30), Href: "#calendar", Tone: ToneGap},
				{Title: skill(3), Sub: s("room.online"), Start: at(0, 14, 0), End: at(0, 16, 0)},
			}},
			{Date: day.AddDate(0, 0, 1), Href: "#calendar", Items: []CalItem{
				{Title: skill(2), Sub: s("room.1"), Start: at(1, 10, 0), End: at(1, 12, 0), Href: "#calendar"},
				{Title: s("posttest"), Sub: s("room.online"), Start: at(1, 15, 0), End: at(1, 15, 45), Tone: ToneGood},
				{Title: skill(1), Start: at(1, 10, 0), End: at(1, 11, 0), Tone: TonePlain},
				{Title: skill(4), Start: at(1, 10, 30), End: at(1, 11, 30), Tone: TonePlain},
				{Title: skill(3), Start: at(1, 10, 30), End: at(1, 11, 30), Tone: TonePlain},
			}},
			{Date: day.AddDate(0, 0, 2), Items: []CalItem{{Title: skill(5), Sub: s("room.2"), Start: at(2, 13, 30), End: at(2, 16, 30), Href: "#calendar", Tone: ToneGap}}},
			{Date: day.AddDate(0, 0, 3)},
			{Date: day.AddDate(0, 0, 4), Items: []CalItem{{Title: skill(1), Sub: s("room.1"), Start: at(4, 9, 0), End: at(4, 11, 0), Href: "#calendar"}}},
		}},
		Forget: Curve{Title: s("forget.title"), XLabel: s("forget.x"), YLabel: s("forget.y"), X: Axis{0, 30, 0}, Y: Axis{0, 100, 0}, Marks: []Mark{{7, s("forget.mark")}}},
		Stepped: Curve{Title: s("stepped.title"), XLabel: s("stepped.x"), YLabel: s("stepped.y"), X: Axis{0, 5, 0}, Y: Axis{3.5, 5, 2}, Marks: []Mark{{2, s("stepped.mark")}},
			XNames: []string{s("m.7"), s("m.8"), s("m.9"), s("m.10"), s("m.11"), s("m.12")}},
		Gains:  Dots{Caption: s("gains.title"), Label: f.T("look.person"), Axis: Axis{-10, 30, 1}, HasRef: true, RefText: s("gains.ref"), Signed: true},
		Spread: Histogram{Title: s("spread.title"), XLabel: s("spread.x"), X: Axis{-1, 2, 1}, Marks: []Mark{{0.42, s("spread.mark")}}},
		Quadrant: Quadrant{Title: s("quad.title"), XLabel: s("quad.x"), YLabel: s("quad.y"), X: Axis{30, 90, 0}, Y: Axis{2, 5, 1}, XCut: 60, YCut: 3.5,
			Corners: [4]string{s("quad.1"), s("quad.2"), s("quad.3"), s("quad.4")}, Points: []QuadrantPoint{
				{skill(1), "#heat", 71, 4.7, TonePrimary}, {skill(2), "#heat", 66, 4.2, TonePrimary}, {skill(3), "#heat", 58, 4.0, ToneGap},
				{skill(4), "#heat", 74, 3.1, TonePrimary}, {skill(5), "#heat", 47, 4.4, ToneGap}, {skill(6), "#heat", 52, 2.7, TonePrimary}}},
		Steps: []Step{{s("step.1"), "#table", Done}, {s("step.2"), "#table", Done}, {s("step.3"), "", Now}, {s("step.4"), "", Stuck}, {s("step.5"), "", Wait}},
		Tabs:  []Tab{{s("tab.1"), "#heat", true, 0}, {s("tab.2"), "#table", false, 3}, {s("tab.3"), "#gains", false, 0}},
		Table: Table{ID: "people", Caption: s("table.title"), URL: url.URL{Path: "/_components", RawQuery: "sort=-gain"}, Sort: "gain", Desc: true, Filter: true,
			Page: 3, PerPage: 6, Total: 1000, Actions: []Action{{Label: s("export"), Href: "#table", Icon: "download"}},
			Columns: []Column{{"name", f.T("look.person"), false, true}, {"team", s("team"), false, true}, {"state", s("state"), false, false}, {"before", s("before"), true, true}, {"gain", f.T("look.gain.axis"), true, true}, {"bar", s("interval"), false, false}}},
		None:  Table{ID: "none", Columns: []Column{{"name", f.T("look.person"), false, false}}, Empty: &Empty{Icon: "people", Title: s("empty.title"), Text: s("empty.text"), Next: &Action{Label: s("empty.next"), Href: "#fields", Icon: "upload", Primary: true}}},
		Empty: Empty{Icon: "needs", Title: s("empty2.title"), Text: s("empty2.text"), Next: &Action{Label: s("empty2.next"), Href: "#fields"}},
		Events: []Event{
			{At: at(0, 9, 2), Title: s("ev.1"), Text: s("ev.1.text"), Tone: TonePrimary},
			{At: at(0, 11, 40), Title: s("ev.2"), Text: s("ev.2.text"), Href: "#gains", Tone: ToneGap},
			{At: at(1, 15, 45), Title: s("ev.3"), Text: s("ev.3.text"), Tone: ToneGood},
		},
		Progress: []Progress{{Label: s("progress.1"), Value: 62, Max: 100, Text: s("progress.1.text")}, {Label: s("progress.2"), Value: 12, Max: 20, Text: s("progress.2.text")}},
		Notices: []Notice{
			{Tone: ToneGood, Text: s("notice.good")},
			{Tone: ToneGap, Title: s("notice.gap"), Text: s("notice.gap.text"), Link: &Action{Label: f.T("look.evidence"), Href: "#gains"}},
			{Tone: ToneBad, Text: s("notice.bad")},
			{Tone: TonePrimary, Text: s("notice.primary")},
		},
		Pills: []Pill{{s("pill.1"), ToneNone, ""}, {s("pill.2"), TonePrimary, "clock"}, {s("pill.3"), ToneGood, "check"}, {s("pill.4"), ToneGap, "warn"}, {s("pill.5"), ToneBad, "bad"}, {s("pill.6"), "line", "dice"}},
		Fields: []Field{
			{Name: "name", Label: s("field.name"), Value: person(1), Required: true, Autocomplete: "off"},
			{Name: "number", Label: s("field.number"), Value: "A-0O7", Error: s("field.number.error"), Hint: s("field.number.hint")},
			{Name: "position", Label: s("field.position"), Kind: "select", Value: "2", Options: []Option{{Value: "1", Label: s("position.1")}, {Value: "2", Label: s("position.2")}, {Value: "3", Label: s("position.3")}}},
			{Name: "hired", Label: s("field.hired"), Kind: "date", Value: "2026-09-01"},
			{Name: "budget", Label: s("field.budget"), Kind: "number", Value: "120000", Unit: s("yuan"), Min: "0", Step: "1000"},
			{Name: "file", Label: s("field.file"), Kind: "file", Accept: ".csv,.xlsx", Hint: s("field.file.hint")},
		},
		Wide: []Field{
			{Name: "alpha", Label: s("field.alpha"), Kind: "range", Value: "0.7", Min: "0", Max: "1", Step: "0.05", Hint: s("field.alpha.hint")},
			{Name: "want", Label: s("field.want"), Kind: "textarea", Value: s("field.want.value"), Rows: 3},
			{Name: "how", Label: s("field.how"), Kind: "radio", Value: "w", Required: true, Options: []Option{{Value: "w", Label: s("how.1")}, {Value: "o", Label: s("how.2")}, {Value: "c", Label: s("how.3")}}},
			{Name: "consent", Label: s("field.consent"), Kind: "checkbox", Value: "1", Hint: s("field.consent.hint")},
		},
		Dialog:    Confirm{ID: "withdraw", Title: s("dialog.title"), Text: s("dialog.text"), Post: "/_components", Label: s("dialog.do"), Danger: true, Hidden: map[string]string{"id": "12"}},
		DialogAct: Action{Label: s("dialog.open"), Dialog: "withdraw", Danger: true},
		Error:     ErrorPage{Code: 404, Title: s("error.title"), Text: s("error.text")},
	}

	// Rows of samples: smooth formulas, so that every colour and case occurs.
	for k := 1; k <= 6; k++ {
		p.Heat.Cols = append(p.Heat.Cols, HeatHead{Label: skill(k), Href: "#quadrant"})
		p.Amount.Cols = append(p.Amount.Cols, HeatHead{Label: skill(k)})
	}
	for i := 1; i <= 6; i++ {
		head := HeatHead{Label: team(i), Sub: f.T("look.sample.people", 18+i), Href: "#table"}
		var gap, amount []HeatCell
		for k := 1; k <= 6; k++ {
			v := 9 + 14*math.Sin(float64(i)*1.3+float64(k)*0.9)
			if k == 5 {
				v = 17 + 1.2*float64(i)
			}
			gap = append(gap, HeatCell{Value: v, Href: "#table", Few: i == 6 && k == 4, Blank: i == 3 && k == 6})
			amount = append(amount, HeatCell{Value: 0.5 + 0.48*math.Sin(float64(i)+float64(k)*0.7)})
		}
		p.Heat.Rows = append(p.Heat.Rows, HeatRow{head, gap})
		p.Amount.Rows = append(p.Amount.Rows, HeatRow{HeatHead{Label: team(i)}, amount})

		gain := []float64{18.2, 12.6, 9.4, 6.1, 2.0, -1.8}[i-1]
		half := []float64{5.2, 4.4, 6.8, 3.9, 4.6, 7.1}[i-1]
		tone := TonePlain
		if gain-half > 0 {
			tone = ToneGood
		}
		p.Gains.Rows = append(p.Gains.Rows, Dot{Label: person(i), Note: team(i), Href: "#table", Value: gain, Low: gain - half, High: gain + half, Tone: tone})
		state := []Cell{{Text: s("pill.3"), Pill: true, Tone: ToneGood}, {Text: s("pill.2"), Pill: true, Tone: TonePrimary}, {Text: s("pill.4"), Pill: true, Tone: ToneGap}}[i%3]
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{
			{Text: person(i), Sub: fmt.Sprintf("A-%04d", 1000+37*i), Href: "#table"}, {Text: team(i)}, state,
			{Text: f.decimal(52.3+3.1*float64(i), 1)}, {Text: f.Interval(1, gain, gain-half, gain+half), Tone: ToneNone},
			{Bar: &ErrorBar{Value: gain, Low: gain - half, High: gain + half, Min: -10, Max: 30, HasRef: true, Digits: 1, Tone: tone}}}})
	}
	forget := Series{Name: s("forget.with")}
	without := Series{Name: s("forget.without"), Tone: TonePlain}
	for d := 0.0; d <= 30; d++ {
		r := 100 * math.Pow(1+d*19/81/3, -0.5)
		without.Points = append(without.Points, Point{X: d, Y: r})
		if d >= 7 {
			r = 100 * math.Pow(1+(d-7)*19/81/14, -0.5)
		}
		forget.Points = append(forget.Points, Point{d, r, r - 2 - d/4, min(100, r+2+d/5)})
	}
	p.Forget.Series = []Series{forget, without}
	trained, wait := Series{Name: s("stepped.trained"), Tone: ToneGood}, Series{Name: s("stepped.wait"), Tone: TonePlain}
	for i, y := range []float64{4.02, 4.05, 4.06, 4.31, 4.38, 4.41} {
		trained.Points = append(trained.Points, Point{float64(i), y, y - 0.08, y + 0.08})
		w := []float64{4.01, 4.04, 4.07, 4.09, 4.08, 4.12}[i]
		wait.Points = append(wait.Points, Point{float64(i), w, w - 0.07, w + 0.07})
	}
	p.Stepped.Series = []Series{trained, wait}
	for i, n := range []int{3, 11, 28, 64, 118, 171, 196, 168, 121, 70, 32, 14, 4} {
		b := Bin{Low: -0.9 + 0.2*float64(i), High: -0.7 + 0.2*float64(i), Count: n}
		p.Spread.Bins = append(p.Spread.Bins, b)
	}
	return Page{Name: "components", Active: "overview", Crumbs: []Crumb{{f.T("look.nav.admin"), "/admin"}, {s("title"), ""}}, Data: p}
}
