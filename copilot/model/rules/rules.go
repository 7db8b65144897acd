package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// A Provider answers by rules.
type Provider struct{ name string }

var _ model.Provider = Provider{}

// New is a Provider of that name in pictifyd.yaml; "" is rules.
func New(name string) Provider {
	if name == "" {
		name = "rules"
	}
	return Provider{name}
}

// Info implements model.Provider.
func (p Provider) Info() model.Info {
	return model.Info{Name: p.name, Provider: "rules", Can: model.Capabilities{Tools: true}}
}

// Complete implements model.Provider. It ends every conversation within maxTurns
// replies, whatever the tools answer.
func (p Provider) Complete(ctx context.Context, r model.Request, _ func(string)) (model.Reply, error) {
	if err := ctx.Err(); err != nil {
		return model.Reply{}, err
	}
	t := listen(r)
	t.conduct(understand(t.brief))
	if t.late {
		t.late = false
		t.past = nil
		t.apart = append(t.apart, fmt.Sprintf("I stopped after %d turns; what is left of it can be asked for again", maxTurns))
		t.one("finish", map[string]any{"summary": t.summary()})
	}
	if len(t.next) == 0 { // all is said
		return model.Reply{Text: "That is all.", Stop: model.Ended}, nil
	}
	return model.Reply{Calls: t.next, Stop: model.Calls}, nil
}

// conduct goes through the conversation: plan, tasks, end.
func (t *talk) conduct(u *understanding) {
	var items []string
	for _, k := range u.tasks {
		items = append(items, k.items...)
	}
	if u.forbid || len(items) == 0 {
		items = []string{"Say what can be done"}
	}
	if _, ok := t.one("set_plan", map[string]any{"items": items[:min(len(items), 12)]}); !ok {
		return
	}
	if !u.forbid {
		for _, k := range u.tasks {
			if !k.run(t) {
				return
			}
		}
	}
	t.notUnderstood(u)
	t.one("finish", map[string]any{"summary": t.summary()})
}

// notUnderstood says what was left out, and what could be asked for.
func (t *talk) notUnderstood(u *understanding) {
	if len(u.lost) > 0 {
		var lost []string
		for _, c := range u.lost[:min(len(u.lost), 3)] {
			lost = append(lost, "“"+shortened(c, 80)+"”")
		}
		did := ""
		if u.forbid {
			did = ", and so I changed nothing"
		}
		t.apart = append(t.apart, fmt.Sprintf("I work by rules, without a model, and did not understand %s%s. %s", strings.Join(lost, ", "), did, abilities))
	}
	if len(u.lost) == 0 && len(u.tasks) == 0 {
		t.apart = append(t.apart, "I work by rules, without a model. "+abilities)
	}
	if len(u.over) > 0 {
		t.apart = append(t.apart, fmt.Sprintf("that was more than the %d things that I do at once; ask again for “%s”", maxTasks, shortened(strings.Join(u.over, ", "), 120)))
	}
}

const abilities = "I can make a dark theme, add a size (“resize this for Instagram Story”, “1200x630”), generate backgrounds and use one of them, " +
	"and change a layer that you name: bigger, smaller, bold, another colour, text in quotes, centred, moved, hidden, removed. " +
	"For more, name a model under copilot.models in pictifyd.yaml"

// maxSummary is what finish takes.
const maxSummary = 1000

// summary says what was done, what was not, and what the checks say.
func (t *talk) summary() string {
	var parts []string
	if len(t.told) > 0 {
		parts = append(parts, "Done: "+strings.Join(t.told, "; ")+".")
	}
	if c := t.checks(); c != "" {
		parts = append(parts, c)
	}
	for _, a := range t.apart {
		parts = append(parts, strings.TrimRight(a, ". ")+".")
	}
	text := strings.Join(parts, " ")
	if text == "" {
		text = "Nothing was changed."
	}
	for len(text) > maxSummary {
		text = shortened(text, len([]rune(text))-1-(len(text)-maxSummary)/4)
	}
	return text
}

// checks is what they said last.
func (t *talk) checks() string {
	if !t.checked {
		return ""
	}
	errors := slices.DeleteFunc(slices.Clone(t.found), func(f finding) bool { return f.Level != "error" })
	worst, kind := errors, "error"
	if len(errors) == 0 {
		worst, kind = t.found, "warning"
	}
	if len(worst) == 0 {
		return "The checks have nothing against it."
	}
	if len(worst) > 1 {
		kind += "s"
	}
	var first []string
	for _, f := range worst[:min(len(worst), 2)] {
		first = append(first, shortened(f.Message, 120))
	}
	return fmt.Sprintf("The checks say %d %s: %s.", len(worst), kind, strings.TrimRight(strings.Join(first, "; "), "."))
}
