package palette

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// parseColor reads a literal colour: hex, a name, rgb(), hsl(), hwb() or oklch().
// Colours that depend on others (var, color-mix, from …) are none.
func parseColor(text string) (rgb, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if hex, ok := strings.CutPrefix(text, "#"); ok {
		return parseHex(hex)
	}
	if name, args, ok := strings.Cut(text, "("); ok {
		args, closed := strings.CutSuffix(args, ")")
		if !closed {
			return rgb{}, false
		}
		return parseFunction(name, args)
	}
	if c, ok := colornames.Map[text]; ok {
		return rgb{float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255, 1}, true
	}
	if text == "rebeccapurple" {
		return rgb{0.4, 0.2, 0.6, 1}, true
	}
	return rgb{}, false
}

func parseHex(hex string) (rgb, bool) {
	if len(hex) == 3 || len(hex) == 4 {
		long := ""
		for _, c := range hex {
			long += string(c) + string(c)
		}
		hex = long
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 && len(hex) != 8 {
		return rgb{}, false
	}
	if len(hex) == 6 {
		v = v<<8 | 0xff
	}
	part := func(shift uint) float64 { return float64(v>>shift&0xff) / 255 }
	return rgb{part(24), part(16), part(8), part(0)}, true
}

var argument = regexp.MustCompile(`^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(%|deg|grad|rad|turn)?$`)

// numbers reads the arguments of a colour function; the fourth is the opacity.
func numbers(args string) (values [4]float64, units [4]string, ok bool) {
	values[3] = 1
	parts := strings.FieldsFunc(args, func(r rune) bool { return r == ',' || r == '/' || r == ' ' || r == '\t' || r == '\n' })
	if len(parts) != 3 && len(parts) != 4 {
		return values, units, false
	}
	for i, p := range parts {
		if p == "none" {
			continue
		}
		m := argument.FindStringSubmatch(p)
		if m == nil {
			return values, units, false
		}
		values[i], _ = strconv.ParseFloat(m[1], 64)
		units[i] = m[2]
	}
	if units[3] == "%" {
		values[3] /= 100
	}
	return values, units, true
}

func parseFunction(name, args string) (rgb, bool) {
	v, units, ok := numbers(args)
	if !ok {
		return rgb{}, false
	}
	scaled := func(i int, hundred, one float64) float64 {
		if units[i] == "%" {
			return v[i] / 100 * hundred
		}
		return v[i] / one
	}
	hue := func(i int) float64 {
		switch units[i] {
		case "rad":
			return v[i]
		case "turn":
			return v[i] * 2 * math.Pi
		case "grad":
			return v[i] / 200 * math.Pi
		}
		return v[i] / 180 * math.Pi
	}
	unit := func(x float64) float64 { return min(1, max(0, x)) }
	var c rgb
	switch name {
	case "rgb", "rgba":
		c = rgb{unit(scaled(0, 1, 255)), unit(scaled(1, 1, 255)), unit(scaled(2, 1, 255)), 1}
	case "hsl", "hsla":
		c = fromHSL(hue(0), unit(scaled(1, 1, 100)), unit(scaled(2, 1, 100)))
	case "hwb":
		white, black := unit(scaled(1, 1, 100)), unit(scaled(2, 1, 100))
		if white+black > 1 {
			white, black = white/(white+black), black/(white+black)
		}
		pure := fromHSL(hue(0), 1, 0.5)
		in := func(x float64) float64 { return x*(1-white-black) + white }
		c = rgb{in(pure.r), in(pure.g), in(pure.b), 1}
	case "oklch":
		c = lch{unit(scaled(0, 1, 1)), max(0, scaled(1, 0.4, 1)), hue(2)}.rgb()
	default:
		return rgb{}, false
	}
	c.a = unit(v[3])
	return c, true
}

func fromHSL(h, s, l float64) rgb {
	f := func(n float64) float64 {
		k := math.Mod(n+h/(2*math.Pi)*12, 12)
		if k < 0 {
			k += 12
		}
		return l - s*min(l, 1-l)*max(-1, min(k-3, 9-k, 1))
	}
	return rgb{f(0), f(8), f(4), 1}
}

// String is the colour as this product writes colours.
func (c rgb) String() string {
	b := func(v float64) int { return int(math.Round(v * 255)) }
	if c.a >= 1 {
		return fmt.Sprintf("#%02x%02x%02x", b(c.r), b(c.g), b(c.b))
	}
	return fmt.Sprintf("rgb(%d %d %d / %s)", b(c.r), b(c.g), b(c.b), strconv.FormatFloat(math.Round(c.a*1000)/1000, 'f', -1, 64))
}

func fromBytes(r, g, b uint8) rgb {
	return rgb{float64(r) / 255, float64(g) / 255, float64(b) / 255, 1}
}
