package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/render"
)

func TestOnlyTextsThatAreNotAsTheyWereSetAreKept(t *testing.T) {
	out := render.Output{
		Layout: []render.LayerReport{
			{Layer: "as set", FontPx: 40, Lines: 1}, {Layer: "smaller", FontPx: 20, Lines: 2, Changed: true},
			{Layer: "clipped", FontPx: 40, Lines: 3, Clipped: true}, {Layer: "cut", FontPx: 40, Lines: 1, Changed: true, Cut: true},
		},
		Warnings: []render.Warning{{Layer: "price", Problem: "what it says"}, {Code: render.GlyphMissing, Layer: "title", Problem: "no font"}},
	}
	want := bindings.Fitting{
		Layers: []bindings.LayerFit{
			{Layer: "smaller", FontPx: 20, Lines: 2}, {Layer: "clipped", FontPx: 40, Lines: 3, Clipped: true}, {Layer: "cut", FontPx: 40, Lines: 1, Cut: true},
		},
		Problems: []bindings.LayerProblem{{Layer: "price", Problem: "what it says"}, {Code: bindings.GlyphMissing, Layer: "title", Problem: "no font"}},
	}
	if diff := cmp.Diff(want, fittingOf(out, nil)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	out.Layout = make([]render.LayerReport, 2*fittingLimit)
	for i := range out.Layout {
		out.Layout[i].Clipped = true
	}
	if n := len(fittingOf(out, nil).Layers); n != fittingLimit {
		t.Errorf("%d texts are kept, want %d", n, fittingLimit)
	}
}

func TestRowSaysThatItsTextIsClipped(t *testing.T) {
	needChrome(t)
	s := newSite(t, catalogWithHook)
	s.write("templates/card.html", strings.Replace(cardTemplate, `<h1 id="title" style="`,
		`<h1 id="title" p-fit="none" style="width: 300px; height: 60px; overflow: hidden; `, 1))
	long := strings.Repeat("a good deal of text ", 12)
	s.write("rows.csv", "sku,name,price,stock\nA,Short,1,1\nB,"+long+",1,1\n")
	p := s.start(childChrome + "=1")
	eventually(t, "the rows of the binding", func() bool { return p.ready("cards") == 2 })
	rows := p.text("/bindings/cards/rows")
	if strings.Count(rows, "text_clipped") != 1 || strings.Index(rows, "text_clipped") < strings.Index(rows, `"B"`) {
		t.Errorf("rows are %s, want a warning at the second", rows)
	}

	id, err := p.postBatch([]map[string]any{{"title": "Short"}, {"title": long}}, "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the batch", func() bool { return p.job(id).Status == "completed" })
	lines := strings.Split(strings.TrimSpace(p.text("/jobs/"+id+"/results.ndjson")), "\n")
	if len(lines) != 2 || strings.Contains(lines[0], "layout") || strings.Contains(lines[0], "warnings") {
		t.Fatalf("results are %q, want two, and nothing to say of the first", lines)
	}
	for _, part := range []string{`"layout":[{"layer":"title","fontPx":32,"lines":`, `"clipped":true}]`, `"warnings":[{"code":"text_clipped"`} {
		if !strings.Contains(lines[1], part) {
			t.Errorf("result is %s, want %s in it", lines[1], part)
		}
	}
}
