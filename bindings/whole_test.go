package bindings

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/template"
)

const productCard = `<!doctype html>
<html><head>
<script type="application/json" id="p-template">
{
  "name": "product-card",
  "sizes": { "default": { "w": 1200, "h": 630 }, "story": { "w": 1080, "h": 1920 } },
  "vars": {
    "title": { "type": "text", "required": true },
    "price": { "type": "number", "required": true },
    "sale": { "type": "boolean", "default": false }
  }
}
</script>
</head><body><section class="p-page"><h1>{{ title }}</h1><p>{{ price * 0.9 | currency("USD") }}</p><p>{{ sale ? "SALE" : "" }}</p></section></body></html>`

func mustCard(tb testing.TB) *template.Template {
	tb.Helper()
	t, err := template.Parse("product-card", []byte(productCard), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestTextAndNumbersOfARowPrintTheSameInARealTemplate(t *testing.T) {
	cfg := validConfig()
	cfg.Template, cfg.Map, cfg.Where = "product-card", map[string]string{"title": "name"}, "stock > 0"
	cfg.Outputs = []Output{{}, {Size: "story", Encoding: Encoding{Format: "jpg"}}}
	b, err := Compile(cfg, mustCard(t), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	csv := map[string]any{"name": "Trail Runner", "price": "49.00", "sale": "true", "stock": "3", "colour": "red"}
	other := map[string]any{"name": "Trail Runner", "price": json.Number("49"), "sale": true, "stock": json.Number("7")}
	one, two := b.Propose("k", csv, nil, clock, 0), b.Propose("k", other, nil, clock, 0)
	if len(one.Wants) != 2 {
		t.Fatalf("proposal %+v", one)
	}
	if text := strings.Join(slots(one), "|"); !strings.Contains(text, "Trail Runner") || !strings.Contains(text, "$44.10") || !strings.Contains(text, "SALE") {
		t.Errorf("slots %s", text)
	}
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("(-CSV +JSON):\n%s", diff)
	}
	if one.Wants[0].Fingerprint == one.Wants[1].Fingerprint {
		t.Error("two sizes have one fingerprint")
	}
}

func TestProblemOfARealTemplateNamesVariableAndColumn(t *testing.T) {
	cfg := validConfig()
	cfg.Map = map[string]string{"title": "nmae"}
	b, err := Compile(cfg, mustCard(t), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := b.Propose("k", map[string]any{"name": "x", "price": "cheap"}, nil, clock, 0).Problem
	if p == nil || p.Code != "missing_variable" || p.Field != "variables.title" {
		t.Fatalf("problem %+v", p)
	}
	for _, part := range []string{"title", "also variables.price", `no column "nmae"`, `did you mean "name"?`} {
		if !strings.Contains(p.Message, part) {
			t.Errorf("message %q lacks %q", p.Message, part)
		}
	}
}
