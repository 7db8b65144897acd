package config

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

var (
	whole  = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)$`)
	number = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
)

// wanted names a Go type for a sentence.
func wanted(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the others are no scalars
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return ""
	}
}

// scalar decodes texts, numbers and bools.
func (d *decoder) scalar(n Node, v reflect.Value) bool {
	want := wanted(v.Type())
	if want == "" {
		d.misuse(n, "into a %s", v.Type())
		return false
	}
	if n.Kind() != Scalar {
		return d.wants(n, v.Type(), want)
	}
	s := n.value().scalar
	if v.Kind() == reflect.String {
		v.SetString(s.text)
		return true
	}
	if !s.plain && !s.expanded {
		d.fail(n, slugType, "wants %s, not a text", want).WithHint("remove the quotes")
		return false
	}
	if err := set(v, s.text); err != nil {
		d.fail(n, slugType, "%s", err)
		return false
	}
	return true
}

const tooLarge mismatch = "the number is too large"

// set puts the text of a number or bool into v. Its error does not hold the text.
func set(v reflect.Value, text string) error {
	switch {
	case v.CanInt() && whole.MatchString(text):
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(i) {
			return tooLarge
		}
		v.SetInt(i)
	case v.CanUint() && whole.MatchString(text):
		u, err := strconv.ParseUint(text, 10, 64)
		switch {
		case strings.HasPrefix(text, "-"):
			return mismatch("must not be negative")
		case err != nil || v.OverflowUint(u):
			return tooLarge
		}
		v.SetUint(u)
	case v.CanFloat() && number.MatchString(text):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || v.OverflowFloat(f) {
			return tooLarge
		}
		v.SetFloat(f)
	case v.Kind() == reflect.Bool && (text == "true" || text == "false"):
		v.SetBool(text == "true")
	default:
		return mismatch("wants " + wanted(v.Type()))
	}
	return nil
}

// text hands a single value to a type that reads it itself.
func (d *decoder) text(n Node, into encoding.TextUnmarshaler, t reflect.Type) bool {
	if n.Kind() != Scalar {
		return d.wants(n, t, "a single value")
	}
	s := n.value().scalar
	err := into.UnmarshalText([]byte(s.text))
	if err == nil {
		return true
	}
	if _, ours := errors.AsType[mismatch](err); !ours && s.expanded {
		d.fail(n, slugType, "is not a valid %s", t.Name()).
			WithHint("its value comes from the environment and is not shown")
		return false
	}
	return d.adoptAll(n, err)
}

// anything decodes into an interface: nil, bool, string, json.Number, []any
// and map[string]any. Numbers keep their digits; what is quoted is a string.
func (d *decoder) anything(n Node, v reflect.Value) bool {
	if v.NumMethod() > 0 {
		d.misuse(n, "into a %s", v.Type())
		return false
	}
	switch n.Kind() {
	case Mapping:
		var m map[string]any
		d.value(n, reflect.ValueOf(&m).Elem())
		v.Set(reflect.ValueOf(m))
	case Sequence:
		var list []any
		d.value(n, reflect.ValueOf(&list).Elem())
		v.Set(reflect.ValueOf(list))
	case Scalar:
		v.Set(reflect.ValueOf(n.value().scalar.any()))
	default:
		v.SetZero()
	}
	return true
}

func (s scalar) any() any {
	switch {
	case !s.plain:
		return s.text
	case s.text == "true" || s.text == "false":
		return s.text == "true"
	case number.MatchString(s.text):
		return json.Number(s.text)
	default:
		return s.text
	}
}
