package template

import (
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// A declaration is one property in a style attribute or a rule.
type declaration struct {
	property, value string
	at              int
}

// A rule of a style sheet.
type rule struct {
	selector string
	at       int
	body     []declaration
}

// A styleBook is all CSS of a document, as far as lint has to know it.
type styleBook struct {
	base  []rule            // of all sizes
	sizes map[string][]rule // of the blocks of one size
	at    map[string]int    // where those begin
}

func readStyles(doc *markup.Document) styleBook {
	b := styleBook{sizes: map[string][]rule{}, at: map[string]int{}}
	doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element || n.Name != "style" {
			return true
		}
		size, isSize := strings.CutPrefix(n.ID(), sizeStyle)
		for _, text := range n.Children {
			rules := readRules(string(doc.Masked[text.Start:text.Stop]), string(doc.Src[text.Start:text.Stop]), text.Start)
			if isSize {
				b.sizes[size] = append(b.sizes[size], rules...)
			} else {
				b.base = append(b.base, rules...)
			}
		}
		if isSize {
			b.at[size] = n.Start
		}
		return true
	})
	return b
}

var quietCSS = regexp.MustCompile(`(?s)/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'`)

// readRules reads the rules of a style sheet that begins at the offset. Those
// inside @media and the like count as well. masked has no braces in expressions.
func readRules(masked, text string, offset int) []rule {
	masked = quietCSS.ReplaceAllStringFunc(masked, func(s string) string { return strings.Repeat("x", len(s)) })
	var rules []rule
	start := 0
	for i := 0; i < len(masked); i++ {
		switch masked[i] {
		case '{':
			end := strings.IndexAny(masked[i+1:], "{}")
			if end < 0 {
				return rules
			}
			if masked[i+1+end] == '}' {
				from := start + leadingSpace(masked[start:i])
				rules = append(rules, rule{
					selector: strings.TrimSpace(text[from:i]), at: offset + from,
					body: readDeclarations(masked[i+1:i+1+end], text[i+1:i+1+end], offset+i+1),
				})
				i += 1 + end
			}
			start = i + 1
		case '}', ';':
			start = i + 1
		}
	}
	return rules
}

func leadingSpace(s string) int { return len(s) - len(strings.TrimLeft(s, " \t\r\n\f")) }

// readDeclarations reads "property: value; …", which begins at the offset.
func readDeclarations(masked, text string, offset int) []declaration {
	var out []declaration
	start, depth := 0, 0
	for i := 0; i <= len(masked); i++ {
		if i < len(masked) {
			switch masked[i] {
			case '(':
				depth++
			case ')':
				depth--
			}
			if masked[i] != ';' || depth > 0 {
				continue
			}
		}
		if name, _, ok := strings.Cut(masked[start:i], ":"); ok {
			at := start + leadingSpace(masked[start:i])
			out = append(out, declaration{
				property: strings.ToLower(strings.TrimSpace(name)), value: strings.TrimSpace(text[start+len(name)+1 : i]), at: offset + at,
			})
		}
		start = i + 1
	}
	return out
}

// inline are the declarations of n's style attribute.
func (l *linter) inline(n *markup.Node) []declaration {
	t := markup.ParseTag(l.reader.doc.Masked, n.Start, n.Stop)
	a, ok := t.Find("style")
	if !ok {
		return nil
	}
	return readDeclarations(string(l.reader.doc.Masked[a.ValueStart:a.ValueEnd]), string(l.Src[a.ValueStart:a.ValueEnd]), a.ValueStart)
}

// of are the declarations that rules give to n by its id, its classes or its name.
func of(rules []rule, n *markup.Node) []declaration {
	var out []declaration
	for _, r := range rules {
		for selector := range strings.SplitSeq(r.selector, ",") {
			if selects(strings.TrimSpace(selector), n) {
				out = append(out, r.body...)
				break
			}
		}
	}
	return out
}

var lastCompound = regexp.MustCompile(`([^\s>+~]+)$`)

// selects reports whether a selector may mean n: by its last part alone.
func selects(selector string, n *markup.Node) bool {
	last := lastCompound.FindString(selector)
	if id := n.ID(); id != "" && last == "#"+id {
		return true
	}
	if class, ok := strings.CutPrefix(last, "."); ok {
		return n.HasClass(class)
	}
	return last == n.Name
}

// has reports whether any of the properties is set.
func has(declarations []declaration, properties ...string) bool {
	for _, d := range declarations {
		for _, p := range properties {
			if d.property == p {
				return true
			}
		}
	}
	return false
}
