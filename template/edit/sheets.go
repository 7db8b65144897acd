package edit

import (
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

var loads = regexp.MustCompile(`(?i)@\s*(?:import|namespace)`)

// sheet is the style element of the id, made if there is none: behind the last
// of the format's own, else at the end of the head.
func (e *editor) sheet(id string) (*markup.Node, *problem.Error) {
	if n := e.doc.Find(id); n != nil {
		if n.Name != "style" || n.End == "" {
			return nil, problem.New(problem.Unsupported, "%q is not a <style> with an end tag", id)
		}
		return n, nil
	}
	parent, index := e.sheetPlace()
	if parent == nil {
		return nil, problem.New(problem.Unsupported, "the document has no <head> for a style sheet").WithHint("write <head></head> before the body")
	}
	s := spot{parent: parent, index: index}
	lead, trail := e.spacing(s)
	content := lead + `<style id="` + id + `"></style>` + trail
	p := e.quietly(Op{Op: "add_node", Parent: e.address(parent), Index: &index, HTML: &content})
	return e.doc.Find(id), p
}

func (e *editor) sheetPlace() (parent *markup.Node, index int) {
	e.doc.All(func(n *markup.Node) bool {
		id := n.ID()
		switch {
		case n.Kind != markup.Element:
		case n.Name == "head":
			parent, index = n, len(n.Elements())
		case n.Name == "style" && n.Parent == parent && (id == tokensID || strings.HasPrefix(id, sizePrefix)):
			index = elementIndex(n) + 1
		}
		return n.Name != "body"
	})
	return parent, index
}

// edit changes the text of a style sheet or of the manifest by an operation of
// its own.
func (e *editor) edit(n *markup.Node, content string) *problem.Error {
	old := n.Inner()
	if old == content {
		return nil
	}
	from, to := passage(old, content)
	return e.quietly(Op{Op: "patch_text", ID: e.address(n), Old: from, New: to})
}

// quietly applies an operation that is a part of another, which says more
// exactly what is touched.
func (e *editor) quietly(op Op) *problem.Error {
	touched := e.touched
	e.touched = map[string]bool{}
	p := e.apply(op)
	e.touched = touched
	return p
}

// findRule is the last rule of the selector that has declarations only; -1 if
// there is none.
func findRule(css, selector string) (rules []markup.Rule, at int, ok bool) {
	rules, ok = markup.Rules(css)
	at = -1
	for i, r := range rules {
		if r.Plain && sameSelector(r.Selector, selector) {
			at = i
		}
	}
	return rules, at, ok
}

var selectorSpace = regexp.MustCompile(`\s+|['"]`)

func sameSelector(a, b string) bool {
	return selectorSpace.ReplaceAllString(a, "") == selectorSpace.ReplaceAllString(b, "")
}

// withoutRule is css without a rule and the line that it stood on.
func withoutRule(css string, r markup.Rule) string {
	head := strings.TrimRight(css[:r.Start], " \t")
	switch {
	case strings.HasSuffix(head, "\r\n"):
		head = strings.TrimSuffix(head, "\r\n")
	case strings.HasSuffix(head, "\n"):
		head = strings.TrimSuffix(head, "\n")
	default:
		head = css[:r.Start]
	}
	return head + css[r.End:]
}

// withRule is css with one more rule on a line of its own, behind the rules.
func withRule(css string, rules []markup.Rule, rule string) string {
	if len(rules) > 0 {
		end := rules[len(rules)-1].End
		return css[:end] + "\n  " + rule + css[end:]
	}
	if strings.TrimSpace(css) == "" {
		return "\n  " + rule + "\n"
	}
	return strings.TrimRight(css, " \t\r\n") + "\n  " + rule + "\n"
}

var errRules = problem.New(problem.Unsupported, "the style sheet has something other than rules in it, or its braces do not pair up")

// setDecl changes one declaration of the rule of the selector. A rule without
// declarations goes, unless it is to be kept; a new one begins with open.
func setDecl(css, selector, open string, op Op, keep bool) (string, *problem.Error) {
	rules, at, ok := findRule(css, selector)
	if !ok {
		copied := *errRules
		return "", &copied
	}
	if at < 0 {
		if op.Value == nil {
			return css, nil
		}
		rule := selector + " {" + open + op.Property + ": " + strings.TrimSpace(*op.Value) + ";"
		return withRule(css, rules, rule+strings.Replace(open, "    ", "  ", 1)+"}"), nil
	}
	r := rules[at]
	block := markup.ParseBlock(css[r.BodyStart:r.BodyEnd])
	change(block, op.Property, op.Value, op.Before)
	if block.Empty() && !keep {
		return withoutRule(css, r), nil
	}
	return css[:r.BodyStart] + block.String() + css[r.BodyEnd:], nil
}

// getDecl is the value of a property in the rule of the selector, and the
// property behind it.
func getDecl(css, selector, property string) (value *string, after string) {
	rules, at, ok := findRule(css, selector)
	if !ok || at < 0 {
		return nil, ""
	}
	block := markup.ParseBlock(css[rules[at].BodyStart:rules[at].BodyEnd])
	if v, ok := block.Get(property); ok {
		return &v, block.After(property)
	}
	return nil, ""
}

func rulesOf(css string) ([]markup.Rule, bool) {
	rules, _, ok := findRule(css, "")
	return rules, ok
}
