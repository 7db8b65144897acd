package bindings

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCanonicalRowHasOneForm(t *testing.T) {
	for _, c := range []struct {
		name   string
		values map[string]any
		want   string
	}{
		{"no row", nil, `{}`},
		{"keys in the order of their bytes", map[string]any{"b": nil, "a": true, "Z": false, "é": "", "aa": nil}, `{"Z":false,"a":true,"aa":null,"b":null,"é":""}`},
		{"digits of the source", map[string]any{"n": []any{json.Number("1.0"), json.Number("-0"), json.Number("1E+2"), json.Number("12345678901234567890.10")}}, `{"n":[1.0,-0,1E+2,12345678901234567890.10]}`},
		{"only what must be is escaped", map[string]any{"s": "<a href=\"x\">&\\ \b\f\n\r\t\x00\x1f\x7f\u2028é😀"}, `{"s":"<a href=\"x\">&\\ \b\f\n\r\t\u0000\u001f` + "\x7f\u2028é😀" + `"}`},
		{"text is not normalised", map[string]any{"s": "e\u0301"}, "{\"s\":\"e\u0301\"}"},
		{"nested", map[string]any{"o": map[string]any{"y": []any{}, "x": map[string]any{}}}, `{"o":{"x":{},"y":[]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical(c.values)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("Canonical(%v)\n got %s\nwant %s", c.values, got, c.want)
			}
		})
	}
}

func TestCanonicalRefusesWhatNoRowHolds(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"int", 1, "type int"},
		{"float", 1.5, "type float64"},
		{"number that is none", json.Number(`1,"x":2`), "not a number"},
		{"number that is a word", json.Number("NaN"), "not a number"},
		{"number that is a literal", json.Number("true"), "not a number"},
		{"number with space", json.Number(" 1"), "not a number"},
		{"empty number", json.Number(""), "not a number"},
		{"bytes that are no text", "\xff", "UTF-8"},
		{"name that is no text", map[string]any{"\xff": nil}, "UTF-8"},
		{"deep inside", []any{map[string]any{"x": 1}}, `"v": [0]: "x": a value of type int`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical(map[string]any{"v": c.value})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Canonical(%v) = %s, %v; want an error about %q", c.value, got, err, c.want)
			}
		})
	}
}

func TestStoredRowsThatAreNoneAreRefused(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "1", `{"a":1`, `{} {}`, `{}]`} {
		if got, err := Values([]byte(text)); err == nil {
			t.Errorf("Values(%q) = %v, want an error", text, got)
		}
	}
}

// Property: two rows have the same bytes exactly when they are the same row.
func TestCanonicalIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rows().Draw(t, "a"), rows().Draw(t, "b")
		if rapid.Bool().Draw(t, "make b a copy") {
			b = rebuilt(a).(map[string]any)
		}
		same := bytes.Equal(mustCanonical(t, a), mustCanonical(t, b))
		if same != cmp.Equal(a, b) {
			t.Fatalf("same bytes: %v\n%#v\n%#v", same, a, b)
		}
	})
}

// Property: what Canonical wrote reads back as the same row, with the same bytes.
func TestCanonicalReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rows().Draw(t, "row")
		first := mustCanonical(t, row)
		back, err := Values(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row, back); diff != "" {
			t.Fatalf("the row came back changed (-before +after):\n%s", diff)
		}
		if again := mustCanonical(t, back); !bytes.Equal(first, again) {
			t.Fatalf("first %s, then %s", first, again)
		}
	})
}

// FuzzCanonical: whatever a JSON source says has one form that stays.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":[null,true,"x"]}`, `{"b":1.50,"a":{"y":"\u00e9","x":"\ud800"}}`, `{"a":1,"a":2}`, `{"":"<&>\u2028"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		row, err := Values([]byte(text))
		if err != nil {
			return
		}
		first, err := Canonical(row)
		if err != nil {
			t.Fatalf("a row that JSON spells is refused: %v", err)
		}
		if !json.Valid(first) {
			t.Fatalf("no JSON: %s", first)
		}
		back, err := Values(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row, back); diff != "" {
			t.Fatalf("the row came back changed (-before +after):\n%s", diff)
		}
		if again := mustCanonical(t, back); !bytes.Equal(first, again) {
			t.Fatalf("first %s, then %s", first, again)
		}
	})
}

func mustCanonical(t helper, row map[string]any) []byte {
	t.Helper()
	b, err := Canonical(row)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rows draws rows with few names and values, so that two draws are often alike.
func rows() *rapid.Generator[map[string]any] {
	name := rapid.SampledFrom([]string{"a", "b", "ab", "", "é", "e\u0301", `"`, "\u2028"})
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SampledFrom([]string{"", "1", "null", "a", `\`, "\x00", "é", "e\u0301"}), func(s string) any { return s }),
		rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "?") }),
		rapid.Map(rapid.SampledFrom([]string{"1", "1.0", "-0", "1e2", "100"}), func(s string) any { return json.Number(s) }),
	)
	value := leaf
	for range 2 {
		inner := value
		value = rapid.OneOf(
			leaf,
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(items []any) any { return append([]any{}, items...) }),
			rapid.Map(rapid.MapOfN(name, inner, 0, 3), func(m map[string]any) any { return m }),
		)
	}
	return rapid.MapOfN(name, value, 0, 4)
}

// rebuilt is a deep copy of v whose maps were filled in another order.
func rebuilt(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = rebuilt(v[i])
		}
		return items
	case map[string]any:
		m := map[string]any{}
		for name, value := range v {
			m[name] = rebuilt(value)
		}
		return m
	}
	return v
}
