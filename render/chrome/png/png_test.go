package png

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

func TestEveryPictureComesOutAsItWas(t *testing.T) {
	t.Parallel()
	sizes := [][2]int{{1, 1}, {1, 2}, {2, 1}, {3, 3}, {7, 5}, {15, 9}, {16, 16}, {17, 31}, {1, 2000}, {2000, 1}, {64, 64}, {120, 90}}
	if !campaign.Leaves(t) {
		sizes = append(sizes, [2]int{300, 200}, [2]int{1200, 630})
	}
	m := newMachine(t)
	for name, paint := range painters {
		for _, size := range sizes {
			img := paint(size[0], size[1])
			for _, mode := range []uint32{fast, small} {
				for format := uint32(formatRGBA); format <= formatBGRX; format++ {
					if format >= formatRGBX && !img.Opaque() {
						continue
					}
					o := options{mode: mode, format: format}
					file := m.png(t, img, o)
					samePixels(t, decode(t, file), img, fmt.Sprintf("%s, %v, %v", name, size, o))
				}
			}
		}
	}
}

func TestSamePictureGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	used := newMachine(t)
	for name, paint := range painters {
		img := paint(150, 100)
		for _, mode := range []uint32{fast, small, palette} {
			o := options{mode: mode, colours: 64}
			first := newMachine(t).png(t, img, o)
			if again := used.png(t, img, o); !bytes.Equal(first, again) {
				t.Errorf("%s, %v: other bytes by an encoder that was used before", name, o)
			}
			used.png(t, noise(250, 200), options{})
			used.png(t, noise(5, 4), options{})
			if again := used.png(t, img, o); !bytes.Equal(first, again) {
				t.Errorf("%s, %v: other bytes after a larger and a smaller picture", name, o)
			}
		}
	}
}

func TestSmallIsSmaller(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	// The least that small takes off, in percent.
	for name, least := range map[string]int{"gradient": 5, "card": 15, "photo": 10, "alpha": 10, "noise": 0, "flat": 0} {
		img := painters[name](1200, 630)
		large, less := len(m.png(t, img, options{})), len(m.png(t, img, options{mode: small}))
		if less*100 > large*(100-least) {
			t.Errorf("%s: fast %d bytes, small %d, want %d %% less", name, large, less, least)
		}
	}
}

// What the distances that dither repeats at are worth: without them gradients
// come to about five times as much.
func TestDitheredGradientsAreSmall(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, c := range []struct{ width, height, most int }{{1200, 630, 32 << 10}, {630, 1200, 40 << 10}} {
		if n := len(m.png(t, gradient(c.width, c.height), options{})); n > c.most {
			t.Errorf("%dx%d: %d bytes, want at most %d", c.width, c.height, n, c.most)
		}
	}
}
