package element

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A U+0000 would end the text for some readers, and is no character of HTML.
var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "`", "&#96;", "\x00", "\uFFFD")

// escape makes s a text that stays text, in content and in quoted attributes.
func escape(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return escapes.Replace(s)
}

// num is a coordinate: at most two decimals, since more are no visible
// difference and less is a smaller page.
func num(f float64) string {
	f = math.Round(f*100) / 100
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func percent(f float64) string { return num(f*100) + "%" }
