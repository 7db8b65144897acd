// Package layout holds the script that fits texts and images of a page: the
// renderer runs it in each row's page before the picture is taken, the editor in
// the page that a designer looks at. Both run the same text, so that both show
// the same.
//
// What it promises, by the attributes of elements in the page:
//
//   - p-fit="shrink": the largest font size from the authored one down to p-min
//     (else 40 % of the authored size, and 6 px at least) at which the text fits
//     its box along and across its lines, in p-lines lines at most.
//   - p-fit="fit": the same, and it grows too: up to p-max, or until the box is full.
//   - p-fit="ellipsis": the authored size, cut with … at the last word that fits,
//     or within a word too long for that, but never within a character as
//     readers see it.
//   - p-fit="none", and every other element with an id and text of its own:
//     nothing but a word in the report if the text is clipped.
//   - p-crop="x y w h" of an img shows that part of it, in fractions of the source.
//   - p-focus="x y" of an img with object-fit: cover brings that point as near to
//     the middle as the edges allow; "auto" guesses the point, each time the same.
//
// Sizes are searched in steps of a quarter of a pixel. With an element's size go
// all font sizes, line heights and letter spacings in it, in whatever unit they
// are set; margins, paddings and gaps go only as far as their units do.
//
// Measured are the line boxes of the element's own text and of its children
// without those that are positioned for themselves, in the units of layout:
// transforms change nothing. What ::before and ::after put there is not measured.
//
// The authored size is never rewritten: what a run changes in the page, inline
// styles and shortened text, the next one takes back first. So a short text after
// a long one grows back, and twice gives the same as once.
//
// An attribute that makes no sense is left out and reported.
package layout

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
)

// Script defines pictifydLayout(root, options) in the JavaScript world where it
// is evaluated; its first comment says what that takes and gives.
//
//go:embed layout.js
var Script string

// Digest is the SHA-256 of Script in hex. What a picture shows depends on it.
var Digest = func() string {
	sum := sha256.Sum256([]byte(Script))
	return hex.EncodeToString(sum[:])
}()
