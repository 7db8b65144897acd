package daemon

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A triedRow is what the tests read of a row to try a draft with.
type triedRow struct {
	From      string
	Total, At int
	Key       string
	Row       map[string]any
	Variables map[string]any
	Skipped   bool
	Error     *struct{ Code, Field, Message string }
	Looked    *struct {
		Rows int
		All  bool
	}
	Choices []struct {
		From, Kind, Name string
		Rows             int
	}
	Code string
}

func (p *process) trialRow(query string) (v triedRow) {
	p.tb.Helper()
	if status := p.send(http.MethodGet, "/templates/card/rows"+query, nil, &v); status != http.StatusOK {
		p.tb.Fatalf("%s: %d %+v", query, status, v)
	}
	return v
}

// trialSite is a site with a table of 500 rows, a binding that leaves some out,
// and sample rows.
func trialSite(t *testing.T) *process {
	t.Helper()
	s := newSite(t, `
sources: { shop: { kind: file, path: shop.csv, key: sku } }
bindings:
  - { name: cards, source: shop, template: card, where: stock > 0, map: { title: name, price: "price * 2" } }
`)
	var table strings.Builder
	table.WriteString("sku,name,price,stock\n")
	for i := range 500 {
		name := "Mug"
		if i == 321 {
			name = "A mug with the longest name of all of them"
		}
		fmt.Fprintf(&table, "%04d,%s,%d,%d\n", i, name, i, i%10)
	}
	table.WriteString("0500,Broken,cheap,1\n")
	s.write("shop.csv", table.String())
	s.write("templates/card.rows.json", `[{"title": "First"}, {"title": "Second", "price": 2}]`)
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "all rows are read", func() bool {
		var v triedRow
		return p.send(http.MethodGet, "/templates/card/rows?from=source:shop", nil, &v) == http.StatusOK && v.Total == 501
	})
	return p
}

func TestRowsOfABindingAreTriedAsItMapsThem(t *testing.T) {
	p := trialSite(t)
	v := p.trialRow("?from=binding:cards&at=321")
	if v.Key != "0321" || v.Total != 501 || v.Variables["price"] != 642.0 || v.Row["price"] != "321" || v.Skipped {
		t.Errorf("row 321 is %+v", v)
	}
	if v := p.trialRow("?from=binding:cards&key=0320"); v.At != 320 || !v.Skipped || v.Variables["title"] != "Mug" {
		t.Errorf("the row that the binding leaves out is %+v", v)
	}
	if v := p.trialRow("?from=binding:cards&pick=longest:title"); v.At != 321 || v.Looked == nil || v.Looked.Rows != 501 || !v.Looked.All {
		t.Errorf("the longest title is in %+v", v)
	}
	if v := p.trialRow("?from=binding:cards&pick=last"); v.At != 500 || v.Error == nil || v.Error.Field != "variables.price" || v.Row["name"] != "Broken" {
		t.Errorf("the row that can't be mapped is %+v", v)
	}
	if v := p.trialRow("?from=source:shop&at=5"); v.Variables["name"] != "Mug" || v.Key != "0005" {
		t.Errorf("the row of the source is %+v", v)
	}
	choices := p.trialRow("").Choices
	if len(choices) != 3 || choices[0].Rows != 2 || choices[1].From != "binding:cards" || choices[1].Rows != 501 || choices[2].From != "source:shop" {
		t.Errorf("the choices are %+v", choices)
	}
	if v := p.trialRow("?at=1"); v.Variables["title"] != "Second" {
		t.Errorf("the second sample is %+v", v)
	}
}

// A draft may have variables that the binding does not know yet, and lack some
// that it gives.
func TestRowsAreMappedForTheDraft(t *testing.T) {
	p := trialSite(t)
	status, done := p.patch(1, "Ada", `[{"op":"set_text","id":"price","text":"cheap"},{"op":"set_var","name":"price","var":null},{"op":"set_var","name":"stock","var":{"type":"number"}}]`)
	if status != http.StatusOK {
		t.Fatalf("the edit: %d %+v", status, done)
	}
	v := p.trialRow("?from=binding:cards&at=321")
	if _, has := v.Variables["price"]; has || v.Variables["stock"] != "1" || v.Error != nil {
		t.Errorf("the row for the draft is %+v", v)
	}
}
