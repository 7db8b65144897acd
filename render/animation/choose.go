package animation

import "math/bits"

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
			chosen[i] = opaque(0, 0, 0) // nobody's
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
