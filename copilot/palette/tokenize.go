package palette

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Tokenize gives the literal colours of a document tokens, named for their role:
// those in style sheets, style attributes, attributes of inline SVG and of old
// HTML. The picture stays the same to the pixel, in every size and theme. What is
// locked, what rows decide and what tokens there are stay. A document without
// literal colours gets no operation.
func Tokenize(d look.Doc) (craft.Change, error) {
	doc := markup.Parse(d.Source)
	t := tokenizer{sites: sitesOf(doc), taken: takenNames(doc)}
	t.collect()
	if len(t.groups) == 0 {
		return craft.Change{Notes: t.notes}, nil
	}
	t.name()
	for _, g := range t.groups {
		value := g.value
		t.ops = append(t.ops, edit.Op{Op: "set_token", Name: g.name, Value: &value})
	}
	with, err := edit.Apply(d.Source, t.ops)
	if err != nil {
		return craft.Change{}, fmt.Errorf("give template %q tokens: %w", d.Name, err)
	}
	doc = markup.Parse(with.Source)
	t.use(doc)
	rest, err := edit.Diff(with.Source, []byte(doc.Print()))
	if err != nil {
		return craft.Change{}, fmt.Errorf("use the tokens of template %q: %w", d.Name, err)
	}
	return craft.Change{Ops: append(t.ops, rest...), Notes: append(t.notes, t.summary())}, nil
}

// A tokenizer turns literal colours into tokens.
type tokenizer struct {
	sites  []site
	taken  map[string]bool
	groups []*group
	ops    []edit.Op
	notes  []string
	locked bool
}

// A group is a colour in one role: what becomes a token.
type group struct {
	color  rgb
	value  string // as it is written where it is first used
	family family
	accent bool // a colour that stands out, which is one in whatever it paints
	page   bool // the ground of a page
	uses   int
	name   string
}

// Chroma and lightness tell a colour that means something from a shade of grey.
const (
	accentChroma = 0.055
	tintChroma   = 0.022
)

func standsOut(c rgb) bool {
	o := c.lch()
	return c.a == 1 && o.c >= accentChroma && o.l > 0.2 && o.l < 0.95
}

// literals are the literal colours of a site that may become tokens.
func (t *tokenizer) literals(s site) []part {
	if s.place == inHTML {
		return t.oldColor(s)
	}
	var out []part
	for _, p := range partsOf(s.value, true) {
		if p.kind == literalPart {
			out = append(out, p)
		}
	}
	return out
}

// oldColor is the colour of an attribute of old HTML, unless something else decides.
func (t *tokenizer) oldColor(s site) []part {
	c, ok := parseColor(s.value)
	if !ok {
		c, ok = parseColor("#" + strings.TrimSpace(s.value))
	}
	if !ok || strings.Contains(s.value, "{{") {
		return nil
	}
	style := s.node.Style()
	for _, property := range []string{s.property, "background"} {
		if _, set := style.Get(property); set && (property != "background" || s.family == surface) {
			return nil
		}
	}
	for _, other := range t.sites {
		if other.place == inSheet && (other.property == s.property || s.family == surface && other.property == "background") && mayMatch(other.selector, s.node) {
			t.note(fmt.Sprintf("%s=%q of a <%s> stays, because the rule %q may decide its colour", s.attr, s.value, s.node.Name, other.selector))
			return nil
		}
	}
	return []part{{to: len(s.value), text: c.String(), color: c}}
}

func (t *tokenizer) note(text string) {
	if !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

// mayMatch reports whether a selector can be that of the element: it errs on the
// side of yes.
func mayMatch(selector string, n *markup.Node) bool {
	for one := range strings.SplitSeq(selector, ",") {
		words := strings.FieldsFunc(strings.TrimSpace(one), func(r rune) bool { return r == ' ' || r == '>' || r == '+' || r == '~' })
		if len(words) == 0 {
			continue
		}
		last := words[len(words)-1]
		end := strings.IndexAny(last, ".#:[")
		if end < 0 {
			end = len(last)
		}
		tag, rest := strings.ToLower(last[:end]), last[end:]
		switch {
		case tag != "" && tag != "*" && tag != n.Name:
		case strings.HasPrefix(rest, "."):
			name := rest[1:]
			if i := strings.IndexAny(name, ".#:["); i >= 0 {
				name = name[:i]
			}
			if n.HasClass(name) {
				return true
			}
		case strings.HasPrefix(rest, "#"):
			if strings.HasPrefix(rest[1:], n.ID()) && n.ID() != "" {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// usable reports whether the colours of a site become tokens; it notes those that
// cannot.
func (t *tokenizer) usable(s site) bool {
	if s.locked {
		if len(t.literals(s)) > 0 {
			t.locked = true
		}
		return false
	}
	return true
}

func (t *tokenizer) collect() {
	byKey := map[string]*group{}
	for _, s := range t.sites {
		if !t.usable(s) {
			continue
		}
		for _, p := range t.literals(s) {
			key, fam, accent := keyOf(s, p)
			g := byKey[key]
			if g == nil {
				g = &group{color: p.color, value: p.text, family: fam, accent: accent}
				byKey[key] = g
				t.groups = append(t.groups, g)
			}
			g.uses++
			g.page = g.page || fam == surface && pageGround(s)
			if g.accent && g.family != fam {
				g.family = noFamily
			}
		}
	}
	if t.locked {
		t.note("what is locked keeps its literal colours")
	}
}

// keyOf is what tells a group from others.
func keyOf(s site, p part) (key string, fam family, accent bool) {
	fam, accent = s.family, standsOut(p.color)
	if fam == shadow && p.color.a == 1 && accent {
		fam = line // a ring
	}
	key = fmt.Sprintf("%v %d", p.color, fam)
	if accent {
		key = fmt.Sprintf("%v accent", p.color)
	}
	return key, fam, accent
}

// pageGround reports whether a site paints the ground of a whole page.
func pageGround(s site) bool {
	page := func(n *markup.Node) bool { return n.Page() || n.Name == "body" || n.Name == "html" }
	if s.place != inSheet {
		return page(s.node)
	}
	sel := strings.TrimSpace(s.selector)
	if sel == "body" || sel == "html" || strings.HasSuffix(sel, "."+markup.PageClass) {
		return true
	}
	root := s.node
	for root.Parent != nil {
		root = root.Parent
	}
	n := root.Find(strings.TrimPrefix(sel, "#"))
	return strings.HasPrefix(sel, "#") && n != nil && page(n)
}

// role is the name of what a group is for, and its place among the tokens.
func (g *group) role() (name string, rank int) {
	o := g.color.lch()
	switch {
	case g.family == shadow:
		return "shadow", 9
	case g.color.a < 1 && g.family == surface && o.l < 0.5:
		return "scrim", 8
	case g.color.a < 1 && g.family == surface:
		return "veil", 8
	case g.accent && g.family == letters:
		return "accent-text", 6
	case g.accent:
		return "accent", 5
	case g.family == surface && g.page:
		return "paper", 0
	case g.family == surface && o.c >= tintChroma && o.l > 0.8:
		return "tint", 1
	case g.family == surface && o.l >= 0.6:
		return "surface", 1
	case g.family == surface:
		return "ground", 2
	case g.family == letters && (o.l >= 0.75):
		return "on-dark", 3
	case g.family == letters && (o.l >= 0.45 || g.color.a < 1):
		return "soft", 3
	case g.family == letters:
		return "ink", 3
	case g.family == line:
		return "line", 4
	}
	return "mark", 7
}

// name gives groups their names and their order.
func (t *tokenizer) name() {
	slices.SortStableFunc(t.groups, func(a, b *group) int {
		_, x := a.role()
		_, y := b.role()
		if x != y || x != 3 && x != 5 {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(b.uses, a.uses)
	})
	for _, g := range t.groups {
		role, _ := g.role()
		g.name = fresh(t.taken, role)
	}
}

// use writes var(--name) in the place of literal colours.
func (t *tokenizer) use(doc *markup.Document) {
	names := map[string]string{}
	for _, g := range t.groups {
		key := fmt.Sprintf("%v accent", g.color)
		if !g.accent {
			key = fmt.Sprintf("%v %d", g.color, g.family)
		}
		names[key] = g.name
	}
	t.sites = sitesOf(doc)
	text := func(s site, p part) string {
		key, _, _ := keyOf(s, p)
		return "var(--" + names[key] + ")"
	}
	var old []site
	rewrite(t.sites, func(s site) (string, bool) {
		if s.locked {
			return "", false
		}
		parts := t.literals(s)
		if s.place == inHTML {
			if len(parts) > 0 {
				s.value = text(s, parts[0])
				old = append(old, s)
			}
			return "", false
		}
		return replaced(s.value, parts, func(p part) string { return text(s, p) }), len(parts) > 0
	})
	for _, s := range old {
		s.node.Unset(s.attr)
		style := s.node.Style()
		style.Set(s.property, s.value, "")
		s.node.SetStyle(style)
	}
}

func (t *tokenizer) summary() string {
	var names []string
	uses := 0
	for _, g := range t.groups {
		names = append(names, g.name)
		uses += g.uses
	}
	return fmt.Sprintf("%d literal colours are %d tokens now: %s", uses, len(names), strings.Join(names, ", "))
}
