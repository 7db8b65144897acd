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

func TestLongLinesAndSelectorsAreReadInLinearTime(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("<p p-if='a'>x</p>", 60_000),
		"<style>" + strings.Repeat("#a ", 300_000) + "</style><b id=a p-for='x in l'>x</b>",
		strings.Repeat("{{{}}", 400_000),
	} {
		start := time.Now()
		_, _ = Parse("card", []byte(src), nil)
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("%q… took %v", src[:12], took)
		}
	}
}
