package animation

import (
	"image"
	"image/color"
	"slices"
	"time"
)

// Paletted is m in at most so many colours, from 2 to 256, chosen as those of a
// GIF's only frame: each as it is where m has no more. A pixel is clear or opaque.
func Paletted(m image.Image, most int) (*image.Paletted, error) {
	size := m.Bounds().Size()
	g, err := NewGIF(size.X, size.Y, Options{Pixels: max(size.X*size.Y, 1)})
	if err != nil {
		return nil, err
	}
	if err := g.Add(m, time.Second); err != nil {
		return nil, err
	}
	c := g.colours
	for n := range c.now {
		c.settle(uint16(n), g.times.ticks)
	}
	var palette color.Palette
	if slices.Contains(g.numbers, cleared) {
		palette = append(palette, color.NRGBA{})
	}
	chosen, as := choose(c.colour[2:], c.seen[2:], most-len(palette), false)
	first := uint8(len(palette))
	for _, p := range chosen {
		palette = append(palette, color.NRGBA{uint8(p), uint8(p >> 8), uint8(p >> 16), 255})
	}
	out := image.NewPaletted(image.Rectangle{Max: size}, palette)
	for i, n := range g.numbers {
		if n != cleared {
			out.Pix[i] = first + as[n-2].main
		}
	}
	return out, nil
}
