package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Tone is the meaning a colour stands for: ToneGap less than is asked for,
// ToneGood as much or more, TonePrimary ours or selected, ToneBad refused or
// failed, TonePlain a comparison. It never says anything that words do not.
type Tone string

const (
	ToneNone    Tone = ""
	TonePrimary Tone = "primary"
	ToneGap     Tone = "gap"
	ToneGood    Tone = "good"
	ToneBad     Tone = "bad"
	TonePlain   Tone = "plain"
)

// State is how far a step or a station of the loop is.
type State string

const (
	Done  State = "done"
	Now   State = "now"
	Stuck State = "stuck"
	Wait  State = "wait"
)

// Action is something a page offers to do. With Post it is a form that posts
// to Href; otherwise a link.
type Action struct {
	Label, Href string
	Icon        string
	Primary     bool
	Danger      bool
	Post        bool
	Dialog      string // id of a Confirm that it opens instead
}

// PageHead stands at the top of a page ("pagehead").
type PageHead struct {
	Title, Lead string
	Meta        []string
	Actions     []Action
}

// Pill is a short word with a tone ("pill").
type Pill struct {
	Text string
	Tone Tone
	Icon string
}

// Notice is a box that says one thing ("notice"): the warning of an estimate,
// a rule, what has changed.
type Notice struct {
	Tone  Tone
	Title string
	Text  string
	Link  *Action
}

// Empty says why there is nothing, and what to do about it ("empty").
type Empty struct {
	Icon, Title, Text string
	Next              *Action
}

// Tab is a view of a page, with an address of its own ("tabs" takes a []Tab).
type Tab struct {
	Label, Href string
	Current     bool
	Count       int
}

// Step is one of a row of steps ("stepper" takes a []Step).
type Step struct {
	Label, Href string
	State       State
}

// Event is an entry of a timeline ("timeline" takes a []Event).
type Event struct {
	At          time.Time
	Title, Text string
	Href        string
	Tone        Tone
}

// Progress is how far something long has come ("progress"). With a Stream it
// follows server-sent events; see static/stream.js for them.
type Progress struct {
	Label      string
	Value, Max float64
	Text       string // what is happening now
	Stream     string
}

// Share is Value as a part of Max, 0 to 1.
func (p Progress) Share() float64 {
	if p.Max <= 0 {
		return 0
	}
	return p.Value / p.Max
}

// Confirm asks before something is done that cannot be undone ("confirm"). An
// Action with its ID as Dialog opens it.
type Confirm struct {
	ID, Title, Text string
	Post            string // where it posts to
	Label           string // on the button; says what will happen
	Danger          bool
	Hidden          map[string]string
}

// Field is a row of a form ("field"). What was typed comes back as Value with
// what is wrong with it in Error.
type Field struct {
	Name, Label    string
	Kind           string // text (if empty), email, tel, search, url, number, date, time, datetime-local, password, file, textarea, select, checkbox, radio, range
	Value          string
	Options        []Option // of select and radio; of checkbox, where several can be chosen
	Hint, Error    string
	Placeholder    string
	Unit           string
	Required       bool
	Min, Max, Step string // of number, range, date
	Rows           int    // of textarea
	Accept         string // of file
	Autocomplete   string // as HTML names it, such as "username"
}

// Option is a choice of a Field.
type Option struct {
	Value, Label string
	Chosen       bool
}

// ID is the element's id.
func (f Field) ID() string { return "f-" + f.Name }

// Describes lists the ids of the hint and the error, for aria-describedby.
func (f Field) Describes() string {
	s := ""
	if f.Hint != "" {
		s = f.ID() + "-hint"
	}
	if f.Error != "" {
		s += " " + f.ID() + "-error"
	}
	return s
}

// InputKind is the type attribute of an input.
func (f Field) InputKind() string {
	if f.Kind == "" {
		return "text"
	}
	return f.Kind
}

// Chosen reports whether an option is chosen: by itself, or as Value.
func (f Field) Chosen(o Option) bool { return o.Chosen || f.Value != "" && o.Value == f.Value }

// Table is a list that can be sorted, filtered and paged by its address
// ("table"), so that it works without a script and can be sent to a colleague.
type Table struct {
	ID      string
	Caption string
	Columns []Column
	Rows    []Row
	URL     url.URL // of this page; sorting and paging change "sort", "page", "q" in it
	Sort    string  // key of the column sorted by
	Desc    bool
	Filter  bool   // show a box: it filters these rows at once, and asks the server on Enter
	Query   string // what the box holds
	Page    int    // from 1; 0 where there is only one
	PerPage int
	Total   int // rows on all pages
	Actions []Action
	Empty   *Empty // shown where there are no rows
}

// Column is a column of a Table.
type Column struct {
	Key, Label string
	Num        bool // numbers, set to the right
	Sortable   bool
}

// Row is a row of a Table; the first cell is its heading.
type Row struct{ Cells []Cell }

// Cell is a cell of a Table, as it is written.
type Cell struct {
	Text, Sub string
	Href      string
	Tone      Tone
	Pill      bool // draw it as a pill of its tone
	Bar       *ErrorBar
}

func (t Table) with(change func(q url.Values)) string {
	u, q := t.URL, t.URL.Query()
	change(q)
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// SortHref is where a click on a column's heading leads: sorted by it, and the
// other way round the second time.
func (t Table) SortHref(c Column) string {
	return t.with(func(q url.Values) {
		q.Del("page")
		if c.Key == t.Sort && !t.Desc {
			q.Set("sort", "-"+c.Key)
		} else {
			q.Set("sort", c.Key)
		}
	})
}

// Sorted is the value of aria-sort for a column.
func (t Table) Sorted(c Column) string {
	switch {
	case c.Key != t.Sort:
		return "none"
	case t.Desc:
		return "descending"
	}
	return "ascending"
}

// PageHref is the address of another page.
func (t Table) PageHref(n int) string {
	return t.with(func(q url.Values) { q.Set("page", strconv.Itoa(n)) })
}

// Pages is how many pages there are.
func (t Table) Pages() int {
	if t.PerPage <= 0 {
		return 1
	}
	return max(1, (t.Total+t.PerPage-1)/t.PerPage)
}

// Near lists the pages to link to: the first, the last and those around this
// one; 0 stands for those left out.
func (t Table) Near() (n []int) {
	for _, p := range []int{1, t.Page - 1, t.Page, t.Page + 1, t.Pages()} {
		if p < 1 || p > t.Pages() || slices.Contains(n, p) {
			continue
		}
		if len(n) > 0 && p > n[len(n)-1]+1 {
			n = append(n, 0)
		}
		n = append(n, p)
	}
	return n
}

// First and Last count the rows shown, from 1.
func (t Table) First() int { return min(t.Total, (t.Page-1)*t.PerPage+1) }
func (t Table) Last() int  { return min(t.Total, t.Page*t.PerPage) }

// Keep is the rest of the address's query, for hidden fields of the filter's form.
func (t Table) Keep() map[string][]string {
	q := t.URL.Query()
	q.Del("q")
	q.Del("page")
	return q
}

// ErrorPage is the page of a failure (templates/error.html): what happened in
// the person's words, and what they can do.
type ErrorPage struct {
	Code        int // HTTP status
	Title, Text string
	Again       string // address to try again; none if empty
	Reference   string // to quote to an administrator
}
