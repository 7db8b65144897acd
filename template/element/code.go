package element

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode"
)

// The colours of codes are not those of the text: scanners want dark on light,
// and a card may be dark. Both can be set.
const (
	codeInk   = `fill="var(--code-ink, #000)"`
	codePaper = `fill="var(--code-paper, #fff)"`
)

// A run is a stretch of dark modules in one line of a code.
type run struct{ from, length int }

// runs are the dark stretches of line y.
func runs(code barcode.Barcode, y int) []run {
	var out []run
	width := code.Bounds().Dx()
	for x := 0; x < width; x++ {
		start := x
		for x < width && dark(code, x, y) {
			x++
		}
		if x > start {
			out = append(out, run{start, x - start})
		}
	}
	return out
}

func dark(code barcode.Barcode, x, y int) bool {
	return color.Gray16Model.Convert(code.At(x, y)).(color.Gray16).Y < 0x8000
}

// box adds a rectangle to a path.
func box(b *strings.Builder, x, y, width, height int) {
	fmt.Fprintf(b, "M%d %dh%dv%dh%dz", x, y, width, height, -width)
}
