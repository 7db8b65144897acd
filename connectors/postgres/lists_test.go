package postgres

import (
	"encoding/json"
	"testing"
)

func TestTextsThatAreNoListsAreRefused(t *testing.T) {
	k := &kind{element: asText, delim: ','}
	for _, text := range []string{"", "x", "{", "{a", "{a,", "{a,}", "{,a}", `{"a}`, `{"a"b}`, "{a}b", "{{a}", "{a}}", "[0:1]", "[0:1]=x", "{{{{{{{a}}}}}}}", `{"a\`} {
		if value, err := k.list([]byte(text), 6); err == nil {
			t.Errorf("%q is read as %v", text, value)
		}
	}
}

// Whatever a server sends is a list or an error.
func FuzzList(f *testing.F) {
	for _, seed := range []string{"{}", `{1,NULL,"a \"b\""}`, "{{1,2},{3,4}}", "[0:1]={1,2}", `{"`, "{{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k := &kind{element: asText, delim: ','}
		value, err := k.list(text, 6)
		if err != nil {
			return
		}
		if _, isList := value.([]any); !isList {
			t.Errorf("%q is %T", text, value)
		}
		if _, err := json.Marshal(value); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// A database without an encoding sends what it was given.
func TestBytesThatAreNoTextAreRefused(t *testing.T) {
	for _, text := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
		if value, err := (&column{kind: asText}).value([]byte(text)); err == nil {
			t.Errorf("%q is read as %q", text, value)
		}
	}
	for text, k := range map[string]*kind{"{": asJSON, "1 2": asJSON, "": asJSON, `\x0`: asBytes, `\xzz`: asBytes, "abc": asBytes} {
		if value, err := (&column{kind: k}).value([]byte(text)); err == nil {
			t.Errorf("%s %q is read as %v", k, text, value)
		}
	}
}
