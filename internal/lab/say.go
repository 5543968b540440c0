package lab

import (
	"errors"
	"io"
	"math"
	"slices"

	"attune/internal/engine/effect"
	"attune/internal/engine/irt"
	"attune/internal/engine/memory"
	"attune/internal/engine/solve"
	"attune/internal/engine/text"
	"attune/internal/engine/trace"
	"attune/internal/fault"
	"attune/internal/locale"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Result is what a command found.
type Result interface {
	// Sections lays it out for a terminal.
	Sections(locale.Lang) []Section
	// Remarks are the warnings that come with it, and the rows left out.
	Remarks() ([]error, BadRows)
}

// Section is a table with a title. Without a head its rows are names and values.
type Section struct {
	Title string
	Head  []string
	Rows  [][]string
}

// Noted is what every result carries.
type Noted struct {
	Warnings []error `json:"warnings"`
	BadRows  BadRows `json:"bad_rows"`
}

// Remarks returns both.
func (n Noted) Remarks() ([]error, BadRows) { return n.Warnings, n.BadRows }

// spoken gives the engines' errors the names by which their texts are found.
var spoken = []struct {
	err  error
	code string
}{
	{irt.ErrNoAnswers, "irt.no_answers"},
	{irt.ErrNoBank, "irt.no_bank"},
	{irt.ErrTooFew, "irt.too_few"},
	{irt.ErrNotConverged, "irt.not_converged"},
	{irt.ErrCoarse, "irt.coarse"},
	{irt.ErrNoPairs, "irt.no_pairs"},
	{irt.ErrSmallSample, "irt.small_sample"},
	{irt.ErrNoSE, "irt.no_se"},
	{irt.ErrNoShrink, "irt.no_shrink"},
	{irt.ErrApproxSE, "irt.approx_se"},
	{irt.ErrAllSame, "irt.all_same"},
	{irt.ErrBadItem, "irt.bad_item"},
	{irt.ErrBadPrior, "irt.bad_prior"},
	{irt.ErrPrecision, "irt.precision"},
	{irt.ErrTwoGroups, "irt.two_groups"},
	{memory.ErrFewReviews, "memory.few_reviews"},
	{memory.ErrCutCards, "memory.cut_cards"},
	{memory.ErrOneOutcome, "memory.one_outcome"},
	{memory.ErrRetention, "memory.retention"},
	{memory.ErrBackwards, "memory.backwards"},
	{memory.ErrStep, "memory.step"},
	{memory.ErrRating, "memory.rating"},
	{memory.ErrLogState, "memory.state"},
	{trace.ErrNoRows, "trace.no_rows"},
	{trace.ErrOneOutcome, "trace.one_outcome"},
	{trace.ErrNoTimes, "trace.no_times"},
	{trace.ErrUnseen, "trace.unseen"},
	{trace.ErrKind, "trace.kind"},
	{text.ErrNoTexts, "text.no_texts"},
	{text.ErrRecipe, "text.recipe"},
	{text.ErrFewTexts, "text.few_texts"},
	{solve.WarnStopped, "solve.stopped"},
	{solve.WarnCancelled, "solve.cancelled"},
	{solve.WarnNodes, "solve.nodes"},
	{solve.WarnFloor, "solve.floor"},
	{effect.ErrNumber, "effect.number"},
	{effect.ErrBinary, "effect.binary"},
	{effect.ErrArm, "effect.arm"},
	{effect.ErrTooFew, "effect.too_few"},
	{effect.ErrCollinear, "effect.fixed"},
	{effect.ErrColumn, "effect.column"},
	{effect.ErrOption, "effect.option"},
	{effect.ErrSeparated, "effect.separated"},
	{effect.ErrReversed, "effect.reversed"},
	{effect.ErrPeriods, "effect.periods"},
}

// spell names an engine's error or warning: its code, and the key and values of
// its text. The code is empty if the error is not the engines'.
func spell(err error) (code, key string, args []any) {
	if w, ok := errors.AsType[effect.Warning](err); ok {
		return "effect." + string(w.Kind), "lab.warn.effect." + string(w.Kind), []any{w.Value, w.What, w.Limit}
	}
	if w, ok := errors.AsType[*itemWarning](err); ok {
		return w.code, "lab.warn." + w.code, []any{w.items}
	}
	if a, ok := errors.AsType[*irt.AliasError](err); ok {
		return "irt.alias", "lab.warn.irt.alias", []any{a.Occasion, a.Columns}
	}
	for _, s := range spoken {
		if errors.Is(err, s.err) {
			return s.code, "lab.warn." + s.code, nil
		}
	}
	if f, ok := fault.As(err); ok {
		return f.Key, f.Key, f.Args
	}
	return "", "", nil
}

// Explain gives an engine's error the text that a person reads.
func Explain(err error) error {
	if _, ok := fault.As(err); ok || err == nil {
		return err
	}
	if code, key, args := spell(err); code != "" {
		return fault.Wrap(err, fault.Invalid, key, args...)
	}
	return err
}

// Say is a warning in the language.
func Say(l locale.Lang, err error) string {
	code, key, args := spell(err)
	if code == "" {
		return err.Error()
	}
	for i, a := range args {
		switch a := a.(type) {
		case float64:
			args[i] = figure(l, a)
		case []string:
			args[i] = l.List(a)
		}
	}
	return l.T(key, args...)
}

// WriteJSON writes v as one JSON object. What is not a number is null, for JSON
// has no word for it; a warning is its code and its text.
func WriteJSON(w io.Writer, l locale.Lang, v any) error {
	number := json.MarshalToFunc(func(e *jsontext.Encoder, x float64) error {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return e.WriteToken(jsontext.Null)
		}
		return e.WriteToken(jsontext.Float(x))
	})
	type remark struct {
		Code    string   `json:"code"`
		Message string   `json:"message"`
		What    string   `json:"what,omitzero"`
		Value   *float64 `json:"value,omitzero"`
		Limit   float64  `json:"limit,omitzero"`
	}
	warning := json.MarshalToFunc(func(e *jsontext.Encoder, err error) error {
		switch p := err.(type) { // the encoder hands over the address of what it can
		case *effect.Warning:
			err = *p
		case *solve.Warning:
			err = *p
		}
		code, _, _ := spell(err)
		r := remark{Code: code, Message: Say(l, err)}
		if w, ok := errors.AsType[effect.Warning](err); ok {
			r.What, r.Value, r.Limit = w.What, &w.Value, w.Limit
		}
		return json.MarshalEncode(e, r)
	})
	type row struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  string `json:"column,omitzero"`
		Message string `json:"message"`
	}
	bad := json.MarshalToFunc(func(e *jsontext.Encoder, b BadRow) error {
		return json.MarshalEncode(e, row{b.File, b.Line, b.Column, b.Message(l)})
	})
	rows := json.MarshalToFunc(func(e *jsontext.Encoder, b BadRows) error { // not as the error that it also is
		return json.MarshalEncode(e, []BadRow(b))
	})
	err := json.MarshalWrite(w, v, json.WithMarshalers(json.JoinMarshalers(number, bad, rows, warning)))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// figure is a number with the decimals that its size calls for.
func figure(l locale.Lang, x float64) string {
	decimals := 3
	switch a := math.Abs(x); {
	case a == math.Trunc(a) && a < 1e9:
		decimals = 0
	case a >= 100:
		decimals = 2
	case a > 0 && a < 1e-3:
		decimals = 6
	}
	return l.Number(x, decimals)
}

// small is a p value.
func small(l locale.Lang, p float64) string {
	if p < 1e-4 {
		return "< " + l.Number(1e-4, 4)
	}
	return l.Number(p, 4)
}

// heads are the translated names of columns.
func heads(l locale.Lang, names ...string) []string {
	out := slices.Clone(names)
	for i, n := range out {
		out[i] = l.T("lab.head." + n)
	}
	return out
}

// pairs lays out names and values, given in turns.
func pairs(l locale.Lang, of ...string) (rows [][]string) {
	for i := 0; i < len(of); i += 2 {
		rows = append(rows, []string{l.T("lab.head." + of[i]), of[i+1]})
	}
	return rows
}

// once keeps the first of warnings that read alike.
func once(warnings []error) (out []error) {
	seen := map[string]bool{}
	for _, w := range warnings {
		if said := Say(locale.En, w); !seen[said] {
			seen[said] = true
			out = append(out, w)
		}
	}
	return out
}
