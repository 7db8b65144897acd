package animation

import (
	"cmp"
	"math/bits"
	"slices"
)

// A dot is a colour of the frames on its way into the table.
type dot struct {
	at     lab
	weight int64
	centre int // its colour of the table
}

// choose picks at most most colours that stand for all, and says for each which
// one, or which two when dither is set; a colour that is seen more counts more.
// Few enough stay as they are. Else boxes of colours are cut where that helps
// most (median cut, after Heckbert and Wu), and their means are moved a few times
// to the middle of those that are nearest (k-means).
func choose(colours []pixel, seen []int64, most int, dither bool) (chosen []pixel, as []mix) {
	if len(colours) <= most {
		as = make([]mix, len(colours))
		for i := range as {
			as[i].main = uint8(i)
		}
		return colours, as
	}
	dots := newDots(colours, seen)
	centres := cut(dots, most)
	for range 8 {
		if moved := settle(dots, centres); !moved {
			break
		}
	}
	chosen = represent(dots, colours, centres)
	for i, p := range chosen {
		centres[i] = toLab(p)
	}
	nearest(dots, centres)
	if dither {
		return chosen, mixed(dots, centres)
	}
	as = make([]mix, len(dots))
	for i, d := range dots {
		as[i].main = uint8(d.centre)
	}
	return chosen, as
}

// newDots weighs colours such that sums of squares fit 64 bits.
func newDots(colours []pixel, seen []int64) []dot {
	total := int64(0)
	for _, n := range seen {
		total += n
	}
	shift := max(bits.Len64(uint64(total))-32, 0)
	dots := make([]dot, len(colours))
	for i, p := range colours {
		dots[i] = dot{at: toLab(p), weight: max(seen[i]>>shift, 1)}
	}
	return dots
}

// A box is some of the dots, cut from the others.
type box struct {
	members []int32
	axis    int
	gain    int64 // by how much a cut lessens the sum of squares
	at      int   // members before the best cut
}

// cut divides the dots into so many boxes and is the mean of each.
func cut(dots []dot, most int) []lab {
	all := make([]int32, len(dots))
	for i := range all {
		all[i] = int32(i)
	}
	boxes := []*box{newBox(dots, all)}
	for len(boxes) < most {
		widest := slices.MaxFunc(boxes, func(a, b *box) int { return cmp.Compare(a.gain, b.gain) })
		rest := widest.members[widest.at:]
		*widest = *newBox(dots, widest.members[:widest.at])
		boxes = append(boxes, newBox(dots, rest))
	}
	centres := make([]lab, len(boxes))
	for i, b := range boxes {
		var m mean
		for _, at := range b.members {
			m.add(dots[at])
			dots[at].centre = i
		}
		centres[i] = m.lab()
	}
	return centres
}

// newBox sorts members along the axis on which they vary most, and finds the
// best cut.
func newBox(dots []dot, members []int32) *box {
	b := &box{members: members, gain: -1}
	if len(members) < 2 {
		return b
	}
	var m mean
	for _, at := range members {
		m.add(dots[at])
	}
	middle := m.lab()
	var spread [3]int64
	for _, at := range members {
		for axis := range spread {
			d := int64(dots[at].at[axis] - middle[axis])
			spread[axis] += dots[at].weight * d * d
		}
	}
	for axis := range spread {
		if spread[axis] > spread[b.axis] {
			b.axis = axis
		}
	}
	slices.SortFunc(members, func(x, y int32) int {
		return cmp.Or(cmp.Compare(dots[x].at[b.axis], dots[y].at[b.axis]), cmp.Compare(x, y))
	})
	left, weight := int64(0), int64(0)
	for i, at := range members[:len(members)-1] {
		left += dots[at].weight * int64(dots[at].at[b.axis]-middle[b.axis])
		weight += dots[at].weight
		// Of both parts' means from the middle; the sums of both are equal but for their sign.
		gain := int64(float64(left) * float64(left) * (1/float64(weight) + 1/float64(m.weight-weight)))
		if gain > b.gain {
			b.gain, b.at = gain, i+1
		}
	}
	return b
}

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
			if n.apart >= 4*last {
				break
			}
			if a := d.at.apart(centres[n.centre]); a < apart {
				best, apart = n.centre, a
			}
		}
		moved = moved || best != d.centre
		d.centre = best
	}
	return moved
}

// A neighbour of a centre.
type neighbour struct {
	centre int
	apart  int64
}

// neighbours is for each centre all of them, the nearest first.
func neighbours(centres []lab) [][]neighbour {
	all := make([][]neighbour, len(centres))
	for i := range centres {
		all[i] = make([]neighbour, len(centres))
		for j := range centres {
			all[i][j] = neighbour{j, centres[i].apart(centres[j])}
		}
		slices.SortFunc(all[i], func(a, b neighbour) int {
			return cmp.Or(cmp.Compare(a.apart, b.apart), cmp.Compare(a.centre, b.centre))
		})
	}
	return all
}

// represent is a colour for each centre: the one that makes up half of what is
// there, because a plain area must keep its colour, else the mean.
func represent(dots []dot, colours []pixel, centres []lab) []pixel {
	most, means := make([]int, len(centres)), make([]rgbMean, len(centres))
	for i := range most {
		most[i] = -1
	}
	for i, d := range dots {
		means[d.centre].add(colours[i], d.weight)
		if at := most[d.centre]; at < 0 || d.weight > dots[at].weight {
			most[d.centre] = i
		}
	}
	chosen := make([]pixel, len(centres))
	for i, m := range means {
		switch at := most[i]; {
		case at < 0:
			chosen[i] = nothing | 0xff000000
		case 2*dots[at].weight >= m.weight:
			chosen[i] = colours[at]
		default:
			chosen[i] = m.pixel()
		}
	}
	return chosen
}

// An rgbMean is taken of channels, because a mean in lab has no short way back.
type rgbMean struct {
	r, g, b, weight int64
}

func (m *rgbMean) add(p pixel, weight int64) {
	m.r += int64(p&255) * weight
	m.g += int64(p>>8&255) * weight
	m.b += int64(p>>16&255) * weight
	m.weight += weight
}

func (m *rgbMean) pixel() pixel {
	half := m.weight / 2
	return opaque(uint8((m.r+half)/m.weight), uint8((m.g+half)/m.weight), uint8((m.b+half)/m.weight))
}
