package check

import (
	"image/color"
	"math"
)

// The contrast that WCAG 2.2 asks for at level AA (success criterion 1.4.3).
const (
	NeedNormal = 4.5
	NeedLarge  = 3.0 // for large text: 18 pt (24 px), or 14 pt (18.66 px) and bold
)

const (
	largePx     = 24.0
	largeBoldPx = 18.66
	boldWeight  = 700
)

// Need is the contrast that text of a size, in CSS pixels, has to have.
func Need(fontPx float64, bold bool) float64 {
	// Sizes are told to a hundredth of a pixel.
	if fontPx >= largePx-0.005 || bold && fontPx >= largeBoldPx-0.005 {
		return NeedLarge
	}
	return NeedNormal
}

// Ratio is the contrast ratio of two colours, from 1 to 21: (L1 + 0.05) / (L2 + 0.05)
// with L1 the lighter one's relative luminance (WCAG 2.2, "contrast ratio"). Alpha
// does not count.
func Ratio(a, b color.NRGBA) float64 {
	return ratio(Luminance(a), Luminance(b))
}

func ratio(l1, l2 float64) float64 {
	return (max(l1, l2) + 0.05) / (min(l1, l2) + 0.05)
}

// Luminance is the relative luminance of a colour, from 0 to 1: 0.2126 R + 0.7152 G +
// 0.0722 B of linear sRGB (WCAG 2.2, "relative luminance"). Alpha does not count.
func Luminance(c color.NRGBA) float64 {
	return luminance(linear[c.R], linear[c.G], linear[c.B])
}

func luminance(r, g, b float64) float64 { return 0.2126*r + 0.7152*g + 0.0722*b }

// linear is the light of each of the 256 steps of a channel.
var linear = func() (steps [256]float64) {
	for i := range steps {
		c := float64(i) / 255
		if c <= 0.04045 { // WCAG 2.2 has this corrected number since 2021
			steps[i] = c / 12.92
		} else {
			steps[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return steps
}()
