package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestRowIsCheckedWithAllThatIsWrong(t *testing.T) {
	tpl := mustParse(t, doc(`"vars": {"title": {"type": "text", "required": true, "maxLength": 5}, "price": {"type": "number", "default": 0}, "from": {"default": 0}}`,
		`{{ title }} {{ price * 0.9 }} {{ from * 2 }}`), nil)
	tests := []struct {
		row            map[string]any
		faults, warned []string // path, slug, hint
	}{
		{map[string]any{"title": "Mug", "price": "4", "from": "2"}, nil, nil},
		{map[string]any{"titel": "Mug", "sku": 7, "modifications": nil}, []string{"variables.title missing_variable the row has \"titel\": did you mean \"title\"?"},
			[]string{"variables.sku unknown_variable ", `variables.titel unknown_variable did you mean "title"?`}},
		{map[string]any{"title": "Enamel", "price": "4 €", "from": "x"},
			[]string{"variables.title too_long ", "variables.price wrong_type " + typeHints[Number], "variables.from bad_expression "}, nil},
		{map[string]any{"title": "Mug", "Price": "4"}, nil, []string{`variables.Price unknown_variable did you mean "price"?`}},
	}
	for _, tt := range tests {
		warnings, err := tpl.Check(tt.row, expr.Env{Now: noon})
		if diff := cmp.Diff(tt.faults, told(problem.All(err))); diff != "" {
			t.Errorf("%v: errors (-want +got):\n%s", tt.row, diff)
		}
		if diff := cmp.Diff(tt.warned, told(warnings)); diff != "" {
			t.Errorf("%v: warnings (-want +got):\n%s", tt.row, diff)
		}
	}
}

func TestFaultNamesTheVariableThatItComesFrom(t *testing.T) {
	tests := []struct {
		manifest, body string
		row            map[string]any
		want           []string
	}{
		{`"locale": "{{ lang }}", "vars": {"lang": {}, "price": {"type": "number"}}`, `{{ price | currency }} {{ price | number }}`,
			map[string]any{"lang": "<b>", "price": 4}, []string{"variables.lang wrong_type locales look like en-US, de or pt-BR"}},
		{`"timezone": "{{ zone }}", "vars": {"zone": {}, "at": {"type": "date"}}`, `{{ at | date }}`,
			map[string]any{"zone": "<b>", "at": "2026-03-05"}, []string{"variables.zone wrong_type use a name such as Europe/Berlin"}},
		{`"currency": "{{ code }}", "vars": {"code": {}, "price": {"type": "number"}}`, `{{ price | currency }}`,
			map[string]any{"code": "<b>", "price": 4}, []string{"variables.code wrong_type use a code of three letters, such as EUR"}},
		{`"vars": {"list": {"type": "array"}}`, `<p p-for="k in list">{{ k.v | percent }}</p>`,
			map[string]any{"list": []any{map[string]any{"v": "<b>"}, map[string]any{"v": "x"}}}, []string{"variables.list bad_expression "}},
		{`"vars": {"list": {"type": "array"}}`, `<div p-for="k in list"><p p-for="v in k">{{ v | percent }}</p></div>`,
			map[string]any{"list": []any{[]any{"<b>"}}}, []string{"variables.list bad_expression "}},
		{`"vars": {"list": {"type": "array"}}`, `<div p-for="k in list"><i p-chart="k.v"></i></div>`,
			map[string]any{"list": []any{map[string]any{"v": []any{"<b>"}}}}, []string{"variables.list bad_element_value a chart takes a list of numbers, of {label, value}, or of {name, values}"}},
		{`"vars": {"rate": {"type": "number"}, "price": {"type": "number"}}`, `{{ rate * price }}`,
			map[string]any{"rate": 2}, []string{"variables.price bad_expression write (price ?? 0) where it may be missing"}},
		// What a wrong value decides may be wrong for it alone.
		{`"vars": {"price": {"type": "number"}, "was": {"type": "number"}}`, `<p p-if="price > 5">{{ was | currency }}</p><p p-else>{{ was | percent }}</p>`,
			map[string]any{"price": "a lot"}, []string{"variables.price wrong_type " + typeHints[Number]}},
		{`"vars": {"price": {}, "was": {"type": "number"}}`, `<p p-if="price * 2 > 5">{{ was | currency }}</p><p p-else>{{ was | percent }}</p>`,
			map[string]any{"price": "a lot"}, []string{"variables.price bad_expression "}},
	}
	for _, tt := range tests {
		_, err := mustParse(t, doc(tt.manifest, tt.body), nil).Check(tt.row, expr.Env{Now: noon})
		if diff := cmp.Diff(tt.want, told(problem.All(err))); diff != "" {
			t.Errorf("%s with %v (-want +got):\n%s\n%v", tt.body, tt.row, diff, err)
		}
	}
}

func TestTemplateOfAnUnknownLocaleIsRefused(t *testing.T) {
	for _, manifest := range []string{`"locale": "tlh"`, `"currency": "XXX1"`, `"timezone": "Mars"`} {
		_, err := Parse("card", []byte(doc(manifest, "x")), nil)
		if list := problem.All(err); len(list) != 1 || list[0].Pos.Line != 4 || list[0].Hint == "" {
			t.Errorf("%s: %v, want one problem in line 4", manifest, err)
		}
	}
}

func TestMegabyteOfANameIsToldInShort(t *testing.T) {
	tpl := mustParse(t, doc(`"vars": {"title": {}}`, `<p id="title">{{ title }}</p>`), nil)
	long := strings.Repeat("title", 200_000)
	for _, row := range []map[string]any{
		{long: "x"},
		{"modifications": []any{map[string]any{"name": long}}},
		{"modifications": []any{map[string]any{"name": "title", long: "x"}}},
	} {
		warnings, err := tpl.Check(row, expr.Env{Now: noon})
		for _, p := range append(warnings, problem.All(err)...) {
			if len(p.Message) > 200 || p.Hint != "" {
				t.Errorf("%.80s: %d bytes of message, hint %q", p.Message, len(p.Message), p.Hint)
			}
		}
		if len(warnings) == 0 && err == nil {
			t.Error("nothing is told")
		}
	}
}

func told(problems problem.List) (told []string) {
	for _, p := range problems {
		told = append(told, p.Path+" "+p.Slug+" "+p.Hint)
	}
	return told
}
