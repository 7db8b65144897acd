package png

import (
	"image"
	"testing"
)

// mixture paints with what a fuzzer gives: pixels by turns repeated from a few
// places before, and taken from seed, with noise between.
func mixture(width, height int, seed []byte) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	if len(seed) == 0 {
		return img
	}
	state := uint32(2166136261)
	next := func(i int) uint32 {
		state = (state ^ uint32(seed[i%len(seed)])) * 16777619
		return state
	}
	back := 4
	for i, step := 0, 0; i < len(img.Pix); step++ {
		v := next(step)
		run := min(len(img.Pix)-i, 4*int(1+v>>8%97))
		switch v >> 16 % 4 {
		case 0:
			back = []int{4, 4 * width, 32 * width, 8 * 4, 4 * int(1+v>>20%300)}[v>>12%5]
		case 1:
			copy(img.Pix[i:i+4], []byte{byte(v), byte(v >> 3), byte(v >> 7), byte(v >> 9)})
			i += 4
			continue
		case 2:
			for k := range run {
				img.Pix[i+k] = byte(next(step+k) >> 11)
			}
			i += run
			continue
		}
		for k := range run {
			if i+k >= back {
				img.Pix[i+k] = img.Pix[i+k-back]
			}
		}
		i += run
	}
	if seed[0]%2 == 0 {
		for i := 3; i < len(img.Pix); i += 4 {
			img.Pix[i] = 255
		}
	}
	return img
}

func wantCode(o options) int32 {
	switch {
	case o.mode > palette:
		return -2
	case o.format > formatBGRX:
		return -3
	case o.mode == palette && (o.colours < 2 || o.colours > 256):
		return -4
	case o.density > 1<<31-1:
		return -5
	}
	return 0
}

func FuzzEncode(f *testing.F) {
	f.Add(uint32(1), uint32(1), uint32(fast), uint32(formatRGBA), uint32(0), uint32(0), []byte{1})
	f.Add(uint32(200), uint32(150), uint32(fast), uint32(formatBGRX), uint32(0), uint32(5669), []byte("a gradient, perhaps"))
	f.Add(uint32(17), uint32(301), uint32(small), uint32(formatBGRA), uint32(0), uint32(0), []byte("rows \x00\x00\xff\xff"))
	f.Add(uint32(333), uint32(90), uint32(small), uint32(formatRGBX), uint32(0), uint32(0), []byte{2, 0, 0, 9})
	f.Add(uint32(99), uint32(99), uint32(palette), uint32(formatRGBA), uint32(7), uint32(0), []byte("few"))
	f.Add(uint32(3000), uint32(9), uint32(palette), uint32(formatBGRA), uint32(256), uint32(0), []byte("many, many colours"))
	f.Add(uint32(0), uint32(9), uint32(9), uint32(9), uint32(9), uint32(1<<31), []byte{})
	f.Add(uint32(1<<31), uint32(2), uint32(0), uint32(0), uint32(0), uint32(0), []byte{4})
	f.Add(uint32(3), uint32(2), uint32(2), uint32(0), uint32(257), uint32(0), []byte{4})
	m := newMachine(f)
	f.Fuzz(func(t *testing.T, width, height, mode, format, colours, density uint32, seed []byte) {
		if width == 0 || height == 0 || width > MaxEdge || height > MaxEdge || uint64(width)*uint64(height) > MaxPixels {
			if at := call(t, m.reserve, uint64(width), uint64(height)); at != 0 {
				t.Fatalf("reserve %dx%d: %d, want 0", width, height, at)
			}
			return
		}
		if width*height > 1<<17 { // a fuzzer needs speed
			height = 1<<17/width + 1
			width = min(width, 1<<17)
		}
		img := mixture(int(width), int(height), seed)
		o := options{mode, format, colours, density}
		if format >= formatRGBX {
			for i := 3; i < len(img.Pix); i += 4 {
				img.Pix[i] = 255
			}
		}
		file, code := m.try(t, int(width), int(height), arrange(img.Pix, format), o)
		if code != wantCode(o) {
			t.Fatalf("%v: code %d, want %d", o, code, wantCode(o))
		}
		if code != 0 {
			return
		}
		got := decode(t, file)
		if mode == palette {
			if n := countColours(got); n > int(colours) {
				t.Fatalf("%v: %d colours", o, n)
			}
			if got.Rect != img.Rect || countColours(img) > int(colours) {
				return
			}
		}
		samePixels(t, got, img, o.String())
	})
}
