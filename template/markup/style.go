package markup

import (
	"regexp"
	"slices"
	"strings"
)

// A Style is a list of CSS declarations that prints as it was read.
type Style struct {
	block bool // between braces, where every declaration ends in ;
	decls []decl
}

// A decl is what stands between two semicolons.
type decl struct {
	lead  string // white space and comments before it
	name  string
	colon string // what stands between name and value
	value string
	trail string
}

// A Decl is one declaration.
type Decl struct{ Name, Value string }

// ParseStyle reads the value of a style attribute, its entities decoded.
func ParseStyle(text string) *Style {
	s := &Style{}
	for _, part := range SplitCSS(text, ';') {
		s.decls = append(s.decls, parseDecl(part))
	}
	return s
}

// ParseBlock reads what stands between the braces of a rule.
func ParseBlock(text string) *Style {
	s := ParseStyle(text)
	s.block = true
	return s
}

// Style is the style attribute of an element as declarations.
func (n *Node) Style() *Style {
	value, _ := n.Get("style")
	return ParseStyle(value)
}

// SetStyle writes the declarations into the style attribute; without any the
// attribute goes.
func (n *Node) SetStyle(s *Style) {
	if text := s.String(); strings.TrimSpace(text) != "" {
		n.Set("style", text)
	} else {
		n.Unset("style")
	}
}

var leading = regexp.MustCompile(`^(?:\s|/\*(?s:.*?)\*/)*`)

func parseDecl(part string) decl {
	d := decl{lead: leading.FindString(part)}
	rest := part[len(d.lead):]
	body := strings.TrimRight(rest, " \t\r\n\f")
	d.trail = rest[len(body):]
	colon := -1
	if parts := SplitCSS(body, ':'); len(parts) > 1 {
		colon = len(parts[0])
	}
	if colon < 0 {
		d.value = body
		return d
	}
	d.name = strings.TrimRight(body[:colon], " \t\r\n\f")
	d.value = strings.TrimLeft(body[colon+1:], " \t\r\n\f")
	d.colon = body[len(d.name) : len(body)-len(d.value)]
	return d
}

func (d decl) String() string { return d.lead + d.name + d.colon + d.value + d.trail }

func (d decl) blank() bool { return d.name == "" && d.value == "" }

// property is the name as it is compared: properties have no case, variables do.
func (d decl) property() string {
	if strings.HasPrefix(d.name, "--") {
		return d.name
	}
	return strings.ToLower(d.name)
}

// String is the list as it was read, but for what was set.
func (s *Style) String() string {
	parts := make([]string, len(s.decls))
	for i, d := range s.decls {
		parts[i] = d.String()
	}
	return strings.Join(parts, ";")
}

// Decls are the declarations in their order.
func (s *Style) Decls() []Decl {
	var out []Decl
	for _, d := range s.decls {
		if d.name != "" {
			out = append(out, Decl{d.property(), d.value})
		}
	}
	return out
}

// find is the declaration of the name that counts: the last.
func (s *Style) find(name string) int {
	for i, d := range slices.Backward(s.decls) {
		if d.name != "" && d.property() == name {
			return i
		}
	}
	return -1
}

// Get is the value of a property; of several the last, as in browsers.
func (s *Style) Get(name string) (value string, ok bool) {
	if i := s.find(name); i >= 0 {
		return s.decls[i].value, true
	}
	return "", false
}

// After is the property behind the one of the name, "" if it is the last.
func (s *Style) After(name string) string {
	i := s.find(name)
	if i < 0 || i+1 >= len(s.decls) {
		return ""
	}
	return s.decls[i+1].property()
}

// Set gives a property its value. Where there is one, only its value changes; a
// new one goes before the property before, and without that to its canonical
// place.
func (s *Style) Set(name, value, before string) {
	if i := s.find(name); i >= 0 {
		s.decls[i].value = value
		return
	}
	at := s.find(before)
	if at < 0 {
		at = s.place(name)
	}
	s.insert(at, decl{name: name, colon: ": ", value: value})
}

// place is where a new declaration goes: before the first that ranks behind it.
func (s *Style) place(name string) int {
	end := 0
	for i, d := range s.decls {
		if d.name == "" {
			continue
		}
		if propertyRank(d.property()) > propertyRank(name) {
			return i
		}
		end = i + 1
	}
	return end
}

func (s *Style) insert(at int, d decl) {
	n := len(s.decls)
	if s.block && (n == 0 || !s.decls[n-1].blank()) { // every declaration gets its ;
		tail := decl{lead: " "}
		if n > 0 {
			tail.lead, s.decls[n-1].trail = s.decls[n-1].trail, ""
		}
		s.decls = append(s.decls, tail)
	}
	if !s.block && n == 1 && s.decls[0].blank() {
		s.decls, at = nil, 0
	}
	switch {
	case at > 0 && at == len(s.decls): // the white space behind the last stays behind the last
		d.trail, s.decls[at-1].trail = s.decls[at-1].trail, ""
		fallthrough
	case at > 0:
		d.lead = s.spacing()
	case len(s.decls) > 0 && !s.decls[0].blank():
		d.lead = blankPart(s.decls[0].lead)
		if s.decls[0].lead == "" {
			s.decls[0].lead = " "
		}
	case s.block && len(s.decls) > 0 && strings.Contains(s.decls[0].lead, "\n"):
		d.lead = s.decls[0].lead + "  "
	case s.block:
		d.lead = " "
		if len(s.decls) > 0 && s.decls[0].lead == "" {
			s.decls[0].lead = " "
		}
	}
	s.decls = slices.Insert(s.decls, at, d)
}

// spacing is the white space between declarations.
func (s *Style) spacing() string {
	for _, d := range slices.Backward(s.decls[1:]) {
		if !d.blank() {
			return blankPart(d.lead)
		}
	}
	if s.block {
		return blankPart(s.decls[0].lead)
	}
	return " "
}

var comments = regexp.MustCompile(`(?s)/\*.*?\*/`)

func blankPart(lead string) string {
	if strings.Contains(lead, "/*") {
		lead = comments.ReplaceAllString(lead, "")
	}
	if i := strings.LastIndexByte(lead, '\n'); i >= 0 {
		return lead[i:]
	}
	return lead
}

// Remove takes a property away, all its declarations.
func (s *Style) Remove(name string) {
	for i := s.find(name); i >= 0; i = s.find(name) {
		gone := s.decls[i]
		s.decls = slices.Delete(s.decls, i, i+1)
		switch {
		case i == 0 && len(s.decls) > 0 && !s.decls[0].blank():
			s.decls[0].lead = gone.lead
		case i > 0 && i == len(s.decls):
			s.decls[i-1].trail = gone.trail
		}
	}
}

// Empty reports whether there is no declaration left.
func (s *Style) Empty() bool {
	return !slices.ContainsFunc(s.decls, func(d decl) bool { return !d.blank() || strings.Contains(d.lead, "/*") })
}
