package palette

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A probe knows what paints which pixel. It has a document drawn with a colour of
// its own for each declaration, so that a pixel's colour names the declaration, once
// with text and once without: what stands where, and on what.
type probe struct {
	cam     look.Camera
	doc     look.Doc
	sites   []site
	tokens  map[string]string // of the theme, as they are written
	solved  map[string]rgb    // literal colours of tokens, and those that the first row decides
	sources []*source
	byCode  map[uint32]*source
	picture *source
	views   []*probed
	coded   look.Doc // in codes, what is clear left clear
	veiled  look.Doc // the same with what is clear as if it were not; no source where nothing is
	order   []string // of the tokens
}

// A source is what paints pixels: a declaration, a token that elements use by
// themselves, or the pictures of the page.
type source struct {
	code   uint32
	site   int      // -1 for none
	tokens []string // whose colour it has
	family family

	area   float64         // of the page, in the view where it is largest
	span   float64         // of the page: the rectangle around it, in the view where that is largest
	pixels int             // in all views
	color  rgb             // as seen in the plain picture
	parent *source         // what it stands on; nil for the ground of a page
	near   map[*source]int // how long the common edges are
	reads  int             // pixels of letters on it
	below  map[*source]int // pixels of what shows through it
	pairs  []*pair         // in which it is the text
	seen   [3]float64
	count  float64
}

// A pair is the text of one element on one ground.
type pair struct {
	text, ground *source
	layer        string
	need, px     float64 // the contrast that it has to have, the font size
	pixels       int
	letter, back rgb // in the plain picture
}

// A probed view is the pictures of one view.
type probed struct {
	view         look.View
	marked, bare *image.NRGBA // in codes: with text, and without
	real, hidden *image.NRGBA // as it is, and without images
	boxes        []render.Box
	width        int // of the page, in CSS pixels
}

// viewsOf are the views that a document is judged by: every size with the first
// row, every page, and the first size with the other rows.
func viewsOf(t *template.Template, rows []map[string]any, pages int) []look.View {
	if len(rows) == 0 {
		rows = []map[string]any{nil}
	}
	var views []look.View
	for _, s := range t.Sizes() {
		views = append(views, look.View{Size: s.Name, Row: rows[0]})
	}
	first := views[0].Size
	for page := 2; page <= pages; page++ {
		views = append(views, look.View{Size: first, Page: page, Row: rows[0]})
	}
	for _, row := range rows[1:] {
		views = append(views, look.View{Size: first, Row: row})
	}
	return views
}

// pagesIn counts the pages of a document.
func pagesIn(doc *markup.Document) (pages int) {
	doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Page() {
			pages++
			if _, repeats := n.Get("p-for"); repeats {
				pages += 2
			}
		}
		return true
	})
	return min(pages, maxPages)
}

const maxPages = 6 // that are looked at

// noPage reports whether a view failed for a page that its row does not have.
func noPage(v look.View, err error) bool {
	var p *problem.Error
	return v.Page > 1 && errors.As(err, &p)
}

// take draws the views of a document in a theme in codes.
func take(ctx context.Context, cam look.Camera, d look.Doc, name string, rows []map[string]any) (*probe, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", d.Name, err)
	}
	doc := markup.Parse(d.Source)
	p := &probe{cam: cam, doc: d, sites: sitesOf(doc), tokens: map[string]string{}, solved: map[string]rgb{}, byCode: map[uint32]*source{}}
	themes := themesOf(d.Source)
	plain := themes[0]
	for _, t := range themes {
		if t.name == "" || t.name == name {
			maps.Copy(p.tokens, t.values)
		}
	}
	var row map[string]any
	if len(rows) > 0 {
		row = rows[0]
	}
	if err := p.solve(t, name, row); err != nil {
		return nil, err
	}
	p.picture = p.source(-1, nil, noFamily)
	p.order = plain.order
	p.encode(d.Source)
	for _, v := range viewsOf(t, rows, pagesIn(doc)) {
		v.Theme = name
		if err := p.shoot(ctx, v); err != nil {
			if noPage(v, err) {
				continue
			}
			return nil, err
		}
	}
	if p.unseenImages(doc) {
		if err := p.shoot(ctx, look.View{Size: p.views[0].view.Size, Theme: name}); err != nil {
			return nil, err
		}
	}
	p.relate()
	return p, nil
}

// unseenImages reports whether there are images that no view has shown, or logos
// that may be others in ordinary rows.
func (p *probe) unseenImages(doc *markup.Document) bool {
	seen := map[string]bool{}
	for _, v := range p.views {
		for _, b := range v.boxes {
			if b.Tag == "img" && b.Width > 0 {
				seen[repeated.ReplaceAllString(b.ID, "")] = true
			}
		}
	}
	found := false
	doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "img" && n.ID() != "" {
			role, _ := n.Get("p-role")
			_, rows := n.Get("p-src")
			found = found || !seen[n.ID()] || role == "logo" && rows
		}
		return !found
	})
	return found && p.views[0].view.Row != nil
}

// solve finds the colours of tokens that are written as colours or that a row
// decides alone.
func (p *probe) solve(t *template.Template, name string, row map[string]any) error {
	page, err := t.Page(template.View{Theme: name})
	if err != nil {
		return err
	}
	if row == nil {
		row = t.Examples()
	}
	values, err := t.Resolve(row, time.Now())
	if err != nil {
		return err
	}
	filled := page.FillWithout(values, nil)
	for _, in := range themesOf([]byte(filled.HTML)) {
		for token, value := range in.values {
			if in.name != "" && in.name != name {
				continue
			}
			delete(p.solved, token)
			if c, ok := parseColor(value); ok {
				p.solved[token] = c
			}
		}
	}
	return nil
}

func (p *probe) source(site int, tokens []string, f family) *source {
	s := &source{code: codeAt(len(p.sources) % maxCodes), site: site, tokens: tokens, family: f, near: map[*source]int{}, below: map[*source]int{}}
	p.sources = append(p.sources, s)
	if len(p.sources) <= maxCodes { // later ones are not told apart, and not judged
		p.byCode[s.code] = s
	}
	return s
}

func (p *probe) shoot(ctx context.Context, v look.View) error {
	out := &probed{view: v}
	var veiled *image.NRGBA
	shot, err := p.cam.Shoot(ctx, p.doc, v)
	if err != nil {
		return err
	}
	out.real, out.boxes, out.width = shot.Picture, shot.Boxes, shot.Width
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	draw := func(d look.Doc, css string, to **image.NRGBA) {
		v := v
		v.CSS = css
		g.Go(func() error {
			shot, err := p.cam.Shoot(ctx, d, v)
			*to = shot.Picture
			return err
		})
	}
	draw(p.coded, p.codeSheet(), &out.marked)
	draw(p.coded, p.codeSheet()+bareSheet, &out.bare)
	if p.veiled.Source != nil {
		draw(p.veiled, p.codeSheet()+bareSheet, &veiled)
	}
	if slices.ContainsFunc(out.boxes, func(b render.Box) bool { return b.Tag == "img" && b.Width > 0 }) {
		draw(p.doc, noImages, &out.hidden)
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, img := range []*image.NRGBA{out.marked, out.bare, out.hidden, veiled} {
		if img != nil && img.Bounds() != out.real.Bounds() {
			return problem.New(problem.Internal, "the pictures of one view differ in size")
		}
	}
	if veiled != nil {
		p.through(out.bare, veiled)
	}
	p.views = append(p.views, out)
	p.count(out)
	p.read(out)
	return nil
}
