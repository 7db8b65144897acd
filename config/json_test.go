package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A spelling has every word that JSON spells otherwise.
type spelling struct {
	DeleteGrace config.Duration          `yaml:"delete_grace" max:"1h"`
	MaxSize     int                      `yaml:"max_size" min:"1"`
	Token       config.Secret            `yaml:"access_token"`
	Headers     map[string]config.Secret `yaml:"http_headers"`
	Outputs     []variant                 `yaml:"outputs"`
	Kept        bool                     `yaml:"kept"`
	Name        string                   `yaml:"name"`
}

type variant struct {
	MaxBytes config.Bytes `yaml:"max_bytes"`
}

func (o variant) Validate() error {
	if o.MaxBytes > 1<<20 {
		return problem.New(problem.Invalid, "too many").At("max_bytes")
	}
	return nil
}

// words are the keys of YAML that t has, at any depth.
func words(t reflect.Type) (all []string) {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return words(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if word := f.Tag.Get("yaml"); word != "" {
				all = append(append(all, word), words(f.Type)...)
			}
		}
	}
	return all
}

// Each setting is taken in camelCase, and under no other name.
func TestEverySettingIsCamelCaseInJSON(t *testing.T) {
	for _, word := range words(reflect.TypeFor[spelling]()) {
		if !strings.Contains(word, "_") {
			continue
		}
		node, err := config.ParseJSON([]byte(`{"`+word+`":null,"outputs":[{"`+word+`":null}]}`), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		said := errors.Join(node.Decode(&spelling{})).Error()
		parts := strings.Split(word, "_")
		camel := parts[0] + strings.ToUpper(parts[1][:1]) + parts[1][1:]
		if !strings.Contains(said, `unknown key "`+word+`" (did you mean "`+camel+`"?)`) {
			t.Errorf("%s: %s; want the word %s", word, said, camel)
		}
	}
}

func TestJSONIsDecodedAsYAMLIs(t *testing.T) {
	const text = `{"deleteGrace":"5m","maxSize":7,"accessToken":"hunter2","httpHeaders":{"x_own":"kept as it is"},"outputs":[{"maxBytes":"1KiB"}],"kept":true,"name":"${HOME} \u00fc"}`
	node, err := config.ParseJSON([]byte(text), config.Options{Env: func(string) (string, bool) { return "/root", true }})
	if err != nil {
		t.Fatal(err)
	}
	var o spelling
	if err := node.Decode(&o); err != nil {
		t.Fatal(err)
	}
	got := []any{o.DeleteGrace.String(), o.MaxSize, o.Token.Reveal(), o.Headers["x_own"].Reveal(), o.Outputs[0].MaxBytes.String(), o.Kept, o.Name}
	if diff := cmp.Diff([]any{"5m", 7, "hunter2", "kept as it is", "1KiB", true, "${HOME} ü"}, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if again := string(node.JSON(map[string]string{"accessToken": "***"})); again != strings.Replace(strings.Replace(text, "hunter2", "***", 1), `\u00fc`, "ü", 1) {
		t.Errorf("printed as %s", again)
	}
	if found := node.Variables(); len(found) != 1 || found[0].Path != "name" {
		t.Errorf("variables: %v, want the one of name", found)
	}
}

func TestJSONProblemsHaveTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"{\n \"maxSize\": \"7\"}":                "2:13: maxSize: wants a whole number, not a text (remove the quotes)",
		`{"maxSize":0}`:                          "1:12: maxSize: must be at least 1, not 0",
		`{"outputs":[{"maxBytes":"2MiB"}]}`:      "1:25: outputs[0].maxBytes: too many",
		`{"outputs":[{}, {"maxByts":1}]}`:        `1:18: outputs[1]: unknown key "maxByts" (did you mean "maxBytes"?)`,
		`{"accessToken_file":"/etc/passwd"}`:     `1:2: unknown key "accessToken_file" (did you mean "accessToken"?)`,
		`{"accessTokenFile":"/etc/passwd"}`:      `1:2: unknown key "accessTokenFile" (did you mean "accessToken"?)`,
		`{"kept":1}`:                             "1:9: kept: wants true or false",
		`{"kept":true,"kept":true}`:              `1:14: the key "kept" is there twice`,
		`{"kept":`:                               "1:9: the body ends before its JSON does",
		``:                                       "1:1: the body ends before its JSON does",
		`{"kept":tru}`:                           "this is not JSON",
		`{} {}`:                                  "there is more after the end of the document",
		"{\"name\":\"\xff\"}":                    "the body is not UTF-8",
		strings.Repeat("[", 200):                 "nests deeper than",
		"[" + strings.Repeat("1,", 30000) + "1]": "more than",
		`[]`:                                     "wants a mapping, not a list",
		`{"httpHeaders":{"a":{"b":"c"}}}`:        "httpHeaders.a: wants a text, not a mapping",
	} {
		node, err := config.ParseJSON([]byte(text), config.Options{})
		if err == nil {
			err = node.Decode(&spelling{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

func TestSecretsMayBeKeptElsewhere(t *testing.T) {
	node, err := config.ParseJSON([]byte(`{"accessToken":"name","httpHeaders":{"A":"other"},"name":"name"}`), config.Options{
		SecretFunc: func(path, text string) (string, error) {
			if text == "other" {
				return "", problem.New(problem.Invalid, "no such secret")
			}
			return "the secret of " + path, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var o spelling
	if err := node.Decode(&o); err == nil || err.Error() != "1:42: httpHeaders.A: no such secret" {
		t.Errorf("decode: %v", err)
	}
	if o.Token.Reveal() != "the secret of accessToken" || o.Name != "name" {
		t.Errorf("got %q and %q", o.Token.Reveal(), o.Name)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"b",null,{"c":true}]}`, `{`, `"\ud800"`, `1e999`, `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		node, err := config.ParseJSON(text, config.Options{})
		if err != nil {
			return
		}
		again, err := config.ParseJSON(node.JSON(nil), config.Options{})
		if err != nil || !again.Equal(node) {
			t.Errorf("%q is printed as %q, which reads as another: %v", text, node.JSON(nil), err)
		}
	})
}
