package template_test

import "unicode/utf16"

// utf16Of cuts spans out of a text as a browser would.
func utf16Of(text string) func(span [2]int) string {
	units := utf16.Encode([]rune(text))
	return func(span [2]int) string { return string(utf16.Decode(units[span[0]:span[1]])) }
}
