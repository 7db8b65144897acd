package assets

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func TestImageThatWasCutOffIsRefused(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		img.Set(i%64, i/64, color.RGBA{uint8(i * 7), uint8(i / 3), uint8(i), 255})
	}
	var p, j bytes.Buffer
	if err := png.Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&j, img, nil); err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string][]byte{"png": p.Bytes(), "jpeg": j.Bytes()} {
		if _, err := inspect(whole, "", 1<<20); err != nil {
			t.Errorf("whole %s: %v", name, err)
		}
		if _, err := inspect(append(bytes.Clone(whole), "appended by a camera"...), "", 1<<20); err != nil {
			t.Errorf("%s with bytes behind its end: %v", name, err)
		}
		for _, cut := range []int{len(whole) - 1, len(whole) / 2} {
			if _, err := inspect(whole[:cut], "", 1<<20); err == nil || !strings.Contains(err.Error(), "cut off") {
				t.Errorf("%s of %d bytes cut at %d: %v, want that it was cut off", name, len(whole), cut, err)
			}
		}
	}
	// A preview inside a JPEG has an end of its own.
	preview := append(bytes.Clone(j.Bytes()[:2]), append([]byte{0xff, 0xe1, 0x00, 0x08, 0xff, 0xda, 0xff, 0xd9, 0, 0}, j.Bytes()[2:]...)...)
	if _, err := inspect(preview[:len(preview)/2], "", 1<<20); err == nil {
		t.Error("a JPEG that was cut behind its preview is taken")
	}
}
