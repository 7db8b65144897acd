package copilot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/backdrop"
	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/palette"
	"github.com/pictifyd/pictifyd/copilot/relayout"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/edit"
)

func lookAt(size, theme string) look.View { return look.View{Size: size, Theme: theme} }

// crafted is what a model is told of a tool that did much at once.
type crafted struct {
	OK         bool     `json:"ok"`
	Operations int      `json:"operations"`
	Notes      []string `json:"notes"`
}

func (f *flight) craft(c craft.Change, allowed check.Allowed) (any, error) {
	if err := f.take(c, allowed); err != nil {
		return nil, err
	}
	return crafted{true, len(c.Ops), list(c.Notes)}, nil
}

// values are the rows that every step is tried with.
func (f *flight) values() []map[string]any {
	all := make([]map[string]any, len(f.rows))
	for i, r := range f.rows {
		all[i] = r.Values
	}
	return all
}

func (f *flight) tokenizeColors(none) (any, error) {
	c, err := palette.Tokenize(f.doc)
	if err != nil {
		return nil, err
	}
	return f.craft(c, check.Allowed{}) // nothing may look different
}

func (f *flight) deriveDarkTheme(ctx context.Context, a struct {
	Name     string
	Contrast float64
	Keep     []string
},
) (any, error) {
	if a.Name == "" {
		a.Name = "dark"
	}
	c, err := palette.Dark(ctx, f.copilot.o.Camera, f.doc, palette.DarkOptions{Theme: a.Name, Rows: f.values(), Contrast: a.Contrast, Keep: a.Keep})
	if err != nil {
		return nil, err
	}
	f.hand.view = lookAt(f.run.Size, a.Name)
	return f.craft(c, check.Allowed{Themes: []string{a.Name}})
}

func (f *flight) addSize(ctx context.Context, a struct {
	Preset, Name, Strategy string
	W, H                   int
},
) (any, error) {
	o := relayout.Options{Name: a.Name, W: a.W, H: a.H, Strategy: a.Strategy, Rows: f.values()}
	if a.Preset != "" {
		p, ok := relayout.PresetFor(a.Preset)
		if !ok {
			return nil, problem.New(problem.NotFound, "no format is known as %q", bounded(a.Preset, 80)).WithSlug("unknown_preset").At("preset").WithHint("give name, w and h")
		}
		o.Name, o.Label, o.W, o.H = p.Name, p.Label, p.W, p.H
	}
	if o.Name == "" || o.W == 0 || o.H == 0 {
		return nil, problem.New(problem.Invalid, "a size needs a preset, or name, w and h").WithSlug("required").At("preset")
	}
	for _, s := range f.form.Sizes() {
		if s.Width == o.W && s.Height == o.H {
			f.hand.view = lookAt(s.Name, f.run.Theme)
			return crafted{true, 0, []string{fmt.Sprintf("there is a size of %d by %d already: %s. Check it, and call relayout where it does not hold", o.W, o.H, s.Name)}}, nil
		}
	}
	o.Name = f.freeSize(o.Name)
	c, err := relayout.AddSize(ctx, f.copilot.o.Camera, f.doc, o)
	if err != nil {
		return nil, err
	}
	f.hand.view = lookAt(o.Name, f.run.Theme)
	return f.craft(c, check.Allowed{Sizes: []string{o.Name}, Pictures: true})
}

func (f *flight) freeSize(name string) string {
	taken := viewsOf(f.doc).Sizes
	free := name
	for n := 2; slices.Contains(taken, free); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

func (f *flight) relayout(ctx context.Context, a struct{ Size, Strategy string }) (any, error) {
	if _, err := f.view(a.Size, "", 0); err != nil {
		return nil, err
	}
	c, err := relayout.Relayout(ctx, f.copilot.o.Camera, f.doc, relayout.Options{Name: a.Size, Strategy: a.Strategy, Rows: f.values()})
	if err != nil {
		return nil, err
	}
	f.hand.view = lookAt(a.Size, f.run.Theme)
	return f.craft(c, check.Allowed{Sizes: []string{a.Size}, Pictures: true})
}

func (f *flight) generateBackgrounds(ctx context.Context, a struct {
	Count int
	Kind  string
	Seed  uint64
},
) (any, error) {
	if a.Count == 0 {
		a.Count = 5
	}
	if len(f.hand.ops) > 0 {
		return nil, problem.New(problem.Conflict, "there are edits that are no step yet, on which candidates would stand").WithHint("call finish_step first")
	}
	made, err := backdrop.Generate(ctx, f.copilot.o.Camera, f.doc, backdrop.Options{N: a.Count, Kind: a.Kind, Seed: a.Seed, Size: f.run.Size, Rows: f.values()})
	if err != nil {
		return nil, err
	}
	type told struct {
		Name  string `json:"name"`
		Title string `json:"title"`
		Kind  string `json:"kind"`
	}
	var names []told
	for _, m := range made {
		c, err := f.candidate(ctx, m)
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.run.Candidates = append(slices.Clone(f.run.Candidates), c)
		f.mu.Unlock()
		f.hand.options++
		names = append(names, told{c.Name, c.Title, m.Kind})
	}
	if err := f.save(ctx, event(EventCandidates, map[string]any{"candidates": f.run.Candidates})); err != nil {
		return nil, err
	}
	return map[string]any{"ok": true, "candidates": names, "say": "the person picks one; call pick_background only where the message says which"}, nil
}

// candidate is a background with its picture.
func (f *flight) candidate(ctx context.Context, m backdrop.Candidate) (Candidate, error) {
	c := Candidate{Name: m.Name, Title: m.Title, Ops: make([]json.RawMessage, len(m.Change.Ops))}
	for n := 2; slices.ContainsFunc(f.run.Candidates, func(x Candidate) bool { return x.Name == c.Name }); n++ {
		c.Name = fmt.Sprintf("%s-%d", m.Name, n)
	}
	for i, op := range m.Change.Ops {
		raw, err := json.Marshal(op)
		if err != nil {
			return c, fmt.Errorf("write an operation: %w", err)
		}
		c.Ops[i] = raw
	}
	d, err := m.Change.Apply(f.doc)
	if err != nil {
		return c, err
	}
	v := lookAt(f.run.Size, f.run.Theme)
	if len(f.rows) > 0 {
		v.Row = f.rows[0].Values
	}
	c.Picture, err = f.keep(ctx, d, v, "candidate-"+c.Name+".jpg")
	return c, err
}

func (f *flight) pickBackground(_ context.Context, a struct{ Name string }) (any, error) {
	i := slices.IndexFunc(f.run.Candidates, func(c Candidate) bool { return c.Name == a.Name })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "there is no candidate %q", bounded(a.Name, 80)).WithSlug(NoStep).At("name").WithHint("call generate_backgrounds first, and take one of its names")
	}
	if f.hand.picked != "" || slices.ContainsFunc(f.run.Candidates, func(c Candidate) bool { return c.Picked != 0 }) {
		return nil, problem.New(problem.Conflict, "a candidate was picked already").WithSlug(NoStep).At("name").WithHint("the person can pick another one in its place")
	}
	ops, err := decodeAll(f.run.Candidates[i].Ops)
	if err != nil {
		return nil, err
	}
	f.hand.view = lookAt(f.run.Size, f.run.Theme)
	result, err := f.craft(craft.Change{Ops: ops, Notes: []string{"the background is " + f.run.Candidates[i].Title}}, everything)
	if err == nil {
		f.hand.picked = a.Name
	}
	return result, err
}

func decodeAll(raw []json.RawMessage) ([]edit.Op, error) {
	all, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("read the operations of a candidate: %w", err)
	}
	return edit.Decode(all)
}

func (f *flight) createVariant(ctx context.Context, a Variant) (any, error) {
	if _, err := f.view(a.Size, a.Theme, 0); err != nil {
		return nil, err
	}
	if a.Theme == "" && a.Size == "" {
		return nil, problem.New(problem.Invalid, "a variant shows a theme or a size that the template as it is does not show").WithSlug("required").At("theme")
	}
	if slices.Contains(f.run.Variants, a) {
		return done{OK: true, Say: "it is one already"}, nil
	}
	if slices.ContainsFunc(f.run.Variants, func(v Variant) bool { return v.Name == a.Name }) {
		return nil, problem.New(problem.Conflict, "there is a variant %q already", a.Name).At("name").WithHint("take another name")
	}
	f.mu.Lock()
	f.run.Variants = append(slices.Clone(f.run.Variants), a)
	f.mu.Unlock()
	return done{OK: true}, f.save(ctx, event(EventVariant, a))
}
