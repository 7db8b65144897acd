package edit

import (
	"html"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/element"
	"github.com/pictifyd/pictifyd/template/markup"
)

// The kinds of nodes.
const (
	PageKind    = "page"
	TextKind    = "text"
	ImageKind   = "image"
	ShapeKind   = "shape"
	GroupKind   = "group"
	StackKind   = "stack"
	ElementKind = "element" // a QR code, a chart and the like
	OpaqueKind  = "opaque"  // HTML that is written by hand
)

// A Look is a document as an editor sees it.
type Look struct {
	Nodes  []Seen        // pages and layers, each before those in it
	Themes []ThemeTokens // the first is that of no theme
	Name   string        // that the manifest gives
	// Bindings are those outside of pages.
	Bindings []template.Binding
}

// ThemeTokens are the design tokens of a theme.
type ThemeTokens struct {
	Theme  string  `json:"theme"` // "" is no theme
	Tokens []Token `json:"tokens"`
}

// A Token is a design token, its name without --.
type Token struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Seen is a page or layer as an editor sees it. All places are in the document, in
// UTF-16 units.
type Seen struct {
	Address   string                       `json:"address"` // the id, or the path where there is none of its own
	ID        string                       `json:"id,omitempty"`
	Tag       string                       `json:"tag"`
	Kind      string                       `json:"kind"`
	Element   string                       `json:"element,omitempty"` // which: qr, chart, …
	Name      string                       `json:"name,omitempty"`    // for people: p-name
	Role      string                       `json:"role,omitempty"`
	Class     string                       `json:"class,omitempty"`
	Locked    bool                         `json:"locked"` // itself, or what it stands in
	Hidden    bool                         `json:"hidden"` // by its own style
	HiddenIn  []string                     `json:"hiddenIn,omitempty"`
	Parent    string                       `json:"parent"` // "" of a page
	Children  []string                     `json:"children"`
	Text      string                       `json:"text,omitempty"` // of a text, with its {{ }}
	Rich      bool                         `json:"rich"`           // there are elements in the text
	HTML      string                       `json:"html,omitempty"` // of a rich text, its content
	Attrs     map[string]string            `json:"attrs"`          // all but id, class and style
	Style     map[string]string            `json:"style"`          // of its own attribute
	Overrides map[string]map[string]string `json:"overrides,omitempty"`
	Bindings  []template.Binding           `json:"bindings"`
	Span      [2]int                       `json:"span"`            // of the element
	Inner     *[2]int                      `json:"inner,omitempty"` // of its content
	Editable  []string                     `json:"editable"`        // operations that may change it
}

// LookAt reads a document with the bindings that its canvas found.
func LookAt(src []byte, bindings []template.Binding) Look {
	e := &editor{src: string(src), doc: markup.Parse(src)}
	l := looker{addresses: e.doc.Addresses(), units: markup.NewUnits(src), overrides: e.overrides(), bound: map[string][]template.Binding{}}
	for _, b := range bindings {
		l.bound[b.Node] = append(l.bound[b.Node], b)
	}
	look := Look{Nodes: []Seen{}, Bindings: []template.Binding{}, Themes: e.tokens(), Name: e.nameInManifest()}
	for _, page := range e.pages() {
		l.see(page, "", false)
	}
	look.Nodes = append(look.Nodes, l.nodes...)
	for _, b := range bindings { // what no node took
		if _, left := l.bound[b.Node]; left {
			look.Bindings = append(look.Bindings, b)
		}
	}
	return look
}

// A looker goes through the pages of a document.
type looker struct {
	addresses map[*markup.Node]string
	units     markup.Units
	overrides map[string]map[string]map[string]string // by id, size, property
	bound     map[string][]template.Binding
	nodes     []Seen
}

func (l *looker) see(n *markup.Node, parent string, locked bool) {
	s := Seen{
		Address: l.addresses[n], ID: n.ID(), Tag: n.Name, Parent: parent, Children: []string{},
		Attrs: map[string]string{}, Style: map[string]string{}, Bindings: []template.Binding{}, Editable: []string{},
	}
	s.Kind, s.Element = kindOfNode(n)
	s.Locked = locked || isLocked(n)
	s.Class, _ = n.Get("class")
	for _, a := range n.Tag().Attrs {
		if a.Name != "id" && a.Name != "class" && a.Name != "style" {
			s.Attrs[a.Name], _ = n.Get(a.Name)
		}
	}
	s.Name, s.Role = s.Attrs["p-name"], s.Attrs["p-role"]
	for _, d := range n.Style().Decls() {
		s.Style[d.Name] = d.Value
	}
	s.Hidden = hides(s.Style)
	if s.Overrides = l.overrides[s.ID]; s.ID == "" || s.Address != s.ID {
		s.Overrides = nil
	}
	for _, size := range sortedKeys(s.Overrides) {
		if hides(s.Overrides[size]) {
			s.HiddenIn = append(s.HiddenIn, size)
		}
	}
	s.Span = [2]int{l.units.At(n.Start), l.units.At(n.EndStart + len(n.End))}
	if n.End != "" {
		s.Inner = &[2]int{l.units.At(n.Stop), l.units.At(n.EndStart)}
	} else if s.Span[1] < l.units.At(n.Stop) {
		s.Span[1] = l.units.At(n.Stop)
	}
	if s.Kind == TextKind {
		s.Rich = len(n.Elements()) > 0
		s.Text = html.UnescapeString(n.Inner())
		if s.Rich {
			s.Text, s.HTML = plainText(n), n.Inner()
		}
	}
	s.Bindings = append(s.Bindings, l.take(s.Address)...)
	if s.Kind == TextKind || s.Kind == OpaqueKind {
		for _, child := range n.Elements() {
			child.All(func(m *markup.Node) bool {
				s.Bindings = append(s.Bindings, l.takeOf(m)...)
				return true
			})
		}
	}
	s.Editable = editable(&s, locked)
	at := len(l.nodes)
	l.nodes = append(l.nodes, s)
	if !n.Holder() {
		return
	}
	for _, child := range n.Elements() {
		l.nodes[at].Children = append(l.nodes[at].Children, l.addresses[child])
		l.see(child, s.Address, s.Locked)
	}
}

// take are the bindings of a node itself.
func (l *looker) take(address string) []template.Binding {
	own := slices.Clone(l.bound[address])
	delete(l.bound, address)
	for i := range own {
		own[i].Node = ""
	}
	return own
}

// takeOf are those of an element inside a node.
func (l *looker) takeOf(n *markup.Node) []template.Binding {
	address := l.addresses[n]
	inner := l.bound[address]
	delete(l.bound, address)
	return inner
}

func hides(style map[string]string) bool {
	return style["display"] == "none" || style["visibility"] == "hidden"
}

// textTags stand in a text and leave it one.
var textTags = fields("a b i em strong small u s sub sup mark q time span br wbr code")

func kindOfNode(n *markup.Node) (kind, figure string) {
	for _, k := range element.Kinds() {
		for _, prefix := range []string{"p-", "data-p-"} {
			if _, ok := n.Get(prefix + k.Name); ok {
				return ElementKind, k.Name
			}
		}
	}
	switch {
	case n.Page():
		return PageKind, ""
	case n.Holder() && n.HasClass(markup.StackClass):
		return StackKind, ""
	case n.Holder():
		return GroupKind, ""
	case n.Name == "img":
		return ImageKind, ""
	case n.Name == "hr":
		return ShapeKind, ""
	case markup.Void(n.Name) || rawText[n.Name] || n.Name == "svg" || n.Name == "math" || n.Name == "table":
		return OpaqueKind, ""
	}
	plain := n.All(func(m *markup.Node) bool { return m == n || m.Kind != markup.Element || contains(textTags, m.Name) })
	switch {
	case !plain:
		return OpaqueKind, ""
	case strings.TrimSpace(n.Inner()) == "" && (n.Name == "div" || n.Name == "span" || n.Name == "figure"):
		return ShapeKind, ""
	}
	return TextKind, ""
}

// editable names the operations that may change a node.
func editable(s *Seen, locked bool) []string {
	switch {
	case locked:
		return []string{}
	case s.Locked:
		return fields("set_attr") // which unlocks
	case s.ID == "" || s.ID != s.Address:
		return fields("ensure_id")
	}
	list := fields("set_style set_size_override remove_override set_box set_hidden set_attr set_binding set_id")
	if s.Kind == PageKind {
		return append(list, fields("add_node paste remove_page move_page duplicate_page")...)
	}
	list = append(list, fields("remove_node move_node duplicate_node group wrap_stack")...)
	switch s.Kind {
	case TextKind, ShapeKind, OpaqueKind:
		list = append(list, "set_text")
	case GroupKind:
		list = append(list, "ungroup", "add_node", "paste")
	case StackKind:
		list = append(list, "add_node", "paste")
	}
	return list
}

// overrides are the styles of layers in single sizes.
func (e *editor) overrides() map[string]map[string]map[string]string {
	all := map[string]map[string]map[string]string{}
	e.doc.All(func(n *markup.Node) bool {
		size, ok := strings.CutPrefix(n.ID(), sizePrefix)
		if n.Kind != markup.Element || n.Name != "style" || !ok {
			return true
		}
		css := n.Inner()
		rules, _ := rulesOf(css)
		for _, r := range rules {
			id, ok := strings.CutPrefix(strings.TrimSpace(r.Selector), "#")
			if !r.Plain || !ok {
				continue
			}
			if all[id] == nil {
				all[id] = map[string]map[string]string{}
			}
			own := map[string]string{}
			for _, d := range markup.ParseBlock(css[r.BodyStart:r.BodyEnd]).Decls() {
				own[d.Name] = d.Value
			}
			all[id][size] = own // the last is the one that is changed
		}
		return true
	})
	return all
}

// tokens are the design tokens of the document by theme, those of none first.
func (e *editor) tokens() []ThemeTokens {
	out := []ThemeTokens{{Tokens: []Token{}}}
	n := e.doc.Find(tokensID)
	if n == nil {
		return out
	}
	css := n.Inner()
	for _, theme := range append([]string{""}, e.themes()...) {
		if theme != "" {
			out = append(out, ThemeTokens{Theme: theme, Tokens: []Token{}})
		}
		rules, at, ok := findRule(css, themeSelector(theme))
		if !ok || at < 0 {
			continue
		}
		last := &out[len(out)-1]
		for _, d := range markup.ParseBlock(css[rules[at].BodyStart:rules[at].BodyEnd]).Decls() {
			if name, ok := strings.CutPrefix(d.Name, "--"); ok {
				last.Tokens = append(last.Tokens, Token{name, d.Value})
			}
		}
	}
	return out
}

func (e *editor) nameInManifest() string {
	n := e.doc.Find(manifestID)
	if n == nil {
		return ""
	}
	list, _ := members(n.Inner())
	i := indexOf(list, "name")
	if i < 0 {
		return ""
	}
	value := n.Inner()[list[i].valueStart:list[i].valEnd]
	return unquoted(value)
}

// Since is what differs from an older look: nodes that are new or changed, other
// than by standing elsewhere because of the splice, and the addresses of those
// that are gone.
func (l Look) Since(older Look, splice markup.Splice) (changed []Seen, removed []string) {
	changed, removed = []Seen{}, []string{}
	before := make(map[string]Seen, len(older.Nodes))
	for _, s := range older.Nodes {
		before[s.Address] = s
	}
	for _, s := range l.Nodes {
		was, had := before[s.Address]
		delete(before, s.Address)
		if !had || !reflect.DeepEqual(s, was.shifted(splice)) {
			changed = append(changed, s)
		}
	}
	return changed, append(removed, slices.Sorted(maps.Keys(before))...)
}

// shifted is s behind a splice that changed nothing of it.
func (s Seen) shifted(by markup.Splice) Seen {
	s.Span = [2]int{by.Start(s.Span[0]), by.End(s.Span[1])}
	if s.Inner != nil {
		s.Inner = &[2]int{by.Start(s.Inner[0]), by.End(s.Inner[1])}
	}
	s.Bindings = slices.Clone(s.Bindings)
	for i, b := range s.Bindings {
		s.Bindings[i].Span = [2]int{by.Start(b.Span[0]), by.End(b.Span[1])}
	}
	return s
}
