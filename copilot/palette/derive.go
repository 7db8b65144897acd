package palette

import (
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/check"
)

// The tones of a dark theme, by lightness in OKLCH.
const (
	pageTone   = 0.2   // the ground of a page
	deepTone   = 0.165 // of one on which a large raised ground lies
	lightTone  = 0.95  // text, and small grounds that were dark
	groundTint = 0.013 // the chroma that grounds keep of theirs
	textTint   = 0.018
	large      = 0.5  // of the page: such a ground makes the picture light or dark
	small      = 0.08 // a button, a badge
	tiny       = 0.004
)

// A tone is what a token is in the dark theme.
type tone struct {
	value string // "" where it stays as it is
	color rgb    // as it will look, as far as can be told
}

func (t tone) stays() bool { return t.value == "" }

// A deriver finds the tones of a dark theme.
type deriver struct {
	*probe
	contrast float64
	keep     []string
	bySite   map[int]*source
	byToken  map[string][]*source
	tones    map[string]tone
	working  map[string]bool
	frozen   bool // tokens stay, unless they are mended
	notes    []string
}

func newDeriver(p *probe, contrast float64, keep []string) *deriver {
	d := &deriver{probe: p, contrast: contrast, keep: keep, bySite: map[int]*source{}, byToken: map[string][]*source{}, tones: map[string]tone{}, working: map[string]bool{}}
	for _, s := range p.sources {
		if s.site >= 0 {
			d.bySite[s.site] = s
		}
		for _, t := range s.tokens {
			d.byToken[t] = append(d.byToken[t], s)
		}
	}
	return d
}

// need is the contrast that a pair must have: what was asked for, or for large
// text what the standard does.
func (d *deriver) need(p *pair) float64 {
	if p.need == check.NeedLarge {
		return min(check.NeedLarge, d.contrast)
	}
	return d.contrast
}

// dark is the colour of a source in the dark theme.
func (d *deriver) dark(s *source) rgb {
	switch {
	case s == nil || s == d.picture:
		return rgb{}
	case len(s.tokens) == 0:
		return s.color // a literal that stays
	case s.family == surface && len(s.tokens) > 1 && s.site >= 0: // a gradient, as its middle
		var sum rgb
		for _, t := range s.tokens {
			c := d.tone(t).color
			sum.r, sum.g, sum.b = sum.r+c.r, sum.g+c.g, sum.b+c.b
		}
		n := float64(len(s.tokens))
		return rgb{sum.r / n, sum.g / n, sum.b / n, 1}
	}
	return d.tone(s.tokens[0]).color
}

// changes reports whether a source is another colour in the dark theme.
func (d *deriver) changes(s *source) bool {
	if s == nil || s == d.picture {
		return false
	}
	return slices.ContainsFunc(s.tokens, func(t string) bool { return !d.tone(t).stays() })
}

// tone is what a token becomes.
func (d *deriver) tone(token string) tone {
	if t, ok := d.tones[token]; ok {
		return t
	}
	plain := tone{color: d.plain(token)}
	if d.working[token] { // grounds in a circle
		return plain
	}
	d.working[token] = true
	t := d.derive(token, plain)
	d.working[token] = false
	if t.value == d.tokens[token] {
		t.value = ""
	}
	d.tones[token] = t
	return t
}

// plain is the colour that a token has: as it is written, or as it is seen.
func (d *deriver) plain(token string) rgb {
	if c, ok := d.solved[token]; ok {
		return c
	}
	best := 0
	var c rgb
	for _, s := range d.byToken[token] {
		if len(s.tokens) == 1 && s.pixels > best && s.count > 0 {
			best, c = s.pixels, s.color
		}
		for _, p := range s.pairs {
			if len(s.tokens) == 1 && p.pixels > best {
				best, c = p.pixels, p.letter
			}
		}
	}
	if best == 0 {
		if mixed, ok := d.evaluated(d.tokens[token]); ok {
			return mixed
		}
	}
	c.a = 1
	return c
}

// written reports whether a token is a colour as such.
func (d *deriver) written(token string) bool {
	_, ok := parseColor(d.tokens[token])
	return ok
}

// alias reports whether a token is another one's colour, and follows it.
func (d *deriver) alias(token string) (string, bool) {
	parts := partsOf(d.tokens[token], false)
	if len(parts) == 1 && parts[0].kind == tokenPart && parts[0].text == d.tokens[token] {
		return parts[0].token, true
	}
	return "", false
}

func (d *deriver) derive(token string, plain tone) tone {
	switch {
	case d.frozen || slices.Contains(d.keep, token) || token == "code-ink":
		return plain
	case token == "code-paper":
		return d.codePaper(plain)
	case !d.isColor(token):
		return plain
	}
	if other, ok := d.alias(token); ok {
		return tone{color: d.tone(other).color}
	}
	use := d.useOf(token)
	switch {
	case use.shade:
		return d.shade(token, plain, use)
	case use.ground != nil && (use.ground.area >= 0.03 || use.ground.reads >= use.reach):
		return d.ground(token, plain, use.ground)
	case use.text != nil:
		return d.letter(token, plain, use.text)
	case use.mark != nil:
		return d.stroke(token, plain, use.mark)
	}
	return d.unseen(token, plain)
}

// A use is what a token does most.
type use struct {
	ground, mark *source
	text         *pair
	shade        bool // it is a shadow, or lets what is below it show
	reach        int  // pixels of its text
}

func (d *deriver) useOf(token string) use {
	var u use
	onGround := map[*source]int{}
	for _, s := range d.byToken[token] {
		if s.site >= 0 {
			site := d.sites[s.site]
			if site.family == shadow && !d.ring(part{kind: tokenPart, token: token}) {
				u.shade = true
			}
		}
		switch {
		case s.family == surface && (s.area >= tiny || s.reads > 0):
			if u.ground == nil || s.area > u.ground.area {
				u.ground = s
			}
		case s.pixels > 0 && s.family != letters:
			if u.mark == nil || s.pixels > u.mark.pixels {
				u.mark = s
			}
		}
		for _, p := range s.pairs {
			onGround[p.ground] += p.pixels
			u.reach += p.pixels
		}
	}
	most := 0
	for _, s := range d.byToken[token] {
		for _, p := range s.pairs {
			if n := onGround[p.ground]; n > most {
				most, u.text = n, p
			}
		}
	}
	if c, ok := d.solved[token]; ok && c.a < 1 {
		u.shade = true
	}
	return u
}

// letter is a text of the dark theme.
func (d *deriver) letter(token string, plain tone, p *pair) tone {
	if p.ground == nil || p.ground == d.picture || !d.changes(p.ground) {
		return plain
	}
	if t, ok := d.brand(token, p); ok {
		return t
	}
	return d.onGround(token, plain, p.back, d.dark(p.ground), d.need(p))
}

const displayPx = 96.0 // text as large is a picture of its own

// brand is the colour of a ground that becomes dark as a whole, for the display
// text on it: the picture keeps its colour.
func (d *deriver) brand(token string, p *pair) (tone, bool) {
	o := p.back.lch()
	if p.ground.area < large || o.c < 0.1 || len(p.ground.tokens) != 1 || !d.written(token) {
		return tone{}, false
	}
	for _, s := range d.byToken[token] {
		for _, other := range s.pairs {
			if other.px < displayPx || other.ground != p.ground {
				return tone{}, false
			}
		}
	}
	o, ok := o.reaching(d.dark(p.ground), d.contrast*1.05, true)
	if !ok {
		return tone{}, false
	}
	ground := p.ground.tokens[0]
	if d.written(ground) {
		return d.set(token, o), true
	}
	return tone{fmt.Sprintf("oklch(from %s max(l, %s) c h)", d.tokens[ground], short(max(0.64, min(o.l, 0.75)))), o.rgb()}, true
}

// onGround is a colour that stands out from now as it stood out from was.
func (d *deriver) onGround(token string, plain tone, was, now rgb, need float64) tone {
	o := plain.color.lch()
	before := contrast(plain.color, was)
	up := now.luminance() < 0.18
	goal := max(need*1.08, before*1.15)
	if o.c >= accentChroma { // what means something keeps its colour
		if contrast(plain.color, now) >= max(need*1.04, min(before, 3)) {
			return plain
		}
		o.c = min(o.c, 0.16)
		o, _ = lch{o.l, o.c, o.h}.reaching(now, max(need*1.08, min(before, 6.5)), up)
		return d.set(token, o)
	}
	hue := was.lch()
	switch {
	case up && (before >= 9 || o.l < 0.3):
		return d.set(token, lch{lightTone, min(max(hue.c, 0.006), textTint), hue.h})
	case before >= 9:
		return d.set(token, lch{0.22, min(o.c, 0.03), hue.h})
	}
	o.c = min(o.c, 0.03)
	o.l = now.lch().l
	o, _ = o.reaching(now, goal, up)
	return d.set(token, o)
}

// stroke is a line or a shape of the dark theme.
func (d *deriver) stroke(token string, plain tone, s *source) tone {
	on := s.parent
	if on == nil || on == d.picture || !d.changes(on) {
		return plain
	}
	was, now := on.color, d.dark(on)
	o := plain.color.lch()
	before := contrast(plain.color, was)
	if o.c >= accentChroma {
		if contrast(plain.color, now) >= min(before, 3) {
			return plain
		}
		o.c = min(o.c, 0.16)
		o, _ = o.reaching(now, min(before, 4.5), true)
		return d.set(token, o)
	}
	up := now.luminance() < 0.18
	if before >= 9 {
		return d.onGround(token, plain, was, now, check.NeedLarge)
	}
	o.l, o.c = now.lch().l, min(o.c*1.1, 0.04)
	o, _ = o.reaching(now, max(1.35, before*1.12), up)
	return d.set(token, o)
}

// shade is a shadow, or a colour that lets what is below it show.
func (d *deriver) shade(token string, plain tone, u use) tone {
	if !d.written(token) {
		return plain
	}
	c := plain.color
	o := c.lch()
	var fam family
	var parent *source
	textShadow := false
	for _, s := range d.byToken[token] {
		if s.site < 0 {
			continue
		}
		fam = d.sites[s.site].family
		textShadow = textShadow || d.sites[s.site].property == "text-shadow"
	}
	if u.text != nil {
		parent = u.text.ground
	}
	switch {
	case fam == shadow && textShadow:
		return plain
	case fam == shadow: // deeper, never light
		c = lch{o.l * 0.25, o.c * 0.5, o.h}.rgb()
		c.a = min(0.72, plain.color.a*1.6+0.06)
		return tone{c.String(), c}
	case fam == surface:
		return d.veil(token, plain)
	case u.text != nil && d.changes(parent), u.text == nil && d.darkPage():
		up := lch{lightTone, min(o.c, textTint), o.h}.rgb()
		if o.l > 0.6 {
			return plain
		}
		up.a = min(1, plain.color.a*1.15)
		return tone{up.String(), up}
	}
	return plain
}

// unseen is the tone of a token that no view shows: as if it stood on the page.
func (d *deriver) unseen(token string, plain tone) tone {
	page := d.mainGround()
	if page == nil || slices.Contains(page.tokens, token) || !d.changes(page) {
		return plain
	}
	o, was, now := plain.color.lch(), page.color, d.dark(page)
	for _, s := range d.byToken[token] {
		if s.site < 0 {
			continue
		}
		switch s.family {
		case letters:
			if contrast(plain.color, was) < 2 { // it stands on something else
				return plain
			}
			return d.onGround(token, plain, was, now, d.contrast)
		case line, mark:
			alone := *s
			alone.parent = page
			return d.stroke(token, plain, &alone)
		case surface:
			if o.l >= 0.6 && o.c < 0.06 {
				return d.setGround(token, o, nested(now.lch().l, o.l, was.lch().l))
			}
		}
	}
	return plain
}
