package palette

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/copilot/check"
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
	need         float64
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

// unseenImages reports whether there are images that no view has shown.
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
		found = found || n.Kind == markup.Element && n.Name == "img" && n.ID() != "" && !seen[n.ID()]
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

// isColor reports whether a token is a colour, as far as can be told.
func (p *probe) isColor(token string) bool {
	value, known := p.tokens[token]
	if !known {
		return true // defined elsewhere: used where a colour stands
	}
	if _, ok := p.solved[token]; ok {
		return true
	}
	parts := partsOf(value, false)
	return len(parts) == 1 && parts[0].from == 0 && parts[0].to == len(value) && parts[0].kind != rowPart
}

// clear reports whether a part lets what is below it show.
func (p *probe) clear(part part) bool {
	switch part.kind {
	case literalPart:
		return part.color.a < 1
	case tokenPart:
		c, ok := p.solved[part.token]
		return ok && c.a < 1 || p.tokens[part.token] == "transparent"
	}
	return false
}

// Codes are colours of a lattice, far enough from each other and from black and
// white.
func codeAt(i int) uint32 {
	const steps = 7
	i = (i*151 + 40) % (steps * steps * steps) // 151 and 343 have no common divisor
	channel := func(n int) uint32 { return uint32(16 + 36*n) }
	return channel(i%steps)<<16 | channel(i/steps%steps)<<8 | channel(i/steps/steps)
}

const maxCodes = 340

func css(code uint32) string { return fmt.Sprintf("#%06x", code) }

func (p *probe) source(site int, tokens []string, f family) *source {
	s := &source{code: codeAt(len(p.sources) % maxCodes), site: site, tokens: tokens, family: f, near: map[*source]int{}, below: map[*source]int{}}
	p.sources = append(p.sources, s)
	if len(p.sources) <= maxCodes { // later ones are not told apart, and not judged
		p.byCode[s.code] = s
	}
	return s
}

// encode gives each declaration and each token its code, and makes the documents
// with those of the declarations.
func (p *probe) encode(src []byte) {
	codes := map[int]*source{}
	for i, s := range p.sites {
		parts := p.colors(s)
		if len(parts) == 0 {
			continue
		}
		var tokens []string
		for _, part := range parts {
			if part.kind == tokenPart && !slices.Contains(tokens, part.token) {
				tokens = append(tokens, part.token)
			}
		}
		codes[i] = p.source(i, tokens, s.family)
	}
	for _, name := range p.order {
		if p.isColor(name) {
			p.source(-1, []string{name}, noFamily)
		}
	}
	veils := false
	write := func(veiled bool) look.Doc {
		doc := markup.Parse(src)
		i := -1
		rewrite(sitesOf(doc), func(s site) (string, bool) {
			i++
			src := codes[i]
			switch {
			case src == nil:
				return "", false
			case s.place == inHTML:
				return css(src.code), true
			case s.family == surface && strings.Contains(s.value, "url("):
				code := css(p.picture.code)
				if s.property == "background-image" {
					code = "linear-gradient(" + code + "," + code + ")"
				}
				return code, true
			}
			return replaced(s.value, p.colors(s), func(part part) string {
				if s.family == surface && p.clear(part) {
					veils = true
					if veiled && part.text != "transparent" {
						return css(src.code)
					}
				}
				if p.clear(part) || s.family == shadow && !p.ring(part) {
					return "transparent"
				}
				return css(src.code)
			}), true
		})
		return p.doc.With([]byte(doc.Print()))
	}
	p.coded = write(false)
	if veils {
		p.veiled = write(true)
	}
}

// ring reports whether a shadow is one that draws a line of colour.
func (p *probe) ring(part part) bool {
	c := part.color
	if part.kind == tokenPart {
		c = p.solved[part.token]
	}
	return standsOut(c)
}

// colors are the colours of a site, each as a whole.
func (p *probe) colors(s site) []part {
	if s.place == inHTML {
		return []part{{to: len(s.value), text: s.value, kind: mixedPart}}
	}
	parts := partsOf(s.value, false)
	return slices.DeleteFunc(parts, func(part part) bool {
		switch part.kind {
		case tokenPart:
			return !p.isColor(part.token)
		case rowPart:
			alone := func(i int) bool { return i < 0 || i >= len(s.value) || strings.IndexByte(" ,;)(", s.value[i]) >= 0 }
			return !alone(part.from-1) || !alone(part.to) || strings.Contains(s.value, "url(")
		}
		return false
	})
}

// bareSheet hides letters, and leaves what has the colour of text.
const bareSheet = `@layer{*,::before,::after,::first-letter,::first-line,::marker{-webkit-text-fill-color:transparent!important;` +
	`text-decoration-color:transparent!important}text,tspan,textPath{fill:transparent!important}}`

func (p *probe) codeSheet() string {
	var b strings.Builder
	b.WriteString(`@layer{*,::before,::after{text-shadow:none!important;transition:none!important}img{object-position:-99999px -99999px!important;` +
		`filter:none!important;background:` + css(p.picture.code) + `!important}}:root{`)
	for _, s := range p.sources {
		if s.site < 0 && len(s.tokens) == 1 && slices.Contains(p.order, s.tokens[0]) && !p.clear(part{kind: tokenPart, token: s.tokens[0]}) {
			b.WriteString("--" + s.tokens[0] + ":" + css(s.code) + "!important;")
		}
	}
	b.WriteString("}")
	return b.String()
}

// noImages hides the images and keeps their places.
const noImages = `@layer{img{object-position:-99999px -99999px!important;background:none!important}}`

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

func pixel(img *image.NRGBA, x, y int) uint32 {
	i := img.PixOffset(x, y)
	return uint32(img.Pix[i])<<16 | uint32(img.Pix[i+1])<<8 | uint32(img.Pix[i+2])
}

func colorAt(img *image.NRGBA, x, y int) rgb {
	i := img.PixOffset(x, y)
	return fromBytes(img.Pix[i], img.Pix[i+1], img.Pix[i+2])
}

// through notes what shows through what is clear.
func (p *probe) through(bare, veiled *image.NRGBA) {
	b := bare.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			below, above := p.byCode[pixel(bare, x, y)], p.byCode[pixel(veiled, x, y)]
			if above != nil && above != below {
				above.below[below]++
			}
		}
	}
}

// count notes how much each source paints, in which colour and beside what.
func (p *probe) count(v *probed) {
	b := v.bare.Bounds()
	const reach = 3 // edges are blends
	pixels, around := map[*source]int{}, map[*source]image.Rectangle{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			s := p.byCode[pixel(v.bare, x, y)]
			if s == nil {
				continue
			}
			pixels[s]++
			if r := around[s]; !(image.Point{x, y}).In(r) {
				around[s] = r.Union(image.Rect(x, y, x+1, y+1))
			}
			for _, o := range []image.Point{{x + reach, y}, {x, y + reach}} {
				if !o.In(b) {
					continue
				}
				if n := p.byCode[pixel(v.bare, o.X, o.Y)]; n != nil && n != s {
					s.near[n]++
					n.near[s]++
				}
			}
			if (x+y)%3 == 0 && pixel(v.marked, x, y) == s.code {
				c := colorAt(v.real, x, y)
				s.seen[0], s.seen[1], s.seen[2], s.count = s.seen[0]+c.r, s.seen[1]+c.g, s.seen[2]+c.b, s.count+1
			}
		}
	}
	for s, n := range pixels {
		s.pixels += n
		s.area = max(s.area, float64(n)/float64(b.Dx()*b.Dy()))
		s.span = max(s.span, float64(around[s].Dx()*around[s].Dy())/float64(b.Dx()*b.Dy()))
	}
}

// read notes which text stands on what.
func (p *probe) read(v *probed) {
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	for _, box := range v.boxes {
		if box.Text == nil || box.Text.Decorative {
			continue
		}
		type key struct{ text, ground *source }
		found := map[key]*pair{}
		need := check.Need(box.Text.FontPx, box.Text.Weight >= 700)
		for _, l := range box.Text.Lines {
			r := image.Rect(int(l.X*scale), int(l.Y*scale), int((l.X+l.Width)*scale)+1, int((l.Y+l.Height)*scale)+1).Intersect(v.real.Bounds())
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					text, ground := p.textAt(v, x, y)
					if text == nil || ground == nil {
						continue
					}
					k := key{text, ground}
					if found[k] == nil {
						found[k] = &pair{text: text, ground: k.ground, layer: box.Text.Layer, need: need, letter: colorAt(v.real, x, y)}
					}
					found[k].pixels++
				}
			}
		}
		most := 0
		for _, one := range found {
			most = max(most, one.pixels)
		}
		for _, s := range p.sources { // in their order
			for _, g := range p.sources {
				if one := found[key{s, g}]; one != nil && one.pixels >= 6 && one.pixels*5 >= most {
					s.pairs = append(s.pairs, one)
					g.reads += one.pixels
				}
			}
		}
	}
}

// textAt is the text at a pixel that is all letter, and what it stands on; nil for
// none. The edges of letters are blends, and may look like any code.
func (p *probe) textAt(v *probed, x, y int) (text, ground *source) {
	above := pixel(v.marked, x, y)
	if above == pixel(v.bare, x, y) {
		return nil, nil
	}
	text = p.byCode[above]
	if text == nil || text.family == surface || text.family == line || text == p.picture {
		return nil, nil
	}
	return text, p.groundAt(v, x, y)
}

// groundAt is what is below a pixel: what has its code, or where something clear
// lies on that, the large ground whose code is nearest.
func (p *probe) groundAt(v *probed, x, y int) *source {
	code := pixel(v.bare, x, y)
	if s := p.byCode[code]; s != nil {
		return s
	}
	var best *source
	nearest := 48 * 48
	for _, s := range p.sources {
		if s.area < 0.05 {
			continue
		}
		away := 0
		for _, shift := range []uint{0, 8, 16} {
			d := int(code>>shift&0xff) - int(s.code>>shift&0xff)
			away += d * d
		}
		if away < nearest {
			best, nearest = s, away
		}
	}
	return best
}

// holds reports whether s can lie on n: the ground of a page is larger around than
// what lies on it, even where that covers most of it.
func (n *source) holds(s *source) bool {
	const same = 0.02
	return n.span > s.span+same || n.span > s.span-same && n.area > s.area
}

// relate finds the colours of sources and what each stands on.
func (p *probe) relate() {
	for _, s := range p.sources {
		if s.count > 0 {
			s.color = rgb{s.seen[0] / s.count, s.seen[1] / s.count, s.seen[2] / s.count, 1}
		}
		slices.SortStableFunc(s.pairs, func(a, b *pair) int { return b.pixels - a.pixels })
	}
	for _, s := range p.sources {
		for _, n := range p.sources { // in their order, so that it is the same each time
			if edge := s.near[n]; edge > 0 && n.holds(s) && (s.parent == nil || edge > s.near[s.parent]) {
				s.parent = n
			}
		}
		for _, one := range s.pairs {
			one.back = one.ground.color
		}
	}
}
