package animation

// A table is the colours of a GIF file, and what stands for the colours of the
// frames.
type table struct {
	colours     []pixel
	clear       int       // the index that leaves a pixel as it was; -1 without one
	transparent bool      // pixels are clear in the pictures
	index       [][]uint8 // by how coarse the frame's colours were, by their number
}

// table chooses the colours of the file. All frames have the same, so that what
// does not move does not flicker.
func (g *GIF) table() *table {
	c := g.colours
	for n := range c.now {
		c.settle(uint16(n), g.times.ticks)
	}
	t := &table{clear: -1, transparent: c.seen[cleared] > 0}
	// With exactly 256 colours, the one that leaves as it was would cost one of them.
	if n := len(c.colour) - 2; t.transparent || len(g.frames) > 1 && n != 256 {
		t.clear = 0
		t.colours = append(t.colours, nothing)
	}
	chosen, index := choose(c.colour[2:], c.seen[2:], 256-len(t.colours))
	last := make([]uint8, len(c.colour))
	for i, at := range index {
		last[i+2] = uint8(int(at) + len(t.colours))
	}
	t.colours = append(t.colours, chosen...)

	t.index = make([][]uint8, len(c.renumbered)+1)
	t.index[len(c.renumbered)] = last
	for coarse := len(c.renumbered) - 1; coarse >= 0; coarse-- {
		finer := make([]uint8, len(c.renumbered[coarse]))
		for n, to := range c.renumbered[coarse] {
			finer[n] = last[to]
		}
		t.index[coarse], last = finer, finer
	}
	return t
}
