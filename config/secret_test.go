package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/pictifyd/pictifyd/config"
)

// holder has secrets where printing finds them, and where fmt asks no methods.
type holder struct {
	Secret  config.Secret            `json:"secret"`
	Pointer *config.Secret           `json:"pointer"`
	Map     map[string]config.Secret `json:"map"`
	List    []config.Secret          `json:"list"`
	Any     any                      `json:"any"`
	hidden  config.Secret
	nested  struct{ hidden []config.Secret }
}

func newHolder() holder {
	s := config.NewSecret(plainToken)
	h := holder{Secret: s, Pointer: &s, Map: map[string]config.Secret{"a": s}, List: []config.Secret{s}, Any: s, hidden: s}
	h.nested.hidden = []config.Secret{s}
	return h
}

func TestSecretsNeverPrint(t *testing.T) {
	h := newHolder()
	var printed []string
	for _, value := range []any{h, &h, h.Secret, &h.Secret, h.Map, h.List, h.Any, []any{h}, fmt.Errorf("dial: %v", h.Secret)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%10.3s", "%!"} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			text, err := marshal(value)
			if err != nil {
				t.Fatalf("marshal %T: %v", value, err)
			}
			printed = append(printed, string(text))
		}
	}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("start", "secret", h.Secret, "pointer", h.Pointer, "all", h, "list", h.List)
	}
	printed = append(printed, logged.String(), h.Secret.String(), h.Secret.GoString(), h.Secret.LogValue().String())
	for _, p := range printed {
		if strings.Contains(p, plainToken) || strings.Contains(p, fmt.Sprintf("%x", plainToken)) {
			t.Errorf("the secret is in %q", p)
		}
	}
	for _, p := range []string{fmt.Sprint(h.Secret), fmt.Sprintf("%#v", h.Secret), fmt.Sprintf("%d", h.Secret), h.Secret.LogValue().String()} {
		if p != "***" {
			t.Errorf("got %q, want ***", p)
		}
	}
	if text, err := json.Marshal(h.Secret); err != nil || string(text) != `"***"` {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestSecretRevealsItsText(t *testing.T) {
	s := config.NewSecret(plainToken)
	if s.Reveal() != plainToken || s.IsZero() || !s.Equal(config.NewSecret(plainToken)) || s.Equal(config.Secret{}) {
		t.Errorf("got %q, zero %v", s.Reveal(), s.IsZero())
	}
	if empty := config.NewSecret(""); !empty.IsZero() || empty.Reveal() != "" || !empty.Equal(config.Secret{}) {
		t.Errorf("empty: got %q, zero %v", empty.Reveal(), empty.IsZero())
	}
}

// talkative quotes what it holds.
type talkative struct {
	URL   string        `yaml:"url"`
	Token config.Secret `yaml:"token"`
	From  *loud         `yaml:"from"`
}

func (c talkative) Validate() error {
	return fmt.Errorf("cannot reach %s with %q or %s", c.URL, c.Token.Reveal(), c.Token)
}

type loud string

func (l *loud) UnmarshalText(text []byte) error { return fmt.Errorf("%s is too loud", text) }

func TestSecretsAreCutOutOfWhatOthersSay(t *testing.T) {
	n := mustParse(t, "url: http://u:${TOKEN}@h\ntoken_file: token.txt\n")
	err := n.Decode(new(talkative))
	want := `test.yaml:1:1: cannot reach http://u:***@h with "***" or ***`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if p := config.Problem(n, "url", "invalid", "no host in %s", "http://u:"+envToken+"@h"); strings.Contains(p.Error(), envToken) {
		t.Errorf("got %v", p)
	}
	err = mustParse(t, "token: \"a\\tsecret\"\n").Decode(new(talkative))
	want = `test.yaml:1:1: cannot reach  with "***" or ***`
	if err == nil || err.Error() != want {
		t.Errorf("quoted: got %v, want %s", err, want)
	}
	err = mustParse(t, "from: ${PORT}").Decode(&struct {
		From loud `yaml:"from"`
	}{})
	want = "test.yaml:1:7: from: is not a valid loud (its value comes from the environment and is not shown)"
	if err == nil || err.Error() != want {
		t.Errorf("text: got %v, want %s", err, want)
	}
}

func TestPasswordsOfAddressesAreCutOut(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://me:hunter2@host/db":        "postgres://me:***@host/db",
		"s3://id:hunter/2@host/b?x=1":          "s3://id:***@host/b?x=1",
		"http://me:hun@ter2@host:80/":          "http://me:***@host:80/",
		"http://me:1234@host":                  "http://me:***@host",
		"http://:hunter2@host":                 "http://:***@host",
		"http://host:8080/a@b":                 "http://host:8080/a@b",
		"http://host:8080":                     "http://host:8080",
		"https://host/a:b@c":                   "https://host/a:b@c",
		"mail a:b@c":                           "mail a:b@c",
		`{"a":"x://u:p@h","b":"y://u:q@h"}`:    `{"a":"x://u:***@h","b":"y://u:***@h"}`,
		"x://u:p@h and y://u:q@h, or http://h": "x://u:***@h and y://u:***@h, or http://h",
	} {
		if got := config.WithoutPasswords(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}
