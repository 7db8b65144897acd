package backdrop

import (
	"context"
	"fmt"
	"hash/fnv"
	"html"
	"image"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// Options say which backdrops are wanted.
type Options struct {
	N    int    // how many, 1 to Most; 0 is five
	Kind string // "" mixed, or Gradient, Mesh or Pattern
	Seed uint64 // another one gives others
	Size string // in which they are compared; "" is the first
	Rows []map[string]any
}

// Most is how many backdrops are made at once.
const Most = 12

// A Candidate is a backdrop: the change puts it into the document.
type Candidate struct {
	Name   string // unique among those of one call
	Title  string // for people
	Kind   string
	Change craft.Change
}

// Generate makes backdrops that differ from each other. Each is a layer with the
// role background under all others of its page, as large as the page in every size;
// where a photograph is the ground, it is hidden, and its variable stays in use. A
// backdrop of an earlier call is replaced. All texts that could be read before can
// be read on it: contrast AA, measured on pixels in every size and theme with the
// rows.
//
// A template where nothing of a backdrop would be seen, or nothing could be read on
// any, is a problem Unsupported.
func Generate(ctx context.Context, cam look.Camera, d look.Doc, o Options) ([]Candidate, error) {
	if o.N == 0 {
		o.N = 5
	}
	if o.N < 1 || o.N > Most {
		return nil, problem.New(problem.Invalid, "%d backgrounds cannot be made at once: 1 to %d", o.N, Most).At("count")
	}
	order, err := sequence(o.Kind, o.Seed)
	if err != nil {
		return nil, err
	}
	s, err := newStudio(ctx, cam, d, o)
	if err != nil {
		return nil, err
	}
	var out []Candidate
	var seen []image.Image
	for turn, p := range order {
		if len(out) == o.N || s.share < leastSeen {
			break
		}
		if !p.css && !slices.ContainsFunc(s.grounds, func(g ground) bool { return g.over == "" }) {
			continue // no layer of its own can be seen
		}
		c, picture, err := s.candidate(ctx, p, turn)
		if err != nil {
			return nil, err
		}
		if picture == nil || !tellApart(picture, s.before, s.share) || slices.ContainsFunc(seen, func(other image.Image) bool { return !tellApart(picture, other, s.share) }) {
			continue
		}
		for n := 2; slices.ContainsFunc(out, func(x Candidate) bool { return x.Name == c.Name }); n++ {
			c.Name, c.Title = fmt.Sprintf("%s-%d", p.name, n), fmt.Sprintf("%s %d", p.title, n)
		}
		out, seen = append(out, c), append(seen, picture)
	}
	if len(out) == 0 {
		return nil, problem.New(problem.Unsupported, "no background can be made for template %q: other layers cover the page, or its texts could not be read on any", d.Name).
			WithSlug("no_backdrop").WithHint("give the layer that covers the page the role background, or make it smaller")
	}
	return out, nil
}

// sequence is which painters are asked, in turn: kinds change from one to the next.
// It does not depend on how many are wanted, so that the first five stay the same
// when there are to be more.
func sequence(kind string, seed uint64) ([]painter, error) {
	byKind := map[string][]painter{}
	for _, p := range painters {
		byKind[p.kind] = append(byKind[p.kind], p)
	}
	kinds := []string{Mesh, Pattern, Gradient, Pattern}
	if kind != "" {
		if byKind[kind] == nil {
			return nil, problem.New(problem.Invalid, "there are no backgrounds of the kind %q", kind).At("kind").WithHint("there are gradient, mesh and pattern; without a kind they are mixed")
		}
		kinds = []string{kind}
	}
	used := map[string]int{}
	var order []painter
	for i := range 4 * Most {
		k := kinds[(i+int(seed%4)*min(len(kinds)-1, 1))%len(kinds)]
		list := byKind[k]
		order = append(order, list[(used[k]+int(seed%uint64(len(list))))%len(list)])
		used[k]++
	}
	return order, nil
}

// A studio is where backdrops are tried on a document.
type studio struct {
	stage
	judge   judge
	clean   look.Doc // without a backdrop of before
	undo    []edit.Op
	grounds []ground
	inks    []ink
	seed    uint64
	view    look.View // in which they are compared
	before  image.Image
	share   float64 // of the page on which a backdrop is to be seen
}

func newStudio(ctx context.Context, cam look.Camera, d look.Doc, o Options) (*studio, error) {
	form, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", d.Name, err)
	}
	sizes := form.Sizes()
	if o.Size != "" && !slices.ContainsFunc(sizes, func(x template.Size) bool { return x.Name == o.Size }) {
		return nil, problem.New(problem.NotFound, "there is no size %q", o.Size).At("size")
	}
	if o.Size == "" {
		o.Size = sizes[0].Name
	}
	rows := o.Rows
	if len(rows) == 0 {
		rows = []map[string]any{nil}
	}
	s := &studio{seed: o.Seed, view: look.View{Size: o.Size, Row: rows[0]}}
	old := craft.Change{Ops: former(d)}
	if s.clean, err = old.Apply(d); err != nil {
		return nil, err
	}
	s.undo = old.Ops
	s.stage = stage{cam: cam, doc: s.clean, whole: d, sizes: sizes, themes: append([]string{""}, form.Themes()...), rows: rows, main: o.Size}
	for _, v := range form.Vars() {
		if v.Type == template.Color {
			s.colors = append(s.colors, v.Name)
		}
	}
	if s.grounds, err = s.stage.find(ctx); err != nil {
		return nil, err
	}
	if len(s.grounds) == 0 {
		return nil, problem.New(problem.Unsupported, "template %q has no page that may be changed", d.Name).WithSlug("no_backdrop").WithHint("unlock a page")
	}
	if s.inks, err = inks(ctx, cam, s.clean, s.view); err != nil {
		return nil, err
	}
	if len(s.inks) == 0 {
		s.inks = []ink{{css: "currentColor"}}
	}
	shot, err := cam.Shoot(ctx, s.clean, s.view)
	if err != nil {
		return nil, err
	}
	s.before = shot.Picture
	if err := s.bases(ctx, d); err != nil {
		return nil, err
	}
	if err := s.judge.begin(ctx, &s.stage, s.plain()); err != nil {
		return nil, err
	}
	if s.share, err = s.survey(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// former takes away backdrops that were put in before.
func former(d look.Doc) []edit.Op {
	var ops []edit.Op
	for _, page := range edit.Outline(d.Source) {
		for _, l := range page.Children {
			if isBackdrop(l) && !l.Locked {
				ops = append(ops, edit.Op{Op: "remove_node", ID: l.ID})
			}
		}
	}
	return ops
}

func isBackdrop(l edit.Layer) bool {
	rest, ok := strings.CutPrefix(l.ID, "backdrop")
	return ok && l.Role == "background" && strings.HasPrefix(l.Name, named) && strings.Trim(rest, "-0123456789") == ""
}

// named is how the names of backdrops begin.
const named = "Backdrop: "

// candidate is what a painter makes, as strong as the texts allow; without a picture
// where that is not to be seen, or not to be had.
func (s *studio) candidate(ctx context.Context, p painter, turn int) (Candidate, image.Image, error) {
	c := Candidate{Name: p.name, Title: p.title, Kind: p.kind}
	amp, on, clear := 1.0, []*plate(nil), clearings{}
	for range 7 {
		c.Change = s.change(p, turn, amp, clear)
		d, err := c.Change.Apply(s.whole)
		if err != nil {
			return c, nil, fmt.Errorf("the backdrop %q: %w", p.name, err)
		}
		least, tight, bounds, err := s.judge.holds(ctx, d, amp, on)
		if err != nil {
			return c, nil, fmt.Errorf("the backdrop %q: %w", p.name, err)
		}
		if least >= amp {
			shot, err := s.cam.Shoot(ctx, d, s.view)
			if err != nil {
				return c, nil, err
			}
			if amp < 1 {
				c.Change.Notes = append(c.Change.Notes, fmt.Sprintf("it is at %.0f %% of its strength, so that all texts can be read on it", amp*100))
			}
			return c, shot.Picture, nil
		}
		on = tight
		if clear.around(bounds, s.grounds) {
			continue
		}
		if amp = least * 0.96; amp < faint {
			break
		}
	}
	return c, nil, nil
}

const (
	faint     = 0.06 // the least strength that makes sense
	leastSeen = 0.02 // of the page, so that a backdrop makes sense
)

// change is the operations of a backdrop of that strength, with clearings.
func (s *studio) change(p painter, turn int, amp float64, clear clearings) craft.Change {
	c := craft.Change{Ops: slices.Clone(s.undo)}
	taken := map[string]bool{}
	for _, g := range s.grounds {
		b := &brush{inks: s.inks, amp: amp, rand: rand.New(rand.NewPCG(s.seed, uint64(turn)<<32|sum(p.name))), short: g.short}
		b.place(g.spots)
		if len(g.photos) > 0 || g.base != "" { // on a ground of the same hue
			b.inks = lit(s.inks)
		}
		made := p.paint(b)
		for _, id := range sortedKeys(g.photos) {
			hidden := true
			if len(g.photos[id]) == 0 {
				c.Ops = append(c.Ops, edit.Op{Op: "set_hidden", ID: id, Hidden: &hidden})
			}
			for _, size := range g.photos[id] {
				c.Ops = append(c.Ops, edit.Op{Op: "set_hidden", ID: id, Hidden: &hidden, Size: size})
			}
			c.Notes = append(c.Notes, fmt.Sprintf("the picture %s is hidden: the backdrop takes its place", id))
		}
		if g.over != "" {
			if g.base != "" {
				made.style = append(made.style, "background-color: "+g.base)
			}
			c.Ops = append(c.Ops, styles(g.over, made)...)
			continue
		}
		made.style = clear[g.number].of(made.style)
		content := s.html(p, g, made, taken)
		index := g.index
		c.Ops = append(c.Ops, edit.Op{Op: "paste", Parent: g.page, Index: &index, HTML: &content})
	}
	return c
}

// lit are the inks as light.
func lit(all []ink) []ink {
	out := slices.Clone(all)
	for i := range out {
		out[i].css = fmt.Sprintf("oklch(from %s 0.76 max(c, 0.1) h)", out[i].css)
	}
	return out
}

// styles give a layer that covers its page the backdrop itself.
func styles(id string, made piece) []edit.Op {
	var ops []edit.Op
	for _, decl := range made.style {
		name, value, _ := strings.Cut(decl, ": ")
		if strings.HasPrefix(name, "background") {
			ops = append(ops, edit.Op{Op: "set_style", ID: id, Property: name, Value: &value})
		}
	}
	return ops
}

// html is the layer.
func (s *studio) html(p painter, g ground, made piece, taken map[string]bool) string {
	id := "backdrop"
	doc := markup.Parse(s.clean.Source)
	for n := 2; taken[id] || doc.Find(id) != nil; n++ {
		id = fmt.Sprintf("backdrop-%d", n)
	}
	taken[id] = true
	style := []string{"left: 0", "top: 0", "width: 100%", "height: 100%"}
	if g.place {
		style = append([]string{"position: absolute"}, style...)
	}
	if g.base != "" {
		style = append(style, "background-color: "+g.base)
	}
	for _, decl := range made.style {
		if g.base == "" || !strings.HasPrefix(decl, "mask-") { // which would take the ground away
			style = append(style, decl)
		}
	}
	attrs := fmt.Sprintf(`id="%s" p-role="background" p-name="%s" aria-hidden="true" style="%s"`, id, html.EscapeString(named+p.title), html.EscapeString(strings.Join(style, "; ")))
	if made.inner == "" {
		return "<div " + attrs + "></div>"
	}
	return fmt.Sprintf(`<svg %s viewBox="0 0 %d %d" preserveAspectRatio="xMidYMid slice" fill="none">%s</svg>`, attrs, side, side, made.inner)
}

// withBase is the document with backdrops that are nothing but one colour.
func (s *studio) withBase(color string) look.Doc {
	grounds := s.grounds
	defer func() { s.grounds = grounds }()
	s.grounds = slices.Clone(grounds)
	for i := range s.grounds {
		s.grounds[i].base = color
	}
	return s.plain()
}

// plain is the document with backdrops of nothing but their ground.
func (s *studio) plain() look.Doc {
	c := s.change(painter{title: "ground", paint: func(*brush) piece { return piece{} }}, 0, 1, nil)
	d, err := c.Apply(s.whole)
	if err != nil {
		return s.clean
	}
	return d
}

func sum(s string) uint64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return uint64(h.Sum32())
}
