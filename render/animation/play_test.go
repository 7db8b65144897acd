package animation_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math"
	"testing"
)

// A shot is what a player shows for a while.
type shot struct {
	*image.NRGBA
	ticks int
}

// play is what a player shows that has only the file, in the standard library's
// reading of it.
func play(tb testing.TB, file []byte) []shot {
	tb.Helper()
	all, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		tb.Fatalf("decode %d bytes of GIF: %v", len(file), err)
	}
	screen := image.NewNRGBA(image.Rect(0, 0, all.Config.Width, all.Config.Height))
	var shots []shot
	for i, frame := range all.Image {
		draw.Draw(screen, frame.Rect, frame, frame.Rect.Min, draw.Over)
		copied := *screen
		copied.Pix = bytes.Clone(screen.Pix)
		shots = append(shots, shot{&copied, all.Delay[i]})
		switch all.Disposal[i] {
		case gif.DisposalBackground:
			draw.Draw(screen, frame.Rect, image.Transparent, image.Point{}, draw.Src)
		case gif.DisposalPrevious:
			tb.Fatalf("frame %d is disposed of in a way that players disagree about", i)
		}
	}
	return shots
}

// at is the shot that is seen at a tick.
func at(tb testing.TB, shots []shot, tick int) shot {
	tb.Helper()
	for _, s := range shots {
		if tick -= s.ticks; tick < 0 {
			return s
		}
	}
	tb.Fatalf("nothing is shown any more after %d shots", len(shots))
	return shot{}
}

// length is how long all shots last.
func length(shots []shot) (ticks int) {
	for _, s := range shots {
		ticks += s.ticks
	}
	return ticks
}

func same(a, b image.Image) bool {
	if a.Bounds().Size() != b.Bounds().Size() {
		return false
	}
	p, q := a.Bounds().Min, b.Bounds().Min
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if color.NRGBAModel.Convert(a.At(p.X+x, p.Y+y)) != color.NRGBAModel.Convert(b.At(q.X+x, q.Y+y)) {
				return false
			}
		}
	}
	return true
}

// likeness is the peak signal-to-noise ratio of opaque pictures in decibels.
func likeness(a, b *image.NRGBA) float64 {
	sum := 0.0
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += d * d
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255/(sum/float64(len(a.Pix)/4*3)))
}
