// Package paper knows the sizes of paper that have names.
package paper

import (
	"maps"
	"slices"
)

// A Size is that of an upright sheet in CSS pixels, at 96 to the inch.
type Size struct{ Width, Height float64 }

var sizes = map[string]Size{
	"a0": mm(841, 1189), "a1": mm(594, 841), "a2": mm(420, 594), "a3": mm(297, 420), "a4": mm(210, 297), "a5": mm(148, 210), "a6": mm(105, 148),
	"b4": mm(250, 353), "b5": mm(176, 250),
	"letter": inches(8.5, 11), "legal": inches(8.5, 14), "tabloid": inches(11, 17), "executive": inches(7.25, 10.5), "statement": inches(5.5, 8.5),
}

func mm(width, height float64) Size     { return inches(width/25.4, height/25.4) }
func inches(width, height float64) Size { return Size{width * 96, height * 96} }

// Named is the size of that name, in lower case; ok is false where there is none.
func Named(name string) (s Size, ok bool) {
	s, ok = sizes[name]
	return s, ok
}

// Names are the names of all sizes, sorted.
func Names() []string { return slices.Sorted(maps.Keys(sizes)) }
