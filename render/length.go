package render

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// GIFLength is how long one round of a GIF takes: the sum of its frames' delays.
// Nothing is unpacked for it.
func GIFLength(r io.Reader) (time.Duration, error) {
	g := gifReader{r: bufio.NewReader(r)}
	head := g.take(13)
	if g.err == nil && string(head[:3]) != "GIF" {
		return 0, errors.New("it is no GIF")
	}
	g.skipColours(head[10])
	var length time.Duration
	for g.err == nil {
		switch block := g.take(1)[0]; {
		case g.err != nil:
		case block == ';':
			return length, nil
		case block == ',':
			g.skipColours(g.take(9)[8])
			g.take(1) // the width of the codes
			g.skipBlocks()
		case block == '!':
			if g.take(1)[0] == 0xf9 { // what follows is the delay of a frame, in hundredths
				control := g.take(6)
				length += time.Duration(int(control[2])|int(control[3])<<8) * 10 * time.Millisecond
				continue
			}
			g.skipBlocks()
		default:
			return 0, fmt.Errorf("it has a block %#x", block)
		}
	}
	return 0, fmt.Errorf("it ends in the middle: %w", g.err)
}

// A gifReader reads until its first error; then it gives zeros.
type gifReader struct {
	r   *bufio.Reader
	err error
}

func (g *gifReader) take(n int) []byte {
	b := make([]byte, n)
	if g.err == nil {
		_, g.err = io.ReadFull(g.r, b)
	}
	return b
}

// skipColours skips the table of colours that flags announce.
func (g *gifReader) skipColours(flags byte) {
	if flags&0x80 != 0 {
		g.discard(3 << (flags&7 + 1))
	}
}

func (g *gifReader) skipBlocks() {
	for g.err == nil {
		n := int(g.take(1)[0])
		if n == 0 {
			return
		}
		g.discard(n)
	}
}

func (g *gifReader) discard(n int) {
	if g.err == nil {
		_, g.err = g.r.Discard(n)
	}
}
