package rules

import (
	"slices"
)

// A clause is a part of a request that asks for one thing.
type clause struct {
	words []word
	raw   string
	rest  []string // words that are no vocabulary: they name a layer or a token
}

func (c clause) has(k class) bool {
	return slices.ContainsFunc(c.words, func(w word) bool { return w.is(k) })
}

// value is what the first word of a class says.
func (c clause) value(k class) string {
	for _, w := range c.words {
		if v, ok := w.can[k]; ok {
			return v
		}
	}
	return ""
}

// A recipe says what a clause must have to be understood, what it may have besides,
// and what it becomes. A word of no class that is named here is not understood, and
// then the clause is none of this recipe, unless rest takes it for a name.
type recipe struct {
	name string
	need [][]class // one of each
	may  []class
	rest bool
	make func(u *understanding, c clause) bool
}

// always is what every recipe may have.
var always = []class{filler, verb, it}

// recipes are in the order in which they are tried.
var recipes = []recipe{
	{"undo", [][]class{{undo}}, []class{ordinal, change, pick, remove, theme, sizeNoun}, false, (*understanding).undo},
	{"size by numbers", [][]class{{dimensions}}, []class{resize, sizeNoun, picture, generate, change, theme, preset, show}, false, (*understanding).dimensions},
	{"size by name", [][]class{{preset}, {resize, sizeNoun, verb, theme, generate, change, it}}, []class{picture, pick, show, kind, resize, sizeNoun, change, theme, generate}, false, (*understanding).preset},
	{"relayout", [][]class{{relayout}}, []class{preset, sizeNoun, picture, dimensions}, true, (*understanding).relayout},
	{"dark theme", [][]class{{dark}, {theme, it, picture}}, []class{picture, change, generate, sizeNoun, resize, hue, kind, theme}, false, (*understanding).dark},
	{"pick a background", [][]class{{pick}, {ordinal}}, []class{background, kind, generate, move}, false, (*understanding).pick},
	{"backgrounds", [][]class{{background}, {generate, count, kind}}, []class{count, kind, generate, picture, show, theme, pick}, false, (*understanding).backgrounds},
	{"check", [][]class{{check}}, []class{picture, hue, wording, show, theme, dark, sizeNoun, preset}, false, (*understanding).check},
	{"edit", [][]class{{grow, shrink, pixels, percent, weight, slant, line, letters, color, align, center, side, move, hide, show, remove, quote}}, []class{
		much, little, change, hue, wording, background, picture, pick, count, only, resize, sizeNoun, generate, theme, preset, dark, kind, check, ordinal,
	}, true, (*understanding).edit},
}

// fits reports whether a clause is one of the recipe, with the words left for names.
func (r recipe) fits(c *clause) bool {
	for _, any := range r.need {
		if !slices.ContainsFunc(any, c.has) {
			return false
		}
	}
	takes := slices.Concat(always, r.may)
	for _, any := range r.need {
		takes = append(takes, any...)
	}
	c.rest = nil
	for _, w := range c.words {
		if slices.ContainsFunc(takes, w.is) {
			continue
		}
		if !r.rest || w.text == "" {
			return false
		}
		c.rest = append(c.rest, w.text)
	}
	return len(c.rest) <= maxName
}

// maxName is how many words may name a layer.
const maxName = 4
