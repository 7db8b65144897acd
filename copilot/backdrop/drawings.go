package backdrop

import (
	"fmt"
	"math"
	"strings"
)

// focusOn is the focus on the canvas of SVGs.
func (b *brush) focusOn() (x, y float64) { return b.focus.x * side, b.focus.y * side }

// waves are bands that swell, one over the other, at the quieter end of the page.
func waves(b *brush) piece {
	var out strings.Builder
	low := b.focus.y >= 0.5
	phase, length := b.between(0, 2*math.Pi), b.between(620, 900)
	for i := range 5 {
		base := side * (0.62 + 0.085*float64(i))
		height := b.between(26, 46)
		phase += b.between(0.7, 1.3)
		y := func(x float64) float64 {
			v := base + height*math.Sin(x/length*2*math.Pi+phase) + height*0.35*math.Sin(x/length*4.4*math.Pi+phase*1.7)
			if !low {
				v = side - v
			}
			return v
		}
		end := float64(side)
		if !low {
			end = 0
		}
		path := fmt.Sprintf("M0 %s L0 %s", num0(end), num0(y(0)))
		const step = 100.0
		for x := 0.0; x < side; x += step { // each piece leans as the wave does
			slope := func(x float64) float64 { return (y(x+1) - y(x-1)) / 2 * step / 3 }
			path += fmt.Sprintf("C%s %s %s %s %s %s", num0(x+step/3), num0(y(x)+slope(x)), num0(x+2*step/3), num0(y(x+step)-slope(x+step)), num0(x+step), num0(y(x+step)))
		}
		path += fmt.Sprintf("V%sZ", num0(end))
		fmt.Fprintf(&out, `<path d="%s" fill="%s"/>`, path, b.tint(i%3, 13+3*float64(i)))
	}
	return piece{inner: out.String()}
}

// tiles are quarter circles that join to lines, turned by chance.
func tiles(b *brush) piece {
	const step = 100
	thin, bold := &strings.Builder{}, &strings.Builder{}
	for row := range side / step {
		for col := range side / step {
			x, y := col*step, row*step
			to := thin
			if b.rand.Float64() < 0.22 {
				to = bold
			}
			if b.rand.IntN(2) == 0 {
				fmt.Fprintf(to, "M%d %da50 50 0 0 0 50 -50M%d %da50 50 0 0 1 50 -50", x, y+50, x+50, y+100)
			} else {
				fmt.Fprintf(to, "M%d %da50 50 0 0 1 50 50M%d %da50 50 0 0 0 50 50", x, y+50, x+50, y)
			}
		}
	}
	return piece{
		style: []string{"mask-image: " + b.fading(1.3)},
		inner: fmt.Sprintf(`<path d="%s" stroke="%s" stroke-width="3"/><path d="%s" stroke="%s" stroke-width="13"/>`, thin, b.line(26), bold, b.tint(0, 58)),
	}
}

// isometric are lines at 30 degrees, with some of the faces between them filled.
func isometric(b *brush) piece {
	const edge = 80.0
	w, h := edge*math.Sqrt(3)/2, edge/2
	var lines strings.Builder
	faces := [3]strings.Builder{}
	for row := -1; row*int(1.5*edge) < side+int(edge); row++ {
		for col := -1; float64(col)*2*w < side+w; col++ {
			x, y := float64(col)*2*w, float64(row)*1.5*edge
			if row%2 != 0 {
				x += w
			}
			// a cube: its three edges that meet in front, and its outline by its neighbours'
			fmt.Fprintf(&lines, "M%s %sv%sM%s %sl%s %sM%s %sl%s %s", num0(x), num0(y), num0(edge), num0(x), num0(y), num0(w), num0(-h), num0(x), num0(y), num0(-w), num0(-h))
			d := math.Hypot(x/side-b.focus.x, y/side-b.focus.y)
			if b.rand.Float64() > 0.75-0.65*d {
				continue
			}
			switch b.rand.IntN(3) {
			case 0:
				fmt.Fprintf(&faces[0], "M%s %sl%s %sl%s %sl%s %sz", num0(x), num0(y), num0(w), num0(-h), num0(-w), num0(-h), num0(-w), num0(h))
			case 1:
				fmt.Fprintf(&faces[1], "M%s %sl%s %sv%sl%s %sz", num0(x), num0(y), num0(w), num0(-h), num0(edge), num0(-w), num0(h))
			default:
				fmt.Fprintf(&faces[2], "M%s %sl%s %sv%sl%s %sz", num0(x), num0(y), num0(-w), num0(-h), num0(edge), num0(w), num0(h))
			}
		}
	}
	var out strings.Builder
	for i, share := range []float64{24, 38, 14} {
		fmt.Fprintf(&out, `<path d="%s" fill="%s"/>`, faces[i].String(), b.tint(i%2, share))
	}
	fmt.Fprintf(&out, `<path d="%s" stroke="%s" stroke-width="1.5"/>`, lines.String(), b.line(20))
	return piece{style: []string{"mask-image: " + b.fading(1.2)}, inner: out.String()}
}

// terrazzo is chips of stone.
func terrazzo(b *brush) piece {
	var chips [4]strings.Builder
	type spot struct{ x, y, r float64 }
	var placed []spot
	for try := 0; try < 900 && len(placed) < 86; try++ {
		s := spot{b.between(0, side), b.between(0, side), 0}
		s.r = b.between(9, 22)
		if b.rand.Float64() < 0.25 {
			s.r = b.between(24, 46)
		}
		free := true
		for _, p := range placed {
			free = free && math.Hypot(p.x-s.x, p.y-s.y) > (p.r+s.r)*1.25+10
		}
		if !free {
			continue
		}
		placed = append(placed, s)
		n, turn := 5+b.rand.IntN(3), b.between(0, 2*math.Pi)
		stretch := b.between(0.55, 0.95)
		to := &chips[b.rand.IntN(4)]
		tilt := b.between(0, math.Pi)
		for i := range n {
			a := turn + 2*math.Pi*(float64(i)+b.between(-0.28, 0.28))/float64(n)
			px, py := s.r*math.Cos(a), s.r*stretch*math.Sin(a)
			x, y := s.x+px*math.Cos(tilt)-py*math.Sin(tilt), s.y+px*math.Sin(tilt)+py*math.Cos(tilt)
			fmt.Fprintf(to, "%c%s %s", "ML"[min(i, 1)], num0(x), num0(y))
		}
		to.WriteByte('Z')
	}
	var out strings.Builder
	for i := range chips {
		color := b.tint(i, []float64{46, 34, 30, 0}[i])
		if i == 3 {
			color = b.line(20)
		}
		fmt.Fprintf(&out, `<path d="%s" fill="%s"/>`, chips[i].String(), color)
	}
	return piece{inner: out.String()}
}

// rings are circles around the focus, a few of them broad.
func rings(b *brush) piece {
	x, y := b.focusOn()
	var out strings.Builder
	r := b.between(40, 80)
	for i := 0; r < side*1.25; i++ {
		width := 2.0
		color := b.line(24 - 14*r/side)
		if b.rand.Float64() < 0.3 {
			width = b.between(16, 40)
			color = b.tint(i%2, 34-16*r/side)
		}
		fmt.Fprintf(&out, `<circle cx="%s" cy="%s" r="%s" stroke="%s" stroke-width="%s"/>`, num0(x), num0(y), num0(r+width/2), color, num(width))
		r += width + b.between(26, 54)
	}
	return piece{inner: out.String()}
}

func num0(v float64) string { return fmt.Sprintf("%.0f", v+0) }
