package bindings

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Margin is the white around a printed page in CSS pixels: top, right,
// bottom, left. In text it is one to four lengths as in CSS: "10mm",
// "1in 2cm", "10mm 15mm 20mm 15mm".
type Margin [4]float64

// pixelsOf are the units of lengths, at 96 pixels to the inch.
var pixelsOf = map[string]float64{"px": 1, "pt": 96.0 / 72, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}

var lengthForm = regexp.MustCompile(`^([0-9]{1,5}(?:\.[0-9]{1,6})?)([a-z]*)$`)

// sidesOf says for one to four lengths which one each side takes.
var sidesOf = [5][4]int{{}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, 1, 2, 1}, {0, 1, 2, 3}}

// maxMargin is two feet: more is a mistake in the unit.
const maxMargin = 24 * 96

// ParseMargin reads a margin.
func ParseMargin(text string) (Margin, error) {
	lengths := strings.Fields(text)
	if len(lengths) < 1 || len(lengths) > 4 {
		return Margin{}, fmt.Errorf(`wants one to four lengths, as in "10mm" or "1in 2cm"`)
	}
	pixels := make([]float64, len(lengths))
	for i, length := range lengths {
		m := lengthForm.FindStringSubmatch(length)
		if m == nil {
			return Margin{}, fmt.Errorf(`wants lengths, as in "10mm" or "1in 2cm"`)
		}
		number, err := strconv.ParseFloat(m[1], 64)
		unit, known := pixelsOf[m[2]]
		switch {
		case err != nil:
			return Margin{}, fmt.Errorf(`wants lengths, as in "10mm" or "1in 2cm"`)
		case !known && number != 0:
			return Margin{}, fmt.Errorf(`wants lengths with one of the units mm, cm, in, pt, px, as in "10mm"`)
		}
		if pixels[i] = number * unit; pixels[i] > maxMargin {
			return Margin{}, fmt.Errorf("is wider than %d pixels", maxMargin)
		}
	}
	var m Margin
	for side, i := range sidesOf[len(lengths)] {
		m[side] = pixels[i]
	}
	return m, nil
}

// String is m in pixels, so that ParseMargin reads it as m to a millionth.
func (m Margin) String() string {
	sides := make([]string, len(m))
	for i, px := range m {
		sides[i] = strings.TrimRight(strings.TrimRight(strconv.FormatFloat(px, 'f', 6, 64), "0"), ".") + "px"
	}
	if m == (Margin{m[0], m[0], m[0], m[0]}) {
		return sides[0]
	}
	return strings.Join(sides, " ")
}

// MarshalText is String.
func (m Margin) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseMargin.
func (m *Margin) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMargin(string(text))
	return err
}
