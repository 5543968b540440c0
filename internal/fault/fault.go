// Package fault is the product's vocabulary of failure.
//
// An error either carries a Kind, and then its text is a message key that may
// be shown to the person who asked, or it carries none and is a bug or an
// outage: it is logged, and the person sees only "internal".
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind says what the caller can do about an error.
type Kind string

const (
	Invalid  Kind = "invalid"   // correct the input and try again
	Denied   Kind = "denied"    // ask someone with the permission
	NotFound Kind = "not_found" // it does not exist, or not for this person
	Conflict Kind = "conflict"  // reload: someone changed it first
	TooMany  Kind = "too_many"  // wait
	Internal Kind = "internal"  // nothing; we have been told
)

// Status returns the HTTP status that says the same.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return http.StatusUnprocessableEntity
	case Denied:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// Error is a failure that a person may see.
type Error struct {
	Kind Kind
	Key  string // locale message key, such as "plan.window.empty"
	Args []any  // values for the message
	Err  error  // cause, for the log only; may be nil
}

// New returns an Error of the kind, whose message is key with args.
func New(k Kind, key string, args ...any) *Error {
	return &Error{Kind: k, Key: key, Args: args}
}

// Wrap is New with the cause kept for the log.
func Wrap(err error, k Kind, key string, args ...any) *Error {
	return &Error{Kind: k, Key: key, Args: args, Err: err}
}

// Error returns the text for the log; the text for the person is Key in
// their language.
func (e *Error) Error() string {
	s := string(e.Kind) + ": " + e.Key
	if len(e.Args) > 0 {
		s += fmt.Sprintf(" %v", e.Args)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns the Error in err's chain.
func As(err error) (*Error, bool) {
	return errors.AsType[*Error](err)
}

// Of returns the kind of err: "" for nil, Internal where none was stated.
func Of(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}
