package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func decodeText(text string) (*Settings, error) {
	return decode("pictifyd.yaml", []byte(text), config.Options{Env: func(string) (string, bool) { return "", false }}, Connectors(), Sinks())
}

func TestCopilotWorksWithoutALineOfConfiguration(t *testing.T) {
	s, err := decodeText("{}")
	if err != nil {
		t.Fatal(err)
	}
	models, err := modelsOf(s.Copilot)
	if err != nil || len(models) != 1 || models[0].Info().Name != "rules" || models[0].Info().Provider != "rules" {
		t.Errorf("the models are %v, %v", models, err)
	}
	if want := (copilot.Budget{Steps: 12, Calls: 60, Tokens: 200_000, Seconds: 300, Images: 6}); s.Copilot.Budget.limits() != want || s.Copilot.Keep.String() != "30d" {
		t.Errorf("it has %+v for %s", s.Copilot.Budget.limits(), s.Copilot.Keep)
	}
}

func TestModelsAreWhatTheFileSays(t *testing.T) {
	s, err := decodeText(`copilot:
  model: claude
  models:
    - { name: local, kind: openai, url: "http://127.0.0.1:11434/v1", model: qwen3-vl, vision: true, max_images: 4 }
    - { name: small, kind: openai, url: "http://127.0.0.1:11434/v1", model: tiny, tools: false }
    - { name: claude, kind: anthropic, model: claude-x, key: "sk-1", price: { in: 3, out: 15 } }
  budget: { steps: 3 }
  keep: forever
`)
	if err != nil {
		t.Fatal(err)
	}
	models, err := modelsOf(s.Copilot)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range copilot.New(copilot.Options{Models: models}).Models() {
		got = append(got, strings.Join([]string{i.Name, i.Provider, i.Model, map[bool]string{true: "tools"}[i.Can.Tools], map[bool]string{true: "vision"}[i.Can.Vision]}, " "))
	}
	want := []string{"claude anthropic claude-x tools vision", "rules rules  tools ", "local openai qwen3-vl tools vision", "small openai tiny  "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("models, the default one first (-want +got):\n%s", diff)
	}
	if p := models[0].Info().Price; p.In != 3 || p.Out != 15 {
		t.Errorf("claude costs %+v", p)
	}
	if b := s.Copilot.Budget.limits(); b.Steps != 3 || b.Calls != 60 {
		t.Errorf("the budget is %+v", b)
	}
}

func TestWhatIsWrongWithTheCopilotIsSaidAtItsPlace(t *testing.T) {
	const model = "copilot: { models: [{ name: a, kind: openai, url: \"http://a.example/v1\", model: x"
	for name, c := range map[string]struct{ yaml, path, says string }{
		"a model that there is not": {"copilot:\n  model: ruls\n", "copilot.model", "rules"},
		"a name twice":              {"copilot: { models: [{ name: rules, kind: openai, url: \"http://a.example\", model: x }] }", "copilot.models[0].name", "already"},
		"a name with a space":       {"copilot: { models: [{ name: a b, kind: openai, url: \"http://a.example\", model: x }] }", "copilot.models[0].name", "a b"},
		"no address":                {"copilot: { models: [{ name: a, kind: openai, model: x }] }", "copilot.models[0].url", "no url"},
		"no address of the web":     {"copilot: { models: [{ name: a, kind: openai, url: \"ftp://sk-secret@a\", model: x }] }", "copilot.models[0].url", "http"},
		"a password in an address":  {"copilot: { models: [{ name: a, kind: openai, url: \"http://me:sk-secret@a\", model: x }] }", "copilot.models[0].url", "password"},
		"no key":                    {"copilot: { models: [{ name: a, kind: anthropic, model: x }] }", "copilot.models[0].key", "no key"},
		"no kind":                   {"copilot: { models: [{ name: a, model: x }] }", "copilot.models[0].kind", "openai and anthropic"},
		"a price below nothing":     {model + ", price: { in: -1 } }] }", "copilot.models[0].price", "negative"},
		"pictures below nothing":    {model + ", max_images: -1 }] }", "copilot.models[0].max_images", "negative"},
		"no steps":                  {"copilot: { budget: { steps: 0 } }", "copilot.budget.steps", "from 1 to 100"},
		"a day's work":              {"copilot: { budget: { seconds: 86400 } }", "copilot.budget.seconds", "3600"},
		"hardly kept":               {"copilot: { keep: 1h }", "copilot.keep", "at least 1d"},
	} {
		_, err := decodeText(c.yaml)
		list := problem.All(err)
		if err == nil || len(list) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := list[0]
		if p.Path != c.path || p.Pos.Line == 0 || p.Pos.Column == 0 || !strings.Contains(p.Message+" "+p.Hint, c.says) || strings.Contains(p.Error(), "sk-secret") {
			t.Errorf("%s: at %s (%d:%d): %s (%s)", name, p.Path, p.Pos.Line, p.Pos.Column, p.Message, p.Hint)
		}
	}
}
