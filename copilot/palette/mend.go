package palette

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
)

// A miss is a text that does not stand out as it should.
type miss struct {
	check.Span
	view int
	need float64
}

// misses measures a document in the theme, in views of the probe.
func (p *plan) misses(ctx context.Context, d look.Doc, views []int) ([]miss, error) {
	found := make([][]miss, len(views))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for place, i := range views {
		g.Go(func() (err error) {
			view := p.views[i].view
			view.Theme = p.theme
			found[place], err = missesIn(ctx, p.cam, d, view, p.contrast)
			for m := range found[place] {
				found[place][m].view = i
			}
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(found...), err
}

// missesIn are the misses in one view.
func missesIn(ctx context.Context, cam look.Camera, d look.Doc, v look.View, least float64) ([]miss, error) {
	spans, err := check.Contrast(ctx, cam, d, v)
	if err != nil {
		return nil, err
	}
	var out []miss
	for _, s := range spans {
		need := least
		if s.Need == check.NeedLarge {
			need = min(s.Need, least)
		}
		if s.Ratio < need {
			out = append(out, miss{Span: s, need: need})
		}
	}
	return out, nil
}

// split finds the texts that cannot have what their token is in the theme: those
// on photographs, on grounds that stay, in what is locked. They get one of their own.
func (p *plan) split() {
	for _, s := range p.sources {
		var wrong []*pair
		all, bad := 0, 0
		for _, one := range s.pairs {
			all += one.pixels
			if p.wrong(one) {
				bad += one.pixels
				wrong = append(wrong, one)
			}
		}
		if len(wrong) == 0 {
			continue
		}
		p.separate(s, wrong, float64(bad) > 0.97*float64(all))
	}
}

// wrong reports whether a text will not be what it should be on its ground.
func (p *plan) wrong(one *pair) bool {
	if one.ground == p.picture {
		return p.changes(one.text)
	}
	if !p.changes(one.text) && !p.changes(one.ground) {
		return false
	}
	return contrast(p.dark(one.text), p.dark(one.ground)) < p.need(one)*1.02
}

// separate gives texts of a source a token of their own: the declaration that
// colours them, where that colours nothing else, or else their elements.
func (p *plan) separate(s *source, wrong []*pair, whole bool) {
	for _, one := range wrong {
		name := p.tokenFor(s, one)
		if name == "" {
			continue
		}
		if whole && s.site >= 0 && len(s.tokens) == 1 && !p.sites[s.site].locked {
			p.swaps[s.site] = name
			return
		}
		if n := p.node(one.layer); !p.style(n, "color", "var(--"+name+")") {
			p.notes = append(p.notes, fmt.Sprintf("%s cannot have a colour of its own in the theme: give it an id", one.layer))
		}
	}
}

// tokenFor is a token with the colour that a text has on its ground.
func (p *plan) tokenFor(s *source, one *pair) string {
	plain, written, base := one.letter, one.letter.String(), "ink"
	if len(s.tokens) == 1 {
		base = s.tokens[0]
		plain, written = p.deriver.plain(base), "var(--"+base+")"
	}
	if !p.changes(one.ground) { // as it was
		dark := one.letter.String()
		if len(s.tokens) == 1 {
			dark = p.tokens[base]
		}
		name := "on-photo"
		if one.ground != nil && len(one.ground.tokens) > 0 {
			name = "on-" + one.ground.tokens[0]
		}
		return p.make(name, written, dark)
	}
	t := p.onGround(base, tone{color: plain}, one.back, p.dark(one.ground), p.need(one))
	if t.stays() {
		return ""
	}
	name := base + "-text"
	if strings.HasSuffix(base, "text") || len(s.tokens) == 0 || s.family == letters && p.onlyText(base) {
		name = "on-" + p.nameOf(one.ground)
	}
	return p.make(name, written, t.value)
}

func (p *plan) nameOf(s *source) string {
	if s != nil && len(s.tokens) > 0 {
		return s.tokens[0]
	}
	return "ground"
}

func (p *plan) onlyText(token string) bool {
	for _, s := range p.byToken[token] {
		if s.family != letters {
			return false
		}
	}
	return true
}

// A meeting is a text on a ground, wherever that is.
type meeting struct{ text, ground *source }

// mend changes what a text that was missed has, or what it stands on. It is false
// where there is nothing to be done. What was changed since it was measured is not
// changed again.
func (p *plan) mend(m miss, changed map[meeting]bool) bool {
	one := p.at(m)
	if one == nil || one.ground == p.picture || one.ground == nil {
		return false
	}
	met := meeting{one.text, one.ground}
	if changed[met] {
		return true
	}
	changed[met] = true
	text, ground := p.dark(one.text), p.dark(one.ground)
	goal := contrast(text, ground) * m.need / m.Ratio * 1.06
	up := text.luminance() >= ground.luminance()
	if len(one.text.tokens) == 1 {
		token := one.text.tokens[0]
		o, ok := text.lch().reaching(ground, goal, up)
		if ok && p.suits(token, o.rgb()) {
			p.tones[token] = p.set(token, o)
			return true
		}
	}
	if len(one.ground.tokens) == 1 {
		token := one.ground.tokens[0]
		o, ok := ground.lch().reaching(text, goal, !up)
		if ok && p.written(token) && p.holdsUp(token, o.rgb()) {
			p.tones[token] = p.set(token, o)
			return true
		}
	}
	if len(one.text.tokens) == 1 { // a colour of its own
		o, ok := text.lch().reaching(ground, goal, up)
		name := p.make("on-"+p.nameOf(one.ground), "var(--"+one.text.tokens[0]+")", o.rgb().String())
		return ok && p.style(p.node(one.layer), "color", "var(--"+name+")")
	}
	return false
}

// holdsUp reports whether all text on a ground can be read when that is c.
func (p *plan) holdsUp(token string, c rgb) bool {
	for _, s := range p.sources {
		for _, one := range s.pairs {
			if slices.Contains(one.ground.tokens, token) && contrast(p.dark(one.text), c) < p.need(one) {
				return false
			}
		}
	}
	return true
}

// suits reports whether a token can be that colour wherever text has it.
func (p *plan) suits(token string, c rgb) bool {
	for _, s := range p.byToken[token] {
		for _, one := range s.pairs {
			if one.ground != nil && one.ground != p.picture && contrast(c, p.dark(one.ground)) < p.need(one) {
				return false
			}
		}
		if s.reads > 0 {
			return false // it is a ground as well
		}
	}
	return true
}

// at is the text that a miss is about.
func (p *plan) at(m miss) *pair {
	v := p.views[m.view]
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	r := image.Rect(int(float64(m.At.Min.X)*scale), int(float64(m.At.Min.Y)*scale), int(float64(m.At.Max.X)*scale), int(float64(m.At.Max.Y)*scale)).Intersect(v.real.Bounds())
	counts := map[meeting]int{}
	best := meeting{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			k := meeting{}
			if k.text, k.ground = p.textAt(v, x, y); k.text == nil || k.ground == nil {
				continue
			}
			counts[k]++
			if n := counts[k]; n > counts[best] {
				best = k
			}
		}
	}
	if best.text == nil {
		return nil
	}
	return &pair{text: best.text, ground: best.ground, layer: m.Layer, need: m.need}
}
