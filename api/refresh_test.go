package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
)

func (s *shelf) Resnapshot(context.Context, string) (bool, error) { return false, nil }

func (s *shelf) RefreshRows(_ context.Context, binding string, keys []string) (Refreshed, error) {
	s.calls = append(s.calls, fmt.Sprintf("refresh %s %q", binding, keys))
	return Refreshed{Rows: len(keys) - 1, Missing: keys[:1]}, nil
}

func (s *shelf) Redraw(_ context.Context, binding string, keys []string) (Refreshed, error) {
	s.calls = append(s.calls, fmt.Sprintf("redraw %s %q", binding, keys))
	return Refreshed{Images: 3}, nil
}

func (s *shelf) Guarded(_ context.Context, binding, after string, limit int) (Guarded, error) {
	s.calls = append(s.calls, fmt.Sprintf("guard %s %q %d", binding, after, limit))
	return Guarded{
		Guard: bindings.Guard{MaxChanged: .5, MaxDeleted: .1, Floor: 20}, Accepted: 4,
		Sample: []HeldRow{
			{Key: "a%2Fb", Becomes: "changed", Row: json.RawMessage(`{"sku":"a/b"}`), Texts: []HeldText{{"card", "Mug", "Cup"}}},
			{Key: "c", Becomes: "failing", Problem: &bindings.Problem{Code: "missing_variable", Message: "no title"}},
			{Key: "d", Becomes: "gone"},
		},
	}, nil
}

func TestRefreshOfSomeRowsAsksForThemByKey(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, c := range []struct{ body, calls, status string }{
		{`{"keys":["a/b","SKU-1"]}`, `refresh cards ["a%2Fb" "SKU-1"]`, "refreshing"},
		{`{"force":true}`, `redraw cards []`, "redrawing"},
		{`{"keys":["SKU-1"],"force":true}`, `redraw cards ["SKU-1"]`, "redrawing"},
	} {
		w.shelf.calls = nil
		v := mustAnswer[refreshView](t, post("/bindings/cards/refresh", c.body).to(t, s), 202)
		if !slices.Equal(w.shelf.calls, []string{c.calls}) || v.Status != c.status || v.Binding != "cards" || v.Missing == nil {
			t.Errorf("%s: called %q, answered %+v", c.body, w.shelf.calls, v)
		}
	}
	w.shelf.calls = nil
	for _, body := range []string{"", "{}", `{"force":false}`} { // the whole source
		if v := mustAnswer[map[string]any](t, post("/bindings/cards/refresh", body).to(t, s), 202); v["status"] != "refreshing" || len(w.shelf.calls) > 0 {
			t.Errorf("%q: called %q, answered %v", body, w.shelf.calls, v)
		}
	}
	many := `{"keys":["` + strings.Repeat(`a","`, maxRefreshed) + `a"]}`
	for body, want := range map[string]int{
		`{"key":"SKU-1"}`: 400, `{"keys":`: 400, `{"keys":[]}`: 422, `{"keys":[""]}`: 422, `{"keys":["%zz"]}`: 422, many: 413,
	} {
		if got := post("/bindings/cards/refresh", body).to(t, s); got.Code != want {
			t.Errorf("%.40s: %d %s, want %d", body, got.Code, got.Body, want)
		}
	}
	mustProblem(t, post("/bindings/card/refresh", `{"force":true}`).to(t, s), 404, "binding_not_found")
}

func TestGuardIsShownWithASampleOfWhatItHolds(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	v := mustAnswer[struct{ Guard guardView }](t, get("/bindings/cards/guard?limit=2&after=a").to(t, s), 200).Guard
	if !slices.Equal(w.shelf.calls, []string{`guard cards "a" 2`}) {
		t.Errorf("called %q", w.shelf.calls)
	}
	if v.Binding != "cards" || v.Accepted != 4 || v.Limits != (guardLimits{.5, .1, 20}) || v.Next != "c" || len(v.Sample) != 3 {
		t.Fatalf("the guard is %+v", v)
	}
	if row := v.Sample[0]; row.Key != "a%2Fb" || row.Name != "a/b" || !slices.Equal(row.Texts, []heldText{{"card", "Mug", "Cup"}}) {
		t.Errorf("the first row is %+v", row)
	}
	if v.Sample[1].Error != "no title" || string(v.Sample[2].Row) != "null" {
		t.Errorf("the others are %+v", v.Sample[1:])
	}
	mustProblem(t, get("/bindings/card/guard").to(t, s), 404, "binding_not_found")
}
