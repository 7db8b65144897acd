package api

import (
	"fmt"
	"strings"
	"testing"
)

// layers is a template of so many layers, as designers make them.
func layers(n int) string {
	var b strings.Builder
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, "  <h2 id=\"t%d\" p-role=\"headline\" p-fit=\"shrink\" p-min=\"12\" style=\"left: %dpx; top: %dpx; width: 200px; height: 40px; font: 700 24px/1.1 Inter; color: var(--ink)\">{{ title }} %d</h2>\n", i, i*3, i*2, i)
		case 1:
			fmt.Fprintf(&b, "  <div id=\"t%d\" p-style-background=\"price > %d ? 'red' : 'blue'\" style=\"left: %dpx; top: 10px; width: 20px; height: 20px; border-radius: 4px\"></div>\n", i, i, i)
		case 2:
			fmt.Fprintf(&b, "  <p id=\"t%d\" p-if=\"price > 1\" style=\"left: %dpx; top: 30px\">{{ price | currency }}</p>\n", i, i)
		default:
			fmt.Fprintf(&b, "  <div id=\"t%d\" class=\"p-group\" style=\"left: %dpx; top: 50px\"><i id=\"in%d\">x</i></div>\n", i, i, i)
		}
	}
	return strings.Replace(poster, "</section>", b.String()+"</section>", 1)
}

// BenchmarkEditWithAView is the answer to the end of a gesture: one operation, the
// view with a row, in a template of 200 layers.
func BenchmarkEditWithAView(b *testing.B) {
	s := newAtelier(b, open(), layers(200))
	i := 0
	for b.Loop() {
		i++
		v := s.patch(fmt.Sprintf(`[{"op":"set_box","id":"t8","box":{"left":%d}}]`, i))
		if len(v.View.Nodes) != 1 {
			b.Fatalf("%d elements", len(v.View.Nodes))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
}

// BenchmarkMoveOfAllLayers is the end of a drag of 200 layers: as many operations
// in one edit.
func BenchmarkMoveOfAllLayers(b *testing.B) {
	s := newAtelier(b, open(), layers(200))
	i := 0
	for b.Loop() {
		i++
		var ops strings.Builder
		for n := range 200 {
			fmt.Fprintf(&ops, `,{"op":"set_box","id":"t%d","box":{"left":%d,"top":%d}}`, n, i+n, i)
		}
		s.patch("[" + ops.String()[1:] + "]")
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
}
