package config

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schemas make JSON schemas (2020-12) of what Decode takes, for editors. They
// are a little wider than Decode where a schema cannot say it: what Validate
// refuses, and what the text of a variable is.
type Schemas struct {
	// DescribeFunc says what the field of that Go name is for. It may be nil.
	DescribeFunc func(t reflect.Type, field string) string
	// WordsFunc are the only words that a field of texts takes; nil where it takes
	// any. It may be nil.
	WordsFunc func(t reflect.Type, field string) []string
	// JSON makes schemas of what ParseJSON reads: names are in camelCase, and nothing
	// comes from a file or a variable.
	JSON bool
}

// A variable may stand for any single value, or for a part of it.
const variablePattern = `\$\{`

// patterns are those of texts that are something else, where an editor can tell.
var patterns = map[reflect.Type]string{
	reflect.TypeFor[Duration](): `^(forever|([0-9]+d)?([0-9.]+(ns|us|µs|ms|s|m|h))*|0)$|` + variablePattern,
	reflect.TypeFor[Bytes]():    `^[0-9]+(\.[0-9]+)? ?([KkMmGgTt][Ii]?)?[Bb]?$|` + variablePattern,
	reflect.TypeFor[Percent]():  `^[0-9.]+%?$|` + variablePattern,
}

// Of is the schema of a section that is decoded into a value like v, which holds
// the defaults.
func (s Schemas) Of(v any) *jsonschema.Schema {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	return s.of(value, nil)
}

// of makes the schema of v. around are the structs that it is a part of.
func (s Schemas) of(v reflect.Value, around []reflect.Type) *jsonschema.Schema {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		if v.IsNil() {
			v = reflect.New(t.Elem())
		}
		return s.of(v.Elem(), around)
	}
	if t == nodeType || t == rawType || slices.Contains(around, t) {
		return &jsonschema.Schema{}
	}
	pointer := reflect.New(t).Interface()
	if _, own := pointer.(Unmarshaler); own {
		schema := s.plain(v, around)
		if schema.Items != nil || schema.Properties != nil { // or the one value that stands for all of it
			return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{single(), schema}}
		}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{schema, {Type: "object"}}}
	}
	if _, text := pointer.(encoding.TextUnmarshaler); text && t != secretType {
		schema := &jsonschema.Schema{Types: []string{"string", "number", "null"}, Pattern: patterns[t], Default: defaultOf(v)}
		return schema
	}
	return s.plain(v, around)
}

var rawType = reflect.TypeFor[json.RawMessage]()

// single is any single value.
func single() *jsonschema.Schema {
	return &jsonschema.Schema{Types: []string{"string", "number", "boolean", "null"}}
}

// plain is the schema of v by its kind.
func (s Schemas) plain(v reflect.Value, around []reflect.Type) *jsonschema.Schema {
	t := v.Type()
	switch t.Kind() { //nolint:exhaustive // the others cannot be decoded
	case reflect.Struct:
		if t == secretType {
			schema := single()
			schema.WriteOnly, schema.Format = true, "password"
			return schema
		}
		return s.structure(v, append(slices.Clone(around), t))
	case reflect.Map:
		return &jsonschema.Schema{Types: []string{"object", "null"}, AdditionalProperties: s.of(reflect.New(t.Elem()).Elem(), around)}
	case reflect.Slice:
		return &jsonschema.Schema{Types: []string{"array", "null"}, Items: s.of(reflect.New(t.Elem()).Elem(), around)}
	case reflect.String:
		schema := single()
		schema.Default = defaultOf(v)
		return schema
	case reflect.Bool:
		return s.variableOr("boolean", v)
	case reflect.Float32, reflect.Float64:
		return s.variableOr("number", v)
	case reflect.Interface:
		return &jsonschema.Schema{}
	}
	return s.variableOr("integer", v)
}

// variableOr is a value of one JSON type, or a variable.
func (s Schemas) variableOr(kind string, v reflect.Value) *jsonschema.Schema {
	if s.JSON {
		return &jsonschema.Schema{Types: []string{kind, "null"}, Default: defaultOf(v)}
	}
	return &jsonschema.Schema{Types: []string{kind, "string", "null"}, Pattern: variablePattern, Default: defaultOf(v)}
}

// defaultOf is the default that v holds, nil where it is nothing.
func defaultOf(v reflect.Value) json.RawMessage {
	if v.IsZero() || !v.CanInterface() {
		return nil
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return nil
	}
	return text
}

func (s Schemas) structure(v reflect.Value, around []reflect.Type) *jsonschema.Schema {
	known := fields(v.Type())
	schema := &jsonschema.Schema{
		Types: []string{"object", "null"}, Properties: map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, f := range known {
		owner, name := ownerOf(v.Type(), f.index)
		property := s.of(v.FieldByIndex(f.index), around)
		bound(property, f.tag)
		if s.WordsFunc != nil {
			oneOf(property, s.WordsFunc(owner, name))
		}
		if s.DescribeFunc != nil {
			property.Description = s.DescribeFunc(owner, name)
		}
		schema.Properties[s.name(f.name)] = property
		schema.PropertyOrder = append(schema.PropertyOrder, s.name(f.name))
	}
	if s.JSON {
		return schema
	}
	for _, f := range known {
		if _, own := schema.Properties[f.name+fileSuffix]; f.secret() && !own {
			schema.Properties[f.name+fileSuffix] = &jsonschema.Schema{Type: "string", Description: "The file that holds " + f.name + "."}
			schema.PropertyOrder = append(schema.PropertyOrder, f.name+fileSuffix)
		}
	}
	return schema
}

// name is a word of YAML as the schema has it.
func (s Schemas) name(word string) string {
	if s.JSON {
		return camelCase(word)
	}
	return word
}

// ownerOf is the struct that declares the field at index of t, and its Go name.
func ownerOf(t reflect.Type, index []int) (reflect.Type, string) {
	f := t.Field(index[0])
	if len(index) == 1 {
		return t, f.Name
	}
	return ownerOf(f.Type, index[1:])
}

// bound adds the limits of the tags min and max, where they are numbers.
func bound(schema *jsonschema.Schema, tag reflect.StructTag) {
	if low, err := strconv.ParseFloat(tag.Get("min"), 64); err == nil {
		schema.Minimum = &low
	}
	if high, err := strconv.ParseFloat(tag.Get("max"), 64); err == nil {
		schema.Maximum = &high
	}
}

// oneOf lets a text, or the texts of a list, be these words alone.
func oneOf(schema *jsonschema.Schema, words []string) {
	if words == nil {
		return
	}
	if schema.AnyOf != nil { // one or a list
		for _, form := range schema.AnyOf {
			oneOf(form, words)
		}
		return
	}
	if schema.Items != nil {
		oneOf(schema.Items, words)
		return
	}
	if schema.Types == nil || schema.Properties != nil || schema.Type == "object" {
		return
	}
	word := &jsonschema.Schema{}
	for _, w := range words {
		word.Enum = append(word.Enum, w)
	}
	*schema = jsonschema.Schema{
		Default: schema.Default,
		AnyOf:   []*jsonschema.Schema{word, {Type: "string", Pattern: variablePattern}, {Type: "null"}},
	}
}

// ByKind is the schema of a section that says by its key kind which of the given
// schemas it is; about says what each kind is.
func ByKind(kinds map[string]*jsonschema.Schema, about map[string]string, ref func(kind string) *jsonschema.Schema) *jsonschema.Schema {
	names := slices.Sorted(maps.Keys(kinds))
	kind := &jsonschema.Schema{}
	for _, name := range names {
		var is any = name
		kind.OneOf = append(kind.OneOf, &jsonschema.Schema{Const: &is, Description: about[name]})
	}
	schema := &jsonschema.Schema{Type: "object", Required: []string{"kind"}, Properties: map[string]*jsonschema.Schema{"kind": kind}}
	for _, name := range names {
		var is any = name
		schema.AllOf = append(schema.AllOf, &jsonschema.Schema{
			If:   &jsonschema.Schema{Required: []string{"kind"}, Properties: map[string]*jsonschema.Schema{"kind": {Const: &is}}},
			Then: ref(name),
		})
	}
	return schema
}
