package config

import (
	"fmt"
	"reflect"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// fail reports a problem of the value at n.
func (d *decoder) fail(n Node, slug, format string, args ...any) *problem.Error {
	p := problem.New(problem.Invalid, format, args...).WithSlug(slug).At(n.path).In(n.Pos())
	d.problems = append(d.problems, p)
	d.failed = append(d.failed, n.path)
	return p
}

// wants reports that n has the wrong form, and is false.
func (d *decoder) wants(n Node, t reflect.Type, want string) bool {
	p := d.fail(n, slugType, "wants %s, not %s", want, n.Kind())
	switch {
	case n.IsZero():
		p.WithHint("give a value, or remove the key")
	case t.Kind() == reflect.Slice && n.Kind() == Scalar:
		p.WithHint("put it in [ ]")
	}
	return false
}

// misuse reports a type that cannot be decoded into: a fault of the program.
func (d *decoder) misuse(n Node, format string, args ...any) {
	p := d.fail(n, slugType, "cannot decode %s", fmt.Sprintf(format, args...))
	p.Code = problem.Internal
}

// failedAt reports whether path, or something that it is part of, could not be decoded.
func (d *decoder) failedAt(path string) bool {
	for _, f := range d.failed {
		if within(path, f) {
			return true
		}
	}
	return false
}

// validate has v judge itself, or the structs that it embeds if it cannot
// because several of them could.
func (d *decoder) validate(n Node, v reflect.Value) {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface || !v.Addr().CanInterface() {
		return
	}
	if judge, ok := v.Addr().Interface().(Validator); ok {
		for _, p := range flatten(judge.Validate()) {
			if p = n.place(p); !d.failedAt(p.Path) {
				d.problems = append(d.problems, p)
			}
		}
		return
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("yaml") == "" {
			d.validate(n, v.Field(i))
		}
	}
}

// adoptAll takes over what a type said about decoding itself from n, and
// reports whether it said nothing.
func (d *decoder) adoptAll(n Node, err error) bool {
	for _, p := range flatten(err) {
		p = n.place(p)
		d.problems = append(d.problems, p)
		if p.Slug != slugUnknown { // its path is the whole section
			d.failed = append(d.failed, p.Path)
		}
	}
	return err == nil
}

// place gives p, whose path is relative to n, its absolute path and position,
// unless it has them. It cuts secrets out of its message.
func (n Node) place(p *problem.Error) *problem.Error {
	placed := *p
	if placed.Pos.Line == 0 {
		path := n.inWords(p.Path)
		placed.Path = join(n.path, path)
		placed.Pos = n.nearest(path).Pos()
	}
	if n.doc == nil {
		return &placed
	}
	placed.Message = n.doc.secrets.redact(p.Message)
	placed.Hint = n.doc.secrets.redact(p.Hint)
	if p.Err != nil && n.doc.secrets.redact(p.Err.Error()) != p.Err.Error() {
		placed.Err = nil // logs show causes
	}
	return &placed
}

// flatten is every problem in err's tree. An ordinary error becomes an invalid
// value: it was said about what the user wrote.
func flatten(err error) problem.List {
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		var list problem.List
		for _, inner := range e.Unwrap() {
			list = append(list, flatten(inner)...)
		}
		return list
	}
	list := problem.All(err)
	for i, p := range list {
		if p.Code == problem.Internal && p.Err == err { //nolint:errorlint // the same value, made by All
			list[i] = &problem.Error{Code: problem.Invalid, Message: p.Message, Err: err}
		}
	}
	return list
}
