package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func variableOf(t *testing.T, v mappingView, name string) mappedVariable {
	t.Helper()
	for _, one := range v.Variables {
		if one.Name == name {
			return one
		}
	}
	t.Fatalf("there is no variable %q in %+v", name, v.Variables)
	return mappedVariable{}
}

func TestMappingSaysWhereValuesComeFrom(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[mappingView](t, get("/bindings/cards/mapping").to(t, s), 200)
	title, price := variableOf(t, v, "title"), variableOf(t, v, "price")
	if title.By != "map" || title.Expression != "name" || title.Values[1].Text != "Cup" || !title.Fits {
		t.Errorf("the title is %+v", title)
	}
	if price.By != "name" || price.Values[0].Text != "3" || price.Values[1].Error == nil || price.Values[1].Error.Code != "wrong_type" || price.Fits {
		t.Errorf("the price is %+v", price)
	}
	if !v.Tried[0].Meets || v.Tried[1].Meets || v.Tried[0].Key != "a" || v.Where != "stock > 0" {
		t.Errorf("rows and their condition: %+v", v.Tried)
	}
	if diff := cmp.Diff([]string{"note"}, v.Unmatched); diff != "" {
		t.Errorf("columns that nothing reads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gone"}, v.Unknown); diff != "" {
		t.Errorf("variables that there are not (-want +got):\n%s", diff)
	}
}

// One expression that fails hides no other, and says where.
func TestMappingIsTriedExpressionByExpression(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[mappingView](t, post("/bindings/cards/mapping/preview",
		`{"map": {"title": "name | uppercas", "price": "price * 2"}, "where": "stock >"}`).to(t, s), 200)
	title, price := variableOf(t, v, "title"), variableOf(t, v, "price")
	if e := title.Values[0].Error; e == nil || e.Column != 8 || e.EndColumn != 16 || !strings.Contains(e.Hint, "uppercase") {
		t.Errorf("the error of the title is %+v", e)
	}
	if price.Values[0].Text != "6" || price.Values[1].Error == nil || price.Values[1].Error.Column == 0 {
		t.Errorf("the price is %+v", price.Values)
	}
	if v.WhereError == nil || v.Tried[0].Meets {
		t.Errorf("a condition that is not finished: %+v", v.WhereError)
	}
}

func TestMappingOfABindingToBe(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[mappingView](t, post("/templates/"+testTemplate+"/mapping", `{"rows": [{"Product Title": "Mug", "Price": 3}]}`).to(t, s), 200)
	want := map[string]string{"title": `$env["Product Title"]`, "price": "Price"}
	if diff := cmp.Diff(want, v.Map); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	if title := variableOf(t, v, "title"); title.By != "none" || title.Match == nil || title.Match.Why != "similar" || title.Fits {
		t.Errorf("the title is %+v", title)
	}
	if diff := cmp.Diff([]string{"title"}, v.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	for path, body := range map[string]string{
		"/templates/" + testTemplate + "/mapping": `{}`, "/bindings/cards/mapping/preview": `{"keys": ["1", "2", "3", "4", "5", "6"]}`,
	} {
		if out := post(path, body).to(t, s); out.Code != 422 {
			t.Errorf("%s %s: %d %s", path, body, out.Code, out.Body)
		}
	}
	mustProblem(t, post("/bindings/none/mapping/preview", `{}`).to(t, s), 404, "binding_not_found")
	mustProblem(t, post("/templates/none/mapping", `{"source": "shop"}`).to(t, s), 404, "template_not_found")
	mustProblem(t, post("/bindings/cards/mapping/preview", `{"source": "shop"}`).to(t, s), 422, "unknown_field")
}
