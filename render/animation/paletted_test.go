package animation

import (
	"image"
	"image/color"
	"testing"
)

func TestPalettedKeepsFewColoursAndFindsGoodOnes(t *testing.T) {
	few := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	many := image.NewNRGBA(few.Rect)
	for y := range 40 {
		for x := range 40 {
			few.SetNRGBA(x, y, color.NRGBA{uint8(x / 10 * 60), uint8(y / 10 * 60), 9, 255})
			many.SetNRGBA(x, y, color.NRGBA{uint8(x * 6), uint8(y * 6), 100, 255})
		}
	}
	few.SetNRGBA(3, 3, color.NRGBA{})
	exact, err := Paletted(few, 256)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 40 {
		for x := range 40 {
			if got := color.NRGBAModel.Convert(exact.At(x, y)); got != few.NRGBAAt(x, y) {
				t.Fatalf("the pixel at %d,%d is %v, not %v", x, y, got, few.NRGBAAt(x, y))
			}
		}
	}
	for _, most := range []int{2, 16, 64} {
		got, err := Paletted(many, most)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Palette); n > most {
			t.Errorf("%d colours instead of %d", n, most)
		}
		worst := 0
		for y := range 40 {
			for x := range 40 {
				a, b := color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA), many.NRGBAAt(x, y)
				worst = max(worst, max(int(a.R), int(b.R))-min(int(a.R), int(b.R)))
			}
		}
		if most == 64 && worst > 60 {
			t.Errorf("with 64 of 1,600 colours a pixel is %d off in red", worst)
		}
	}
	if _, err := Paletted(image.NewNRGBA(image.Rectangle{}), 16); err == nil {
		t.Error("an empty picture has a palette")
	}
}
