package element

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const referenceFile = "../../docs/elements.md"

// reference is what docs/elements.md says, written from the kinds themselves.
func reference() string {
	var b strings.Builder
	b.WriteString("# Elements\n\nWhat HTML lacks, drawn from a row's value as plain SVG or HTML: a directive on an ordinary element, whose own content is a sample\n" +
		"that the drawing replaces. Options are further `p-` attributes beside it; they may hold `{{ }}` where the table does not say *fixed*.\n" +
		"A value that cannot be drawn fails its row and says why. `go test ./template/element -update` writes this page.\n")
	for _, k := range Kinds() {
		host := "an element with a box"
		if k.Host != "" {
			host = "a `<" + k.Host + ">`"
		}
		fmt.Fprintf(&b, "\n## p-%s\n\n%s, on %s.\n", k.Name, k.Summary, host)
		if len(k.Options) > 0 {
			b.WriteString("\n| option | | values | default |\n|---|---|---|---|\n")
		}
		for _, o := range k.Options {
			fixed := ""
			if o.Static {
				fixed = " (fixed)"
			}
			fmt.Fprintf(&b, "| `p-%s` | %s%s | %s | %s |\n", o.Name, escaped(o.Summary), fixed, codes(o.Values), codes([]string{o.Default}))
		}
	}
	return b.String()
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func codes(words []string) string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, "`"+escaped(w)+"`")
		}
	}
	return strings.Join(out, ", ")
}

func TestReferenceIsUpToDate(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(referenceFile); err != nil || string(got) != want {
		t.Errorf("docs/elements.md is not what the kinds say (go test ./template/element -update writes it): %v", err)
	}
}
