package template

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
)

// appendEscaped is escape behind out, without a copy where nothing needs one.
func appendEscaped(out []byte, p place, v string) []byte {
	if p == inHTML && !strings.ContainsAny(v, "&<>\"'\x00") && utf8.ValidString(v) {
		return append(out, v...)
	}
	return append(out, escape(p, v)...)
}

// escape writes v for the place p. What it returns has no character that means
// something in HTML, so that it may stand in text and in quoted attributes alike.
func escape(p place, v string) string {
	switch p {
	case inCSS:
		return cssValue(v)
	case inCSSString:
		return cssEscape(v, cssStringSafe)
	}
	return escapeHTML(v)
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\x00", "\uFFFD")

func escapeHTML(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return htmlEscapes.Replace(s)
}

var bareEntity = regexp.MustCompile(`&[A-Za-z][A-Za-z0-9]*[;=]?`)

// unescapeAttr decodes the entities of an attribute as browsers do: without a
// semicolon none that goes on as a word, so that ?a=1&region=eu stays as it is.
func unescapeAttr(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return html.UnescapeString(bareEntity.ReplaceAllStringFunc(s, func(m string) string {
		last := m[len(m)-1]
		if last != ';' && (last == '=' || strings.HasSuffix(html.UnescapeString(m), string(last))) {
			return "&amp;" + m[1:]
		}
		return m
	}))
}

// The characters that need no escape. A slash could open a comment together
// with what follows it.
func cssStringSafe(r rune) bool {
	return r >= 0x80 && r != utf8.RuneError || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' ||
		strings.ContainsRune(" -_.,", r)
}

func cssValueSafe(r rune) bool { return cssStringSafe(r) || r == '#' || r == '%' }

func cssEscape(s string, safe func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case safe(r):
			b.WriteRune(r)
		case r == 0 || r == utf8.RuneError:
			b.WriteRune('\uFFFD')
		default:
			b.WriteString(`\` + strconv.FormatInt(int64(r), 16) + " ")
		}
	}
	return b.String()
}

// cssFunctions are those that a value may call: they compute colours, lengths
// and transformations, and load nothing.
var cssFunctions = regexp.MustCompile(`^(?i:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|var|calc|min|max|clamp|` +
	`(?:repeating-)?(?:linear|radial|conic)-gradient|translate[xy]?|scale[xy]?|rotate|skew[xy]?|` +
	`blur|brightness|contrast|drop-shadow|grayscale|hue-rotate|invert|opacity|saturate|sepia|cubic-bezier|steps)$`)

var cssName = regexp.MustCompile(`[A-Za-z-]+$`)

// cssValue writes v as the value of a declaration, or a part of it. Calls of the
// harmless functions stay; everything else that is not a plain word or number
// is escaped.
func cssValue(v string) string {
	if strings.ContainsRune(v, '(') && isCSSCall(v) {
		return v
	}
	return cssEscape(v, cssValueSafe)
}

func isCSSCall(v string) bool {
	depth := 0
	for i, r := range v {
		switch {
		case r == '(':
			depth++
			if name := cssName.FindString(v[:i]); depth > 8 || name != "" && !cssFunctions.MatchString(name) || name == "" && depth == 1 {
				return false
			}
		case r == ')':
			if depth--; depth < 0 {
				return false
			}
		case depth > 0 && (r == '/' || r == '*' || r == '+'):
			if strings.Contains(v, "/*") {
				return false
			}
		case !cssValueSafe(r):
			return false
		}
	}
	return depth == 0
}

// quote shows a value in a message, cut so that a long one stays readable.
func quote(v any) string {
	s := expr.Text(v)
	if runes := []rune(s); len(runes) > 40 {
		s = string(runes[:40]) + "…"
	}
	return strconv.Quote(s)
}
