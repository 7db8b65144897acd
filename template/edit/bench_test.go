package edit

import (
	"os"
	"testing"
)

func BenchmarkApply(b *testing.B) {
	src, err := os.ReadFile("../../examples/quickstart/templates/product-card.html")
	if err != nil {
		b.Fatal(err)
	}
	for name, op := range map[string]Op{
		"set_style": {Op: "set_style", ID: "title", Property: "left", Value: text("1px")},
		"group":     {Op: "group", ID: "both", IDs: []string{"brand", "rule"}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Apply(src, []Op{op}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
