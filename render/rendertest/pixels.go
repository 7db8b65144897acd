package rendertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/pictifyd/pictifyd/render"
)

// Decode is the picture in a PNG.
func Decode(tb testing.TB, text []byte) image.Image {
	tb.Helper()
	m, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		tb.Fatalf("decode %d bytes of PNG: %v", len(text), err)
	}
	return m
}

// At is the colour of one pixel, without alpha.
func At(m image.Image, x, y int) color.RGBA {
	r, g, b, _ := m.At(x, y).RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// Difference is how many pixels of two pictures differ, all of them where the
// sizes do.
func Difference(a, b image.Image) (pixels int) {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy()
	}
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if At(a, x, y) != At(b, x, y) {
				pixels++
			}
		}
	}
	return pixels
}

// size decodes an output and is the size of its picture.
func size(format render.Format, text []byte) (width, height int, err error) {
	var m image.Image
	switch format {
	case render.PNG:
		m, err = png.Decode(bytes.NewReader(text))
	case render.JPEG:
		m, err = jpeg.Decode(bytes.NewReader(text))
	case render.WebP:
		return sizeOfWebP(text)
	default:
		err = fmt.Errorf("format %q is unknown here", format)
	}
	if err != nil {
		return 0, 0, err
	}
	return m.Bounds().Dx(), m.Bounds().Dy(), nil
}

// sizeOfWebP reads the header of a WebP file and checks that the file is whole.
func sizeOfWebP(text []byte) (width, height int, err error) {
	if len(text) < 30 || string(text[:4]) != "RIFF" || string(text[8:12]) != "WEBP" {
		return 0, 0, errors.New("not a WebP file")
	}
	if whole := int(binary.LittleEndian.Uint32(text[4:])) + 8; whole != len(text) {
		return 0, 0, fmt.Errorf("a WebP file of %d bytes that says it has %d", len(text), whole)
	}
	chunk := text[20:]
	switch string(text[12:16]) {
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(chunk[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(chunk[8:]) & 0x3fff), nil
	case "VP8L":
		bits := binary.LittleEndian.Uint32(chunk[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, nil
	case "VP8X":
		return int(binary.LittleEndian.Uint32(chunk[4:])&0xffffff) + 1, int(binary.LittleEndian.Uint32(chunk[7:])&0xffffff) + 1, nil
	}
	return 0, 0, fmt.Errorf("a WebP file with an unknown chunk %q", text[12:16])
}
