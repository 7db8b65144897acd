package edit

import (
	"slices"
	"strings"
)

// Conflicts are the names in b that were touched by a as well. Whoever applies b
// to a document in which a has been done since refuses these, and may apply b as
// it is if there are none. A name also meets what is part of it: the theme dark
// all its tokens, a layer its overrides in each size.
func Conflicts(a, b []string) []string {
	var both []string
	for _, name := range b {
		if slices.ContainsFunc(a, func(other string) bool { return meets(name, other) || meets(other, name) }) && !slices.Contains(both, name) {
			both = append(both, name)
		}
	}
	return both
}

// meets reports whether part is whole, or belongs to it.
func meets(whole, part string) bool {
	if whole == part || strings.HasPrefix(part, whole+"/") || "page:"+whole == part {
		return true
	}
	size, id, ok := strings.Cut(part, "/")
	return ok && strings.HasPrefix(size, "size:") && id == whole
}
