package chrome

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"

	"github.com/pictifyd/pictifyd/render"
)

// glyphScript defines pictifydGlyphs(root) in the world where it is evaluated;
// its first comment says what that takes, gives, and can't see.
//
//go:embed glyphs.js
var glyphScript string

// missingGlyphs are the first characters of a layer's text that no font has.
type missingGlyphs struct {
	Layer      string   `json:"layer"`
	Characters []string `json:"characters"` // each one character, or one with its marks
}

// glyphWarnings says of each layer what is missing there.
func glyphWarnings(layers []missingGlyphs) []render.Warning {
	warnings := make([]render.Warning, len(layers))
	for i, l := range layers {
		warnings[i] = render.Warning{Code: render.GlyphMissing, Layer: l.Layer, Problem: l.problem()}
	}
	return warnings
}

// shownCharacters is how many characters a warning names.
const shownCharacters = 8

func (g missingGlyphs) problem() string {
	var text strings.Builder
	text.WriteString("no font has ")
	for i, c := range g.Characters[:min(len(g.Characters), shownCharacters)] {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(spellCharacter(c))
	}
	if len(g.Characters) > shownCharacters {
		text.WriteString(" and more")
	}
	text.WriteString(": boxes are shown instead (install a font that has them, or ship one with the template)")
	return text.String()
}

// spellCharacter is the numbers of a character, and itself where it is one that
// can be shown between others.
func spellCharacter(c string) string {
	var numbers []string
	shows := true
	for i, r := range c {
		numbers = append(numbers, fmt.Sprintf("U+%04X", r))
		shows = shows && unicode.IsPrint(r) && (i > 0 || !unicode.IsMark(r))
	}
	text := strings.Join(numbers, " ")
	if shows {
		text += " " + c
	}
	return text
}
