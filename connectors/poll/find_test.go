package poll_test

import (
	"encoding/json"
	"testing"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

func TestPartsOfADocumentAreFound(t *testing.T) {
	const text = ` {"items":[{"id":1,"t":"a\"],}\\"},{"id":2}],"meta":{"next":"x\u0041","more":true,"none":null,"n":[10,[20]]},"odd name":"y","a\u0062c":-1.5e3} `
	for path, want := range map[string]string{
		"$.items[1]":     `{"id":2}`,
		"$.items[0].t":   `"a\"],}\\"`,
		"$.items[2]":     "",
		"$.meta.next":    `"x\u0041"`,
		"$.meta.none":    "null",
		"$.meta.n[1][0]": "20",
		"$.meta.gone":    "",
		"$['odd name']":  `"y"`,
		"$.abc":          "-1.5e3",
		"$.items.id":     "",
		"$.meta[0]":      "",
		"$.meta.next.x":  "",
	} {
		got, err := poll.Find([]byte(text), path)
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v; want %s", path, got, err, want)
		}
	}
	if all, err := poll.Find([]byte(" [1] "), "$"); err != nil || string(all) != "[1]" {
		t.Errorf("all is %s, %v", all, err)
	}
}

func TestWhatBreaksOffIsNotFound(t *testing.T) {
	for _, text := range []string{``, `{`, `{"a"`, `{"a":`, `{"b":1`, `{"b":1 "a":2}`, `{"b":}`, `{"a":"x`, `{"b":"\"`, `{"a":[1`, `{b:1}`, `{"a":]}`} {
		if got, err := poll.Find([]byte(text), "$.a"); err == nil && got != nil {
			t.Errorf("%s has $.a = %s", text, got)
		}
	}
	for _, text := range []string{`{"b":1`, `{"a":"x`, `{"a":[1`, `{"b":1 "a":2}`} {
		if _, err := poll.Find([]byte(text), "$.a"); err == nil {
			t.Errorf("%s is taken for whole", text)
		}
	}
}

func TestElementsAreCounted(t *testing.T) {
	for text, want := range map[string]struct {
		n           int
		first, last string
		ok          bool
	}{
		`[]`:                    {0, "", "", true},
		` [ ] `:                 {0, "", "", true},
		`[1]`:                   {1, "1", "1", true},
		`[{"a":[1,2]}, "],[" ]`: {2, `{"a":[1,2]}`, `"],["`, true},
		`[null,true,-1]`:        {3, "null", "-1", true},
		`{}`:                    {},
		`[1,]`:                  {},
		`[1`:                    {},
		`[1 2]`:                 {},
		``:                      {},
	} {
		n, first, last, ok := poll.Elements([]byte(text))
		if n != want.n || string(first) != want.first || string(last) != want.last || ok != want.ok {
			t.Errorf("%s: %d %s %s %v, want %+v", text, n, first, last, ok, want)
		}
	}
}

func TestValuesOfPathsAreTexts(t *testing.T) {
	for raw, want := range map[string]string{`"x\u0041"`: "xA", "12.50": "12.50", "null": "", "": "", "true": "true"} {
		if got, err := poll.Text(json.RawMessage(raw)); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{"{}", "[1]", `"x`, "nul"} {
		if got, err := poll.Text(json.RawMessage(raw)); err == nil {
			t.Errorf("%s is %q", raw, got)
		}
	}
}

// FuzzFind holds the scanner against encoding/json: what is valid JSON has the
// parts that it decodes to, and nothing else makes it panic or hang.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"x\\\""}],"c":null}`, `[]`, `{"a":"\u0022"}`, `{`, `"`, `[1,2`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		raw, err := poll.Find(text, "$.a")
		n, _, _, counted := poll.Elements(text)
		if !json.Valid(text) {
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) == nil && object != nil && err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if raw != nil && !json.Valid(raw) {
			t.Errorf("$.a of %s is %s", text, raw)
		}
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil && list != nil && (!counted || n != len(list)) {
			t.Errorf("%s has %d elements, counted %d %v", text, len(list), n, counted)
		}
	})
}
