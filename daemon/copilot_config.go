package daemon

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Copilot is the section copilot of the configuration: which models there are, and
// what a run may use up.
type Copilot struct {
	Model  string         `yaml:"model"`  // that runs take which name none: rules, which needs nothing, or the name of one of models
	Models []CopilotModel `yaml:"models"` // language models, beside rules
	Budget CopilotBudget  `yaml:"budget"` // of one run; a run may ask for less
	Keep   Term           `yaml:"keep"`   // runs with their events and pictures, from their end on
}

// A CopilotModel is a language model and who answers for it.
type CopilotModel struct {
	Name      string        `yaml:"name"`       // as runs name it
	Kind      string        `yaml:"kind"`       // openai: any server that speaks its chat completions, as Ollama and vLLM do; or anthropic
	URL       string        `yaml:"url"`        // of the API, most with /v1 at its end; anthropic's own where it is missing
	Model     string        `yaml:"model"`      // as the server calls it
	Key       config.Secret `yaml:"key"`        // of the API; none where the server wants none
	Tools     bool          `yaml:"tools"`      // it can call tools; a model that cannot is asked for one action at a time; true where it is not given
	Vision    bool          `yaml:"vision"`     // it looks at pictures; one that does not gets numbers; true of anthropic where it is not given
	MaxImages int           `yaml:"max_images"` // in one request; 0: no limit
	Price     CopilotPrice  `yaml:"price"`      // to count what runs cost
}

// A CopilotPrice is for a million tokens, in whatever currency is paid.
type CopilotPrice struct {
	In  float64 `yaml:"in"`
	Out float64 `yaml:"out"`
}

// A CopilotBudget is what one run may use up.
type CopilotBudget struct {
	Steps   int   `yaml:"steps"`   // changes of the draft
	Calls   int   `yaml:"calls"`   // of tools
	Tokens  int64 `yaml:"tokens"`  // in and out
	Seconds int   `yaml:"seconds"` // without those in which it waits for a person
	Images  int   `yaml:"images"`  // that a model looks at
}

// The kinds of models, and the name of the one that is none.
const (
	rulesModel    = "rules"
	kindOpenAI    = "openai"
	kindAnthropic = "anthropic"
	mostModels    = 50
)

// defaultCopilot is the section as it is when nobody wrote it.
func defaultCopilot() Copilot {
	return Copilot{Model: rulesModel, Budget: CopilotBudget{Steps: 12, Calls: 60, Tokens: 200_000, Seconds: 300, Images: 6}, Keep: Term(30 * day)}
}

// UnmarshalNode gives a model what it has where the file does not say.
func (m *CopilotModel) UnmarshalNode(n config.Node) error {
	type plain CopilotModel
	*m = CopilotModel{Tools: true}
	err := n.Decode((*plain)(m))
	if m.Kind == kindAnthropic && !slices.Contains(n.Keys(), "vision") {
		m.Vision = true
	}
	return err
}

var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate reports every problem of c as a problem.List.
func (c Copilot) Validate() error {
	var list problem.List
	bad := func(path, format string, args ...any) hinted {
		p := problem.New(problem.Invalid, format, args...).At(path)
		list = append(list, p)
		return hinted{p}
	}
	names := []string{rulesModel}
	if len(c.Models) > mostModels {
		bad("models", "there are %d models, and may be %d", len(c.Models), mostModels)
	}
	for i, m := range c.Models {
		at := fmt.Sprintf("models[%d].", i)
		switch {
		case !modelName.MatchString(m.Name):
			bad(at+"name", "the name %q is not 1 to 64 letters, digits, ., - and _", m.Name).hint("runs name the model by it")
		case slices.Contains(names, m.Name):
			bad(at+"name", "there is a model %q already", m.Name).hint("rules is always there, and needs no entry")
		}
		names = append(names, m.Name)
		m.validate(at, bad)
	}
	if !slices.Contains(names, c.Model) {
		p := bad("model", "there is no model %q", c.Model)
		if near, ok := config.Nearest(c.Model, names); ok {
			p.hint("did you mean %q?", near)
		} else {
			p.hint("add it under models, or take rules")
		}
	}
	b := c.Budget
	for _, one := range []struct {
		path        string
		value, most int64
	}{{"steps", int64(b.Steps), 100}, {"calls", int64(b.Calls), 1000}, {"tokens", b.Tokens, 100_000_000}, {"seconds", int64(b.Seconds), 3600}, {"images", int64(b.Images), 100}} {
		least := int64(1)
		if one.path == "images" {
			least = 0
		}
		if one.value < least || one.value > one.most {
			bad("budget."+one.path, "must be from %d to %d, not %d", least, one.most, one.value)
		}
	}
	if c.Keep != Forever && c.Keep < Term(day) {
		bad("keep", "must be at least 1d, not %s: whoever asked looks at it later", c.Keep).hint("write a longer time, or forever")
	}
	return list.Err()
}

// A hinted is a problem that is noted already, and may get a hint.
type hinted struct{ p *problem.Error }

func (h hinted) hint(format string, args ...any) { _ = h.p.WithHint(format, args...) }

func (m CopilotModel) validate(at string, bad func(path, format string, args ...any) hinted) {
	switch m.Kind {
	case kindOpenAI:
		if m.URL == "" {
			bad(at+"url", "the model has no url").hint(`write where the server answers, as in "http://127.0.0.1:11434/v1"`)
		}
	case kindAnthropic:
		if m.Key.IsZero() {
			bad(at+"key", "the model has no key").hint(`write key: "${ANTHROPIC_API_KEY}", or key_file`)
		}
	default:
		bad(at+"kind", "there is no kind of model %q", m.Kind).hint("the kinds are %s and %s; rules needs no entry", kindOpenAI, kindAnthropic)
	}
	if m.URL != "" {
		if u, err := url.Parse(m.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			bad(at+"url", "the url is not an http or https address") // which may have a key in it
		} else if u.User != nil {
			bad(at+"url", "the url has a user or a password in it").hint("write it as key, which is never shown")
		}
	}
	if m.Model == "" {
		bad(at+"model", "the model has no model").hint("write what the server calls it")
	}
	if strings.ContainsAny(m.Key.Reveal(), "\r\n") {
		bad(at+"key", "the key has a line end in it").hint("a key is one line")
	}
	if m.MaxImages < 0 {
		bad(at+"max_images", "must not be negative")
	}
	if !(m.Price.In >= 0) || !(m.Price.Out >= 0) { // nor NaN
		bad(at+"price", "must not be negative")
	}
}

// limits are what a run may use up at most.
func (b CopilotBudget) limits() copilot.Budget {
	return copilot.Budget{Steps: b.Steps, Calls: b.Calls, Tokens: b.Tokens, Seconds: b.Seconds, Images: b.Images}
}
