// Package pixels says whether two pictures show the same. Two renderings of one
// page on two machines differ in a few steps of anti-aliased edges; a person sees
// no difference, and neither must a test.
package pixels

import (
	"bytes"
	"image"
	"image/color"
)

// The limits of agreement.
const (
	Step      = 8     // of 255 in a channel: less is no difference
	MaxShare  = 0.002 // of all pixels may differ
	TileSide  = 16    // pixels of a tile
	TileShare = 0.25  // of the pixels of any tile may differ
)

// A Comparison is how two pictures differ.
type Comparison struct {
	SameSize  bool
	SameAlpha bool    // no pixel's opacity differs by more than Step
	Share     float64 // of the pixels that differ
	WorstTile float64 // the greatest share within one tile
	Worst     image.Point
	Marks     *image.RGBA // white, with what differs in red; nil where the sizes differ
}

// Agree reports whether both pictures show the same: the same size and alpha, at
// most MaxShare of the pixels differ, and no tile has more than TileShare of such.
func (c Comparison) Agree() bool {
	return c.SameSize && c.SameAlpha && c.Share <= MaxShare && c.WorstTile <= TileShare
}

// Compare holds two pictures against each other.
func Compare(a, b image.Image) Comparison {
	size := a.Bounds().Size()
	c := Comparison{SameSize: size == b.Bounds().Size(), SameAlpha: true}
	if !c.SameSize {
		return c
	}
	c.Marks = image.NewRGBA(image.Rectangle{Max: size})
	columns := (size.X + TileSide - 1) / TileSide
	tiles := make([]int, columns*((size.Y+TileSide-1)/TileSide))
	total := 0
	for y := range size.Y {
		for x := range size.X {
			p, q := at(a, x, y), at(b, x, y)
			if apart(p.A, q.A) {
				c.SameAlpha = false
			}
			mark := color.RGBA{255, 255, 255, 255}
			if apart(p.R, q.R) || apart(p.G, q.G) || apart(p.B, q.B) || apart(p.A, q.A) {
				mark = color.RGBA{220, 0, 0, 255}
				tiles[y/TileSide*columns+x/TileSide]++
				total++
			}
			c.Marks.SetRGBA(x, y, mark)
		}
	}
	if n := size.X * size.Y; n > 0 {
		c.Share = float64(total) / float64(n)
	}
	c.worst(tiles, columns, size)
	return c
}

func (c *Comparison) worst(tiles []int, columns int, size image.Point) {
	for i, n := range tiles {
		x, y := i%columns*TileSide, i/columns*TileSide
		whole := min(TileSide, size.X-x) * min(TileSide, size.Y-y)
		if share := float64(n) / float64(whole); share > c.WorstTile {
			c.WorstTile, c.Worst = share, image.Pt(x, y)
		}
	}
}

func apart(a, b uint8) bool { return max(a, b)-min(a, b) > Step }

// at is the colour of a pixel, not multiplied with its alpha; nothing has no colour.
func at(m image.Image, x, y int) color.NRGBA {
	b := m.Bounds().Min
	switch m := m.(type) {
	case *image.NRGBA:
		return m.NRGBAAt(b.X+x, b.Y+y)
	case *image.RGBA:
		if p := m.RGBAAt(b.X+x, b.Y+y); p.A == 255 {
			return color.NRGBA(p)
		}
	}
	return color.NRGBAModel.Convert(m.At(b.X+x, b.Y+y)).(color.NRGBA)
}

// Equal reports whether both pictures have the same size and the same pixels, to
// the last step. What is quite clear has no colour.
func Equal(a, b image.Image) bool {
	size := a.Bounds().Size()
	if size != b.Bounds().Size() {
		return false
	}
	if p, ok := a.(*image.NRGBA); ok {
		if q, ok := b.(*image.NRGBA); ok && p.Stride == q.Stride && bytes.Equal(p.Pix, q.Pix) {
			return true
		}
	}
	from, to := a.Bounds().Min, b.Bounds().Min
	for y := range size.Y {
		for x := range size.X {
			if !sameColour(a.At(from.X+x, from.Y+y), b.At(to.X+x, to.Y+y)) {
				return false
			}
		}
	}
	return true
}

func sameColour(a, b color.Color) bool {
	if a == b {
		return true
	}
	ar, ag, ab, aa := a.RGBA()
	br, bg, bb, ba := b.RGBA()
	return ar == br && ag == bg && ab == bb && aa == ba
}
