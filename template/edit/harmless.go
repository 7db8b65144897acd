package edit

import (
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// refused are the elements that no template may have; the compiler refuses
// them as well, in documents that are written by hand.
var refused = map[string]bool{
	"script": true, "iframe": true, "frame": true, "frameset": true, "object": true, "embed": true, "applet": true, "portal": true,
	"base": true, "link": true, "meta": true, "noscript": true, "noembed": true, "noframes": true, "plaintext": true, "xmp": true,
	"html": true, "head": true, "body": true,
}

// refusedAttrs run, load or reinterpret what is not in the template.
var refusedAttrs = map[string]bool{"srcdoc": true, "srcset": true, "imagesrcset": true, "http-equiv": true, "ping": true, "formaction": true, "action": true, "is": true}

var script = regexp.MustCompile(`^[\s\x00-\x1f]*(?i:j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|vbscript)\s*:`)

// harmless refuses HTML that no template may have.
func harmless(content, field string) *problem.Error {
	var p *problem.Error
	markup.Parse([]byte(content)).All(func(n *markup.Node) bool {
		switch n.Kind {
		case markup.Element:
			p = harmlessTag(n, field)
		case markup.Stray:
			p = problem.New(problem.Invalid, "the end tag %s ends nothing", n.Raw).At(field)
		case markup.Doctype:
			p = problem.New(problem.Invalid, "%s has no place inside a document", n.Raw).At(field)
		}
		return p == nil
	})
	return p
}

func harmlessTag(n *markup.Node, field string) *problem.Error {
	if refused[n.Name] {
		return problem.New(problem.Invalid, "safety: <%s> has no place in a layer", n.Name).WithSlug("unsafe").At(field)
	}
	for _, a := range n.Tag().Attrs {
		value, _ := n.Get(a.Name)
		if p := harmlessAttr(a.Name, value, field); p != nil {
			return p
		}
	}
	return nil
}

func harmlessAttr(name, value, field string) *problem.Error {
	switch {
	case strings.HasPrefix(name, "on"):
		return problem.New(problem.Invalid, "safety: %s: templates run without JavaScript", name).WithSlug("unsafe").At(field)
	case refusedAttrs[name]:
		return problem.New(problem.Invalid, "safety: the attribute %s has no place in a template", name).WithSlug("unsafe").At(field)
	case script.MatchString(value):
		return problem.New(problem.Invalid, "safety: %s is an address that runs a script", name).WithSlug("unsafe").At(field)
	}
	return nil
}
