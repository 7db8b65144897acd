package edit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAVariableIsRenamedWhereItIsRead(t *testing.T) {
	for src, want := range map[string]string{
		"price":                                "cost",
		"price * price | currency(price)":      "cost * cost | currency(cost)",
		"row.price + price.price + row?.price": "row.price + cost.price + row?.price",
		`price ?? "price" + 'price'`:           `cost ?? "price" + 'price'`,
		"price(1) + x | price":                 "price(1) + x | price",
		"{price: price, b: [price, price]}":    "{price: cost, b: [cost, cost]}",
		"a ? price : b":                        "a ? cost : b",
		"prices + price2 + é + price":          "prices + price2 + é + cost",
		"filter(list, {.price > price})":       "filter(list, {.price > cost})",
	} {
		got, p := renameIdentifier(src, "price", "cost")
		if p != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", src, got, p, want)
		}
	}
	for _, src := range []string{"let price = 1; price", "cost + price", `$env["price"]`, "price @@"} {
		if got, p := renameIdentifier(src, "price", "cost"); p == nil {
			t.Errorf("%s became %s", src, got)
		}
	}
}

func TestRenamingAVariableReachesEveryExpression(t *testing.T) {
	src := strings.NewReplacer(
		`<p id="small">Terms</p>`, `<p id="small" p-if='price > 1' title="{{ price }}">{{#if price &amp;&amp; x}}{{ price }}{{else}}{{/if}}</p>`,
		`--ink: #0f172a`, `--ink: {{ price > 1 ? "red" : "blue" }}`,
		`f in features`, `f in split(price, '|')`,
	).Replace(card)
	got := must(t, src, `[{"op":"rename_var","name":"price","to":"cost"}]`)
	want := strings.NewReplacer(
		`"price": {`, `"cost": {`, `'price > 1'`, `'cost > 1'`, `"{{ price }}"`, `"{{ cost }}"`, `#if price`, `#if cost`, `}}{{ price }}`, `}}{{ cost }}`,
		`{{ price > 1`, `{{ cost > 1`, `split(price`, `split(cost`, `{{ price | currency }}`, `{{ cost | currency }}`,
	).Replace(src)
	if diff := cmp.Diff(want, string(got.Source)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"item", "p-tokens", "price", "small", "var:cost", "var:price"}, got.Touched); diff != "" {
		t.Errorf("touched (-want +got):\n%s", diff)
	}
}

func TestNamesOfLoopsAreNotTakenForVariables(t *testing.T) {
	src := strings.Replace(card, "f in features", "price in features", 1)
	_, err := Apply([]byte(src), []Op{{Op: "rename_var", Name: "price", To: "cost"}})
	if err == nil || !strings.Contains(err.Error(), `"price" is the name of something else`) {
		t.Error(err)
	}
}
