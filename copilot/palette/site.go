package palette

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

const tokensID = "p-tokens"

// A family is what a declaration paints.
type family int

const (
	noFamily family = iota
	surface         // grounds
	letters         // text
	line            // borders, outlines
	mark            // shapes of inline SVG
	shadow
)

// A place is where CSS with colours stands.
type place int

const (
	inSheet place = iota
	inStyle       // a style attribute
	inAttr        // an attribute that takes a CSS value, of SVG
	inHTML        // an attribute of old HTML: bgcolor
)

// A site is a declaration that can have colours.
type site struct {
	place    place
	node     *markup.Node // the style sheet, or the element
	selector string       // in style sheets
	property string
	attr     string // the name, where it is an attribute
	from, to int    // of the value in the text of the style sheet or of the attribute
	value    string
	family   family
	locked   bool
}

// familyOf is what a property paints; noFamily for properties without colours.
func familyOf(property string) family {
	switch p := strings.ToLower(property); {
	case strings.HasPrefix(p, "--"):
		return mark
	case p == "background" || p == "background-color" || p == "background-image":
		return surface
	case p == "color" || strings.HasPrefix(p, "-webkit-text-") || strings.HasPrefix(p, "text-decoration") || strings.HasPrefix(p, "text-emphasis"):
		return letters
	case p == "border-image" || strings.HasSuffix(p, "radius"):
		return noFamily
	case strings.HasPrefix(p, "border") || strings.HasPrefix(p, "outline") || strings.HasPrefix(p, "column-rule"):
		return line
	case slices.Contains(svgPaint, p):
		return mark
	case p == "box-shadow" || p == "text-shadow" || p == "filter":
		return shadow
	}
	return noFamily
}

var svgPaint = strings.Fields("fill stroke stop-color flood-color lighting-color")

// oldAttrs are attributes of old HTML by the property that says the same.
var oldAttrs = map[string]string{"bgcolor": "background-color", "text": "color", "color": "color"}

// sitesOf are the declarations of a document that can have colours, without the
// definitions of its tokens, in the order of the document.
func sitesOf(doc *markup.Document) []site {
	var sites []site
	var walk func(n *markup.Node, locked bool)
	walk = func(n *markup.Node, locked bool) {
		if n.Kind == markup.Element {
			if n.Name == "mask" || n.Name == "clippath" || n.Name == "script" {
				return // colours in a mask are no colours
			}
			if v, has := n.Get("p-lock"); has && v != "false" {
				locked = true
			}
			if n.Name == "style" {
				if n.ID() != tokensID {
					sites = append(sites, sheetSites(n)...)
				}
				return
			}
			sites = append(sites, elementSites(n, locked)...)
		}
		for _, child := range n.Children {
			walk(child, locked)
		}
	}
	walk(doc.Node, false)
	return sites
}

func elementSites(n *markup.Node, locked bool) []site {
	var sites []site
	for _, a := range n.Tag().Attrs {
		value, _ := n.Get(a.Name)
		s := site{place: inAttr, node: n, attr: a.Name, property: a.Name, to: len(value), value: value, locked: locked}
		switch {
		case a.Name == "style":
			for _, d := range declarations(value, true) {
				d.place, d.node, d.attr, d.locked = inStyle, n, "style", locked
				sites = append(sites, d)
			}
			continue
		case slices.Contains(svgPaint, a.Name):
			s.family = mark
			if a.Name == "fill" && (n.Name == "text" || n.Name == "tspan") {
				s.family = letters
			}
		case oldAttrs[a.Name] != "" && oldHTML(n, a.Name):
			s.place, s.property = inHTML, oldAttrs[a.Name]
			s.family = familyOf(s.property)
		default:
			continue
		}
		sites = append(sites, s)
	}
	return sites
}

func oldHTML(n *markup.Node, attr string) bool {
	switch attr {
	case "bgcolor":
		return slices.Contains(strings.Fields("body table thead tbody tfoot tr td th"), n.Name)
	case "text":
		return n.Name == "body"
	}
	return n.Name == "font" || n.Name == "basefont"
}

func sheetSites(n *markup.Node) []site {
	sites := declarations(n.Inner(), false)
	for i := range sites {
		sites[i].node = n
	}
	return sites
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/`)

// declarations are those in a style sheet, or in the list of a style attribute,
// whose property can have colours.
func declarations(css string, list bool) []site {
	masked := markup.MaskCSS(css)
	var out []site
	var preludes []string
	from := 0
	take := func(to int) {
		if len(preludes) == 0 && !list {
			return
		}
		colon := strings.IndexByte(masked[from:to], ':')
		if colon < 0 {
			return
		}
		s := site{property: strings.ToLower(strings.TrimSpace(masked[from : from+colon])), from: from + colon + 1, to: to}
		for s.from < s.to && isBlank(masked[s.from]) {
			s.from++
		}
		for s.to > s.from && isBlank(masked[s.to-1]) {
			s.to--
		}
		if i := strings.LastIndexByte(masked[s.from:s.to], '!'); i >= 0 {
			s.to = s.from + len(strings.TrimRight(masked[s.from:s.from+i], " \t\r\n\f"))
		}
		s.value, s.family = css[s.from:s.to], familyOf(s.property)
		if len(preludes) > 0 {
			s.selector = preludes[len(preludes)-1]
		}
		if s.family != noFamily && s.value != "" {
			out = append(out, s)
		}
	}
	for i := range len(masked) {
		switch masked[i] {
		case '{':
			preludes = append(preludes, strings.TrimSpace(comment.ReplaceAllString(css[from:i], "")))
			from = i + 1
		case '}':
			if !slices.ContainsFunc(preludes, opaqueRule) {
				take(i)
			}
			preludes = preludes[:max(0, len(preludes)-1)]
			from = i + 1
		case ';':
			if !slices.ContainsFunc(preludes, opaqueRule) {
				take(i)
			}
			from = i + 1
		}
	}
	if list {
		take(len(masked))
	}
	return out
}

// opaqueRule reports whether an at-rule holds something other than styles.
func opaqueRule(prelude string) bool {
	for _, at := range []string{"@font-face", "@page", "@property", "@counter-style", "@font-feature"} {
		if strings.HasPrefix(strings.ToLower(prelude), at) {
			return true
		}
	}
	return false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// rewrite gives sites of a document other values. The document is changed; what
// is in sites is out of date behind it.
func rewrite(sites []site, value func(site) (string, bool)) {
	type text struct {
		node *markup.Node
		attr string
	}
	edits := map[text][]site{}
	var order []text
	for _, s := range sites {
		v, changed := value(s)
		if !changed || v == s.value {
			continue
		}
		key := text{s.node, s.attr}
		if edits[key] == nil {
			order = append(order, key)
		}
		s.value = v
		edits[key] = append(edits[key], s)
	}
	for _, key := range order {
		old := key.node.Inner()
		if key.attr != "" {
			old, _ = key.node.Get(key.attr)
		}
		var b strings.Builder
		from := 0
		for _, s := range edits[key] { // in their order, which is that of the text
			b.WriteString(old[from:s.from] + s.value)
			from = s.to
		}
		b.WriteString(old[from:])
		if key.attr != "" {
			key.node.Set(key.attr, b.String())
			continue
		}
		key.node.Children = nil
		key.node.Insert(0, &markup.Node{Kind: markup.Text, Raw: b.String()})
	}
}
