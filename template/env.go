package template

import (
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
	switch key {
	case "locale":
		return first(expr.CheckLocale(text))
	case "currency":
		return first(expr.CheckCurrency(text))
	}
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		return problem.New(problem.Invalid, "there is no time zone %s", quote(text)).WithHint("use a name such as Europe/Berlin")
	}
	return nil
}

func first(err error) *problem.Error {
	if all := problem.All(err); len(all) > 0 {
		return all[0]
	}
	return nil
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
	name := w.envText("timezone", env.timezone)
	if name == "" {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		w.problems = append(w.problems, problem.New(problem.Invalid, "there is no time zone %s", quote(name)).WithSlug(WrongType).
			WithHint("use a name such as Europe/Berlin"))
		return
	}
	w.env.Zone = zone
}

func (w *resolver) envText(key string, p part) string {
	if p.program == nil {
		return p.text
	}
	v, err := p.program.Eval(w.row, w.env)
	if err != nil {
		w.problems = append(w.problems, problem.New(problem.Invalid, "the %s of the row: %w", key, err).WithSlug(BadExpression))
		return ""
	}
	return expr.Text(v)
}
