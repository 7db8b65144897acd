package markup

import "strings"

// The ranks of properties behind the geometry. Properties that can override
// each other, a shorthand and its parts, share a rank: sorting by rank never
// changes which of them wins.
const (
	flexRank = 20 + iota
	fontRank
	colourRank
	otherRank
)

var geometry = map[string]int{"left": 1, "top": 2, "right": 3, "bottom": 4, "width": 5, "height": 6, "transform": 7}

// propertyRank says where a property stands in a canonical style.
func propertyRank(name string) int {
	name = unprefixed(name)
	switch {
	case geometry[name] > 0:
		return geometry[name]
	case name == "display" || name == "order" || hasAny(name, "flex", "grid", "align-", "justify-", "place-", "gap", "row-gap", "column-gap"):
		return flexRank
	case hasAny(name, "font", "line-height", "letter-spacing", "word-spacing", "text-", "white-space"):
		return fontRank
	case name == "color" || name == "opacity" || hasAny(name, "background", "fill", "stroke"):
		return colourRank
	}
	return otherRank
}

// unprefixed is the name without the prefix of a browser's maker: the prefixed
// names are other spellings.
func unprefixed(name string) string {
	if strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "--") {
		if _, rest, ok := strings.Cut(name[1:], "-"); ok {
			return rest
		}
	}
	return name
}

func hasAny(name string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// spansRanks reports whether a property overrides some of several ranks, so
// that nothing may be sorted past it.
func spansRanks(name string) bool {
	name = unprefixed(name)
	return name == "all" || hasAny(name, "inset", "inline-size", "block-size") || name == ""
}
