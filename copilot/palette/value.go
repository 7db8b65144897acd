package palette

import (
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// What a part of a CSS value is, as far as colours go.
type partKind int

const (
	literalPart partKind = iota // a colour as such
	tokenPart                   // var(--name)
	mixedPart                   // a function of other colours: color-mix(…), oklch(from …)
	rowPart                     // {{ }}, which rows decide
)

// A part is a colour in a CSS value.
type part struct {
	kind     partKind
	from, to int    // in the value
	text     string // as it stands there
	color    rgb    // of a literal
	token    string // of a var
}

var colorFunctions = strings.Fields("rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark device-cmyk")

// partsOf are the colours in a value, in their order. Of a function of colours
// it is the function and, where deep, what it is made of instead.
func partsOf(value string, deep bool) []part {
	marks, _ := markup.Marks([]byte(value))
	var parts []part
	for i := 0; i < len(value); {
		if len(marks) > 0 && i == marks[0].Start {
			parts = append(parts, part{kind: rowPart, from: i, to: marks[0].End, text: value[i:marks[0].End]})
			i, marks = marks[0].End, marks[1:]
			continue
		}
		from := i
		switch c := value[i]; {
		case c == '"' || c == '\'':
			i = behindQuote(value, i)
		case strings.HasPrefix(value[i:], "/*"):
			i = behind(value, i+2, "*/")
		case c == '#':
			for i++; i < len(value) && isWord(value[i]); i++ {
			}
			if c, ok := parseColor(value[from:i]); ok {
				parts = append(parts, part{from: from, to: i, text: value[from:i], color: c})
			}
		case isWord(c):
			for ; i < len(value) && isWord(value[i]); i++ {
			}
			word := strings.ToLower(value[from:i])
			if i >= len(value) || value[i] != '(' {
				if c, ok := parseColor(word); ok {
					parts = append(parts, part{from: from, to: i, text: value[from:i], color: c})
				}
				break
			}
			end := behindParenthesis(value, i)
			p, whole := functionPart(word, value[from:end])
			p.from, p.to, p.text = from, end, value[from:end]
			switch {
			case word == "url" || word == "src":
			case whole && (p.kind != mixedPart || !deep):
				parts = append(parts, p)
			default: // what is in it counts
				i++
				continue
			}
			i = end
			for len(marks) > 0 && marks[0].Start < i {
				marks = marks[1:]
			}
		default:
			i++
		}
	}
	return parts
}

// functionPart is what a function is, and whether it is a colour as a whole.
func functionPart(name, text string) (part, bool) {
	if name == "var" {
		inner := strings.TrimSuffix(text[len("var("):], ")")
		token, _, _ := strings.Cut(inner, ",")
		return part{kind: tokenPart, token: strings.TrimPrefix(strings.TrimSpace(token), "--")}, true
	}
	if !slices.Contains(colorFunctions, name) {
		return part{}, false
	}
	if c, ok := parseColor(text); ok {
		return part{color: c}, true
	}
	return part{kind: mixedPart}, true
}

// replaced is value with other texts in the place of parts.
func replaced(value string, parts []part, text func(part) string) string {
	var b strings.Builder
	from := 0
	for _, p := range parts {
		b.WriteString(value[from:p.from])
		b.WriteString(text(p))
		from = p.to
	}
	return b.String() + value[from:]
}

func isWord(c byte) bool {
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func behind(s string, from int, end string) int {
	if i := strings.Index(s[min(from, len(s)):], end); i >= 0 {
		return from + i + len(end)
	}
	return len(s)
}

func behindQuote(s string, i int) int {
	for j := i + 1; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case s[i]:
			return j + 1
		}
	}
	return len(s)
}

func behindParenthesis(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '"', '\'':
			i = behindQuote(s, i) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}
