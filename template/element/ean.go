package element

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/ean"
)

// An eanForm is how an article number is set: where its bars, its guards and
// its groups of digits stand, counted in modules from the first bar.
type eanForm struct {
	name        string
	digits      int
	modules     int
	left, right int        // quiet zones
	guards      [3]run     // the long bars: at both ends and in the middle
	groups      []eanGroup // the digits under the bars
}

type eanGroup struct{ from, to, at, width int }

// The first digit of an EAN-13 stands in the quiet zone.
var eanForms = map[string]eanForm{
	"ean13": {"EAN-13", 13, 95, 11, 7, [3]run{{0, 3}, {45, 5}, {92, 3}}, []eanGroup{{0, 1, -10, 7}, {1, 7, 4, 40}, {7, 13, 51, 40}}},
	"ean8":  {"EAN-8", 8, 67, 7, 7, [3]run{{0, 3}, {31, 5}, {64, 3}}, []eanGroup{{0, 4, 4, 26}, {4, 8, 37, 26}}},
}

// The heights of the nominal size, in modules of 0.33 mm.
const (
	eanBars   = 69
	eanGuards = 74
	eanTotal  = 80
	eanFoot   = 78 // of the digits
	eanMargin = 3  // above the bars, which a dark card would touch
)

// articleNumber is code without the spaces and hyphens that people set between
// its digits, once its check digit is right.
func articleNumber(symbology, code string) (string, error) {
	form := eanForms[symbology]
	digits := strings.NewReplacer(" ", "", "-", "").Replace(code)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return "", bad("%s is not an %s: it has the character %q", quote(code), form.name, c)
		}
	}
	if len(digits) != form.digits {
		p := bad("%s is not an %s: it has %d digits, not %d", cut(code), form.name, len(digits), form.digits)
		if len(digits) == form.digits-1 {
			// Completing it would print a wrong number whenever a leading zero was lost.
			p.WithHint("a number without its check digit would end in %d; one that lost its first zero needs it back", checkDigit(digits))
		}
		return "", p
	}
	last := len(digits) - 1
	if want := checkDigit(digits[:last]); int(digits[last]-'0') != want {
		return "", bad("%s is not an %s: its check digit should be %d", cut(code), form.name, want)
	}
	return digits, nil
}

// checkDigit weighs the digits 3, 1, 3, … from the right.
func checkDigit(digits string) int {
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			n *= 3
		}
		sum += n
	}
	return (10 - sum%10) % 10
}

func drawEAN(d barcodeData) string {
	form, known := eanForms[d.Symbology]
	if !known {
		return ""
	}
	if digits, err := articleNumber(d.Symbology, d.Code); err != nil || digits != d.Code {
		return ""
	}
	code, err := ean.Encode(d.Code)
	if err != nil {
		return ""
	}
	left, right, top, height := 0, 0, 0, eanBars
	if d.Quiet {
		left, right, top = form.left, form.right, eanMargin
	} else if d.Text {
		left = max(0, -form.groups[0].at) // room for the digit in front
	}
	if d.Text {
		height = eanTotal
	}
	height += top
	var bars strings.Builder
	for _, r := range runs(code, 0) {
		box(&bars, left+r.from, top, r.length, form.barHeight(r, d.Text))
	}
	width := left + form.modules + right
	return fmt.Sprintf(`<svg class="p-code p-barcode" viewBox="0 0 %d %d" width="100%%" height="100%%" role="img" aria-label="%s">`+
		`<rect class="p-code-paper" width="%d" height="%d" %s/><path class="p-code-ink" d="%s" %s shape-rendering="crispEdges"/>%s</svg>`,
		width, height, d.Code, width, height, codePaper, bars.String(), codeInk, form.text(d, left, top))
}

func (f eanForm) barHeight(r run, text bool) int {
	for _, g := range f.guards {
		if text && r.from >= g.from && r.from < g.from+g.length {
			return eanGuards
		}
	}
	return eanBars
}

// text sets the digits in their groups, each spread over the bars that it
// belongs to.
func (f eanForm) text(d barcodeData, left, top int) string {
	if !d.Text {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<g class="p-barcode-text" aria-hidden="true" font-size="10" text-anchor="middle" %s>`, codeInk)
	for _, g := range f.groups {
		digits := d.Code[g.from:g.to]
		for i, digit := range digits {
			x := float64(left+g.at) + float64(g.width)*(float64(i)+.5)/float64(len(digits))
			fmt.Fprintf(&b, `<text x="%s" y="%d">%c</text>`, num(x), top+eanFoot, digit)
		}
	}
	b.WriteString("</g>")
	return b.String()
}
