package png

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"testing"
)

// chunks is the chunks of a PNG by name, the first of each.
func chunks(tb testing.TB, file []byte) map[string][]byte {
	tb.Helper()
	found := map[string][]byte{}
	for rest := file[8:]; len(rest) > 0; {
		size := binary.BigEndian.Uint32(rest)
		if name := string(rest[4:8]); found[name] == nil {
			found[name] = rest[8 : 8+size]
		}
		rest = rest[12+size:]
	}
	return found
}

func countColours(img *image.NRGBA) int {
	seen := map[[4]byte]bool{}
	for i := 0; i < len(img.Pix); i += 4 {
		seen[[4]byte(img.Pix[i:i+4])] = true
	}
	return len(seen)
}

// distance is the mean of the squared differences, channels taken times alpha.
func distance(a, b *image.NRGBA) float64 {
	sum := 0.0
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 4 {
			x, y := float64(a.Pix[i+c]), float64(b.Pix[i+c])
			if c < 3 {
				x, y = x*float64(a.Pix[i+3])/255, y*float64(b.Pix[i+3])/255
			}
			sum += (x - y) * (x - y)
		}
	}
	return sum / float64(len(a.Pix))
}

func TestPaletteHasAtMostSoManyColours(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for name, paint := range painters {
		for _, size := range [][2]int{{1, 1}, {9, 1}, {1, 9}, {33, 21}, {150, 100}} {
			img := paint(size[0], size[1])
			all := countColours(img)
			for _, n := range []uint32{2, 3, 4, 5, 16, 17, 255, 256} {
				for _, format := range []uint32{formatRGBA, formatBGRA} {
					o := options{mode: palette, colours: n, format: format}
					file := m.png(t, img, o)
					got := decode(t, file)
					what := fmt.Sprintf("%s, %v, %v", name, size, o)
					if entries := len(chunks(t, file)["PLTE"]) / 3; entries > int(n) {
						t.Fatalf("%s: %d entries", what, entries)
					}
					if got.Rect != img.Rect {
						t.Fatalf("%s: size %v", what, got.Rect)
					}
					if all <= int(n) {
						samePixels(t, got, img, what)
					}
				}
			}
		}
	}
}

// Means of the squared difference of a channel; about half of them is what the
// encoder comes to.
func TestPaletteIsNearThePicture(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for name, most := range map[string]float64{"gradient": 1, "card": 1.2, "photo": 6, "alpha": 1.2} {
		img := painters[name](300, 160)
		before := 1e9
		for _, n := range []uint32{4, 16, 64, 256} {
			got := distance(decode(t, m.png(t, img, options{mode: palette, colours: n})), img)
			if got > before {
				t.Errorf("%s: %d colours are farther from the picture, %.2f, than fewer, %.2f", name, n, got, before)
			}
			before = got
		}
		if before > most {
			t.Errorf("%s: 256 colours differ by %.2f, more than %.2f", name, before, most)
		}
	}
}

// Near white beside white is what a palette of coarse steps would make one.
func TestFlatColoursStayAsTheyAreInAPalette(t *testing.T) {
	t.Parallel()
	img := photo(400, 300)
	at := func(x, y int) []byte { return img.Pix[4*(y*400+x):][:4] }
	for y := range 300 {
		for x := range 300 {
			v := byte(255)
			if x >= 150 {
				v = 252
			}
			copy(at(x, y), []byte{v, v, v, 255})
		}
	}
	got := decode(t, newMachine(t).png(t, img, options{mode: palette, colours: 64}))
	for _, x := range []int{10, 200} {
		if want, got := at(x, 100), got.Pix[4*(100*400+x):][:4]; !bytes.Equal(want, got) {
			t.Errorf("a flat area of %v came out as %v", want, got)
		}
	}
}

func TestFewColoursBecomeAPalette(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for n, depth := range map[int]byte{1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 16: 4, 17: 8, 256: 8} {
		img := paint(128, 64, func(x, y int) [4]uint8 { return [4]uint8{uint8((x + y) % n), 7, uint8(x % 2 * 0), 255} })
		header := chunks(t, m.png(t, img, options{}))["IHDR"]
		if header[8] != depth || header[9] != 3 {
			t.Errorf("%d colours: depth %d, colour type %d; want %d, 3", n, header[8], header[9], depth)
		}
	}
	for name, wantType := range map[string]byte{"noise": 2, "noise with alpha": 6} {
		if header := chunks(t, m.png(t, painters[name](64, 64), options{}))["IHDR"]; header[9] != wantType {
			t.Errorf("%s: colour type %d, want %d", name, header[9], wantType)
		}
	}
	if header := chunks(t, m.png(t, noise(1, 1), options{}))["IHDR"]; header[9] != 3 && header[9] != 2 {
		t.Errorf("one pixel: colour type %d", header[9])
	}
}

func TestOnlyWhatIsNotOpaqueHasAlpha(t *testing.T) {
	t.Parallel()
	img := few(64, 64)
	for i := 3; i < 4*5*64; i += 4 {
		img.Pix[i] = 100
	}
	found := chunks(t, newMachine(t).png(t, img, options{mode: palette, colours: 256}))
	if n := len(found["tRNS"]); n == 0 || n >= len(found["PLTE"])/3 {
		t.Errorf("%d alphas for %d entries", n, len(found["PLTE"])/3)
	}
	found = chunks(t, newMachine(t).png(t, few(64, 64), options{mode: palette, colours: 256}))
	if found["tRNS"] != nil {
		t.Errorf("%d alphas for an opaque picture", len(found["tRNS"]))
	}
}
