package bindings

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

// BenchmarkPlan plans a reading of 10,000 rows of which 10 changed.
func BenchmarkPlan(b *testing.B) {
	const rows, changed, perBatch = 10_000, 10, 1000
	bs := []*Binding{mustCompile(b, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"price": "price * 0.9"}
	})}
	l := newLedger()
	source := make([]connectors.Row, rows)
	for i := range source {
		row := product(fmt.Sprintf("SKU-%05d", i), fmt.Sprintf("Trail Runner %d", i))
		for _, column := range []string{"brand", "category", "description", "image_url", "updated_at"} {
			row.Values[column] = fmt.Sprintf("%s of product %d, as long as it usually is", column, i)
		}
		row.Values["stock"] = json.Number("5")
		source[i] = row
	}
	l.read(b, bs, true, connectors.Batch{Rows: source})
	for i := range changed {
		source[i*997].Values["price"] = "11"
	}
	var batches []connectors.Batch
	for i := 0; i < rows; i += perBatch {
		batches = append(batches, connectors.Batch{Rows: source[i : i+perBatch]})
	}
	batches[len(batches)-1].Closes = &connectors.Closing{Complete: true}
	known := make([]map[string]Known, len(batches))
	for i, batch := range batches {
		known[i] = l.known(NewReading(ReadingOptions{}).Keys(batch), bs)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := NewReading(ReadingOptions{Source: "catalog", ID: "catalog#2", Seq: 2, Bindings: bs, Now: clock})
		proposals := 0
		for i, batch := range batches {
			r.Keys(batch)
			sifted, err := r.Sift(batch, known[i])
			if err != nil {
				b.Fatal(err)
			}
			p := r.Plan(sifted, nil)
			proposals += len(p.Proposals)
		}
		if proposals != changed {
			b.Fatalf("%d proposals, want %d", proposals, changed)
		}
	}
}
