package animation

// A table is the colours of a GIF file, and what stands for the colours of the
// frames.
type table struct {
	colours     []pixel
	leaves      bool    // index 0 is no colour: it leaves a pixel as it was
	transparent bool    // pixels are clear in the pictures
	as          [][]mix // by how coarse the frame's colours were, by their number
}

// table chooses the colours of the file. All frames have the same, so that what
// does not move does not flicker.
func (g *GIF) table() *table {
	c := g.colours
	for n := range c.now {
		c.settle(uint16(n), g.times.ticks)
	}
	t := &table{transparent: c.seen[cleared] > 0}
	// With exactly 256 colours, the one that leaves as it was would cost one of them.
	if n := len(c.colour) - 2; t.transparent || len(g.frames) > 1 && n != 256 {
		t.leaves = true
		t.colours = append(t.colours, nothing)
	}
	chosen, as := choose(c.colour[2:], c.seen[2:], 256-len(t.colours), g.opts.Dither)
	last := make([]mix, 2, len(c.colour)) // what is cleared is index 0
	for _, m := range as {
		m.main += uint8(len(t.colours))
		m.other += uint8(len(t.colours))
		last = append(last, m)
	}
	t.colours = append(t.colours, chosen...)

	t.as = make([][]mix, len(c.renumbered)+1)
	t.as[len(c.renumbered)] = last
	for coarse := len(c.renumbered) - 1; coarse >= 0; coarse-- {
		finer := make([]mix, len(c.renumbered[coarse]))
		for n, to := range c.renumbered[coarse] {
			finer[n] = last[to]
		}
		t.as[coarse], last = finer, finer
	}
	return t
}
