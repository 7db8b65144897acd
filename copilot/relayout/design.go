package relayout

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A design is a document as it looks in one of its sizes.
type design struct {
	size  template.Size
	pages []*page
	rules []rule
}

// A page is a page of the source: one that is repeated is one.
type page struct {
	node   *markup.Node
	layers []*layer // in the order in which they are painted
}

const (
	isShape   kind = iota // has neither text nor picture: a panel, a rule, a pattern
	isPicture             // img, svg, codes
	isChart               // a picture that is drawn for the room that it has
	isText
	isStack
)

// A layer is a child of a page.
type layer struct {
	id       string
	node     *markup.Node
	kind     kind
	role     string
	box      rect            // in the size that is looked at
	selector string          // of the rule that places it there
	declared map[string]bool // which of left, top, width and height the styles say
	states   []state         // where a row has it elsewhere
	painted  bool            // has a background of its own
	frame    bool            // is one picture of the page's size
	headline *markup.Node    // the headline that it is or holds
	grows    bool            // room that it gets goes to its headline
	opaque   bool            // has lengths inside that no rule can reach
}

// A state is the place of a layer while a condition holds.
type state struct {
	selector string
	tokens   []string
	box      rect
	end      bool // its right edge is declared, and its left one is not
}

var geometry = []string{"left", "top", "right", "bottom", "width", "height", "inset"}

// readDesign reads a document in a size, and measures what its styles leave to the
// engine.
func readDesign(ctx context.Context, cam look.Camera, d look.Doc, size template.Size, rows []map[string]any) (*design, *album, error) {
	doc := markup.Parse(d.Source)
	g := &design{size: size, rules: rulesOf(doc, size.Name)}
	doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Page() {
			g.pages = append(g.pages, &page{node: n})
		}
		return true
	})
	if len(g.pages) == 0 {
		return nil, nil, problem.New(problem.Unsupported, "template %q has no page to lay out", d.Name).WithHint(`give a page the class "p-page", with its layers as children`)
	}
	shown := &album{cam: cam, doc: d, size: size.Name, pages: len(g.pages), rows: rows}
	if err := shown.open(ctx); err != nil {
		return nil, nil, err
	}
	boxes := shown.measured()
	for _, p := range g.pages {
		for _, n := range p.node.Elements() {
			if skipped[n.Name] {
				continue
			}
			if l := g.layer(n, boxes); l.box.W > 0.5 && l.box.H > 0.5 || l.box.W > 0 && l.kind == isShape {
				p.layers = append(p.layers, l)
			}
		}
	}
	return g, shown, nil
}

var skipped = map[string]bool{"style": true, "script": true, "template": true, "br": true}

// measured are the boxes of elements by their ids; where several rows or copies
// have one, the tallest.
func (a *album) measured() map[string]rect {
	boxes := map[string]rect{}
	for _, pages := range a.shots {
		found := map[string]rect{}
		for _, shot := range pages {
			for _, b := range shot.Boxes {
				id := copies(b.ID)
				if _, ok := found[id]; !ok && id != "" && b.Width > 0 && b.Height > 0 {
					found[id] = rect{b.X, b.Y, b.Width, b.Height}
				}
			}
		}
		for id, b := range found {
			if old, ok := boxes[id]; ok {
				b = rect{old.X, old.Y, max(old.W, b.W), max(old.H, b.H)}
			}
			boxes[id] = b
		}
	}
	return boxes
}

func (g *design) layer(n *markup.Node, boxes map[string]rect) *layer {
	l := &layer{id: n.ID(), node: n, declared: map[string]bool{}}
	l.role, _ = n.Get("p-role")
	l.kind = kindOf(n)
	l.headline = headlineIn(n)
	l.grows = l.headline == n || l.headline != nil && l.headline.Parent == n
	l.opaque = opaqueIn(n)
	measured, seen := boxes[l.id]
	base, alts := map[string]string{}, []rule{}
	mine := map[string]bool{} // what the size's own sheet says for all rows
	for _, r := range g.rules {
		if r.own && slices.Contains(r.nodes, n) && len(tokensOf(r)) == 0 {
			for _, d := range r.decls {
				mine[d.Name] = true
			}
		}
	}
	for _, r := range g.cascade(n) {
		tokens := tokensOf(r)
		if _, ok := background(r.decls); ok {
			l.painted = true
		}
		if v, ok := get(r.decls, "mask"); ok && strings.Contains(v, "contain") {
			l.frame = true
		}
		if len(tokens) == 0 {
			into(base, r.decls)
			continue
		}
		if !r.own {
			r.decls = slices.DeleteFunc(slices.Clone(r.decls), func(d markup.Decl) bool { return mine[d.Name] })
		}
		if slices.ContainsFunc(geometry, func(name string) bool { _, ok := get(r.decls, name); return ok }) {
			alts = append(alts, r)
		}
	}
	page := rect{0, 0, float64(g.size.Width), float64(g.size.Height)}
	l.box = boxOf(base, measured, seen, page, l.declared)
	for _, r := range alts {
		tokens := tokensOf(r)
		props := map[string]string{}
		for k, v := range base {
			props[k] = v
		}
		for _, other := range alts {
			if subset(tokensOf(other), tokens) {
				into(props, other.decls)
			}
		}
		g.resolve(props)
		_, left := pixels(props["left"])
		_, right := pixels(props["right"])
		if left && right && props["width"] != "" && slices.ContainsFunc(tokens, rightToLeft) {
			delete(props, "left") // of three that contradict each other, the end of a line counts from right to left
			left = false
		}
		l.states = append(l.states, state{r.selector, tokens, boxOf(props, measured, seen, page, map[string]bool{}), right && !left})
	}
	l.stand(measured, seen)
	return l
}

// stand has a layer be where the row has it that it was measured with, where that
// is a place of one of its states.
func (l *layer) stand(measured rect, seen bool) {
	at := func(b rect) bool { return abs(b.X-measured.X) < 3 && abs(b.Y-measured.Y) < 3 }
	l.selector = "#" + l.id
	if !seen || at(l.box) {
		return
	}
	for i, s := range l.states {
		if at(s.box) && len(s.tokens) == 1 && !rightToLeft(s.tokens[0]) {
			l.states[i] = state{selector: l.selector, box: l.box}
			l.selector, l.box = s.selector, s.box
			return
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }

// into adds geometry to what was declared before.
func into(props map[string]string, decls []markup.Decl) {
	for _, d := range decls {
		value, _ := get([]markup.Decl{d}, d.Name)
		switch d.Name {
		case "inset":
			parts := strings.Fields(value)
			for i, side := range []string{"top", "right", "bottom", "left"} {
				if len(parts) > 0 {
					props[side] = parts[[]int{0, min(1, len(parts)-1), []int{0, 0, 2, 2}[min(3, len(parts)-1)], []int{0, 1, 1, 3}[min(3, len(parts)-1)]}[i]]
				}
			}
		case "left", "top", "right", "bottom", "width", "height":
			props[d.Name] = value
		}
	}
}

// resolve puts values of CSS variables into geometry.
func (g *design) resolve(props map[string]string) {
	values := map[string]string{}
	for _, r := range g.rules {
		for _, d := range r.decls {
			if strings.HasPrefix(d.Name, "--") {
				values[d.Name] = d.Value
			}
		}
	}
	for name, value := range props {
		if m := variable.FindStringSubmatch(value); m != nil {
			if v, ok := values[m[1]]; ok {
				props[name] = strings.TrimSpace(v)
			}
		}
	}
}

var variable = regexp.MustCompile(`^var\(\s*(--[\w-]+)\s*\)$`)

// boxOf is a box by its declarations; what they leave open is measured.
func boxOf(props map[string]string, measured rect, seen bool, page rect, declared map[string]bool) rect {
	side := func(name string, whole float64) (float64, bool) {
		value := props[name]
		if v, ok := pixels(value); ok {
			return v, true
		}
		if n, ok := strings.CutSuffix(value, "%"); ok {
			if v, err := strconv.ParseFloat(n, 64); err == nil {
				return v * whole / 100, true
			}
		}
		return 0, false
	}
	b := rect{}
	left, hasLeft := side("left", page.W)
	right, hasRight := side("right", page.W)
	top, hasTop := side("top", page.H)
	bottom, hasBottom := side("bottom", page.H)
	w, hasW := side("width", page.W)
	h, hasH := side("height", page.H)
	declared["left"], declared["top"], declared["width"], declared["height"] = hasLeft, hasTop, hasW || hasLeft && hasRight, hasH || hasTop && hasBottom
	b.W, b.H = w, h
	if !hasW {
		b.W = measured.W
		if hasLeft && hasRight {
			b.W = page.W - left - right
		}
	}
	if !hasH {
		b.H = measured.H
		if hasTop && hasBottom {
			b.H = page.H - top - bottom
		}
	}
	switch {
	case hasLeft:
		b.X = left
	case hasRight:
		b.X = page.W - right - b.W
	case seen:
		b.X = measured.X
	}
	switch {
	case hasTop:
		b.Y = top
	case hasBottom:
		b.Y = page.H - bottom - b.H
	case seen:
		b.Y = measured.Y
	}
	return b
}

// cascade are the rules for a node, the strongest last.
func (g *design) cascade(n *markup.Node) []rule {
	var out []rule
	for _, r := range g.rules {
		if slices.Contains(r.nodes, n) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b rule) int {
		if a.own != b.own {
			if b.own {
				return -1
			}
			return 1
		}
		return weight(a.selector) - weight(b.selector)
	})
	return out
}

var (
	idInSelector = regexp.MustCompile(`#[\w-]+`)
	stateToken   = regexp.MustCompile(`\.[\w-]+|\[[^\]]*\]|:[a-z-]+(?:\([^()]*\))?`)
)

func weight(selector string) int {
	return 1000*len(idInSelector.FindAllString(selector, -1)) + len(stateToken.FindAllString(selector, -1))
}

// tokensOf are the conditions of a rule for a layer: the classes, attributes and
// pseudo-classes beside the id that names it.
func tokensOf(r rule) []string {
	if !strings.HasPrefix(r.subject, "#") && r.cond == "" && !strings.ContainsAny(r.subject, ":[") {
		return nil // a class that layers share
	}
	return slices.DeleteFunc(stateToken.FindAllString(r.selector, -1), func(t string) bool { return t == "."+markup.PageClass })
}

func subset(a, b []string) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}
