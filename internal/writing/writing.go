// Package writing knows the scripts that texts are written in, and the letters
// by which a font shows that it has one.
package writing

import (
	"slices"
	"unicode"
)

// A Script is a way of writing.
type Script struct {
	Name    string
	letters []*unicode.RangeTable // what is written in it alone
	Samples []rune                // a font that has these has the script
}

// Emoji is the script whose letters are pictures.
const Emoji = "emoji"

// emoji are pictures that are colourful wherever they stand.
var emoji = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x231a, Hi: 0x231b, Stride: 1}, {Lo: 0x2600, Hi: 0x27bf, Stride: 1}, {Lo: 0x2b50, Hi: 0x2b55, Stride: 5}},
	R32: []unicode.Range32{{Lo: 0x1f1e6, Hi: 0x1f1ff, Stride: 1}, {Lo: 0x1f300, Hi: 0x1faff, Stride: 1}},
}

// Han characters are of several languages: those that only one writes tell its
// fonts from another's.
var scripts = []Script{
	{"Latin", []*unicode.RangeTable{unicode.Latin}, []rune("Aagßé")},
	{"Cyrillic", []*unicode.RangeTable{unicode.Cyrillic}, []rune("АдёЖщю")},
	{"Greek", []*unicode.RangeTable{unicode.Greek}, []rune("ΑβδΩώ")},
	{"Armenian", []*unicode.RangeTable{unicode.Armenian}, []rune("Աբկ")},
	{"Georgian", []*unicode.RangeTable{unicode.Georgian}, []rune("აბკ")},
	{"Hebrew", []*unicode.RangeTable{unicode.Hebrew}, []rune("אבש")},
	{"Arabic", []*unicode.RangeTable{unicode.Arabic}, []rune("عبكي")},
	{"Devanagari", []*unicode.RangeTable{unicode.Devanagari}, []rune("कमह")},
	{"Bengali", []*unicode.RangeTable{unicode.Bengali}, []rune("কমহ")},
	{"Tamil", []*unicode.RangeTable{unicode.Tamil}, []rune("கமஹ")},
	{"Telugu", []*unicode.RangeTable{unicode.Telugu}, []rune("కమహ")},
	{"Thai", []*unicode.RangeTable{unicode.Thai}, []rune("กทไ")},
	{"Ethiopic", []*unicode.RangeTable{unicode.Ethiopic}, []rune("ሀለመ")},
	{"Chinese", []*unicode.RangeTable{unicode.Han, unicode.Bopomofo}, []rune("们這的是")},
	{"Japanese", []*unicode.RangeTable{unicode.Hiragana, unicode.Katakana}, []rune("かカ漢の")},
	{"Korean", []*unicode.RangeTable{unicode.Hangul}, []rune("한글가")},
	{Emoji, []*unicode.RangeTable{emoji}, []rune("😀🎉")},
}

// Scripts are all that this room knows. They are not to be changed.
func Scripts() []Script { return scripts }

// Names are all scripts that this room knows.
func Names() []string {
	names := make([]string, len(scripts))
	for i, s := range scripts {
		names[i] = s.Name
	}
	return names
}

// Covered are the scripts for which has knows every letter of a sample.
func Covered(has func(rune) bool) []string {
	covered := []string{}
	for _, s := range scripts {
		if !slices.ContainsFunc(s.Samples, func(r rune) bool { return !has(r) }) {
			covered = append(covered, s.Name)
		}
	}
	return covered
}

// A Count is how many letters of each script were met. The zero value is ready
// for use.
type Count struct{ letters map[string]int }

// Add counts the letters of text.
func (c *Count) Add(text string) {
	for _, r := range text {
		if r < unicode.MaxASCII && !unicode.IsLetter(r) {
			continue
		}
		if name := of(r); name != "" {
			if c.letters == nil {
				c.letters = map[string]int{}
			}
			c.letters[name]++
		}
	}
}

// of is the script that r is of; "" for signs that all share.
func of(r rune) string {
	if r < unicode.MaxLatin1 && unicode.IsLetter(r) {
		return "Latin"
	}
	for _, s := range scripts {
		if unicode.In(r, s.letters...) {
			return s.Name
		}
	}
	return ""
}

// Names are the scripts that were met, in the order in which this room knows
// them. Han characters beside Japanese letters are Japanese.
func (c *Count) Names() []string {
	met := []string{}
	for _, s := range scripts {
		if c.letters[s.Name] == 0 || s.Name == "Chinese" && c.letters["Japanese"] > 0 {
			continue
		}
		met = append(met, s.Name)
	}
	return met
}
