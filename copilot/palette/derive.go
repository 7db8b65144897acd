package palette

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// nested is the lightness of a ground that lies on another one: lighter, and the
// more so the more it differed.
func nested(below, was, wasBelow float64) float64 {
	if was > wasBelow {
		return below + 0.03 + 0.45*(was-wasBelow)
	}
	return below + min(0.13, 0.035+0.55*(wasBelow-was))
}

// ground is a surface of the dark theme.
func (d *deriver) ground(token string, plain tone, s *source) tone {
	o := plain.color.lch()
	on := s.parent
	colourful := o.c >= 0.06
	switch {
	case on == d.picture && s.reads == 0:
		return plain
	case on == d.picture: // a plate on a photograph
		if o.l < 0.6 || colourful {
			return plain
		}
		return d.setGround(token, o, pageTone+0.02)
	case s.area >= large:
		return d.pageGround(token, plain, s)
	case on == nil:
		return d.pageGround(token, plain, s)
	}
	below, wasBelow := d.dark(on).lch(), on.color.lch()
	if !d.changes(on) && wasBelow.l < 0.6 || !d.changes(on) && on.color.lch().c >= 0.06 {
		return plain // on a ground that stays
	}
	switch {
	case colourful && o.l < 0.95: // a colour that means something
		return d.apart(token, plain, below)
	case o.l >= 0.6 && o.c >= tintChroma: // a tint: its hue is the point
		return d.setTint(token, o, nested(below.l, o.l, wasBelow.l)+0.03)
	case o.l >= 0.6:
		return d.setGround(token, o, nested(below.l, o.l, wasBelow.l))
	case s.area < small && wasBelow.l >= 0.6: // a dark button on a light ground
		return d.set(token, lch{0.92, min(o.c, 0.03), o.h})
	}
	return d.apart(token, plain, below)
}

// pageGround is the ground of a page, or one as large.
func (d *deriver) pageGround(token string, plain tone, s *source) tone {
	o := plain.color.lch()
	l := pageTone
	for _, other := range d.sources {
		if other.parent == s && other.family == surface && other.area >= 0.3 && other.color.lch().l > 0.6 && other.color.lch().c < 0.06 {
			l = deepTone
		}
	}
	if s.parent != nil && s.parent != d.picture && d.changes(s.parent) {
		l = nested(d.dark(s.parent).lch().l, o.l, s.parent.color.lch().l)
	}
	switch {
	case o.l < 0.36 && o.c < 0.06:
		return plain // it is dark already
	case o.c >= 0.06:
		return d.set(token, lch{min(o.l, 0.28), min(o.c, 0.055), o.h})
	}
	return d.setGround(token, o, l)
}

func (d *deriver) setGround(token string, o lch, l float64) tone {
	return d.set(token, lch{l, min(o.c*0.9, groundTint), o.h})
}

func (d *deriver) setTint(token string, o lch, l float64) tone {
	return d.set(token, lch{l, min(0.06, o.c*1.3), o.h})
}

// apart keeps a colour, lifted as far as it would otherwise be lost on its ground.
func (d *deriver) apart(token string, plain tone, below lch) tone {
	o := plain.color.lch()
	if contrast(plain.color, below.rgb()) >= 1.25 {
		return plain
	}
	o, _ = o.reaching(below.rgb(), 1.25, true)
	return d.set(token, o)
}

// set is a tone of that colour: as such, or for what rows decide as a limit.
func (d *deriver) set(token string, o lch) tone {
	c := o.rgb()
	if d.written(token) {
		c.a = 1
		return tone{c.String(), c}
	}
	if v, ok := d.remixed(d.tokens[token], o); ok {
		if mixed, ok := d.evaluated(v); ok {
			c = mixed
		}
		return tone{v, c}
	}
	was := d.plain(token).lch()
	limit, l, chroma := "min", o.l, max(o.c, 0.02)
	if o.l > was.l { // other rows have other hues, which are not all as bright
		limit, l, chroma = "max", min(1, o.l+0.02), max(o.c, 0.13)
	}
	return tone{fmt.Sprintf("oklch(from %s %s(l, %s) min(c, %s) h)", d.tokens[token], limit, short(l), short(chroma)), c}
}

func short(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) }

// remixed is a mixture with a light colour, mixed with a dark one instead.
func (d *deriver) remixed(value string, o lch) (string, bool) {
	if !strings.HasPrefix(value, "color-mix(") {
		return "", false
	}
	done := false
	base := lch{max(0.16, o.l-0.03), min(o.c, groundTint), o.h}.rgb().String()
	out := replaced(value, partsOf(value, true), func(p part) string {
		light := p.kind == literalPart && p.color.lch().l > 0.8
		if p.kind == tokenPart && d.plain(p.token).lch().l > 0.8 && d.written(p.token) {
			if !d.tone(p.token).stays() {
				done = true // follows
			}
			return p.text
		}
		if light != (o.l < 0.5) || !light {
			return p.text
		}
		done = true
		return base
	})
	return shared(out), done
}

// mixture is the form of most mixtures: a colour with its share, and another.
var mixture = regexp.MustCompile(`^color-mix\(\s*in oklab\s*,\s*(.+?)\s+(\d+)%\s*,\s*(.+?)\s*\)$`)

// shared gives the colour in a mixture the share that it should have on dark.
func shared(mix string) string {
	m := mixture.FindStringSubmatchIndex(mix)
	if m == nil {
		return mix
	}
	share, _ := strconv.ParseFloat(mix[m[4]:m[5]], 64)
	if share >= 20 { // on dark, much of a bright colour glares
		share = max(20, share*0.7)
	} else {
		share = min(22, share*1.6)
	}
	return mix[:m[4]] + strconv.Itoa(int(math.Round(share))) + mix[m[5]:]
}

// evaluated is the colour of a mixture of colours that are known.
func (d *deriver) evaluated(mix string) (rgb, bool) {
	m := mixture.FindStringSubmatch(mix)
	if m == nil {
		return rgb{}, false
	}
	share, _ := strconv.ParseFloat(m[2], 64)
	share /= 100
	var lab [2][3]float64
	for i, text := range []string{m[1], m[3]} {
		c, ok := parseColor(text)
		if parts := partsOf(text, false); !ok && len(parts) == 1 && parts[0].kind == tokenPart {
			c, ok = d.tone(parts[0].token).color, true
		}
		if parts := partsOf(text, false); !ok && len(parts) == 1 && parts[0].kind == rowPart {
			for name, value := range d.tokens { // a token that is the same expression
				if known, solved := d.solved[name]; solved && value == text {
					c, ok = known, true
				}
			}
		}
		if !ok {
			return rgb{}, false
		}
		lab[i][0], lab[i][1], lab[i][2] = c.lab()
	}
	at := func(i int) float64 { return lab[0][i]*share + lab[1][i]*(1-share) }
	return lch{at(0), math.Hypot(at(1), at(2)), math.Atan2(at(2), at(1))}.rgb(), true
}

// letter is a text of the dark theme.
func (d *deriver) letter(token string, plain tone, p *pair) tone {
	if p.ground == nil || p.ground == d.picture || !d.changes(p.ground) {
		return plain
	}
	return d.onGround(token, plain, p.back, d.dark(p.ground), d.need(p))
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

// veil is a ground that lets what is below it show: over a photograph it stays.
func (d *deriver) veil(token string, plain tone) tone {
	var below *source
	photo, all, most := 0, 0, 0
	for _, s := range d.byToken[token] {
		for _, o := range d.sources {
			n := s.below[o]
			all += n
			switch {
			case o == d.picture:
				photo += n
			case n > most:
				below, most = o, n
			}
		}
	}
	if all == 0 || photo*3 > all || !d.changes(below) {
		return plain
	}
	o := plain.color.lch()
	c := lch{lightTone, min(o.c, textTint), o.h}.rgb()
	if o.l >= 0.6 {
		c = lch{nested(d.dark(below).lch().l, o.l, below.color.lch().l) + 0.02, min(o.c, groundTint), o.h}.rgb()
	}
	c.a = plain.color.a
	return tone{c.String(), c}
}

// darkPage reports whether some ground of a page becomes dark.
func (d *deriver) darkPage() bool {
	return slices.ContainsFunc(d.sources, func(s *source) bool {
		return s.parent == nil && s.family == surface && s.area > 0.2 && d.changes(s)
	})
}

// mainGround is the ground of the first page.
func (d *deriver) mainGround() *source {
	var best *source
	for _, s := range d.sources {
		if s.family == surface && s.parent == nil && s != d.picture && s.area >= 0.2 && (best == nil || s.area > best.area) {
			best = s
		}
	}
	return best
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

// codePaper is the ground of bar codes and QR codes: light, as they need it.
func (d *deriver) codePaper(plain tone) tone {
	if d.tokens["code-paper"] != "transparent" && plain.color.a == 1 {
		return plain
	}
	for _, s := range d.byToken["code-ink"] {
		if s.site < 0 && s.parent != nil && d.changes(s.parent) {
			return tone{s.parent.color.String(), s.parent.color}
		}
	}
	return plain
}
