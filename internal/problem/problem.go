// Package problem is the form of every error that a person or a program
// outside will read: configuration checks, API answers, delivery logs.
package problem

import (
	"errors"
	"fmt"
	"strings"
)

// A Code is the coarse class of a problem. Only api maps it to an HTTP status
// and only cmd to an exit code.
type Code string

// The codes. Finer slugs ("asset_fetch_failed") stand beside the code that raises them.
const (
	Invalid      Code = "invalid"
	NotFound     Code = "not_found"
	Conflict     Code = "conflict"
	Unauthorized Code = "unauthorized"
	Forbidden    Code = "forbidden"
	TooLarge     Code = "too_large"
	Overloaded   Code = "overloaded"
	Upstream     Code = "upstream"
	Unsupported  Code = "unsupported"
	Timeout      Code = "timeout"
	Surroundings Code = "surroundings" // what this machine lacks: no Chrome, no sandbox, a port in use
	Internal     Code = "internal"
)

// A Position is a place in a text that the user wrote. Line and Column count
// from 1; zero means unknown. EndLine and EndColumn are where the place ends,
// exclusively; zero means that only its beginning is known.
type Position struct {
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
}

// String is "file:line:column", without the parts that are unknown. The end is
// for programs and not in it.
func (p Position) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	for _, n := range []int{p.Line, p.Column} {
		if n == 0 {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(':')
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// An Error says what is wrong, where, why, and what to do next.
type Error struct {
	Code     Code     // class
	Slug     string   // finer, stable, snake_case; "" where the code says enough
	Path     string   // where in the input: bindings[2].key, variables.photo
	Pos      Position // where in the text, when there is one
	Message  string   // what and why, lower case, no full stop
	Expected string   // what could stand there instead: a value, ")"; "" where nothing in particular
	Hint     string   // the next step; "" where the message implies it

	Err error // the cause; shown in logs, not outside
}

// New is an Error with a formatted message. What a %w in format stands for
// becomes its cause, also when there are several.
func New(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	cause := errors.Unwrap(err)
	if _, several := err.(interface{ Unwrap() []error }); several {
		cause = err
	}
	return &Error{Code: code, Message: err.Error(), Err: cause}
}

// WithHint sets the next step and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithSlug sets the finer code and returns e.
func (e *Error) WithSlug(slug string) *Error { e.Slug = slug; return e }

// At sets the path in the input and returns e.
func (e *Error) At(path string) *Error { e.Path = path; return e }

// Expecting sets what could stand in the place instead and returns e.
func (e *Error) Expecting(what string) *Error { e.Expected = what; return e }

// In sets the position in a text and returns e.
func (e *Error) In(pos Position) *Error { e.Pos = pos; return e }

// Error is "file:line:column: path: message (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Pos.String(), e.Path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Kind is the finest code known: the slug, else the code.
func (e *Error) Kind() string {
	if e.Slug != "" {
		return e.Slug
	}
	return string(e.Code)
}

// A List is several problems found in one pass. It is an error that prints one
// problem a line.
type List []*Error

func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the first problem.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// Err is nil for an empty list: a nil List in an error variable would not be.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// All collects every problem in err's tree, in order. An error that holds none
// becomes one of code Internal.
func All(err error) List {
	if err == nil {
		return nil
	}
	var list List
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) { //nolint:errorlint // the tree is walked by hand
		case *Error:
			list = append(list, e)
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				walk(inner)
			}
		}
	}
	walk(err)
	if len(list) == 0 {
		list = List{{Code: Internal, Message: err.Error(), Err: err}}
	}
	return list
}

// CodeOf is the code of the first problem in err's tree, Internal if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
