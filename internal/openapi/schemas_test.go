package openapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

type base struct {
	ID int64 `json:"id"`
}

type mood string

type size struct{ W, H int }

func (size) MarshalText() ([]byte, error) { return []byte("1x1"), nil }

type node struct {
	base
	Name     string          `json:"name,omitempty"`
	At       *time.Time      `json:"at"`
	Parent   *node           `json:"parent"`
	Children []node          `json:"children"`
	Raw      json.RawMessage `json:"raw"`
	Mood     mood            `json:"mood"`
	Size     size            `json:"size"`
	ByName   map[string]base `json:"byName"`
	Nothing  *any            `json:"nothing"`
	Hidden   string          `json:"-"`
	Inline   struct {
		Base *base `json:"base"`
	} `json:"inline"`
}

func newSchemas() *Schemas {
	return &Schemas{
		NameFunc: func(t reflect.Type) string { return strings.ToUpper(t.Name()[:1]) + t.Name()[1:] },
		DescribeFunc: func(t reflect.Type, field string) string {
			return map[string]string{"base.ID": "its number", "node.": "a node", "node.Parent": "what it is in"}[t.Name()+"."+field]
		},
	}
}

func TestSchemaSaysWhatEncodingJSONWrites(t *testing.T) {
	s := newSchemas()
	Word(s, "Mood", mood("good"), mood("bad"))
	schema, err := s.Of(reflect.TypeFor[[]node]())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(map[string]any{"list": schema, "node": s.All()["Node"], "base": s.All()["Base"], "mood": s.All()["Mood"]})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
	"list": {"type":"array","items":{"$ref":"#/components/schemas/Node"}},
	"base": {"type":"object","properties":{"id":{"type":"integer","format":"int64","description":"its number"}},"required":["id"]},
	"mood": {"type":"string","enum":["good","bad"]},
	"node": {"type":"object","description":"a node","required":["id","at","parent","children","raw","mood","size","byName","nothing","inline"],"properties":{
		"id":{"type":"integer","format":"int64","description":"its number"},
		"name":{"type":"string"},
		"at":{"type":["null","string"],"format":"date-time"},
		"parent":{"anyOf":[{"$ref":"#/components/schemas/Node"},{"type":"null"}],"description":"what it is in"},
		"children":{"type":"array","items":{"$ref":"#/components/schemas/Node"}},
		"raw":true,
		"mood":{"$ref":"#/components/schemas/Mood"},
		"size":{"type":"string"},
		"byName":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Base"}},
		"nothing":true,
		"inline":{"type":"object","required":["base"],"properties":{"base":{"anyOf":[{"$ref":"#/components/schemas/Base"},{"type":"null"}]}}}
	}}}`
	if diff := cmp.Diff(decoded(t, []byte(want)), decoded(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func decoded(tb testing.TB, data []byte) (v any) {
	tb.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

type request struct {
	Inner inner `json:"inner"`
	Count *int  `json:"count,omitempty"`
}

type inner struct{ Word *string }

func TestWhatIsAskedForIsClosedAndNeverNull(t *testing.T) {
	s := newSchemas()
	if _, err := s.Closed(reflect.TypeFor[request]()); err != nil {
		t.Fatal(err)
	}
	closed := func(name string) bool { return s.All()[name].AdditionalProperties != nil }
	if !closed("Request") || !closed("Inner") {
		t.Error("a field that is not described would be taken")
	}
	if got := s.All()["Request"].Properties["count"]; got.Type != "integer" || got.Types != nil {
		t.Errorf("count is %q %q, want an integer", got.Type, got.Types)
	}
	if _, err := s.Of(reflect.TypeFor[inner]()); err != nil {
		t.Fatal(err)
	}
	if closed("Inner") || !closed("Request") {
		t.Error("a type that is answered as well is to be open, and no other")
	}
}

func TestTwoTypesOfOneNameAreAnError(t *testing.T) {
	type base struct{ Other string }
	s := newSchemas()
	_, err := s.Of(reflect.TypeFor[struct {
		A base
		B node
	}]())
	if err == nil || !strings.Contains(err.Error(), `would both be the component "Base"`) {
		t.Errorf("got %v", err)
	}
}

func TestTypeThatJSONCannotWriteIsAnError(t *testing.T) {
	if _, err := newSchemas().Of(reflect.TypeFor[struct{ C chan int }]()); err == nil {
		t.Error("a channel has a schema")
	}
}

func TestComponentIsReadFromItsReference(t *testing.T) {
	if got := Component(Ref("Job")); got != "Job" {
		t.Errorf("got %q", got)
	}
	if got := Component(&jsonschema.Schema{Ref: "#/elsewhere"}); got != "" {
		t.Errorf("got %q", got)
	}
}
