package daemon

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

const echoSite = `
sources:
  goods: { kind: sheets, spreadsheet: BOOK, range: Goods, key: sku, every: 1s, endpoint: "http://127.0.0.1:1" }
sinks:
  back: { kind: sheets, source: goods, column: COLUMN }
bindings:
  - { name: cards, source: goods, template: card, sinks: [back]MORE }
`

func TestABindingMayNotReadWhatItsSinkWrites(t *testing.T) {
	for name, test := range map[string]struct{ column, more, want string }{
		"other columns":                   {"Image URL", "", ""},
		"a variable of the column's name": {"price", "", `the variable "price" takes the column of its name, which the sink "back" writes back to the source "goods"`},
		"that is mapped to another":       {"price", ", map: { price: cost }", ""},
		"an expression":                   {"card_url", `, map: { title: "card_url ?? name" }`, `.map.title: the expression reads the column "card_url", which the sink "back" writes back`},
		"a column with spaces":            {"Image URL", `, map: { title: '$env["Image URL"]' }`, `.map.title: the expression reads the column "Image URL"`},
		"any column":                      {"Image URL", `, map: { title: "$env[name]" }`, `.map.title: the expression may read any column, also "Image URL"`},
		"where":                           {"card_url", `, where: "card_url == nil"`, `.where: the expression reads the column "card_url"`},
		"the key of a lookup":             {"shop", ", lookups: { shop: { source: goods, key: shop } }", `.lookups.shop.key: the expression reads the column "shop"`},
		"a lookup of the column's name":   {"shop", ", lookups: { shop: { source: goods, key: sku } }, map: { title: shop.title }", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, strings.NewReplacer("COLUMN", test.column, "MORE", test.more).Replace(echoSite))
			_, err := Check(s.dir + "/pictifyd.yaml")
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("check = %v, want %q", err, test.want)
			case test.want != "" && (!strings.Contains(err.Error(), "pictifyd.yaml:1") || !strings.Contains(err.Error(), "have the sink write to another one")):
				t.Errorf("check = %v, want its line and what to do", err)
			}
		})
	}
}

func TestASinkNeedsASourceThatItCanWriteTo(t *testing.T) {
	for want, sink := range map[string]string{
		`sinks.back.source: there is no source "good" (did you mean "goods"?)`:      "{ kind: sheets, source: good, column: Image }",
		`sinks.back.source: source "list" is of kind static, and no sheet`:          "{ kind: sheets, source: list, column: Image }",
		`sinks.back.column: the column "sku" is the key of source "goods"`:          "{ kind: sheets, source: goods, column: sku }",
		`sinks.back.source: source "open" reads with an API key, which can't write`: "{ kind: sheets, source: open, column: Image }",
	} {
		s := newSite(t, strings.Replace(strings.ReplaceAll(echoSite, "MORE", ""), "{ kind: sheets, source: goods, column: COLUMN }", sink, 1)+`
`)
		s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "sources:\n", `sources:
  list: { kind: static, key: sku, rows: [{ sku: a }] }
  open: { kind: sheets, spreadsheet: BOOK, key: sku, api_key: abc }
`, 1))
		if _, err := Check(s.dir + "/pictifyd.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The daemon goes on with the others, and says what is wrong with this one; so does
// the API of a binding that a caller makes.
func TestABindingThatReadsWhatItsSinkWritesDoesNotStart(t *testing.T) {
	s := newSite(t, strings.NewReplacer("COLUMN", "price", "MORE", "").Replace(echoSite))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the binding in error", func() bool {
		_, text := p.ask("GET", "/bindings/cards", "")
		return strings.Contains(text, `"status":"error"`) && strings.Contains(text, `the sink \"back\" writes back`)
	})
	text := p.mustSend(422, "POST", "/bindings", `{"name": "mine", "source": "goods", "template": "card", "sinks": ["back"]}`)
	if !strings.Contains(text, `"echo"`) || !strings.Contains(text, `the variable \"price\"`) {
		t.Error(text)
	}
	p.mustSend(201, "POST", "/bindings", `{"name": "mine", "source": "goods", "template": "card", "sinks": ["back"], "map": {"price": "cost"}}`)
}
