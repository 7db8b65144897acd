package animation

import (
	"bufio"
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"image"
	"io"
	"math/bits"
)

// A gifWriter writes the blocks of a GIF file. The first error stays.
type gifWriter struct {
	w     *bufio.Writer
	table *table
	depth int // bits of an index
	pack  *lzw.Writer

	pixels       []uint8
	plain, spare bytes.Buffer
}

func newGIFWriter(w io.Writer, t *table) *gifWriter {
	depth := max(bits.Len(uint(len(t.colours)-1)), 1)
	return &gifWriter{w: bufio.NewWriter(w), table: t, depth: depth}
}

// How a frame ends.
const (
	leave   = 1 << 2 // its pixels stay
	undo    = 2 << 2 // its rectangle becomes clear
	through = 1      // one index leaves pixels as they were
)

// header begins the file. An animation that plays once says nothing of it; for
// others the file counts repetitions.
func (g *gifWriter) header(width, height, loop int, moves bool) {
	b := append(make([]byte, 0, 1024), "GIF89a"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(width))
	b = binary.LittleEndian.AppendUint16(b, uint16(height))
	b = append(b, 0xf0|byte(g.depth-1), 0, 0)
	for i := range 1 << g.depth {
		var p pixel
		if i < len(g.table.colours) {
			p = g.table.colours[i]
		}
		b = append(b, byte(p), byte(p>>8), byte(p>>16))
	}
	if moves && loop != 1 {
		b = append(b, "\x21\xff\x0bNETSCAPE2.0\x03\x01"...)
		b = binary.LittleEndian.AppendUint16(b, uint16(max(loop-1, 0)))
		b = append(b, 0)
	}
	g.put(b...)
}

// frame writes area of the screen's frame. Pixels that are there already are
// painted or left as they were, whichever is shorter.
func (g *gifWriter) frame(s *screen, area image.Rectangle, clears bool) {
	flags := byte(leave)
	if clears {
		flags = undo
	}
	if g.table.leaves {
		flags |= through
	}
	b := []byte{0x21, 0xf9, 4, flags}
	b = binary.LittleEndian.AppendUint16(b, uint16(s.ticks))
	b = append(b, 0, 0, 0x2c)
	for _, n := range []int{area.Min.X, area.Min.Y, area.Dx(), area.Dy()} {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	g.put(append(b, 0)...)
	g.blocks(g.shorter(s, area))
}

// shorter is area as it was written in fewer bytes, valid until the next frame.
func (g *gifWriter) shorter(s *screen, area image.Rectangle) []byte {
	g.pixels = g.pixels[:0]
	s.each(area, func(_, from, to int) { g.pixels = append(g.pixels, s.frame[from:to]...) })
	g.compress(&g.plain)
	if !g.table.leaves {
		return g.plain.Bytes()
	}
	at := 0
	s.each(area, func(_, from, to int) {
		for i := from; i < to; i++ {
			if s.before[i] == s.frame[i] {
				g.pixels[at] = 0
			}
			at++
		}
	})
	g.compress(&g.spare)
	if g.spare.Len() < g.plain.Len() {
		return g.spare.Bytes()
	}
	return g.plain.Bytes()
}

// compress packs the pixels. The reset that LZW makes whenever its dictionary is
// full is no loss: keeping a full one while it packs well made films of cards
// smaller by a hundredth at best, larger by a tenth at worst.
func (g *gifWriter) compress(b *bytes.Buffer) {
	b.Reset()
	if g.pack == nil {
		g.pack = lzw.NewWriter(b, lzw.LSB, max(g.depth, 2)).(*lzw.Writer)
	} else {
		g.pack.Reset(b, lzw.LSB, max(g.depth, 2))
	}
	g.pack.Write(g.pixels) //nolint:errcheck // a buffer takes all, and indexes fit the depth
	g.pack.Close()
}

// blocks writes packed pixels in the pieces that the format has.
func (g *gifWriter) blocks(data []byte) {
	g.put(byte(max(g.depth, 2)))
	for len(data) > 0 {
		n := min(len(data), 255)
		g.put(byte(n))
		g.put(data[:n]...)
		data = data[n:]
	}
	g.put(0)
}

// put writes bytes; w keeps the first error until close.
func (g *gifWriter) put(b ...byte) { g.w.Write(b) } //nolint:errcheck // see above

// close ends the file and is the first error.
func (g *gifWriter) close() error {
	g.put(0x3b)
	return g.w.Flush()
}
