package api

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

const (
	rowsPath   = "/templates/" + testTemplate + "/rows"
	stressPath = "/templates/" + testTemplate + "/stress"
)

// A tryout is the world's Trials: rows by their places.
type tryout struct{ rows map[string]sample.List }

func (t tryout) RowChoices(context.Context, string) (all []RowChoice, err error) {
	for from, rows := range t.rows {
		place, err := rowPlaceOf(from)
		if err != nil {
			return nil, err
		}
		all = append(all, RowChoice{From: from, Title: from, Kind: place.Kind, Name: place.Name, Rows: len(rows)})
	}
	slices.SortFunc(all, func(a, b RowChoice) int { return strings.Compare(a.From, b.From) })
	return all, nil
}

func (t tryout) TrialRows(_ context.Context, _ string, _ bindings.Template, from RowPlace) (sample.Rows, error) {
	rows, ok := t.rows[from.String()]
	if !ok && from.Kind != FromSamples {
		return nil, problem.New(problem.NotFound, "there is no %s", from).WithSlug("nothing_there")
	}
	return rows, nil
}

// tried is a world whose template is a real one, with rows to try it with.
func tried(tb testing.TB) *world {
	tb.Helper()
	w := newWorld()
	t, err := template.Parse(testTemplate, []byte(`<!doctype html><html><head><script type="application/json" id="p-template">
{"sizes": {"default": {"w": 400, "h": 200}}, "vars": {
  "title": {"type": "text", "required": true, "example": "Mug", "maxLength": 80}, "price": {"type": "number"}}}
</script></head><body><p id="t">{{ title }} {{ price }}</p></body></html>`), nil)
	if err != nil {
		tb.Fatal(err)
	}
	w.form = t
	cards := sample.NewList([]map[string]any{{"title": "Mug", "price": "3"}, {"title": "A rather long title"}, {"price": "x"}})
	cards[2].Err, cards[2].Values = problem.New(problem.Invalid, "x is no number").WithSlug("wrong_type").At("variables.price"), nil
	cards[1].Skipped, cards[0].Key, cards[1].Key = true, "a%2F1", "b"
	w.tryout = tryout{map[string]sample.List{
		"samples": sample.NewList([]map[string]any{{"title": "One"}, {"title": "Two"}}), "binding:cards": cards,
		"source:shop": sample.NewList([]map[string]any{{"title": "as it is"}}), "source:crm": nil, "job:j1": nil,
	}}
	w.jobs = []batch.Job{{ID: "j1", Template: testTemplate}, {ID: "j2", Template: "another"}}
	return w
}

func TestRowsAreSteppedThrough(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	first := mustAnswer[trialRowView](t, get(rowsPath).to(t, s), 200)
	if first.Total != 2 || first.At != 0 || first.Variables["title"] != "One" || len(first.Choices) != 5 {
		t.Errorf("the first sample is %+v", first)
	}
	for query, at := range map[string]int{
		"?from=samples&at=1": 1, "?at=99": 1, "?from=binding:cards&at=2": 2, "?from=binding:cards&pick=last": 2,
	} {
		v := mustAnswer[trialRowView](t, get(rowsPath+query).to(t, s), 200)
		if v.At != at || v.Choices != nil {
			t.Errorf("%s is %+v, want row %d alone", query, v, at)
		}
	}
	skipped := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=1").to(t, s), 200)
	if !skipped.Skipped || skipped.Key != "b" {
		t.Errorf("the row that the binding leaves out is %+v", skipped)
	}
	named := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=0").to(t, s), 200)
	if named.Key != "a%2F1" || named.Name != "a/1" {
		t.Errorf("the key of a row is %q, for people %q", named.Key, named.Name)
	}
	wrong := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=2").to(t, s), 200)
	if wrong.Error == nil || wrong.Error.Field != "variables.price" || wrong.Row["price"] != "x" {
		t.Errorf("the row that can't be mapped is %+v", wrong)
	}
	if longest := mustAnswer[trialRowView](t, get(rowsPath+"?pick=longest:title").to(t, s), 200); longest.At != 0 || longest.Looked == nil || !longest.Looked.All {
		t.Errorf("the longest is %+v", longest)
	}
	none := mustAnswer[trialRowView](t, get(rowsPath+"?from=source:crm").to(t, s), 200)
	if none.Total != 0 || none.At != -1 || len(none.Row) != 0 || none.Variables["title"] != "Mug" {
		t.Errorf("of a place without rows %+v is shown, want the examples", none)
	}
}

func TestWhatNamesNoRowIsRefused(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for query, want := range map[string]string{
		"?from=nowhere": "unknown_place", "?from=binding:": "unknown_place", "?from=binding:none": "binding_not_found", "?from=samples:x": "unknown_place",
		"?pick=best": "unknown_pick", "?pick=longest:titel": "unknown_variable", "?at=-1": "out_of_range", "?at=x": "out_of_range",
		"?pick=random&seed=x": "invalid_type", "?key=a": "row_not_found",
	} {
		if out := get(rowsPath+query).to(t, s); !strings.Contains(out.Body.String(), `"`+want+`"`) || out.Code < 400 || out.Code >= 500 {
			t.Errorf("%s: %d %s, want %s", query, out.Code, out.Body, want)
		}
	}
	mustProblem(t, get("/templates/none/rows").to(t, s), 404, "template_not_found")
}

func TestRowsAreForThoseWhoMayReadThem(t *testing.T) {
	w := tried(t)
	w.configured[1].Template = "another"
	s := mustServer(t, locked(
		Key{Name: "designer", Key: secret("designer-key"), Scopes: []Scope{TemplatesRead}},
		Key{Name: "narrow", Key: secret("narrow-key"), Templates: []string{testTemplate}},
	), w)
	mustProblem(t, get(rowsPath+"?from=binding:cards").bearer("designer-key").to(t, s), 403, "scope_missing")
	mustProblem(t, get(rowsPath+"?from=job:j1").bearer("designer-key").to(t, s), 403, "scope_missing")
	if v := mustAnswer[trialRowView](t, get(rowsPath).bearer("designer-key").to(t, s), 200); len(v.Choices) != 1 || v.Choices[0].From != "samples" {
		t.Errorf("a key for templates alone may choose %+v", v.Choices)
	}
	for from, status := range map[string]int{
		"binding:cards": 200, "source:shop": 200, "job:j1": 200, "binding:private": 404, "source:crm": 404, "job:j2": 404,
	} {
		if out := get(rowsPath+"?from="+from).bearer("narrow-key").to(t, s); out.Code != status {
			t.Errorf("a key for one template gets %s: %d %s, want %d", from, out.Code, out.Body, status)
		}
	}
}

func TestPastedRowsAreTried(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for _, c := range []struct {
		name, query, kind, body string
		total                   int
		title                   any
	}{
		{"a list", "", "application/json", `[{"title": "One"}, {"title": "Two"}]`, 2, "One"},
		{"one object", "", "application/json", `{"title": "One", "price": 3}`, 1, "One"},
		{"a batch", "?at=1", "application/json", `{"variables": [{"title": "One"}, {"title": "Two"}]}`, 2, "Two"},
		{"CSV", "?pick=last", "text/csv", "title,price\nOne,1\nTwo,2\n", 2, "Two"},
		{"TSV by its name", "?format=tsv", "text/plain", "title\tprice\nOne\t1\n", 1, "One"},
		{"NDJSON", "", "application/x-ndjson", "{\"title\":\"One\"}\n", 1, "One"},
		{"nothing", "", "application/json", `[]`, 0, "Mug"},
	} {
		call := post(rowsPath+c.query, c.body).with("Content-Type", c.kind)
		v := mustAnswer[trialRowView](t, call.to(t, s), 200)
		if v.From != "pasted" || v.Total != c.total || v.Variables["title"] != c.title || len(v.Rows) != c.total {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	for body, want := range map[string]int{`[1]`: 422, `{"title": `: 400, strings.Repeat("x", maxPasted+1): 413} {
		if out := post(rowsPath, body).to(t, s); out.Code != want {
			t.Errorf("%.20s: %d %s, want %d", body, out.Code, out.Body, want)
		}
	}
	mustProblem(t, post(rowsPath+"?format=doc", "x").to(t, s), 422, "unknown_format")
	if out := post(rowsPath, "x").with("Content-Type", "image/png").to(t, s); out.Code != 415 {
		t.Errorf("a picture as rows: %d %s", out.Code, out.Body)
	}
}

func TestStressSheetOfRealRows(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[stressView](t, get(stressPath+"?from=samples").to(t, s), 200)
	if v.Looked != (sample.Looked{Rows: 2, All: true}) || !slices.Equal(v.Scripts, []string{"Latin"}) {
		t.Errorf("looked at %+v, scripts %v", v.Looked, v.Scripts)
	}
	real, made := 0, 0
	for _, c := range v.Cases {
		if c.Made {
			made++
		} else {
			real++
		}
		if _, ok := c.Values["title"].(string); !ok {
			t.Errorf("%s has no title, and it is required", c.Name)
		}
	}
	if real == 0 || made < 5 {
		t.Errorf("%d rows and %d made ones: %+v", real, made, v.Cases)
	}
}
