package animation

import (
	"context"
	"encoding/binary"
	"image"
	"io"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// What GIF can hold and its players show.
const (
	gifEdge     = 65535
	gifTicks    = 65535                 // hundredths of a second
	gifShortest = 20 * time.Millisecond // below, browsers take 100ms
)

// A GIF is an animation being made. It is not safe for use by several goroutines.
type GIF struct {
	film
	shown   []byte   // the last frame, four bytes a pixel
	numbers []uint16 // the same as colours
	changes []uint16 // of the frame being added; unchanged otherwise
	row     []byte
	colours *colours
	frames  []change
}

// A change is how a frame differs from the one before.
type change struct {
	ticks  int
	area   image.Rectangle
	runs   []uint16 // colours, row by row, or unchanged
	coarse int      // how many bits were left out of colours then
}

// NewGIF is a GIF of width by height without frames.
func NewGIF(width, height int, opts Options) (*GIF, error) {
	opts, err := opts.withDefaults("a GIF", width, height, gifEdge)
	if err != nil {
		return nil, err
	}
	pixels := width * height
	return &GIF{
		film: film{
			opts: opts, width: width, height: height,
			times: clock{tick: 10 * time.Millisecond}, shortest: gifShortest, longest: gifTicks,
		},
		shown: make([]byte, 4*pixels), numbers: fill(make([]uint16, pixels), cleared), changes: make([]uint16, pixels),
		row: make([]byte, 4*width), colours: newColours(pixels),
	}, nil
}

func fill[T any](s []T, v T) []T {
	for i := range s {
		s[i] = v
	}
	return s
}

// Add appends a frame that lasts d. The image is read before Add returns, and
// its bounds must be of the GIF's size.
func (g *GIF) Add(frame image.Image, d time.Duration) error {
	tick := g.times.ticks
	ticks, err := g.begin(d, false)
	if err != nil {
		return err
	}
	if size := frame.Bounds().Size(); size != image.Pt(g.width, g.height) {
		return g.refuse(problem.New(problem.Invalid, "the frame is %dx%d and the animation %dx%d", size.X, size.Y, g.width, g.height).
			WithSlug(SlugFrame))
	}
	area := g.compare(newSource(frame, g.opts.Background), tick)
	if area.Empty() && g.extend(ticks) {
		return nil
	}
	g.frames = append(g.frames, change{ticks: ticks, area: area, runs: g.take(area), coarse: len(g.colours.renumbered)})
	return g.keep(2 * len(g.frames[len(g.frames)-1].runs))
}

// Hold shows the last frame for d more, as if it was added again. It is for
// those who know that nothing has changed.
func (g *GIF) Hold(d time.Duration) error {
	ticks, err := g.begin(d, true)
	if err == nil && !g.extend(ticks) {
		g.frames = append(g.frames, change{ticks: ticks, coarse: len(g.colours.renumbered)})
	}
	return err
}

// extend makes the last frame longer, if there is one and it may be so long.
func (g *GIF) extend(ticks int) bool {
	if len(g.frames) == 0 || g.frames[len(g.frames)-1].ticks+ticks > gifTicks {
		return false
	}
	g.frames[len(g.frames)-1].ticks += ticks
	return true
}

// compare brings what differs in s into changes and is the rectangle around it.
func (g *GIF) compare(s *source, tick int) (area image.Rectangle) {
	for y := range g.height {
		shown := g.shown[4*y*g.width:][:4*g.width]
		row := s.row(y, g.row, shown)
		if string(row) == string(shown) {
			continue
		}
		first, last := g.width, 0
		for x := range g.width {
			p := binary.LittleEndian.Uint32(row[4*x:])
			if p == binary.LittleEndian.Uint32(shown[4*x:]) {
				continue
			}
			first, last = min(first, x), x
			g.paint(y*g.width+x, p, tick)
		}
		copy(shown, row)
		area = area.Union(image.Rect(first, y, last+1, y+1))
	}
	return area
}

func (g *GIF) paint(at int, p pixel, tick int) {
	n, ok := g.colours.number(p)
	if !ok {
		g.coarsen(tick)
		n, _ = g.colours.number(p)
	}
	g.colours.change(g.numbers[at], n, tick)
	g.numbers[at], g.changes[at] = n, n
}

// coarsen makes room for more colours, as often as it takes to win some.
func (g *GIF) coarsen(tick int) {
	for {
		to := g.colours.coarsen(tick)
		for i := range g.numbers {
			g.numbers[i], g.changes[i] = to[g.numbers[i]], to[g.changes[i]]
		}
		if len(g.colours.colour) < mostColours/2 || len(g.colours.renumbered) == 3 {
			return
		}
	}
}

// take is what changed within area, which is forgotten.
func (g *GIF) take(area image.Rectangle) (runs []uint16) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := g.changes[y*g.width+area.Min.X:][:area.Dx()]
		runs = pack(runs, row)
		fill(row, unchanged)
	}
	return append(make([]uint16, 0, len(runs)), runs...)
}

// Encode writes the GIF. It may be called again, and frames may be added between.
func (g *GIF) Encode(ctx context.Context, w io.Writer) error {
	if err := g.finished(); err != nil {
		return err
	}
	table := g.table()
	out := newGIFWriter(w, table)
	out.header(g.width, g.height, g.opts.Loop, len(g.frames) > 1)
	s := newScreen(g.width, g.height, table, out)
	for i := range g.frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.next(&g.frames[i])
	}
	s.end(g.opts.Loop != 1 && len(g.frames) > 1)
	return out.close()
}
