package backdrop

import (
	"fmt"
	"math"
	"strings"
)

// A hill raises the ground of a map.
type hill struct{ x, y, height, width float64 }

const (
	cells = 32 // of the grid, along each side
	cell  = float64(side) / cells
)

// contours are the lines of equal height of hills, as a map has them.
func contours(b *brush) piece {
	fx, fy := b.focusOn()
	hills := []hill{{fx, fy, 1.5, b.between(240, 320)}}
	for range 11 {
		hills = append(hills, hill{b.between(-80, side+80), b.between(-80, side+80), b.between(-0.8, 1.1), b.between(120, 260)})
	}
	var field [cells + 1][cells + 1]float64
	low, high := math.Inf(1), math.Inf(-1)
	for i := range field {
		for j := range field[i] {
			for _, h := range hills {
				dx, dy := float64(i)*cell-h.x, float64(j)*cell-h.y
				field[i][j] += h.height * math.Exp(-(dx*dx+dy*dy)/(h.width*h.width))
			}
			low, high = min(low, field[i][j]), max(high, field[i][j])
		}
	}
	var thin, bold strings.Builder
	const levels = 17
	for n := range levels {
		to := &thin
		if n%4 == 2 {
			to = &bold
		}
		trace(to, &field, low+(high-low)*(float64(n)+0.6)/levels)
	}
	return piece{style: []string{"mask-image: " + b.fading(1.25)}, inner: fmt.Sprintf(`<path d="%s" stroke="%s" stroke-width="1.75"/><path d="%s" stroke="%s" stroke-width="3"/>`,
		thin.String(), b.tint(0, 44), bold.String(), b.tint(0, 62))}
}

// An edge of the grid, by the point that it begins at and its direction: 0 along x,
// 1 along y.
type edge struct{ i, j, along int }

// trace writes the lines of one height: the grid is gone through square by square,
// and what crosses the same edge is joined.
func trace(out *strings.Builder, field *[cells + 1][cells + 1]float64, level float64) {
	joins := map[edge][]edge{}
	var order []edge
	join := func(a, b edge) {
		for _, e := range []edge{a, b} {
			if joins[e] == nil {
				order = append(order, e)
			}
		}
		joins[a], joins[b] = append(joins[a], b), append(joins[b], a)
	}
	for i := range cells {
		for j := range cells {
			up := func(i, j int) bool { return field[i][j] > level }
			var crossed []edge
			for _, e := range []edge{{i, j, 0}, {i + 1, j, 1}, {i, j + 1, 0}, {i, j, 1}} {
				if up(e.i, e.j) != up(e.end()) {
					crossed = append(crossed, e)
				}
			}
			switch len(crossed) {
			case 2:
				join(crossed[0], crossed[1])
			case 4: // a saddle
				join(crossed[0], crossed[1])
				join(crossed[2], crossed[3])
			}
		}
	}
	done := map[edge]bool{}
	// Lines that leave the map first, from their ends; then the closed ones.
	for _, ends := range []bool{true, false} {
		for _, e := range order {
			if !done[e] && (len(joins[e]) == 1) == ends {
				write(out, field, level, walk(e, joins, done), !ends)
			}
		}
	}
}

func (e edge) end() (i, j int) {
	if e.along == 0 {
		return e.i + 1, e.j
	}
	return e.i, e.j + 1
}

func walk(e edge, joins map[edge][]edge, done map[edge]bool) []edge {
	line := []edge{e}
	done[e] = true
	for {
		next, found := edge{}, false
		for _, n := range joins[e] {
			if !done[n] {
				next, found = n, true
				break
			}
		}
		if !found {
			return line
		}
		done[next] = true
		line = append(line, next)
		e = next
	}
}

// write is a line as a path that bends from the middle of one piece to the next.
func write(out *strings.Builder, field *[cells + 1][cells + 1]float64, level float64, line []edge, closed bool) {
	if len(line) < 4 {
		return
	}
	points := make([]point, len(line))
	for n, e := range line {
		i, j := e.end()
		from, to := field[e.i][e.j], field[i][j]
		share := (level - from) / (to - from)
		points[n] = point{(float64(e.i) + share*float64(i-e.i)) * cell, (float64(e.j) + share*float64(j-e.j)) * cell}
	}
	middle := func(a, b point) point { return point{(a.x + b.x) / 2, (a.y + b.y) / 2} }
	start := points[0]
	if closed {
		start = middle(points[len(points)-1], points[0])
	}
	// Whole pixels, each from the one before: half as long as it would be else.
	x, y := math.Round(start.x), math.Round(start.y)
	fmt.Fprintf(out, "M%s %s", num0(x), num0(y))
	for n, p := range points {
		next := p
		switch {
		case n+1 < len(points):
			next = middle(p, points[n+1])
		case closed:
			next = start
		}
		toX, toY := math.Round(next.x), math.Round(next.y)
		fmt.Fprintf(out, "q%s %s %s %s", num0(math.Round(p.x)-x), num0(math.Round(p.y)-y), num0(toX-x), num0(toY-y))
		x, y = toX, toY
	}
}
