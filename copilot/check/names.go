package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/edit"
)

// names are the roles of a document's layers, by their ids.
type names map[string]string

func namesOf(src []byte) names {
	n := names{}
	var walk func(layers []edit.Layer)
	walk = func(layers []edit.Layer) {
		for _, l := range layers {
			if l.ID != "" {
				n[l.ID] = l.Role
			}
			walk(l.Children)
		}
	}
	walk(edit.Outline(src))
	return n
}

// copies are the ends of the ids of what a p-for repeats: line--2, cell--2--0.
var copies = regexp.MustCompile(`(--\d+)+(?: >|$)`)

// layer is what the document calls a layer: of a copy the layer that is repeated.
func (n names) layer(name string) string {
	return copies.ReplaceAllStringFunc(name, func(end string) string {
		if _, known := n[name[:strings.Index(name, end)]]; !known {
			return end
		}
		if strings.HasSuffix(end, " >") {
			return " >"
		}
		return ""
	})
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
