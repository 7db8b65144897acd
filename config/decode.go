package config

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Unmarshaler decodes itself from a node, where a field takes several forms.
// A problem that it returns without a position gets that of the node, and its
// path is relative to it.
type Unmarshaler interface {
	UnmarshalNode(n Node) error
}

// A Validator judges its own values once they are decoded. Problems that it
// returns have paths relative to its section.
type Validator interface {
	Validate() error
}

// Decode fills what into points to, strictly; what it holds before are the
// defaults. The error is a problem.List with every problem, each with its path
// and position, in the order of the file.
//
// Struct fields have yaml tags; those of embedded structs belong to the outer
// one. Fields of type Node capture their part for later, those of type json.RawMessage
// as JSON. Texts take any single
// value as it is written, numbers and bools only their own form, or a variable.
// A list or map that is given replaces its default; a key without a value keeps
// it, or clears a pointer. A Secret field KEY may instead be given as KEY_file. The tags min and max
// bound numbers, and the other types of this package that are ordered.
//
// Then Validate is called on every struct that has it, inner ones first, also
// for sections that the file leaves out, and on other values that were given. A
// struct answers for those it embeds. What Validate says about a part that
// could not be decoded is dropped.
func (n Node) Decode(into any) error {
	if n.doc == nil {
		n.doc = &document{}
	}
	d := &decoder{doc: n.doc}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		d.misuse(n, "into a %T", into)
		return d.problems.Err()
	}
	d.value(n, v.Elem())
	slices.SortStableFunc(d.problems, func(a, b *problem.Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return d.problems.Err()
}

// decoder is one call of Decode.
type decoder struct {
	doc      *document
	problems problem.List
	failed   []string // paths that Validate need not judge
}

var (
	nodeType   = reflect.TypeFor[Node]()
	secretType = reflect.TypeFor[Secret]()

	secretsType = reflect.TypeFor[Secrets]()
)

// value decodes n into v, which is addressable.
func (d *decoder) value(n Node, v reflect.Value) {
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(n))
		return
	}
	if v.Kind() == reflect.Pointer {
		d.pointer(n, v)
		return
	}
	if faults := n.value().scalar.faults; len(faults) > 0 {
		for _, f := range faults {
			d.fail(n, f.slug, "%s", f.message).Hint = f.hint
		}
		return
	}
	if d.content(n, v) {
		d.validate(n, v)
	}
}

// content decodes n into v and reports whether Validate is to judge it.
func (d *decoder) content(n Node, v reflect.Value) bool {
	switch into := v.Addr().Interface().(type) {
	case Unmarshaler:
		if n.IsZero() && v.Kind() == reflect.Struct {
			d.inner(n, v)
			return true
		}
		return d.adoptAll(n, into.UnmarshalNode(n))
	case *Secret:
		return d.secret(n, into)
	case *json.RawMessage:
		return d.raw(n, into)
	case encoding.TextUnmarshaler:
		return d.text(n, into, v.Type())
	}
	switch v.Kind() { //nolint:exhaustive // the others are scalars, or misuse
	case reflect.Struct:
		return d.structure(n, v)
	case reflect.Map:
		return d.mapping(n, v)
	case reflect.Slice:
		return d.list(n, v)
	case reflect.Interface:
		return d.anything(n, v)
	default:
		return d.scalar(n, v)
	}
}

// raw keeps whatever stands there as JSON.
func (d *decoder) raw(n Node, into *json.RawMessage) bool {
	var any any
	before := len(d.problems)
	d.anything(n, reflect.ValueOf(&any).Elem()) // finds what is wrong in it
	if len(d.problems) > before {
		return false
	}
	*into = n.JSON(nil)
	return true
}

func (d *decoder) pointer(n Node, v reflect.Value) {
	switch {
	case n.IsZero():
		v.SetZero()
		return
	case v.IsNil():
		v.Set(reflect.New(v.Type().Elem()))
	}
	d.value(n, v.Elem())
}

func (d *decoder) mapping(n Node, v reflect.Value) bool {
	if n.IsZero() {
		return true
	}
	if n.Kind() != Mapping || v.Type().Key().Kind() != reflect.String {
		return d.wants(n, v.Type(), "a mapping")
	}
	filled := reflect.MakeMap(v.Type())
	for _, e := range n.value().entries {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(n.child(e), element)
		filled.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), element)
	}
	v.Set(filled)
	return true
}

func (d *decoder) list(n Node, v reflect.Value) bool {
	if n.IsZero() {
		return true
	}
	if n.Kind() != Sequence {
		return d.wants(n, v.Type(), "a list")
	}
	items := n.Items()
	filled := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.value(item, filled.Index(i))
	}
	v.Set(filled)
	return true
}

func (d *decoder) secret(n Node, into *Secret) bool {
	if n.Kind() != Scalar {
		return d.wants(n, secretType, "a text")
	}
	text := n.value().scalar.text
	if d.doc.options.SecretFunc != nil {
		var err error
		if text, err = d.doc.options.SecretFunc(n.path, text); err != nil {
			return d.adoptAll(n, err)
		}
	}
	d.doc.secrets.add(text)
	*into = NewSecret(text)
	return true
}
