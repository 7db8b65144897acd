package markup

import (
	"math"
	"strconv"
)

// maskLengths is a CSS value with letters in the place of expressions and of
// text in quotes.
func maskLengths(value string) string {
	_, masked := Marks([]byte(value))
	for i := 0; i < len(masked); i++ {
		if c := masked[i]; c == '"' || c == '\'' {
			i = fill(masked, i, quoteEnd(masked, i, c), 'x')
		}
	}
	return string(masked)
}

// rounded is a decimal number rounded to a hundredth.
func rounded(number string) string {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(f) > 1e12 {
		return number
	}
	f = math.Round(f*100) / 100
	if f == 0 {
		f = 0 // no -0
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
