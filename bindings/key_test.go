package bindings

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestKeyIsItsFormInThePath(t *testing.T) {
	for _, c := range []struct {
		parts []any
		want  string
		text  string
	}{
		{[]any{"A-1_b~2"}, "A-1_b~2", "A-1_b~2"},
		{[]any{json.Number("42")}, "42", "42"},
		{[]any{"42"}, "42", "42"},
		{[]any{true}, "true", "true"},
		{[]any{"a/b,c.png"}, "a%2Fb%2Cc%2Epng", "a/b,c.png"},
		{[]any{"shop 1", json.Number("7.50")}, "shop%201,7%2E50", "shop 1, 7.50"},
		{[]any{"e\u0301"}, "%C3%A9", "é"},
		{[]any{"%2F"}, "%252F", "%2F"},
		{[]any{".."}, "%2E%2E", ".."},
		{[]any{"\x00"}, "%00", "\x00"},
	} {
		got, err := CanonicalKey(c.parts)
		if err != nil || got != c.want {
			t.Errorf("CanonicalKey(%v) = %q, %v; want %q", c.parts, got, err, c.want)
		}
		if text := KeyText(got); text != c.text {
			t.Errorf("KeyText(%q) = %q, want %q", got, text, c.text)
		}
	}
}

func TestRowsWithoutAKeySayWhy(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []any
		want  string
	}{
		{"no columns", nil, NullKey},
		{"null", []any{nil}, NullKey},
		{"empty text", []any{""}, NullKey},
		{"null in the second column", []any{"a", nil}, NullKey},
		{"list", []any{[]any{"a"}}, BadKey},
		{"object", []any{map[string]any{}}, BadKey},
		{"no text", []any{"\xff"}, BadKey},
		{"too long", []any{strings.Repeat("x", KeyLimit+1)}, BadKey},
		{"too long once encoded", []any{strings.Repeat("/", KeyLimit/3+1)}, BadKey},
		{"too long together", []any{strings.Repeat("x", KeyLimit/2), strings.Repeat("x", KeyLimit/2)}, BadKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := CanonicalKey(c.parts)
			var bad *KeyError
			if !errors.As(err, &bad) || bad.Reason != c.want || bad.Detail == "" {
				t.Errorf("CanonicalKey = %q, %#v; want reason %s", key, err, c.want)
			}
		})
	}
}

func TestLongestKeyIsAKey(t *testing.T) {
	if _, err := CanonicalKey([]any{strings.Repeat("x", KeyLimit)}); err != nil {
		t.Error(err)
	}
}

func TestKeyThatAPersonTypesIsRead(t *testing.T) {
	for typed, want := range map[string]string{
		"a.b": "a%2Eb", "a%2eb": "a%2Eb", "Größe": "Gr%C3%B6%C3%9Fe", "a+b": "a%2Bb", "1,2": "1,2", "%61": "a",
	} {
		if got, err := NormalKey(typed); err != nil || got != want {
			t.Errorf("NormalKey(%q) = %q, %v; want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", "%", "%zz", "a,", ",", "%FF"} {
		if got, err := NormalKey(typed); err == nil {
			t.Errorf("NormalKey(%q) = %q, want an error", typed, got)
		}
	}
}

var pathSafe = regexp.MustCompile(`^[A-Za-z0-9_~%,-]+$`)

// Property: keys are one-to-one with their columns as text, and need no escaping in a path.
func TestKeysAreInjectiveAndReadBack(t *testing.T) {
	column := rapid.OneOf(
		rapid.SampledFrom([]string{"a", "b", "a,b", "a%2Cb", ",", "/", ".", "..", "é", "e\u0301", "1"}),
		rapid.Map(rapid.StringN(1, 8, 40), func(s string) string { return strings.ToValidUTF8(s, "?") }),
	)
	columns := rapid.SliceOfN(column, 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := columns.Draw(t, "a"), columns.Draw(t, "b")
		keyA, keyB := mustKey(t, a), mustKey(t, b)
		if (keyA == keyB) != slices.Equal(normalised(a), normalised(b)) {
			t.Fatalf("%q has key %s, %q has key %s", a, keyA, b, keyB)
		}
		if !pathSafe.MatchString(keyA) {
			t.Fatalf("%s is not safe in a path", keyA)
		}
		if u, err := url.Parse("/b/cards/" + keyA + ".png"); err != nil || u.EscapedPath() != "/b/cards/"+keyA+".png" {
			t.Fatalf("%s does not survive in a URL: %v, %v", keyA, u, err)
		}
		back, err := ParseKey(keyA)
		if err != nil || !slices.Equal(back, normalised(a)) {
			t.Fatalf("ParseKey(%s) = %q, %v; want %q", keyA, back, err, normalised(a))
		}
		if normal, err := NormalKey(keyA); err != nil || normal != keyA {
			t.Fatalf("NormalKey(%s) = %s, %v", keyA, normal, err)
		}
	})
}

// FuzzNormalKey: what is accepted from a path has one form that stays.
func FuzzNormalKey(f *testing.F) {
	for _, seed := range []string{"a", "a,b", "%2e%2E", "Gr%C3%B6%C3%9Fe", "e\u0301", "%", ",", "%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		key, err := NormalKey(typed)
		if err != nil {
			return
		}
		if !pathSafe.MatchString(key) || len(key) > KeyLimit {
			t.Fatalf("NormalKey(%q) = %q", typed, key)
		}
		if again, err := NormalKey(key); err != nil || again != key {
			t.Fatalf("NormalKey(%q) = %q, then %q, %v", typed, key, again, err)
		}
	})
}

func mustKey(t helper, columns []string) string {
	t.Helper()
	parts := make([]any, len(columns))
	for i, c := range columns {
		parts[i] = c
	}
	key, err := CanonicalKey(parts)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func normalised(columns []string) []string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = norm.NFC.String(c)
	}
	return all
}
