package daemon

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// The rows of a run join other sources as the binding's own do.
func TestRunJoinsAsItsBindingDoes(t *testing.T) {
	s := newSite(t, `
sources:
  shop: { kind: file, path: shop.csv, key: sku, every: 1h }
  brands: { kind: file, path: brands.csv, key: id, every: 1h }
bindings:
  - { name: cards, source: shop, template: card, where: brand.name != "none", map: { title: "name + ' of ' + brand.name" },
      lookups: { brand: { source: brands, key: brand } } }
`)
	s.write("shop.csv", "sku,name,brand,price\nA,Mug,1,1\nB,Cup,2,1\n")
	s.write("brands.csv", "id,name\n1,Kiln\n2,none\n")
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the binding is drawn", func() bool { return p.binding("cards").Ready == 1 && len(null.Requests()) > 0 })
	drawn := len(null.Requests())
	v := p.mustEnd(p.askRun("cards", ""), "completed")
	if v.TotalItems != 1 || v.DedupedItems != 1 || len(null.Requests()) != drawn {
		t.Errorf("the run is %+v, with %d pictures drawn", v, len(null.Requests())-drawn)
	}
	if html := null.Requests()[drawn-1].HTML; !strings.Contains(html, "Mug of Kiln") {
		t.Errorf("the picture shows %s", html)
	}
}
