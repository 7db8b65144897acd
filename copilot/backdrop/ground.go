package backdrop

import (
	"context"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// A ground is a page, and where in it a backdrop goes.
type ground struct {
	number int    // of the page, from 1
	page   string // its id or path
	index  int    // among the page's layers
	// photos are layers that cover the page with a picture, in these sizes; they are
	// hidden, and the backdrop has a colour of its own.
	photos map[string][]string // by id
	// over is a layer that holds others and covers the page: what is under it is not
	// seen, so it gets the backdrop itself.
	over  string
	base  string  // the colour of the backdrop, where what it stands in for was the ground
	place bool    // layers of the page have no places of their own
	spots []spot  // best first
	short float64 // side in the main size
}

// A stage is a document with its views.
type stage struct {
	cam    look.Camera
	doc    look.Doc // without a backdrop
	whole  look.Doc // as it was given
	sizes  []template.Size
	themes []string // "" first
	rows   []map[string]any
	colors []string // variables that are colours
	main   string   // the size that is looked at first
}

// pages are the pages of the document.
func (s *stage) pages() []edit.Layer {
	all := edit.Outline(s.doc.Source)
	return all[:min(len(all), maxPages)]
}

const (
	covers   = 0.94 // of the page, so that it is covered
	grounds  = 0.5  // of the page, where a picture has the role background
	maxPages = 6
)

// find is the pages that get a backdrop.
func (s *stage) find(ctx context.Context) ([]ground, error) {
	var all []ground
	for i, page := range s.pages() {
		if page.Locked {
			continue
		}
		g, err := s.ground(ctx, i+1, page)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

func (s *stage) ground(ctx context.Context, number int, page edit.Layer) (ground, error) {
	g := ground{number: number, page: page.ID, photos: map[string][]string{}, place: strings.Contains(" "+page.Class+" ", " p-stack ")}
	if g.page == "" {
		g.page = page.Path
	}
	boxes := map[string]map[string]render.Box{} // by size, id
	for _, size := range s.sizes {
		shot, err := s.cam.Shoot(ctx, s.doc, look.View{Size: size.Name, Page: number, Row: s.rows[0]})
		if err != nil {
			return g, err
		}
		boxes[size.Name] = map[string]render.Box{}
		for _, b := range shot.Boxes {
			if _, there := boxes[size.Name][b.ID]; !there && b.ID != "" {
				boxes[size.Name][b.ID] = b
			}
		}
		if size.Name == s.main {
			g.short = float64(min(shot.Width, shot.Height))
		}
	}
	for i, l := range page.Children {
		picture := l.Tag == "img" || l.Role == "image" || l.Bindings["src"] != ""
		least := covers
		if picture && l.Role == "background" {
			least = grounds
		}
		covered := s.coveredBy(l, boxes, least)
		if len(covered) == 0 {
			break
		}
		all := len(covered) == len(s.sizes)
		switch {
		case picture:
			if l.Locked { // it stays, out of sight
				g.index = i + 1
				continue
			}
			if !all {
				g.photos[l.ID] = covered
			} else {
				g.photos[l.ID] = nil
			}
			g.index = i + 1
			return g, nil
		case all && l.Role == "background" && l.Text == "" && len(l.Children) == 0:
			g.index = i + 1
		case all && !l.Locked && l.Role != "background":
			g.over = l.ID
		}
		if g.over != "" {
			break
		}
	}
	// Not between a layer and the one that stands in for it.
	for g.index > 0 && g.index < len(page.Children) && (has(page.Children[g.index], "else-if") || s.isElse(page.Children[g.index].ID)) {
		g.index++
	}
	return g, nil
}

func has(l edit.Layer, target string) bool { _, ok := l.Bindings[target]; return ok }

// isElse reports whether the layer stands in for the one before it.
func (s *stage) isElse(id string) bool {
	if id == "" {
		return false
	}
	nodes := edit.LookAt(s.doc.Source, nil).Nodes
	i := slices.IndexFunc(nodes, func(n edit.Seen) bool { return n.ID == id })
	if i < 0 {
		return false
	}
	_, plain := nodes[i].Attrs["p-else"]
	_, data := nodes[i].Attrs["data-p-else"]
	return plain || data
}

// coveredBy are the sizes in which a layer covers so much of the page.
func (s *stage) coveredBy(l edit.Layer, boxes map[string]map[string]render.Box, least float64) []string {
	var names []string
	for _, size := range s.sizes {
		b, ok := boxes[size.Name][l.ID]
		if !ok || l.ID == "" {
			continue
		}
		w := min(b.X+b.Width, float64(size.Width)) - max(b.X, 0)
		h := min(b.Y+b.Height, float64(size.Height)) - max(b.Y, 0)
		if w > 0 && h > 0 && w*h >= least*float64(size.Width*size.Height) {
			names = append(names, size.Name)
		}
	}
	return names
}
