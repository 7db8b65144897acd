// Package relayout gives a template another size: it looks at the size that is
// nearest in shape, understands what is a picture, a panel, a row or a column of
// it, and says by which overrides the same design would fill the other page.
//
// What it says concerns the new size only: every rule stands in the style sheet
// p-size-NAME, so that no other size can change by a pixel.
package relayout
