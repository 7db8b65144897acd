package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
)

func TestInspectSaysWhatATableLooksLike(t *testing.T) {
	const csv = "First Name,price,postcode,since,site,mixed,none\n" +
		"Ada,9.90,01069,2026-03-01,https://a.example,1,\n" +
		"Grace,-3,80331,2026-03-02,http://b.example/x,two,\n" +
		"Ada,,10115,2026-03-03,https://c.example,3,\n"
	got, err := Inspect(strings.NewReader(csv), CSV, Layout{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got.Columns {
		lines = append(lines, fmt.Sprintf("%s %s %d empty %d long %q", c.Name, c.Type, c.Empty, c.Longest, c.Samples))
	}
	want := []string{
		`First Name text 0 empty 5 long ["Ada" "Grace"]`,
		`price number 1 empty 4 long ["9.90" "-3"]`,
		`postcode text 0 empty 5 long ["01069" "80331" "10115"]`,
		`since date 0 empty 10 long ["2026-03-01" "2026-03-02" "2026-03-03"]`,
		`site url 0 empty 18 long ["https://a.example" "http://b.example/x" "https://c.example"]`,
		`mixed text 0 empty 3 long ["1" "two" "3"]`,
		`none empty 3 empty 0 long []`,
	}
	if diff := cmp.Diff(want, lines); diff != "" || got.Rows != 3 || got.ErrorRows != 0 {
		t.Errorf("of %d rows (-want +got):\n%s", got.Rows, diff)
	}
}

func TestInspectReadsJSONAndTellsBadRows(t *testing.T) {
	got, err := Inspect(strings.NewReader(`{"name":"Ada","tags":["a"],"ok":true,"n":7}`+"\n"+`{"name":"Grace","extra":{"a":1}}`+"\nnonsense\n"), NDJSON, Layout{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, c := range got.Columns {
		types[c.Name] = fmt.Sprint(c.Type, " ", c.Empty)
	}
	want := map[string]string{"name": "text 0", "tags": "list 1", "ok": "boolean 1", "n": "number 1", "extra": "object 1"}
	if diff := cmp.Diff(want, types); diff != "" || got.Rows != 3 || got.ErrorRows != 1 || len(got.Errors) != 1 || got.Errors[0].Index != 2 {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
	for _, body := range []string{`[{"a":1},{"a":2}]`, `{"items":[{"a":1},{"a":2}]}`} {
		if list, err := Inspect(strings.NewReader(body), JSON, Layout{Rows: map[bool]string{true: "items"}[strings.HasPrefix(body, "{")]}, Limits{}); err != nil || list.Rows != 2 {
			t.Errorf("%s is %+v, %v", body, list, err)
		}
	}
	if _, err := Inspect(strings.NewReader(`[]`), JSON, Layout{}, Limits{}); err == nil {
		t.Error("no rows are no error")
	}
}

func TestInspectIsBounded(t *testing.T) {
	var header, cells []string
	for i := range maxColumns + 7 {
		header, cells = append(header, fmt.Sprint("c", i)), append(cells, strings.Repeat("é", 300))
	}
	got, err := Inspect(strings.NewReader(strings.Join(header, ",")+"\n"+strings.Repeat(strings.Join(cells, ",")+"\n", 3)), CSV, Layout{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Columns) != maxColumns || got.MoreColumns != 7 {
		t.Errorf("%d columns and %d more", len(got.Columns), got.MoreColumns)
	}
	if c := got.Columns[0]; c.Longest != 300 || len([]rune(c.Samples[0])) != sampleLetters+1 {
		t.Errorf("the first is %d long, its sample %d", c.Longest, len([]rune(c.Samples[0])))
	}
}

func TestColumnsAreMatchedByTheirNames(t *testing.T) {
	var columns []TableColumn
	for _, name := range []string{"First Name", "price", "PRICE", "Größe (cm)", "left over", "if"} {
		columns = append(columns, TableColumn{Name: name})
	}
	vars := []template.Var{{Name: "first_name"}, {Name: "price"}, {Name: "größe_cm"}, {Name: "photo", Required: true}, {Name: "note"}}
	m := MatchColumns(columns, vars)
	want := Match{
		Mapping:   map[string]string{"first_name": `$env["First Name"]`, "price": "price", "größe_cm": `$env["Größe (cm)"]`},
		Unmatched: Unmatched{Columns: []string{"PRICE", "left over", "if"}, Variables: []string{"photo", "note"}},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever a column is called, its expression reads it.
func TestColumnExpressionReadsItsColumn(t *testing.T) {
	for _, name := range []string{"price", "First Name", "if", "true", "null", "a.b", "a-b", `say "hi"`, "1st", "ü", "", "upper", "now()", "x\ny", "{{ a }}"} {
		text := ColumnExpression(name)
		program, err := expr.Compile(text, expr.Options{})
		if err != nil {
			t.Errorf("%q: %s does not compile: %v", name, text, err)
			continue
		}
		if got, err := program.Eval(map[string]any{name: "it"}, expr.Env{}); err != nil || got != "it" {
			t.Errorf("%q: %s gives %v, %v", name, text, got, err)
		}
	}
}

func TestMappingMakesVariablesOfColumns(t *testing.T) {
	m, err := newMapping(Job{Mapping: map[string]string{"title": `$env["First Name"] | upper`, "price": "price * 2"}}, mappedForm{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, refused := m.apply(map[string]any{"First Name": "Ada", "price": "3", "note": "as it is"}, time.Now())
	if refused != nil || got["title"] != "ADA" || fmt.Sprint(got["price"]) != "6" || got["note"] != "as it is" {
		t.Errorf("the variables are %v, %+v", got, refused)
	}
	if _, refused = m.apply(map[string]any{"First Name": "Ada", "price": "dear"}, time.Now()); refused == nil || refused.Code != MappingFailed || refused.Field != "mapping.price" {
		t.Errorf("a row that can't be mapped is %+v", refused)
	}
	if none, err := newMapping(Job{}, mappedForm{}, nil); none != nil || err != nil {
		t.Errorf("no mapping is %v, %v", none, err)
	}
	_, err = newMapping(Job{Mapping: map[string]string{"titel": "name", "price": "price *"}}, mappedForm{}, nil)
	if err == nil || !strings.Contains(err.Error(), "titel") || !strings.Contains(err.Error(), "mapping.price") {
		t.Errorf("a wrong mapping is %v", err)
	}
}

// A mappedForm is a template with two variables.
type mappedForm struct{ certificate }

func (mappedForm) Name() string { return "card" }
func (mappedForm) Vars() []template.Var {
	return slices.Clone([]template.Var{{Name: "title"}, {Name: "price"}, {Name: "note"}})
}
