package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestErrorSaysWhereWhatAndWhatNext(t *testing.T) {
	for _, c := range []struct {
		err  *problem.Error
		want string
	}{
		{problem.New(problem.Invalid, "is missing"), "is missing"},
		{problem.New(problem.Invalid, "is missing").At("url"), "url: is missing"},
		{problem.New(problem.Invalid, "is missing").In(problem.Position{Line: 3}), "3: is missing"},
		{
			problem.New(problem.Invalid, "column %q is not in source", "skuu").
				In(problem.Position{File: "pictifyd.yaml", Line: 14, Column: 9}).At("bindings[2].key").
				WithHint("did you mean %q?", "sku"),
			`pictifyd.yaml:14:9: bindings[2].key: column "skuu" is not in source (did you mean "sku"?)`,
		},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("Error() = %q, want %q", got, c.want)
		}
	}
}

func TestPositionLeavesOutWhatIsUnknown(t *testing.T) {
	for want, p := range map[string]problem.Position{
		"":      {},
		"f":     {File: "f"},
		"f:2":   {File: "f", Line: 2},
		"f:2:7": {File: "f", Line: 2, Column: 7},
		"2:7":   {Line: 2, Column: 7},
		"g":     {File: "g", Column: 7}, // a column without its line says nothing
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v = %q, want %q", p, got, want)
		}
	}
}

func TestNewKeepsItsCauses(t *testing.T) {
	other := errors.New("other")
	one := problem.New(problem.NotFound, "open: %w", fs.ErrNotExist)
	two := problem.New(problem.NotFound, "%w, then %w", other, fs.ErrNotExist)
	if !errors.Is(one, fs.ErrNotExist) {
		t.Error("one cause is lost")
	}
	if !errors.Is(two, other) || !errors.Is(two, fs.ErrNotExist) {
		t.Error("two causes are lost")
	}
	if problem.New(problem.NotFound, "gone").Unwrap() != nil {
		t.Error("a cause from nowhere")
	}
}

func TestKindIsTheFinestCode(t *testing.T) {
	e := problem.New(problem.Upstream, "404")
	if got := e.Kind(); got != "upstream" {
		t.Errorf("Kind() = %q, want upstream", got)
	}
	if got := e.WithSlug("asset_fetch_failed").Kind(); got != "asset_fetch_failed" {
		t.Errorf("Kind() = %q, want asset_fetch_failed", got)
	}
}

func TestEmptyListIsNoError(t *testing.T) {
	var list problem.List
	if err := list.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
}

func TestListPrintsOneProblemALine(t *testing.T) {
	list := problem.List{problem.New(problem.Invalid, "one"), problem.New(problem.Conflict, "two")}
	if got, want := list.Err().Error(), "one\ntwo"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	var first *problem.Error
	if !errors.As(fmt.Errorf("check: %w", list), &first) || first.Message != "one" {
		t.Errorf("first problem = %v, want one", first)
	}
}

func TestAllFindsEveryProblemInOrder(t *testing.T) {
	a, b, c := problem.New(problem.Invalid, "a"), problem.New(problem.Invalid, "b"), problem.New(problem.Invalid, "c")
	tree := fmt.Errorf("start: %w", errors.Join(a, errors.New("plain"), fmt.Errorf("more: %w", problem.List{b, c})))
	var got []string
	for _, p := range problem.All(tree) {
		got = append(got, p.Message)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestOrdinaryErrorIsInternal(t *testing.T) {
	err := errors.New("nil map")
	all := problem.All(err)
	if len(all) != 1 || all[0].Code != problem.Internal || !errors.Is(all[0], err) {
		t.Errorf("All = %+v, want one internal problem that wraps it", all)
	}
	if got := problem.CodeOf(err); got != problem.Internal {
		t.Errorf("CodeOf = %q, want internal", got)
	}
	if problem.All(nil) != nil {
		t.Error("All(nil) is not empty")
	}
}

func TestCodeOfLooksThroughWrappers(t *testing.T) {
	err := fmt.Errorf("open image: %w", problem.New(problem.NotFound, "no image"))
	if got := problem.CodeOf(err); got != problem.NotFound {
		t.Errorf("CodeOf = %q, want not_found", got)
	}
}

func TestEndOfAPlaceIsForProgramsOnly(t *testing.T) {
	p := problem.Position{File: "a.html", Line: 2, Column: 3, EndLine: 2, EndColumn: 9}
	if got := p.String(); got != "a.html:2:3" {
		t.Errorf("got %s", got)
	}
	text, err := json.Marshal(p)
	if want := `{"file":"a.html","line":2,"column":3,"endLine":2,"endColumn":9}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	if text, err := json.Marshal(problem.Position{Line: 1}); err != nil || string(text) != `{"line":1}` {
		t.Errorf("got %s, %v", text, err)
	}
	if e := problem.New(problem.Invalid, "wrong").Expecting("a value"); e.Expected != "a value" || e.Error() != "wrong" {
		t.Errorf("got %+v", e)
	}
}
