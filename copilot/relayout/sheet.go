package relayout

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// A rule is one selector with its declarations, in the order in which they count.
type rule struct {
	selector string
	cond     string // what stands before the subject
	subject  string // the last compound of the selector
	decls    []markup.Decl
	own      bool // stands in the sheet of the size that is looked at, and so wins over all others
	nodes    []*markup.Node
}

// rulesOf are the rules of a document in one size: of the style sheets, then of
// style attributes of elements with an id, then of the size's own sheet.
func rulesOf(doc *markup.Document, size string) []rule {
	var base, inline, own []rule
	doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element {
			return true
		}
		if n.Name != "style" {
			if style, ok := n.Get("style"); ok && n.ID() != "" {
				inline = append(inline, rule{selector: "#" + n.ID(), subject: "#" + n.ID(), decls: markup.ParseStyle(style).Decls(), nodes: []*markup.Node{n}})
			}
			return true
		}
		switch of, isSize := strings.CutPrefix(n.ID(), sizePrefix); {
		case isSize && of == size:
			own = append(own, sheetRules(n.Inner(), true)...)
		case !isSize && n.ID() != tokensID:
			base = append(base, sheetRules(n.Inner(), false)...)
		}
		return true
	})
	all := slices.Concat(base, inline, own)
	var elements []*markup.Node
	doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element {
			elements = append(elements, n)
		}
		return true
	})
	for i := range all {
		if all[i].nodes == nil {
			all[i].nodes = matching(elements, all[i])
		}
	}
	return all
}

const (
	sizePrefix = "p-size-"
	tokensID   = "p-tokens"
	manifestID = "p-template"
)

func sheetRules(css string, own bool) []rule {
	rules, _ := markup.Rules(css)
	var out []rule
	for _, r := range rules {
		if !r.Plain || strings.HasPrefix(r.Selector, "@") {
			continue
		}
		decls := markup.ParseBlock(css[r.BodyStart:r.BodyEnd]).Decls()
		for _, s := range markup.SplitCSS(r.Selector, ',') {
			for _, one := range expanded(strings.Join(strings.Fields(s), " ")) {
				cond, subject := parted(one)
				out = append(out, rule{selector: one, cond: cond, subject: subject, decls: decls, own: own})
			}
		}
	}
	return out
}

var isList = regexp.MustCompile(`^(.*?)\s*:is\(([^()]*)\)$`)

// expanded is a selector whose subject is a list, as one for each of them.
func expanded(selector string) []string {
	m := isList.FindStringSubmatch(selector)
	if m == nil || m[1] != "" && !strings.HasSuffix(selector[:len(selector)-len(m[2])-5], " ") {
		return []string{selector}
	}
	var out []string
	for _, s := range strings.Split(m[2], ",") {
		out = append(out, strings.TrimSpace(m[1]+" "+strings.TrimSpace(s)))
	}
	return out
}

// parted is what stands before the last compound of a selector, and that.
func parted(selector string) (cond, subject string) {
	depth, at := 0, 0
	for i := 0; i < len(selector); i++ {
		switch selector[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ' ', '>', '+', '~':
			if depth == 0 {
				at = i + 1
			}
		}
	}
	return strings.TrimSpace(selector[:at]), selector[at:]
}

// matching are the elements that a rule may be for, whatever a row says.
func matching(elements []*markup.Node, r rule) []*markup.Node {
	var out []*markup.Node
	outer := outerOf(r.cond)
	for _, n := range elements {
		if mayBe(n, r.subject) && within(n, outer) {
			out = append(out, n)
		}
	}
	return out
}

// outerOf are the compounds that elements around the subject must be.
func outerOf(cond string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(masked(cond), func(r rune) bool { return r == ' ' || r == '>' }) {
		if strings.ContainsAny(part, "+~") {
			return out
		}
		out = append(out, part)
	}
	return out
}

// masked is a selector without what stands in brackets.
func masked(s string) string { return brackets.ReplaceAllString(s, "") }

var brackets = regexp.MustCompile(`\[[^\]]*\]|:[a-z-]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?`)

func within(n *markup.Node, outer []string) bool {
	for _, part := range outer {
		found := false
		for p := n.Parent; p != nil && !found; p = p.Parent {
			found = p.Kind == markup.Element && mayBe(p, part)
		}
		if !found {
			return false
		}
	}
	return true
}

var simple = regexp.MustCompile(`[#.]?(?:\\.|[^#.\\])+`)

// mayBe reports whether n can be what a compound says; classes that rows decide
// may be there.
func mayBe(n *markup.Node, compound string) bool {
	for _, part := range simple.FindAllString(masked(compound), -1) {
		switch {
		case part[0] == '#':
			if n.ID() != part[1:] {
				return false
			}
		case part[0] == '.':
			if !mayHaveClass(n, part[1:]) {
				return false
			}
		case part != "*" && !strings.EqualFold(part, n.Name):
			return false
		}
	}
	return true
}

func mayHaveClass(n *markup.Node, class string) bool {
	if n.HasClass(class) {
		return true
	}
	for _, name := range []string{"p-class-" + class, "data-p-class-" + class} {
		if _, ok := n.Get(name); ok {
			return true
		}
	}
	return false
}

// get is the value of a property in declarations, the last of its name.
func get(decls []markup.Decl, name string) (string, bool) {
	for i := len(decls) - 1; i >= 0; i-- {
		if decls[i].Name == name {
			return strings.TrimSpace(importantMark.ReplaceAllString(decls[i].Value, "")), true
		}
	}
	return "", false
}

var (
	importantMark = regexp.MustCompile(`(?i)\s*!\s*important\s*$`)
	plainPixels   = regexp.MustCompile(`^(-?(?:\d+\.?\d*|\.\d+))(?:px)?$`)
)

// pixels is a length in CSS pixels.
func pixels(value string) (float64, bool) {
	m := plainPixels.FindStringSubmatch(strings.TrimSpace(value))
	if m == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	return v, err == nil && (strings.HasSuffix(value, "px") || v == 0)
}
