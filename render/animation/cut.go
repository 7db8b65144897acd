package animation

import (
	"cmp"
	"slices"
)

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
	sortAlong(dots, members, b.axis)
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

// sortAlong sorts members along an axis, and by number where they are equal there.
func sortAlong(dots []dot, members []int32, axis int) {
	keys := make([]int64, len(members)) // plain numbers sort three times as fast
	for i, at := range members {
		keys[i] = int64(dots[at].at[axis])<<32 | int64(at)
	}
	slices.Sort(keys)
	for i, key := range keys {
		members[i] = int32(key)
	}
}
