package animation

// A mix is two colours of the table that look like a third one in a pattern. The
// pattern belongs to the place: what does not change in the pictures does not
// change in the file.
type mix struct {
	main, other uint8
	share       uint8 // of the other one, in parts of patternLevels
}

const patternLevels = 16

// pattern is in which order the pixels of a square get the other colour, so that
// each share is spread evenly (the matrix of Bayer).
var pattern = [4][4]uint8{{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}}

// at is the colour of a pixel.
func (m mix) at(x, y int) uint8 {
	if pattern[y&3][x&3] < m.share {
		return m.other
	}
	return m.main
}

// mixed is a mix for each dot, whose centre is the nearest one. Colours that are
// far from each other are grainy together, so that they have to come much closer
// to the dot to be taken.
func mixed(dots []dot, centres []lab) []mix {
	const candidates, grain = 16, 6 // a sixth of the distance
	around := neighbours(centres)
	mixes := make([]mix, len(dots))
	for i, d := range dots {
		c := centres[d.centre]
		m := mix{main: uint8(d.centre)}
		best := d.at.apart(c)
		for _, n := range around[d.centre][:min(candidates, len(centres))] {
			if n.apart() == 0 {
				continue
			}
			// Where the dot lies on the way from one to the other, which is the half that
			// is nearer to c.
			other := centres[n.centre()]
			share := (d.at.along(c, other)*patternLevels + n.apart()/2) / n.apart()
			if share < 1 {
				continue
			}
			off := d.at.apart(c.towards(other, share))
			if off += share * (patternLevels - share) * n.apart() / (patternLevels * patternLevels * grain); off < best {
				best, m.other, m.share = off, uint8(n.centre()), uint8(share)
			}
		}
		mixes[i] = m
	}
	return mixes
}

// along is how far a lies from one in the direction of the other, times the
// distance of the two.
func (a lab) along(one, other lab) (sum int64) {
	for axis := range a {
		sum += int64(a[axis]-one[axis]) * int64(other[axis]-one[axis])
	}
	return sum
}

// towards is the colour that is some levels on the way to the other.
func (a lab) towards(other lab, levels int64) lab {
	for axis := range a {
		a[axis] += int32(int64(other[axis]-a[axis]) * levels / patternLevels)
	}
	return a
}
