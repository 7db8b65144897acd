package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A binding is a directive: its attribute, and whether its expression stands in
// {{ }} because it is a value.
type binding struct {
	attr  string
	value bool
}

// bindingOf finds the directive of a target. The target text has none: its
// expression is the text.
func bindingOf(target string) (binding, *problem.Error) {
	family, name, named := strings.Cut(target, ":")
	switch {
	case target == "src":
		return binding{"p-src", true}, nil
	case target == "if" || target == "else-if" || target == "for":
		return binding{"p-" + target, false}, nil
	case named && !attrName.MatchString(name) && !strings.HasPrefix(name, "-"):
	case family == "attr":
		if p := harmlessAttr(name, "", "target"); p != nil {
			return binding{}, p
		}
		if name == "id" || name == "style" || strings.HasPrefix(name, "p-") {
			return binding{}, problem.New(problem.Unsupported, "the attribute %s cannot be bound", name).At("target").WithHint("bind style:PROPERTY or class:NAME")
		}
		return binding{"p-attr-" + name, true}, nil
	case family == "style":
		if !contains(properties, name) && !strings.HasPrefix(name, "--") {
			return binding{}, unknown(problem.New(problem.Unsupported, "the property %q is not for layers", name).At("target"), name, properties)
		}
		return binding{"p-style-" + name, true}, nil
	case family == "class" && !strings.HasPrefix(name, "p-"):
		return binding{"p-class-" + name, false}, nil
	}
	return binding{}, problem.New(problem.Invalid, "%q cannot be bound", target).At("target").
		WithHint("the targets are text, src, if, else-if, for, attr:NAME, style:PROPERTY and class:NAME")
}

func (e *editor) setBinding(op Op) ([]way, *problem.Error) {
	expression, p := bare(op.Expr)
	if p != nil {
		return nil, p
	}
	if op.Target == "text" {
		return e.bindText(op, expression)
	}
	b, p := bindingOf(op.Target)
	if p != nil {
		return nil, p
	}
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if op.Target == "src" && n.Name != "img" {
		return nil, problem.New(problem.Unsupported, "a <%s> has no source", n.Name).At("target").WithHint("src is for <img>")
	}
	value := expression
	if b.value && expression != nil {
		value = text("{{ " + *expression + " }}")
	}
	return e.changeAttr(n, op.ID, b.attr, value, func(old *string) Op {
		undo := Op{Op: "set_binding", ID: op.ID, Target: op.Target}
		if old != nil {
			undo.Expr, _ = bare(old)
		}
		return undo
	})
}

// bindText makes the expression the whole text; without one the text is empty.
func (e *editor) bindText(op Op, expression *string) ([]way, *problem.Error) {
	content := ""
	if expression != nil {
		content = "{{ " + *expression + " }}"
	}
	return e.setText(Op{ID: op.ID, Text: &content})
}

// bare is an expression without the {{ }} that people put around it.
func bare(expression *string) (*string, *problem.Error) {
	if expression == nil {
		return nil, nil
	}
	s := strings.TrimSpace(*expression)
	if holdsExpression(s) {
		s = strings.TrimSpace(s[2 : len(s)-2])
	}
	if s == "" {
		return nil, problem.New(problem.Invalid, "there is no expression").At("expr").WithHint("null takes the binding away")
	}
	if !holdsExpression("{{ "+s+" }}") || strings.ContainsAny(s, "\x00\r") {
		return nil, problem.New(problem.Invalid, "%q is not one expression", s).At("expr").WithHint("quotes and braces must pair up")
	}
	marks, _ := markup.Marks([]byte(s))
	if len(marks) > 0 {
		return nil, problem.New(problem.Invalid, "an expression has no {{ }} inside").At("expr")
	}
	return &s, nil
}
