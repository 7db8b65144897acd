package relayout

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// Options say which size is wanted, and how.
type Options struct {
	Name, Label string
	W, H        int
	From        string // the size that is begun with; "" is the one that is nearest in shape
	// Strategy is Flow, which lays the parts of the design out anew, Scale, which
	// makes the whole design smaller or larger, or "": Flow, and Scale where that
	// does not pass the checks.
	Strategy string
	Rows     []map[string]any // that it must be right for; the hardest first
}

// The strategies of Options.
const (
	Flow  = "flow"
	Scale = "scale"
)

// AddSize is a new size of a document: the operation that adds it, and the
// overrides of it and of no other. A size of that name that is there already is
// a problem Conflict.
func AddSize(ctx context.Context, cam look.Camera, d look.Doc, o Options) (craft.Change, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return craft.Change{}, err
	}
	for _, s := range t.Sizes() {
		if s.Name == o.Name {
			return craft.Change{}, problem.New(problem.Conflict, "template %q has a size %q already", d.Name, o.Name).At("name").
				WithHint("lay it out anew by relayout, or choose another name")
		}
	}
	if o.W < 16 || o.H < 16 || o.W > maxSide || o.H > maxSide {
		return craft.Change{}, problem.New(problem.Invalid, "a size of %d by %d pixels cannot be laid out: its sides must be from 16 to %d", o.W, o.H, maxSide).At("w")
	}
	op := edit.Op{Op: "add_size", Name: o.Name, Width: o.W, Height: o.H}
	if o.Label != "" {
		op.Label = &o.Label
	}
	return lay(ctx, cam, d, o, t.Sizes(), []edit.Op{op})
}

// Relayout writes the overrides of a size of the document anew. The size that all
// others begin with has none: asking for it is a problem Unsupported.
func Relayout(ctx context.Context, cam look.Camera, d look.Doc, o Options) (craft.Change, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return craft.Change{}, err
	}
	sizes := t.Sizes()
	var names []string
	var others []template.Size
	found := false
	for _, s := range sizes {
		names = append(names, s.Name)
		if s.Name == o.Name {
			o.W, o.H, found = s.Width, s.Height, true
			continue
		}
		others = append(others, s)
	}
	switch {
	case !found:
		return craft.Change{}, problem.New(problem.NotFound, "template %q has no size %q", d.Name, o.Name).WithSlug(template.SizeNotFound).At("size").
			WithHint("its sizes are %s", strings.Join(names, ", "))
	case o.Name == sizes[0].Name || len(others) == 0:
		return craft.Change{}, problem.New(problem.Unsupported, "the size %q is the one that all others begin with", o.Name).At("size").
			WithHint("move its layers one by one, or add another size")
	}
	return lay(ctx, cam, d, o, others, nil)
}

// lay finds the sheet of a size and the operations that write it.
func lay(ctx context.Context, cam look.Camera, d look.Doc, o Options, sizes []template.Size, ops []edit.Op) (craft.Change, error) {
	switch o.Strategy {
	case "", Flow, Scale:
	default:
		return craft.Change{}, problem.New(problem.Invalid, "there is no strategy %q", o.Strategy).At("strategy").WithHint("it is flow, scale or nothing, which tries both")
	}
	from, err := begin(sizes, o)
	if err != nil {
		return craft.Change{}, err
	}
	named, err := identified(d)
	if err != nil {
		return craft.Change{}, err
	}
	ops = append(named, ops...)
	ready, err := craft.Change{Ops: named}.Apply(d)
	if err != nil {
		return craft.Change{}, err
	}
	rows := o.Rows
	if len(rows) > mostRows {
		rows = rows[:mostRows]
	}
	if len(rows) == 0 {
		rows = []map[string]any{nil}
	}
	g, shown, err := readDesign(ctx, cam, ready, from, rows)
	if err != nil {
		return craft.Change{}, err
	}
	to := target{w: float64(o.W), h: float64(o.H), safe: SafeOf(o.W, o.H)}
	j := judge{g: g, known: map[string]bool{}}
	j.judge(shown, target{w: float64(from.Width), h: float64(from.Height)}, func(f fault) { j.known[f.key] = true })
	best, bestFaults := craft.Change{}, []fault(nil)
	wanting := map[string]float64{} // room that texts want beyond what they had, by id
	for _, a := range attempts(o.Strategy) {
		css, dense := g.sheet(to, a, wanting)
		if dense && o.Strategy == "" {
			continue // a document that is full of small print is better left as it is
		}
		change, err := written(d, o, ops, css)
		if err != nil {
			return craft.Change{}, err
		}
		after, err := change.Apply(d)
		if err != nil {
			return craft.Change{}, err
		}
		laid := &album{cam: cam, doc: after, size: o.Name, pages: len(g.pages), rows: rows}
		if err := laid.open(ctx); err != nil {
			return craft.Change{}, err
		}
		faults := j.faults(laid, to)
		if best.Ops == nil || len(faults) < len(bestFaults) {
			best, bestFaults = change, faults
			best.Notes = []string{fmt.Sprintf("The size %q of %d × %d was laid out from %q: %s.", o.Name, o.W, o.H, from.Name, a.says())}
		}
		if len(bestFaults) == 0 {
			break
		}
		for _, f := range faults {
			if f.clipped != "" {
				wanting[f.clipped] = max(1, wanting[f.clipped]) * 1.3
			}
		}
	}
	for i, f := range bestFaults {
		if i == 4 {
			best.Notes = append(best.Notes, fmt.Sprintf("There are %d more like these.", len(bestFaults)-4))
			break
		}
		best.Notes = append(best.Notes, f.says)
	}
	if to.safe != (Safe{}) {
		best.Notes = append(best.Notes, fmt.Sprintf("The upper %d and the lower %d pixels are free of text: apps put their controls there.", to.safe.Top, to.safe.Bottom))
	}
	return best, nil
}

// mostRows are looked at; a picture takes a tenth of a second.
const mostRows = 5

// An attempt is one way to lay a page out.
type attempt struct {
	scale bool
	k     float64 // of the scale that would fill the page as the design filled its own
	// pictures is how much of the room pictures get that they would like.
	pictures float64
}

func (a attempt) says() string {
	if a.scale {
		return "the whole design at another scale, on a ground that fills the page"
	}
	return "pictures and panels fill the page anew, texts follow"
}

func attempts(strategy string) []attempt {
	flow := []attempt{{k: 1, pictures: 1}, {k: 1, pictures: 0.85}, {k: 0.9, pictures: 0.7}, {k: 0.8, pictures: 0.6}} // each gives more room to the texts that the one before had too little for
	switch strategy {
	case Flow:
		return flow
	case Scale:
		return []attempt{{scale: true, k: 1}}
	}
	return append(flow, attempt{scale: true, k: 1})
}

// sheet is the style sheet of the size by an attempt, and whether what it lays out
// is so dense that it comes out no larger than at another scale of the whole.
func (g *design) sheet(to target, a attempt, wanting map[string]float64) (css string, dense bool) {
	from := rect{0, 0, float64(g.size.Width), float64(g.size.Height)}
	k := a.k * math.Sqrt(to.w*(to.h-0.75*float64(to.safe.Top+to.safe.Bottom))/from.area())
	w := &writer{g: g, to: to, spots: map[*layer]spot{}, scale: a.scale, wishes: wishes{texts: wanting, pictures: a.pictures, least: 0.68 * k}}
	if a.scale {
		w.k = g.scaled(to, w.spots)
		return w.sheet(), false
	}
	w.k = k
	for _, p := range g.pages { // one scale for all pages: they share their classes
		_, own := flowed(p, from, to, k, w.wishes)
		w.k = math.Min(w.k, own)
	}
	for _, p := range g.pages {
		spots, _ := flowed(p, from, to, w.k, w.wishes)
		for l, s := range spots {
			w.spots[l] = s
		}
	}
	return w.sheet(), w.k < 0.62 && w.k < 0.8*k && w.k < 1.25*g.scaled(to, map[*layer]spot{})
}

// scaled places layers where they were, all at one scale, in the middle of what
// is free of other things; grounds fill the page.
func (g *design) scaled(to target, spots map[*layer]spot) float64 {
	from := rect{0, 0, float64(g.size.Width), float64(g.size.Height)}
	free := rect{0, float64(to.safe.Top), to.w, to.h - float64(to.safe.Top+to.safe.Bottom)}
	k := math.Min(free.W/from.W, free.H/from.H)
	box := rect{(to.w - from.W*k) / 2, free.Y + (free.H-from.H*k)/2, from.W * k, from.H * k}
	whole := rect{0, 0, to.w, to.h}
	for _, p := range g.pages {
		for _, l := range p.layers {
			b := stretched(l.box, from, box)
			if l.kind != isText && l.kind != isStack { // what runs off the page goes on doing so
				b = extended(b, box, whole, edgesOf(l.box, from))
			}
			spots[l] = spot{box: b, k: k, head: k}
		}
	}
	return k
}

// extended is b up to the edges of the page where it ran to those of the design.
func extended(b, design, whole rect, edges [4]bool) rect {
	top, right, bottom, left := b.Y, b.right(), b.bottom(), b.X
	if edges[0] {
		top = whole.Y
	}
	if edges[1] {
		right = whole.right()
	}
	if edges[2] {
		bottom = whole.bottom()
	}
	if edges[3] {
		left = whole.X
	}
	return rect{left, top, right - left, bottom - top}
}

// begin is the size that is looked at.
func begin(sizes []template.Size, o Options) (template.Size, error) {
	best, distance := template.Size{}, math.Inf(1)
	var names []string
	for _, s := range sizes {
		names = append(names, s.Name)
		if o.From == s.Name {
			return s, nil
		}
		d := math.Abs(math.Log(float64(s.Width)/float64(s.Height))-math.Log(float64(o.W)/float64(o.H))) + 0.05*math.Abs(math.Log(float64(s.Width*s.Height)/float64(o.W*o.H)))
		if d < distance {
			best, distance = s, d
		}
	}
	if o.From != "" {
		return best, problem.New(problem.NotFound, "there is no size %q to begin with", o.From).WithSlug(template.SizeNotFound).At("from").WithHint("there are %s", strings.Join(names, ", "))
	}
	return best, nil
}

// identified are operations that give ids to layers that have none.
func identified(d look.Doc) ([]edit.Op, error) {
	doc := markup.Parse(d.Source)
	var ops []edit.Op
	number := 0
	var visit func(n *markup.Node, path string)
	visit = func(n *markup.Node, path string) {
		for i, c := range n.Elements() {
			at := fmt.Sprintf("%s/%d", path, i)
			if n.Page() && c.ID() == "" && !skipped[c.Name] {
				for {
					number++
					if doc.Find(fmt.Sprintf("layer-%d", number)) == nil {
						break
					}
				}
				ops = append(ops, edit.Op{Op: "ensure_id", Path: at, ID: fmt.Sprintf("layer-%d", number)})
			}
			if !n.Page() {
				visit(c, at)
			}
		}
	}
	visit(doc.Node, "")
	return ops, nil
}

// written are the operations that end with the sheet of the size being css.
func written(d look.Doc, o Options, ops []edit.Op, css string) (craft.Change, error) {
	c := craft.Change{Ops: append([]edit.Op(nil), ops...)}
	id := sizePrefix + o.Name
	after, err := c.Apply(d)
	if err != nil {
		return c, err
	}
	doc := markup.Parse(after.Source)
	if doc.Find(id) == nil { // an override makes the sheet
		layer := ""
		doc.All(func(n *markup.Node) bool {
			if layer == "" && n.Kind == markup.Element && n.Layer() && n.ID() != "" && !lockedIn(n) {
				layer = n.ID()
			}
			return layer == ""
		})
		if layer == "" {
			return c, problem.New(problem.Unsupported, "template %q has no layer that can be moved", d.Name).WithHint("unlock one")
		}
		zero := "0"
		c.Ops = append(c.Ops, edit.Op{Op: "set_size_override", Size: o.Name, ID: layer, Property: "left", Value: &zero})
		if after, err = c.Apply(d); err != nil {
			return c, err
		}
		doc = markup.Parse(after.Source)
	}
	n := doc.Find(id)
	if n == nil {
		return c, problem.New(problem.Internal, "the style sheet of the size %q was not made", o.Name)
	}
	if old := n.Inner(); old != css {
		c.Ops = append(c.Ops, edit.Op{Op: "patch_text", ID: id, Old: old, New: css})
	}
	return c, nil
}

func lockedIn(n *markup.Node) bool {
	for p := n; p != nil; p = p.Parent {
		if p.Kind == markup.Element && has(p, "p-lock") {
			return true
		}
	}
	return false
}
