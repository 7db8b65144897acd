package pixels

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

func plain(w, h int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

func TestPicturesAgreeWithinTheTolerance(t *testing.T) {
	grey := color.NRGBA{100, 100, 100, 255}
	change := func(rect image.Rectangle, c color.Color) *image.NRGBA {
		m := plain(320, 320, grey)
		draw.Draw(m, rect, image.NewUniform(c), image.Point{}, draw.Src)
		return m
	}
	far := color.NRGBA{100, 109, 100, 255}
	tests := []struct {
		name string
		b    image.Image
		want bool
	}{
		{"the same", plain(320, 320, grey), true},
		{"eight steps everywhere", plain(320, 320, color.NRGBA{108, 92, 100, 255}), true},
		{"another size", plain(320, 321, grey), false},
		{"another alpha", plain(320, 320, color.NRGBA{100, 100, 100, 240}), false},
		{"a quarter of one tile", change(image.Rect(0, 0, 16, 4), far), true},
		{"more than a quarter of one tile", change(image.Rect(0, 0, 16, 5), far), false},
		{"many thin lines", change(image.Rect(0, 0, 320, 1), far), false}, // 320 of 102,400 are more than 0.2 %
		{"a few thin lines", change(image.Rect(0, 0, 200, 1), far), true},
		{"the edge tile of another picture", change(image.Rect(319, 319, 320, 320), far), true},
	}
	for _, tt := range tests {
		if got := Compare(plain(320, 320, grey), tt.b); got.Agree() != tt.want {
			t.Errorf("%s: agree %t, %+v", tt.name, got.Agree(), got)
		}
	}
	c := Compare(plain(320, 320, grey), change(image.Rect(16, 32, 32, 48), far))
	if c.Worst != image.Pt(16, 32) || c.WorstTile != 1 || c.Marks.RGBAAt(20, 40).R != 220 || c.Marks.RGBAAt(0, 0).R != 255 {
		t.Errorf("got %+v", c)
	}
}
