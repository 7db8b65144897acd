package connectors_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
)

func TestKeyHasItsColumnsInOrder(t *testing.T) {
	values := map[string]any{"sku": "7", "shop": "berlin", "price": nil}
	for _, c := range []struct {
		columns []string
		want    []any
	}{
		{[]string{"shop", "sku"}, []any{"berlin", "7"}},
		{[]string{"sku", "gone"}, []any{"7", nil}},
		{nil, []any{}},
	} {
		if diff := cmp.Diff(c.want, connectors.KeyOf(c.columns, values)); diff != "" {
			t.Errorf("key of %v (-want +got):\n%s", c.columns, diff)
		}
	}
}

func TestKindIsFoundByItsName(t *testing.T) {
	kinds := connectors.Kinds{{Name: "file"}, {Name: "http", Summary: "second"}}
	if kind, ok := kinds.Find("http"); !ok || kind.Summary != "second" {
		t.Errorf("found %+v, %v", kind, ok)
	}
	if _, ok := kinds.Find("htt"); ok {
		t.Error("found a kind that is not there")
	}
}
