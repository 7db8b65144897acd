package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/markup"
)

// names are the roles of a document's elements, by their ids.
type names map[string]string

func namesOf(src []byte) names {
	all := names{}
	markup.Parse(src).All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.ID() != "" {
			all[n.ID()], _ = directive(n, "p-role")
		}
		return true
	})
	return all
}

// copies are the ends of the ids of what a p-for repeats: line--2, cell--2--0.
var copies = regexp.MustCompile(`(--\d+)+(?: >|$)`)

// layer is what the document calls a layer: of a copy the layer that is repeated.
func (n names) layer(name string) string {
	end := copies.FindStringIndex(name)
	if end == nil {
		return name
	}
	if _, known := n[name[:end[0]]]; !known {
		return name
	}
	return name[:end[0]] + strings.TrimLeft(name[end[0]:end[1]], "-0123456789") + name[end[1]:]
}

func (n names) role(id string) string { return n[n.layer(id)] }

// rename is the shot with its texts as the document calls them.
func (n names) rename(s look.Shot) look.Shot {
	s.Texts, s.Boxes = slices.Clone(s.Texts), slices.Clone(s.Boxes)
	for i := range s.Texts {
		s.Texts[i].Layer = n.layer(s.Texts[i].Layer)
	}
	for i := range s.Boxes {
		if t := s.Boxes[i].Text; t != nil {
			renamed := *t
			renamed.Layer = n.layer(t.Layer)
			s.Boxes[i].Text = &renamed
		}
	}
	return s
}
