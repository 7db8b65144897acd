package expr

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTypesComeFromSamples(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{"", `null`},
		{"Ada", `{"kind":"text"}`},
		{"49", `{"kind":"number"}`},
		{json.Number("1"), `{"kind":"number"}`},
		{2.5, `{"kind":"number"}`},
		{true, `{"kind":"boolean"}`},
		{"2026-03-05", `{"kind":"date"}`},
		{[]any{}, `{"kind":"list"}`},
		{[]any{"a", "b"}, `{"kind":"list","items":{"kind":"text"}}`},
		{[]any{"a", 1.0}, `{"kind":"list","items":{"kind":"any"}}`},
		{[]any{map[string]any{"a": "x"}, map[string]any{"b": 1.0}}, `{"kind":"list","items":{"kind":"object","fields":{"a":{"kind":"text"},"b":{"kind":"number"}}}}`},
	} {
		got, err := json.Marshal(TypeOf(tt.value))
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: got %s, %v, want %s", tt.value, got, err, tt.want)
		}
	}
}

func TestTypesOfSeveralSamplesAreMerged(t *testing.T) {
	kind := func(k Kind) *Type { return &Type{Kind: k} }
	for _, tt := range []struct{ a, b, want *Type }{
		{nil, kind(KindText), kind(KindText)},
		{kind(KindNumber), nil, kind(KindNumber)},
		{kind(KindNumber), kind(KindNumber), kind(KindNumber)},
		{kind(KindNumber), kind(KindText), kind(KindAny)},
		{kind(KindDate), kind(KindText), kind(KindText)},
		{kind(KindList), kind(KindObject), kind(KindAny)},
		{TypeOf(map[string]any{"a": "x"}), kind(KindObject), kind(KindObject)},
		{TypeOf(map[string]any{"a": "x"}), TypeOf(map[string]any{"a": "1"}), &Type{Kind: KindObject, Fields: map[string]*Type{"a": kind(KindAny)}}},
	} {
		got := tt.a.Merge(tt.b)
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(Type{})); diff != "" {
			t.Errorf("%+v and %+v (-want +got):\n%s", tt.a, tt.b, diff)
		}
	}
}

func TestResultsHaveTypes(t *testing.T) {
	types := map[string]*Type{"n": {Kind: KindNumber}, "t": {Kind: KindText}, "l": {Kind: KindList, Items: &Type{Kind: KindText}}}
	for src, want := range map[string]Kind{
		`n`: KindNumber, `t`: KindText, `x`: KindAny, `n * 2`: KindNumber, `x * 2`: KindNumber, `n + n`: KindNumber, `t + n`: KindAny, `t + "!"`: KindText,
		`n > 1`: KindBoolean, `not x`: KindBoolean, `"a"`: KindText, `1`: KindNumber, `true`: KindBoolean, `nil`: KindAny, `[1]`: KindList, `{a: 1}`: KindObject,
		`x ? 1 : 2`: KindNumber, `x ? 1 : "a"`: KindAny, `x ?? 1`: KindAny, `n ?? 1`: KindNumber, `n | currency`: KindText, `l[0]`: KindText, `first(l)`: KindText,
		`map(l, n)[0]`: KindNumber, `filter(l, true)`: KindList, `sum(l)`: KindNumber, `1..3`: KindList, `{a: n}.a`: KindNumber, `t[1:]`: KindText,
		`let y = n; y`: KindNumber, `today()`: KindDate, `if(x, 1, 2)`: KindNumber, `length(x)`: KindNumber,
	} {
		p, err := Compile(src, Options{Types: types})
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if got := p.Type().Kind; got != want {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
	}
}

func TestLocalsAreNoNamesOfTheRow(t *testing.T) {
	o := Options{Names: []string{"price", "item"}, Locals: []string{"item", "$index"}}
	env := Env{Locals: map[string]any{"item": map[string]any{"n": "x"}}}
	values := map[string]any{"price": "2", "item": "the row's"}
	for src, want := range map[string]struct {
		text          string
		names, locals []string
	}{
		`item.n + price`:          {"x2", []string{"price"}, []string{"item"}},
		`item`:                    {`{"n":"x"}`, []string{}, []string{"item"}},
		`$env["item"] + item.n`:   {"the row'sx", []string{"item"}, []string{"item"}},
		`price`:                   {"2", []string{"price"}, []string{}},
		`map([1, 2], item.n + #)`: {"x1, x2", []string{}, []string{"item"}},
	} {
		p, err := Compile(src, o)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := p.Eval(values, env)
		if err != nil || Text(got) != want.text {
			t.Errorf("%s: got %q, %v, want %q", src, Text(got), err, want.text)
		}
		if diff := cmp.Diff([][]string{want.names, want.locals}, [][]string{p.Names(), p.Locals()}, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: names and locals (-want +got):\n%s", src, diff)
		}
	}
}

func TestEvaluationsAtOnceDoNotMeet(t *testing.T) {
	p, err := Compile(`map(tags, # + name) | join("-") | upper`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			for range 200 {
				got, err := p.Eval(map[string]any{"tags": []any{"x", "y"}, "name": name}, testEnv)
				if want := "X" + capitals(name) + "-Y" + capitals(name); err != nil || got != want {
					t.Errorf("got %v, %v, want %s", got, err, want)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestMachineForgetsTheRowBefore(t *testing.T) {
	p, err := Compile(`[a, b]`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		values map[string]any
		want   string
	}{{map[string]any{"a": "1", "b": "2"}, "1, 2"}, {map[string]any{"b": "3"}, ", 3"}, {nil, ", "}} {
		if got, err := p.Eval(tt.values, testEnv); err != nil || Text(got) != tt.want {
			t.Errorf("%v: got %q, %v, want %q", tt.values, Text(got), err, tt.want)
		}
	}
}
