package backdrop

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/edit"
)

// An ink is a colour of the template: how CSS says it, and what it is in the plain
// theme.
type ink struct {
	css     string
	l, c, h float64 // OKLCH, the hue in degrees
}

var (
	literalColor = regexp.MustCompile(`(?i)#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b|\b(?:rgb|hsl)a?\([0-9.,%\s/-]+\)`)
	colorValue   = regexp.MustCompile(`(?i)^(?:#[0-9a-f]{3,8}|(?:rgba?|hsla?|hwb|oklch|oklab|lch|lab|color|color-mix|light-dark)\(.*\))$`)
	reference    = regexp.MustCompile(`^var\(\s*--([A-Za-z0-9_-]+)\s*\)$`)
	filled       = regexp.MustCompile(`^\{\{\s*[A-Za-z_][A-Za-z0-9_]*\s*\}\}$`)
	// meaning are names of colours that say something: they are no decoration.
	meaning = regexp.MustCompile(`(?i)good|bad|error|warn|danger|success|^up$|^down$|rating|class|code|star|chart|part-\d`)
	leading = regexp.MustCompile(`(?i)accent|brand|primary|highlight`)
)

// inks are the colours of the document with a hue, the leading ones first. It asks
// the camera what they are.
func inks(ctx context.Context, cam look.Camera, d look.Doc, v look.View) ([]ink, error) {
	names, css := colorsOf(d)
	if len(css) == 0 {
		return nil, nil
	}
	shown, err := swatches(ctx, cam, d, v, css)
	if err != nil || shown == nil {
		return nil, err
	}
	type candidate struct {
		ink
		leads bool
	}
	var all []candidate
	for i, c := range shown {
		k := ink{css: css[i]}
		k.l, k.c, k.h = lch(c)
		if k.c < 0.035 || meaning.MatchString(names[i]) {
			continue
		}
		all = append(all, candidate{k, leading.MatchString(names[i])})
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		switch {
		case a.leads != b.leads && a.leads:
			return -1
		case a.leads != b.leads:
			return 1
		case math.Abs(a.c-b.c) < 0.01:
			return 0
		case a.c > b.c:
			return -1
		}
		return 1
	})
	var out []ink
	for _, k := range all {
		if !slices.ContainsFunc(out, func(o ink) bool { return apart(o.h, k.h) < 24 }) {
			out = append(out, k.ink)
		}
	}
	return out[:min(len(out), 3)], nil
}

// colorsOf are the colours of the document's tokens, or of its style sheets where it
// has none, most used first.
func colorsOf(d look.Doc) (names, css []string) {
	values := map[string]string{}
	var order []string
	for _, th := range edit.LookAt(d.Source, nil).Themes {
		if th.Theme != "" {
			continue
		}
		for _, t := range th.Tokens {
			values[t.Name] = t.Value
			order = append(order, t.Name)
		}
	}
	for _, n := range order {
		if isColor(values, n, 0) {
			names, css = append(names, n), append(css, "var(--"+n+")")
		}
	}
	if len(css) > 0 {
		return names[:min(len(names), maxSwatches)], css[:min(len(css), maxSwatches)]
	}
	count := map[string]int{}
	for _, m := range literalColor.FindAllString(string(d.Source), -1) {
		m = strings.ToLower(m)
		if count[m]++; count[m] == 1 {
			css = append(css, m)
		}
	}
	slices.SortStableFunc(css, func(a, b string) int { return count[b] - count[a] })
	css = css[:min(len(css), maxSwatches)]
	return make([]string, len(css)), css
}

// isColor reports whether a token is a colour, as far as its text tells.
func isColor(values map[string]string, name string, depth int) bool {
	v := strings.TrimSpace(values[name])
	if m := reference.FindStringSubmatch(v); m != nil && depth < 8 {
		return isColor(values, m[1], depth+1)
	}
	if filled.MatchString(v) {
		return leading.MatchString(name) || regexp.MustCompile(`(?i)colou?r|accent|glow|track|panel|ground|kicker|tint`).MatchString(name+v)
	}
	return colorValue.MatchString(v)
}

const (
	maxSwatches = 120
	swatch      = 4 // pixels wide and high
)

// sentinel is drawn before and behind the swatches: where it is not there, one of
// them is no colour, and all are missing.
var sentinel = color.NRGBA{0x12, 0x34, 0x57, 0xff}

// swatches are what colours are in a view; nil where one of them is none.
func swatches(ctx context.Context, cam look.Camera, d look.Doc, v look.View, css []string) ([]color.NRGBA, error) {
	stops := []string{"#123457 0 " + px(swatch)}
	for i, c := range css {
		stops = append(stops, fmt.Sprintf("%s %s %s", c, px(swatch*(i+1)), px(swatch*(i+2))))
	}
	n := len(css) + 2
	stops = append(stops, fmt.Sprintf("#123457 %s %s", px(swatch*(n-1)), px(swatch*n)))
	v.CSS = fmt.Sprintf(`html::after { content: "" !important; display: block !important; position: fixed !important; left: 0 !important; top: 0 !important; `+
		`width: %s !important; height: %s !important; z-index: 2147483647 !important; background: linear-gradient(90deg, %s), #fff !important }`,
		px(swatch*n), px(swatch), strings.Join(stops, ", "))
	v.Scale = 1
	shot, err := cam.Shoot(ctx, d, v)
	if err != nil {
		return nil, err
	}
	at := func(i int) color.NRGBA { return shot.Picture.NRGBAAt(i*swatch+swatch/2, swatch/2) }
	if !image.Pt((n-1)*swatch, 0).In(shot.Picture.Bounds()) || !near(at(0), sentinel) || !near(at(n-1), sentinel) {
		if len(css) < 2 { // it is this one
			return nil, nil
		}
		return half(ctx, cam, d, v, css)
	}
	out := make([]color.NRGBA, len(css))
	for i := range css {
		out[i] = at(i + 1)
	}
	return out, nil
}

// half looks at the first half of the colours alone, and takes the others as grey.
func half(ctx context.Context, cam look.Camera, d look.Doc, v look.View, css []string) ([]color.NRGBA, error) {
	out := make([]color.NRGBA, len(css))
	for i := range out {
		out[i] = color.NRGBA{0x80, 0x80, 0x80, 0xff}
	}
	found, err := swatches(ctx, cam, d, v, css[:len(css)/2])
	copy(out, found)
	return out, err
}

func near(a, b color.NRGBA) bool {
	return absDiff(a.R, b.R) <= 2 && absDiff(a.G, b.G) <= 2 && absDiff(a.B, b.B) <= 2
}

func absDiff(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// lch is a colour in OKLCH, its hue in degrees. The matrices are Björn Ottosson's,
// https://bottosson.github.io/posts/oklab/.
func lch(c color.NRGBA) (l, chroma, hue float64) {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	x := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	y := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	z := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	l = 0.2104542553*x + 0.7936177850*y - 0.0040720468*z
	a := 1.9779984951*x - 2.4285922050*y + 0.4505937099*z
	bb := 0.0259040371*x + 0.7827717662*y - 0.8086757660*z
	hue = math.Atan2(bb, a) * 180 / math.Pi
	if hue < 0 {
		hue += 360
	}
	return l, math.Hypot(a, bb), hue
}

// apart is how far two hues are from each other, in degrees.
func apart(a, b float64) float64 {
	d := math.Abs(math.Mod(a-b, 360))
	return min(d, 360-d)
}

func px(n int) string { return fmt.Sprintf("%dpx", n) }
