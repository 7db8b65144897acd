package markup

import (
	"bytes"
	"strings"
)

// A Rule is one rule of a style sheet, its offsets counted in the sheet. An
// at-rule is a rule whose selector begins with @.
type Rule struct {
	Selector   string
	Start, End int // from the selector up to behind the brace
	BodyStart  int // the text between the braces
	BodyEnd    int
	Plain      bool // the body has declarations only
}

// Rules reads a style sheet. It is false for one whose braces do not pair up,
// or which has anything but rules.
func Rules(css string) (rules []Rule, ok bool) {
	masked := MaskCSS(css)
	for i := 0; i < len(masked); {
		if isSpace(masked[i]) {
			i++
			continue
		}
		open := strings.IndexByte(masked[i:], '{')
		if open < 0 || strings.IndexByte(masked[i:i+open], ';') >= 0 || strings.IndexByte(masked[i:i+open], '}') >= 0 {
			return rules, false
		}
		r := Rule{Start: i, BodyStart: i + open + 1, Plain: true}
		r.Selector = strings.TrimSpace(css[i : i+open])
		depth := 1
		for j := r.BodyStart; j < len(masked) && depth > 0; j++ {
			switch masked[j] {
			case '{':
				depth, r.Plain = depth+1, false
			case '}':
				depth--
			}
			r.BodyEnd = j
		}
		if depth > 0 {
			return rules, false
		}
		r.End = r.BodyEnd + 1
		i = r.End
		rules = append(rules, r)
	}
	return rules, true
}

// MaskCSS is css with letters in the place of expressions, of text in quotes
// and of what stands in parentheses, and white space in the place of comments.
// Every place stays where it was.
func MaskCSS(css string) string {
	_, masked := Marks([]byte(css))
	depth := 0
	for i := 0; i < len(masked); i++ {
		switch c := masked[i]; {
		case c == '\\' && i+1 < len(masked):
			masked[i], masked[i+1] = 'x', 'x'
			i++
		case c == '"' || c == '\'':
			i = fill(masked, i, quoteEnd(masked, i, c), 'x')
		case c == '/' && bytes.HasPrefix(masked[i:], []byte("/*")):
			i = fill(masked, i, past(masked, i+2, "*/"), ' ')
		case c == '(' || c == '[':
			depth++
			masked[i] = 'x'
		case c == ')' || c == ']':
			depth = max(depth-1, 0)
			masked[i] = 'x'
		case depth > 0:
			masked[i] = 'x'
		}
	}
	return string(masked)
}

// fill overwrites masked[from:to] and returns the last place written.
func fill(masked []byte, from, to int, c byte) int {
	for i := from; i < to; i++ {
		masked[i] = c
	}
	return to - 1
}

func quoteEnd(masked []byte, i int, quote byte) int {
	for j := i + 1; j < len(masked); j++ {
		switch masked[j] {
		case '\\':
			j++
		case '\n':
			return j
		case quote:
			return j + 1
		}
	}
	return len(masked)
}

// SplitCSS splits text at a separator that stands outside quotes, parentheses,
// comments and expressions.
func SplitCSS(text string, sep byte) []string {
	masked := MaskCSS(text)
	var parts []string
	from := 0
	for i := range len(masked) {
		if masked[i] == sep {
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

// OneValue reports whether text can be the value of one declaration: it ends
// no declaration, block, attribute or element, and loads nothing of its own.
func OneValue(text string) bool {
	masked := MaskCSS(text)
	if strings.TrimSpace(text) == "" || strings.ContainsAny(masked, ";{}<\\") {
		return false
	}
	return !strings.Contains(text, "/*") && !strings.Contains(text, "*/") && balanced(text)
}

var closes = map[byte]byte{'(': ')', '[': ']'}

// balanced reports whether quotes and parentheses of a value pair up.
func balanced(text string) bool {
	_, masked := Marks([]byte(text))
	if bytes.IndexByte(masked, '<') >= 0 {
		return false
	}
	var open []byte
	for i := 0; i < len(masked); i++ {
		switch c := masked[i]; c {
		case '"', '\'':
			end := quoteEnd(masked, i, c)
			if masked[end-1] != c || end-1 == i {
				return false
			}
			i = end - 1
		case '(', '[':
			open = append(open, closes[c])
		case ')', ']':
			if len(open) == 0 || open[len(open)-1] != c {
				return false
			}
			open = open[:len(open)-1]
		case '\\':
			return false
		}
	}
	return len(open) == 0
}
