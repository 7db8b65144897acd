package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

func TestSecretsAreOneOrAList(t *testing.T) {
	for text, want := range map[string][]string{
		"secret: one secret":               {"one secret"},
		"secret: [the new one, the older]": {"the new one", "the older"},
		"secret: ${TOKEN}":                 {envToken},
		"secret_file: token.txt":           {fileToken},
		"other: x":                         nil,
		"secret: ''":                       nil,
	} {
		var c struct {
			Secret config.Secrets `yaml:"secret"`
			Other  string         `yaml:"other"`
		}
		if err := mustParse(t, text).Decode(&c); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Secret.Reveal(); !slices.Equal(got, want) || c.Secret.IsZero() != (want == nil) {
			t.Errorf("%s: %d texts, zero %v; want %d", text, len(got), c.Secret.IsZero(), len(want))
		}
		if shown := fmt.Sprintf("%v %+v %s", c, c, c.Secret); slices.ContainsFunc(want, func(s string) bool { return strings.Contains(shown, s) }) {
			t.Errorf("%s: shown as %s", text, shown)
		}
	}
}

func TestSecretsThatAreNeitherAreRefused(t *testing.T) {
	var c struct {
		Secret config.Secrets `yaml:"secret"`
	}
	err := mustParse(t, "secret: { a: b }").Decode(&c)
	if err == nil || !strings.Contains(err.Error(), "wants a secret or a list of secrets, not") {
		t.Errorf("got %v", err)
	}
}
