package fields_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

func delivery() sink.Delivery {
	return sink.Delivery{
		ID: "dlv_1", Event: sink.RenderCompleted, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Binding: "cards", Key: "a%2Fb", Generation: 7, Variant: "b", ClickURL: "https://x.example/s/spring/u1/click?sig=s", Row: map[string]any{"sku": "a/b", "stock": 3},
		Outputs: []sink.Output{
			{Name: "bad", Code: "render_failed", Error: "no"},
			{Name: "card", URL: "https://x.example/images/h.png", Latest: "https://x.example/b/cards/a%2Fb.png?sig=s", Hash: "h", Ext: "png", Format: "png", Width: 10, Height: 20},
		},
	}
}

func TestValuesHaveEveryNameAndNoOther(t *testing.T) {
	want := slices.Sorted(slices.Values(fields.Names()))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(fields.Of(delivery())))); diff != "" {
		t.Errorf("names (-declared +given):\n%s", diff)
	}
}

func TestExpressionsReadADelivery(t *testing.T) {
	for source, want := range map[string]any{
		"key":               "a/b",
		"keys[0]":           "a/b",
		"row.sku":           "a/b",
		"url":               "https://x.example/images/h.png",
		"output":            "card",
		"outputs.card.hash": "h",
		"outputs.bad.url":   nil,
		"generation + 1":    "8",
		`event + " " + id`:  "render.completed dlv_1",
		"width < height":    true,
		"time":              "2026-03-01T12:00:00Z",
		`time | date`:       "Mar 1, 2026",
		"latest_url":        "https://x.example/b/cards/a%2Fb.png?sig=s",
		"latest_path":       "b/cards/a%2Fb.png?sig=s",
		"variant":           "b",
		"click_url":         "https://x.example/s/spring/u1/click?sig=s",
	} {
		program, err := expr.Compile(source, expr.Options{Names: fields.Names()})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := program.Eval(fields.Of(delivery()), expr.Env{})
		if err != nil || expr.Text(got) != expr.Text(want) {
			t.Errorf("%s = %v, %v, want %v", source, got, err, want)
		}
	}
}

func TestKeyOfSeveralColumns(t *testing.T) {
	d := delivery()
	d.Key = "eu%2Cwest,a%2Fb"
	got := fields.Of(d)
	if diff := cmp.Diff([]any{"eu,west", "a/b"}, got["keys"]); diff != "" || got["key"] != d.Key {
		t.Errorf("key = %v, keys (-want +got):\n%s", got["key"], diff)
	}
}
