package animation

import "image"

// A screen follows what a player shows, and writes a frame when it knows what
// comes after: whether pixels become clear then decides how the frame ends.
type screen struct {
	width, height int
	table         *table
	out           *gifWriter
	row           []uint16

	// Planes of indexes: what is there when the frame is drawn, what is then to
	// be seen, and the frame after, which is being made.
	before, frame, after []uint8

	open  bool // there is a frame
	area  image.Rectangle
	ticks int
}

func newScreen(width, height int, t *table, out *gifWriter) *screen {
	plane := func() []uint8 { return make([]uint8, width*height) }
	return &screen{
		width: width, height: height, table: t, out: out, row: make([]uint16, width),
		before: plane(), frame: plane(), after: plane(),
	}
}

// next ends the frame before and begins the one that c makes of it. Colours may
// differ in the pictures and be one in the table: what then is no change makes
// the frame before longer.
func (s *screen) next(c *change) {
	changed, gone := s.apply(c)
	area := changed
	switch {
	case !s.open:
		area = image.Rect(0, 0, s.width, s.height)
	case changed.Empty() && s.ticks+c.ticks <= gifTicks:
		s.ticks += c.ticks
		return
	default:
		if undone := s.write(gone); !undone.Empty() {
			area = s.differences(undone.Union(changed))
		}
	}
	s.each(changed, func(_, from, to int) { copy(s.frame[from:to], s.after[from:to]) })
	s.area, s.ticks, s.open = area, c.ticks, true
}

// end writes the last frame. Where the film begins anew and is transparent, it
// leaves a clear screen: not all players clear it themselves.
func (s *screen) end(again bool) {
	var gone image.Rectangle
	if again && s.table.transparent {
		gone = image.Rect(0, 0, s.width, s.height)
	}
	s.write(gone)
}

// write writes the frame. Pixels become clear only by clearing the whole
// rectangle of the frame before; undone is what had to be cleared for that.
func (s *screen) write(gone image.Rectangle) (undone image.Rectangle) {
	area := s.area.Union(gone)
	if area.Empty() {
		area = image.Rect(0, 0, 1, 1) // only its time counts
	}
	s.out.frame(s, area, !gone.Empty())
	s.each(area, func(_, from, to int) { copy(s.before[from:to], s.frame[from:to]) })
	if gone.Empty() {
		return image.Rectangle{}
	}
	s.each(area, func(_, from, to int) { clear(s.before[from:to]) })
	return area
}

// apply brings c into after, and is the rectangles around the pixels that
// changed and those that became clear.
func (s *screen) apply(c *change) (changed, gone image.Rectangle) {
	as, runs := s.table.as[c.coarse], c.runs
	s.each(c.area, func(y, from, _ int) {
		row := s.row[:c.area.Dx()]
		runs = unpack(row, runs)
		drawn, cleaned := span{}, span{}
		for x, n := range row {
			if n == unchanged {
				continue
			}
			index := as[n].at(c.area.Min.X+x, y)
			if s.after[from+x] == index {
				continue
			}
			s.after[from+x] = index
			drawn.add(c.area.Min.X + x)
			if n == cleared {
				cleaned.add(c.area.Min.X + x)
			}
		}
		changed, gone = changed.Union(drawn.at(y)), gone.Union(cleaned.at(y))
	})
	return changed, gone
}

// differences is the rectangle around what the frame after has to draw in area.
func (s *screen) differences(area image.Rectangle) (around image.Rectangle) {
	s.each(area, func(y, from, to int) {
		var row span
		for i := from; i < to; i++ {
			if s.before[i] != s.after[i] {
				row.add(i - y*s.width)
			}
		}
		around = around.Union(row.at(y))
	})
	return around
}

// each calls do with area's rows, and where they begin and end in a plane.
func (s *screen) each(area image.Rectangle, do func(y, from, to int)) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		do(y, y*s.width+area.Min.X, y*s.width+area.Max.X)
	}
}

// A span is around columns that are added from left to right.
type span struct{ from, to int }

func (s *span) add(x int) {
	if s.to == 0 {
		s.from = x
	}
	s.to = x + 1
}

func (s span) at(y int) image.Rectangle { return image.Rect(s.from, y, s.to, y+1) }
