package render

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"
	"time"
)

func TestGIFLengthIsTheSumOfTheDelays(t *testing.T) {
	palette := color.Palette{color.White, color.Black}
	g := &gif.GIF{Delay: []int{7, 8, 500}}
	for range g.Delay {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 40, 30), palette))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	if got, err := GIFLength(bytes.NewReader(b.Bytes())); got != 5150*time.Millisecond || err != nil {
		t.Errorf("length is %v, %v", got, err)
	}
	for n := range b.Len() - 1 { // a file that is cut short is no endless loop
		if _, err := GIFLength(bytes.NewReader(b.Bytes()[:n])); err == nil {
			t.Fatalf("%d of %d bytes have a length", n, b.Len())
		}
	}
	for _, bad := range []string{"", "PNG, which this is not", "GIF89a\x01\x00\x01\x00\x00\x00\x00?"} {
		if _, err := GIFLength(bytes.NewReader([]byte(bad))); err == nil {
			t.Errorf("%q has a length", bad)
		}
	}
}
