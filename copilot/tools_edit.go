package copilot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/edit"
)

// maxLayers is how many layers a run may add.
const maxLayers = 60

// done is what a model is told of an edit.
type done struct {
	OK      bool     `json:"ok"`
	Touched []string `json:"touched,omitempty"`
	Say     string   `json:"say,omitempty"`
}

// edit has one operation done. size is the only size that it is for; "" is all.
func (f *flight) edit(op edit.Op, size string) (any, error) {
	allowed := everything
	if size != "" {
		allowed = check.Allowed{Sizes: []string{size}, Pictures: true}
		if f.hand.view.Size == "" {
			f.hand.view.Size = size
		}
	}
	if f.hand.view.Size == "" {
		f.hand.view.Size, f.hand.view.Theme = f.run.Size, f.run.Theme
	}
	if err := f.take(craft.Change{Ops: []edit.Op{op}}, allowed); err != nil {
		return nil, err
	}
	return done{OK: true}, nil
}

func (f *flight) setText(a struct{ ID, Text string }) (any, error) {
	return f.edit(edit.Op{Op: "set_text", ID: a.ID, Text: &a.Text}, "")
}

func (f *flight) setStyle(a struct {
	ID, Property, Size string
	Value              *string
},
) (any, error) {
	return f.edit(edit.Op{Op: "set_style", ID: a.ID, Property: a.Property, Value: a.Value, Size: a.Size}, a.Size)
}

func (f *flight) setBox(a struct {
	ID, Size string
	Box      map[string]*float64
},
) (any, error) {
	if err := f.onPage(a.Box, a.Size); err != nil {
		return nil, err
	}
	return f.edit(edit.Op{Op: "set_box", ID: a.ID, Box: a.Box, Size: a.Size}, a.Size)
}

// onPage refuses a box that is nowhere near the page.
func (f *flight) onPage(box map[string]*float64, size string) error {
	w, h := 0, 0
	for _, s := range f.form.Sizes() {
		if size == "" || s.Name == size {
			w, h = max(w, s.Width), max(h, s.Height)
		}
	}
	for side, v := range box {
		if v == nil || side == "rotate" {
			continue
		}
		most := w
		if side == "top" || side == "height" {
			most = h
		}
		if math.Abs(*v) > 2*float64(most) || (side == "width" || side == "height") && *v < 0 {
			return problem.New(problem.Invalid, "%s of %g is far from the page, which is %d by %d", side, *v, w, h).WithSlug("out_of_range").At("box." + side).
				WithHint("give numbers within the page, in its CSS pixels")
		}
	}
	return nil
}

func (f *flight) setAttr(a struct {
	ID, Name string
	Value    *string
},
) (any, error) {
	switch name := strings.ToLower(a.Name); {
	case name == "p-lock":
		return nil, problem.New(problem.Forbidden, "locks are a person's").WithSlug(edit.Locked).At("name").WithHint("leave what is locked as it is")
	case name == "style" || strings.HasPrefix(name, "p-style-"):
		return nil, problem.New(problem.Invalid, "styles are set one by one").At("name").WithHint("call set_style, or bind with style:PROPERTY")
	}
	return f.edit(edit.Op{Op: "set_attr", ID: a.ID, Name: a.Name, Value: a.Value}, "")
}

func (f *flight) setHidden(a struct {
	ID, Size string
	Hidden   bool
},
) (any, error) {
	return f.edit(edit.Op{Op: "set_hidden", ID: a.ID, Hidden: &a.Hidden, Size: a.Size}, a.Size)
}

func (f *flight) bind(a struct {
	ID, Target string
	Expr       *string
},
) (any, error) {
	return f.edit(edit.Op{Op: "set_binding", ID: a.ID, Target: a.Target, Expr: a.Expr}, "")
}

func (f *flight) addLayer(a struct {
	Parent, Before, After string
	Node                  edit.Node
},
) (any, error) {
	n := 1 + countNodes(a.Node.Children)
	if f.added+n > maxLayers {
		return nil, problem.New(problem.TooLarge, "a run may add %d layers", maxLayers).At("node").WithHint("go on with what is there")
	}
	if a.Parent == "" && a.Before == "" && a.After == "" {
		if outline := edit.Outline(f.doc.Source); len(outline) > 0 {
			a.Parent = outline[0].ID
		}
	}
	result, err := f.edit(edit.Op{Op: "add_node", Parent: a.Parent, Before: a.Before, After: a.After, Node: &a.Node}, "")
	if err == nil {
		f.added += n
	}
	return result, err
}

func countNodes(all []edit.Node) int {
	n := len(all)
	for _, c := range all {
		n += countNodes(c.Children)
	}
	return n
}

func (f *flight) duplicateLayer(a struct {
	ID   string
	ToID string `json:"to_id"`
},
) (any, error) {
	if f.added >= maxLayers {
		return nil, problem.New(problem.TooLarge, "a run may add %d layers", maxLayers).At("id").WithHint("go on with what is there")
	}
	f.added++
	return f.edit(edit.Op{Op: "duplicate_node", ID: a.ID, ToID: a.ToID}, "")
}

func (f *flight) removeLayer(a struct{ ID string }) (any, error) {
	before := f.form.Uses()
	old, held := f.doc, len(f.hand.ops)
	result, err := f.edit(edit.Op{Op: "remove_node", ID: a.ID}, "")
	if err != nil {
		return nil, err
	}
	for _, name := range before {
		if slices.Contains(f.form.Uses(), name) {
			continue
		}
		f.doc, f.hand.ops = old, f.hand.ops[:held]
		if err := f.parse(); err != nil {
			return nil, err
		}
		return nil, problem.New(problem.Conflict, "the variable %q would not be used any more without %q", name, a.ID).WithSlug("lost_variable").At("id").
			WithHint("hide the layer with set_hidden; a person can remove it in the editor")
	}
	return result, nil
}

func (f *flight) moveLayer(a struct{ ID, Parent, Before, After string }) (any, error) {
	return f.edit(edit.Op{Op: "move_node", ID: a.ID, Parent: a.Parent, Before: a.Before, After: a.After}, "")
}

func (f *flight) group(a struct {
	IDs []string
	ID  string
},
) (any, error) {
	return f.edit(edit.Op{Op: "group", IDs: a.IDs, ID: a.ID}, "")
}

func (f *flight) ungroup(a struct{ ID string }) (any, error) {
	return f.edit(edit.Op{Op: "ungroup", ID: a.ID}, "")
}

func (f *flight) setToken(a struct {
	Name, Theme string
	Value       *string
},
) (any, error) {
	op := edit.Op{Op: "set_token", Name: strings.TrimPrefix(a.Name, "--"), Value: a.Value, Theme: a.Theme}
	if a.Theme == "" {
		return f.edit(op, "")
	}
	f.hand.view = lookAt(f.run.Size, a.Theme)
	if err := f.take(craft.Change{Ops: []edit.Op{op}}, check.Allowed{Themes: []string{a.Theme}, Pictures: true}); err != nil {
		return nil, err
	}
	return done{OK: true}, nil
}

// A place is a layer as it is drawn, and its parent, in pixels of the page.
type place struct{ own, parent render.Box }

// placed are layers as they are drawn in a size.
func (f *flight) placed(ctx context.Context, ids []string, size string) (drawn []place, page render.Box, err error) {
	v, err := f.view(size, "", 0)
	if err != nil {
		return nil, page, err
	}
	shot, err := f.copilot.o.Camera.Shoot(ctx, f.doc, v)
	if err != nil {
		return nil, page, err
	}
	page = render.Box{Width: float64(shot.Width), Height: float64(shot.Height)}
	boxOf := func(id string) (render.Box, bool) {
		i := slices.IndexFunc(shot.Boxes, func(b render.Box) bool { return b.ID == id })
		if i < 0 || shot.Boxes[i].Width == 0 {
			return render.Box{}, false
		}
		return shot.Boxes[i], true
	}
	layers := flat(edit.Outline(f.doc.Source))
	for i, id := range ids {
		own, ok := boxOf(id)
		if !ok {
			return nil, page, problem.New(problem.NotFound, "no layer %q is shown", bounded(id, 80)).WithSlug(edit.LayerNotFound).At(fmt.Sprintf("ids[%d]", i)).WithHint("get_outline names them all")
		}
		parent, ok := boxOf(layers[id].Parent)
		if !ok {
			parent = page
		}
		if up := layers[layers[id].Parent]; slices.Contains(strings.Fields(up.Class), "p-stack") {
			return nil, page, problem.New(problem.Unsupported, "%q stands in the stack %q, which places it", id, up.ID).At(fmt.Sprintf("ids[%d]", i)).
				WithHint("set align-items or justify-content of the stack, or move the layer out of it")
		}
		drawn = append(drawn, place{own, parent})
	}
	return drawn, page, nil
}

// flat are layers by their ids.
func flat(all []edit.Layer) map[string]edit.Layer {
	by := map[string]edit.Layer{}
	for _, l := range all {
		for id, in := range flat(l.Children) {
			by[id] = in
		}
		by[l.ID] = l
	}
	return by
}

// shift moves layers by what moves says, in pixels of the page.
func (f *flight) shift(ids []string, drawn []place, moves []float64, side, size string) (any, error) {
	for i, id := range ids {
		if math.Abs(moves[i]) < 0.01 {
			continue
		}
		to := drawn[i].own.X - drawn[i].parent.X + moves[i]
		if side == "top" {
			to = drawn[i].own.Y - drawn[i].parent.Y + moves[i]
		}
		to = math.Round(to*100) / 100
		if _, err := f.edit(edit.Op{Op: "set_box", ID: id, Box: map[string]*float64{side: &to}, Size: size}, size); err != nil {
			return nil, err
		}
	}
	return done{OK: true, Touched: ids}, nil
}

func (f *flight) align(ctx context.Context, a struct {
	IDs        []string
	Edge, Size string
},
) (any, error) {
	drawn, page, err := f.placed(ctx, a.IDs, a.Size)
	if err != nil {
		return nil, err
	}
	around := page
	if len(drawn) > 1 {
		around = union(drawn)
	}
	side, of := "left", func(b render.Box) (float64, float64) { return b.X, b.Width }
	if a.Edge == "top" || a.Edge == "middle" || a.Edge == "bottom" {
		side, of = "top", func(b render.Box) (float64, float64) { return b.Y, b.Height }
	}
	share := map[string]float64{"left": 0, "top": 0, "center": 0.5, "middle": 0.5, "right": 1, "bottom": 1}[a.Edge]
	from, length := of(around)
	moves := make([]float64, len(drawn))
	for i, b := range drawn {
		at, own := of(b.own)
		moves[i] = from + share*(length-own) - at
	}
	return f.shift(a.IDs, drawn, moves, side, a.Size)
}

func union(all []place) render.Box {
	u := all[0].own
	for _, p := range all[1:] {
		b := p.own
		right, bottom := max(u.X+u.Width, b.X+b.Width), max(u.Y+u.Height, b.Y+b.Height)
		u.X, u.Y = min(u.X, b.X), min(u.Y, b.Y)
		u.Width, u.Height = right-u.X, bottom-u.Y
	}
	return u
}

func (f *flight) distribute(ctx context.Context, a struct {
	IDs        []string
	Axis, Size string
},
) (any, error) {
	drawn, _, err := f.placed(ctx, a.IDs, a.Size)
	if err != nil {
		return nil, err
	}
	side, of := "left", func(b render.Box) (float64, float64) { return b.X, b.Width }
	if a.Axis == "y" {
		side, of = "top", func(b render.Box) (float64, float64) { return b.Y, b.Height }
	}
	order := make([]int, len(drawn))
	sum := 0.0
	for i := range drawn {
		order[i] = i
		_, own := of(drawn[i].own)
		sum += own
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, _ := of(drawn[i].own)
		y, _ := of(drawn[j].own)
		return int(math.Copysign(1, x-y))
	})
	first, _ := of(drawn[order[0]].own)
	lastAt, lastOwn := of(drawn[order[len(order)-1]].own)
	gap := (lastAt + lastOwn - first - sum) / float64(len(drawn)-1)
	moves := make([]float64, len(drawn))
	at := first
	for _, i := range order {
		was, own := of(drawn[i].own)
		moves[i] = at - was
		at += own + gap
	}
	return f.shift(a.IDs, drawn, moves, side, a.Size)
}
