package backdrop

import (
	"fmt"
	"math"
	"strings"
)

// The kinds of backdrops.
const (
	Gradient = "gradient"
	Mesh     = "mesh"
	Pattern  = "pattern"
)

// A painter makes one sort of backdrop.
type painter struct {
	name, title, kind string
	css               bool // it is a style, which any element can have
	paint             func(b *brush) piece
}

// painters are in the order in which they are used.
var painters = []painter{
	{"soft-light", "Soft light", Mesh, true, softLight},
	{"contours", "Contour lines", Pattern, false, contours},
	{"paper", "Paper with a wash", Gradient, true, paper},
	{"waves", "Waves", Pattern, false, waves},
	{"steps", "Diagonal steps", Gradient, true, steps},
	{"dots", "Dots that fade", Pattern, true, dots},
	{"aurora", "Aurora", Mesh, true, aurora},
	{"tiles", "Arcs", Pattern, false, tiles},
	{"sweep", "Sweep", Gradient, true, sweep},
	{"isometric", "Isometric blocks", Pattern, false, isometric},
	{"orbs", "Orbs", Mesh, true, orbs},
	{"terrazzo", "Terrazzo", Pattern, false, terrazzo},
	{"glow", "Glow", Gradient, true, glow},
	{"grid", "Grid that fades", Pattern, true, grid},
	{"rings", "Rings", Pattern, false, rings},
	{"stripes", "Stripes", Pattern, true, stripes},
}

func images(list ...string) piece {
	return piece{style: []string{"background-image: " + strings.Join(list, ", ")}}
}

func softLight(b *brush) piece {
	var list []string
	for i, share := range []float64{58, 44, 38} {
		p, calm := b.near(i)
		list = append(list, b.soft(p, b.between(0.5, 0.62), b.between(0.56, 0.7), i, share*calm))
	}
	return images(list...)
}

// aurora is curtains of light along the side of the page that is calm.
func aurora(b *brush) piece {
	y, calm := b.focus.y, b.spots[0].calm
	if y > 0.2 && y < 0.8 {
		y = b.spots[1].y
	}
	y = math.Round(y)
	in := func(v float64) float64 { return y + (0.5-y)*v }
	var list []string
	for i, x := range []float64{0.1, 0.44, 0.9} {
		share := []float64{52, 46, 54}[i] * (0.45 + 0.55*calm)
		list = append(list, b.soft(point{x + b.between(-0.1, 0.1), in(b.between(-0.1, 0.16))}, b.between(0.4, 0.52), b.between(0.3, 0.44), i, share))
	}
	return images(append(list, fmt.Sprintf("linear-gradient(%s, %s, transparent 46%%)", map[bool]string{true: "0deg", false: "180deg"}[y > 0.5], b.tint(0, 14*calm)))...)
}

// orbs are balls of light, each with an edge on one side.
func orbs(b *brush) piece {
	var list []string
	for i := range 4 {
		p, calm := b.near(i)
		r := b.short * []float64{0.46, 0.3, 0.22, 0.14}[i] * b.between(0.85, 1.15)
		share := []float64{44, 34, 34, 40}[i] * (0.3 + 0.7*calm)
		list = append(list, fmt.Sprintf("radial-gradient(circle at %s, transparent 0, %s %spx, %s %spx, transparent %spx)",
			at(p), b.tint(i, share*0.25), num(r*0.55), b.tint(i, share), num(r), num(r+1.5)))
	}
	return images(list...)
}

func paper(b *brush) piece {
	angle := b.toward()
	p := images(
		fmt.Sprintf("linear-gradient(%sdeg, transparent 40%%, %s 74%%, %s 100%%)", num(angle), b.tint(0, 18), b.tint(1, 46)),
		grain(b.rand.IntN(900)+1, 0.16*math.Sqrt(b.amp)),
	)
	p.style = append(p.style, "background-size: auto, 240px 240px")
	return p
}

// grain is specks of grey, which are darker than light paper and lighter than dark.
func grain(seed int, strength float64) string {
	svg := fmt.Sprintf(`<svg xmlns='http://www.w3.org/2000/svg' width='240' height='240'><filter id='n' x='0' y='0' width='100%%' height='100%%'>`+
		`<feTurbulence type='fractalNoise' baseFrequency='.8' numOctaves='3' seed='%d' stitchTiles='stitch'/>`+
		`<feColorMatrix values='0 0 0 0 .5  0 0 0 0 .5  0 0 0 0 .5  0 0 0 %s %s'/></filter><rect width='240' height='240' filter='url(#n)'/></svg>`, seed, num(strength*5), num(-strength*2.3))
	return "url(data:image/svg+xml," + escaped(svg) + ")"
}

var unsafe = strings.NewReplacer("%", "%25", "#", "%23", "<", "%3C", ">", "%3E", "{", "%7B", "}", "%7D", "\"", "%22", "'", "%27", "(", "%28", ")", "%29", " ", "%20", ";", "%3B", "\\", "%5C")

// escaped is text for the inside of an address in CSS in an attribute.
func escaped(s string) string { return unsafe.Replace(s) }

// toward is the angle of a linear gradient that ends at the focus.
func (b *brush) toward() float64 {
	angle := math.Atan2(b.focus.x-0.5, 0.5-b.focus.y)*180/math.Pi + b.between(-14, 14)
	return math.Mod(angle+360, 360)
}

// steps are bands with hard edges, stronger toward the focus.
func steps(b *brush) piece {
	angle := b.toward()
	from, step := b.between(38, 46), b.between(9, 13)
	stops := []string{fmt.Sprintf("transparent 0 %s%%", num(from))}
	for i := range 5 {
		low, high := from+float64(i)*step, from+float64(i+1)*step
		if i == 4 {
			high = 100
		}
		stops = append(stops, fmt.Sprintf("%s %s%% %s%%", b.tint(i/3, 9+7.5*float64(i)), num(low), num(high)))
	}
	return images(fmt.Sprintf("linear-gradient(%sdeg, %s)", num(angle), strings.Join(stops, ", ")))
}

func sweep(b *brush) piece {
	from := b.between(0, 360)
	return images(fmt.Sprintf("conic-gradient(from %sdeg at %s, %s, %s 70deg, transparent 150deg, %s 230deg, transparent 290deg, %s)",
		num(from), at(b.focus), b.tint(0, 40), b.tint(1, 26), b.tint(2, 30), b.tint(0, 40)))
}

func glow(b *brush) piece {
	return images(
		b.soft(b.focus, 0.95, 1.05, 0, 46),
		fmt.Sprintf("linear-gradient(%sdeg, %s, transparent 55%%)", num(b.toward()), b.tint(2, 16)),
	)
}

func dots(b *brush) piece {
	step := math.Round(b.between(24, 34))
	size := step * b.between(0.11, 0.15)
	p := images(fmt.Sprintf("radial-gradient(circle, %s %spx, transparent %spx)", b.tint(0, 88), num(size), num(size+0.8)))
	p.style = append(p.style, fmt.Sprintf("background-size: %spx %spx", num(step), num(step)), "mask-image: "+b.fading(1.15))
	return p
}

func grid(b *brush) piece {
	step := math.Round(b.between(44, 68))
	line := func(angle int) string {
		return fmt.Sprintf("linear-gradient(%ddeg, %s 1.5px, transparent 1.5px)", angle, b.line(34))
	}
	p := images(line(0), line(90))
	p.style = append(p.style, fmt.Sprintf("background-size: %spx %spx", num(step), num(step)), "mask-image: "+b.fading(1.15))
	return p
}

func stripes(b *brush) piece {
	angle := []float64{45, 135, 60, 120}[b.rand.IntN(4)]
	w := math.Round(b.between(26, 44))
	p := images(fmt.Sprintf("repeating-linear-gradient(%sdeg, %s 0 %spx, transparent %spx %spx)", num(angle), b.tint(0, 16), num(w), num(w), num(2*w)))
	p.style = append(p.style, "mask-image: "+b.fading(1.5))
	return p
}
