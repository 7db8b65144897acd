package daemon

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
)

var update = flag.Bool("update", false, "write schema_comments.json anew")

// mustSchema is the schema as an editor reads it.
func mustSchema(tb testing.TB) *jsonschema.Resolved {
	tb.Helper()
	text, err := ConfigSchema()
	if err != nil {
		tb.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		tb.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return resolved
}

// mustParseYAML is a YAML text as an editor's JSON.
func mustParseYAML(tb testing.TB, text string) any {
	tb.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestSchemaTakesEveryConfigurationOfTheTree(t *testing.T) {
	schema := mustSchema(t)
	files, err := filepath.Glob("../examples/*/pictifyd.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range append(files, "../pictifyd.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(mustParseYAML(t, string(text))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What the schema takes the daemon should take, and the other way round.
func TestSchemaAndDaemonAgree(t *testing.T) {
	schema := mustSchema(t)
	for _, c := range []struct {
		name, yaml string
		good       bool
	}{
		{"nothing", "{}", true},
		{"a section without a value", "sources:\nsinks:\nbindings:\n", true},
		{"a bare key", "server: { keys: [\"a-key-of-sixteen-letters\"] }", true},
		{"a key in full", "server: { keys: [{ name: ci, key: a-key-of-sixteen-letters, scopes: [\"renders:write\"], quota: 100/day }] }", true},
		{"a key from a file", "server: { keys: [{ name: ci, key_file: /dev/null/x }] }", false}, // it is not there, which only the daemon sees
		{"a templates path", "templates: elsewhere", true},
		{"templates in full", "templates: { path: elsewhere, write: false }", true},
		{"a key of two columns", "sources: { a: { kind: file, path: a.csv, key: [shop, sku] } }", true},
		{"numbers as text", "sources: { a: { kind: file, path: a.csv, key: 1 } }", true},
		{"one event", "sinks: { a: { kind: webhook, url: \"http://a.example\", events: render.failed } }", true},
		{"a number from a variable", "server: { limits: { uploads: \"${PICTIFYD_TEST_NOTHING:-4}\" } }", true},
		{"a duration", "render: { idle: 1h30m }", true},
		{"a term", "keep: { images: forever, results: 30d }", true},
		{"bytes", "keep: { min_free: 512 MiB }", true},
		{"a share", "sources: { a: { kind: file, path: a.csv, key: x } }\nbindings: [{ name: b, source: a, template: t, guard: { max_changed: 0.5, max_deleted: 10% } }]", true},
		{"an output", "sources: { a: { kind: file, path: a.csv, key: x } }\nbindings: [{ name: b, source: a, template: t, outputs: [{ format: pdf, paper: a4, margin: 10mm 5mm }] }]", true},

		{"the copilot as it is", "copilot: { model: rules }", true},
		{"a model", "copilot: { model: local, models: [{ name: local, kind: openai, url: \"http://127.0.0.1:11434/v1\", model: qwen3-vl, vision: true, price: { in: 0.1, out: 2 } }], keep: forever }", true},

		{"a misspelt key of a model", "copilot: { models: [{ name: local, kind: openai, url: \"http://127.0.0.1/v1\", model: x, visoin: true }] }", false},
		{"an unknown kind of model", "copilot: { models: [{ name: local, kind: ollama, url: \"http://127.0.0.1/v1\", model: x }] }", false},
		{"a budget that is a text", "copilot: { budget: { steps: many } }", false},
		{"a misspelt section", "sourcs: {}", false},
		{"a misspelt key", "server: { lisen: \"127.0.0.1:1\" }", false},
		{"a misspelt key of a binding", "bindings: [{ name: b, source: a, template: t, guards: {} }]", false},
		{"a misspelt key of an output", "bindings: [{ name: b, source: a, template: t, outputs: [{ formt: png }] }]", false},
		{"an unknown kind", "sources: { a: { kind: fil, path: a.csv, key: x } }", false},
		{"no kind", "sources: { a: { path: a.csv, key: x } }", false},
		{"a key of another kind", "sources: { a: { kind: file, url: \"http://a.example\", key: x } }", false},
		{"an unknown format", "bindings: [{ name: b, source: a, template: t, outputs: [{ format: bmp }] }]", false},
		{"an unknown event", "sinks: { a: { kind: webhook, url: \"http://a.example\", events: [render.done] } }", false},
		{"an unknown scope", "server: { keys: [{ name: ci, key: a-key-of-sixteen-letters, scopes: [\"render:write\"] }] }", false},
		{"a duration without a unit", "render: { idle: \"5\" }", false},
		{"a text for a number", "server: { limits: { uploads: many } }", false},
		{"a number for a list", "bindings: 3", false},
		{"a binding without a source", "bindings: [{ name: b, template: t }]", false},
	} {
		err := schema.Validate(mustParseYAML(t, c.yaml))
		if c.name != "a key from a file" && (err == nil) != c.good {
			t.Errorf("%s: the schema says %v", c.name, err)
		}
		_, err = decode("pictifyd.yaml", []byte(c.yaml), config.Options{}, Connectors(), Sinks())
		if (err == nil) != c.good {
			t.Errorf("%s: the daemon says %v", c.name, err)
		}
	}
}

// Every kind is there, with its own keys and no other.
func TestSchemaHasEveryKind(t *testing.T) {
	schema, err := configSchema()
	if err != nil {
		t.Fatal(err)
	}
	whole := mustSchema(t)
	check := func(section, what, name string) {
		t.Helper()
		if schema.Defs[what+"."+name] == nil {
			t.Errorf("there is no schema of the %s %q", what, name)
			return
		}
		kind := map[string]any{"kind": name, "keyy": "sku"}
		if err := whole.Validate(map[string]any{section: map[string]any{"a": kind}}); err == nil {
			t.Errorf("%s %q: the schema takes the key keyy", what, name)
		}
		if delete(kind, "keyy"); whole.Validate(map[string]any{section: map[string]any{"a": kind}}) != nil {
			t.Errorf("%s %q: the schema refuses its kind alone", what, name)
		}
	}
	for _, kind := range Connectors() {
		check("sources", "source", kind.Name)
	}
	for _, kind := range Sinks() {
		check("sinks", "sink", kind.Name)
	}
}

func TestCommentsInTheSchemaAreThoseOfTheCode(t *testing.T) {
	want := map[string]string{}
	doc, binding := defaults(), bindings.DefaultConfig()
	for _, v := range []any{&doc, &binding, &FileExperiment{}} {
		structsOf(t, reflect.TypeOf(v), want, nil)
	}
	for _, kind := range Connectors() {
		structsOf(t, reflect.TypeOf(kind.Config()), want, nil)
	}
	for _, kind := range Sinks() {
		structsOf(t, reflect.TypeOf(kind.Config()), want, nil)
	}
	if *update {
		data, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("schema_comments.json", append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var have map[string]string
	if err := json.Unmarshal(schemaComments, &have); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("schema_comments.json is old; write it anew with go test ./daemon -run Comments -update (-code +file):\n%s", diff)
	}
}

// structsOf notes the comments of the fields of t and of what it holds.
func structsOf(tb testing.TB, t reflect.Type, all map[string]string, around []reflect.Type) {
	tb.Helper()
	for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, t.Kind()) {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(around, t) || !strings.HasPrefix(t.PkgPath(), strings.TrimSuffix(module, "/")) {
		return
	}
	comments := fieldComments(tb, t)
	maps.Copy(all, comments)
	for f := range t.Fields() {
		if f.Tag.Get("yaml") != "" || f.Anonymous {
			structsOf(tb, f.Type, all, append(around, t))
		}
	}
}

// fieldComments are those of the fields of t that stand in YAML.
func fieldComments(tb testing.TB, t reflect.Type) map[string]string {
	tb.Helper()
	all := map[string]string{}
	files, err := filepath.Glob("../" + strings.TrimPrefix(t.PkgPath(), module) + "/*.go")
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			tb.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			def, ok := n.(*ast.TypeSpec)
			if !ok || def.Name.Name != t.Name() {
				return true
			}
			structure, ok := def.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, f := range structure.Fields.List {
				text := strings.TrimSpace(strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " "))
				if f.Tag == nil || !strings.Contains(f.Tag.Value, "yaml:") || text == "" {
					continue
				}
				for _, name := range f.Names {
					all[commentKey(t, name.Name)] = text
				}
			}
			return false
		})
	}
	return all
}
