package palette

import "math"

// An rgb is a colour of sRGB, its channels from 0 to 1, with its opacity.
type rgb struct{ r, g, b, a float64 }

// An lch is a colour of OKLCH: lightness 0 to 1, chroma, hue in radians. The
// matrices are Björn Ottosson's, https://bottosson.github.io/posts/oklab/.
type lch struct{ l, c, h float64 }

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func gamma(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

func (c rgb) lch() lch {
	l, a, b := c.lab()
	return lch{l, math.Hypot(a, b), math.Atan2(b, a)}
}

func (c rgb) lab() (l, a, b float64) {
	r, g, bl := linear(c.r), linear(c.g), linear(c.b)
	x := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*bl)
	y := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*bl)
	z := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*bl)
	return 0.2104542553*x + 0.7936177850*y - 0.0040720468*z,
		1.9779984951*x - 2.4285922050*y + 0.4505937099*z,
		0.0259040371*x + 0.7827717662*y - 0.8086757660*z
}

func (o lch) unclipped() (r, g, b float64) {
	a, bb := o.c*math.Cos(o.h), o.c*math.Sin(o.h)
	x := cube(o.l + 0.3963377774*a + 0.2158037573*bb)
	y := cube(o.l - 0.1055613458*a - 0.0638541728*bb)
	z := cube(o.l - 0.0894841775*a - 1.2914855480*bb)
	return 4.0767416621*x - 3.3077115913*y + 0.2309699292*z,
		-1.2684380046*x + 2.6097574011*y - 0.3413193965*z,
		-0.0041960863*x - 0.7034186147*y + 1.7076147010*z
}

func cube(v float64) float64 { return v * v * v }

// rgb is the colour in sRGB: of a colour that screens cannot show the one with
// less chroma, its lightness and hue kept.
func (o lch) rgb() rgb {
	inside := func(o lch) bool {
		const least, most = -0.0005, 1.0005
		r, g, b := o.unclipped()
		return r >= least && g >= least && b >= least && r <= most && g <= most && b <= most
	}
	o.l = min(1, max(0, o.l))
	if !inside(o) {
		low, high := 0.0, o.c
		for range 24 {
			o.c = (low + high) / 2
			if inside(o) {
				low = o.c
			} else {
				high = o.c
			}
		}
		o.c = low
	}
	r, g, b := o.unclipped()
	clip := func(v float64) float64 { return min(1, max(0, gamma(min(1, max(0, v))))) }
	return rgb{clip(r), clip(g), clip(b), 1}
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// contrast is the contrast ratio of WCAG 2.2, 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// reaching is the colour nearest to o in lightness whose contrast with ground is
// need or more: lighter ones where up, else darker ones. Chroma goes down only
// as far as screens demand. It is not ok where even white or black falls short.
func (o lch) reaching(ground rgb, need float64, up bool) (lch, bool) {
	end := 0.0
	if up {
		end = 1
	}
	if ok := contrast(o.rgb(), ground) >= need; ok {
		return o, true
	}
	last := o
	last.l = end
	if contrast(last.rgb(), ground) < need {
		return last, false
	}
	near, far := o.l, end
	for range 20 {
		o.l = (near + far) / 2
		if contrast(o.rgb(), ground) >= need {
			far = o.l
		} else {
			near = o.l
		}
	}
	o.l = far
	return o, true
}
