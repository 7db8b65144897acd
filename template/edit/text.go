package edit

import (
	"html"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// rawText are the elements whose content is no text for people, or no markup.
var rawText = map[string]bool{"script": true, "style": true, "textarea": true, "title": true, "template": true, "xmp": true, "iframe": true, "noscript": true}

func (e *editor) setText(op Op) ([]way, *problem.Error) {
	n, p := e.unlocked(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if p := holdsText(n); p != nil {
		return nil, p
	}
	if (op.Text == nil) == (op.HTML == nil) {
		return nil, problem.New(problem.Invalid, "set_text needs text or html, and not both").At("text")
	}
	e.touch(op.ID)
	old := n.Inner()
	if op.HTML != nil {
		return e.setContent(n, op.ID, *op.HTML, old)
	}
	if len(n.Elements()) > 0 {
		return nil, problem.New(problem.Unsupported, "%q has elements inside, which text would take away", op.ID).WithSlug(Opaque).At("text").
			WithHint("give html instead of text to replace them")
	}
	setChildren(n, markup.EscapeText(*op.Text))
	return []way{{{Op: "set_text", ID: op.ID, Text: text(html.UnescapeString(old))}}, contentWay(op.ID, old)}, nil
}

func (e *editor) setContent(n *markup.Node, id, content, old string) ([]way, *problem.Error) {
	if p := e.checkLocksBelow(n, "html"); p != nil {
		return nil, p
	}
	e.touch(family(n)...)
	if p := harmless(content, "html"); p != nil {
		return nil, p
	}
	setChildren(n, content)
	e.touch(family(n)...)
	return []way{contentWay(id, old)}, nil
}

func contentWay(id, old string) way { return way{{Op: "set_text", ID: id, HTML: &old}} }

func holdsText(n *markup.Node) *problem.Error {
	switch {
	case n.Holder() || n.Name == "body" || n.Name == "html" || n.Name == "head":
		return problem.New(problem.Unsupported, "%q holds layers and has no text of its own", n.ID()).At("id").WithHint("add a layer to it")
	case markup.Void(n.Name) || rawText[n.Name]:
		return problem.New(problem.Unsupported, "a <%s> has no text that a layer could show", n.Name).At("id")
	case n.End == "":
		return problem.New(problem.Unsupported, "%q has no end tag, so that nothing says where its text ends", n.ID()).At("id").
			WithHint("write </%s> behind it", n.Name)
	}
	return nil
}

// setChildren replaces the content of n. It is read inside n: elements of SVG
// end otherwise than those of HTML.
func setChildren(n *markup.Node, content string) {
	around := ""
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Name == "svg" || up.Name == "math" {
			around = "<" + up.Name + ">"
		}
	}
	read := markup.Parse([]byte(around + n.Raw + content + n.End)).Children[0]
	if around != "" {
		read = read.Children[0]
	}
	n.Children = nil
	n.Insert(0, read.Children...)
}

// holdsExpression reports whether text is nothing but one expression.
func holdsExpression(s string) bool {
	marks, _ := markup.Marks([]byte(s))
	return len(marks) == 1 && marks[0].Start == 0 && marks[0].End == len(s)
}
