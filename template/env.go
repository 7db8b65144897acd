package template

import (
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// checkEnv reads locale, timezone and currency of the manifest.
func (r *reader) checkEnv(members []member) {
	for _, m := range members {
		text, ok := parsedText(m)
		if !ok {
			r.invalid(m.valueAt, "%s must be text", m.key)
			continue
		}
		p := part{text: text}
		if marks, _ := markup.Marks([]byte(text)); len(marks) == 1 && marks[0].Start == 0 && marks[0].End == len(text) {
			p.program = r.expression(marks[0].Src, m.valueAt+1+marks[0].Text, false)
			if p.program == nil {
				continue
			}
		} else if wrong := checkEnvText(m.key, text); wrong != nil {
			r.report(m.valueAt, wrong)
			continue
		}
		if m.key == "timezone" && p.program == nil {
			r.manifest.zone, _ = time.LoadLocation(text) // checked
		}
		switch m.key {
		case "locale":
			r.manifest.env.locale = p
		case "timezone":
			r.manifest.env.timezone = p
		case "currency":
			r.manifest.env.currency = p
		}
		r.noteSlot(&slot{place: inHTML, parts: []part{p}, at: r.At(m.valueAt)})
	}
}

func parsedText(m member) (string, bool) {
	v, err := expr.ParseJSON(m.value)
	text, ok := v.(string)
	return text, err == nil && ok
}

func checkEnvText(key, text string) *problem.Error {
	err := envChecks[key](text)
	if err == nil {
		return nil
	}
	var p *problem.Error
	if !errors.As(err, &p) {
		p = problem.New(problem.Invalid, "%w", err)
	}
	copied := *p
	copied.Pos = problem.Position{}
	return &copied
}

var envChecks = map[string]func(string) error{
	"locale": expr.CheckLocale, "currency": expr.CheckCurrency,
	"timezone": func(name string) error {
		if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
			return problem.New(problem.Invalid, "there is no time zone %s", quote(name)).WithHint("use a name such as Europe/Berlin")
		}
		return nil
	},
}

// settle decides what the environment left open.
func (w *resolver) settle() {
	env := w.t.manifest.env
	if w.env.Locale == "" {
		w.env.Locale = w.envText("locale", env.locale)
	}
	if w.env.Currency == "" {
		w.env.Currency = w.envText("currency", env.currency)
	}
	if w.env.Zone == nil {
		w.env.Zone = w.t.manifest.zone
	}
	if w.env.Zone != nil || env.timezone.program == nil {
		return
	}
	if name := w.envText("timezone", env.timezone); name != "" {
		w.env.Zone, _ = time.LoadLocation(name) // checked
	}
}

// envText is what the manifest says about where the row is shown; "" where it says
// nothing, or nothing that is known.
func (w *resolver) envText(key string, p part) string {
	if p.program == nil {
		return p.text
	}
	v, err := p.program.Eval(w.row, w.env)
	if err != nil {
		w.failEnv(p, problem.New(problem.Invalid, "the %s of the row: %w", key, err).WithSlug(BadExpression))
		return ""
	}
	text := expr.Text(v)
	if text == "" {
		return ""
	}
	if wrong := checkEnvText(key, text); wrong != nil {
		w.failEnv(p, wrong.WithSlug(WrongType))
		return ""
	}
	return text
}

func (w *resolver) failEnv(p part, wrong *problem.Error) {
	if names := p.program.Names(); len(names) > 0 {
		wrong.Path = "variables." + names[0]
	}
	w.fail(wrong)
}
