package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// renameIn renames ids in the selectors of a style sheet.
func renameIn(css string, names map[string]string) string {
	return mapSelectors(css, func(selectors string) string { return renameSelector(selectors, names) })
}

// addSelectors puts, behind each selector that names one of the ids, the same
// selector with the new name.
func addSelectors(css string, names map[string]string) string {
	return mapSelectors(css, func(selectors string) string {
		var out []string
		for _, s := range markup.SplitCSS(selectors, ',') {
			out = append(out, s)
			if renamed := renameSelector(s, names); renamed != s {
				trimmed := strings.TrimRight(s, " \t\r\n")
				out[len(out)-1] = trimmed
				out = append(out, " "+strings.TrimLeft(renameSelector(s, names), " \t\r\n"))
			}
		}
		return strings.Join(out, ",")
	})
}

// mapSelectors maps what stands before each { of a style sheet.
func mapSelectors(css string, change func(string) string) string {
	masked := markup.MaskCSS(css)
	var b strings.Builder
	from, start := 0, 0
	for i := range len(masked) {
		switch masked[i] {
		case '{':
			b.WriteString(css[from:start])
			if prelude := css[start:i]; strings.HasPrefix(strings.TrimSpace(masked[start:i]), "@") {
				b.WriteString(prelude)
			} else {
				b.WriteString(change(prelude))
			}
			from, start = i, i+1
		case '}', ';':
			start = i + 1
		}
	}
	b.WriteString(css[from:])
	return b.String()
}

// renameSelector renames the ids in a selector.
func renameSelector(s string, names map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '#')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := i + 1
		for end < len(s) && (s[end] == '-' || s[end] == '_' || s[end] >= 0x80 || isAlnum(s[end])) {
			end++
		}
		name := s[i+1 : end]
		if to, ok := names[name]; ok {
			name = to
		}
		b.WriteString(s[:i+1] + name)
		s = s[end:]
	}
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
