package animation_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/animation"
)

// card is one of the frames of a card as pages have it: a gradient, dithered as
// Chrome does it, a badge with a soft shadow that pulses, a text that fades in, a
// bar that grows, and a white label that stays.
func card(width, height, frame, frames int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	grain := rand.New(rand.NewPCG(7, 7))
	part := float64(frame) / float64(frames)
	w, h := float64(width), float64(height)
	radius := h * (0.24 + 0.02*math.Sin(2*math.Pi*part))
	for y := range height {
		for x := range width {
			fx, fy := float64(x)+.5, float64(y)+.5
			t, noise := (fx+fy)/(w+h), grain.Float64()
			c := [3]float64{30 + 190*t*t + noise, 58 + 20*math.Sin(3*t) + noise, 138 + 80*math.Sin(2.5*t) + noise}
			blend := func(r, g, b, a float64) {
				a = max(0, min(1, a))
				c = [3]float64{c[0] + a*(r-c[0]), c[1] + a*(g-c[1]), c[2] + a*(b-c[2])}
			}
			far := math.Hypot(fx-.8*w, fy-.5*h)
			blend(0, 0, 0, .4*(1-(math.Hypot(fx-.8*w, fy-.54*h)-radius)/(.1*h)))
			blend(253, 224, 71, radius-far+.5)
			if stroke := math.Mod(fx+fy/3, 7); fx < .55*w && fx > .05*w && math.Mod(fy, 24) < 14 && fy > .4*h && fy < .7*h {
				blend(255, 255, 255, part*(1.6-math.Abs(stroke-3)))
			}
			if fy > .88*h && fy < .92*h && fx > .05*w && fx < .05*w+.9*w*part {
				blend(52, 211, 153, 1)
			}
			if fx > .05*w && fx < .3*w && fy > .08*h && fy < .2*h {
				blend(255, 255, 255, 1)
			}
			m.SetNRGBA(x, y, color.NRGBA{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255})
		}
	}
	return m
}

func cards(width, height, frames int) (all []*image.NRGBA) {
	for i := range frames {
		all = append(all, card(width, height, i, frames))
	}
	return all
}

func encoded(tb testing.TB, frames []*image.NRGBA, opts animation.Options) []byte {
	tb.Helper()
	size := frames[0].Rect.Size()
	g := mustGIF(tb, size.X, size.Y, opts)
	for _, m := range frames {
		if err := g.Add(m, 50*time.Millisecond); err != nil {
			tb.Fatal(err)
		}
	}
	return mustEncode(tb, g)
}

func TestGIFOfManyColoursIsCloseAndSmall(t *testing.T) {
	frames := cards(200, 100, 8)
	file := encoded(t, frames, animation.Options{})
	shots := play(t, file)
	for i, m := range frames {
		got := at(t, shots, 5*i)
		if db := likeness(got.NRGBA, m); db < 36 {
			t.Errorf("frame %d is %.1f dB from its picture, want 36", i, db)
		}
		if label := got.NRGBAAt(30, 14); label != white {
			t.Errorf("frame %d: plain white became %v", i, label)
		}
	}
	if again := encoded(t, frames, animation.Options{}); !bytes.Equal(again, file) {
		t.Error("the same frames give another file")
	}
	// What does not move is not drawn again, whatever the table makes of it.
	all, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all.Image[1:] {
		if m.Rect.Min.Y < 13 {
			t.Errorf("frame %d draws %v, with the label that stays", i+1, m.Rect)
		}
	}
}

// coarse is m seen from afar: the mean of each 4x4 pixels.
func coarse(m *image.NRGBA) *image.NRGBA {
	far := image.NewNRGBA(image.Rect(0, 0, m.Rect.Dx()/4, m.Rect.Dy()/4))
	for i := range far.Pix {
		x, y, sum := i/4%far.Rect.Dx(), i/4/far.Rect.Dx(), 0
		for j := range 16 {
			sum += int(m.Pix[m.PixOffset(4*x+j%4, 4*y+j/4)+i%4])
		}
		far.Pix[i] = uint8(sum / 16)
	}
	return far
}

func TestDitherMakesGradientsEvenAndLeavesTheRest(t *testing.T) {
	// So many colours that those of the table are far apart.
	m := image.NewNRGBA(image.Rect(0, 0, 160, 160))
	for i := range 160 * 160 {
		x, y := i%160, i/160
		m.SetNRGBA(x, y, color.NRGBA{uint8(x * 3 / 2), uint8(y * 3 / 2), uint8(255 - x/2 - y/2), 255})
	}
	m = with(m, image.Rect(0, 0, 40, 40), white)
	frames := []*image.NRGBA{m, m, with(m, image.Rect(100, 100, 120, 110), red), m}
	banded := play(t, encoded(t, frames, animation.Options{}))
	shots := play(t, encoded(t, frames, animation.Options{Dither: true}))
	if len(shots) != 3 || !same(shots[0], shots[2]) {
		t.Errorf("%d shots: what stays does not stay", len(shots))
	}
	if got := shots[0].SubImage(image.Rect(0, 0, 40, 40)); !same(got, plain(40, 40, white)) {
		t.Error("plain white got a pattern")
	}
	near, far := likeness(coarse(banded[0].NRGBA), coarse(m)), likeness(coarse(shots[0].NRGBA), coarse(m))
	if far < near+2 {
		t.Errorf("from afar it is %.1f dB from the picture, and %.1f dB without dithering", far, near)
	}
}

func TestGIFKeepsOnlyWhatDiffers(t *testing.T) {
	// 60 frames, 10 MB in all, of which a bar moves and a corner blinks.
	base := card(300, 150, 0, 30)
	g := mustGIF(t, 300, 150, animation.Options{Memory: 200 << 10})
	for i := range 60 {
		m := with(base, image.Rect(4*i, 110, 4*i+20, 120), red)
		m.SetNRGBA(0, 0, []color.NRGBA{red, blue}[i%2])
		if err := g.Add(m, 40*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if got := play(t, mustEncode(t, g)); len(got) != 60 {
		t.Errorf("%d frames", len(got))
	}
}

// noise is a picture of so many bits a channel.
func noise(width, height int, seed uint64) *image.NRGBA {
	r, m := rand.New(rand.NewPCG(seed, 0)), image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

func TestGIFOfMoreColoursThanItCanNumber(t *testing.T) {
	// Each has 90,000 colours; the first comes back as exactly what it was.
	base := noise(300, 300, 1)
	frames := []*image.NRGBA{base, with(base, image.Rect(0, 0, 50, 50), white), noise(300, 300, 2), base, base}
	shots := play(t, encoded(t, frames, animation.Options{}))
	if len(shots) != 4 || shots[3].ticks != 10 || !same(shots[0], shots[3]) {
		t.Errorf("%d shots: one picture became two", len(shots))
	}
	if got := shots[1].NRGBAAt(25, 25); got != white {
		t.Errorf("plain white became %v", got)
	}
	// 255 colours for all that there are leave 6 steps in each direction.
	for i, m := range frames[:4] {
		if db := likeness(shots[i].NRGBA, m); db < 21 {
			t.Errorf("frame %d is %.1f dB from its picture, want 21", i, db)
		}
	}
}

func TestGIFOfTooManyColoursThatDifferInHigherBits(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	for i := range 300 * 300 {
		m.SetNRGBA(i%300, i/300, color.NRGBA{uint8(i&127) << 1, uint8(i>>7&127) << 1, uint8(i>>14) << 1, 255})
	}
	got := play(t, encoded(t, []*image.NRGBA{m, with(m, image.Rect(0, 0, 9, 9), white)}, animation.Options{}))[0]
	if db := likeness(got.NRGBA, m); db < 32 || !got.Opaque() {
		t.Errorf("it is %.1f dB from its picture, want 32; opaque: %t", db, got.Opaque())
	}
}

// BenchmarkCardGIF is 30 frames of 600x300, beside what the standard library
// does: its own palette, dithered, every frame whole.
func BenchmarkCardGIF(b *testing.B) {
	frames := cards(600, 300, 30)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		size := 0
		for b.Loop() {
			size = len(encoded(b, frames, animation.Options{}))
		}
		b.ReportMetric(float64(size)/1024, "KB")
	})
	b.Run("image-gif", func(b *testing.B) {
		b.ReportAllocs()
		size := 0
		for b.Loop() {
			var all gif.GIF
			for _, m := range frames {
				p := image.NewPaletted(m.Rect, palette.Plan9)
				draw.FloydSteinberg.Draw(p, p.Rect, m, image.Point{})
				all.Image, all.Delay = append(all.Image, p), append(all.Delay, 5)
			}
			var out bytes.Buffer
			if err := gif.EncodeAll(&out, &all); err != nil {
				b.Fatal(err)
			}
			size = out.Len()
		}
		b.ReportMetric(float64(size)/1024, "KB")
	})
}

// BenchmarkCardWebP is 30 stills of 64x32 put together.
func BenchmarkCardWebP(b *testing.B) {
	stills := [][]byte{mustRead(b, "lossy-1.webp"), mustRead(b, "lossy-2.webp"), mustRead(b, "lossy-3.webp")}
	b.ReportAllocs()
	for b.Loop() {
		w := mustWebP(b, animation.Options{})
		for i := range 30 {
			if err := w.Add(stills[i%3], 50*time.Millisecond); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Encode(context.Background(), new(bytes.Buffer)); err != nil {
			b.Fatal(err)
		}
	}
}
