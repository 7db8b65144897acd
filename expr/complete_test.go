package expr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/expr"
)

// completed is what is suggested at the ▮ of src.
func completed(t *testing.T, src string) expr.Completion {
	t.Helper()
	before, after, ok := strings.Cut(src, "▮")
	if !ok {
		t.Fatalf("%q has no place", src)
	}
	row, err := expr.ParseJSON(`{"title": "Größe M", "price": 12.5, "Unit Price": 3, "brand": {"name": "Acme", "city": {"zip": "10115"}},
		"features": [{"label": "Warm", "score": 3}], "launch": "2026-05-01"}`)
	if err != nil {
		t.Fatal(err)
	}
	values := row.(map[string]any)
	o := expr.Options{Names: []string{}, Types: map[string]*expr.Type{}, Locals: []string{"f"}}
	for name, v := range values {
		o.Names = append(o.Names, name)
		o.Types[name] = expr.TypeOf(v)
	}
	item := values["features"].([]any)[0]
	o.Types["f"] = expr.TypeOf(item)
	return expr.Complete(before+after, len([]rune(before)), o, values, expr.Env{Locals: map[string]any{"f": item}})
}

func TestCompletionKnowsWhatMayStandThere(t *testing.T) {
	for _, c := range []struct {
		src, expects, first string // the labels that come first
	}{
		{"▮", expr.ExpectsValue, "f Unit Price brand features launch price title"},
		{"pr▮", expr.ExpectsValue, "price"},
		{"price * t▮", expr.ExpectsValue, "title"},
		{"TIT▮", expr.ExpectsValue, "title"},
		{"price ▮", expr.ExpectsOperator, "| +"},
		{"title con▮", expr.ExpectsOperator, "contains"},
		{"brand.▮", expr.ExpectsField, "city name"},
		{"brand?.na▮", expr.ExpectsField, "name"},
		{"brand.city.▮", expr.ExpectsField, "zip"},
		{"features[0].▮", expr.ExpectsField, "label score"},
		{"(brand).▮", expr.ExpectsField, "city name"},
		{`$env["brand"].▮`, expr.ExpectsField, "city name"},
		{"first(features).▮", expr.ExpectsField, "label score"},
		{"f.▮", expr.ExpectsField, "label score"},
		{"map(features, ▮", expr.ExpectsValue, "# f .label .score"},
		{"map(features, .▮", expr.ExpectsField, "label score"},
		{"map(features, #.s▮", expr.ExpectsField, "score"},
		{"features | filter(.sc▮", expr.ExpectsField, "score"},
		{"price | curr▮", expr.ExpectsFilter, "currency"},
		{"price > 3 ? title | upp▮ : 1", expr.ExpectsFilter, "upper"},
		{`"tit▮`, expr.ExpectsText, ""},
		{`title + 'a▮`, expr.ExpectsText, ""},
		{"price.▮", expr.ExpectsField, ""},
		{"nothing.▮", expr.ExpectsField, ""},
		{") | ▮", expr.ExpectsFilter, ""},
	} {
		got := completed(t, c.src)
		var labels []string
		for _, s := range got.Items {
			labels = append(labels, s.Label)
		}
		if all := strings.Join(labels, " "); got.Expects != c.expects || !strings.HasPrefix(all, c.first) || c.first == "" && c.expects == expr.ExpectsText && all != "" {
			t.Errorf("%s expects %s: %.200s; want %s: %s", c.src, got.Expects, all, c.expects, c.first)
		}
	}
}

func TestCompletionSaysWhatItReplaces(t *testing.T) {
	got := completed(t, `title == "ß" ? pri▮c : 0`)
	if got.From != 15 || got.To != 19 {
		t.Errorf("it replaces the letters from %d to %d", got.From, got.To)
	}
	named := completed(t, "uni▮")
	i := slices.IndexFunc(named.Items, func(s expr.Suggestion) bool { return s.Label == "Unit Price" })
	if i < 0 || named.Items[i].Insert != `$env["Unit Price"]` || named.Items[i].Detail != "3" || named.Items[i].Type != expr.KindNumber {
		t.Errorf("a name with spaces is suggested as %+v", named.Items)
	}
}

func TestFiltersShowWhatTheyGive(t *testing.T) {
	upper := completed(t, "title | upp▮").Items
	if len(upper) != 1 || upper[0].Insert != "uppercase" || upper[0].Example == nil || upper[0].Example.Result != "GRÖSSE M" {
		t.Fatalf("uppercase is suggested as %+v", upper)
	}
	if e := upper[0].Example; e.Expression != "title | uppercase" {
		t.Errorf("its example is of %q", e.Expression)
	}
	calls := completed(t, "title | repl▮").Items
	if len(calls) == 0 || calls[0].Label != "replace" || calls[0].Insert != "replace()" || calls[0].Cursor != 8 {
		t.Errorf("a filter that wants arguments is suggested as %+v", calls)
	}
}

func FuzzComplete(f *testing.F) {
	for _, src := range []string{"price * ", "map(a, .", "a | b(", `"x`, "((((", "a.b[", ").x", "{a: #", "let x = "} {
		f.Add(src, len(src))
	}
	o := expr.Options{Names: []string{"a"}, Types: map[string]*expr.Type{"a": expr.TypeOf([]any{map[string]any{"b": "1"}})}}
	f.Fuzz(func(t *testing.T, src string, at int) {
		if len(src) > 1000 {
			return
		}
		got := expr.Complete(src, at, o, map[string]any{"a": []any{map[string]any{"b": "1"}}}, expr.Env{})
		letters := []rune(src)
		if got.From < 0 || got.From > got.To || got.To > len(letters) || len(got.Items) > 100 {
			t.Fatalf("of %q at %d it replaces %d to %d", src, at, got.From, got.To)
		}
		for _, s := range got.Items {
			if s.Insert == "" || s.Cursor < 0 || s.Cursor > len([]rune(s.Insert)) {
				t.Fatalf("of %q it suggests %+v", src, s)
			}
		}
	})
}
