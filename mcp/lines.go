package mcp

import (
	"bufio"
	"io"
	"unicode/utf8"
)

// newLines reads lines of up to the size of an answer.
func newLines(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxAnswer)
	return lines
}

// clip is text of at most so many bytes, with a mark where it goes on.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// clipAll clips the texts of a map.
func clipAll(texts map[string]string, most int) {
	for name, text := range texts {
		texts[name] = clip(text, most)
	}
}

// clipValue clips the texts in what a row has.
func clipValue(value any, most int) any {
	switch v := value.(type) {
	case string:
		return clip(v, most)
	case []any:
		for i := range v {
			v[i] = clipValue(v[i], most)
		}
	case map[string]any:
		for name := range v {
			v[name] = clipValue(v[name], most)
		}
	}
	return value
}
