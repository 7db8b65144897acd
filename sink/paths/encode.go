package paths

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// encode makes a value one part of one name.
func (r Rules) encode(value string) string {
	var b strings.Builder
	for rest := value; rest != ""; {
		n := norm.NFC.NextBoundaryInString(rest, true)
		cluster := rest[:n]
		// What would join itself to what stands before, or to a percent escape, is
		// encoded whole: afterwards it would not be in NFC.
		if !norm.NFC.IsNormalString(cluster) || !norm.NFC.PropertiesString(cluster).BoundaryBefore() || r.special(cluster) {
			for i := range len(cluster) {
				fmt.Fprintf(&b, "%%%02X", cluster[i])
			}
		} else {
			b.WriteString(cluster)
		}
		rest = rest[n:]
	}
	return b.String()
}

// special reports whether a rune of s can't stand in a name as it is.
func (r Rules) special(s string) bool {
	for i, c := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1, c == '/', c == '\\', c == '%', unicode.IsControl(c), unicode.Is(unicode.Noncharacter_Code_Point, c):
			return true
		case r.FoldCase && folds(c):
			return true
		}
	}
	return false
}

// folds reports whether another rune may be the same as c where case does not
// count, and is the one that stays: K and the sign of Kelvin for k, ß for ss.
func folds(c rune) bool {
	return cases.Fold().String(string(c)) != string(c) || unicode.ToLower(unicode.ToUpper(c)) != c
}
