package palette

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

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

// remixed is a mixture with a light colour, mixed with a dark one of the same hue
// instead, so that it is about as light as o.
func (d *deriver) remixed(value string, o lch) (string, bool) {
	if !strings.HasPrefix(value, "color-mix(") || o.l >= 0.5 {
		return "", false
	}
	value = shared(value)
	share := 0.2
	if m := mixture.FindStringSubmatch(value); m != nil {
		share, _ = strconv.ParseFloat(m[2], 64)
		share /= 100
	}
	done := false
	out := replaced(value, partsOf(value, true), func(p part) string {
		switch {
		case p.kind == tokenPart && d.written(p.token) && d.plain(p.token).lch().l > 0.8:
			done = done || !d.tone(p.token).stays() // follows
		case p.kind == literalPart && p.color.lch().l > 0.8:
			done = true
			light := p.color.lch()
			return lch{max(0.17, o.l-share*0.5), min(light.c, groundTint), light.h}.rgb().String()
		}
		return p.text
	})
	return out, done
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
