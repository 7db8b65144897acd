package pixels

import (
	"image"
	"image/color"
	"testing"
)

func TestEqualPicturesHaveTheSamePixels(t *testing.T) {
	grey := color.NRGBA{100, 100, 100, 255}
	one := plain(9, 7, grey)
	one.SetNRGBA(8, 6, color.NRGBA{100, 101, 100, 255})
	moved := image.NewNRGBA(image.Rect(5, 5, 14, 12))
	copy(moved.Pix, plain(9, 7, grey).Pix)
	rgba := image.NewRGBA(image.Rect(0, 0, 9, 7))
	for i := range 63 {
		rgba.Set(i%9, i/9, grey)
	}
	palette := image.NewPaletted(image.Rect(0, 0, 9, 7), color.Palette{grey, color.White})
	for name, c := range map[string]struct {
		a, b image.Image
		want bool
	}{
		"the same":                {plain(9, 7, grey), plain(9, 7, grey), true},
		"one step in one pixel":   {plain(9, 7, grey), one, false},
		"another size":            {plain(9, 7, grey), plain(7, 9, grey), false},
		"another place":           {plain(9, 7, grey), moved, true},
		"another kind":            {plain(9, 7, grey), rgba, true},
		"a palette":               {plain(9, 7, grey), palette, true},
		"clear in two colours":    {plain(9, 7, color.NRGBA{1, 2, 3, 0}), plain(9, 7, color.NRGBA{200, 2, 3, 0}), true},
		"one step of its opacity": {plain(9, 7, color.NRGBA{9, 9, 9, 255}), plain(9, 7, color.NRGBA{9, 9, 9, 254}), false},
	} {
		if got := Equal(c.a, c.b); got != c.want || Equal(c.b, c.a) != c.want {
			t.Errorf("%s: equal %t, want %t", name, got, c.want)
		}
	}
}
