package sample_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
	"github.com/pictifyd/pictifyd/template/starter"
)

var vars = []template.Var{
	{Name: "title", Type: template.Text, Required: true, MaxLength: 30, Example: "Mug"},
	{Name: "price", Type: template.Number},
	{Name: "photo", Type: template.Image},
	{Name: "tags", Type: template.Array},
}

func rowsOf(values ...map[string]any) *sample.Extremes {
	e := sample.NewExtremes(vars)
	for i, v := range values {
		e.Add(sample.Row{At: i, Key: string(rune('a' + i)), Values: v})
	}
	return e
}

func everything(map[string]any) bool { return true }

func TestExtremesAreTheFirstOfTheirKind(t *testing.T) {
	e := rowsOf(
		map[string]any{"title": "Mug", "price": json.Number("12"), "photo": "https://x.example/1.png"},
		map[string]any{"title": "Grüße aus Köln", "price": json.Number("7"), "tags": []any{"a", "b"}},
		map[string]any{"title": "Grüsse aus Bern"},
		map[string]any{"title": "Cup", "price": "", "tags": []any{}},
	)
	for what, got := range map[string]func() (sample.Row, bool){
		"c": func() (sample.Row, bool) { return e.Longest("title") },
		"a": func() (sample.Row, bool) { return e.Shortest("title") }, // Mug before Cup
		"b": func() (sample.Row, bool) { return e.Shortest("price") }, // an empty one is not short
	} {
		if row, ok := got(); !ok || row.Key != what {
			t.Errorf("got row %q %v, want %q", row.Key, ok, what)
		}
	}
	if row, ok := e.Empty("price"); !ok || row.At != 2 {
		t.Errorf("the first row without a price is %d %v, want 2", row.At, ok)
	}
	if row, ok := e.Emptiest(); !ok || row.At != 2 { // of two with three missing
		t.Errorf("the emptiest row is %d %v, want 2", row.At, ok)
	}
	if _, ok := e.Empty("title"); ok {
		t.Error("a row without a title was found, and all have one")
	}
	if _, ok := e.Longest("nothing"); ok {
		t.Error("a variable that there is not has a longest row")
	}
}

func TestTheStressSheetHasRowsBeforeWhatIsMade(t *testing.T) {
	e := rowsOf(map[string]any{"title": "Mug", "price": json.Number("12")}, map[string]any{"title": "A long title of a mug"})
	cases := sample.Stress(vars, e, map[string]any{"title": "Mug"}, everything)
	made := false
	kinds := map[sample.Kind]bool{}
	for _, c := range cases {
		if made && !c.Made {
			t.Errorf("the row %q stands behind made ones", c.Name)
		}
		if made = c.Made; !made && c.At == nil {
			t.Errorf("the row %q has no place", c.Name)
		}
		kinds[c.Kind] = true
		if title, _ := c.Values["title"].(string); len([]rune(title)) > 30 {
			t.Errorf("%s: the title %q has %d letters, and 30 are allowed", c.Name, title, len([]rune(title)))
		}
	}
	for _, want := range []sample.Kind{sample.KindLongest, sample.KindEmpty, sample.KindLong, sample.KindRTL, sample.KindCJK, sample.KindEmoji, sample.KindNumber, sample.KindMissingImage} {
		if !kinds[want] {
			t.Errorf("there is no case of the kind %s among %v", want, kinds)
		}
	}
}

func TestWhatTheTemplateRefusesIsNotMade(t *testing.T) {
	cases := sample.Stress(vars, rowsOf(), nil, func(values map[string]any) bool { return values["photo"] != nil })
	for _, c := range cases {
		if c.Values["photo"] == nil {
			t.Errorf("%s was made, and is refused", c.Name)
		}
	}
	if len(cases) != 1 {
		t.Errorf("%d cases were made, want the one with a picture", len(cases))
	}
}

func TestASheetIsBounded(t *testing.T) {
	var many []template.Var
	for i := range 100 {
		many = append(many, template.Var{Name: "v" + strings.Repeat("x", i), Type: template.Text, Example: "a"})
	}
	if got := len(sample.Stress(many, sample.NewExtremes(many), nil, everything)); got != 40 {
		t.Errorf("a template of 100 variables has %d cases, want 40", got)
	}
}

// What is made must be a row that the template takes, or it shows nothing.
func TestStressOfEveryStarterCanBeDrawn(t *testing.T) {
	for _, s := range starter.List() {
		files, err := starter.Files(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		digests := map[string]string{}
		for path := range files {
			digests[path] = "0"
		}
		form, err := template.Parse(s.Name, files[s.Name+".html"], digests)
		if err != nil {
			t.Fatal(err)
		}
		accepts := func(values map[string]any) bool {
			_, err := form.Resolve(values, time.Unix(0, 0))
			return err == nil
		}
		e := sample.NewExtremes(form.Vars())
		e.Add(sample.Row{Values: form.Examples()})
		cases := sample.Stress(form.Vars(), e, form.Examples(), accepts)
		made := 0
		for _, c := range cases {
			if !accepts(c.Values) {
				t.Errorf("%s refuses %q: %v", s.Name, c.Name, c.Values)
			}
			if c.Made {
				made++
			}
		}
		if made < 5 {
			t.Errorf("of %s only %d cases were made: %v", s.Name, made, cases)
		}
	}
}

func TestScriptsOfRows(t *testing.T) {
	e := rowsOf(map[string]any{"title": "Кружка"}, map[string]any{"title": "Mug", "photo": "https://x.example/東.png"})
	if diff := cmp.Diff([]string{"Latin", "Cyrillic"}, e.Scripts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
