package animation

import "slices"

// Numbers that are no colour.
const (
	unchanged = 0 // in what a frame changes: as it was
	cleared   = 1 // transparent
)

const mostColours = 1<<16 - 2 // beside those two, in a uint16

// colours numbers the colours of all frames and knows how long each is seen,
// in pixels times ticks. While there are at most mostColours they are exact.
// When more come, the lowest bit of each channel is left out of the question
// whether two are the same, then the next; of those that become one, the one
// that makes up most of it stays. Numbers given before go on through renumbered.
type colours struct {
	mask       pixel      // the bits that tell colours apart
	colour     []pixel    // by number
	votes      []int64    // by number, for its colour; only where more than one has it
	seen       []int64    // by number, up to since
	now        []int64    // pixels that have the number now
	since      []int      // tick up to which seen is right
	renumbered [][]uint16 // by how many bits are left out: the numbers with one more

	slots []uint16 // of a hash table of the masked colours; 0 is empty
	last  pixel    // and its number, for flat areas
	lastN uint16
}

func newColours(pixels int) *colours {
	return &colours{
		mask: 0xffffffff, slots: make([]uint16, 1<<10),
		colour: make([]pixel, 2), votes: make([]int64, 2), seen: make([]int64, 2), now: []int64{0, int64(pixels)}, since: make([]int, 2),
	}
}

// number is the number of p, of which there is a pixel more, or false when there
// are too many colours: then coarsen and ask again.
func (c *colours) number(p pixel) (n uint16, ok bool) {
	switch {
	case p == nothing:
		return cleared, true
	case p != c.last:
		if n, ok = c.find(p); !ok {
			return 0, false
		}
		c.last, c.lastN = p, n
	}
	c.vote(c.lastN, p)
	return c.lastN, true
}

// find is the number of p, which it gets if it has none.
func (c *colours) find(p pixel) (n uint16, ok bool) {
	at := c.slot(p)
	if n := c.slots[at]; n != 0 {
		return n, true
	}
	if len(c.colour) == mostColours+2 {
		return 0, false
	}
	return c.add(at, p), true
}

// vote counts a pixel of p for the colour that stands for number n, or against
// it (the majority vote of Boyer and Moore): a plain area keeps its colour
// whatever was there before.
func (c *colours) vote(n uint16, p pixel) {
	switch {
	case len(c.renumbered) == 0:
	case c.colour[n] == p:
		c.votes[n]++
	case c.votes[n] > 0:
		c.votes[n]--
	default:
		c.colour[n], c.votes[n] = p, 1
	}
}

// slot is where p is, or where it would be.
func (c *colours) slot(p pixel) int {
	p &= c.mask
	at := int(p*2654435769>>12) & (len(c.slots) - 1)
	for c.slots[at] != 0 && c.colour[c.slots[at]]&c.mask != p {
		at = (at + 1) & (len(c.slots) - 1)
	}
	return at
}

func (c *colours) add(at int, p pixel) uint16 {
	n := uint16(len(c.colour))
	c.slots[at] = n
	c.colour, c.votes, c.seen = append(c.colour, p), append(c.votes, 0), append(c.seen, 0)
	c.now, c.since = append(c.now, 0), append(c.since, 0)
	if 2*len(c.colour) > len(c.slots) {
		c.slots = make([]uint16, 2*len(c.slots))
		for n := 2; n < len(c.colour); n++ {
			c.slots[c.slot(c.colour[n])] = uint16(n)
		}
	}
	return n
}

// change says that a pixel is of another colour from a tick on.
func (c *colours) change(from, to uint16, tick int) {
	c.settle(from, tick)
	c.now[from]--
	c.settle(to, tick)
	c.now[to]++
}

func (c *colours) settle(n uint16, tick int) {
	if c.since[n] != tick {
		c.seen[n] += c.now[n] * int64(tick-c.since[n])
		c.since[n] = tick
	}
}

// coarsen leaves out one more bit at a tick. The result is the new numbers by
// the old; five bits a channel always fit.
func (c *colours) coarsen(tick int) []uint16 {
	old := *c
	bits := len(c.renumbered) + 1
	*c = *newColours(0)
	to := make([]uint16, len(old.colour))
	c.renumbered = append(slices.Clone(old.renumbered), to)
	channel := pixel(0xff<<bits) & 0xff
	c.mask = 0xff000000 | channel<<16 | channel<<8 | channel
	c.now[cleared], c.seen[cleared], c.since[cleared] = old.now[cleared], old.seen[cleared], old.since[cleared]
	most := make([]int64, 2, len(old.colour))
	to[cleared] = cleared
	for n := 2; n < len(old.colour); n++ {
		old.settle(uint16(n), tick)
		to[n], _ = c.find(old.colour[n])
		at := to[n]
		if int(at) == len(most) {
			most = append(most, -1)
		}
		if weight := old.seen[n] + old.now[n]; weight > most[at] {
			most[at], c.colour[at], c.votes[at] = weight, old.colour[n], old.now[n]
		}
		c.seen[at] += old.seen[n]
		c.now[at] += old.now[n]
		c.since[at] = tick
	}
	return to
}
