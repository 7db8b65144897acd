package palette

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

// DarkOptions are how a dark theme is to be.
type DarkOptions struct {
	Theme    string           // its name; "" is dark
	Rows     []map[string]any // that it is measured with; the first one in every size. None: the examples
	Contrast float64          // that text has to have; large text 3 at most. 0 is 4.5
	Keep     []string         // tokens that stay as they are
}

const rounds = 4 // of measuring and mending

// Dark adds a dark theme to a document, or mends the one that it has: grounds
// become dark, text light, colours that mean something keep their hue. Photographs,
// logos and what stands on them stay, and so does the picture without a theme, to
// the pixel. Literal colours become tokens first. What falls short is in the notes.
func Dark(ctx context.Context, cam look.Camera, d look.Doc, o DarkOptions) (craft.Change, error) {
	if o.Theme == "" {
		o.Theme = "dark"
	}
	if o.Contrast == 0 {
		o.Contrast = check.NeedNormal
	}
	o.Keep = slices.Clone(o.Keep)
	for i, name := range o.Keep {
		o.Keep[i] = strings.TrimPrefix(name, "--")
	}
	if slices.ContainsFunc(themesOf(d.Source), func(t theme) bool { return t.name == o.Theme }) {
		return mendTheme(ctx, cam, d, o)
	}
	first, err := Tokenize(d)
	if err != nil {
		return craft.Change{}, err
	}
	d, err = first.Apply(d)
	if err != nil {
		return craft.Change{}, err
	}
	p, err := take(ctx, cam, d, "", o.Rows)
	if err != nil {
		return craft.Change{}, err
	}
	plan := newPlan(newDeriver(p, o.Contrast, o.Keep), o.Theme, true)
	for _, token := range themesOf(d.Source)[0].order {
		plan.tone(token)
	}
	plan.split()
	plan.plates()
	change, err := plan.measured(ctx)
	change.Ops = append(first.Ops, change.Ops...)
	change.Notes = append(first.Notes, change.Notes...)
	return change, err
}

// mendTheme changes what cannot be read in a theme.
func mendTheme(ctx context.Context, cam look.Camera, d look.Doc, o DarkOptions) (craft.Change, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return craft.Change{}, fmt.Errorf("template %q: %w", d.Name, err)
	}
	missed := false
	for _, v := range viewsOf(t, o.Rows, pagesIn(markup.Parse(d.Source))) {
		v.Theme = o.Theme
		found, err := missesIn(ctx, cam, d, v, o.Contrast)
		if noPage(v, err) {
			continue
		}
		if err != nil {
			return craft.Change{}, err
		}
		missed = missed || len(found) > 0
	}
	if !missed {
		return craft.Change{Notes: []string{fmt.Sprintf("the theme %s can be read everywhere, and stays as it is", o.Theme)}}, nil
	}
	p, err := take(ctx, cam, d, o.Theme, o.Rows)
	if err != nil {
		return craft.Change{}, err
	}
	der := newDeriver(p, o.Contrast, o.Keep)
	der.frozen = true
	return newPlan(der, o.Theme, false).measured(ctx)
}

// measured is the change of a plan after it was drawn, measured and mended until
// nothing is left that can be.
func (p *plan) measured(ctx context.Context) (craft.Change, error) {
	var views []int // to be measured: first all, then those in which something was mended
	for i := range p.views {
		views = append(views, i)
	}
	for round := 0; ; round++ {
		change, err := p.change()
		if err != nil {
			return craft.Change{}, err
		}
		d, err := change.Apply(p.doc)
		if err != nil {
			return craft.Change{}, err
		}
		misses, err := p.misses(ctx, d, views)
		if err != nil {
			return craft.Change{}, err
		}
		mended, changed := false, map[meeting]bool{}
		for _, m := range misses {
			mended = round < rounds && p.mend(m, changed) || mended
		}
		views = nil
		for _, m := range misses {
			if !slices.Contains(views, m.view) {
				views = append(views, m.view)
			}
		}
		if mended {
			continue
		}
		same, err := p.plainStays(ctx, d)
		if err != nil {
			return craft.Change{}, err
		}
		if !same { // something was taken for what it is not
			p.notes = append(p.notes, "texts that would need a colour of their own have none: the plain picture would have changed")
			kept := slices.DeleteFunc(slices.Clone(p.styles), func(s styled) bool { return s.property == "color" })
			if len(kept) == len(p.styles) && len(p.swaps) == 0 {
				kept = nil
			}
			p.styles, p.swaps = kept, map[int]string{}
			views = nil
			for i := range p.views {
				views = append(views, i)
			}
			round = rounds
			continue
		}
		change.Notes = p.report(misses)
		return change, nil
	}
}

// plainStays reports whether a changed document looks as before without the theme.
// Tokens of a theme alone cannot change that.
func (p *plan) plainStays(ctx context.Context, changed look.Doc) (bool, error) {
	if len(p.styles) == 0 && len(p.swaps) == 0 {
		return true, nil
	}
	for _, v := range p.views {
		view := v.view
		was := v.real
		if view.Theme != "" {
			view.Theme = ""
			shot, err := p.cam.Shoot(ctx, p.doc, view)
			if err != nil {
				return false, err
			}
			was = shot.Picture
		}
		shot, err := p.cam.Shoot(ctx, changed, view)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(was.Pix, shot.Picture.Pix) {
			return false, nil
		}
	}
	return true, nil
}

// report is what a person should know of the plan.
func (p *plan) report(misses []miss) []string {
	var changed, kept []string
	for _, token := range themesOf(p.doc.Source)[0].order {
		switch t, has := p.tones[token]; {
		case has && !t.stays():
			changed = append(changed, token)
		case has && p.isColor(token):
			kept = append(kept, token)
		}
	}
	var notes []string
	if len(changed) == 0 && p.adds {
		notes = append(notes, "the template is dark as it is: the theme changes no colour")
	}
	if len(changed) > 0 {
		notes = append(notes, fmt.Sprintf("in the theme %s these are other colours: %s", p.theme, strings.Join(changed, ", ")))
	}
	if len(kept) > 0 && p.adds {
		notes = append(notes, "these stay as they are: "+strings.Join(kept, ", "))
	}
	for _, m := range p.made {
		switch m.plain {
		case "transparent":
			notes = append(notes, fmt.Sprintf("%s is a light plate below a picture that would be lost on the dark ground", m.name))
		default:
			notes = append(notes, fmt.Sprintf("%s is new: in the plain theme it is %s", m.name, m.plain))
		}
	}
	notes = append(notes, p.notes...)
	for _, m := range misses {
		v := p.views[m.view].view
		notes = append(notes, fmt.Sprintf("%s has a contrast of %.2f in size %s, and should have %.1f", m.Layer, m.Ratio, v.Size, m.need))
	}
	slices.Sort(notes[min(len(notes), 1):])
	return slices.Compact(notes)
}
