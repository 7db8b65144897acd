package sample_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
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

func TestPicks(t *testing.T) {
	rows := sample.NewList([]map[string]any{{"title": "Mug"}, {"title": "Coffee mug", "price": 3}, {"title": "A"}, {}})
	for pick, want := range map[string]int{
		"first": 0, "last": 3, "longest:title": 1, "shortest:title": 2, "empty:price": 0, "empty:title": 3, "emptiest": 3,
	} {
		row, ok, _, err := sample.Pick(t.Context(), rows, vars, len(rows), pick, 0)
		if err != nil || !ok || row.At != want {
			t.Errorf("%s picks row %d %v %v, want %d", pick, row.At, ok, err, want)
		}
	}
	for _, none := range []string{"longest:tags", "longest:photo"} {
		if row, ok, _, err := sample.Pick(t.Context(), rows, vars, len(rows), none, 0); err != nil || ok {
			t.Errorf("%s picks row %d %v, want none", none, row.At, err)
		}
	}
	for _, bad := range []string{"", "best", "longest", "longest:titel", "first:title"} {
		if _, _, _, err := sample.Pick(t.Context(), rows, vars, len(rows), bad, 0); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%q: %v, want it to be refused", bad, err)
		}
	}
}

func TestRandomPicksAreAllRowsAndRepeat(t *testing.T) {
	rows := sample.NewList(make([]map[string]any, 5))
	met := map[int]bool{}
	for seed := range uint64(200) {
		row, ok, _, err := sample.Pick(t.Context(), rows, nil, len(rows), "random", seed)
		again, _, _, _ := sample.Pick(t.Context(), rows, nil, len(rows), "random", seed)
		if err != nil || !ok || row.At != again.At {
			t.Fatalf("seed %d picks %d and then %d: %v %v", seed, row.At, again.At, ok, err)
		}
		met[row.At] = true
	}
	if len(met) != 5 {
		t.Errorf("200 picks met only %v of 5 rows", met)
	}
}

func TestALookIsBounded(t *testing.T) {
	rows := sample.NewList(make([]map[string]any, sample.MaxLooked+5))
	looked, err := sample.Look(t.Context(), rows, sample.NewExtremes(nil))
	if err != nil || looked != (sample.Looked{Rows: sample.MaxLooked}) {
		t.Errorf("looked at %+v %v", looked, err)
	}
	synctest.Test(t, func(t *testing.T) {
		looked, err := sample.Look(t.Context(), endless{}, sample.NewExtremes(vars))
		if err != nil || looked.All || looked.Rows == 0 {
			t.Errorf("of rows that come slowly %+v was looked at: %v", looked, err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := sample.Look(gone, endless{}, sample.NewExtremes(vars)); !errors.Is(err, context.Canceled) {
			t.Errorf("a look for a client that has gone ends with %v", err)
		}
	})
}

// endless are rows of which one comes each second.
type endless struct{ sample.List }

func (endless) Each(ctx context.Context, _ int, row func(sample.Row) bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !row(sample.Row{}) {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
