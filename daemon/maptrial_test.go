package daemon

import (
	"net/http"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A mappingSeen is what the tests read of a mapping.
type mappingSeen struct {
	Rows, Looked int
	Variables    []struct {
		Name, By, Expression string
		Values               []struct {
			Text  string
			Error *struct{ Message string }
		}
	}
	Unmatched []string
	Tried     []struct {
		Key   string
		Meets bool
	}
}

func TestMappingIsTriedWithWhatIsJoined(t *testing.T) {
	s := newSite(t, `
sources:
  shop: { kind: static, key: sku, rows: [{ sku: 1, name: Mug, brand: a, stock: 1 }, { sku: 2, name: Cup, brand: none, stock: 0 }] }
  brands: { kind: static, key: id, rows: [{ id: a, label: Acme }] }
bindings:
  - { name: cards, source: shop, template: card, where: stock > 0, lookups: { maker: { source: brands, key: brand } }, map: { title: "maker.label + ' ' + name" } }
`)
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "both sources are read", func() bool {
		shop, err := d.store.CountRows(t.Context(), "shop")
		brands, other := d.store.CountRows(t.Context(), "brands")
		return err == nil && other == nil && shop == 2 && brands == 1
	})
	var v mappingSeen
	if status := p.send(http.MethodGet, "/bindings/cards/mapping", nil, &v); status != http.StatusOK {
		t.Fatalf("the mapping: %d", status)
	}
	title := v.Variables[0]
	if title.By != "map" || title.Values[0].Text != "Acme Mug" || v.Rows != 2 || v.Looked != 2 {
		t.Errorf("the title is %+v of %d rows", title, v.Rows)
	}
	if !v.Tried[0].Meets || v.Tried[1].Meets {
		t.Errorf("the condition is met by %+v", v.Tried)
	}
	body := map[string]any{"map": map[string]any{"title": "name | uppercase"}, "keys": []string{"2"}}
	if status := p.send(http.MethodPost, "/bindings/cards/mapping/preview", body, &v); status != http.StatusOK || v.Variables[0].Values[0].Text != "CUP" || len(v.Tried) != 1 {
		t.Errorf("another map: %d %+v", status, v.Variables[0])
	}
	body = map[string]any{"source": "brands", "map": map[string]any{"title": "label"}}
	if status := p.send(http.MethodPost, "/templates/card/mapping", body, &v); status != http.StatusOK || v.Variables[0].Values[0].Text != "Acme" || v.Rows != 1 {
		t.Errorf("another source: %d %+v", status, v)
	}
}
