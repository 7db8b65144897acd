package sample_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

func TestColumnsHaveTheTypeOfTheirValues(t *testing.T) {
	c := sample.NewColumns("sku", "note")
	for _, row := range []map[string]any{
		{"sku": "A1", "price": "12.50", "photo": "https://x.example/a.PNG?w=2", "on": "true", "made": "2026-05-01", "ink": "#fff", "tags": []any{"a"}, "mixed": "1"},
		{"sku": "A2", "price": json.Number("3"), "photo": "https://x.example/b", "on": false, "made": "2026-05-01T10:00:00Z", "ink": "#00ff00", "mixed": "one", "zip": "01099"},
		{"sku": "A2", "price": "", "zip": "+49"},
	} {
		c.Add(row)
	}
	types := map[string]sample.ColumnType{}
	for _, col := range c.All() {
		types[col.Name] = col.Type
		switch col.Name {
		case "sku":
			if diff := cmp.Diff([]any{"A1", "A2"}, col.Samples); diff != "" || col.Longest != 2 || col.Empty != 0 {
				t.Errorf("sku is %+v", col)
			}
		case "price":
			if col.Empty != 1 || col.Longest != 5 || col.Types["number"] != 2 {
				t.Errorf("price is %+v", col)
			}
		}
	}
	want := map[string]sample.ColumnType{
		"sku": "text", "note": "empty", "price": "number", "photo": "image", "on": "boolean", "made": "date", "ink": "color",
		"tags": "array", "mixed": "text", "zip": "text", // what has zeros in front, or a plus, is no number
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all := c.All(); all[0].Name != "sku" || all[1].Name != "note" {
		t.Errorf("the order is lost: %s, %s", all[0].Name, all[1].Name)
	}
}

func TestColumnsAreMatchedByNameThenByType(t *testing.T) {
	vars := []template.Var{
		{Name: "title", Type: template.Text}, {Name: "price", Type: template.Number}, {Name: "heroImage", Type: template.Image},
		{Name: "launch_date", Type: template.Date}, {Name: "subtitle", Type: template.Text}, {Name: "stock", Type: template.Number},
	}
	columns := []sample.Column{
		{Name: "price", Type: "number"}, {Name: "Product Title", Type: "text"}, {Name: "photo", Type: "image"},
		{Name: "Launch Date", Type: "date"}, {Name: "stock note", Type: "text"}, {Name: "title2", Type: "array"},
	}
	want := map[string]sample.Match{
		"price": {"price", "price", "same"}, "title": {"Product Title", `$env["Product Title"]`, "similar"},
		"heroImage": {"photo", "photo", "type"}, "launch_date": {"Launch Date", `$env["Launch Date"]`, "similar"},
	}
	if diff := cmp.Diff(want, sample.Matches(vars, columns)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
