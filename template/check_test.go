package template

import (
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
		{map[string]any{"titel": "Mug", "sku": 7, "modifications": nil}, []string{"variables.title missing_variable "},
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

func told(problems problem.List) (told []string) {
	for _, p := range problems {
		told = append(told, p.Path+" "+p.Slug+" "+p.Hint)
	}
	return told
}
