package animation

import "slices"

// A mean is being taken.
type mean struct {
	sum    [3]int64
	weight int64
}

func (m *mean) add(d dot) {
	for axis, v := range d.at {
		m.sum[axis] += int64(v) * d.weight
	}
	m.weight += d.weight
}

func (m *mean) lab() (l lab) {
	for axis := range l {
		l[axis] = int32(m.sum[axis] / max(m.weight, 1))
	}
	return l
}

// settle gives each dot to the nearest centre and moves the centres to the mean
// of theirs. It reports whether a dot changed hands.
func settle(dots []dot, centres []lab) (moved bool) {
	moved = nearest(dots, centres)
	means := make([]mean, len(centres))
	for _, d := range dots {
		means[d.centre].add(d)
	}
	for i, m := range means {
		if m.weight > 0 {
			centres[i] = m.lab()
		}
	}
	return moved
}

// nearest gives each dot to the nearest centre. From a dot's last centre, the
// others are tried from the nearest on, until none can be nearer any more: one
// that is twice as far from the last centre as the dot is further from the dot.
func nearest(dots []dot, centres []lab) (moved bool) {
	around := neighbours(centres)
	for i := range dots {
		d := &dots[i]
		last := d.at.apart(centres[d.centre])
		best, apart := d.centre, last
		for _, n := range around[d.centre] {
			if n.apart() >= 4*last {
				break
			}
			if a := d.at.apart(centres[n.centre()]); a < apart {
				best, apart = n.centre(), a
			}
		}
		moved = moved || best != d.centre
		d.centre = best
	}
	return moved
}

// A neighbour of a centre: the square of the distance, and in the lowest byte
// which centre it is, so that plain numbers are sorted.
type neighbour uint64

func (n neighbour) apart() int64 { return int64(n >> 8) }
func (n neighbour) centre() int  { return int(n & 255) }

// neighbours is for each centre all of them, the nearest first.
func neighbours(centres []lab) [][]neighbour {
	all := make([][]neighbour, len(centres))
	for i := range centres {
		all[i] = make([]neighbour, len(centres))
		for j := range centres {
			all[i][j] = neighbour(centres[i].apart(centres[j])<<8 | int64(j))
		}
		slices.Sort(all[i])
	}
	return all
}
