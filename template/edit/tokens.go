package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// themeSelector is the selector of a theme's tokens; "" is no theme.
func themeSelector(theme string) string {
	if theme == "" {
		return ":root"
	}
	return `:root[data-theme="` + theme + `"]`
}

func (e *editor) setToken(op Op) ([]way, *problem.Error) {
	name := strings.TrimPrefix(op.Name, "--")
	if !tokenName.MatchString(name) {
		return nil, problem.New(problem.Invalid, "%q cannot be the name of a token: letters, digits, - and _", op.Name).At("name")
	}
	if p := checkValue(op.Value); p != nil {
		return nil, p
	}
	if op.Theme != "" {
		if p := e.hasTheme(op.Theme, "theme"); p != nil {
			return nil, p
		}
	}
	if op.Value == nil && e.doc.Find(tokensID) == nil {
		return nil, nil
	}
	n, p := e.sheet(tokensID)
	if p != nil {
		return nil, p.At("name")
	}
	e.touch(tokenTouch(op.Theme, name))
	css, selector, property := n.Inner(), themeSelector(op.Theme), "--"+name
	old, after := getDecl(css, selector, property)
	before := op.Before
	if before != "" {
		before = "--" + strings.TrimPrefix(before, "--")
	}
	changed, p := setDecl(css, selector, "\n    ", Op{Property: property, Value: op.Value, Before: before}, op.Theme != "")
	if p != nil {
		return nil, p.At("name")
	}
	undo := Op{Op: "set_token", Name: op.Name, Theme: op.Theme, Value: old, Before: strings.TrimPrefix(after, "--")}
	return []way{{undo.bare()}, {undo}}, e.edit(n, changed)
}

func tokenTouch(theme, name string) string {
	if theme == "" {
		return "token:" + name
	}
	return "theme:" + theme + "/token:" + name
}

// themes are the themes of the document, in their order.
func (e *editor) themes() []string {
	var names []string
	n := e.doc.Find(tokensID)
	if n == nil {
		return nil
	}
	rules, _, _ := findRule(n.Inner(), "")
	for _, r := range rules {
		if name, ok := themeOf(r.Selector); ok && !contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// themeOf is the theme that a rule's selector names.
func themeOf(selector string) (string, bool) {
	s := selectorSpace.ReplaceAllString(selector, "")
	s, ok := strings.CutPrefix(s, ":root[data-theme=")
	name, closed := strings.CutSuffix(s, "]")
	return name, ok && closed && tokenName.MatchString(name)
}

func (e *editor) hasTheme(name, field string) *problem.Error {
	if contains(e.themes(), name) {
		return nil
	}
	p := problem.New(problem.NotFound, "there is no theme %q", name).At(field)
	if near := nearest(name, e.themes()); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("add it by add_theme")
}

func (e *editor) addTheme(op Op) ([]way, *problem.Error) {
	if !tokenName.MatchString(op.Name) {
		return nil, problem.New(problem.Invalid, "%q cannot be the name of a theme: letters, digits, - and _", op.Name).At("name")
	}
	if contains(e.themes(), op.Name) {
		return nil, problem.New(problem.Conflict, "there is a theme %q already", op.Name).At("name")
	}
	n, p := e.sheet(tokensID)
	if p != nil {
		return nil, p.At("name")
	}
	e.touch("theme:" + op.Name)
	css := n.Inner()
	rules, ok := rulesOf(css)
	if !ok {
		copied := *errRules
		return nil, copied.At("name")
	}
	return []way{{{Op: "remove_theme", Name: op.Name}}}, e.edit(n, withRule(css, rules, themeSelector(op.Name)+" {\n  }"))
}

func (e *editor) removeTheme(op Op) ([]way, *problem.Error) {
	if p := e.hasTheme(op.Name, "name"); p != nil {
		return nil, p
	}
	e.touch("theme:" + op.Name)
	n := e.doc.Find(tokensID)
	css := n.Inner()
	for {
		rules, at, _ := findRule(css, themeSelector(op.Name))
		if at < 0 {
			return []way{{{Op: "add_theme", Name: op.Name}}}, e.edit(n, css)
		}
		css = withoutRule(css, rules[at])
	}
}
