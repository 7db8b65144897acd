package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
)

// Texts that give a right away beside those that are a Secret.
var (
	// A password may have any letters, where it is not encoded. A port is none.
	passwordInAddress = regexp.MustCompile(`(://[^/?#\s:@"]*):(?:\d+|[^\s/?#"]*[^\d\s/?#"][^\s"]*)@`)
	passwordByName    = regexp.MustCompile(`(?i)\b(password|passwd|secret|token|api[_-]?key|key|sig|signature)=('[^']*'|[^\s&=][^\s&]*)`)
)

// withoutPasswords is text without the passwords of the addresses in it.
func withoutPasswords(text string) string {
	return passwordInAddress.ReplaceAllString(text, "${1}:"+redacted+"@")
}

// Shown is the section as it is in effect: v, into which n was decoded over the
// defaults, as a JSON document with the keys of the file in the order of a form.
// Secrets, passwords in addresses, and whatever came from variables or files
// are "***".
func (n Node) Shown(v any) json.RawMessage {
	return shower{n.doc}.value(nil, n, reflect.ValueOf(v))
}

// A shower writes values for people who must not see what is secret.
type shower struct{ doc *document }

func (s shower) text(b []byte, text string) []byte {
	if s.doc != nil {
		text = s.doc.secrets.redact(text)
	}
	text = withoutPasswords(text)
	return appendText(b, passwordByName.ReplaceAllString(text, "${1}="+redacted))
}

func (s shower) value(b []byte, n Node, v reflect.Value) []byte {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return append(b, "null"...)
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return append(b, "null"...)
	}
	if n.value().scalar.expanded {
		return appendText(b, redacted)
	}
	switch is := v.Interface().(type) {
	case Secret:
		if is.IsZero() {
			return appendText(b, "")
		}
		return appendText(b, redacted)
	case Node:
		return s.node(b, is)
	case encoding.TextMarshaler:
		if text, err := is.MarshalText(); err == nil {
			return s.text(b, string(text))
		}
	case fmt.Stringer:
		return s.text(b, is.String())
	}
	switch v.Kind() { //nolint:exhaustive // the others cannot be decoded
	case reflect.Struct:
		return s.structure(b, n, v)
	case reflect.Map:
		return s.mapping(b, n, v)
	case reflect.Slice, reflect.Array:
		return s.sequence(b, n, v)
	case reflect.String:
		return s.text(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		if text, err := json.Marshal(v.Float()); err == nil {
			return append(b, text...)
		}
	}
	return s.node(b, n)
}

// structure is a struct by its keys; one without any, which reads itself, is
// shown as it was written.
func (s shower) structure(b []byte, n Node, v reflect.Value) []byte {
	known := fields(v.Type())
	if len(known) == 0 {
		return s.node(b, n)
	}
	b = append(b, '{')
	for i, f := range known {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, f.name), ':')
		child, _ := n.Child(f.name)
		b = s.value(b, child, v.FieldByIndex(f.index))
	}
	return append(b, '}')
}

func (s shower) mapping(b []byte, n Node, v reflect.Value) []byte {
	values := map[string]reflect.Value{}
	for key, value := range v.Seq2() {
		values[key.String()] = value
	}
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(s.text(b, key), ':')
		child, _ := n.Child(key)
		b = s.value(b, child, values[key])
	}
	return append(b, '}')
}

func (s shower) sequence(b []byte, n Node, v reflect.Value) []byte {
	items := n.Items()
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		var item Node
		if i < len(items) {
			item = items[i]
		}
		b = s.value(b, item, v.Index(i))
	}
	return append(b, ']')
}

// node is what was written.
func (s shower) node(b []byte, n Node) []byte {
	v := n.value()
	switch v.kind {
	case Mapping:
		b = append(b, '{')
		for i, e := range v.entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(s.text(b, e.key), ':')
			b = s.node(b, n.child(e))
		}
		return append(b, '}')
	case Sequence:
		b = append(b, '[')
		for i, item := range n.Items() {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.node(b, item)
		}
		return append(b, ']')
	case Scalar:
		if v.scalar.expanded {
			return appendText(b, redacted)
		}
		return s.text(b, v.scalar.text)
	}
	return append(b, "null"...)
}
