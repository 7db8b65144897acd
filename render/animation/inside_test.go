package animation

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Property: what was packed is unpacked.
func FuzzRuns(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 9}, uint16(1))
	f.Add([]byte{5}, uint16(40000))
	f.Fuzz(func(t *testing.T, data []byte, stretch uint16) {
		var row []uint16
		for _, b := range data {
			row = append(row, uint16(b)<<8)
			for range stretch / uint16(1+len(data)) {
				row = append(row, uint16(b)%3)
			}
		}
		runs := pack([]uint16{42}, row)
		got := make([]uint16, len(row))
		if rest := unpack(got, append(runs, 43)[1:]); len(rest) != 1 || rest[0] != 43 || !slices.Equal(got, row) {
			t.Errorf("%v became %v, rest %v", row, got, rest)
		}
		if most := len(row) + len(row)/longest + 2; len(runs) > most {
			t.Errorf("%d numbers take %d, more than %d", len(row), len(runs), most)
		}
	})
}

func TestRunsOfPlainRowsAreShort(t *testing.T) {
	for name, c := range map[string]struct {
		row  []uint16
		want int
	}{
		"plain":                 {make([]uint16, 1000), 2},
		"longer than one run":   {make([]uint16, longest+1), 4},
		"noise":                 {[]uint16{1, 2, 3, 4, 5, 6, 7, 8}, 9},
		"a pair within noise":   {[]uint16{1, 2, 2, 3, 4, 4}, 7},
		"noise and a plain end": {[]uint16{1, 2, 3, 3, 3, 3, 3, 3}, 5},
	} {
		if got := pack(nil, c.row); len(got) != c.want {
			t.Errorf("%s: %d numbers, want %d: %v", name, len(got), c.want, got)
		}
	}
}

func TestAClockIsRightAtEveryTick(t *testing.T) {
	c := clock{tick: 10 * time.Millisecond}
	const frame = time.Second / 48
	sum := 0
	for i := 1; i <= 1000; i++ {
		n := c.next(frame)
		if n < 2 || n > 3 {
			t.Fatalf("frame %d takes %d ticks", i, n)
		}
		sum += n
		if off := time.Duration(i)*frame - time.Duration(sum)*c.tick; off > 5*time.Millisecond || off < -5*time.Millisecond {
			t.Fatalf("after frame %d it is %s off", i, off)
		}
	}
}

func TestEachDotGetsTheNearestCentre(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func() lab { return toLab(opaque(uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()))) }
	dots, centres := make([]dot, 3000), make([]lab, 100)
	for i := range centres {
		centres[i] = random()
	}
	for i := range dots {
		dots[i] = dot{at: random(), weight: 1, centre: r.IntN(len(centres))}
	}
	nearest(dots, centres)
	for i, d := range dots {
		for j, c := range centres {
			if d.at.apart(c) < d.at.apart(centres[d.centre]) {
				t.Fatalf("dot %d went to centre %d, and %d is nearer", i, d.centre, j)
			}
		}
	}
}

func TestLabTellsColoursApartAsEyesDo(t *testing.T) {
	white, black := toLab(opaque(255, 255, 255)), toLab(opaque(0, 0, 0))
	if white[0] != labUnit || max(white[1], -white[1], white[2], -white[2]) > 1 || black != (lab{}) {
		t.Errorf("white %v, black %v", white, black)
	}
	apart := func(a, b uint8) int64 { return toLab(opaque(a, a, a)).apart(toLab(opaque(b, b, b))) }
	if near, dark := apart(128, 132), apart(0, 4); dark > 2*near {
		t.Errorf("four steps of black are %d apart, four of grey %d", dark, near)
	}
	if green, blue := toLab(opaque(0, 200, 0)).apart(toLab(opaque(0, 230, 0))), toLab(opaque(0, 0, 200)).apart(toLab(opaque(0, 0, 230))); green < blue {
		t.Errorf("30 steps of green are %d apart, 30 of blue %d", green, blue)
	}
}

func TestColoursAreCountedByHowLongTheyAreSeen(t *testing.T) {
	c := newColours(100)
	red, blue := opaque(255, 0, 0), opaque(0, 0, 255)
	number := func(p pixel) uint16 {
		n, ok := c.number(p)
		if !ok {
			t.Fatal("no number")
		}
		return n
	}
	for range 10 { // red from 0 on
		c.change(cleared, number(red), 0)
	}
	for range 4 { // four of them blue from 7 on
		c.change(number(red), number(blue), 7)
	}
	to := c.coarsen(9)
	if got := c.colour[to[2]]; got != red {
		t.Errorf("red became %x", got)
	}
	for n, want := range map[uint16]int64{cleared: 90 * 20, number(red): 7*10 + 13*6, number(blue): 13 * 4} {
		if c.settle(n, 20); c.seen[n] != want {
			t.Errorf("colour %d was seen %d, want %d", n, c.seen[n], want)
		}
	}
}

func TestColoursBecomeCoarserWhenThereAreTooMany(t *testing.T) {
	c := newColours(1 << 20)
	n, tick := 0, 0
	for ; n < 1<<18; n++ {
		p := opaque(uint8(n), uint8(n>>8), uint8(n>>16)<<6)
		at, ok := c.number(p)
		if !ok {
			c.coarsen(tick)
			at, ok = c.number(p)
		}
		if !ok || (c.colour[at]^p)&c.mask != 0 {
			t.Fatalf("colour %x has number %d of %x", p, at, c.colour[at])
		}
		c.change(cleared, at, tick)
		if tick++; n == 10 { // seen long before any of its like
			tick += 1 << 30
		}
	}
	if bits := len(c.renumbered); bits != 2 {
		t.Errorf("%d bits are left out for 2^18 colours", bits)
	}
	if at, _ := c.number(opaque(8, 0, 0)); c.colour[at] != opaque(8, 0, 0) && c.colour[at] != opaque(9, 0, 0) && c.colour[at] != opaque(10, 0, 0) {
		t.Errorf("of 8 to 11, %x stayed", c.colour[at])
	}
}
