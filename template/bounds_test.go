package template

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestARowCannotMakeTheTemplatesOwnTextEndless(t *testing.T) {
	long := make([]any, 9000)
	for _, src := range []string{
		`{{ for a in l }}{{ for b in l }}<b>text</b>{{ end }}{{ end }}`,
		`{{ for a in l }}{{ for b in l }}{{ end }}{{ end }}`,
		`{{ for a in l }}{{ big }}{{ end }}`,
	} {
		_, err := mustParse(t, src, nil).Resolve(map[string]any{"l": long, "big": strings.Repeat("x", 10_000)}, noon)
		if list := problem.All(err); len(list) != 1 || list[0].Code != problem.TooLarge {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// Sixteen times the text takes some sixteen times the time, not the 256 times of
// its square.
func TestLongLinesAndSelectorsAreReadInLinearTime(t *testing.T) {
	for name, of := range map[string]func(n int) string{
		"elements": func(n int) string { return strings.Repeat("<p p-if='a'>x</p>", n) },
		"selectors": func(n int) string {
			return "<style>" + strings.Repeat("#a ", 5*n) + "</style><b id=a p-for='x in l'>x</b>"
		},
		"braces": func(n int) string { return strings.Repeat("{{{}}", 6*n) },
	} {
		read := func(n int) time.Duration {
			start := time.Now()
			_, _ = Parse("card", []byte(of(n)), nil)
			return time.Since(start)
		}
		little := min(read(3_750), read(3_750)) + time.Millisecond
		if much := read(60_000); much > 100*little {
			t.Errorf("%s: 16 times as many take %v, and a 16th %v", name, much, little)
		}
	}
}
