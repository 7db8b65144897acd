package openapi

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaPath is where components stand in a document.
const schemaPath = "#/components/schemas/"

// Ref refers to the component of that name.
func Ref(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: schemaPath + name} }

// Component is the name of the component that s refers to, "" when to none.
func Component(s *jsonschema.Schema) string {
	name, ok := strings.CutPrefix(s.Ref, schemaPath)
	if !ok {
		return ""
	}
	return name
}

// Schemas makes schemas of Go types, and keeps those of named structs as
// components. Set its fields before the first call of Of.
type Schemas struct {
	// NameFunc names the component of a struct; two must not have the same name.
	NameFunc func(reflect.Type) string
	// DescribeFunc says what a struct is, or the field of that Go name in it. It may be nil.
	DescribeFunc func(t reflect.Type, field string) string
	// Known are schemas of types that write JSON of their own, or of words. One
	// with a name (see Word) is a component as well.
	Known map[reflect.Type]*jsonschema.Schema

	all    map[string]*jsonschema.Schema
	types  map[string]reflect.Type
	closed map[string]bool
}

// Word makes of a type of texts a component whose values are these words.
func Word[T ~string](s *Schemas, name string, words ...T) {
	schema := &jsonschema.Schema{Type: "string", Description: s.describe(reflect.TypeFor[T](), "")}
	for _, w := range words {
		schema.Enum = append(schema.Enum, string(w))
	}
	s.keep(name, reflect.TypeFor[T](), schema)
	s.know(reflect.TypeFor[T](), Ref(name))
}

// All are the components by name.
func (s *Schemas) All() map[string]*jsonschema.Schema { return s.all }

// Types are the Go types of the components by name.
func (s *Schemas) Types() map[string]reflect.Type { return s.types }

// Of is the schema of what is answered with a value of type t. Objects may have
// more fields than are described, so that a field can be added one day.
func (s *Schemas) Of(t reflect.Type) (*jsonschema.Schema, error) { return s.of(t, false) }

// Closed is the schema of what is asked for with a value of type t. A field
// that is not described is refused.
func (s *Schemas) Closed(t reflect.Type) (*jsonschema.Schema, error) { return s.of(t, true) }

func (s *Schemas) of(t reflect.Type, closed bool) (*jsonschema.Schema, error) {
	if err := s.visit(t, closed); err != nil {
		return nil, err
	}
	schema, err := s.infer(t)
	if err != nil {
		return nil, err
	}
	adjust(schema, closed)
	return schema, nil
}

// visit makes components of the named structs in t.
func (s *Schemas) visit(t reflect.Type, closed bool) error {
	switch {
	case s.known(t):
		return nil
	case slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map}, t.Kind()):
		return s.visit(t.Elem(), closed)
	case t.Kind() != reflect.Struct:
		return nil
	case t.Name() == "":
		return s.visitFields(t, closed)
	}
	name := s.NameFunc(t)
	if before, taken := s.types[name]; taken {
		if before != t {
			return fmt.Errorf("%s and %s would both be the component %q", before, t, name)
		}
		if s.closed[name] && !closed {
			s.closed[name] = false
			open(s.all[name])
			return s.visitFields(t, false)
		}
		return nil
	}
	s.keep(name, t, &jsonschema.Schema{})
	s.closed[name] = closed
	if err := s.visitFields(t, closed); err != nil {
		return err
	}
	schema, err := s.inferStruct(t)
	if err != nil {
		return err
	}
	schema.Description = s.describe(t, "")
	adjust(schema, s.closed[name])
	s.all[name] = schema
	return nil
}

func (s *Schemas) visitFields(t reflect.Type, closed bool) error {
	for _, f := range fieldsOf(t) {
		if err := s.visit(f.Type, closed); err != nil {
			return fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
	}
	return nil
}

func (s *Schemas) infer(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Kind() == reflect.Struct && t.Name() == "" {
		return s.inferStruct(t)
	}
	return jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: s.table()})
}

// inferStruct is the schema of a struct, spelt out. The struct is taken apart
// and put together without its name, so that a field of its own type is a
// reference and not a circle.
func (s *Schemas) inferStruct(t reflect.Type) (*jsonschema.Schema, error) {
	var flat []reflect.StructField
	descriptions := map[string]string{}
	for _, f := range fieldsOf(t) {
		owner := t
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:len(f.Index)-1]).Type
			for owner.Kind() == reflect.Pointer {
				owner = owner.Elem()
			}
		}
		descriptions[jsonName(f)] = s.describe(owner, f.Name)
		flat = append(flat, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
	}
	schema, err := jsonschema.ForType(reflect.StructOf(flat), &jsonschema.ForOptions{TypeSchemas: s.table()})
	if err != nil {
		return nil, err
	}
	for name, text := range descriptions {
		schema.Properties[name].Description = text
	}
	return schema, nil
}

// table are all types whose schema is not to be inferred.
func (s *Schemas) table() map[reflect.Type]*jsonschema.Schema {
	table := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[int64]():           {Type: "integer", Format: "int64"},
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[json.RawMessage](): {},
	}
	for t, schema := range s.Known {
		table[t] = schema
	}
	for name, t := range s.types {
		table[t] = Ref(name)
	}
	return table
}

func (s *Schemas) known(t reflect.Type) bool {
	if _, ok := s.Known[t]; ok || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[json.RawMessage]() {
		return true
	}
	if t.Name() != "" && t.Kind() != reflect.Pointer && t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		s.know(t, &jsonschema.Schema{Type: "string"})
		return true
	}
	return false
}

func (s *Schemas) know(t reflect.Type, schema *jsonschema.Schema) {
	if s.Known == nil {
		s.Known = map[reflect.Type]*jsonschema.Schema{}
	}
	s.Known[t] = schema
}

func (s *Schemas) keep(name string, t reflect.Type, schema *jsonschema.Schema) {
	if s.all == nil {
		s.all, s.types, s.closed = map[string]*jsonschema.Schema{}, map[string]reflect.Type{}, map[string]bool{}
	}
	s.all[name], s.types[name] = schema, t
}

func (s *Schemas) describe(t reflect.Type, field string) string {
	if s.DescribeFunc == nil {
		return ""
	}
	return s.DescribeFunc(t, field)
}

// fieldsOf are the fields that JSON sees of a struct, those of embedded structs
// among them.
func fieldsOf(t reflect.Type) (fields []reflect.StructField) {
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous && f.Tag.Get("json") != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

// adjust puts right what inference cannot know: a list is written as a list,
// never as null; a reference that may be null is one of two; nobody is asked for
// null; and whether objects are closed.
func adjust(s *jsonschema.Schema, closed bool) {
	if s == nil {
		return
	}
	if slices.Equal(s.Types, []string{"null", "array"}) {
		s.Type, s.Types = "array", nil
	}
	if closed {
		s.Types = slices.DeleteFunc(slices.Clone(s.Types), func(t string) bool { return t == "null" })
		switch len(s.Types) {
		case 0:
			s.Types = nil
		case 1:
			s.Type, s.Types = s.Types[0], nil
		}
	}
	if s.Ref != "" && slices.Contains(s.Types, "null") {
		s.AnyOf, s.Ref, s.Types = []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}, "", nil
	}
	if slices.Equal(s.Types, []string{"null"}) { // of a pointer to anything
		s.Types = nil
	}
	if !closed {
		open(s)
	}
	for _, p := range s.Properties {
		adjust(p, closed)
	}
	adjust(s.Items, closed)
	if s.Properties == nil {
		adjust(s.AdditionalProperties, closed)
	}
}

// open lets an object have more fields than are described.
func open(s *jsonschema.Schema) {
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
}
